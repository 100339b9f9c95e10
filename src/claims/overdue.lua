-- Which holders have not renewed their leases for long, or have none any more.
--
-- KEYS  holders
-- ARGV  how many ms a lease that is not overdue has left at least
-- Returns {now, holder, value, until …}: Redis' clock, and until when the lease is good by it, 0 when it is gone.
-- One script, because a fleet's leases would else cost a round trip each.

-- @include ../redis/queue.lua

local reply = { NOW }
for _, holder in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local left = redis.call('PTTL', PREFIX .. 'lease:' .. holder)
  if left ~= -1 and left < tonumber(ARGV[1]) then
    local value = redis.call('HGET', PREFIX .. 'record:' .. holder, 'value')
    if value then
      reply[#reply + 1] = holder
      reply[#reply + 1] = value
      reply[#reply + 1] = left < 0 and 0 or NOW + left
    else
      redis.call('ZREM', KEYS[1], holder)
    end
  end
end
return reply
