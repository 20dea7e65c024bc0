-- KEYS: the lock keys. ARGV: 1 the id and `' 0 '`, as it stands in the record without a minimum hold (`' 1 '` if it may be on
-- its way still, `' leave '` from a waiter that gives up: what it was just granted ends at once), 2 epoch mark and trust.
-- Answers now, or {1, now} released, {0, now} not held.
local id, how = string.match(ARGV[1], '^(%x+) (%w+) $')
local mark, trust = string.sub(ARGV[2], 1, 24), string.sub(ARGV[2], 26)
local released = 0

for _, key in ipairs(KEYS) do expire(load(key)) end
for _, key in ipairs(KEYS) do
  local r = load(key)
  local lease, freed = find(r, id), false
  local place = not lease and place_of(r, id)
  local waiter = place and waiter_at(r, place)
  if waiter then
    dequeue(r, waiter)
    freed = true
  end
  if not lease or lease.hold == 'r' then
    bury(r, id)
  else
    released, freed = 1, true
    local ends = lease.granted + tonumber(lease.hold)
    if ends > at and how ~= 'leave' then
      move_end(r, id, lease, ends, 'r')
      nudge(r)
    else
      drop(r, id, lease)
    end
    if how ~= '0' then bury(r, id) end
  end
  if freed and r.count > 0 and not distrust({r}, mark, trust) then serve(r, mark) end
  if r.dirty then save(r) end
end
return {released, now}
