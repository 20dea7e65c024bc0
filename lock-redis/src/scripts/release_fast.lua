-- The fast path: an exclusive lease of this id, nobody waiting, no minimum hold. TIME, GET, SETRANGE: the
-- expiry becomes zero, and the id that stays in the record is the memory of its release.
if not KEYS[2] then
  local v = redis.call('GET', KEYS[1])
  if v and string.sub(v, 131, 165) == ARGV[1] and string.sub(v, 49, 64) > now and string.sub(v, 1, 6) == 'lh1 - ' then
    redis.call('SETRANGE', KEYS[1], '48', '0000000000000000')
    return now
  end
end
