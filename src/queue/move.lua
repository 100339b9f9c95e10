-- Moves a task to a state that is not final, or only writes fields, if the writer may.
--
-- KEYS  task:<id>
-- ARGV  id, new state or '' for none, states it may come from (comma-separated), guard (run|pickup), its number,
--       with a run's runner after it, reason, fields as JSON (null takes one away)
-- Returns {'ok', how it shall end if a cancel was asked for else ''} or {refusal}.
-- Atomic, because a superseded run may write at the same moment as its successor.

-- @include ./state.lua

local id, to = ARGV[1], ARGV[2]
local refused = refusal(id, ARGV[3], ARGV[4], ARGV[5])
if refused then return { refused } end
if ARGV[4] == 'run' then write_though_full(id) end
set_fields(id, cjson.decode(ARGV[7]))
if to ~= '' then
  -- A new run while the task is still `running`: the earlier one went down with its worker, and nobody has said so yet.
  if to == 'running' and redis.call('HGET', KEYS[1], 'state') == 'running' then
    set_state(id, 'queued', { reason = 'the worker of its run died or did not answer; not charged' })
  end
  if to ~= 'running' then as_running(id, ARGV[4]) end
  set_state(id, to, { reason = ARGV[6] })
  if to ~= 'running' then close_run(id, ARGV[4]) end
end
return { 'ok', redis.call('HGET', KEYS[1], 'cancelRequested') or '' }
