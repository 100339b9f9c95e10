-- Gives a claim back and hands what came free to those who wait for it.
--
-- KEYS  record:<holder>, node:<name> …
-- ARGV  value, settings as JSON: {keepAfterMs, isUnused?}; with `isUnused` the run that was drawn with the claim never
--       was
-- Returns {number of keys, granted …}, or {0} when this value holds nothing (released before, reaped, or never had).
-- Atomic, because nobody may slip in between what is freed and who waits for it.

-- @include ./free.lua

if redis.call('HGET', KEYS[1], 'value') ~= ARGV[1] then return { 0 } end
local holder = string.sub(KEYS[1], #PREFIX + #'record:' + 1)
local settings = cjson.decode(ARGV[2])
-- A run that its own worker gives back did not die with it.
local task = redis.call('HGET', KEYS[1], 'task')
if task and task ~= '' and redis.call('HGET', PREFIX .. 'task:' .. task, 'runner') == holder then
  redis.call('HDEL', PREFIX .. 'task:' .. task, 'open')
  if settings.isUnused then redis.call('HINCRBY', PREFIX .. 'task:' .. task, 'run', -1) end
end
return with_count(#KEYS, free(holder, settings.keepAfterMs))
