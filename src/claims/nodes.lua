-- Lock nodes: who holds what in which mode, and whether one more may. A fragment, included by the scripts.
--
-- `held` is a hash of counts: `<node> <mode>` → how many hold a node in a mode (`X`, `S`, `slot`, …), `<node> K` → for how
-- many tickets that have waited too long it is kept, `<node> M` → how many keep it until their branch is merged; `K` and
-- `M` alone count all of these. So one HMGET answers for a whole claim whether anything is in its way.
-- `holding` says who: a zset of `<node>\0<holder>\0<mode>`, all with the same score, so that those of a node are a range.
-- node:<name> is a hash for what is rare: `s:<holder>` → the number of its slot, `k:<ticket>` → "<mode> <rank>".
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

local HELD, HOLDING = PREFIX .. 'held', PREFIX .. 'holding'
-- Lua hands no more than some thousand values to a command.
local AT_ONCE = 1000

-- Calls `fn` with parts of a list that a command can take.
local function in_parts(list, fn)
  for from = 1, #list, AT_ONCE do fn({ unpack(list, from, math.min(#list, from + AT_ONCE - 1)) }) end
end

-- Adds to counts, each named once.
local function change_counts(fields, by)
  in_parts(fields, function(part)
    local counts, set, gone = redis.call('HMGET', HELD, unpack(part)), {}, {}
    for i, field in ipairs(part) do
      local count = tonumber(counts[i] or 0) + by
      if count > 0 then
        set[#set + 1] = field
        set[#set + 1] = count
      else
        gone[#gone + 1] = field
      end
    end
    if #gone > 0 then redis.call('HDEL', HELD, unpack(gone)) end
    if #set > 0 then redis.call('HSET', HELD, unpack(set)) end
  end)
end

local function count_field(node, mode) return node .. ' ' .. mode end

-- How many hold a node in a mode.
local function count_of(node, mode) return tonumber(redis.call('HGET', HELD, count_field(node, mode)) or 0) end

-- The fields of `held` and the members of `holding` that some nodes of a holder are.
local function entries_of(holder, nodes)
  local fields, entries = {}, {}
  for i, node in ipairs(nodes) do
    fields[i] = count_field(node[1], node[2])
    entries[i] = node[1] .. '\0' .. holder .. '\0' .. node[2]
  end
  return fields, entries
end

-- Who has a node: a list of {holder, mode}.
local function holders_of(node)
  local found = redis.call('ZRANGEBYLEX', HOLDING, '[' .. node .. '\0', '(' .. node .. '\1')
  for i, entry in ipairs(found) do found[i] = { string.match(entry, '^%Z*%z(%Z*)%z(%Z*)$') } end
  return found
end

local function enter(entries)
  local scored = {}
  for _, entry in ipairs(entries) do
    scored[#scored + 1] = 0
    scored[#scored + 1] = entry
  end
  redis.call('ZADD', HOLDING, unpack(scored))
end

local function add_holder(holder, nodes)
  in_parts(nodes, function(part)
    local fields, entries = entries_of(holder, part)
    change_counts(fields, 1)
    enter(entries)
  end)
end

local function is_resource(node) return string.sub(node, 1, 10) == '#resource:' end

-- Counts anew how many hold a node in a mode, from who does.
local function recount(node)
  local count, field = 0, count_field(node[1], node[2])
  for _, other in ipairs(holders_of(node[1])) do
    if other[2] == node[2] then count = count + 1 end
  end
  if count > 0 then redis.call('HSET', HELD, field, count) else redis.call('HDEL', HELD, field) end
end

-- Takes a holder off its nodes. Where somebody has deleted its entry, the count cannot be trusted either.
local function drop_holder(holder, nodes)
  in_parts(nodes, function(part)
    local fields, entries = entries_of(holder, part)
    local scores = redis.call('ZMSCORE', HOLDING, unpack(entries))
    local counted, gone = {}, {}
    for i, node in ipairs(part) do
      if scores[i] then
        counted[#counted + 1], gone[#gone + 1] = fields[i], entries[i]
        if is_resource(node[1]) then redis.call('HDEL', PREFIX .. 'node:' .. node[1], 's:' .. holder) end
      end
    end
    if #gone > 0 then
      redis.call('ZREM', HOLDING, unpack(gone))
      change_counts(counted, -1)
    end
    for i, node in ipairs(part) do
      if not scores[i] then recount(node) end
    end
  end)
end

-- Whether a holder's entries are all there, and counted.
local function holds_all(holder, nodes)
  local whole = true
  in_parts(nodes, function(part)
    local fields, entries = entries_of(holder, part)
    for _, score in ipairs(redis.call('ZMSCORE', HOLDING, unpack(entries))) do whole = whole and score end
    for _, count in ipairs(redis.call('HMGET', HELD, unpack(fields))) do whole = whole and count end
  end)
  return whole
end

-- Puts another holder in a holder's place: the counts stay.
local function replace_holder(old, new, nodes)
  in_parts(nodes, function(part)
    local _, gone = entries_of(old, part)
    local _, entries = entries_of(new, part)
    redis.call('ZREM', HOLDING, unpack(gone))
    enter(entries)
  end)
end

local function kept_fields(node) return { count_field(node, 'K'), 'K' } end

local function add_keep(ticket, rank, nodes)
  for _, node in ipairs(nodes) do
    local value = node[2] .. ' ' .. rank
    local is_new = redis.call('HSET', PREFIX .. 'node:' .. node[1], 'k:' .. ticket, value) == 1
    if is_new then change_counts(kept_fields(node[1]), 1) end
  end
end

local function drop_keep(ticket, nodes)
  for _, node in ipairs(nodes) do
    local was_kept = redis.call('HDEL', PREFIX .. 'node:' .. node[1], 'k:' .. ticket) == 1
    if was_kept then change_counts(kept_fields(node[1]), -1) end
  end
end

-- Counts nodes that are kept until a branch is merged.
local function change_merged(nodes, by)
  for _, node in ipairs(nodes) do change_counts({ count_field(node[1], 'M'), 'M' }, by) end
end

-- How many tickets with an earlier rank keep this node from `want`, asking for `mode`. A slot is kept from everybody.
local function keeps_before(node, mode, want)
  local count = 0
  local fields = redis.call('HGETALL', PREFIX .. 'node:' .. node)
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
local function keeper_of(node)
  local fields = redis.call('HGETALL', PREFIX .. 'node:' .. node)
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 2) == 'k:' then return string.sub(fields[i], 3) end
  end
  return ''
end

-- The holders of a node that exclude `mode`; for a slot all of them.
local function excluding_holders(node, mode)
  local found = {}
  for _, other in ipairs(holders_of(node)) do
    if mode == 'slot' or excludes(mode, other[2]) then found[#found + 1] = other[1] end
  end
  return found
end

-- How many may hold a counted thing: nil for no limit. A named resource that nobody has given a capacity has none.
local function capacity(node)
  local limit = redis.call('HGET', PREFIX .. 'limits', string.sub(node, 2))
  if limit then return tonumber(limit) end
  if is_resource(node) then return 0 end
  return nil
end

local function slots_are_taken(node, want)
  local limit = capacity(node)
  if not limit then return false end
  local counts = redis.call('HMGET', HELD, count_field(node, 'slot'), count_field(node, 'K'))
  local used = tonumber(counts[1] or 0)
  if used < limit and counts[2] then used = used + keeps_before(node, 'slot', want) end
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
  -- Whoever proceeds runs beside the holders of its paths.
  if want.policy == 'proceed' and not is_branch(node[1]) then return false end
  local fields = { count_field(node[1], 'K'), count_field(node[1], 'M') }
  for _, mode in ipairs(EXCLUDES[node[2]]) do fields[#fields + 1] = count_field(node[1], mode) end
  local counts = redis.call('HMGET', HELD, unpack(fields))
  local held = false
  for i = 3, #counts do held = held or counts[i] end
  if held then
    if not gives_way and not counts[2] then return true end
    for _, holder in ipairs(excluding_holders(node[1], node[2])) do
      if not (gives_way and gives_way(holder)) and not (counts[2] and belongs_together(holder, want)) then
        return true
      end
    end
  end
  return counts[1] and keeps_before(node[1], node[2], want) > 0
end

-- Where in a list the first node is that may not be had, by one look at the counts of many; nil if all may be. Who
-- judges for good are `is_excluded` and `slots_are_taken`.
local function first_in_doubt(nodes)
  local fields, places, limits, first_slot = { 'K' }, { 1 }, {}, nil
  for i, node in ipairs(nodes) do
    for _, mode in ipairs(EXCLUDES[node[2]]) do
      fields[#fields + 1] = count_field(node[1], mode)
      places[#fields] = i
    end
    if node[2] == 'slot' then
      first_slot = first_slot or i
      limits[#limits + 1] = string.sub(node[1], 2)
    end
  end
  for from = 1, #fields, AT_ONCE do
    local to = math.min(#fields, from + AT_ONCE - 1)
    for at, count in ipairs(redis.call('HMGET', HELD, unpack(fields, from, to))) do
      local place = count and places[from + at - 1]
      if place then return math.min(place, first_slot or place) end
    end
  end
  if not first_slot then return nil end
  for i, limit in ipairs(redis.call('HMGET', PREFIX .. 'limits', unpack(limits))) do
    -- A named resource that nobody has given a capacity has none.
    if limit or string.sub(limits[i], 1, 9) == 'resource:' then return first_slot end
  end
  return nil
end

-- The first node that `want` cannot have, or nil. While the queue is paused no task may have the last thing it needs.
local function find_obstacle(want, gives_way)
  for i = first_in_doubt(want.nodes) or #want.nodes + 1, #want.nodes do
    local node = want.nodes[i]
    if node[2] == 'slot' then
      if slots_are_taken(node[1], want) then return node[1] end
    elseif is_excluded(node, want, gives_way) then
      return node[1]
    end
  end
  if want.kind == 'task' and redis.call('HEXISTS', PREFIX .. 'meta', 'paused') == 1 then return '#paused' end
  return nil
end
