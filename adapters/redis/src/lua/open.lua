#!lua
-- Takes a game's place, or finds it taken.
-- KEYS: the game's own. ARGV: generation to take, partitions, schema, the first horizon.
-- Answers generation, partitions, schema, whether it is ready, entries that the feed takes.
local call = redis.call
if call('HEXISTS', KEYS[1], 'g') == 0 then
  call('HSET', KEYS[1], 'g', ARGV[1], 'p', ARGV[2], 's', ARGV[3], 'r', '0', 'n', ARGV[4], 'f', ARGV[4])
end
return call('HMGET', KEYS[1], 'g', 'p', 's', 'r', 'l')
