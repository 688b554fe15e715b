-- Puts a batch into the queue, unless one of its id is there. Does to BullMQ's keys what its script addStandardJob does,
-- less its events and its counter of ids.
--
-- KEYS[1]  waiting   KEYS[2]  meta   KEYS[3]  marker
-- ARGV[1]  prefix of the keys of jobs
-- ARGV[2]  id
-- ARGV[3]  name
-- ARGV[4]  now, epoch ms
-- ARGV[5]  data
-- ARGV[6]  1: before all that wait
--
-- Returns nothing; `since` (oldest.lua) has the time of each batch.
local job = ARGV[1] .. ARGV[2]
if redis.call('EXISTS', job) == 1 then return end
local fields = { 'name', ARGV[3], 'data', ARGV[5], 'opts', '{}', 'timestamp', ARGV[4] }
redis.call('HSET', job, 'delay', 0, 'priority', 0, unpack(fields))
redis.call('ZADD', ARGV[1] .. 'since', ARGV[4], ARGV[2])
redis.call(ARGV[6] == '1' and 'RPUSH' or 'LPUSH', KEYS[1], ARGV[2])
if redis.call('HEXISTS', KEYS[2], 'paused') == 0 then redis.call('ZADD', KEYS[3], 0, '0') end
