-- Ends a claim that was kept for a merge.
--
-- KEYS  record:<holder>
-- ARGV  keepAfterMs
-- Returns {1, granted …}, or {0} when there is no such claim.
-- Atomic, because nobody may slip in between what is freed and who waits for it.

-- @include ./free.lua

if redis.call('HGET', KEYS[1], 'kind') ~= 'merged' then return { 0 } end
return with_count(1, free(string.sub(KEYS[1], #PREFIX + #'record:' + 1), tonumber(ARGV[1])))
