-- Frees what a dead holder had. The caller has seen the lease missing long enough, on its own clock, for a live holder
-- to have stopped itself.
--
-- KEYS  record:<holder>
-- ARGV  value that the record had when it was first seen without a lease, keepAfterMs
-- Returns {1, granted …}, or {0} when there is nothing to free or the holder is alive.
-- Atomic, because the lease must still be missing when its record is freed.

-- @include ./free.lua

local holder = string.sub(KEYS[1], #PREFIX + #'record:' + 1)
local record = redis.call('HMGET', KEYS[1], 'value', 'task', 'kind', 'nodes', 'rank', 'class', 'policy', 'exempt')
if record[1] ~= ARGV[1] or record[3] == 'merged' then return { 0 } end
if redis.call('EXISTS', PREFIX .. 'lease:' .. holder) == 1 then return { 0 } end

-- A task whose worker died keeps its place: it is in line before what it held is given away, though no worker may have
-- noticed yet that its job is to be run again.
local task = record[2] or ''
local t = redis.call('HMGET', PREFIX .. 'task:' .. task, 'runner', 'terminal')
if t[1] == holder and not t[2] and redis.call('EXISTS', PREFIX .. 'ticket:' .. task) == 0 then
  local want = {
    id = task, kind = 'task', nodes = read_nodes(record[4]), rank = record[5], class = tonumber(record[6]),
    policy = record[7], exempt = cjson.decode(record[8]), since = NOW,
  }
  -- The first write is a removal, which a full Redis lets through.
  redis.call('HDEL', KEYS[1], '')
  write_ticket(want, record[4])
  file_under(want, want.nodes[1][1])
end
return with_count(1, free(holder, tonumber(ARGV[2])))
