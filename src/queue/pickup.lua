-- A worker has taken a task's job: counts this pick-up, which makes every earlier one stale, and returns the record.
--
-- KEYS  task:<id>
-- Returns {'missing'}, {'ended'} or {'ok', field, value …}.
-- Atomic, because two workers may pick up the same task after a stall.

if redis.call('EXISTS', KEYS[1]) == 0 then return { 'missing' } end
if redis.call('HEXISTS', KEYS[1], 'terminal') == 1 then return { 'ended' } end
redis.call('HINCRBY', KEYS[1], 'pickup', 1)
local reply = redis.call('HGETALL', KEYS[1])
table.insert(reply, 1, 'ok')
return reply
