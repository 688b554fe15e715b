-- Adds what one process has counted of sending domains to what the region has counted. Behind ../clock.lua.
--
-- KEYS: clock, counted domains (ZSET: member = a domain's hash, score = slice of its last publish), counting (HASH),
--   number of the last batch of the process, then the counts of each domain (HASH: '<slice><letter>' = publishes;
--   'slice' = the newest of them; 'since' = all publishes stand here since, epoch ms)
-- ARGV: Redis TIME in epoch ms or '', number of this batch, how long ago its time began and ended in ms, '1' if counts are
--   missing, most domains, then for each domain: its hash, how many counts, and letter and publishes of each
-- Returns 1, or 0 if this batch was written before.
--
-- A domain for which there is no room is not counted, and `counting` says so: since that time not all are.
local SLICE, SLICES, HOUR, DAY = 300000, 12, 3600000, 86400000

local now, keep_clock = region_clock(KEYS[1], ARGV[1])
local number, begun, ended, partial, most =
  tonumber(ARGV[2]), now - tonumber(ARGV[3]), now - tonumber(ARGV[4]), ARGV[5] == '1', tonumber(ARGV[6])
if number <= tonumber(redis.call('GET', KEYS[4]) or '0') then return 0 end
redis.call('SET', KEYS[4], number, 'PX', HOUR)
keep_clock()

local slice, oldest = math.floor(ended / SLICE), math.floor(now / SLICE) - SLICES + 1

local function text(time) return string.format('%.0f', time) end

-- Forgets the slices that are too old, when the first publish of a new one comes.
local function turn(key)
  local newest = tonumber(redis.call('HGET', key, 'slice') or '0')
  if slice <= newest then return end
  redis.call('HSET', key, 'slice', slice)
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local of = tonumber(string.match(field, '^(%d+)%l$') or '')
    if of and of < oldest then redis.call('HDEL', key, field) end
  end
end

redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', oldest - 1)
redis.call('HSETNX', KEYS[3], 'since', text(begun))
if partial then redis.call('HSET', KEYS[3], 'since', text(now), 'partial', text(now)) end

local room = most - redis.call('ZCARD', KEYS[2])
local at = 7
for k = 5, #KEYS do
  local key, domain, counts = KEYS[k], ARGV[at], tonumber(ARGV[at + 1])
  local known = redis.call('ZSCORE', KEYS[2], domain)
  if not known and room > 0 then
    redis.call('HSET', key, 'since', redis.call('HGET', KEYS[3], 'since'))
    room = room - 1
    known = '0'
  elseif not known then
    redis.call('HSET', KEYS[3], 'since', text(now))
  end
  if known then
    turn(key)
    for c = 1, counts do
      redis.call('HINCRBY', key, slice .. ARGV[at + 2 * c], ARGV[at + 2 * c + 1])
    end
    redis.call('PEXPIRE', key, HOUR)
    redis.call('ZADD', KEYS[2], math.max(slice, tonumber(known)), domain)
  end
  at = at + 2 + 2 * counts
end
redis.call('PEXPIRE', KEYS[2], HOUR)
redis.call('PEXPIRE', KEYS[3], DAY)
return 1
