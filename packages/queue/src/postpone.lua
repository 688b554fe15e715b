-- What is left of a batch is tried again later: the job keeps one group of its wakeups, the others become jobs of their
-- own. Does to BullMQ's keys what its scripts moveToDelayed and addDelayedJob do, less its events.
--
-- KEYS[1]  waiting     KEYS[2]  active     KEYS[3]  waiting, with priority
-- KEYS[4]  delayed     KEYS[5]  marker     KEYS[6]  suspected of being stalled
-- ARGV[1]  prefix of the keys of jobs
-- ARGV[2]  now, epoch ms
-- ARGV[3]  token of the job's lock
-- ARGV[4]  name of new jobs
-- ARGV[5]  priority of jobs that are tried again
-- ARGV[6…] three per group, the job's own first: id of its job; delay, ms; data
--
-- Returns 1, or 0 if somebody else has the job in hand
local waiting, active, prioritized, delayed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local prefix, now, own = ARGV[1], tonumber(ARGV[2]), ARGV[6]
local lock = prefix .. own .. ':lock'
local owner = redis.call('GET', lock)
if owner and owner ~= ARGV[3] then return 0 end

-- Without a lock it may have been put back in front of all. If it is nowhere, this call is the repetition of one whose
-- answer was lost.
local found = redis.call('LREM', active, -1, own)
if found == 0 then found = redis.call('LREM', waiting, -1, own) + redis.call('ZREM', prioritized, own) end
if found == 0 then return 1 end
redis.call('DEL', lock)
redis.call('SREM', KEYS[6], own)

-- What is left of a batch is as old as the batch.
local since = redis.call('ZSCORE', prefix .. 'since', own) or redis.call('ZSCORE', prefix .. 'since-again', own) or ARGV[2]
redis.call('ZREM', prefix .. 'since', own)

for i = 6, #ARGV, 3 do
  local id, delay, data = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local job = prefix .. id
  redis.call('ZADD', prefix .. 'since-again', since, id)
  if i == 6 then
    redis.call('HSET', job, 'data', data, 'delay', delay, 'priority', ARGV[5])
    -- What is left of it was tried to the end.
    redis.call('HDEL', job, 'stc')
  else
    local fields = { 'name', ARGV[4], 'data', data, 'opts', '{}', 'timestamp', ARGV[2] }
    redis.call('HSET', job, 'delay', delay, 'priority', ARGV[5], unpack(fields))
  end
  -- BullMQ keeps twelve bits of the score for the order of jobs that are due in the same millisecond.
  redis.call('ZADD', delayed, string.format('%.0f', (now + tonumber(delay)) * 0x1000), id)
end
local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
redis.call('ZADD', KEYS[5], string.format('%.0f', math.floor(tonumber(first[2]) / 0x1000)), '1')
return 1
