-- Lets a claim's paths outlive its run: they stay claimed, without a lease, until they are released by name. The rest
-- of the claim is given back.
--
-- KEYS  record:<holder>
-- ARGV  value, keepAfterMs, what is to be merged, as JSON for whoever watches for it
-- Returns {1, granted …}, or {0} when this value holds nothing.
-- Atomic, because what is freed and who waits for it must not come apart.

-- @include ./free.lua

local record = redis.call('HMGET', KEYS[1], 'value', 'nodes', 'task', 'exempt')
if record[1] ~= ARGV[1] then return { 0 } end
local holder = string.sub(KEYS[1], #PREFIX + #'record:' + 1)
local kept, freed = {}, {}
for _, node in ipairs(read_nodes(record[2])) do
  local goes = node[2] == 'slot' or is_branch(node[1])
  local list = goes and freed or kept
  list[#list + 1] = node
end
-- The first write is a removal, which a full Redis lets through.
redis.call('HDEL', KEYS[1], '')
drop_holder(holder, freed)
change_merged(kept, 1)
local prefix, branch = unpack(cjson.decode(record[4]))
redis.call('HSET', KEYS[1], 'kind', 'merged', 'nodes', write_nodes(kept), 'branch', prefix .. branch,
  'merge', ARGV[3])
redis.call('DEL', PREFIX .. 'lease:' .. holder)
redis.call('ZREM', PREFIX .. 'holders', holder)
redis.call('ZADD', PREFIX .. 'merged', NOW, holder)
if record[3] and record[3] ~= '' then redis.call('HDEL', PREFIX .. 'task:' .. record[3], 'open') end
tell_growing(holder)
return with_count(1, serve(freed, tonumber(ARGV[2])))
