-- Counts what a script itself decides, in the step that decides it, so that nothing is counted twice or not at all. A
-- fragment, included by the scripts. The fields are those of tally.ts: the metric, then its labels' values.

local function count_metric(...)
  redis.call('HINCRBY', PREFIX .. 'metrics', table.concat({ ... }, '|'), 1)
end
