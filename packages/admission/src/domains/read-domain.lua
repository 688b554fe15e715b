-- What the region has counted of one sending domain. Behind ../clock.lua; writes nothing.
--
-- KEYS: clock, counted domains, counting, counts of the domain; see count-domains.lua
-- ARGV: Redis TIME in epoch ms or '', the domain's hash, most domains
-- Returns: 0 if there is no room for the domain, else 1; since when all its publishes are counted, in epoch ms; then
--   letter and publishes of the last hour, for each slice.
local SLICE, SLICES = 300000, 12

local now = region_clock(KEYS[1], ARGV[1])
local oldest = math.floor(now / SLICE) - SLICES + 1
local counting = redis.call('HMGET', KEYS[3], 'since', 'partial')
local known = redis.call('ZSCORE', KEYS[2], ARGV[2])
if known and tonumber(known) < oldest then known = false end
if not known and redis.call('ZCOUNT', KEYS[2], oldest, '+inf') >= tonumber(ARGV[3]) then return { 0, 0 } end

local fields = known and redis.call('HGETALL', KEYS[4]) or {}
local since = tonumber(counting[1] or now)
local found = {}
for f = 1, #fields, 2 do
  local slice, letter = string.match(fields[f], '^(%d+)(%l)$')
  if fields[f] == 'since' then
    since = tonumber(fields[f + 1])
  elseif slice and tonumber(slice) >= oldest then
    found[#found + 1] = letter
    found[#found + 1] = tonumber(fields[f + 1])
  end
end
since = math.max(since, tonumber(counting[2] or 0), oldest * SLICE)
return { 1, since, unpack(found) }
