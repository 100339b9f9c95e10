-- Ends a task: its final state, its place in line given up, those that depend on it let go or skipped, old history
-- trimmed.
--
-- KEYS  task:<id>
-- ARGV  id, final state, code or '', states it may come from, guard (run|pickup|any), its number with a
--       run's runner after it, reason,
--       fields as JSON, keepAfterMs, how many finished tasks are kept
-- Returns {'ok', 1 if it was in line else 0, number of tasks that must get a job, their ids …, granted …} or {refusal}.
-- Atomic, because exactly one writer may end a task, and a ticket or dependent left behind would wait for ever.

-- @include ./state.lua
-- @include ../waiting/line.lua

local id, to, code = ARGV[1], ARGV[2], ARGV[3]
local refused = refusal(id, ARGV[4], ARGV[5], ARGV[6])
if refused then return { refused } end

local ready = {}

local function finish(task, change)
  local key = PREFIX .. 'task:' .. task
  local now = set_state(task, change.to, change)
  redis.call('HSET', key, 'terminal', 1, 'finishedAt', now)
  if change.code then redis.call('HSET', key, 'code', change.code) end
  count_metric('signalbox_tasks_finished_total', change.to, change.code or '')
  -- For `untold.ts`, while there is somebody to be told.
  if redis.call('HEXISTS', PREFIX .. 'meta', 'webhooks') == 1 then redis.call('ZADD', PREFIX .. 'untold', now, task) end
  redis.call('HDEL', key, 'cancelRequested')
  redis.call('ZADD', PREFIX .. 'finished', now, task)
  redis.call('ZREM', PREFIX .. 'unqueued', task)
  local branch = redis.call('HGET', key, 'branchNode')
  if branch then redis.call('SREM', PREFIX .. 'branch:' .. branch, task) end
end

-- One that depends on it may be queued now, or is skipped, and with it those that depend on that one.
local function let_go(dependent, cause, succeeded, pending)
  local key = PREFIX .. 'task:' .. dependent
  if redis.call('EXISTS', key) == 0 or redis.call('HEXISTS', key, 'terminal') == 1 then return end
  if not succeeded then
    finish(dependent, { to = 'skipped', code = 'dependency_failed', reason = 'dependency ' .. cause .. ' did not succeed' })
    pending[#pending + 1] = { id = dependent, succeeded = false }
  elseif redis.call('HINCRBY', key, 'waitsFor', -1) == 0 then
    set_state(dependent, 'queued', { reason = 'what it depends on has succeeded' })
    redis.call('ZADD', PREFIX .. 'unqueued', time_ms(), dependent)
    ready[#ready + 1] = dependent
  end
end

write_though_full(id)
set_fields(id, cjson.decode(ARGV[8]))
close_run(id, ARGV[5])
as_running(id, ARGV[5], to)
finish(id, { to = to, code = code ~= '' and code or nil, reason = ARGV[7] })

local pending = { { id = id, succeeded = to == 'succeeded' } }
while #pending > 0 do
  local ended = table.remove(pending)
  for _, dependent in ipairs(redis.call('SMEMBERS', PREFIX .. 'dependents:' .. ended.id)) do
    let_go(dependent, ended.id, ended.succeeded, pending)
  end
  redis.call('DEL', PREFIX .. 'dependents:' .. ended.id)
end

local granted = {}
local ticket = read_ticket(id)
if ticket then
  local freed = withdraw(ticket)
  delete_ticket(id)
  granted = serve(freed, tonumber(ARGV[9]))
end

local surplus = redis.call('ZCARD', PREFIX .. 'finished') - tonumber(ARGV[10])
if surplus > 0 then
  for _, old in ipairs(redis.call('ZRANGE', PREFIX .. 'finished', 0, surplus - 1)) do
    local f = redis.call('HMGET', PREFIX .. 'task:' .. old, 'state', 'idempotencyKey')
    if f[2] then redis.call('HDEL', PREFIX .. 'idempotency', f[2]) end
    if f[1] then redis.call('ZREM', PREFIX .. 'state:' .. f[1], old) end
    redis.call('DEL', PREFIX .. 'task:' .. old, PREFIX .. 'history:' .. old)
    redis.call('ZREM', PREFIX .. 'tasks', old)
    redis.call('ZREM', PREFIX .. 'untold', old)
    redis.call('ZREM', PREFIX .. 'finished', old)
  end
end

local reply = { 'ok', ticket and 1 or 0, #ready }
for _, task in ipairs(ready) do reply[#reply + 1] = task end
for _, one in ipairs(granted) do reply[#reply + 1] = one end
return reply
