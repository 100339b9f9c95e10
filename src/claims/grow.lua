-- Takes more for a claim that is held. What is wanted is entered at once, so that nobody else gets it, and may be
-- used when no other holder excludes it any more.
--
-- Who waits: age is the submission's. The older of two waits for the younger; the younger must give up all it holds.
-- So waiting goes from older to younger only and cannot go round. What cannot be restarted never waits and is always
-- waited for; what is kept until a branch is merged is never waited for. Running beats reserved and kept: both yield.
--
-- KEYS  record:<holder>
-- ARGV  value, request as JSON: {nodes: a stored list (all it will hold, without slots), mayWait,
--       isLanding, keepAfterMs}. Asked again while it waits, the request must be the same.
-- Returns {'grown', names that are new as JSON, granted …}, {'waiting'|'yield'|'refused', details as JSON, granted …} with
--         {obstacle, blocker}, or {'lost'} when this value holds nothing.
-- Atomic, because the check and the entry must be one, as in acquire.lua.

-- @include ../waiting/line.lua

local record = redis.call('HMGET', KEYS[1], 'value', 'nodes', 'age', 'exempt', 'wanted', 'growth')
if record[1] ~= ARGV[1] then return { 'lost' } end
local holder = string.sub(KEYS[1], #PREFIX + #'record:' + 1)
local request = cjson.decode(ARGV[2])
local union = read_nodes(request.nodes)
local growing = PREFIX .. 'growing'

local had, wanted = {}, {}
for _, node in ipairs(read_nodes(record[2])) do had[node[1]] = node end
if record[5] then
  wanted = read_nodes(record[5])
else
  for _, node in ipairs(union) do
    if not had[node[1]] or had[node[1]][2] ~= node[2] then wanted[#wanted + 1] = node end
  end
end

local function answer(kind, details, grants)
  local reply = { kind, cjson.encode(details) }
  for _, ticket in ipairs(grants) do reply[#reply + 1] = ticket end
  return reply
end

-- Whether all that a holder has of a node is an entry for a growth that came later and waits for this one.
local function came_later(growth, json, node)
  if not record[6] or not growth or tonumber(growth) < tonumber(record[6]) then return false end
  for _, other in ipairs(read_nodes(json)) do
    if other[1] == node then return true end
  end
  return false
end

-- What another holder of a node means for this growth: nil (not in the way), 'reserved', 'wait' or 'yield'.
local function judge(other, node)
  if other == holder then return nil end
  local o = redis.call('HMGET', PREFIX .. 'record:' .. other, 'kind', 'age', 'growth', 'isLanding', 'wanted')
  if not o[1] then return 'reserved' end
  if o[1] == 'merged' then
    if belongs_together(other, { exempt = cjson.decode(record[4]) }) then return nil end
    return 'yield'
  end
  if o[1] == 'hold' then return 'wait' end
  if came_later(o[3], o[5], node) then return nil end
  -- A landing takes nothing after base's branch. It waits for another landing, and for whoever works on base, unless
  -- that one waits itself: perhaps for this.
  if request.isLanding then return (o[4] or not o[3]) and 'wait' or 'yield' end
  return tonumber(o[2]) > tonumber(record[3]) and 'wait' or 'yield'
end

local reserved, blocked, yields = {}, nil, nil
for _, node in ipairs(wanted) do
  for _, other in ipairs(excluding_holders(node[1], node[2])) do
    local verdict = judge(other, node[1])
    local task = redis.call('HGET', PREFIX .. 'record:' .. other, 'task')
    if not task or task == '' then task = other end
    if verdict == 'reserved' then reserved[other] = true end
    if verdict == 'wait' then blocked = blocked or { obstacle = node[1], blocker = task } end
    if verdict == 'yield' then yields = yields or { obstacle = node[1], blocker = task } end
  end
end
if yields then return answer('yield', yields, {}) end
if blocked and not request.mayWait then return answer('refused', blocked, {}) end

-- Enters what is wanted; an entry in a weaker mode is replaced.
if not record[5] then
  for _, node in ipairs(wanted) do
    local old = had[node[1]]
    if old then drop_holder(holder, { old }) end
    had[node[1]] = node
  end
  add_holder(holder, wanted)
  local all = {}
  for _, node in ipairs(union) do
    all[#all + 1] = node
    had[node[1]] = nil
  end
  for _, node in pairs(had) do all[#all + 1] = node end
  redis.call('HSET', KEYS[1], 'nodes', write_nodes(all))
  if request.isLanding then redis.call('HSET', KEYS[1], 'isLanding', 1) end
end

local tickets = {}
for other in pairs(reserved) do tickets[#tickets + 1] = read_ticket(other) end
local grants = serve(put_back(tickets), request.keepAfterMs)

if blocked then
  if not record[5] then
    local number = redis.call('HINCRBY', PREFIX .. 'meta', 'growths', 1)
    redis.call('HSET', KEYS[1], 'wanted', write_nodes(wanted), 'growth', number)
    redis.call('ZADD', growing, number, holder)
  end
  return answer('waiting', blocked, grants)
end
redis.call('HDEL', KEYS[1], 'wanted', 'growth')
redis.call('ZREM', growing, holder)
local names = {}
for i, node in ipairs(wanted) do names[i] = node[1] end
return answer('grown', names, grants)
