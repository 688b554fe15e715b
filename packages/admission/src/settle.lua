-- Pushes that were cleared are settled: accepted by the push service, or not. A clearance may have run out meanwhile and
-- somebody else may have one, so each push is settled by the time of its own.
--
-- KEYS[1…] of each device, unique in one call; see pushed.lua
-- ARGV[1]  replaces Redis TIME unless empty, epoch ms
-- ARGV[2]  now by the caller's clock, epoch ms; the earlier of both counts
-- ARGV[3]  how long to remember, ms
-- ARGV[4…] two per device: 1 accepted, 0 not; time of its clearance, epoch ms
--
-- Returns nothing
local now = earliest_time(ARGV[1], ARGV[2])
local states = redis.call('MGET', unpack(KEYS))
for i = 1, #states do
  local covers_until, accepted_at, cleared_at = read_pushed(states[i])
  local own = tonumber(ARGV[3 + 2 * i])
  if ARGV[2 + 2 * i] == '1' then
    covers_until, accepted_at = math.max(covers_until, own), math.max(accepted_at, now)
  end
  if cleared_at == own then cleared_at = 0 end
  redis.call('SET', KEYS[i], write_pushed(covers_until, accepted_at, cleared_at), 'PX', ARGV[3])
end
