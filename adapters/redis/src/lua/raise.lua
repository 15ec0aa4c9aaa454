#!lua
-- Raises the horizon of one partition, and tells of it.
-- KEYS: meta, outbox.
-- ARGV: generation, now, forgotten before, the notice, entries that the outbox keeps, entries after which rises are put together,
--   how long an entry is kept at least, in seconds.
-- Answers the horizon after it; one that was beyond in one mark alone is left, and raised again by the caller.
local K, A, call = KEYS, ARGV, redis.call
local meta = call('HMGET', K[1], 'g', 'n', 'f', 'w', 'c', 't', 'a', 'b')
if meta[1] ~= A[1] then return '!G' end
local now, forgotten, feed = meta[2], meta[3], meta[4] == '1'
if now > A[2] or forgotten > A[3] or (now == A[2] and forgotten == A[3]) then return {now, forgotten} end
local function digits(cursor) return string.rep('0', 20 - #cursor) .. cursor end
local id
if feed then
  -- While nobody reads, the horizon may rise for years: a rise right after another says all that the two do.
  if call('XLEN', K[2]) > tonumber(A[6]) then
    local newest = call('XREVRANGE', K[2], '+', '-', 'COUNT', 1)[1]
    if newest[2][1] == 'h' then call('XDEL', K[2], newest[1]) end
  end
  id = call('XADD', K[2], '0-*', 'h', A[4], 'c', meta[5] or '0')
else
  id = call('XADD', K[2], 'MAXLEN', '~', A[5], '0-*', 'h', A[4])
end
call('HSET', K[1], 'n', A[2], 'f', A[3])
-- What was in the outbox at the last look goes once it is old; the newest entry stays for ever.
local seconds = call('TIME')[1]
if not meta[7] or tonumber(seconds) - tonumber(meta[7]) >= tonumber(A[7]) then
  local old = meta[8]
  if old then
    if feed and digits(old) > digits(meta[6] or '0') then old = meta[6] or '0' end
    call('XTRIM', K[2], 'MINID', '0-' .. old)
  end
  call('HSET', K[1], 'a', seconds, 'b', string.sub(id, 3))
end
return {A[2], A[3]}
