-- The region's clock: Redis TIME that never steps back. Put in front of each script that looks at time.
--
-- A failover can bring a Redis whose host's clock is behind. States and due times written before it would then
-- lie in the future, and a device could be told to wait for a push that has left already. So the newest time
-- ever written is kept, and time goes on from there at its usual pace.
--
-- Value: '<region time> <Redis time>' of the last writing script, both in epoch ms.

-- Returns the region's time, and a function that keeps it: to be called if the script writes anything because of it.
-- `injected` replaces Redis TIME unless it is empty.
local function region_clock(key, injected)
  local redis_time
  if injected ~= '' then
    redis_time = tonumber(injected)
  else
    local t = redis.call('TIME')
    redis_time = t[1] * 1000 + math.floor(t[2] / 1000)
  end

  local now = redis_time
  local kept = redis.call('GET', key)
  if kept then
    local region_time, at = string.match(kept, '^(%d+) (%d+)$')
    if at then
      region_time, at = tonumber(region_time), tonumber(at)
      now = math.max(redis_time, region_time + math.max(0, redis_time - at))
    end
  end

  return now, function()
    redis.call('SET', key, string.format('%.0f %.0f', now, redis_time))
  end
end
