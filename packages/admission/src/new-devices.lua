-- Budgets for devices that never had a push. A budget is one number, the time at which it will be full again, like a
-- limit (limits.lua), but may be in debt. Mirrors new-devices.ts. Put in front of decide.lua and first-outcome.lua.
--
-- Value of a budget: time in µs of the region's clock.
-- Value of `n<device>`: '<key of the domain's budget> <its µs per token> <key of the other> <its µs per token> <tokens>'.

local FIRST_FEW, BONUS, PENALTY, MOST_DEBT = 20, 0.25, 2, 2

-- All times in µs. `interval`: µs per token, `burst`: tokens of a full budget; nil if it is not known.
local function budget_start(stored, now, interval, burst)
  local full_at = tonumber(stored or '0') or 0
  if burst and full_at > now + MOST_DEBT * burst * interval + 1000 then return now end
  return math.max(full_at, now)
end

local function keep_budget(key, full_at, now)
  if full_at <= now then
    redis.call('DEL', key)
  else
    redis.call('SET', key, string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
  end
end

-- Returns a function that takes a token for a push to a new device whose key is `device`, out of the budget under the key
-- `domain`, and says whether there was one; and a function that keeps what was taken.
-- `first`, `further`: keys of the budgets of all domains. `per_domain`, `in_all`: µs per token and tokens of each.
local function new_device_budgets(now, pools, per_domain, in_all, trial_lasts)
  now = now * 1000
  local froms, changed = {}, {}

  local function from_of(key, limit)
    froms[key] = froms[key] or budget_start(redis.call('GET', key), now, limit[1], limit[2])
    return froms[key]
  end
  local function has_token(from, limit)
    return now + limit[2] * limit[1] - from + 20 >= limit[1]
  end
  local function take(key, limit)
    froms[key] = froms[key] + limit[1]
    changed[key] = true
  end

  local function pay(device, domain)
    local from = from_of(domain, per_domain)
    if not has_token(from, per_domain) then return false end
    local is_among_first = from - now + 20 < FIRST_FEW * per_domain[1]
    for p = is_among_first and 1 or 2, 2 do
      local pool = pools[p]
      if has_token(from_of(pool, in_all), in_all) then
        take(domain, per_domain)
        take(pool, in_all)
        local trial = string.gsub(device, '}d', '}n', 1)
        local payer = string.format('%s %.3f %s %.3f ', domain, per_domain[1], pool, in_all[1])
        local before = redis.call('GET', trial)
        local paid = before and string.sub(before, 1, #payer) == payer and tonumber(string.sub(before, #payer + 1)) or 0
        redis.call('SET', trial, payer .. string.format('%.0f', paid + 1), 'PX', trial_lasts)
        return true
      end
    end
    return false
  end

  return pay, function()
    for key in pairs(changed) do
      keep_budget(key, froms[key], now)
    end
  end
end
