-- During a backlog: which of these pushes may leave? A device has many wakeups in the queue then, and one push serves
-- all that were received before it was sent. Who is told to go has the device for itself until the push is settled.
-- Mirrors clearanceOf() in clearance.ts.
--
-- KEYS[1…] of each device, unique in one call; see pushed.lua
-- ARGV[1]  replaces Redis TIME unless empty, epoch ms
-- ARGV[2]  now by the caller's clock, epoch ms; the earlier of both counts
-- ARGV[3]  how much the clocks of two hosts may differ, ms
-- ARGV[4]  how long a clearance lasts if it is not settled, ms
-- ARGV[5]  how long to remember, ms
-- ARGV[6…] two per device: time received, epoch ms; window, ms
--
-- Returns one integer per device: -<time of the clearance, epoch ms> go, -1 covered, >0 not before so many ms
local now = earliest_time(ARGV[1], ARGV[2])
local skew, lease = tonumber(ARGV[3]), tonumber(ARGV[4])
local states = redis.call('MGET', unpack(KEYS))
local replies = {}

for i = 1, #states do
  local received_at, window = tonumber(ARGV[4 + 2 * i]), tonumber(ARGV[5 + 2 * i])
  local covers_until, accepted_at, cleared_at = read_pushed(states[i])

  -- A time that lies further ahead than clocks of hosts differ was written by a Redis whose clock was wrong.
  if covers_until > now + skew then covers_until = 0 end
  if accepted_at > now + skew then accepted_at = 0 end
  if cleared_at > now + skew then cleared_at = 0 end
  local next_at = math.max(accepted_at + window, cleared_at + lease)

  if covers_until > 0 and received_at + skew <= covers_until then
    replies[i] = -1
  elseif next_at > now then
    replies[i] = next_at - now
  else
    redis.call('SET', KEYS[i], write_pushed(covers_until, accepted_at, now), 'PX', ARGV[5])
    replies[i] = -now
  end
end
return replies
