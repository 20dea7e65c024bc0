-- Live leases: the exclusive one stands in the record; shared ones in a hash `:s` (id to details) and a sorted
-- set `:x` (id to expiry), with their sums in the record.

local function details(r, id)
  local text = redis.call('HGET', r.key .. ':s', id)
  if not text then return nil end
  local permits, limit, token, granted, hold, holder = string.match(text, '^(%d+) (%d+) (%d+) (%d+) (%w+) (.*)$')
  return { permits = tonumber(permits), limit = tonumber(limit), token = tonumber(token), granted = tonumber(granted),
    hold = hold, holder = holder }
end

local function put_details(r, id, d)
  redis.call('HSET', r.key .. ':s', id, string.format('%d %d %d %d %s %s', d.permits, d.limit, d.token, d.granted, d.hold,
    d.holder))
end

local function add_shared(r, id, d, expiry)
  put_details(r, id, d)
  redis.call('ZADD', r.key .. ':x', string.format('%d', expiry), id)
  r.used = r.used + d.permits
  if d.limit > 0 then r.limit, r.finite = d.limit, r.finite + 1 end
  r.latest, r.dirty = math.max(r.latest, expiry), true
  local ms = string.format('%d', keep(r))
  redis.call('PEXPIRE', r.key .. ':s', ms)
  redis.call('PEXPIRE', r.key .. ':x', ms)
end

local function drop_shared(r, id, d)
  redis.call('HDEL', r.key .. ':s', id)
  redis.call('ZREM', r.key .. ':x', id)
  r.used = r.used - d.permits
  if d.limit > 0 then r.finite = r.finite - 1 end
  if r.finite == 0 then r.limit = 0 end
  if r.used == 0 then r.latest = 0 end
  r.dirty = true
end

-- Every operation first expires. An exclusive lease needs nothing: its expiry is compared wherever it matters.
-- Past the latest expiry all are over, whatever the sets say: sums that went wrong mend themselves.
local function expire(r)
  if r.used == 0 then return end
  if r.latest <= at then
    redis.call('DEL', r.key .. ':s', r.key .. ':x')
    r.used, r.limit, r.finite, r.latest, r.dirty = 0, 0, 0, 0, true
    return
  end
  for _, id in ipairs(try(r.key .. ':x', 'ZRANGEBYSCORE', r.key .. ':x', '-inf', now)) do
    local d = details(r, id)
    if d then drop_shared(r, id, d) end
  end
end

-- The next end of a lease of this key; nil if none is live.
local function next_end(r)
  if alone(r) then return r.expiry end
  if r.used == 0 then return nil end
  return tonumber(redis.call('ZRANGE', r.key .. ':x', 0, 0, 'WITHSCORES')[2]) or r.latest
end

-- Compatible with the live leases. A second finite limit beside another one never is.
local function fits(r, want)
  if alone(r) then return false end
  if r.used == 0 then return true end
  if not want.permits then return false end
  if want.limit > 0 and r.limit > 0 and want.limit ~= r.limit then return false end
  local limit = math.max(want.limit, r.limit)
  return limit == 0 or r.used + want.permits <= limit
end

local function mint(rs)
  local token = at
  for _, r in ipairs(rs) do token = math.max(token, r.last + 1) end
  return token
end

-- `want`: id, ttl, hold, holder, mark, and permits and limit if shared.
local function grant(r, want, token)
  r.last, r.mark, r.dirty = token, want.mark, true
  if not want.permits then
    if r.id ~= NONE and (r.expiry == 0 or r.hold == 'r') then
      forget(r, r.id)
    end
    r.id, r.expiry, r.granted, r.hold, r.holder = want.id, at + want.ttl, at, want.hold, want.holder
    return
  end
  add_shared(r, want.id, { permits = want.permits, limit = want.limit, token = token, granted = at, hold = want.hold,
    holder = want.holder }, at + want.ttl)
end

-- The live lease of this id, in the same words for both kinds; nil if there is none.
local function find(r, id)
  if alone(r) then
    if r.id ~= id then return nil end
    return { expiry = r.expiry, granted = r.granted, token = r.last, hold = r.hold, limit = 0 }
  end
  if r.used == 0 then return nil end
  local d = details(r, id)
  if d then d.expiry = tonumber(redis.call('ZSCORE', r.key .. ':x', id)) end
  return d
end

-- Moves the end of a live lease, and says so of its hold.
local function move_end(r, id, lease, expiry, hold)
  if not lease.permits then
    r.expiry, r.hold, r.dirty = expiry, hold, true
    return
  end
  redis.call('ZADD', r.key .. ':x', string.format('%d', expiry), id)
  if expiry > r.latest then
    r.latest, r.dirty = expiry, true
    local ms = string.format('%d', keep(r))
    redis.call('PEXPIRE', r.key .. ':s', ms)
    redis.call('PEXPIRE', r.key .. ':x', ms)
  end
  if hold ~= lease.hold then
    lease.hold = hold
    put_details(r, id, lease)
    forget(r, id)
  end
end

local function drop(r, id, lease)
  if lease.permits then
    drop_shared(r, id, lease)
    forget(r, id)
  else
    r.expiry, r.dirty = 0, true
  end
end

-- Up to five holders, for people to read.
local function name_holders(r, reply)
  if alone(r) then
    reply[#reply + 1] = r.holder
  elseif r.used > 0 then
    for _, id in ipairs(redis.call('ZRANGE', r.key .. ':x', 0, 4)) do
      local d = details(r, id)
      if d then reply[#reply + 1] = d.holder end
    end
  end
  return reply
end
