-- Which holders have no lease now.
--
-- KEYS  holders
-- Returns {holder, value, holder, value …}.
-- One script, because a fleet's leases would else cost a round trip each.

local PREFIX = string.match(KEYS[1], '^({[^}]*}:)')
local lapsed = {}
for _, holder in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if redis.call('EXISTS', PREFIX .. 'lease:' .. holder) == 0 then
    local value = redis.call('HGET', PREFIX .. 'record:' .. holder, 'value')
    if value then
      lapsed[#lapsed + 1] = holder
      lapsed[#lapsed + 1] = value
    else
      redis.call('ZREM', KEYS[1], holder)
    end
  end
end
return lapsed
