-- Lock nodes: who holds what in which mode, and whether one more may. A fragment, included by the scripts.
--
-- node:<name> is a hash: a count per mode held (`X`, `S`, `slot`, …), `h:<holder>` → mode, `s:<holder>` → the number of
-- its slot, and for tickets that have waited too long `k:<ticket>` → "<mode> <rank>", counted in `K`. `M` counts the
-- holders that keep a node until their branch is merged. The counts make the common test one HMGET.
-- A node list is a list of {name, mode, shown}. Names of counted things begin with `#`, and their mode is `slot`.
-- A want is {id = ticket, nodes, rank, class, policy, exempt}: who asks, in which order, and how.

-- @include ../redis/queue.lua

-- Which modes exclude which; the same table as modes.ts. A slot is limited by its node's capacity instead.
local EXCLUDES = {
  IS = { 'X' },
  IX = { 'S', 'SIX', 'X' },
  S = { 'IX', 'SIX', 'X' },
  SIX = { 'IX', 'S', 'SIX', 'X' },
  X = { 'IS', 'IX', 'S', 'SIX', 'X' },
  slot = {},
}

local function excludes(a, b)
  for _, mode in ipairs(EXCLUDES[a]) do
    if mode == b then return true end
  end
  return false
end

local function add_holder(holder, nodes)
  for _, node in ipairs(nodes) do
    local key = PREFIX .. 'node:' .. node[1]
    redis.call('HSET', key, 'h:' .. holder, node[2])
    redis.call('HINCRBY', key, node[2], 1)
  end
end

local function decrease(key, field)
  if redis.call('HINCRBY', key, field, -1) <= 0 then redis.call('HDEL', key, field) end
end

-- Takes a holder off its nodes. An entry that somebody deleted is not counted down again.
local function drop_holder(holder, nodes)
  for _, node in ipairs(nodes) do
    local key = PREFIX .. 'node:' .. node[1]
    if redis.call('HDEL', key, 'h:' .. holder) == 1 then
      decrease(key, node[2])
      if node[2] == 'slot' then redis.call('HDEL', key, 's:' .. holder) end
    end
  end
end

local function add_keep(ticket, rank, nodes)
  for _, node in ipairs(nodes) do
    local key = PREFIX .. 'node:' .. node[1]
    if redis.call('HSET', key, 'k:' .. ticket, node[2] .. ' ' .. rank) == 1 then redis.call('HINCRBY', key, 'K', 1) end
  end
end

local function drop_keep(ticket, nodes)
  for _, node in ipairs(nodes) do
    local key = PREFIX .. 'node:' .. node[1]
    if redis.call('HDEL', key, 'k:' .. ticket) == 1 then decrease(key, 'K') end
  end
end

-- How many tickets with an earlier rank keep this node from `want`, asking for `mode`. A slot is kept from everybody.
local function keeps_before(key, mode, want)
  local count = 0
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 2) == 'k:' and fields[i] ~= 'k:' .. want.id then
      local kept_mode, kept_rank = string.match(fields[i + 1], '^(%S+) (%S+)$')
      if tonumber(kept_rank) < tonumber(want.rank) and (mode == 'slot' or excludes(mode, kept_mode)) then
        count = count + 1
      end
    end
  end
  return count
end

-- A ticket that a node is kept for.
local function keeper_of(key)
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 2) == 'k:' then return string.sub(fields[i], 3) end
  end
  return ''
end

-- The holders of a node that exclude `mode`; for a slot all of them.
local function excluding_holders(key, mode)
  local found = {}
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 2) == 'h:' and (mode == 'slot' or excludes(mode, fields[i + 1])) then
      found[#found + 1] = string.sub(fields[i], 3)
    end
  end
  return found
end

-- How many may hold a counted thing: nil for no limit. A named resource that nobody has given a capacity has none.
local function capacity(node)
  local limit = redis.call('HGET', PREFIX .. 'limits', string.sub(node, 2))
  if limit then return tonumber(limit) end
  if string.sub(node, 1, 10) == '#resource:' then return 0 end
  return nil
end

local function slots_are_taken(node, want)
  local limit = capacity(node)
  if not limit then return false end
  local key = PREFIX .. 'node:' .. node
  local counts = redis.call('HMGET', key, 'slot', 'K')
  local used = tonumber(counts[1] or 0)
  if used < limit and counts[2] then used = used + keeps_before(key, 'slot', want) end
  return used >= limit
end

-- The lowest free number of a named resource, from 1.
local function number_slot(node, holder)
  local key, used = PREFIX .. 'node:' .. node, {}
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 2) == 's:' then used[tonumber(fields[i + 1])] = true end
  end
  local number = 1
  while used[number] do number = number + 1 end
  redis.call('HSET', key, 's:' .. holder, number)
  return number
end

-- Whether a holder keeps its paths until its branch is merged, and `want` is on that branch or stacked upon it.
local function belongs_together(holder, want)
  local kept = redis.call('HMGET', PREFIX .. 'record:' .. holder, 'kind', 'branch')
  if kept[1] ~= 'merged' then return false end
  for _, branch in ipairs(want.exempt) do
    if branch == kept[2] then return true end
  end
  return false
end

local function is_branch(node)
  return string.find(node, '#branch:', 1, true) ~= nil
end

-- Whether a node with a mode of its own cannot be had. `gives_way(holder)`, where given, says that a holder yields.
local function is_excluded(node, want, gives_way)
  local key = PREFIX .. 'node:' .. node[1]
  local counts = redis.call('HMGET', key, 'K', 'M', unpack(EXCLUDES[node[2]]))
  -- Whoever proceeds runs beside the holders of its paths.
  if want.policy == 'proceed' and not is_branch(node[1]) then return false end
  local held = false
  for i = 3, #counts do
    if counts[i] and tonumber(counts[i]) > 0 then held = true end
  end
  if held then
    if not gives_way and not counts[2] then return true end
    for _, holder in ipairs(excluding_holders(key, node[2])) do
      if not (gives_way and gives_way(holder)) and not (counts[2] and belongs_together(holder, want)) then
        return true
      end
    end
  end
  return counts[1] and keeps_before(key, node[2], want) > 0
end

-- The first node that `want` cannot have, or nil. While the queue is paused no task may have the last thing it needs.
local function find_obstacle(want, gives_way)
  for _, node in ipairs(want.nodes) do
    if node[2] == 'slot' then
      if slots_are_taken(node[1], want) then return node[1] end
    elseif is_excluded(node, want, gives_way) then
      return node[1]
    end
  end
  if want.kind == 'task' and redis.call('HEXISTS', PREFIX .. 'meta', 'paused') == 1 then return '#paused' end
  return nil
end
