-- Renews a lease, if the claim is still whole.
--
-- KEYS  record:<holder>, node:<name> …
-- ARGV  value, lease TTL in ms
-- Returns the number of keys, or 0 when the lease, the record or an entry is gone: the claim is lost.
-- Atomic, because a record that is freed between the read and the renewal would look alive. PEXPIRE and not SET,
-- because it works also when Redis is full.

local PREFIX = string.match(KEYS[1], '^({[^}]*}:)')
local holder = string.sub(KEYS[1], #PREFIX + #'record:' + 1)

if redis.call('HGET', KEYS[1], 'value') ~= ARGV[1] then return 0 end
for i = 2, #KEYS do
  if redis.call('HEXISTS', KEYS[i], 'h:' .. holder) == 0 then return 0 end
end
if redis.call('PEXPIRE', PREFIX .. 'lease:' .. holder, ARGV[2]) == 0 then return 0 end
return #KEYS
