#!lua
-- Sets a field of the game's own if the generation is as expected. KEYS: the game's own. ARGV: generation, field, value.
if redis.call('HGET', KEYS[1], 'g') ~= ARGV[1] then return '!G' end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return 1
