-- KEYS: one lock key. Answers {now, leases, waiters}: a lease is {permits (0: exclusive), limit, token, expiry, granted,
-- hold, holder}, a waiter {permits, limit, since, holder}. It changes nothing: what is over is left out, not removed.
local r, leases, waiters = load(KEYS[1]), {}, {}
local function add(lease, holder)
  leases[#leases + 1] = {lease.permits or 0, lease.limit, string.format('%d', lease.token),
    string.format('%d', lease.expiry), string.format('%d', lease.granted), lease.hold, holder}
end
if alone(r) then
  add(find(r, r.id), r.holder)
elseif r.used > 0 then
  for _, id in ipairs(try(r.key .. ':x', 'ZRANGEBYSCORE', r.key .. ':x', '(' .. now, '+inf')) do
    local lease = find(r, id)
    if lease then add(lease, lease.holder) end
  end
end
if r.count > 0 then
  for place = r.head, r.tail do
    local w = waiter_at(r, place)
    if w and w.ticket > at then
      waiters[#waiters + 1] = {w.permits or 0, w.limit, w.since, w.holder}
    end
  end
end
return {now, leases, waiters}
