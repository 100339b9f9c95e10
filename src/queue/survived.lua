-- A run whose worker was taken for dead reports that it was only stopped: it is not counted as a crash.
--
-- KEYS  task:<id>
-- ARGV  the run's number
-- Returns 1 if it had been counted, else 0.
-- Atomic, because another run may be counted at the same moment.

if redis.call('HGET', KEYS[1], 'crashedRun') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'crashedRun')
redis.call('HINCRBY', KEYS[1], 'crashes', -1)
return 1
