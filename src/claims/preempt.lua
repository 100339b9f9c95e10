-- Preemption: a task of a higher class has those stopped that hold what it wants. A fragment, included by acquire.lua.

-- Whether a holder may be stopped for `want`: a run of a lower class that allows it, and whose last run was not
-- stopped in this way.
local function is_preemptible(other, want)
  local record = redis.call('HMGET', PREFIX .. 'record:' .. other, 'kind', 'task', 'class')
  if record[1] ~= 'run' or tonumber(record[3]) <= want.class then return nil end
  local t = redis.call('HMGET', PREFIX .. 'task:' .. record[2], 'preemptible', 'preemptedRun', 'run')
  if t[1] == 'never' or (t[2] and tonumber(t[2]) == tonumber(t[3] or 0) - 1) then return nil end
  return record[2]
end

-- Asks the runs in the way of a ticket to stop, if that lets it start: names of tasks, or nil.
-- Their runs look for `preemptedBy` between steps; the message is for those that may be stopped at once.
local function preempt(want)
  local found, victims = {}, {}
  for _, node in ipairs(want.nodes) do
    if node[2] == 'slot' then
      if slots_are_taken(node[1], redis.call('HGET', HELD, node[1]), want) then return nil end
    else
      if keeps_before(node[1], node[2], want) > 0 then return nil end
      for _, other in ipairs(excluding_holders(node[1], node[2])) do
        if not belongs_together(other, want) then
          local task = is_preemptible(other, want)
          if not task then return nil end
          if not found[task] then
            found[task] = true
            victims[#victims + 1] = task
          end
        end
      end
    end
  end
  if #victims == 0 then return nil end
  for _, task in ipairs(victims) do
    redis.call('HSET', PREFIX .. 'task:' .. task, 'preemptedBy', want.id)
    redis.call('PUBLISH', PREFIX .. 'control', cjson.encode({ preempt = task }))
  end
  return victims
end
