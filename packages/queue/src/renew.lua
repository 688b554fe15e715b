-- Renews the locks of the batches a worker has in hand. One that ran out while Redis was away is taken anew, as long as
-- nobody has put its job back.
--
-- KEYS[1]  active jobs
-- KEYS[2]  those suspected of being stalled
-- ARGV[1]  prefix of the keys of jobs
-- ARGV[2]  life of a lock, ms
-- ARGV[3…] two per job: id; token of its lock
--
-- Returns nothing
for i = 3, #ARGV, 2 do
  local id, token = ARGV[i], ARGV[i + 1]
  local lock = ARGV[1] .. id .. ':lock'
  local owner = redis.call('GET', lock)
  if owner == token or (not owner and redis.call('LPOS', KEYS[1], id)) then
    redis.call('SET', lock, token, 'PX', ARGV[2])
    redis.call('SREM', KEYS[2], id)
  end
end
