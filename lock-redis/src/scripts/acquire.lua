-- KEYS: the lock keys. ARGV: 1 claim (id, minimum hold, -, holder), 2 ttl, 3 `lh1 - ` and the epoch mark, as a record
-- begins, 4 empty to try once, or `<µs> <channel>` to wait (one key only): the ticket's time, and where the waiter's process
-- listens; and only if the fast path is not for it: 5 mode (x, or s<permits>.<limit>), 6 trust.
-- Answers: now, or {1, now, token, ttl} granted; {2, now, reason, retry after, holders…} held, reason 1 lease, 2 queue,
-- 3 quarantine; {3, now, ahead, reason, retry after, holders…} waiting; {4} id reused; {5, limit} limit mismatch; {6}
-- another epoch than the client thinks.
local want = { ttl = tonumber(ARGV[2]), mark = string.sub(ARGV[3], 7) }
want.id, want.hold, want.holder = string.match(ARGV[1], '^(%x+) (%d+) %- (.*)$')
local permits, limit = string.match(ARGV[5] or 'x', '^s(%d+)%.(%d+)$')
want.permits, want.limit = tonumber(permits), tonumber(limit)
local ticket, channel = string.match(ARGV[4], '^(%d+) (%S+)$')

local rs = {}
for i, key in ipairs(KEYS) do rs[i] = load(key) end
for _, r in ipairs(rs) do expire(r) end

local function finish(reply)
  for _, r in ipairs(rs) do
    if r.dirty then save(r) end
  end
  return reply
end

local function same_terms(other)
  return other.permits == want.permits and other.limit == (want.limit or 0)
end

local function granted(token, ttl)
  return finish({1, now, string.format('%d', token), ttl})
end

-- What stands in the way on this key: a lease, or those who wait ahead.
local function in_the_way(r, reply, ahead)
  local ends = next_end(r)
  reply[#reply + 1] = ahead > 0 and 2 or 1
  reply[#reply + 1] = ends and ends - at or ''
  return finish(name_holders(r, reply))
end

-- The same id again: live with the same terms on every key, or it is another acquisition.
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
  local ends = nil
  for _, r in ipairs(rs) do
    local mine = find(r, want.id)
    if mine.hold == 'r' then
      if ticket then return finish({4}) end
      return in_the_way(r, {2, now}, 0)
    end
    local expiry = math.max(mine.expiry, at + want.ttl)
    move_end(r, want.id, mine, expiry, mine.hold)
    r.dirty = true
    ends = math.min(ends or expiry, expiry)
  end
  return granted(lease.token, ends - at)
elseif live > 0 then
  return finish({4})
end

local function other_limit(r)
  local finite = want.permits and want.limit > 0
  if finite and r.finite > 0 and r.limit ~= want.limit then return r.limit end
  if finite and r.count > 0 and r.waiting_finite > 0 and r.waiting_limit ~= want.limit then return r.waiting_limit end
end
for _, r in ipairs(rs) do
  if other_limit(r) and r.count > 0 then sweep(r) end
  if other_limit(r) then return finish({5, other_limit(r)}) end
end

local doubt = distrust(rs, want.mark, ARGV[6] or '')
if doubt == 'EPOCH' then return finish({6}) end
if doubt then
  for _, r in ipairs(rs) do
    if not fits(r, want) then return in_the_way(r, {2, now}, 0) end
  end
  return finish({2, now, 3, doubt - at})
end
-- Another epoch's queue is dropped: its waiters come again.
for _, r in ipairs(rs) do
  if want.mark ~= BLANK and r.mark ~= want.mark then
    if r.count > 0 then drop_queue(r) end
    r.mark = want.mark
  end
end

-- One that waits is judged at its own place, which it keeps.
local r = rs[1]
local place = nil
for _, each in ipairs(rs) do
  local found = place_of(each, want.id)
  if found then
    local mine = waiter_at(each, found)
    if #rs > 1 or not mine or not same_terms(mine) then return finish({4}) end
    place = found
    if ticket then refresh(each, mine, ticket) end
  end
end
for _, each in ipairs(rs) do
  if each.count > 0 then
    local token = serve(each, want.mark, place and want.id)
    if token then return granted(token, want.ttl) end
  end
end

if not place then
  local open = nil
  for _, each in ipairs(rs) do
    if each.count > 0 or not fits(each, want) then
      open = each
      break
    end
  end
  if not open then
    local token = mint(rs)
    for _, each in ipairs(rs) do grant(each, want, token) end
    return granted(token, want.ttl)
  end
  if not ticket then return in_the_way(open, {2, now}, open.count) end
  place = enqueue(r, want, ticket, channel)
  -- Behind nobody who hears: its own call is heard.
  if fits(r, want) then
    local token = serve(r, want.mark, want.id)
    if token then return granted(token, want.ttl) end
  end
end
local ahead = math.min(place - r.head, r.count - 1)
if ticket then return in_the_way(r, {3, now, ahead}, ahead) end
return in_the_way(r, {2, now}, ahead)
