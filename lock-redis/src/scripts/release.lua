-- KEYS: the lock keys. ARGV: 1 the id and `' 0 '`, as it stands in the record without a minimum hold, 2 `''`, or `1` if the id may be on its way still.
-- Answers now, or {1, now} released, {0, now} not held.
local id = string.sub(ARGV[1], 1, 32)
local suspect, released = ARGV[2] ~= '', 0

for _, key in ipairs(KEYS) do load(key) end
for _, key in ipairs(KEYS) do
  local r = load(key)
  expire(r)
  local lease = find(r, id)
  if not lease or lease.hold == 'r' then
    bury(r, id)
  else
    released = 1
    local ends = lease.granted + tonumber(lease.hold)
    if ends > at then
      move_end(r, id, lease, ends, 'r')
    else
      drop(r, id, lease)
    end
    if suspect then bury(r, id) end
  end
  if r.dirty then save(r) end
end
return {released, now}
