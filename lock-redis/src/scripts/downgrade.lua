-- KEYS: one lock key. ARGV: 1 id, 2 epoch mark, 3 trust. The exclusive lease of the id moves from the record to the shared
-- ones: the same token, end and hold, one permit, no limit. Then those at the head of the queue that fit now are granted.
-- Answers {now, 1} downgraded, or a read lock already; {now, 0} lost; {now, 4} shared in another way.
local id, mark, trust = ARGV[1], ARGV[2], ARGV[3]
local r = load(KEYS[1])
expire(r)
local lease = find(r, id)
local answer = 1
if not lease or lease.hold == 'r' then
  answer = 0
elseif lease.permits and (lease.permits ~= 1 or lease.limit ~= 0) then
  answer = 4
else
  if not lease.permits then
    -- The id leaves the record without having been released, so it does not move up to those that are gone.
    local holder = r.holder
    r.id, r.expiry, r.hold, r.holder = NONE, 0, '0', ''
    add_shared(r, id, { permits = 1, limit = 0, token = lease.token, granted = lease.granted, hold = lease.hold,
      holder = holder }, lease.expiry)
  end
  if r.count > 0 and not distrust({r}, mark, trust) then serve(r, mark) end
end
if r.dirty then save(r) end
return {now, answer}
