-- Lock nodes: who holds what in which mode, and whether one more may. A fragment, included by the scripts.
--
-- How many hold a node, `held` says, see counts.lua.
-- `holding` says who: a zset of `<node>\0<holder>\0<mode>`, all with the same score, so that those of a node are a range.
-- node:<name> is a hash for what is rare: `s:<holder>` → the number of its slot, `k:<ticket>` → "<mode> <rank>".
-- A node list is a list of {name, mode, shown or nil}. Names of counted things begin with `#`, and their mode is `slot`.
-- A want is {id = ticket, nodes, rank, class, policy, exempt}: who asks, in which order, and how; `find_obstacle` adds the
-- texts of its nodes.

-- @include ./counts.lua
-- @include ./node-list.lua

local HOLDING = PREFIX .. 'holding'

-- The members of `holding` that some nodes of a holder are.
local function entries_of(holder, nodes)
  local entries = {}
  for i, node in ipairs(nodes) do entries[i] = node[1] .. '\0' .. holder .. '\0' .. node[2] end
  return entries
end

-- Who has a node: a list of {holder, mode}.
local function holders_of(node)
  local found = redis.call('ZRANGEBYLEX', HOLDING, '[' .. node .. '\0', '(' .. node .. '\1')
  for i, entry in ipairs(found) do found[i] = { string.match(entry, '^%Z*%z(%Z*)%z(%Z*)$') } end
  return found
end

local function enter(holder, nodes)
  in_parts(entries_of(holder, nodes), function(part)
    local scored = {}
    for i, entry in ipairs(part) do
      scored[2 * i - 1], scored[2 * i] = 0, entry
    end
    redis.call('ZADD', HOLDING, unpack(scored))
  end)
end

-- `texts` are those of the nodes, if they have just been read.
local function add_holder(holder, nodes, texts)
  change_counts(nodes, texts or texts_of(nodes), 1)
  enter(holder, nodes)
end

local function is_resource(node) return string.sub(node, 1, 10) == '#resource:' end

-- Counts anew how many hold nodes in their modes, from who does.
local function recount(nodes)
  local texts = texts_of(nodes)
  for i, node in ipairs(nodes) do
    local count = 0
    for _, other in ipairs(holders_of(node[1])) do
      if other[2] == node[2] then count = count + 1 end
    end
    texts[i] = with_count_of(texts[i], node[2], count)
  end
  write_texts(nodes, texts)
end

-- Takes a holder off its nodes. Where somebody has deleted an entry of it, the counts cannot be trusted either.
local function drop_holder(holder, nodes)
  local gone = 0
  in_parts(entries_of(holder, nodes), function(part) gone = gone + redis.call('ZREM', HOLDING, unpack(part)) end)
  if gone == #nodes then change_counts(nodes, texts_of(nodes), -1) else recount(nodes) end
  for _, node in ipairs(nodes) do
    if is_resource(node[1]) then redis.call('HDEL', PREFIX .. 'node:' .. node[1], 's:' .. holder) end
  end
end

-- Whether a holder's entries are all there, and counted.
local function holds_all(holder, nodes)
  local whole = true
  in_parts(entries_of(holder, nodes), function(part)
    for _, score in ipairs(redis.call('ZMSCORE', HOLDING, unpack(part))) do whole = whole and score end
  end)
  if not whole then return false end
  for i, text in ipairs(texts_of(nodes)) do
    local mode = nodes[i][2]
    if text ~= ONE[mode] and count_in(text, mode) == 0 then return false end
  end
  return true
end

-- Puts another holder in a holder's place: the counts stay.
local function replace_holder(old, new, nodes)
  in_parts(entries_of(old, nodes), function(part) redis.call('ZREM', HOLDING, unpack(part)) end)
  enter(new, nodes)
end

local function add_keep(ticket, rank, nodes)
  local new = {}
  for _, node in ipairs(nodes) do
    local is_new = redis.call('HSET', PREFIX .. 'node:' .. node[1], 'k:' .. ticket, node[2] .. ' ' .. rank) == 1
    if is_new then new[#new + 1] = node end
  end
  change_counts(new, texts_of(new), 1, 'K')
end

local function drop_keep(ticket, nodes)
  local kept = {}
  for _, node in ipairs(nodes) do
    local was_kept = redis.call('HDEL', PREFIX .. 'node:' .. node[1], 'k:' .. ticket) == 1
    if was_kept then kept[#kept + 1] = node end
  end
  change_counts(kept, texts_of(kept), -1, 'K')
end

-- Counts nodes that are kept until a branch is merged.
local function change_merged(nodes, by) change_counts(nodes, texts_of(nodes), by, 'M') end

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

-- `text` is the node's.
local function slots_are_taken(node, text, want)
  local limit = capacity(node)
  if not limit then return false end
  local used = count_in(text, 'slot')
  if used < limit and count_in(text, 'K') > 0 then used = used + keeps_before(node, 'slot', want) end
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
  for i = 2, #want.exempt do
    if want.exempt[1] .. want.exempt[i] == kept[2] then return true end
  end
  return false
end

local function is_branch(node)
  return string.find(node, '#branch:', 1, true) ~= nil
end

-- Whether a node with a mode of its own cannot be had; `text` is the node's. `gives_way(holder)`, where given, says that a
-- holder yields.
local function is_excluded(node, text, want, gives_way)
  -- Whoever proceeds runs beside the holders of its paths.
  if not text or (want.policy == 'proceed' and not is_branch(node[1])) then return false end
  if is_barred(text, node[2]) then
    local is_merged = count_in(text, 'M') > 0
    if not gives_way and not is_merged then return true end
    for _, holder in ipairs(excluding_holders(node[1], node[2])) do
      if not (gives_way and gives_way(holder)) and not (is_merged and belongs_together(holder, want)) then
        return true
      end
    end
  end
  return count_in(text, 'K') > 0 and keeps_before(node[1], node[2], want) > 0
end

-- Where in a list the first counted thing is that has a limit; nil if none has.
local function first_limited(nodes)
  local limits, places = {}, {}
  for i, node in ipairs(nodes) do
    if node[2] == 'slot' then
      places[#places + 1] = i
      limits[#limits + 1] = string.sub(node[1], 2)
    end
  end
  if #limits == 0 then return nil end
  for i, limit in ipairs(redis.call('HMGET', PREFIX .. 'limits', unpack(limits))) do
    -- A named resource that nobody has given a capacity has none.
    if limit or string.sub(limits[i], 1, 9) == 'resource:' then return places[i] end
  end
  return nil
end

-- The first node that `want` cannot have, or nil; counted things come last. While the queue is paused no task may have the
-- last thing it needs.
local function find_obstacle(want, gives_way)
  local nodes, texts = want.nodes, texts_of(want.nodes)
  want.texts = texts
  for i, node in ipairs(nodes) do
    if texts[i] and node[2] ~= 'slot' and is_excluded(node, texts[i], want, gives_way) then return node[1] end
  end
  for i = first_limited(nodes) or #nodes + 1, #nodes do
    local node = nodes[i]
    if node[2] == 'slot' and slots_are_taken(node[1], texts[i], want) then return node[1] end
  end
  if want.kind == 'task' and redis.call('HEXISTS', PREFIX .. 'meta', 'paused') == 1 then return '#paused' end
  return nil
end
