#!lua
-- Raises the game's own horizon, which every partition has. KEYS: the game's own. ARGV: generation, now, forgotten before.
local call = redis.call
local own = call('HMGET', KEYS[1], 'g', 'n', 'f')
if own[1] ~= ARGV[1] then return '!G' end
local now, forgotten = own[2], own[3]
if ARGV[2] > now then now = ARGV[2] end
if ARGV[3] > forgotten then forgotten = ARGV[3] end
call('HSET', KEYS[1], 'n', now, 'f', forgotten)
return {now, forgotten}
