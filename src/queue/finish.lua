-- Ends a task that has no run, or whose run keeps its claim.
--
-- KEYS  task:<id>
-- ARGV  JSON of {id, to: final state, code?, from: states it may come from (comma-separated), guard: run|pickup|any,
--       number: its number with a run's runner after it, reason, fields, keepAfterMs, historyLimit: how many finished
--       tasks are kept}
-- Returns {'ok', 1 if it was in line else 0, number of tasks that must get a job, their ids …, granted …} or {refusal}.
-- Atomic, because exactly one writer may end a task, and a ticket or dependent left behind would wait for ever.

-- @include ./ending.lua

return end_task(cjson.decode(ARGV[1]))
