-- Looks at the trailing pushes, and changes nothing.
--
-- KEYS[1]  the region's clock
-- KEYS[2]  trailing pushes
-- ARGV[1]  replaces Redis TIME unless empty, epoch ms
-- ARGV[2]  how long after its due time a push is overdue, ms
--
-- Returns how many wait, how many of them are overdue, and the time until the first one is due, ms; negative if it was
local waiting = redis.call('ZCARD', KEYS[2])
if waiting == 0 then return { 0, 0, 0 } end
local now = region_clock(KEYS[1], ARGV[1])
local overdue = redis.call('ZCOUNT', KEYS[2], '-inf', string.format('(%.0f', now - tonumber(ARGV[2])))
local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
return { waiting, overdue, tonumber(first[2]) - now }
