-- The fast paths of one key: an exclusive lease of this id without a minimum hold. If nobody waits, the expiry becomes zero,
-- and the id that stays in the record is the memory of its release. If the first in the queue asked for the key alone, it
-- is the next holder. Whatever is special is left to the rest of the script.
if not KEYS[2] then
  local sub, key = string.sub, KEYS[1]
  local v = redis.call('GET', key)
  if v and sub(v, 131, 165) == ARGV[1] and sub(v, 49, 64) > now then
    if sub(v, 1, 6) == 'lh1 - ' then
      redis.call('SETRANGE', key, '48', '0000000000000000')
      return now
    end
    local tombs, head, tail, count = string.match(v, '^(t?%d*)q(%d+)%.(%d+)%.(%d+)%.0%.0 ', 166)
    -- The epoch is known, and nothing about it in doubt.
    if head and sub(v, 1, 6) == 'lh1 + ' and sub(v, 7, 31) == ARGV[2] then
      local queue = key .. ':w'
      local text = redis.call('HGET', queue, head)
      if text and sub(text, 1, 16) > now then
        local channel, ttl, id, hold, holder = string.match(text, '^%d+ %d+ (%S+) 0 0 (%d+) (%x+) (%w+) %- (.*)$')
        local last, token = sub(v, 32, 47), now
        if last >= now then token = string.format('%016d', last + 1) end
        if id and ttl + 60000000 <= {{keep}} * 1000 then
          local heard = redis.pcall('PUBLISH', channel,
            'grant ' .. id .. ' ' .. token .. ' ' .. now .. ' ' .. ttl .. ' ' .. ARGV[2] .. key)
          if type(heard) == 'number' and heard > 0 then
            redis.call('HDEL', queue, head, id)
            local extras = sub(tombs, 2) > now and tombs or ''
            if count ~= '1' then extras = extras .. 'q' .. head + 1 .. '.' .. tail .. '.' .. count - 1 .. '.0.0' end
            local flag = 'lh1 + '
            if extras == '' then flag, extras = 'lh1 - ', '-' end
            local record = flag .. ARGV[2] .. token .. ' ' .. string.format('%016d', now + ttl) .. ' ' .. now .. ' '
              .. sub(v, 99, 146) .. id .. ' ' .. hold .. ' ' .. extras .. ' ' .. holder
            if sub(v, 66, 72) == sub(now, 1, 7) then
              redis.call('SET', key, record, 'KEEPTTL')
            else
              redis.call('SET', key, record, 'PX', '{{keep}}')
            end
            return now
          end
        end
      end
    end
  end
end
