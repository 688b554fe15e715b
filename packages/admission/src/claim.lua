-- Takes trailing pushes that are due, under a lease: they stay in the ZSET with the end of the lease as their new
-- score, so that a claimer that dies loses nothing. The claimer removes them once they are in the queue.
--
-- KEYS[1]  the region's clock
-- KEYS[2]  trailing pushes
-- ARGV[1]  replaces Redis TIME unless empty, epoch ms
-- ARGV[2]  how many at most
-- ARGV[3]  lease, ms
--
-- Returns the members, those due first in front; and, if none is due, in how many ms the first will be, as far as any waits
local now, keep_clock = region_clock(KEYS[1], ARGV[1])
local members = redis.call('ZRANGE', KEYS[2], '-inf', string.format('%.0f', now), 'BYSCORE', 'LIMIT', 0, ARGV[2])
if #members == 0 then
  -- Whoever waits here waits for the region's clock: what passed of it must survive a step back of Redis' own.
  local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  if #first == 0 then return { members } end
  keep_clock()
  return { members, tonumber(first[2]) - now }
end

local lease = string.format('%.0f', now + tonumber(ARGV[3]))
local leased = {}
for i = 1, #members do
  leased[2 * i - 1], leased[2 * i] = lease, members[i]
end
redis.call('ZADD', KEYS[2], 'XX', unpack(leased))
keep_clock()
return { members }
