-- The fast paths of one key, asked for exclusively, in a known epoch: a free one is granted, a held one is answered, and
-- whoever may wait joins the end of a queue of exclusive waiters. Fixed columns (see `record.lua`) make it a matter of
-- comparing pieces of text, which costs less than parsing. Whatever is special is left to the rest of the script.
if not ARGV[5] and not KEYS[2] then
  local sub, key, claim = string.sub, KEYS[1], ARGV[1]
  local v = redis.call('GET', key)
  local token, open = now, not v
  local gone = '------------------------------------------------'
  local alone = v and sub(v, 1, 30) == ARGV[3]
  if alone or v and sub(v, 7, 30) == sub(ARGV[3], 7) and sub(v, 1, 6) == 'lh1 + ' then
    local ends = sub(v, 49, 64)
    -- An id that was released moves up to those that are gone.
    gone = (ends == '0000000000000000' or sub(v, 164, 164) == 'r') and sub(v, 99, 146) or sub(v, 83, 130)
    if string.find(gone, sub(claim, 1, 16), 1, true) then
      open = false
    elseif ends <= now then
      local last = sub(v, 32, 47)
      if last >= now then token = string.format('%016d', last + 1) end
      open = alone
    elseif sub(v, 131, 162) ~= sub(claim, 1, 32) then
      local hold, extras, holder = string.match(v, '^(%w+) (%S+) (.*)$', 164)
      if ARGV[4] ~= '' then
        local tombs, head, tail, count = '', 1, 0, 0
        if extras ~= '-' then
          tombs, head, tail, count = string.match(extras, '^(t?%d*)q(%d+)%.(%d+)%.(%d+)%.0%.0$')
        end
        local queue = key .. ':w'
        if count and not (tombs ~= '' and redis.call('ZSCORE', key .. ':t', sub(claim, 1, 32)))
          and not (count ~= 0 and redis.call('HGET', queue, sub(claim, 1, 32))) then
          local place, ticket, channel = tail + 1, string.match(ARGV[4], '^(%d+) (%S+)$')
          redis.call('HSET', queue, place, string.format('%016d', now + ticket) .. ' ' .. now .. ' ' .. channel .. ' 0 0 '
            .. ARGV[2] .. ' ' .. claim, sub(claim, 1, 32), place)
          -- A queue that never empties is kept by those that join it; one that waits long renews it itself.
          if count == 0 or place % 256 == 0 then redis.call('PEXPIRE', queue, '{{keep}}') end
          redis.call('SET', key, 'lh1 + ' .. sub(v, 7, 163) .. hold .. ' ' .. tombs .. 'q' .. head .. '.' .. place .. '.'
            .. count + 1 .. '.0.0 ' .. holder, 'KEEPTTL')
          local ahead = math.min(place - head, count)
          return {3, now, ahead, ahead > 0 and 2 or 1, ends - now, holder}
        end
      elseif extras == '-' then
        return {2, now, 1, ends - now, holder}
      end
    end
  end
  if open then
    local rest = token .. ' ' .. string.format('%016d', now + ARGV[2]) .. ' ' .. now .. ' ' .. gone .. claim
    -- In place, if it is as long and the last grant was within the same 1000 s: the first grant of each such stretch
    -- renews the record's own time to live, which is that much longer than it must be.
    if v and #v == 130 + #claim and sub(v, 66, 72) == sub(now, 1, 7) then
      redis.call('SETRANGE', key, '31', rest)
    else
      redis.call('SET', key, ARGV[3] .. ' ' .. rest, 'PX', '{{keep}}')
    end
    if token == now then return now end
    return {1, now, token, ARGV[2]}
  end
end
