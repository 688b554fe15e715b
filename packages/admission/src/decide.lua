-- Decides when pushes to some devices may leave. Atomic, so two ingresses cannot both grant "now", and a wakeup
-- that is told to wait is in the ZSET before anybody hears of it. Mirrors nextBudgetedDeparture() in departure.ts.
--
-- KEYS[1]  the region's clock
-- KEYS[2]  trailing pushes (ZSET: score = due time, member = '<due time>|<payload>')
-- KEYS[3…] state of each device, unique in one call; see device-state.ts
-- KEYS[…]  behind them the buckets of sending domains, if any of the domains has a limit; see limits.lua
-- KEYS[…]  behind them, if new devices have a budget, those of all domains (first, further) and of each domain; see
--          new-devices.lua, which also writes a key of each new device
-- ARGV[1]  replaces Redis TIME unless empty, epoch ms
-- ARGV[2]  longest throttle, ms
-- ARGV[3]  how many buckets
-- ARGV[4]  how many budgets, those of all domains not counted
-- ARGV[5]  how long a proven device is remembered, ms; 0: new devices have no budget
-- ARGV[6…] two per device: its window in ms × 256, plus which budget (0 for none); payload, of which the first byte is
--          '!' if the wakeup is urgent
-- ARGV[…]  behind them, if there are buckets, what limits.lua reads
-- ARGV[…]  at the end, if new devices have a budget: µs per token and tokens of a domain, the same of all domains, and how
--          long an outcome is waited for, ms
--
-- Returns one integer per device: 0 now, >0 later in so many ms, -1 merged, -2 dead, -3 all over the limit of their
-- domain, -4 new and over the budget, -5 now, and new; and if there are buckets, behind them for each device how many of
-- its wakeups are within the limit
local now, keep_clock = region_clock(KEYS[1], ARGV[1])
local longest_throttle = tonumber(ARGV[2])
local buckets, budgets, remembered = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local has_budgets = remembered > 0
local devices = #KEYS - 2 - buckets - budgets - (has_budgets and 2 or 0)
local states = redis.call('MGET', unpack(KEYS, 3, 2 + devices))
local passes = buckets > 0 and draw_tokens(now, 3 + devices, buckets, 6 + 2 * devices, devices) or nil
local granted, granted_proven = string.format('%.0f', now * 8), string.format('%.0f', now * 8 + 4)
local replies, trailing = {}, {}

-- Set up when the first new device is met: most micro-batches have none.
local pay, keep_budgets
local function is_paid(device, budget)
  if budget == 0 then return true end
  if not pay then
    local at, numbers = 3 + devices + buckets, {}
    for i = 1, 5 do
      numbers[i] = tonumber(ARGV[#ARGV - 5 + i])
    end
    local per_domain, in_all = { numbers[1], numbers[2] }, { numbers[3], numbers[4] }
    pay, keep_budgets = new_device_budgets(now, { KEYS[at], KEYS[at + 1] }, per_domain, in_all, numbers[5])
  end
  return pay(device, KEYS[4 + devices + buckets + budget])
end

-- The due time makes a member unique: a wakeup that comes between the due time of a push and its departure would
-- otherwise overwrite and postpone that push.
local function schedule(due, payload, is_new)
  local score = string.format('%.0f', due)
  -- A zero in front of the time received: versions that do not know new devices read the same time.
  if is_new then payload = string.sub(payload, 1, 1) .. '0' .. string.sub(payload, 2) end
  trailing[#trailing + 1] = score
  trailing[#trailing + 1] = score .. '|' .. payload
end

for i = 1, devices do
  local packed, payload = tonumber(ARGV[4 + 2 * i]), ARGV[5 + 2 * i]
  local budget = packed % 256
  local window = (packed - budget) / 256
  local state = states[i] and tonumber(states[i])
  local at = state and math.floor(state / 8)
  local key = KEYS[i + 2]
  local is_proven = state and state % 8 >= 4
  local is_new = has_budgets and not is_proven
  local proven, lasts = is_proven and 4 or 0, is_proven and remembered or 0

  if passes and passes[i] == 0 then
    replies[i] = -3
  elseif state and state < 0 then
    replies[i] = -2
  elseif not state or now >= at + window then
    if not is_new then
      redis.call('SET', key, is_proven and granted_proven or granted, 'PX', math.max(window, lasts))
      replies[i] = 0
    elseif is_paid(key, budget) then
      redis.call('SET', key, granted, 'PX', window)
      replies[i] = -5
    else
      replies[i] = -4
    end
  else
    local urgent = string.byte(payload) == 33
    local scheduled, scheduled_urgent = state % 4 >= 2, state % 2 == 1
    local plausible = at <= now + math.max(window, longest_throttle)
    if scheduled and at > now and plausible then
      if urgent and not scheduled_urgent then
        schedule(at, payload, is_new)
        redis.call('SET', key, string.format('%.0f', state + 1), 'KEEPTTL')
      end
      replies[i] = -1
    elseif not is_new or is_paid(key, budget) then
      local due = (plausible and at or now) + window
      schedule(due, payload, is_new)
      local value = string.format('%.0f', due * 8 + proven + (urgent and 3 or 2))
      redis.call('SET', key, value, 'PX', math.max(due + window - now, lasts))
      replies[i] = due - now
    else
      replies[i] = -4
    end
  end
end

if #trailing > 0 then redis.call('ZADD', KEYS[2], unpack(trailing)) end
if keep_budgets then keep_budgets() end
keep_clock()
if passes then
  for i = 1, devices do
    replies[devices + i] = passes[i]
  end
end
return replies
