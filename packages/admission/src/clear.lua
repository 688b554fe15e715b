-- During a backlog: which of these pushes may leave? A device has many wakeups in the queue then, and one push serves
-- all that were received before it was sent. Who is told to go has the device for itself until the push is settled.
-- Mirrors clearanceOf() in clearance.ts.
--
-- KEYS[1]  the devices that a backlog remembers (ZSET: score = when it was written first, epoch ms; member = its key)
-- KEYS[2…] of each device, unique in one call; see pushed.lua
-- ARGV[1]  replaces Redis TIME unless empty, epoch ms
-- ARGV[2]  now by the caller's clock, epoch ms; the earlier of both counts
-- ARGV[3]  how much the clocks of two hosts may differ, ms
-- ARGV[4]  how long a clearance lasts if it is not settled, ms
-- ARGV[5]  how long to remember, ms
-- ARGV[6]  how many devices to remember at most; beyond that the oldest are forgotten, which costs each a push too many
-- ARGV[7…] three per device: when its newest wakeup was received, epoch ms; its newest urgent one, 0 for none;
--          window, ms
--
-- Returns one integer per device: -<time of the clearance, epoch ms> go, -1 covered, >0 not before so many ms
local now = earliest_time(ARGV[1], ARGV[2])
local skew, lease = tonumber(ARGV[3]), tonumber(ARGV[4])
local states = redis.call('MGET', unpack(KEYS, 2))
local replies, added = {}, {}

-- A time that lies further ahead than clocks of hosts differ was written while clocks were wrong. It is forgotten for
-- good: once it has come, it would cover what nobody was woken for.
local function plausible(time)
  return time <= now + skew and time or 0
end

for i = 1, #states do
  local received_at, urgent_at = tonumber(ARGV[4 + 3 * i]), tonumber(ARGV[5 + 3 * i])
  local window = tonumber(ARGV[6 + 3 * i])
  local covers, covers_urgent, accepted_at, cleared_at = read_pushed(states[i])

  covers, covers_urgent = plausible(covers), plausible(covers_urgent)
  accepted_at, cleared_at = plausible(accepted_at), plausible(cleared_at)
  local next_at = math.max(accepted_at + window, cleared_at + lease)
  local is_covered = covers > 0 and received_at + skew <= covers
  local is_urgent_covered = urgent_at == 0 or covers_urgent > 0 and urgent_at + skew <= covers_urgent

  if is_covered and is_urgent_covered then
    replies[i] = -1
  elseif next_at > now then
    replies[i] = next_at - now
  else
    cleared_at = now
    replies[i] = -now
  end
  local value = write_pushed(covers, covers_urgent, accepted_at, cleared_at)
  if value ~= states[i] and (states[i] or cleared_at > 0) then
    redis.call('SET', KEYS[i + 1], value, 'PX', ARGV[5])
    if not states[i] then
      added[#added + 1] = string.format('%.0f', now)
      added[#added + 1] = KEYS[i + 1]
    end
  end
end

if #added > 0 then
  redis.call('ZADD', KEYS[1], unpack(added))
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - tonumber(ARGV[5])))
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
  local beyond = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[6])
  if beyond > 0 then
    -- A bound that was lowered is reached step by step.
    local oldest = redis.call('ZPOPMIN', KEYS[1], math.min(beyond, 500))
    for i = 1, #oldest, 2 do
      redis.call('DEL', oldest[i])
    end
  end
end
return replies
