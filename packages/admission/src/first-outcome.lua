-- The push service has accepted or refused the first pushes to some devices. An accepted one makes its device proven, and gives the
-- tokens back that it cost the budgets; a refused one costs the domain more. Mirrors refundAccepted() and chargeRefused()
-- in new-devices.ts.
--
-- KEYS[1]  the region's clock
-- KEYS[2…] two per device: its state, see device-state.ts; which budgets paid, see new-devices.lua
-- ARGV[1]  replaces Redis TIME unless empty, epoch ms
-- ARGV[2]  1 accepted, 0 refused
-- ARGV[3]  how long a proven device is remembered, ms
-- ARGV[4]  tokens of a domain's full budget
--
-- Returns nothing
local now, keep_clock = region_clock(KEYS[1], ARGV[1])
local micros = now * 1000
local is_accepted = ARGV[2] == '1'
local is_charged = false

local function refund(key, per_token, paid)
  local from = budget_start(redis.call('GET', key), micros)
  keep_budget(key, from - (tonumber(paid) + BONUS) * tonumber(per_token), micros)
end

for i = 2, #KEYS, 2 do
  if is_accepted then
    local state = tonumber(redis.call('GET', KEYS[i]) or '0')
    if state >= 0 and state % 8 < 4 then
      redis.call('SET', KEYS[i], string.format('%.0f', state + 4), 'PX', ARGV[3])
    end
  end

  local trial = redis.call('GET', KEYS[i + 1])
  if trial then
    redis.call('DEL', KEYS[i + 1])
    is_charged = true
    local domain, interval, pool, pool_interval, paid = string.match(trial, '^(%S+) (%S+) (%S+) (%S+) (%d+)$')
    if domain and is_accepted then
      refund(domain, interval, paid)
      refund(pool, pool_interval, paid)
    elseif domain then
      local per_token, burst = tonumber(interval), tonumber(ARGV[4])
      local from = budget_start(redis.call('GET', domain), micros, per_token, burst)
      keep_budget(domain, math.min(from + PENALTY * per_token, micros + MOST_DEBT * burst * per_token), micros)
    end
  end
end

if is_charged then keep_clock() end
