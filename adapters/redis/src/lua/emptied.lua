#!lua
-- Removes what a restoration wrote that did not come to its end, some of it at a time.
-- KEYS: meta, index, marks. ARGV: generation of the restoration, the store's, what keys of the partition begin with, how many.
-- Answers whether more is left.
local K, A, call = KEYS, ARGV, redis.call
local owner = call('HGET', K[1], 'g')
if owner == A[2] then return 0 end
if owner ~= A[1] then return '!G' end
local players = call('ZRANGE', K[2], 0, tonumber(A[4]) - 1)
for _, player in ipairs(players) do call('UNLINK', A[3] .. 'p:' .. player) end
if #players > 0 then
  call('ZREM', K[2], unpack(players))
  return 1
end
for _, field in ipairs(call('HKEYS', K[1])) do
  if string.sub(field, 1, 1) == 'x' then
    call('UNLINK', A[3] .. 'x:' .. string.sub(field, 2))
    call('HDEL', K[1], field)
  end
end
call('UNLINK', K[2], K[3])
call('HSET', K[1], 'g', A[2])
return 0
