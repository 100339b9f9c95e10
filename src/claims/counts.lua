-- How many hold a node in which mode, and which modes exclude which. A fragment, included by nodes.lua.
--
-- `held` is a hash of texts: `<node>` → eight numbers, in the order of PLACE: how many hold the node in each mode, for how
-- many tickets that have waited too long it is kept (`K`), and how many keep it until their branch is merged (`M`). So one
-- HMGET answers for a whole claim. Mostly nobody holds a node, or one does, and no text has to be taken apart.

-- @include ../redis/queue.lua

local HELD = PREFIX .. 'held'
-- Lua hands no more than some thousand values to a command.
local AT_ONCE = 1000

local PLACE = { X = 1, SIX = 2, S = 3, IX = 4, IS = 5, slot = 6, K = 7, M = 8 }
local COUNTS = '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$'
-- The text for a single one.
local ONE = {
  X = '1 0 0 0 0 0 0 0', SIX = '0 1 0 0 0 0 0 0', S = '0 0 1 0 0 0 0 0', IX = '0 0 0 1 0 0 0 0', IS = '0 0 0 0 1 0 0 0',
  slot = '0 0 0 0 0 1 0 0', K = '0 0 0 0 0 0 1 0', M = '0 0 0 0 0 0 0 1',
}
local NONE = '0 0 0 0 0 0 0 0'

-- The modes that a mode excludes, by their places; the same table as modes.ts. A slot is limited by its node's capacity.
local EXCLUDES = { IS = { 1 }, IX = { 1, 2, 3 }, S = { 1, 2, 4 }, SIX = { 1, 2, 3, 4 }, X = { 1, 2, 3, 4, 5 }, slot = {} }

local function excludes(a, b)
  for _, place in ipairs(EXCLUDES[a]) do
    if place == PLACE[b] then return true end
  end
  return false
end

-- Calls `fn` with parts of a list that a command can take.
local function in_parts(list, fn)
  if #list <= AT_ONCE then
    if #list > 0 then fn(list) end
    return
  end
  for from = 1, #list, AT_ONCE do fn({ unpack(list, from, math.min(#list, from + AT_ONCE - 1)) }) end
end

-- The texts of some nodes, in their order; false where there is none.
local function texts_of(nodes)
  local names, texts = {}, {}
  for i, node in ipairs(nodes) do names[i] = node[1] end
  in_parts(names, function(part)
    for _, text in ipairs(redis.call('HMGET', HELD, unpack(part))) do texts[#texts + 1] = text end
  end)
  return texts
end

-- How many of what a text says; what is no text of counts says none.
local function count_in(text, what)
  return text and tonumber((select(PLACE[what], string.match(text, COUNTS)))) or 0
end

local function count_of(node, what) return count_in(redis.call('HGET', HELD, node), what) end

-- Whether somebody holds a node with this text in a mode that excludes `mode`.
local function is_barred(text, mode)
  local counts = { string.match(text, COUNTS) }
  for _, place in ipairs(EXCLUDES[mode]) do
    if counts[place] ~= '0' and counts[place] then return true end
  end
  return false
end

-- The text with one count set; nil if nothing is left.
local function with_count_of(text, what, count)
  local counts = { string.match(text or NONE, COUNTS) }
  if not counts[1] then counts = { 0, 0, 0, 0, 0, 0, 0, 0 } end
  counts[PLACE[what]] = math.max(0, count)
  local new = table.concat(counts, ' ')
  if new == NONE then return nil end
  return new
end

local function write_texts(nodes, texts)
  local set, gone = {}, {}
  for i, node in ipairs(nodes) do
    if texts[i] then
      set[#set + 1] = node[1]
      set[#set + 1] = texts[i]
    else
      gone[#gone + 1] = node[1]
    end
  end
  in_parts(gone, function(part) redis.call('HDEL', HELD, unpack(part)) end)
  in_parts(set, function(part) redis.call('HSET', HELD, unpack(part)) end)
end

-- Counts one more or less of `what`, or of its own mode, on each of some nodes, which have these texts now.
local function change_counts(nodes, texts, by, what)
  local changed = {}
  for i, node in ipairs(nodes) do
    local text, of = texts[i], what or node[2]
    if by > 0 and not text then
      changed[i] = ONE[of]
    elseif by > 0 or (text and text ~= ONE[of]) then
      changed[i] = with_count_of(text, of, count_in(text, of) + by)
    end
  end
  write_texts(nodes, changed)
end
