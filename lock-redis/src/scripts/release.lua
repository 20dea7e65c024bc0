-- KEYS: the lock keys. ARGV: 1 the id and `' 0 '`, as it stands in the record without a minimum hold, 2 empty, 1 if the
-- id may be on its way still, or `leave` from a waiter that gives up: what it was just granted ends at once, 3
-- epoch mark, 4 trust.
-- Answers now, or {1, now} released, {0, now} not held.
local id = string.sub(ARGV[1], 1, 32)
local released = 0

for _, key in ipairs(KEYS) do expire(load(key)) end
for _, key in ipairs(KEYS) do
  local r = load(key)
  local lease, place = find(r, id), place_of(r, id)
  local freed = false
  if place then
    dequeue(r, waiter_at(r, place))
    freed = true
  end
  if not lease or lease.hold == 'r' then
    bury(r, id)
  else
    released, freed = 1, true
    local ends = lease.granted + tonumber(lease.hold)
    if ends > at and ARGV[2] ~= 'leave' then
      move_end(r, id, lease, ends, 'r')
      nudge(r)
    else
      drop(r, id, lease)
    end
    if ARGV[2] ~= '' then bury(r, id) end
  end
  if freed and r.count > 0 and not distrust({r}, ARGV[3], ARGV[4]) then serve(r, ARGV[3]) end
  if r.dirty then save(r) end
end
return {released, now}
