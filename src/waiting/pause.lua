-- Pauses a queue: tasks that have a reservation but do not run yet go back in line. Or lets it go on.
--
-- KEYS  meta
-- ARGV  1 to pause or 0 to resume, keepAfterMs
-- Returns {1 if that is a change else 0, granted …}.
-- Atomic, because nobody may be granted between the mark and the reservations.

-- @include ./line.lua

local keep_after = tonumber(ARGV[2])
if ARGV[1] == '0' then
  if redis.call('HDEL', KEYS[1], 'paused') == 0 then return { 0 } end
  return with_count(1, serve({ { '#paused' } }, keep_after))
end
if redis.call('HSETNX', KEYS[1], 'paused', 1) == 0 then return { 0 } end
local reserved = {}
for _, id in ipairs(redis.call('ZRANGE', PREFIX .. 'granted', 0, -1)) do
  local ticket = read_ticket(id)
  if ticket and ticket.kind == 'task' then reserved[#reserved + 1] = ticket end
end
return with_count(1, serve(put_back(reserved), keep_after))
