-- Throws trailing pushes away, and lets their devices be as they were before those were scheduled: a wakeup that comes next
-- must not ride on a push that is not to come.
--
-- KEYS[1]  the region's clock
-- KEYS[2]  trailing pushes
-- KEYS[3…] state of the device of each, see device-state.ts
-- ARGV[1]  replaces Redis TIME unless empty, epoch ms
-- ARGV[2…] three per trailing push: its member; its due time, epoch ms; window of its device, ms
--
-- Returns how many of them were still there
local now = region_clock(KEYS[1], ARGV[1])
local thrown = 0
for i = 1, #KEYS - 2 do
  local member, due, window = ARGV[3 * i - 1], tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local device = KEYS[i + 2]
  if redis.call('ZREM', KEYS[2], member) == 1 then
    thrown = thrown + 1
    local state = tonumber(redis.call('GET', device) or '0')
    if state > 0 and state % 4 >= 2 and math.floor(state / 8) == due then
      local proven = state % 8 >= 4 and 4 or 0
      if proven > 0 then
        redis.call('SET', device, string.format('%.0f', math.max(0, due - window) * 8 + proven), 'KEEPTTL')
      elseif due > now then
        redis.call('SET', device, string.format('%.0f', (due - window) * 8), 'PX', due - now)
      else
        redis.call('DEL', device)
      end
    end
  end
end
return thrown
