-- Task states: one way to change them. A fragment, included by the scripts.
--
-- task:<id> is a hash; its fields are described in record.ts. `terminal` is set in a final state, `open` while a run is
-- under way, so that a run whose worker died can be told from one that ended.

-- @include ../redis/queue.lua
-- @include ../waiting/fair.lua
-- @include ../telemetry/metrics/count.lua

local HISTORY_LIMIT = 200
local LOST_RUN = 'the worker of its run died or did not answer; not charged'

local function contains(list, word)
  return string.find(',' .. list .. ',', ',' .. word .. ',', 1, true) ~= nil
end

-- Why this writer may not write: nil, or 'missing', 'ended', 'superseded', 'illegal <state>'. Also the state the task is in.
-- A run (its number and its runner) may write while no newer run exists, whatever state others saw the task in; a pick-up while no newer pick-up does and no run of the task holds its
-- claim. Anybody else may not while the newest run, which had taken its token, is known to have died: what became of its
-- push can only a worker find out.
local function refusal(id, from, guard, number)
  local t = redis.call('HMGET', PREFIX .. 'task:' .. id, 'state', 'terminal', 'run', 'pickup', 'open', 'runner',
    'crashedRun', 'fence')
  if not t[1] then return 'missing' end
  if t[2] then return 'ended' end
  if guard == 'run' and (t[3] or '') .. ' ' .. (t[6] or '') ~= number then return 'superseded' end
  if guard == 'pickup' then
    local alive = t[5] and t[6] and redis.call('EXISTS', PREFIX .. 'record:' .. t[6]) == 1
    if t[4] ~= number or alive then return 'superseded' end
  end
  if guard ~= 'run' and not contains(from, t[1]) then return 'illegal ' .. t[1] end
  if guard == 'any' and t[7] and t[7] == t[3] and t[8] == 'ledger' then return 'illegal ' .. t[1] end
  return nil, t[1]
end

-- Writes fields; a null takes a field away. Removals come first: Redis refuses a script for want of memory only until it
-- has written, and a removal needs none.
local function write_fields(id, fields)
  local set, gone = {}, {}
  for field, value in pairs(fields) do
    if value == cjson.null then
      gone[#gone + 1] = field
    else
      set[#set + 1] = field
      set[#set + 1] = value
    end
  end
  local key = PREFIX .. 'task:' .. id
  if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end
  if #set > 0 then redis.call('HSET', key, unpack(set)) end
end

-- For what ends or gives back a run: its first write is a removal, so that it is let through by a Redis that is full. It
-- is bounded by what runs, and frees more than it takes.
local function though_full(fields)
  fields[''] = cjson.null
  return fields
end

-- A run is over. One that a later pick-up finds open went down with its worker.
local function close_run(id, guard)
  local key = PREFIX .. 'task:' .. id
  local open = redis.call('HGET', key, 'open')
  if not open then return end
  redis.call('HDEL', key, 'open')
  if guard == 'pickup' then
    redis.call('HINCRBY', key, 'crashes', 1)
    redis.call('HSET', key, 'crashedRun', open)
    count_metric('signalbox_crashes_total')
  end
end

local set_state

-- A run that ends or goes back has been running, also if the write that should have said so never reached Redis; and
-- only a run succeeds, be it an earlier one whose success is found late.
local function as_running(id, guard, change)
  if change.from == 'running' or (guard ~= 'run' and change.to ~= 'succeeded') then return end
  set_state(id, 'running', { reason = 'noted late', fields = though_full({}) })
end

-- Changes a task's state: `change` has a reason, perhaps a code, and perhaps fields to be written with it.
set_state = function(id, to, change)
  local key, fields = PREFIX .. 'task:' .. id, change.fields or {}
  local t = redis.call('HMGET', key, 'state', 'sequence', 'blockedSince', 'blockedAt', 'blockedMs', 'owner', 'class',
    'start', 'inLine')
  local line = { owner = t[6], class = t[7], start = t[8], is_in = t[9] }
  if t[1] == 'blocked' and t[3] then
    fields.blockedMs = tonumber(t[5] or 0) + NOW - t[3]
    fields.blockedSince = cjson.null
  end
  if to == 'blocked' then
    fields.blockedSince = NOW
    if not t[4] then fields.blockedAt = NOW end
  end
  fields.state = to
  if to == 'queued' or to == 'blocked' then join_line(id, line, fields) else quit_line(id, line, fields) end
  write_fields(id, fields)
  redis.call('ZREM', PREFIX .. 'state:' .. t[1], id)
  redis.call('ZADD', PREFIX .. 'state:' .. to, t[2], id)
  local history = PREFIX .. 'history:' .. id
  local entry = NOW .. ' ' .. to .. ' ' .. (change.reason or '')
  if redis.call('RPUSH', history, entry) > HISTORY_LIMIT then redis.call('LTRIM', history, -HISTORY_LIMIT, -1) end
  redis.call('PUBLISH', PREFIX .. 'events', cjson.encode({ id = id, state = to, code = change.code, at = NOW }))
end

-- Moves a task from a state to one that is not final; `change` has `from` beside what `set_state` takes.
local function move(id, to, guard, change)
  -- A new run while the task is still `running`: the earlier one went down with its worker, and nobody has said so yet.
  if to == 'running' and change.from == 'running' then
    set_state(id, 'queued', { reason = LOST_RUN })
  end
  if to ~= 'running' then as_running(id, guard, { from = change.from, to = to }) end
  set_state(id, to, change)
  if to ~= 'running' then close_run(id, guard) end
end
