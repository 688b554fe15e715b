-- A throttled device: the push that was refused is repeated after a while, and no other may leave before.
--
-- KEYS[1]  the region's clock
-- KEYS[2]  state of the device
-- ARGV[1]  replaces Redis TIME unless empty, epoch ms
-- ARGV[2]  time until the refused push is repeated, ms
-- ARGV[3]  window of the device, ms
--
-- Returns nothing
local now, keep_clock = region_clock(KEYS[1], ARGV[1])
local repeated_at = now + tonumber(ARGV[2])
local state = tonumber(redis.call('GET', KEYS[2]) or '0')
if state < 0 or math.floor(state / 8) >= repeated_at then return end
local proven = state % 8 >= 4 and 4 or 0
local lasts = math.max(repeated_at + tonumber(ARGV[3]) - now, proven > 0 and redis.call('PTTL', KEYS[2]) or 0)
redis.call('SET', KEYS[2], string.format('%.0f', repeated_at * 8 + proven), 'PX', lasts)
keep_clock()
