-- A worker has taken a task's job, and will not ask for its claim: counts this pick-up, which makes every earlier one
-- stale.
--
-- KEYS  task:<id>
-- Returns 'missing', 'ended' or 'ok'.
-- Atomic, because two workers may pick up the same task after a stall.

if redis.call('EXISTS', KEYS[1]) == 0 then return 'missing' end
if redis.call('HEXISTS', KEYS[1], 'terminal') == 1 then return 'ended' end
redis.call('HINCRBY', KEYS[1], 'pickup', 1)
return 'ok'
