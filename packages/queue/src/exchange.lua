-- A worker's way through the queue in one call: batches that are settled leave it, and waiting ones are taken. Does to
-- BullMQ's keys what its scripts moveToFinished (with removeOnComplete) and moveToActive do, less its events, which
-- nobody here reads; queue-contract.redis.test.ts holds it against BullMQ.
--
-- KEYS[1]  waiting            KEYS[2]  active       KEYS[3]  waiting, with priority
-- KEYS[4]  delayed            KEYS[5]  meta         KEYS[6]  counter of priorities
-- KEYS[7]  marker             KEYS[8]  suspected of being stalled
-- ARGV[1]  prefix of the keys of jobs
-- ARGV[2]  now, epoch ms
-- ARGV[3]  lock of the jobs taken now: token
-- ARGV[4]  its life, ms
-- ARGV[5]  how many to take at most
-- ARGV[6…] two per settled job: its id; token of its lock
--
-- Returns the ids of settled jobs that somebody else has in hand; for each job taken: id, data, number of stalls; and, if
-- no more can be taken now, when the first of the delayed is due, epoch ms, 0 without any
local waiting, active, prioritized, delayed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local marker, stalled = KEYS[7], KEYS[8]
local prefix, now = ARGV[1], tonumber(ARGV[2])
local lost, taken = {}, {}

for i = 6, #ARGV, 2 do
  local id, job = ARGV[i], prefix .. ARGV[i]
  local lock = job .. ':lock'
  local owner = redis.call('GET', lock)
  if owner and owner ~= ARGV[i + 1] then
    lost[#lost + 1] = id
  else
    -- Without a lock it may have been put back in front of all, even tried and put off by another: it is done all the
    -- same. If it is nowhere, this call is the repetition of one whose answer was lost.
    if redis.call('LREM', active, -1, id) == 0 and redis.call('EXISTS', job) == 1 then
      redis.call('LREM', waiting, -1, id)
      redis.call('ZREM', prioritized, id)
      redis.call('ZREM', delayed, id)
    end
    redis.call('DEL', job, lock)
    if redis.call('ZREM', prefix .. 'since', id) == 0 then redis.call('ZREM', prefix .. 'since-again', id) end
    redis.call('SREM', stalled, id)
  end
end

local function promote()
  local due = redis.call('ZRANGEBYSCORE', delayed, 0, (now + 1) * 0x1000 - 1, 'LIMIT', 0, 1000)
  if #due == 0 then return end
  redis.call('ZREM', delayed, unpack(due))
  for _, id in ipairs(due) do
    local priority = tonumber(redis.call('HGET', prefix .. id, 'priority')) or 0
    if priority == 0 then
      redis.call('LPUSH', waiting, id)
    else
      local count = redis.call('INCR', KEYS[6])
      redis.call('ZADD', prioritized, priority * 0x100000000 + count % 0x100000000, id)
    end
    redis.call('HSET', prefix .. id, 'delay', 0)
  end
end

local function next_due()
  local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
  return first and math.floor(tonumber(first) / 0x1000) or 0
end

local function next_id()
  local id = redis.call('RPOPLPUSH', waiting, active)
  if id then return id end
  id = redis.call('ZPOPMIN', prioritized)[1]
  if id then redis.call('LPUSH', active, id) end
  return id
end

local most = tonumber(ARGV[5])
if most == 0 then return { lost, taken } end
promote()
if redis.call('HEXISTS', KEYS[5], 'paused') == 1 then return { lost, taken, next_due() } end

while #taken < 3 * most do
  local id = next_id()
  if not id then
    redis.call('DEL', KEYS[6])
    return { lost, taken, next_due() }
  end
  local fields = redis.call('HMGET', prefix .. id, 'data', 'stc')
  if fields[1] then
    redis.call('SET', prefix .. id .. ':lock', ARGV[3], 'PX', ARGV[4])
    taken[#taken + 1] = id
    taken[#taken + 1] = fields[1]
    taken[#taken + 1] = fields[2] or '0'
  else
    redis.call('LREM', active, 1, id)
    redis.call('DEL', prefix .. id)
  end
end

-- Somebody else may have hands free.
if redis.call('EXISTS', waiting, prioritized) > 0 then redis.call('ZADD', marker, 0, '0') end
return { lost, taken }
