-- Pushes that were cleared are settled: accepted by the push service, or not. A clearance may have run out meanwhile and
-- somebody else may have one, so each push is settled by the time of its own.
--
-- KEYS[1…] of each device, unique in one call: '<accepted at> <cleared at>'; see clear.lua
-- ARGV[1]  how long to remember, ms
-- ARGV[2…] two per device: 1 accepted, 0 not; time of its clearance, epoch ms
--
-- Returns nothing
local states = redis.call('MGET', unpack(KEYS))
for i = 1, #states do
  local accepted_at, cleared_at = 0, 0
  if states[i] then
    local accepted, cleared = string.match(states[i], '^(%d+) (%d+)$')
    accepted_at, cleared_at = tonumber(accepted) or 0, tonumber(cleared) or 0
  end
  local own = tonumber(ARGV[1 + 2 * i])
  -- It left after it was cleared, so it serves what was received before that.
  if ARGV[2 * i] == '1' then accepted_at = math.max(accepted_at, own) end
  if cleared_at == own then cleared_at = 0 end
  redis.call('SET', KEYS[i], string.format('%.0f %.0f', accepted_at, cleared_at), 'PX', ARGV[1])
end
