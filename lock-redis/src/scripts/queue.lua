-- Waiters: a hash `:w` with two fields each: place to `<ticket's end> <since> <channel> <permits> <limit> <ttl> <id> <hold> -
-- <holder>`, and id to place. The record has the first and the last place (`head`, `tail`; a waiter that left leaves a
-- hole), their number, and their finite limit. The fast paths write and read the same.

local function place_of(r, id)
  if r.count == 0 then return nil end
  return tonumber(try(r.key .. ':w', 'HGET', r.key .. ':w', id) or nil)
end

local function waiter_at(r, place)
  local text = redis.call('HGET', r.key .. ':w', string.format('%d', place))
  if not text then return nil end
  local w = { place = place, text = text }
  w.ticket, w.since, w.channel, w.permits, w.limit, w.ttl, w.id, w.hold, w.holder =
    string.match(text, '^(%d+) (%d+) (%S+) (%d+) (%d+) (%d+) (%x+) (%w+) %- (.*)$')
  w.ticket, w.permits, w.limit, w.ttl = tonumber(w.ticket), tonumber(w.permits), tonumber(w.limit), tonumber(w.ttl)
  if w.permits == 0 then w.permits = nil end
  return w
end

local function dequeue(r, w)
  redis.call('HDEL', r.key .. ':w', string.format('%d', w.place), w.id)
  r.count, r.dirty = r.count - 1, true
  if w.limit > 0 then r.waiting_finite = r.waiting_finite - 1 end
  if w.place == r.head then r.head = r.head + 1 end
end

-- The ticket's own time to live is the waiter's: `ticket` µs from now, renewed by each of its calls.
local function refresh(r, w, ticket)
  local text = string.format('%016d', at + ticket) .. string.sub(w.text, 17)
  redis.call('HSET', r.key .. ':w', string.format('%d', w.place), text)
  redis.call('PEXPIRE', r.key .. ':w', string.format('%d', keep(r)))
end

local function enqueue(r, want, ticket, channel)
  if r.count == 0 then r.head, r.tail, r.waiting_limit, r.waiting_finite = 1, 0, 0, 0 end
  r.tail, r.count, r.dirty = r.tail + 1, r.count + 1, true
  local limit = want.limit or 0
  if limit > 0 then r.waiting_limit, r.waiting_finite = limit, r.waiting_finite + 1 end
  local place = string.format('%d', r.tail)
  local text = string.format('%016d %s %s %d %d %d %s %s - %s', at + ticket, now, channel, want.permits or 0, limit, want.ttl,
    want.id, want.hold, want.holder)
  redis.call('HSET', r.key .. ':w', place, text, want.id, place)
  redis.call('PEXPIRE', r.key .. ':w', string.format('%d', keep(r)))
  return r.tail
end

local function drop_queue(r)
  redis.call('DEL', r.key .. ':w')
  r.count, r.dirty = 0, true
end

-- How many processes hear it now; none where it can't be said.
local function tell(channel, text)
  local heard = redis.pcall('PUBLISH', channel, text)
  return type(heard) == 'number' and heard or 0
end

-- Takes out those who no longer wait.
local function sweep(r)
  for place = r.head, r.tail do
    local w = waiter_at(r, place)
    if w and w.ticket <= at then dequeue(r, w) end
  end
end

-- The first waiter is to look again: for it, something changed sooner than it knows.
local function nudge(r)
  for place = r.head, r.tail do
    local w = waiter_at(r, place)
    if w then return tell(w.channel, 'look ' .. w.id) end
  end
end

-- Grants the compatible prefix of the queue, in order. A waiter whose ticket ended is taken out; one whose process
-- does not hear is passed over and keeps its place. `mine` asks right now, and hears by the answer:
-- its token is returned. The work of one script is bounded; the next in turn is told to go on.
local function serve(r, mark, mine)
  local place, steps, token = r.head, 0, nil
  while r.count > 0 and place <= r.tail and not alone(r) do
    local w = waiter_at(r, place)
    if w then
      steps = steps + 1
      if w.ticket <= at then
        dequeue(r, w)
      elseif not fits(r, w) then
        break
      elseif steps > {{grants}} then
        tell(w.channel, 'look ' .. w.id)
        break
      else
        w.mark = mark
        local next_token = mint({r})
        if w.id == mine then
          token = next_token
          dequeue(r, w)
          grant(r, w, next_token)
        elseif tell(w.channel, string.format('grant %s %d %s %d %s %s', w.id, next_token, now, w.ttl, mark, r.key)) > 0 then
          dequeue(r, w)
          grant(r, w, next_token)
        end
      end
    elseif place == r.head then
      r.head, r.dirty = r.head + 1, true
    end
    place = place + 1
  end
  return token
end
