-- Forgets the devices that were marked as dead first because of the push service.
--
-- KEYS[1]  marks that the push service caused; see dead-marks.lua
-- ARGV[1]  what the key of a device's state begins with
-- ARGV[2]  how many at most
--
-- Returns how many were still marked
local dropped = redis.call('ZPOPMIN', KEYS[1], ARGV[2])
local forgotten = 0
for i = 1, #dropped, 2 do
  local key = ARGV[1] .. dropped[i]
  local state = tonumber(redis.call('GET', key) or '0')
  if state < 0 and -state % 4 ~= 3 then forgotten = forgotten + redis.call('DEL', key) end
end
return forgotten
