-- Token buckets of sending domains. A bucket is one number, the time at which it will be full (GCRA), and is gone by
-- then. Mirrors draw() in domains/domain-limit.ts. Put in front of decide.lua.
--
-- Value: time in µs of the region's clock.

-- Takes tokens from `count` buckets, KEYS[first_key…], for `entries` that stand in ARGV[first_arg…] as two numbers each:
-- which bucket (0 for none), how many wakeups. Behind them two per bucket: µs per token, tokens when full.
-- Returns how many wakeups of each entry pass.
local function draw_tokens(now, first_key, count, first_arg, entries)
  local stored = redis.call('MGET', unpack(KEYS, first_key, first_key + count - 1))
  local interval, from, left, taken = {}, {}, {}, {}
  for b = 1, count do
    local at = first_arg + 2 * entries + 2 * (b - 1)
    local burst = tonumber(ARGV[at + 1])
    interval[b] = tonumber(ARGV[at])
    local empty_at = now * 1000 + burst * interval[b]
    -- A time that lies further ahead was written by a Redis whose clock was wrong.
    local full_at = tonumber(stored[b] or '0')
    if full_at > empty_at + 1000 then full_at = 0 end
    from[b] = math.min(math.max(full_at, now * 1000), empty_at)
    left[b] = math.floor((empty_at - from[b] + 20) / interval[b])
    taken[b] = 0
  end

  local passes = {}
  for i = 1, entries do
    local b, wanted = tonumber(ARGV[first_arg + 2 * (i - 1)]), tonumber(ARGV[first_arg + 2 * i - 1])
    if b == 0 then
      passes[i] = wanted
    else
      passes[i] = math.min(wanted, left[b])
      left[b] = left[b] - passes[i]
      taken[b] = taken[b] + passes[i]
    end
  end

  for b = 1, count do
    if taken[b] > 0 then
      local full_at = from[b] + taken[b] * interval[b]
      local key = KEYS[first_key + b - 1]
      redis.call('SET', key, string.format('%.0f', full_at), 'PX', math.ceil((full_at - now * 1000) / 1000))
    end
  end
  return passes
end
