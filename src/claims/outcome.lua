-- What the record of a task says of a run's request for its claim, written in the step that decides it. A fragment,
-- included by acquire.lua.

-- @include ../queue/state.lua
-- @include ../queue/bull.lua

-- How many conflicts a record keeps: the newest ones.
local CONFLICTS_KEPT = 50
-- What Lua and JavaScript can still count.
local MAX_COUNT = 2 ^ 50

-- What is in the way, as it is shown. While the queue is paused no task may have the last thing that it needs.
local function shown_obstacle(nodes, name)
  for _, node in ipairs(nodes) do
    if node[1] == name then return shown_node(node) end
  end
  return 'paused'
end

-- The fields of a record that keep the conflicts met now, a list of {node, task or ''}: each is short, and has a field of its
-- own, the oldest of which gives way. `task` is what the record said; anybody who can write to Redis can have put something
-- else in the place of the count.
local function conflict_fields(task, nodes, met)
  local count, fields = tonumber(task.conflicts) or 0, {}
  if count < 0 or count > MAX_COUNT or count % 1 ~= 0 then count = 0 end
  for _, conflict in ipairs(met) do
    count = count + 1
    fields['c:' .. count % CONFLICTS_KEPT] =
      NOW .. ' ' .. (conflict[2] ~= '' and conflict[2] or '-') .. ' ' .. shown_obstacle(nodes, conflict[1])
  end
  fields.conflicts = count
  return fields
end

-- It waits, and its job sleeps. `wait` has its nodes, what the record said, what it met, and its own earlier run if it
-- waits for that.
local function note_blocked(request, wait)
  local id, run, task, met = request.task, request.run, wait.task, wait.met
  -- Behind its own earlier run it is not blocked by anybody, and does not end by waiting: that run is dead or will end.
  local until_ms = wait.own_run and run.deadMan or run.parkUntil
  if task.state == 'blocked' then
    redis.call('HSET', PREFIX .. 'task:' .. id, 'parkedUntil', until_ms)
  elseif not wait.own_run then
    local who = met.blocker ~= '' and ', held by ' .. met.blocker or ''
    local fields = conflict_fields(task, wait.nodes, { { met.obstacle, met.blocker } })
    fields.parkedUntil = run.parkUntil
    move(id, 'blocked', 'pickup', {
      from = task.state, reason = 'waits for ' .. shown_obstacle(wait.nodes, met.obstacle) .. who, fields = fields,
    })
    task.state = 'blocked'
  end
  park_job(id, run.token, until_ms)
  -- A cancel that came before it was parked is carried out by whoever takes the job up again: now. Behind its own run,
  -- which is told of the cancel, it is `running`.
  if task.cancel and task.state ~= 'running' then promote_job(id) end
end

-- It runs. `run` has its nodes, what the record said, the fields to be written with it, what it runs beside, and how many
-- holders there are.
local function note_running(request, run)
  local id, fields, reason = request.task, run.fields, 'all that it claims is held'
  -- The earlier run went down with its worker, and nobody has said so yet.
  if run.task.state == 'running' then set_state(id, 'queued', { reason = LOST_RUN }) end
  fields.worker, fields.host, fields.alone = request.worker, request.run.host, request.run.alone and 1 or cjson.null
  fields.phases, fields.error, fields.parkedUntil = '[]', cjson.null, cjson.null
  fields.concurrentRunners = run.holders
  if not run.task.started_at then fields.startedAt = NOW end
  if #run.beside > 0 then
    for field, value in pairs(conflict_fields(run.task, run.nodes, run.beside)) do fields[field] = value end
  end
  set_state(id, 'running', { reason = fields.run == 1 and reason or 'run ' .. fields.run .. ': ' .. reason, fields = fields })
end
