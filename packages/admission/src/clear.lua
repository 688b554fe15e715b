-- During a backlog: which of these pushes may leave? A device has many wakeups in the queue then, and one push serves
-- all that were received before it was sent. Who is told to go has the device for itself until the push is settled.
-- Mirrors clearanceOf() in clearance.ts.
--
-- Redis TIME, not the region's clock: times received are told by the ingresses' clocks, and a region's clock that has
-- once been led astray stays ahead of them for good.
--
-- KEYS[1…] of each device, unique in one call: '<accepted at> <cleared at>', epoch ms, 0 for never
-- ARGV[1]  replaces Redis TIME unless empty, epoch ms
-- ARGV[2]  now by the caller's clock, epoch ms; the earlier of both counts
-- ARGV[3]  how much the clocks of two hosts may differ, ms
-- ARGV[4]  how long a clearance lasts if it is not settled, ms
-- ARGV[5]  how long to remember, ms
-- ARGV[6…] two per device: time received, epoch ms; window, ms
--
-- Returns one integer per device: -<time of the clearance, epoch ms> go, -1 covered, >0 not before so many ms
local redis_time
if ARGV[1] ~= '' then
  redis_time = tonumber(ARGV[1])
else
  local t = redis.call('TIME')
  redis_time = t[1] * 1000 + math.floor(t[2] / 1000)
end
local now = math.min(redis_time, tonumber(ARGV[2]))
local skew, lease = tonumber(ARGV[3]), tonumber(ARGV[4])
local states = redis.call('MGET', unpack(KEYS))
local replies = {}

for i = 1, #states do
  local received_at, window = tonumber(ARGV[4 + 2 * i]), tonumber(ARGV[5 + 2 * i])
  local accepted_at, cleared_at = 0, 0
  if states[i] then
    local accepted, cleared = string.match(states[i], '^(%d+) (%d+)$')
    accepted_at, cleared_at = tonumber(accepted) or 0, tonumber(cleared) or 0
  end

  -- A time that lies ahead was written by a Redis whose clock was wrong.
  local next_at = 0
  if accepted_at <= now then next_at = accepted_at + window end
  if cleared_at <= now then next_at = math.max(next_at, cleared_at + lease) end

  if accepted_at <= now and received_at + skew <= accepted_at then
    replies[i] = -1
  elseif next_at > now then
    replies[i] = next_at - now
  else
    redis.call('SET', KEYS[i], string.format('%.0f %.0f', accepted_at, now), 'PX', ARGV[5])
    replies[i] = -now
  end
end
return replies
