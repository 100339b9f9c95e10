-- The end of a task: its final state, its place in line given up, those that depend on it let go or skipped, old history
-- trimmed. A fragment, included by the scripts that end one.

-- @include ./state.lua
-- @include ../waiting/line.lua

local function finish(task, change)
  local fields = change.fields or {}
  fields.terminal, fields.finishedAt, fields.code = 1, NOW, change.code
  fields.cancelRequested = cjson.null
  change.fields = fields
  set_state(task, change.to, change)
  count_metric('signalbox_tasks_finished_total', change.to, change.code or '')
  -- For `untold.ts`, while there is somebody to be told.
  if redis.call('HEXISTS', PREFIX .. 'meta', 'webhooks') == 1 then redis.call('ZADD', PREFIX .. 'untold', NOW, task) end
  redis.call('ZADD', PREFIX .. 'finished', NOW, task)
  redis.call('ZREM', PREFIX .. 'unqueued', task)
  local branch = redis.call('HGET', PREFIX .. 'task:' .. task, 'branchNode')
  if branch then redis.call('ZREM', PREFIX .. 'branches', branch .. '\0' .. task) end
end

-- One that depends on it may be queued now, or is skipped, and with it those that depend on that one.
local function let_go(dependent, cause, pending, ready)
  local key = PREFIX .. 'task:' .. dependent
  if redis.call('EXISTS', key) == 0 or redis.call('HEXISTS', key, 'terminal') == 1 then return end
  if not cause.succeeded then
    finish(dependent, {
      to = 'skipped', code = 'dependency_failed', reason = 'dependency ' .. cause.id .. ' did not succeed',
    })
    pending[#pending + 1] = { id = dependent, succeeded = false }
  elseif redis.call('HINCRBY', key, 'waitsFor', -1) == 0 then
    set_state(dependent, 'queued', { reason = 'what it depends on has succeeded' })
    redis.call('ZADD', PREFIX .. 'unqueued', NOW, dependent)
    ready[#ready + 1] = dependent
  end
end

local function let_dependents_go(id, succeeded)
  local pending, ready = { { id = id, succeeded = succeeded } }, {}
  while #pending > 0 do
    local cause = table.remove(pending)
    local dependents = redis.call('SMEMBERS', PREFIX .. 'dependents:' .. cause.id)
    for _, dependent in ipairs(dependents) do let_go(dependent, cause, pending, ready) end
    if #dependents > 0 then redis.call('DEL', PREFIX .. 'dependents:' .. cause.id) end
  end
  return ready
end

local function trim_history(limit)
  local surplus = redis.call('ZCARD', PREFIX .. 'finished') - limit
  if surplus <= 0 then return end
  for _, old in ipairs(redis.call('ZRANGE', PREFIX .. 'finished', 0, surplus - 1)) do
    local f = redis.call('HMGET', PREFIX .. 'task:' .. old, 'state', 'idempotencyKey')
    if f[2] then redis.call('HDEL', PREFIX .. 'idempotency', f[2]) end
    if f[1] then redis.call('ZREM', PREFIX .. 'state:' .. f[1], old) end
    redis.call('DEL', PREFIX .. 'task:' .. old, PREFIX .. 'envelope:' .. old, PREFIX .. 'history:' .. old)
    redis.call('ZREM', PREFIX .. 'tasks', old)
    redis.call('ZREM', PREFIX .. 'untold', old)
    redis.call('ZREM', PREFIX .. 'finished', old)
  end
end

-- Ends a task, if the writer may: `ending` is {id, to, code?, from, guard, number, reason, fields, keepAfterMs,
-- historyLimit}, see finish.lua. Returns a list: 'ok', 1 if it was in line else 0, how many tasks must get a job, their
-- ids …, granted …; or one refusal.
local function end_task(ending)
  local id, guard = ending.id, ending.guard
  local refused, state = refusal(id, ending.from, guard, ending.number)
  if refused then return { refused } end
  local fields = though_full(ending.fields)
  if guard == 'run' then fields.open = cjson.null else close_run(id, guard) end
  as_running(id, guard, { from = state, to = ending.to })
  finish(id, { to = ending.to, code = ending.code, reason = ending.reason, fields = fields })
  local ready = let_dependents_go(id, ending.to == 'succeeded')

  local granted = {}
  local ticket = read_ticket(id)
  if ticket then
    local freed = withdraw(ticket)
    delete_ticket(id)
    granted = serve(freed, ending.keepAfterMs)
  end
  trim_history(ending.historyLimit)

  local reply = { 'ok', ticket and 1 or 0, #ready }
  for _, task in ipairs(ready) do reply[#reply + 1] = task end
  for _, one in ipairs(granted) do reply[#reply + 1] = one end
  return reply
end
