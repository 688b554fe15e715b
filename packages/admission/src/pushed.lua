-- What is remembered of a device during a backlog. Put in front of the scripts that clear and settle its pushes.
--
-- Value: '<covers until> <covers urgent until> <accepted at> <cleared at>', epoch ms, 0 for never.
--   covers until: when the newest accepted push was cleared. It left later, so it serves what was received before.
--   covers urgent until: the same of the newest urgent one. Another may be sent as a background push, which Apple may
--   never deliver.
--   accepted at: when the push service was known to have it. From then on the window counts: the push may have waited for a
--   connection in the hand of its worker, for longer than a window.
--   cleared at: somebody has a clearance since then and has not settled it.

local function read_pushed(value)
  local a, b, c, d = string.match(value or '', '^(%d+) (%d+) (%d+) (%d+)$')
  return tonumber(a) or 0, tonumber(b) or 0, tonumber(c) or 0, tonumber(d) or 0
end

local function write_pushed(covers_until, covers_urgent_until, accepted_at, cleared_at)
  return string.format('%.0f %.0f %.0f %.0f', covers_until, covers_urgent_until, accepted_at, cleared_at)
end

-- Redis TIME, which `injected` replaces unless it is empty, or the caller's time if that is earlier. Not the region's
-- clock: times received are told by the ingresses' clocks, and a region's clock that has once been led astray stays
-- ahead of them for good.
local function earliest_time(injected, callers)
  local redis_time = tonumber(injected)
  if not redis_time then
    local t = redis.call('TIME')
    redis_time = t[1] * 1000 + math.floor(t[2] / 1000)
  end
  return math.min(redis_time, tonumber(callers))
end
