-- The fast path: one key, exclusive, nothing beside the lease in its record, the epoch known. TIME, GET, SETRANGE (or
-- SET). Fixed columns (see `record.lua`) make it a matter of comparing pieces of text, which costs less than parsing.
if not ARGV[5] and not KEYS[2] then
  local sub = string.sub
  local v, claim = redis.call('GET', KEYS[1]), ARGV[1]
  local token, open = now, not v
  local gone = '------------------------------------------------'
  if v and sub(v, 1, 30) == ARGV[3] then
    local ends = sub(v, 49, 64)
    -- An id that was released moves up to those that are gone.
    gone = (ends == '0000000000000000' or sub(v, 164, 164) == 'r') and sub(v, 99, 146) or sub(v, 83, 130)
    if not string.find(gone, sub(claim, 1, 16), 1, true) then
      if ends <= now then
        local last = sub(v, 32, 47)
        if last >= now then token = string.format('%016d', last + 1) end
        open = true
      elseif ARGV[4] == '' and sub(v, 131, 162) ~= sub(claim, 1, 32) then
        return {2, now, 1, ends - now, (string.match(v, '^%w+ %- (.*)$', 164))}
      end
    end
  end
  if open then
    local rest = token .. ' ' .. string.format('%016d', now + ARGV[2]) .. ' ' .. now .. ' ' .. gone .. claim
    -- In place, if it is as long and the last grant was within the same 1000 s: the first grant of each such stretch
    -- renews the record's own time to live, which is that much longer than it must be.
    if v and #v == 130 + #claim and sub(v, 66, 72) == sub(now, 1, 7) then
      redis.call('SETRANGE', KEYS[1], '31', rest)
    else
      redis.call('SET', KEYS[1], ARGV[3] .. ' ' .. rest, 'PX', '{{keep}}')
    end
    if token == now then return now end
    return {1, now, token, ARGV[2]}
  end
end
