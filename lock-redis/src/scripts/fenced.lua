-- KEYS: one value, a hash of token, owner and value. ARGV: 1 token, 2 owner, 3 r, w or d, 4 the value to write.
-- Answers {1, value} done, {0, newest token} stale, {2, now} a token from the future. The first touch raises the fence,
-- a read too.
local shown, at = tonumber(ARGV[1]), tonumber(now)
if shown > at + 3600000000 then return {2, now} end
local seen = redis.call('HMGET', KEYS[1], 'token', 'owner', 'value')
local newest = tonumber(seen[1] or 0)
if shown < newest or (shown == newest and ARGV[2] ~= seen[2]) then return {0, seen[1]} end
if shown > newest then redis.call('HSET', KEYS[1], 'token', ARGV[1], 'owner', ARGV[2]) end
if ARGV[3] == 'w' then redis.call('HSET', KEYS[1], 'value', ARGV[4]) end
if ARGV[3] == 'd' then redis.call('HDEL', KEYS[1], 'value') end
return {1, seen[3]}
