#!lua
-- Makes nobody of a player of whom only the mark of an erasure is left, once its last outcome is forgotten.
-- KEYS: meta, outbox, index, marks, player. ARGV: generation, player, the notice, the due entry or nothing.
-- Answers whether somebody is there.
local K, A, call = KEYS, ARGV, redis.call
local meta = call('HMGET', K[1], 'g', 'f', 'w', 'c')
if meta[1] ~= A[1] then return '!G' end
local mark, forgotten = call('HGET', K[5], 'e'), meta[2]
call('ZCARD', K[3])
call('ZCARD', K[4])
if A[4] ~= '' and A[4] ~= (mark or '') .. A[2] then call('ZREM', K[4], A[4]) end
if not mark or mark >= forgotten then return 1 end
local newest, all = '', call('HGETALL', K[5])
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 1) == 'o' then
    local ts = string.sub(all[i + 1], 1, 20)
    if ts > newest then newest = ts end
  end
end
if newest >= forgotten then
  -- It is looked at again when that outcome is forgotten.
  call('ZREM', K[4], mark .. A[2])
  call('ZADD', K[4], 0, newest .. A[2])
  call('HSET', K[5], 'e', newest)
  return 1
end
if meta[3] == '1' then call('XADD', K[2], '0-*', 'd', A[3], 'c', meta[4] or '0') else call('XADD', K[2], '0-*', 'd', A[3]) end
call('ZREM', K[4], mark .. A[2])
call('ZREM', K[3], A[2])
call('DEL', K[5])
return 0
