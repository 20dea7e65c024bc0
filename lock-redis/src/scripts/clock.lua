local t = redis.call('TIME')
local now = string.format('%s%06d', t[1], t[2])
