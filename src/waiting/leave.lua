-- Takes a ticket out of the line for good: unfiled, its reservation and keeps given back, the line served.
--
-- KEYS  ticket:<id>
-- ARGV  keepAfterMs
-- Returns {1, granted …}, or {0} when there is no such ticket.
-- Atomic, because a reservation given back and not handed on would be a lost wake-up.

-- @include ./line.lua

local id = string.sub(KEYS[1], #PREFIX + #'ticket:' + 1)
local ticket = read_ticket(id)
if not ticket then return { 0 } end
local freed = withdraw(ticket)
delete_ticket(id)
return with_count(1, serve(freed, tonumber(ARGV[1])))
