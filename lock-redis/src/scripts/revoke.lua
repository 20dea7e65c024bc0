-- KEYS: one lock key. ARGV: 1 epoch mark, 2 trust, 3 the channel on which revocations are told. Removes every live lease,
-- minimum holds included; the next waiters are granted. Answers {now, ids…}.
local r, reply = load(KEYS[1]), {now}
expire(r)
if alone(r) then
  reply[2] = r.id
  -- One that was released under its hold is given up, and stays so.
  if r.hold == 'r' then forget(r, r.id) end
  r.id, r.expiry, r.hold = NONE, 0, '0'
elseif r.used > 0 then
  for _, id in ipairs(redis.call('ZRANGE', r.key .. ':x', 0, -1)) do reply[#reply + 1] = id end
  redis.call('DEL', r.key .. ':s', r.key .. ':x')
  r.used, r.limit, r.finite, r.latest = 0, 0, 0, 0
end
if #reply > 1 then
  r.dirty = true
  for i = 2, #reply do tell(ARGV[3], 'revoked ' .. reply[i]) end
  if r.count > 0 and not distrust({r}, ARGV[1], ARGV[2]) then serve(r, ARGV[1]) end
  save(r)
end
return reply
