-- The jobs of tasks, moved in the very step that decides it, as BullMQ's own scripts `promote` and `moveToDelayed` do.
-- The only Lua that knows BullMQ's keys; a test compares it with the installed BullMQ. A fragment, included by the others.

-- @include ../redis/queue.lua

local BULL = PREFIX .. 'tasks:'
-- What BullMQ multiplies a time with in the scores of `delayed`, and a priority in those of `prioritized`.
local PER_MS = 0x1000
local PER_PRIORITY = 0x100000000
-- A worker that found nothing asks again after 5 s at the latest: only what is due before must be told to it.
local TOLD_WITHIN_MS = 10000

-- Wakes an idle worker, unless none may take a job now.
local function wake_worker()
  local meta = redis.call('HMGET', BULL .. 'meta', 'paused', 'concurrency')
  if meta[1] then return end
  if meta[2] and redis.call('LLEN', BULL .. 'active') >= tonumber(meta[2]) then return end
  redis.call('ZADD', BULL .. 'marker', 0, '0')
end

-- Lets a parked job be taken now. Nothing happens to one that is not parked.
local function promote_job(id)
  if redis.call('ZREM', BULL .. 'delayed', id) == 0 then return end
  local key = BULL .. id
  local priority = tonumber(redis.call('HGET', key, 'priority')) or 0
  local score = priority * PER_PRIORITY + redis.call('INCR', BULL .. 'pc') % PER_PRIORITY
  redis.call('ZADD', BULL .. 'prioritized', score, id)
  redis.call('HSET', key, 'delay', 0)
  redis.call('XADD', BULL .. 'events', '*', 'event', 'waiting', 'jobId', id, 'prev', 'delayed')
  wake_worker()
end

-- Whether a worker still has the job that it has taken: it may have hung for so long that its lock on it is gone, and
-- another worker has the job.
local function has_job(id, token) return redis.call('GET', BULL .. id .. ':lock') == token end

-- Puts a job that a worker has taken to sleep until some time. Nothing happens to one that the worker has no more.
local function park_job(id, token, until_ms)
  local key = BULL .. id
  if not has_job(id, token) or redis.call('LREM', BULL .. 'active', -1, id) == 0 then return end
  redis.call('DEL', key .. ':lock')
  redis.call('SREM', BULL .. 'stalled', id)
  redis.call('ZADD', BULL .. 'delayed', until_ms * PER_MS, id)
  redis.call('HSET', key, 'delay', until_ms - NOW)
  redis.call('XADD', BULL .. 'events', '*', 'event', 'delayed', 'jobId', id, 'delay', until_ms)
  if until_ms - NOW < TOLD_WITHIN_MS then redis.call('ZADD', BULL .. 'marker', 'LT', until_ms, '1') end
end
