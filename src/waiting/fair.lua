-- Start-time fair queueing between owners: the rules of fair.ts on Redis. A fragment, included by the scripts.
--
-- `waiting:<class>` is a zset of waiting tasks by start; those stopped by a limit of their own are not in it. `fair` is
-- a hash: `v:<class>` → virtual time, `b:<class>` → where the next newcomer starts, `n:<owner>` → how many
-- of an owner's tasks wait, `f:<owner>` → where its last one ends. `limits` has the owners' weights. A task's record has its owner, class and start.

local QUANTUM = 1024
local NEWCOMER_STEP = 16
local URGENT_LEAD = 1099511627776
local LEAD = 10000 * QUANTUM
local LAGS = { 0, URGENT_LEAD, URGENT_LEAD + LEAD, URGENT_LEAD + 2 * LEAD }

local function cost_of(owner)
  local weight = tonumber(redis.call('HGET', PREFIX .. 'limits', 'weight:' .. owner) or 1)
  return math.max(1, math.floor(QUANTUM / weight))
end

-- Now, for this class.
local function virtual_time(class)
  local earliest, now = nil, 1
  for at = 0, class do
    local head = redis.call('ZRANGE', PREFIX .. 'waiting:' .. at, 0, 0, 'WITHSCORES')
    if head[2] and (not earliest or tonumber(head[2]) < earliest) then earliest = tonumber(head[2]) end
    local before = tonumber(redis.call('HGET', PREFIX .. 'fair', 'v:' .. at) or 1)
    now = math.max(now, before, earliest or 0)
    if now > before then redis.call('HSET', PREFIX .. 'fair', 'v:' .. at, now) end
  end
  return now
end

-- A task that stands in line is stopped by a limit of its owner or spec, or is not any more.
local function set_stopped(id, stopped)
  local t = redis.call('HMGET', PREFIX .. 'task:' .. id, 'class', 'start', 'inLine')
  if not t[3] then return end
  if stopped then
    redis.call('ZREM', PREFIX .. 'waiting:' .. t[1], id)
  else
    redis.call('ZADD', PREFIX .. 'waiting:' .. t[1], t[2], id)
  end
end

-- A task waits from now on: `line` is what its record says of it (owner, class, start, is_in), `fields` what is to be
-- written to the record. The first time it gets its start and rank, which it keeps for all its runs.
local function join_line(id, line, fields)
  if line.is_in or not line.owner then return end
  local owner, class, start = line.owner, tonumber(line.class or 2), tonumber(line.start)
  local fair = PREFIX .. 'fair'
  if not start then
    start = virtual_time(class)
    local next_start = redis.call('HGET', fair, 'f:' .. owner)
    if next_start then
      start = math.max(start, tonumber(next_start))
    else
      start = math.max(start - 1, tonumber(redis.call('HGET', fair, 'b:' .. class) or 0))
      redis.call('HSET', fair, 'b:' .. class, start + NEWCOMER_STEP)
    end
    fields.start, fields.rank = start, start + LAGS[class + 1]
    redis.call('HSET', fair, 'f:' .. owner, start + cost_of(owner))
  end
  redis.call('HINCRBY', fair, 'n:' .. owner, 1)
  fields.inLine = 1
  redis.call('ZADD', PREFIX .. 'waiting:' .. class, start, id)
end

-- A task waits no more.
local function quit_line(id, line, fields)
  if not line.is_in then return end
  fields.inLine = cjson.null
  redis.call('ZREM', PREFIX .. 'waiting:' .. (line.class or 2), id)
  if redis.call('HINCRBY', PREFIX .. 'fair', 'n:' .. line.owner, -1) <= 0 then
    redis.call('HDEL', PREFIX .. 'fair', 'n:' .. line.owner, 'f:' .. line.owner)
  end
end
