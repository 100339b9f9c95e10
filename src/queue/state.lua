-- Task states: one way to change them. A fragment, included by the scripts.
--
-- task:<id> is a hash; its fields are described in record.ts. `terminal` is set in a final state, `open` while a run is
-- under way, so that a run whose worker died can be told from one that ended.

local PREFIX = string.match(KEYS[1], '^({[^}]*}:)')
local HISTORY_LIMIT = 200

-- @include ../waiting/fair.lua
-- @include ../telemetry/metrics/count.lua

local function time_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function contains(list, word)
  return string.find(',' .. list .. ',', ',' .. word .. ',', 1, true) ~= nil
end

-- Why this writer may not write: nil, or 'missing', 'ended', 'superseded', 'illegal <state>'.
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
  return nil
end

-- A run is over. One that a later pick-up finds open went down with its worker.
local function close_run(id, guard)
  local key = PREFIX .. 'task:' .. id
  local open = redis.call('HGET', key, 'open')
  redis.call('HDEL', key, 'open')
  if open and guard == 'pickup' then
    redis.call('HINCRBY', key, 'crashes', 1)
    redis.call('HSET', key, 'crashedRun', open)
    count_metric('signalbox_crashes_total')
  end
end

local set_state

-- A run that ends or goes back has been running, also if the write that should have said so never reached Redis; and
-- only a run succeeds, be it an earlier one whose success is found late.
local function as_running(id, guard, to)
  if guard ~= 'run' and to ~= 'succeeded' then return end
  if redis.call('HGET', PREFIX .. 'task:' .. id, 'state') == 'running' then return end
  set_state(id, 'running', { reason = 'noted late' })
end

set_state = function(id, to, change)
  local key, now = PREFIX .. 'task:' .. id, time_ms()
  local t = redis.call('HMGET', key, 'state', 'sequence', 'blockedSince', 'blockedAt')
  if t[1] == 'blocked' and t[3] then
    redis.call('HINCRBY', key, 'blockedMs', now - t[3])
    redis.call('HDEL', key, 'blockedSince')
  end
  if to == 'blocked' then
    redis.call('HSET', key, 'blockedSince', now)
    if not t[4] then redis.call('HSET', key, 'blockedAt', now) end
  end
  redis.call('ZREM', PREFIX .. 'state:' .. t[1], id)
  redis.call('ZADD', PREFIX .. 'state:' .. to, t[2], id)
  redis.call('HSET', key, 'state', to)
  if to == 'queued' or to == 'blocked' then join_line(id) else quit_line(id) end
  redis.call('RPUSH', PREFIX .. 'history:' .. id, cjson.encode({ state = to, at = now, reason = change.reason }))
  redis.call('LTRIM', PREFIX .. 'history:' .. id, -HISTORY_LIMIT, -1)
  redis.call('PUBLISH', PREFIX .. 'events', cjson.encode({ id = id, state = to, code = change.code, at = now }))
  return now
end

-- Redis refuses a script for want of memory only until it has written, and a removal needs none. For what ends or gives
-- back a run: it is bounded by what runs, and frees more than it takes.
local function write_though_full(id)
  redis.call('HDEL', PREFIX .. 'task:' .. id, '')
end

-- Writes fields; a null takes a field away.
local function set_fields(id, fields)
  local key = PREFIX .. 'task:' .. id
  for field, value in pairs(fields) do
    if value == cjson.null then redis.call('HDEL', key, field) else redis.call('HSET', key, field, value) end
  end
end
