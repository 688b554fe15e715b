-- Pushes that were cleared are settled: accepted by the push service, or not.
--
-- KEYS[1…] of each device, unique in one call: '<accepted at> <cleared at>'; see clear.lua
-- ARGV[1]  how long to remember, ms
-- ARGV[2…] one per device: 1 accepted, 0 not
--
-- Returns nothing
local states = redis.call('MGET', unpack(KEYS))
for i = 1, #states do
  local accepted, cleared = string.match(states[i] or '', '^(%d+) (%d+)$')
  if accepted then
    -- It left after it was cleared, so it serves what was received before that.
    if ARGV[1 + i] == '1' and tonumber(cleared) > 0 then accepted = cleared end
    redis.call('SET', KEYS[i], accepted .. ' 0', 'PX', ARGV[1])
  end
end
