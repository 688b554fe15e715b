-- How many devices are marked as dead is bounded: strangers can make up tokens, and a mark lasts for days. Put in front of the
-- scripts that mark devices.
--
-- The ZSET `marks` has the marks that the push service caused: score = when, epoch ms; member = the device's key without
-- the region's hash tag and its letter. It may have members whose mark is gone; those go with age, like the others.

-- A device is marked now, for `lasts` ms. Beyond `most` the oldest marks are dropped: the push service is asked about those
-- devices again.
local function note_dead(marks, device, now, lasts, most)
  local tag, name = string.match(device, '^(.-})d(.+)$')
  redis.call('ZADD', marks, string.format('%.0f', now), name)
  redis.call('ZREMRANGEBYSCORE', marks, '-inf', string.format('(%.0f', now - lasts))
  redis.call('PEXPIRE', marks, lasts)
  local beyond = redis.call('ZCARD', marks) - most
  if beyond <= 0 then return end
  -- A bound that was lowered is reached step by step.
  local dropped = redis.call('ZPOPMIN', marks, math.min(beyond, 100))
  for i = 1, #dropped, 2 do
    local key = tag .. 'd' .. dropped[i]
    -- An operator's block (reason 3) is no mark of the push service's.
    local state = tonumber(redis.call('GET', key) or '0')
    if state < 0 and -state % 4 ~= 3 then redis.call('DEL', key) end
  end
end
