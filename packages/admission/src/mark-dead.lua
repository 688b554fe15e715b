-- Marks a device as dead. A mark that lasts longer stays: an operator's block outlives Apple's word.
--
-- KEYS[1]  state of the device
-- KEYS[2]  marks that the push service caused; see dead-marks.lua
-- ARGV[1]  the mark, a negative integer; see device-state.ts
-- ARGV[2]  how long it lasts, ms
-- ARGV[3]  most marks that the push service causes; 0: an operator marks, and it does not count
-- ARGV[4]  now, epoch ms; for the age of marks only
--
-- Returns nothing
local state = tonumber(redis.call('GET', KEYS[1]) or '0')
if state < 0 and redis.call('PTTL', KEYS[1]) >= tonumber(ARGV[2]) then return end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local most = tonumber(ARGV[3])
if most > 0 then note_dead(KEYS[2], KEYS[1], tonumber(ARGV[4]), tonumber(ARGV[2]), most) end
