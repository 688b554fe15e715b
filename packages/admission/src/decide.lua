-- Decides when pushes to some devices may leave. Atomic, so two ingresses cannot both grant "now", and a wakeup
-- that is told to wait is in the ZSET before anybody hears of it. Mirrors nextDeparture() in departure.ts.
--
-- KEYS[1]  the region's clock
-- KEYS[2]  trailing pushes (ZSET: score = due time, member = '<due time>|<payload>')
-- KEYS[3…] state of each device, unique in one call; see device-state.ts
-- KEYS[…]  behind them the buckets of sending domains, if any of the domains has a limit; see limits.lua
-- ARGV[1]  replaces Redis TIME unless empty, epoch ms
-- ARGV[2]  longest throttle, ms
-- ARGV[3]  how many buckets
-- ARGV[4…] two per device: its window in ms; payload, of which the first byte is '!' if the wakeup is urgent
-- ARGV[…]  behind them, if there are buckets, what limits.lua reads
--
-- Returns one integer per device: 0 now, >0 later in so many ms, -1 merged, -2 dead, -3 all over the limit of their
-- domain; and if there are buckets, behind them for each device how many of its wakeups are within the limit
local now, keep_clock = region_clock(KEYS[1], ARGV[1])
local longest_throttle = tonumber(ARGV[2])
local buckets = tonumber(ARGV[3])
local devices = #KEYS - 2 - buckets
local states = redis.call('MGET', unpack(KEYS, 3, 2 + devices))
local passes = buckets > 0 and draw_tokens(now, 3 + devices, buckets, 4 + 2 * devices, devices) or nil
local granted_now = string.format('%.0f', now * 4)
local replies, trailing = {}, {}

-- The due time makes a member unique: a wakeup that comes between the due time of a push and its departure would
-- otherwise overwrite and postpone that push.
local function schedule(due, payload)
  local score = string.format('%.0f', due)
  trailing[#trailing + 1] = score
  trailing[#trailing + 1] = score .. '|' .. payload
end

for i = 1, devices do
  local window, payload = tonumber(ARGV[2 + 2 * i]), ARGV[3 + 2 * i]
  local state = states[i] and tonumber(states[i])
  local at = state and math.floor(state / 4)
  local key = KEYS[i + 2]

  if passes and passes[i] == 0 then
    replies[i] = -3
  elseif state and state < 0 then
    replies[i] = -2
  elseif not state or now >= at + window then
    redis.call('SET', key, granted_now, 'PX', window)
    replies[i] = 0
  else
    local urgent = string.byte(payload) == 33
    local scheduled, scheduled_urgent = state % 4 >= 2, state % 2 == 1
    local plausible = at <= now + math.max(window, longest_throttle)
    if scheduled and at > now and plausible then
      if urgent and not scheduled_urgent then
        schedule(at, payload)
        redis.call('SET', key, string.format('%.0f', state + 1), 'KEEPTTL')
      end
      replies[i] = -1
    else
      local due = (plausible and at or now) + window
      schedule(due, payload)
      redis.call('SET', key, string.format('%.0f', due * 4 + (urgent and 3 or 2)), 'PX', due + window - now)
      replies[i] = due - now
    end
  end
end

if #trailing > 0 then redis.call('ZADD', KEYS[2], unpack(trailing)) end
keep_clock()
if passes then
  for i = 1, devices do
    replies[devices + i] = passes[i]
  end
end
return replies
