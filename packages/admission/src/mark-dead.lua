-- Marks a device as dead. A mark that lasts longer stays: an operator's block outlives Apple's word.
--
-- KEYS[1]  state of the device
-- ARGV[1]  the mark, a negative integer; see device-state.ts
-- ARGV[2]  how long it lasts, ms
--
-- Returns nothing
local state = tonumber(redis.call('GET', KEYS[1]) or '0')
if state < 0 and redis.call('PTTL', KEYS[1]) >= tonumber(ARGV[2]) then return end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
