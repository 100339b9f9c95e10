-- Looks whether the clock of Redis was set back, and if so takes the step off what expires by it: every TTL that was set
-- before is longer by the step, and a dead worker would be missed that much later.
--
-- KEYS  holders, BullMQ's list of active jobs, workers, tending
-- ARGV  what this script answered the last time or 0, the ms that have passed since at least, the least step in ms
-- Returns the time in ms.
-- Atomic, so that a TTL which is set after the step is not taken for one of before. What has been renewed since lives
-- no longer than the least step, or belongs to others, who renew it long before it lapses.

local PREFIX = string.match(KEYS[1], '^({[^}]*}:)')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local step = ARGV[1] + ARGV[2] - now
if ARGV[1] == '0' or step <= tonumber(ARGV[3]) then return now end

local function shorten(key)
  local left = redis.call('PTTL', key)
  if left > step then redis.call('PEXPIRE', key, left - step) end
end

local jobs = string.sub(KEYS[2], 1, -#':active' - 1)
for _, holder in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do shorten(PREFIX .. 'lease:' .. holder) end
for _, id in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do shorten(jobs .. ':' .. id .. ':lock') end
for _, worker in ipairs(redis.call('SMEMBERS', KEYS[3])) do shorten(PREFIX .. 'worker:' .. worker) end
shorten(jobs .. ':stalled-check')
shorten(KEYS[4])
return now
