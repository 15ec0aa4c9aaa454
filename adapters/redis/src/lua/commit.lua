#!lua
-- Writes change sets of one partition, each whole or not at all.
-- KEYS: meta, outbox, index, marks, buckets .., players ..
-- ARGV: generation, whether a feed is on, entries that the outbox keeps, entries that the feed takes, buckets, sets;
--   the number of each bucket; then each set: expected version, what was forgotten, closing, forget, mark, player, notice,
--   how many outcomes, fields and values, and removed fields; bucket and name of each outcome; fields and values; removed fields.
-- Answers a letter for each set: Applied, Conflict, feed Full, Wrong type; then the newest entry's number, if one was applied.
--   Or !G for another generation, !S for another setting.
local K, A, call, pcall = KEYS, ARGV, redis.call, redis.pcall
local meta = call('HMGET', K[1], 'g', 'n', 'f', 'w')
if meta[1] ~= A[1] then return '!G' end
local feed = meta[4] == '1'
if feed ~= (A[2] == '1') then return '!S' end
local now, forgotten = meta[2], meta[3]

-- One event of one player, which nearly all calls are where nothing is put together, takes the short way: the same as below without tables
-- and functions, which would cost as much as two commands.
if A[6] == '1' and A[5] == '1' and A[15] == '1' and A[17] == '0' and A[11] == '0' and A[12] == '' and not feed and #A < 1000 then
  local k = K[6]
  local old = pcall('HMGET', k, 'v', 'e')
  if old.err then return 'W' end
  if A[8] ~= (old[1] or '0') or A[9] ~= forgotten or now >= A[10] then return 'C' end
  if old[1] and not old[2] then
    local listed = pcall('RPUSH', K[5], A[19])
    if type(listed) == 'table' then return 'W' end
    local id = pcall('XADD', K[2], 'MAXLEN', '~', A[3], '0-*', 'd', A[14])
    if type(id) == 'table' and id.err then
      call('RPOP', K[5])
      return 'W'
    end
    if listed == 1 then call('HSET', K[1], 'x' .. A[7], 1) end
    call('HSET', k, unpack(A, 20))
    return 'A' .. string.sub(id, 3)
  end
end

local told, room = 0, 1
if feed then
  local counts = call('HMGET', K[1], 'c', 'k')
  told = tonumber(counts[1] or '0')
  room = tonumber(A[4]) - told + tonumber(counts[2] or '0')
end
local buckets, sets = tonumber(A[5]), tonumber(A[6])

-- Looks at a set and at the types of all keys that it touches, and writes nothing. One bucket alone is not looked at: it is written first.
local bad, index, marks = false, false, false
local function look(a, k, outcomes)
  local old = pcall('HMGET', k, 'v', 'e')
  local wrong = old.err
  if bad then
    for i = a + 10, a + 8 + 2 * outcomes, 2 do wrong = wrong or bad[A[i]] end
  end
  if wrong then return 'W' end
  if A[a] ~= (old[1] or '0') or A[a + 1] ~= forgotten or now >= A[a + 2] then return 'C' end
  if feed then
    if room <= 0 then return 'F' end
    room = room - 1
  end
  -- Of the wrong type, these fail here.
  if not old[1] and not index then
    call('ZCARD', K[3])
    index = true
  end
  if (old[2] or A[a + 4] ~= '') and not marks then
    call('ZCARD', K[4])
    marks = true
  end
  return 'A', old[1], old[2]
end
if buckets > 1 then
  for b = 1, buckets do
    if type(pcall('LLEN', K[4 + b])) == 'table' then
      bad = bad or {}
      bad[tostring(b)] = true
    end
  end
end

-- Lists outcomes, each under the name of a bucket; false if the first bucket is of the wrong type, and nothing is written.
local function list(b, names)
  local len, count = 0, #names
  for i = 1, count, 1000 do
    len = pcall('RPUSH', K[4 + b], unpack(names, i, math.min(i + 999, count)))
    if type(len) == 'table' then return false end
  end
  if len == count then return true, 'x' .. A[6 + b] end
  return true
end

local newest
-- Tells of a set; false if the outbox is of the wrong type, which the first entry finds out.
local function tell(notice)
  local id
  if feed then
    told = told + 1
    id = pcall('XADD', K[2], '0-*', 'd', notice, 'c', told)
  else
    id = pcall('XADD', K[2], 'MAXLEN', '~', A[3], '0-*', 'd', notice)
  end
  if type(id) == 'table' and id.err then return false end
  newest = id
  return true
end

local function by_thousands(command, key, from, through)
  for i = from, through, 1000 do call(command, key, unpack(A, i, math.min(i + 999, through))) end
end

-- Writes what a set says of its player.
local function write(a, k, version, old_mark, outcomes, fields, removed)
  local mark, player, at = A[a + 4], A[a + 5], a + 10 + 2 * outcomes
  if not version then call('ZADD', K[3], 0, player) end
  if old_mark then
    call('ZREM', K[4], old_mark .. player)
    if mark == '' then call('HDEL', k, 'e') end
  end
  if mark ~= '' then call('ZADD', K[4], 0, mark .. player) end
  if A[a + 3] == '1' then call('DEL', k) end
  by_thousands('HSET', k, at, at + fields - 1)
  if removed > 0 then by_thousands('HDEL', k, at + fields, at + fields + removed - 1) end
end

local a, out, fit, listed = 7 + buckets, {}, {}, {}
for s = 1, sets do
  local k, outcomes, fields, removed = K[4 + buckets + s], tonumber(A[a + 7]), tonumber(A[a + 8]), tonumber(A[a + 9])
  local said, version, mark = look(a, k, outcomes)
  out[s] = said
  if said == 'A' then
    fit[#fit + 1] = {s, a, k, version, mark, outcomes, fields, removed}
    for i = a + 10, a + 8 + 2 * outcomes, 2 do
      local names = listed[A[i]]
      if not names then
        names = {}
        listed[A[i]] = names
      end
      names[#names + 1] = A[i + 1]
    end
  end
  a = a + 10 + 2 * outcomes + fields + removed
end
if #fit == 0 then return table.concat(out) end
-- Lists come first and then the outbox. Of one list and of the outbox it is not known yet whether they are what they are to be; if not, what
-- was listed is taken back.
local flags, sound = {}, true
for b, names in pairs(listed) do
  local done, flag = list(b, names)
  sound = sound and done
  if not done then listed[b] = nil end
  flags[#flags + 1] = flag
end
for _, set in ipairs(fit) do
  if sound then sound = tell(A[set[2] + 6]) end
  if not sound then break end
end
if not sound then
  for b, names in pairs(listed) do call('RPOP', K[4 + b], #names) end
  for _, set in ipairs(fit) do out[set[1]] = 'W' end
  return table.concat(out)
end
for _, flag in ipairs(flags) do call('HSET', K[1], flag, 1) end
for _, set in ipairs(fit) do write(set[2], set[3], set[4], set[5], set[6], set[7], set[8]) end
if feed then call('HSET', K[1], 'c', told) end
return table.concat(out) .. string.sub(newest, 3)
