-- Accepts a list of tasks, all or none.
--
-- KEYS  meta
-- ARGV  JSON list of {id, sequence, key?, bodyHash?, dependsOn: [id …], resources: [name …], branchNode?,
--       imported?: 'queued' or a final state, fields: {field: text}}
-- Returns {'ok', rank base, then per task id, state, 1 if it was submitted before else 0, rank or ''};
--         {'idempotency', index, id of the task that has the key}; {'dependency', index, index of the unknown id};
--         {'resource', index, index of the resource that has no capacity}.
-- Atomic, because a bad task in a list must queue none of them, and one key must make one task.

-- @include ./state.lua

local tasks = cjson.decode(ARGV[1])
local accepted, instead = {}, {}

for index, task in ipairs(tasks) do
  if task.imported and redis.call('EXISTS', PREFIX .. 'task:' .. task.id) == 1 then instead[task.id] = task.id end
  local known = not instead[task.id] and task.key and redis.call('HGET', PREFIX .. 'idempotency', task.key)
  if known then
    local id, hash = string.match(known, '^(%S+) (%S+)$')
    if redis.call('EXISTS', PREFIX .. 'task:' .. id) == 0 then
      known = false
    elseif hash ~= task.bodyHash then
      return { 'idempotency', index - 1, id }
    else
      instead[task.id] = id
    end
  end
  if not instead[task.id] then accepted[task.id] = task end
end

for index, task in ipairs(tasks) do
  for at, dependency in ipairs(task.dependsOn) do
    local id = instead[dependency] or dependency
    if not accepted[id] and redis.call('EXISTS', PREFIX .. 'task:' .. id) == 0 then
      return { 'dependency', index - 1, at - 1 }
    end
    if task.fields.base == 'task:' .. dependency then task.fields.base = 'task:' .. id end
    task.dependsOn[at] = id
  end
end

for index, task in ipairs(tasks) do
  for at, name in ipairs(task.resources) do
    if redis.call('HEXISTS', PREFIX .. 'limits', 'resource:' .. name) == 0 then return { 'resource', index - 1, at - 1 } end
  end
end

-- With nobody in line all start anew, from the same time, which BullMQ's priorities are counted from.
if redis.call('ZCARD', PREFIX .. 'state:queued') + redis.call('ZCARD', PREFIX .. 'state:blocked') == 0 then
  local now = virtual_time(3)
  for class = 0, 3 do redis.call('HSET', PREFIX .. 'fair', 'v:' .. class, now) end
  redis.call('HSET', KEYS[1], 'rankBase', now - 1)
end

local function accept(task)
  local key = PREFIX .. 'task:' .. task.id
  -- Apart from the record, which is kept small by this: Redis lays out a hash without long values in one piece.
  redis.call('SET', PREFIX .. 'envelope:' .. task.id, task.fields.envelope)
  task.fields.envelope = nil
  local open, failed, final = 0, false, task.imported ~= 'queued' and task.imported
  for _, id in ipairs(task.dependsOn) do
    local state = redis.call('HGET', PREFIX .. 'task:' .. id, 'state')
    local ended = redis.call('HEXISTS', PREFIX .. 'task:' .. id, 'terminal') == 1
    if not ended then
      if redis.call('SADD', PREFIX .. 'dependents:' .. id, task.id) == 1 then open = open + 1 end
    elseif state ~= 'succeeded' then
      failed = id
    end
  end
  local state = final or failed and 'skipped' or open > 0 and 'scheduled' or 'queued'
  redis.call('HSET', key, 'state', state, 'sequence', task.sequence, 'submittedAt', NOW, 'waitsFor', open)
  write_fields(task.id, task.fields)
  if task.key then redis.call('HSET', PREFIX .. 'idempotency', task.key, task.id .. ' ' .. task.bodyHash) end
  redis.call('ZADD', PREFIX .. 'tasks', task.sequence, task.id)
  if task.branchNode and not failed and not final then
    redis.call('ZADD', PREFIX .. 'branches', 0, task.branchNode .. '\0' .. task.id)
  end
  set_state(task.id, state, { reason = failed and 'dependency ' .. failed .. ' did not succeed'
    or open > 0 and 'waits for the tasks it depends on' or task.imported and 'imported' or 'submitted', code = failed and 'dependency_failed' or nil })
  if not task.imported then count_metric('signalbox_tasks_submitted_total') end
  if final then
    redis.call('HSET', key, 'terminal', 1)
    redis.call('ZADD', PREFIX .. 'finished', NOW, task.id)
  elseif failed then
    count_metric('signalbox_tasks_finished_total', 'skipped', 'dependency_failed')
    redis.call('HSET', key, 'terminal', 1, 'code', 'dependency_failed', 'finishedAt', NOW)
    redis.call('ZADD', PREFIX .. 'finished', NOW, task.id)
  elseif open == 0 then
    redis.call('ZADD', PREFIX .. 'unqueued', NOW, task.id)
  end
  return state
end

local reply = { 'ok', redis.call('HGET', KEYS[1], 'rankBase') or 0 }
for _, task in ipairs(tasks) do
  local id, state = instead[task.id], nil
  if id then state = redis.call('HGET', PREFIX .. 'task:' .. id, 'state') else state = accept(task) end
  reply[#reply + 1] = id or task.id
  reply[#reply + 1] = state
  reply[#reply + 1] = id and 1 or 0
  reply[#reply + 1] = redis.call('HGET', PREFIX .. 'task:' .. (id or task.id), 'rank') or ''
end
return reply
