-- Takes a claim off a lock server. The ids of holders are never used again, so nobody else's can be meant.
--
-- KEYS  lock-lease:<holder>
-- ARGV  value (redlock's), nodes as JSON: [[name, mode] …]
-- Returns 1.
-- Atomic, so that nobody meets half of a claim.

-- @include ./nodes.lua

local holder = string.sub(KEYS[1], #PREFIX + #'lock-lease:' + 1)
for _, node in ipairs(cjson.decode(ARGV[2])) do
  redis.call('HDEL', PREFIX .. 'lock:' .. node[1], holder)
end
redis.call('DEL', KEYS[1])
return 1
