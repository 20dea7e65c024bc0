-- KEYS: one key per lease. ARGV: id and ttl of each. Answers {now, …} with 1 extended, 0 lost, or the text of
-- what failed, for each by itself. It grants nobody.
local reply = {now}
for i, key in ipairs(KEYS) do
  local id, ttl = ARGV[2 * i - 1], tonumber(ARGV[2 * i])
  local ok, answer = pcall(function()
    local r = load(key)
    expire(r)
    local lease = find(r, id)
    if not lease or lease.hold == 'r' then
      if r.dirty then save(r) end
      return 0
    end
    -- Saved in any case: a lease that is kept alive keeps its record alive.
    move_end(r, id, lease, math.max(lease.expiry, at + ttl), lease.hold)
    save(r)
    return 1
  end)
  if not ok and type(answer) == 'table' then answer = answer.err end
  reply[#reply + 1] = answer
end
return reply
