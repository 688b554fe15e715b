-- Throws some batches away that no worker has in hand, the oldest first. Does to BullMQ's keys what its script drain does to
-- all of them at once.
--
-- KEYS[1]  waiting     KEYS[2]  waiting, with priority     KEYS[3]  delayed
-- ARGV[1]  prefix of the keys of jobs
-- ARGV[2]  how many at most
--
-- Returns how many there were
local function pop_lowest(key, most)
  local popped = redis.call('ZPOPMIN', key, most)
  local ids = {}
  for i = 1, #popped, 2 do ids[#ids + 1] = popped[i] end
  return ids
end

local thrown, most = 0, tonumber(ARGV[2])
for place = 1, 3 do
  local ids = {}
  if thrown < most then
    local wanted = most - thrown
    ids = place == 1 and (redis.call('RPOP', KEYS[1], wanted) or {}) or pop_lowest(KEYS[place], wanted)
  end
  for i = 1, #ids do redis.call('UNLINK', ARGV[1] .. ids[i]) end
  if #ids > 0 then
    redis.call('ZREM', ARGV[1] .. 'since', unpack(ids))
    redis.call('ZREM', ARGV[1] .. 'since-again', unpack(ids))
  end
  thrown = thrown + #ids
end
return thrown
