-- The push service has accepted or refused the first push to a device. An accepted one makes the device proven, and gives the
-- tokens back that it cost the budgets; a refused one costs the domain more. Mirrors refundAccepted() and chargeRefused()
-- in new-devices.ts.
--
-- KEYS[1]  the region's clock
-- KEYS[2]  state of the device, see device-state.ts
-- KEYS[3]  which budgets paid, see new-devices.lua
-- ARGV[1]  replaces Redis TIME unless empty, epoch ms
-- ARGV[2]  1 accepted, 0 refused
-- ARGV[3]  how long a proven device is remembered, ms
-- ARGV[4]  tokens of a domain's full budget
--
-- Returns nothing
local now, keep_clock = region_clock(KEYS[1], ARGV[1])
local is_accepted = ARGV[2] == '1'
if is_accepted then
  local state = tonumber(redis.call('GET', KEYS[2]) or '0')
  if state >= 0 and state % 8 < 4 then
    redis.call('SET', KEYS[2], string.format('%.0f', state + 4), 'PX', ARGV[3])
  end
end

local trial = redis.call('GET', KEYS[3])
if not trial then return end
redis.call('DEL', KEYS[3])
keep_clock()
now = now * 1000
local domain, interval, pool, pool_interval, paid = string.match(trial, '^(%S+) (%S+) (%S+) (%S+) (%d+)$')
if not domain then return end

local function refund(key, per_token)
  local from = budget_start(redis.call('GET', key), now)
  keep_budget(key, from - (tonumber(paid) + BONUS) * tonumber(per_token), now)
end

if is_accepted then
  refund(domain, interval)
  refund(pool, pool_interval)
else
  local per_token, burst = tonumber(interval), tonumber(ARGV[4])
  local from = budget_start(redis.call('GET', domain), now, per_token, burst)
  keep_budget(domain, math.min(from + PENALTY * per_token, now + MOST_DEBT * burst * per_token), now)
end
