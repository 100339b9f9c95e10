-- Renews a lease, if the claim is still whole.
--
-- KEYS  record:<holder>, node:<name> …
-- ARGV  value, lease TTL in ms
-- Returns the number of keys, or 0 when the lease, the record or an entry is gone: the claim is lost.
-- Atomic, because a record that is freed between the read and the renewal would look alive. PEXPIRE and not SET,
-- because it works also when Redis is full.

-- @include ./nodes.lua

local holder = string.sub(KEYS[1], #PREFIX + #'record:' + 1)
local record = redis.call('HMGET', KEYS[1], 'value', 'nodes')
if record[1] ~= ARGV[1] then return 0 end
if not holds_all(holder, read_nodes(record[2])) then return 0 end
if redis.call('PEXPIRE', PREFIX .. 'lease:' .. holder, ARGV[2]) == 0 then return 0 end
return #KEYS
