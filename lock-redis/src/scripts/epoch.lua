-- Whether this server may be believed about a key. `trust` is empty when it may in any case, else
-- `<missing> <different> <verify>`: from when on a missing mark and a different mark are believed, in µs, and a `v` if the
-- server must be looked at again.
local function server_is(mark)
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  local replication = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
  return run and replication and string.sub(run, 1, 12) .. string.sub(replication, 1, 12) == mark
end

-- Nil if every record may be believed; `EPOCH` if the server is another one than the client thinks; else the
-- time from which on they may.
local function distrust(rs, mark, trust)
  if mark == BLANK then return nil end
  local missing, different, verify = string.match(trust, '^(%d+) (%d+) (v?)$')
  local ends = 0
  for _, r in ipairs(rs) do
    if r.mark == BLANK then
      ends = math.max(ends, tonumber(missing or 0))
    elseif r.mark ~= mark then
      ends = math.max(ends, tonumber(different or 0))
      verify = 'v'
    end
  end
  if verify == 'v' and not server_is(mark) then return 'EPOCH' end
  if ends > at then return ends end
  return nil
end
