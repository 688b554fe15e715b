-- Pushes that were cleared are settled: accepted by the push service, or not. A clearance may have run out meanwhile and
-- somebody else may have one, so each push is settled by the time of its own.
--
-- KEYS[1…] of each device, unique in one call; see pushed.lua
-- ARGV[1]  replaces Redis TIME unless empty, epoch ms
-- ARGV[2]  now by the caller's clock, epoch ms; the earlier of both counts
-- ARGV[3]  how long to remember, ms
-- ARGV[4…] two per device: 0 not accepted, 1 accepted, 2 accepted and urgent; time of its clearance, epoch ms
--
-- Returns nothing
local now = earliest_time(ARGV[1], ARGV[2])
local states = redis.call('MGET', unpack(KEYS))
for i = 1, #states do
  local covers, covers_urgent, accepted_at, cleared_at = read_pushed(states[i])
  local how, own = ARGV[2 + 2 * i], tonumber(ARGV[3 + 2 * i])
  if how ~= '0' then covers, accepted_at = math.max(covers, own), math.max(accepted_at, now) end
  if how == '2' then covers_urgent = math.max(covers_urgent, own) end
  if cleared_at == own then cleared_at = 0 end
  redis.call('SET', KEYS[i], write_pushed(covers, covers_urgent, accepted_at, cleared_at), 'PX', ARGV[3])
end
