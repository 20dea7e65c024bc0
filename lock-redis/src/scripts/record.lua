-- The record of a key: one line of text, its first columns fixed.
--   1 lh1 | 5 - or + (something beside the lease) | 7 epoch mark | 32 last token | 49 expiry | 66 granted
--   | 83 the first 16 digits of the last three ids released before, newest last | 131 id | 164 hold | extras | holder
-- Times are µs in 16 digits. Expiry 0: that id was released. Hold: the minimum hold in µs, or r once released under it.
-- Extras: - or any of t<tombstones end>, q<head>.<tail>.<waiters>.<limit>.<waiters with it>, s<permits>.<limit>.<leases with
-- it>.<latest expiry>, one behind the other.
local at = tonumber(now)
local NONE = '--------------------------------'
local BLANK = string.sub(NONE, 1, 24)
local NOBODY = NONE .. string.sub(NONE, 1, 16)
local records = {}

local function foreign(key)
  error('FOREIGN ' .. key, 0)
end

-- Reads without WRONGTYPE getting in the way: another type is a foreign key, said with its name.
local function try(key, ...)
  local reply = redis.pcall(...)
  if type(reply) == 'table' and reply.err then
    if string.find(reply.err, 'WRONGTYPE', 1, true) then foreign(key) end
    error(reply.err, 0)
  end
  return reply
end

local function load(key)
  if records[key] then return records[key] end
  local r = { key = key, last = 0, mark = BLANK, gone = NOBODY, id = NONE, expiry = 0, granted = 0,
    hold = '0', holder = '', tombs = 0, head = 1, tail = 0, count = 0, waiting_limit = 0, waiting_finite = 0, used = 0, limit = 0, finite = 0, latest = 0 }
  local v = try(key, 'GET', key)
  if v then
    local sub = string.sub
    local extras
    r.hold, extras, r.holder = string.match(v, '^(%w+) (%S+) (.*)$', 164)
    r.last, r.expiry, r.granted = tonumber(sub(v, 32, 47)), tonumber(sub(v, 49, 64)), tonumber(sub(v, 66, 81))
    r.mark, r.gone, r.id = sub(v, 7, 30), sub(v, 83, 130), sub(v, 131, 162)
    if not (r.hold and r.last and r.expiry and r.granted and string.find(v, '^lh1 [-+] [%x-]+ %d+ %d+ %d+ [%x-]+ %w')) then
      foreign(key)
    end
    if extras ~= '-' then
      r.tombs = tonumber(string.match(extras, 't(%d+)') or 0)
      local head, tail, count, limit_there, finite_there = string.match(extras, 'q(%d+)%.(%d+)%.(%d+)%.(%d+)%.(%d+)')
      if head then
        r.head, r.tail, r.count = tonumber(head), tonumber(tail), tonumber(count)
        r.waiting_limit, r.waiting_finite = tonumber(limit_there), tonumber(finite_there)
      end
      local used, limit, finite, latest = string.match(extras, 's(%d+)%.(%d+)%.(%d+)%.(%d+)')
      if used then
        r.used, r.limit, r.finite, r.latest = tonumber(used), tonumber(limit), tonumber(finite), tonumber(latest)
      end
    end
  end
  records[key] = r
  return r
end

-- Garbage collection only: never sooner than the retention, nor than the latest lease.
local function keep(r)
  return math.max(tonumber('{{keep}}'), math.ceil((math.max(r.expiry, r.latest) - at) / 1000) + 60000)
end

local function save(r)
  local extras = ''
  if r.tombs > at then extras = string.format('t%d', r.tombs) end
  if r.count > 0 then
    extras = extras .. string.format('q%d.%d.%d.%d.%d', r.head, r.tail, r.count, r.waiting_limit, r.waiting_finite)
  end
  if r.used > 0 then extras = extras .. string.format('s%d.%d.%d.%d', r.used, r.limit, r.finite, r.latest) end
  local flag = '+'
  if extras == '' then flag, extras = '-', '-' end
  redis.call('SET', r.key, string.format('lh1 %s %s %016d %016d %016d %s%s %s %s %s', flag, r.mark, r.last, r.expiry,
    r.granted, r.gone, r.id, r.hold, extras, r.holder), 'PX', string.format('%d', keep(r)))
  r.dirty = false
end

local function alone(r)
  return r.expiry > at
end

-- The record remembers its last three released ids by itself.
local function forget(r, id)
  r.gone = string.sub(r.gone, 17) .. string.sub(id, 1, 16)
  r.dirty = true
end

-- Whether the id was released here before, or given up.
local function is_gone(r, id)
  if string.find(r.gone, string.sub(id, 1, 16), 1, true) then return true end
  if r.id == id and (r.expiry == 0 or (r.hold == 'r' and r.expiry <= at)) then return true end
  if r.tombs > at then
    local score = redis.call('ZSCORE', r.key .. ':t', id)
    return score and tonumber(score) > at
  end
  return false
end

-- An id that was given up without being the record's last released one: late duplicates of it must find out.
local function bury(r, id)
  local key, ends = r.key .. ':t', at + {{tombstone}}
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  redis.call('ZADD', key, string.format('%d', ends), id)
  redis.call('PEXPIRE', key, math.ceil({{tombstone}} / 1000))
  r.tombs = math.max(r.tombs, ends)
  r.dirty = true
end
