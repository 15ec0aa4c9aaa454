#!lua
-- Writes change sets of one partition, each whole or not at all.
-- KEYS: meta, outbox, index, marks, buckets .., players ..
-- ARGV: generation, whether a feed is on, entries that the outbox keeps, entries that the feed takes, buckets, sets;
--   the number of each bucket; then each set: expected version, what was forgotten, closing, forget, mark, player, notice,
--   how many outcomes, fields and values, and removed fields; bucket and name of each outcome; fields and values; removed fields.
-- Answers a letter for each set: Applied, Conflict, feed Full, Wrong type; or !G for another generation, !S for another setting.
local K, A, call, pcall = KEYS, ARGV, redis.call, redis.pcall
local meta = call('HMGET', K[1], 'g', 'n', 'f', 'w', 'c', 'k')
if meta[1] ~= A[1] then return '!G' end
local feed = meta[4] == '1'
if feed ~= (A[2] == '1') then return '!S' end
local now, forgotten = meta[2], meta[3]
local buckets, sets = tonumber(A[5]), tonumber(A[6])
local told = tonumber(meta[5] or '0')
local room = feed and tonumber(A[4]) - told + tonumber(meta[6] or '0')

-- First everything is looked at; nothing is written here.
local bad
for b = 1, buckets do
  if type(pcall('LLEN', K[4 + b])) == 'table' then
    bad = bad or {}
    bad[tostring(b)] = true
  end
end
local out, fit, a, index, marks = {}, {}, 7 + buckets, false, false
for s = 1, sets do
  local k = K[4 + buckets + s]
  local outcomes, fields, removed = tonumber(A[a + 7]), tonumber(A[a + 8]), tonumber(A[a + 9])
  local old = pcall('HMGET', k, 'v', 'e')
  local wrong = old.err
  if bad then
    for i = 1, outcomes do wrong = wrong or bad[A[a + 8 + 2 * i]] end
  end
  if wrong then out[s] = 'W'
  elseif A[a] ~= (old[1] or '0') or A[a + 1] ~= forgotten or now >= A[a + 2] then out[s] = 'C'
  elseif feed and room <= 0 then out[s] = 'F'
  else
    -- Of the wrong type, these fail here.
    if not old[1] and not index then
      call('ZCARD', K[3])
      index = true
    end
    if (old[2] or A[a + 4] ~= '') and not marks then
      call('ZCARD', K[4])
      marks = true
    end
    if feed then room = room - 1 end
    out[s] = 'A'
    fit[#fit + 1] = {a, k, old[1], old[2], outcomes, fields, removed}
  end
  a = a + 10 + 2 * outcomes + fields + removed
end

-- Then all is written. The outbox comes first: if it is of the wrong type, nothing was.
local function by_thousands(command, key, from, through)
  if through - from < 1000 then return call(command, key, unpack(A, from, through)) end
  for i = from, through, 1000 do call(command, key, unpack(A, i, math.min(i + 999, through))) end
end
local listed = {}
for _, set in ipairs(fit) do
  local a, k, outcomes = set[1], set[2], set[5]
  local mark, player = A[a + 4], A[a + 5]
  if feed then
    told = told + 1
    call('XADD', K[2], '0-*', 'd', A[a + 6], 'c', told)
  else
    call('XADD', K[2], 'MAXLEN', '~', A[3], '0-*', 'd', A[a + 6])
  end
  local at = a + 10
  for i = 1, outcomes do
    local b = A[at]
    local list = listed[b]
    if not list then
      list = {}
      listed[b] = list
    end
    list[#list + 1] = A[at + 1]
    at = at + 2
  end
  if not set[3] then call('ZADD', K[3], 0, player) end
  if set[4] then
    call('ZREM', K[4], set[4] .. player)
    if mark == '' then call('HDEL', k, 'e') end
  end
  if mark ~= '' then call('ZADD', K[4], 0, mark .. player) end
  if A[a + 3] == '1' then call('DEL', k) end
  by_thousands('HSET', k, at, at + set[6] - 1)
  if set[7] > 0 then by_thousands('HDEL', k, at + set[6], at + set[6] + set[7] - 1) end
end
for b, list in pairs(listed) do
  local len
  for i = 1, #list, 1000 do len = call('RPUSH', K[4 + b], unpack(list, i, math.min(i + 999, #list))) end
  if len == #list then call('HSET', K[1], 'x' .. A[6 + b], 1) end
end
if feed and #fit > 0 then call('HSET', K[1], 'c', told) end
return table.concat(out)
