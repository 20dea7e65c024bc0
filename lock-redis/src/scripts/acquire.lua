-- KEYS: the lock keys. ARGV: 1 claim (id, minimum hold, -, holder), 2 mode (x, xl if the ttl may
-- outlast the retention, or s<permits>.<limit>), 3 ttl, 4 epoch
-- mark, 5 trust, 6 ticket.
-- Answers: now, or {1, now, token, ttl} granted; {2, now, reason, retry after, holders…} held, reason 1 lease, 2 queue,
-- 3 quarantine; {4} id reused; {5, limit} limit mismatch; {6} another epoch than the client thinks.
local want = { ttl = tonumber(ARGV[3]), mark = ARGV[4] }
want.id, want.hold, want.holder = string.match(ARGV[1], '^(%x+) (%d+) %- (.*)$')
local permits, limit = string.match(ARGV[2], '^s(%d+)%.(%d+)$')
want.permits, want.limit = tonumber(permits), tonumber(limit)

local rs = {}
for i, key in ipairs(KEYS) do rs[i] = load(key) end
for _, r in ipairs(rs) do expire(r) end

local function finish(reply)
  for _, r in ipairs(rs) do
    if r.dirty then save(r) end
  end
  return reply
end

-- The same id again: live with the same terms on every key, or it is another acquisition.
local function same_terms(lease)
  return lease.permits == want.permits and lease.limit == (want.limit or 0)
end

local live, lease = 0, nil
for _, r in ipairs(rs) do
  local found = find(r, want.id)
  if found then
    if not same_terms(found) or (lease and lease.token ~= found.token) then return finish({4}) end
    live, lease = live + 1, found
  elseif is_gone(r, want.id) then
    return finish({4})
  end
end
if live == #rs then
  local ends = 0
  for _, r in ipairs(rs) do
    local mine = find(r, want.id)
    if mine.hold == 'r' then
      return finish(name_holders(r, {2, now, 1, mine.expiry - at}))
    end
    local expiry = math.max(mine.expiry, at + want.ttl)
    move_end(r, want.id, mine, expiry, mine.hold)
    r.dirty = true
    ends = (ends == 0 or expiry < ends) and expiry or ends
  end
  return finish({1, now, string.format('%d', lease.token), ends - at})
elseif live > 0 then
  return finish({4})
end

for _, r in ipairs(rs) do
  if want.permits and r.used > 0 and want.limit > 0 and r.limit > 0 and want.limit ~= r.limit then
    return finish({5, r.limit})
  end
end

local doubt = distrust(rs, want.mark, ARGV[5])
if doubt == 'EPOCH' then return finish({6}) end

for _, r in ipairs(rs) do
  if not fits(r, want) then return finish(name_holders(r, {2, now, 1, next_end(r) - at})) end
end
if doubt then return finish({2, now, 3, doubt - at}) end

local token = mint(rs)
for _, r in ipairs(rs) do grant(r, want, token) end
return finish({1, now, string.format('%d', token), want.ttl})
