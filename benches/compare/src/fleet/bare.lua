-- What somebody would write by hand: an event once, a player with a version, three sorted sets, a stream.
-- KEYS: the event, the player, three boards, the stream. ARGV: version expected, outcome, version, record, points, player, told, receipts.
local first = redis.call('GET', KEYS[1])
if first then return first end
local stored = redis.call('HMGET', KEYS[2], 'v', 's')
if (stored[1] or '0') ~= ARGV[1] then return 'C' end
redis.call('SET', KEYS[1], ARGV[2], 'EX', 86400)
redis.call('HSET', KEYS[2], 'v', ARGV[3], 's', ARGV[4], unpack(ARGV, 8))
for board = 3, 5 do redis.call('ZINCRBY', KEYS[board], ARGV[5], ARGV[6]) end
redis.call('XADD', KEYS[6], 'MAXLEN', '~', 262144, '*', 'd', ARGV[7])
return 'A'
