-- The line: tickets of blocked claims, each filed under one thing that blocks it. A fragment, included by the scripts.
--
-- A ticket is `waiting` (filed under a node) or `granted` (its nodes are reserved in its name until it acquires or
-- leaves). Invariant: a waiting ticket is filed under a node it cannot have now. Only freeing that node can change
-- this, and whatever frees a node serves its line in the same script, so no wake-up can be lost.

-- @include ../claims/nodes.lua
-- @include ../queue/bull.lua
-- @include ./fair.lua

local function read_ticket(id)
  local f = redis.call('HMGET', PREFIX .. 'ticket:' .. id, 'rank', 'since', 'under', 'state', 'keeps', 'kind', 'class',
    'policy', 'exempt')
  local nodes = f[1] and redis.call('GET', PREFIX .. 'wanted:' .. id)
  if not nodes then return nil end
  return {
    id = id, nodes_json = nodes, nodes = read_nodes(nodes), rank = f[1], since = tonumber(f[2]), under = f[3], state = f[4],
    keeps = f[5] == '1', kind = f[6], class = tonumber(f[7]), policy = f[8], exempt = cjson.decode(f[9]),
  }
end

-- Writes a ticket for a want, not filed under anything yet. Its nodes lie apart, so that the rest is small enough for Redis
-- to lay it out in one piece.
local function write_ticket(want, nodes_json)
  redis.call('SET', PREFIX .. 'wanted:' .. want.id, nodes_json)
  redis.call('HSET', PREFIX .. 'ticket:' .. want.id, 'rank', want.rank, 'since', want.since, 'kind', want.kind,
    'keeps', '0', 'class', want.class, 'policy', want.policy, 'exempt', cjson.encode(want.exempt))
  redis.call('ZADD', PREFIX .. 'tickets', want.rank, want.id)
end

-- Takes a ticket out of the line and gives back what is reserved or kept in its name. Returns the nodes that came free.
local function withdraw(ticket)
  if ticket.under then redis.call('ZREM', PREFIX .. 'line:' .. ticket.under, ticket.id) end
  redis.call('ZREM', PREFIX .. 'granted', ticket.id)
  local freed = {}
  if ticket.state == 'granted' then
    drop_holder(ticket.id, ticket.nodes)
    freed = ticket.nodes
  end
  if ticket.keeps then
    drop_keep(ticket.id, ticket.nodes)
    freed = ticket.nodes
  end
  return freed
end

-- Gives what is reserved for a granted ticket to its runner.
local function pass_on(ticket, holder)
  redis.call('ZREM', PREFIX .. 'granted', ticket.id)
  replace_holder(ticket.id, holder, ticket.nodes)
end

local function delete_ticket(id)
  redis.call('DEL', PREFIX .. 'ticket:' .. id, PREFIX .. 'wanted:' .. id)
  redis.call('ZREM', PREFIX .. 'tickets', id)
end

local function is_own_limit(node)
  return node and (string.sub(node, 1, 7) == '#owner:' or string.sub(node, 1, 6) == '#spec:') or false
end

local function file_under(ticket, node)
  if ticket.under and ticket.under ~= node then redis.call('ZREM', PREFIX .. 'line:' .. ticket.under, ticket.id) end
  if ticket.kind == 'task' and is_own_limit(node) ~= is_own_limit(ticket.under) then
    set_stopped(ticket.id, is_own_limit(node))
  end
  redis.call('ZADD', PREFIX .. 'line:' .. node, ticket.rank, ticket.id)
  redis.call('HSET', PREFIX .. 'ticket:' .. ticket.id, 'under', node, 'state', 'waiting')
  ticket.under, ticket.state = node, 'waiting'
end

-- Keeps all that a ticket wants for it, as it comes free.
local function keep_for(ticket)
  add_keep(ticket.id, ticket.rank, ticket.nodes)
  redis.call('HSET', PREFIX .. 'ticket:' .. ticket.id, 'keeps', '1')
  ticket.keeps = true
end

-- Reserves all that a ticket wants, which was just found to be free, and wakes whoever waits: a task's job, or by a message
-- a waiter that has none.
local function grant(ticket)
  redis.call('ZREM', PREFIX .. 'line:' .. ticket.under, ticket.id)
  if ticket.kind == 'task' and is_own_limit(ticket.under) then set_stopped(ticket.id, false) end
  if ticket.keeps then drop_keep(ticket.id, ticket.nodes) end
  add_holder(ticket.id, ticket.nodes, not ticket.keeps and ticket.texts or nil)
  redis.call('HSET', PREFIX .. 'ticket:' .. ticket.id, 'state', 'granted', 'keeps', '0')
  redis.call('HDEL', PREFIX .. 'ticket:' .. ticket.id, 'under')
  redis.call('ZADD', PREFIX .. 'granted', NOW, ticket.id)
  if ticket.kind == 'task' then promote_job(ticket.id) else redis.call('PUBLISH', PREFIX .. 'wake', ticket.id) end
end

-- A keep that cannot be met would hold others up for nothing.
local function can_be_met(ticket)
  for _, node in ipairs(ticket.nodes) do
    if node[2] == 'slot' and capacity(node[1]) == 0 then return false end
  end
  return true
end

-- First fit, bounded: who was passed by for too long has its nodes kept as they come free.
local function pass_over(ticket, keep_after)
  redis.call('HINCRBY', PREFIX .. 'ticket:' .. ticket.id, 'passed', 1)
  if not ticket.keeps and NOW - ticket.since >= keep_after and can_be_met(ticket) then keep_for(ticket) end
end

-- Whether nobody in a node's line from this ticket on can have the node: it is held whole, or kept whole for an
-- earlier one, or all its slots are taken.
local function is_closed(node, ticket)
  local want = { id = '', rank = ticket[2] }
  local text = redis.call('HGET', HELD, node)
  if string.sub(node, 1, 1) == '#' and node ~= '#paused' then return slots_are_taken(node, text, want) end
  if count_in(text, 'X') > 0 then return count_in(text, 'M') == 0 end
  return count_in(text, 'K') > 0 and keeps_before(node, 'IS', want) > 0
end

-- The next ticket by rank among the open lines, with the line it stands in.
local function next_in(lines)
  local best
  for i = #lines, 1, -1 do
    local line = lines[i]
    local head = redis.call('ZRANGE', PREFIX .. 'line:' .. line.node, line.at, line.at, 'WITHSCORES')
    if #head == 0 or is_closed(line.node, head) then
      table.remove(lines, i)
    elseif not best or tonumber(head[2]) < tonumber(best.rank) or (head[2] == best.rank and head[1] < best.id) then
      best = { line = line, id = head[1], rank = head[2] }
    end
  end
  return best
end

-- Serves the lines of freed nodes: in order of rank, every ticket that can now have everything gets a reservation, the
-- others are filed under what blocks them now; ends when what was freed is taken. Returns a list of "<kind> <ticket>".
local function serve(nodes, keep_after)
  local granted, lines = {}, {}
  -- Mostly nobody waits at all, or for nothing of it.
  if #nodes == 0 or redis.call('EXISTS', PREFIX .. 'tickets') == 0 then return granted end
  in_parts(nodes, function(part)
    local keys = {}
    for i, node in ipairs(part) do keys[i] = PREFIX .. 'line:' .. node[1] end
    if redis.call('EXISTS', unpack(keys)) == 0 then return end
    for i, node in ipairs(part) do
      if redis.call('EXISTS', keys[i]) == 1 then lines[#lines + 1] = { node = node[1], at = 0 } end
    end
  end)
  while #lines > 0 do
    local head = next_in(lines)
    if not head then break end
    local ticket = read_ticket(head.id)
    if not ticket then
      redis.call('ZREM', PREFIX .. 'line:' .. head.line.node, head.id)
    else
      local obstacle = find_obstacle(ticket)
      if not obstacle then
        grant(ticket)
        granted[#granted + 1] = ticket.kind .. ' ' .. ticket.id
      elseif obstacle ~= head.line.node then
        file_under(ticket, obstacle)
        pass_over(ticket, keep_after)
      else
        head.line.at = head.line.at + 1
        pass_over(ticket, keep_after)
      end
    end
  end
  return granted
end

-- Takes reservations back: their tickets go in line again, under what they cannot have now. Call once whatever they
-- shall give way to is in place. Returns the nodes that came free, whose lines are still to be served.
local function put_back(tickets)
  local freed = {}
  for _, ticket in ipairs(tickets) do
    for _, node in ipairs(withdraw(ticket)) do freed[#freed + 1] = node end
    ticket.keeps = false
  end
  for _, ticket in ipairs(tickets) do
    redis.call('HSET', PREFIX .. 'ticket:' .. ticket.id, 'keeps', '0')
    -- With nothing in its way it stands under what it had, whose line is served next.
    file_under(ticket, find_obstacle(ticket) or ticket.nodes[1][1])
  end
  return freed
end

-- An answer: a count, then what was granted. Not by unpack, which fails beyond some thousand values.
local function with_count(count, granted)
  table.insert(granted, 1, count)
  return granted
end
