#!lua
-- How far a consumer is in one partition.
-- KEYS: meta, outbox, consumers. ARGV: generation, what to do, consumer, cursor in 20 digits.
-- ack: !N for somebody unknown, who has to be made known everywhere first; !B for a cursor beyond the last. know. drop.
-- Answers the newest cursor, and through where everybody is.
local K, A, call = KEYS, ARGV, redis.call
local meta = call('HMGET', K[1], 'g', 't', 'k', 'w')
if meta[1] ~= A[1] then return '!G' end
if meta[4] ~= '1' then return '!S' end
local function digits(cursor) return string.rep('0', 20 - #cursor) .. cursor end
local newest = call('XREVRANGE', K[2], '+', '-', 'COUNT', 1)[1]
local last = newest and string.sub(newest[1], 3) or '0'
if A[2] == 'ack' then
  if A[4] > digits(last) then return '!B' end
  local known = call('HGET', K[3], A[3])
  if not known then return '!N' end
  if A[4] > known then call('HSET', K[3], A[3], A[4]) end
elseif A[2] == 'know' then call('HSETNX', K[3], A[3], A[4])
else call('HDEL', K[3], A[3]) end
local through
for _, cursor in ipairs(call('HVALS', K[3])) do
  if not through or cursor < through then through = cursor end
end
local kept = digits(meta[2] or '0')
if through and through > kept then
  kept = through
  local plain = string.gsub(through, '^0+', '')
  -- How many change sets there were up to it.
  local before = call('XREVRANGE', K[2], '0-' .. plain, '-', 'COUNT', 1)[1]
  local told = meta[3] or '0'
  if before then
    for i = 1, #before[2], 2 do
      if before[2][i] == 'c' then told = before[2][i + 1] end
    end
  end
  call('HSET', K[1], 't', plain, 'k', told)
end
return {last, kept}
