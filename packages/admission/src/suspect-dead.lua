-- A push service says that a token is bad, but may say so for a mistake of ours. The first such word is noted, the
-- next one that comes after the delay marks the device as dead.
--
-- KEYS[1]  the region's clock
-- KEYS[2]  state of the device
-- KEYS[3]  when the token was first suspected, epoch ms; expires when the suspicion lapses
-- KEYS[4]  marks that the push service caused; see dead-marks.lua
-- ARGV[1]  replaces Redis TIME unless empty, epoch ms
-- ARGV[2]  delay before a second word counts, ms
-- ARGV[3]  life of a suspicion, ms
-- ARGV[4]  reason of the dead mark; see device-state.ts
-- ARGV[5]  life of the dead mark, ms
-- ARGV[6]  most marks that the push service causes
--
-- Returns after how many ms to ask again, or -1 if the device is dead
local now, keep_clock = region_clock(KEYS[1], ARGV[1])
if tonumber(redis.call('GET', KEYS[2]) or '0') < 0 then return -1 end
keep_clock()

local since = math.min(now, tonumber(redis.call('GET', KEYS[3]) or now))
local confirm_at = since + tonumber(ARGV[2])
if now < confirm_at then
  redis.call('SET', KEYS[3], string.format('%.0f', since), 'PX', ARGV[3])
  return confirm_at - now
end
redis.call('SET', KEYS[2], string.format('%.0f', -(since * 4 + tonumber(ARGV[4]))), 'PX', ARGV[5])
redis.call('DEL', KEYS[3])
note_dead(KEYS[4], KEYS[2], now, tonumber(ARGV[5]), tonumber(ARGV[6]))
return -1
