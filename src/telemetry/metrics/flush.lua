-- Adds what a worker has counted to what the queue has counted. Of owners only the busiest of late have fields of their
-- own; what belongs to the others is added up under one name.
--
-- KEYS  metrics, metric-owners, metric-series
-- ARGV  increments as JSON [[field, by] …], owners as JSON [[owner, observations, [[end of the field, by] …]] …],
--       name of the owners' metric, how many have fields of their own, name of all others together,
--       all ends of the owners' fields as JSON
-- Returns nothing.
-- Atomic, because all workers write here, and whoever comes in must take the place of exactly one.

local METRICS, OWNERS, SERIES = KEYS[1], KEYS[2], KEYS[3]
local metric, most, others = ARGV[3], tonumber(ARGV[4]), ARGV[5]
-- Scores are halved from here on, so that they tell of the last some thousand tasks.
local OLD_NEWS = 1000

local function add(field, by)
  redis.call('HINCRBYFLOAT', METRICS, field, by)
end

local function score_of(owner)
  return tonumber(redis.call('ZSCORE', OWNERS, owner) or 0)
end

-- Whether an owner has fields of its own. Once they are all given away, a newcomer gets those of the least busy, if it is
-- twice as busy: else two of about the same would drive out each other, and lose what was counted, again and again.
local function has_fields(owner)
  if redis.call('SISMEMBER', SERIES, owner) == 1 then return true end
  if redis.call('SCARD', SERIES) >= most then
    local least, score
    for _, other in ipairs(redis.call('SMEMBERS', SERIES)) do
      local its = score_of(other)
      if not score or its < score then least, score = other, its end
    end
    if score_of(owner) <= 2 * score then return false end
    redis.call('SREM', SERIES, least)
    for _, part in ipairs(cjson.decode(ARGV[6])) do redis.call('HDEL', METRICS, metric .. '|' .. least .. '|' .. part) end
  end
  redis.call('SADD', SERIES, owner)
  return true
end

for _, one in ipairs(cjson.decode(ARGV[1])) do add(one[1], one[2]) end

for _, one in ipairs(cjson.decode(ARGV[2])) do
  local owner = one[1]
  local score = tonumber(redis.call('ZINCRBY', OWNERS, one[2], owner))
  if score > OLD_NEWS then redis.call('ZUNIONSTORE', OWNERS, 1, OWNERS, 'WEIGHTS', 0.5) end
  local name = owner ~= others and has_fields(owner) and owner or others
  for _, part in ipairs(one[3]) do add(metric .. '|' .. name .. '|' .. part[1], part[2]) end
end
local surplus = redis.call('ZCARD', OWNERS) - 10 * most
if surplus > 0 then redis.call('ZREMRANGEBYRANK', OWNERS, 0, surplus - 1) end
