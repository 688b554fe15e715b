-- Since when the oldest batch has been in the queue, whatever its state, and the oldest of those that nobody has tried.
-- Batches stand in `since` by the time they came, and in `since-again` once they were put off. A worker of an older version
-- does not take them out: whatever has no job any more is taken out here.
--
-- KEYS[1]  since     KEYS[2]  since-again
-- ARGV[1]  prefix of the keys of jobs
--
-- Returns two times, epoch ms: of the oldest batch; of the oldest that waits for its first try. Empty texts: there is none
local prefix = ARGV[1]
local oldest, waiting = false, false

-- As many as workers have in hand at once, so that a waiting one behind them is found.
local STEP, MOST = 64, 1024

local function look(key, find_waiting)
  local from, found = 0, false
  for _ = 1, MOST / STEP do
    local page = redis.call('ZRANGE', key, from, from + STEP - 1, 'WITHSCORES')
    if #page == 0 then return found end
    for i = 1, #page, 2 do
      local id, since = page[i], page[i + 1]
      if redis.call('EXISTS', prefix .. id) == 0 then
        redis.call('ZREM', key, id)
      else
        found = found or since
        if not find_waiting then return found end
        if redis.call('EXISTS', prefix .. id .. ':lock') == 0 then
          waiting = since
          return found
        end
        from = from + 1
      end
    end
  end
  return found
end

oldest = look(KEYS[1], true)
local again = look(KEYS[2], false)
if again and (not oldest or tonumber(again) < tonumber(oldest)) then oldest = again end
return { oldest or '', waiting or '' }
