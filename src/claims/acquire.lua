-- Takes a whole claim or none of it; on a conflict files the ticket in the same step, so that no release can slip in
-- between the refusal and the wait.
--
-- KEYS  record:<holder>, node:<name> …
-- ARGV  value (redlock's), lease TTL in ms, nodes (see node-list.lua), request as JSON:
--       {holder, kind: run|hold, ticket, task?, worker, age?, rank?, class, policy, isLastTry?, exempt?: [prefix, branch …],
--        keepAfterMs, run?: {host, alone, token, parkUntil, deadMan}};
--       with `run` the worker must have the task's job, the record says what came of it, and the job of one that must
--       wait is parked
-- Returns {number of keys, 'held', details as JSON, granted …} for yes, with {pickup, run, crashes, holders, slots:
--         {resource: number}, beside: [[node, task] …], handOver?, cancel?}: what `proceed` runs beside, how long ago it was
--         granted, and how the task shall end if a cancel was asked for;
--         {0, 'blocked'|'own'|'conflict', details as JSON, granted …} with {pickup, obstacle, blocker, preempts: [task …]}:
--         filed, filed behind the task's own earlier run, or refused because its policy does not wait;
--         {0, 'stale'}: another worker has the task's job by now; {0, 'ended'}: the task is terminal.
--         redlock sees the first element only.
-- Atomic, because a check and a take apart would let two in, and a refusal and a ticket apart would lose a wake-up.

-- @include ../waiting/line.lua
-- @include ./preempt.lua
-- @include ../queue/state.lua
-- @include ./outcome.lua

local value, ttl, request = ARGV[1], ARGV[2], cjson.decode(ARGV[4])
local nodes = read_nodes(ARGV[3])
local holder = request.holder
local task_key = PREFIX .. 'task:' .. (request.task or '')
local ticket = read_ticket(request.ticket)
local rank = request.rank or ticket and ticket.rank or virtual_time(request.class) + LAGS[request.class + 1]
local want = {
  id = request.ticket, kind = request.kind == 'run' and 'task' or 'hold', nodes = nodes, rank = rank,
  class = request.class, policy = request.policy, exempt = request.exempt or {},
}

local function answer(count, kind, details, grants)
  local reply = { count, kind, cjson.encode(details) }
  for _, ticket in ipairs(grants) do reply[#reply + 1] = ticket end
  return reply
end

local function count_holders() return redis.call('ZCARD', PREFIX .. 'holders') end

-- The answer to an earlier call was lost and the client asks again.
if redis.call('HGET', KEYS[1], 'value') == value then
  redis.call('SET', PREFIX .. 'lease:' .. holder, value, 'PX', ttl)
  local t = request.task and redis.call('HMGET', task_key, 'run', 'crashes', 'cancelRequested', 'pickup') or {}
  return answer(#KEYS, 'held', {
    run = tonumber(t[1] or 0), crashes = tonumber(t[2] or 0), cancel = t[3], pickup = tonumber(t[4] or 0),
    holders = count_holders(), slots = redis.call('HGET', KEYS[1], 'slots'),
  }, {})
end

local task, own_run = {}, nil
if request.task then
  local t = redis.call('HMGET', task_key, 'state', 'terminal', 'runner', 'open', 'run', 'crashes', 'startedAt',
    'cancelRequested', 'conflicts')
  if t[2] then return { 0, 'ended' } end
  if not t[1] or (request.run and not has_job(request.task, request.run.token)) then return { 0, 'stale' } end
  if t[3] and redis.call('EXISTS', PREFIX .. 'record:' .. t[3]) == 1 then own_run = t[3] end
  task = {
    state = t[1], open = t[4], run = tonumber(t[5] or 0), crashes = tonumber(t[6] or 0), started_at = t[7], cancel = t[8],
    conflicts = t[9],
    -- From here on nothing counts that an earlier pick-up would write.
    pickup = redis.call('HINCRBY', task_key, 'pickup', 1),
  }
end

local unchanged = ticket and ticket.nodes_json == ARGV[3]
local granted_at = ticket and ticket.state == 'granted' and redis.call('ZSCORE', PREFIX .. 'granted', ticket.id)
local hand_over = granted_at and NOW - tonumber(granted_at) or nil
-- What is reserved in its name becomes its runner's as it is.
local takes_over = unchanged and ticket.state == 'granted' and not own_run and holds_all(ticket.id, ticket.nodes)
local freed = ticket and not takes_over and withdraw(ticket) or {}

-- A reservation of a lower priority class gives way; its owner goes back in line below.
local revoked = {}
local function gives_way(other)
  local reserved = redis.call('HMGET', PREFIX .. 'ticket:' .. other, 'state', 'class')
  if reserved[1] ~= 'granted' or tonumber(reserved[2]) <= want.class then return false end
  revoked[other] = true
  return true
end

local obstacle
if own_run then
  -- A task waits for its own earlier run whatever it claims, on that run's first node.
  local earlier = read_nodes(redis.call('HGET', PREFIX .. 'record:' .. own_run, 'nodes'))
  obstacle = earlier[1] and earlier[1][1]
elseif not takes_over then
  obstacle = find_obstacle(want, gives_way)
end

local function task_of(other)
  return redis.call('HGET', PREFIX .. 'record:' .. other, 'task') or other
end

-- The task that has the obstacle, '' if none can be named: for the record of conflicts.
local function task_at(node)
  for _, wanted in ipairs(nodes) do
    if wanted[1] == node then
      local other = excluding_holders(node, wanted[2])[1]
      return other and task_of(other) or keeper_of(node)
    end
  end
  return ''
end

if obstacle then
  local blocker = task_at(obstacle)
  local waits = request.policy ~= 'fail' and request.policy ~= 'skip'
  -- Counted things are waited for whatever the policy.
  local may_wait = own_run or (not request.isLastTry and (waits or string.sub(obstacle, 1, 1) == '#'))
  if not may_wait then
    delete_ticket(want.id)
    local met = { pickup = task.pickup, obstacle = obstacle, blocker = blocker }
    if request.run then write_fields(request.task, conflict_fields(task, nodes, { { obstacle, blocker } })) end
    return answer(0, 'conflict', met, serve(freed, request.keepAfterMs))
  end
  want.since = ticket and ticket.since or NOW
  write_ticket(want, ARGV[3])
  want.under = ticket and ticket.under
  file_under(want, obstacle)
  local preempts = not own_run and request.policy == 'preempt' and preempt(want) or nil
  if preempts or (ticket and ticket.keeps) then keep_for(want) end
  local met = { pickup = task.pickup, obstacle = obstacle, blocker = blocker, preempts = preempts }
  if request.run then note_blocked(request, { nodes = nodes, task = task, met = met, own_run = own_run }) end
  return answer(0, own_run and 'own' or 'blocked', met, serve(freed, request.keepAfterMs))
end

-- What was reserved or kept for this ticket is now held by its runner: nothing came free.
if unchanged then freed = {} end
local beside = {}
if request.policy == 'proceed' then
  for _, node in ipairs(nodes) do
    if node[2] ~= 'slot' then
      for _, other in ipairs(excluding_holders(node[1], node[2])) do
        beside[#beside + 1] = { node[1], task_of(other) }
      end
    end
  end
end

if takes_over then pass_on(ticket, holder) else add_holder(holder, nodes, want.texts) end
if ticket then delete_ticket(ticket.id) end
local slots = {}
for _, node in ipairs(nodes) do
  if is_resource(node[1]) then slots[string.sub(node[1], 11)] = number_slot(node[1], holder) end
end
slots = cjson.encode(slots)
redis.call('HSET', KEYS[1], 'value', value, 'kind', request.kind, 'task', request.task or '', 'worker', request.worker,
  'since', NOW, 'nodes', ARGV[3], 'age', request.age or 0, 'rank', rank, 'class', request.class,
  'policy', request.policy, 'exempt', cjson.encode(want.exempt), 'slots', slots)
redis.call('SET', PREFIX .. 'lease:' .. holder, value, 'PX', ttl)
redis.call('ZADD', PREFIX .. 'holders', NOW, holder)

local given_back = {}
for other in pairs(revoked) do given_back[#given_back + 1] = read_ticket(other) end
for _, node in ipairs(put_back(given_back)) do freed[#freed + 1] = node end
local grants = serve(freed, request.keepAfterMs)

local details = { run = 0, crashes = 0, holders = count_holders(), slots = slots, beside = beside, handOver = hand_over }
if not request.task then return answer(#KEYS, 'held', details, grants) end

local fields = { run = task.run + 1, open = task.run + 1, runner = holder, preemptedBy = cjson.null }
-- An earlier run that was never closed went down with its worker.
if task.open then
  task.crashes = task.crashes + 1
  fields.crashedRun, fields.crashes = task.open, task.crashes
  count_metric('signalbox_crashes_total')
end
details.run, details.crashes, details.cancel, details.pickup = fields.run, task.crashes, task.cancel, task.pickup
if request.run then
  note_running(request, { nodes = nodes, task = task, fields = fields, beside = beside, holders = details.holders })
else
  write_fields(request.task, fields)
end
return answer(#KEYS, 'held', details, grants)
