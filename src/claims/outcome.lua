-- What the record of a task says of a run's request for its claim, written in the step that decides it. A fragment,
-- included by acquire.lua.

-- @include ../queue/state.lua
-- @include ../queue/bull.lua

-- How many conflicts a record keeps: the newest ones.
local CONFLICTS_KEPT = 50

-- A node as it is shown: `path:src/a`. While the queue is paused no task may have the last thing that it needs.
local function shown(name, nodes)
  for _, node in ipairs(nodes) do
    local kind = node[1] == name and string.match(name, '#(%a+):')
    if kind then return kind .. ':' .. (kind == 'path' and node[3] == '' and '.' or node[3]) end
  end
  return 'paused'
end

-- The record's conflicts, with those that were met now: a list of {node, task or ''}. Anybody who can write to Redis can
-- have put something else in their place: that is none.
local function add_conflicts(request, nodes, met)
  local text = redis.call('HGET', PREFIX .. 'task:' .. request.task, 'conflicts')
  local is_list, all = pcall(cjson.decode, text or '[]')
  if not is_list or type(all) ~= 'table' or #all == 0 then all = {} end
  for _, conflict in ipairs(met) do
    local holder = conflict[2] ~= '' and conflict[2] or cjson.null
    all[#all + 1] = { resource = shown(conflict[1], nodes), holderTaskId = holder, at = request.run.at }
  end
  while #all > CONFLICTS_KEPT do table.remove(all, 1) end
  return cjson.encode(all)
end

-- It does not want to wait; what it ends as is up to its worker.
local function note_conflict(request, nodes, met)
  write_fields(request.task, { conflicts = add_conflicts(request, nodes, { { met.obstacle, met.blocker } }) })
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
    local resource = shown(met.obstacle, wait.nodes)
    local who = met.blocker ~= '' and ', held by ' .. met.blocker or ''
    local conflicts = add_conflicts(request, wait.nodes, { { met.obstacle, met.blocker } })
    move(id, 'blocked', 'pickup', {
      from = task.state, reason = 'waits for ' .. resource .. who,
      fields = { conflicts = conflicts, parkedUntil = run.parkUntil },
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
  if #run.beside > 0 then fields.conflicts = add_conflicts(request, run.nodes, run.beside) end
  set_state(id, 'running', { reason = fields.run == 1 and reason or 'run ' .. fields.run .. ': ' .. reason, fields = fields })
end
