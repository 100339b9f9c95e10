-- Enters a claim on a lock server, or renews it there: all of its nodes or none. What the server has lost of it is
-- entered again.
--
-- The entries of a holder count as long as its `lock-lease`. A server whose memory may have gaps, because it was
-- started or emptied, enters claims but does not vote for a TTL: by then every claim that it may have forgotten has
-- been renewed elsewhere, and so refused here, or has ended.
--
-- KEYS  lock-lease:<holder>
-- ARGV  value (redlock's), lease TTL in ms, nodes as JSON: [[name, mode] …], without slots
-- Returns 1 for yes, 0 when somebody else's entry excludes it, -1 when it is entered but the server does not vote.
-- Atomic, because a check and an entry apart would let two in.

-- @include ./nodes.lua

local ttl, nodes = ARGV[2], cjson.decode(ARGV[3])
local holder = string.sub(KEYS[1], #PREFIX + #'lock-lease:' + 1)

local start = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if redis.call('GET', PREFIX .. 'lock-start') ~= start then
  redis.call('SET', PREFIX .. 'lock-start', start)
  redis.call('SET', PREFIX .. 'lock-recovering', 1, 'PX', ttl)
end

local is_alive = redis.call('EXISTS', KEYS[1]) == 1

-- Entries of holders that have stopped renewing are taken away when they are met.
local function is_excluded_by_others(node)
  local key, found = PREFIX .. 'lock:' .. node[1], false
  if is_alive and redis.call('HGET', key, holder) == node[2] then return false end
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    local other, mode = fields[i], fields[i + 1]
    if other ~= holder then
      if redis.call('EXISTS', PREFIX .. 'lock-lease:' .. other) == 0 then
        redis.call('HDEL', key, other)
      elseif excludes(node[2], mode) then
        found = true
      end
    end
  end
  return found
end

for _, node in ipairs(nodes) do
  if is_excluded_by_others(node) then return 0 end
end
for _, node in ipairs(nodes) do
  redis.call('HSET', PREFIX .. 'lock:' .. node[1], holder, node[2])
  redis.call('PEXPIRE', PREFIX .. 'lock:' .. node[1], ttl)
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ttl)
return redis.call('EXISTS', PREFIX .. 'lock-recovering') == 1 and -1 or 1
