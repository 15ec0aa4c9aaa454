#!lua
-- Begins a partition that is not there. KEYS: meta. ARGV: generation, the first horizon. Answers whose it is.
local call = redis.call
if call('EXISTS', KEYS[1]) == 0 then call('HSET', KEYS[1], 'g', ARGV[1], 'n', ARGV[2], 'f', ARGV[2]) end
return call('HGET', KEYS[1], 'g')
