#!lua
-- Turns the feed of a partition on or off. Cursors of before lead nowhere.
-- KEYS: meta, outbox, consumers. ARGV: generation, 1 or 0, the notice that stands between.
local K, A, call = KEYS, ARGV, redis.call
local meta = call('HMGET', K[1], 'g', 'w')
if meta[1] ~= A[1] then return '!G' end
if (meta[2] or '0') == A[2] then return 0 end
call('DEL', K[3])
if A[2] == '1' then
  local through = '0'
  if call('XLEN', K[2]) > 0 then through = string.sub(call('XADD', K[2], '0-*', 'h', A[3], 'c', '0'), 3) end
  call('HSET', K[1], 'w', '1', 't', through, 'c', '0', 'k', '0')
else
  call('HSET', K[1], 'w', '0')
  call('HDEL', K[1], 't', 'c', 'k')
end
return 1
