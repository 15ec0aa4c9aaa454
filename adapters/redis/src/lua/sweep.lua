#!lua
-- Removes forgotten outcomes, a bucket after the other.
-- KEYS: meta. ARGV: generation, what keys of the partition begin with, the first bucket that is not due, how many at most.
-- Answers how many were looked at; 0 once no bucket is due.
local K, A, call, pcall = KEYS, ARGV, redis.call, redis.pcall
local meta = call('HMGET', K[1], 'g', 'f')
if meta[1] ~= A[1] then return '!G' end
local forgotten, limit, bucket = meta[2], tonumber(A[3])
for _, field in ipairs(call('HKEYS', K[1])) do
  local number = string.match(field, '^x(-?%d+)$')
  if number and tonumber(number) < limit then
    bucket = number
    break
  end
end
if not bucket then return 0 end
local list = A[2] .. 'x:' .. bucket
local found = call('LRANGE', list, 0, tonumber(A[4]) - 1)
for _, element in ipairs(found) do
  local at = string.find(element, '\0', 1, true)
  local key, field = A[2] .. 'p:' .. string.sub(element, 1, at - 1), string.sub(element, at + 1)
  local value = pcall('HGET', key, field)
  -- It may be another outcome of that name, made after an erasure.
  if type(value) == 'string' and string.sub(value, 1, 20) < forgotten then call('HDEL', key, field) end
end
call('LTRIM', list, #found, -1)
if #found < tonumber(A[4]) then
  call('HDEL', K[1], 'x' .. bucket)
  return #found + 1
end
return #found
