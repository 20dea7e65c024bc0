local t = redis.call('TIME')
local now = #t[2] == 6 and t[1] .. t[2] or string.format('%s%06d', t[1], t[2])
