-- Changes how many may hold a counted thing, and serves those who wait for it.
--
-- KEYS  limits
-- ARGV  name (owner:NAME, spec:NAME, resource:NAME or weight:NAME), the number or '' for none, keepAfterMs
-- Returns {1, granted …}; {0} when a resource is to lose its capacity while it is held or waited for.
-- Atomic, because whoever is let in must be counted by the new limit.

-- @include ./line.lua

local name, keep_after = ARGV[1], tonumber(ARGV[3])
local node = '#' .. name
local kind = string.match(name, '^(%a+):')
if ARGV[2] == '' then
  local used = count_of(node, 'slot') + count_of(node, 'K') + redis.call('EXISTS', PREFIX .. 'line:' .. node)
  if kind == 'resource' and used > 0 then return { 0 } end
  redis.call('HDEL', KEYS[1], name)
else
  redis.call('HSET', KEYS[1], name, ARGV[2])
end
if kind == 'weight' then return { 1 } end

-- What is only reserved does not run yet: the last in rank go back in line until the rest fits.
local limit, reserved = capacity(node), {}
if limit then
  local surplus = count_of(node, 'slot') - limit
  if surplus > 0 then
    for _, holder in ipairs(excluding_holders(node, 'slot')) do
      local ticket = read_ticket(holder)
      if ticket and ticket.state == 'granted' then reserved[#reserved + 1] = ticket end
    end
    table.sort(reserved, function(a, b) return tonumber(a.rank) > tonumber(b.rank) end)
    while #reserved > surplus do table.remove(reserved) end
  end
end
local freed = put_back(reserved)
freed[#freed + 1] = { node, 'slot' }
return with_count(1, serve(freed, keep_after))
