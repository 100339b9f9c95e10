-- What scripts begin with: the prefix of the queue's keys and its clock. A fragment, included by the others.

local PREFIX = string.match(KEYS[1], '^({[^}]*}:)')

-- One time for the whole script, in ms: Redis' clock stands still while a script runs.
local TIME = redis.call('TIME')
local NOW = TIME[1] * 1000 + math.floor(TIME[2] / 1000)
