-- The fast path: one key, exclusive, nothing beside the lease in its record, the mark known. TIME, GET, SET.
-- Fixed columns make it a matter of comparing pieces of text; `record.lua` says which.
if ARGV[2] == 'x' and ARGV[5] == '' and not KEYS[2] then
  local v, claim = redis.call('GET', KEYS[1]), ARGV[1]
  if not v then
    redis.call('SET', KEYS[1], 'lh1 - ' .. now .. ' ' .. string.format('%016d', now + ARGV[3]) .. ' ' .. now .. ' '
      .. ARGV[4] .. ' ------------------------------------------------ ' .. claim, 'PX', {{keep}})
    return now
  end
  if string.sub(v, 1, 6) == 'lh1 - ' then
    local gone, ends = string.sub(v, 83, 130), string.sub(v, 24, 39)
    if ends == '0000000000000000' or string.sub(v, 165, 165) == 'r' then
      gone = string.sub(v, 132, 147) .. string.sub(gone, 1, 32)
    end
    if not string.find(gone, string.sub(claim, 1, 16), 1, true) then
      if ends > now then
        if ARGV[6] == '' and string.sub(v, 132, 163) ~= string.sub(claim, 1, 32) then
          return {2, now, 1, ends - now, (string.match(v, '^%w+ %- (.*)$', 165))}
        end
      elseif string.sub(v, 58, 81) == ARGV[4] then
        local token = string.sub(v, 7, 22)
        token = token < now and now or string.format('%016d', token + 1)
        redis.call('SET', KEYS[1], 'lh1 - ' .. token .. ' ' .. string.format('%016d', now + ARGV[3]) .. ' ' .. now
          .. ' ' .. ARGV[4] .. ' ' .. gone .. ' ' .. claim, 'PX', {{keep}})
        if token == now then return now end
        return {1, now, token, ARGV[3]}
      end
    end
  end
end
