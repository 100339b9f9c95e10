-- Gives a claim back and hands what came free to those who wait for it. A run may end its task in the same step.
--
-- KEYS  record:<holder>, node:<name> …
-- ARGV  value, settings as JSON: {keepAfterMs, isUnused?, ending?}; with `isUnused` the run that was drawn with the
--       claim never was; with `ending` its task ends first, see ../queue/finish.lua
-- Returns {number of keys or 0, what finish.lua returns …} with an ending, else {number of keys, granted …}; the number
--         is 0 when this value holds nothing (released before, reaped, or never had).
-- Atomic, because nobody may slip in between what is freed and who waits for it, and whoever is served must not see the
-- task still running.

-- @include ./free.lua
-- @include ../queue/ending.lua

-- What a line of a history says that a task came to.
local function state_in(line) return line and string.match(line, '^%d+ (%a+)') end

-- Takes the run that never was out of a history that ends with its `running` and the `queued` after it, and so that every
-- step in it stays one that a task can make. Of a task that is tried again and again only the last try is told.
local function forget_run(task)
  local history = PREFIX .. 'history:' .. task
  local lines = redis.call('LRANGE', history, -4, -1)
  local queued = lines[#lines]
  local before, earlier = state_in(lines[#lines - 2]), state_in(lines[#lines - 3])
  if before == 'scheduled' and earlier == 'queued' then
    redis.call('LTRIM', history, 0, -4)
  else
    redis.call('LTRIM', history, 0, -3)
    if before ~= 'queued' then redis.call('RPUSH', history, queued) end
  end
end

-- A run that was drawn with a claim which came to nothing: its task waits as if it had not been drawn.
local function unstart(task)
  local key = PREFIX .. 'task:' .. task
  if redis.call('HINCRBY', key, 'run', -1) == 0 then redis.call('HDEL', key, 'startedAt') end
  if redis.call('HGET', key, 'state') ~= 'running' then return end
  set_state(task, 'queued', { reason = 'its claim came to nothing' })
  forget_run(task)
end

local settings = cjson.decode(ARGV[2])
local holder = string.sub(KEYS[1], #PREFIX + #'record:' + 1)
local reply = settings.ending and end_task(settings.ending) or {}
local record = redis.call('HMGET', KEYS[1], 'value', 'task')
if record[1] ~= ARGV[1] then return with_count(0, reply) end
local task = record[2]
-- A run that its own worker gives back did not die with it.
if reply[1] ~= 'ok' and task and task ~= '' and redis.call('HGET', PREFIX .. 'task:' .. task, 'runner') == holder then
  redis.call('HDEL', PREFIX .. 'task:' .. task, 'open')
  if settings.isUnused then unstart(task) end
end
for _, granted in ipairs(free(holder, settings.keepAfterMs)) do reply[#reply + 1] = granted end
return with_count(#KEYS, reply)
