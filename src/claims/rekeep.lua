-- Puts a claim back that was kept until a merge in a Redis that was lost: its paths are claimed again, without a lease.
-- What others hold by now stays theirs: both are counted, and the paths are free again when both have ended.
--
-- KEYS  record:<holder>
-- ARGV  the record's fields as JSON
-- Returns 1, or 0 when there is such a holder already.
-- Atomic, because a record without its entries could never be released.

-- @include ../waiting/line.lua

if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local holder = string.sub(KEYS[1], #PREFIX + #'record:' + 1)
local fields = cjson.decode(ARGV[1])
local nodes = read_nodes(fields.nodes)
add_holder(holder, nodes)
change_merged(nodes, 1)
for field, value in pairs(fields) do redis.call('HSET', KEYS[1], field, value) end
redis.call('ZADD', PREFIX .. 'merged', fields.since, holder)
return 1
