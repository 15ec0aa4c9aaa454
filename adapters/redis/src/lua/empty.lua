#!lua
-- Shuts a partition that holds nothing, for a restoration. KEYS: meta, index. ARGV: generation, that of the restoration, the first horizon.
-- Answers whether it holds nothing.
local call = redis.call
local meta = call('HMGET', KEYS[1], 'g', 'n', 'f')
if meta[1] ~= ARGV[1] then return '!G' end
if call('ZCARD', KEYS[2]) > 0 or meta[2] ~= ARGV[3] or meta[3] ~= ARGV[3] then return 0 end
call('HSET', KEYS[1], 'g', ARGV[2])
return 1
