-- Which holders have not renewed their leases for long, or have none any more.
--
-- KEYS  holders, overdue
-- ARGV  how many ms a lease that is not overdue has left at least, how old in ms what somebody else has found may be
-- Returns {now, holder, value, until …}: Redis' clock at the look, and until when the lease is good by it, 0 when it is
--         gone.
-- One script, because a fleet's leases would else cost a round trip each.

-- @include ../redis/queue.lua

-- So many are looked through in less time than it takes to share what was found.
local SHARED_FROM = 100

-- Every worker looks: each at all would cost the square of a fleet.
local shared = redis.call('GET', KEYS[2])
if shared then
  local found = cjson.decode(shared)
  local age = NOW - found.reply[1]
  if found.left == ARGV[1] and age >= 0 and age < tonumber(ARGV[2]) then return found.reply end
end

local reply, left_at_least = { NOW }, tonumber(ARGV[1])
local holders = redis.call('ZRANGE', KEYS[1], 0, -1)
for _, holder in ipairs(holders) do
  local left = redis.call('PTTL', PREFIX .. 'lease:' .. holder)
  if left ~= -1 and left < left_at_least then
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
if #holders >= SHARED_FROM then
  -- A full Redis may refuse it: then the next one looks by itself.
  redis.pcall('SET', KEYS[2], cjson.encode({ left = ARGV[1], reply = reply }), 'PX', ARGV[2])
end
return reply
