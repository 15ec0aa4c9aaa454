#!lua
-- Compares the header and sets it. KEYS: the game's own. ARGV: generation, header expected, whether none is as good, new header.
local call = redis.call
local own = call('HMGET', KEYS[1], 'g', 'h')
if own[1] ~= ARGV[1] then return '!G' end
if own[2] ~= ARGV[2] and (own[2] or ARGV[3] ~= '1') then return 0 end
call('HSET', KEYS[1], 'h', ARGV[4])
return 1
