-- Frees all that a record holds and serves the line. A fragment, included by the scripts that end a claim.

-- @include ../waiting/line.lua

-- Those whose growth waits look again whether what they want is free; `holder` waits no more.
local function tell_growing(holder)
  for _, other in ipairs(redis.call('ZRANGE', PREFIX .. 'growing', 0, -1)) do
    if other == holder then
      redis.call('ZREM', PREFIX .. 'growing', holder)
    else
      redis.call('PUBLISH', PREFIX .. 'wake', other)
    end
  end
end

local function free(holder, keep_after)
  local key = PREFIX .. 'record:' .. holder
  local record = redis.call('HMGET', key, 'nodes', 'kind')
  local nodes = read_nodes(record[1])
  drop_holder(holder, nodes)
  if record[2] == 'merged' then
    change_merged(nodes, -1)
    redis.call('ZREM', PREFIX .. 'merged', holder)
  end
  redis.call('DEL', key, PREFIX .. 'lease:' .. holder)
  redis.call('ZREM', PREFIX .. 'holders', holder)
  tell_growing(holder)
  return serve(nodes, keep_after)
end
