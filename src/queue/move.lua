-- Moves a task to a state that is not final, or only writes fields, if the writer may.
--
-- KEYS  task:<id>
-- ARGV  id, new state or '' for none, states it may come from (comma-separated), guard (run|pickup), its number,
--       with a run's runner after it, reason, fields as JSON (null takes one away)
-- Returns {'ok', how it shall end if a cancel was asked for else ''} or {refusal}.
-- Atomic, because a superseded run may write at the same moment as its successor.

-- @include ./state.lua

local id, to, guard = ARGV[1], ARGV[2], ARGV[4]
local refused, from = refusal(id, ARGV[3], guard, ARGV[5])
if refused then return { refused } end
local fields = cjson.decode(ARGV[7])
write_fields(id, guard == 'run' and though_full(fields) or fields)
if to ~= '' then move(id, to, guard, { from = from, reason = ARGV[6] }) end
return { 'ok', redis.call('HGET', KEYS[1], 'cancelRequested') or '' }
