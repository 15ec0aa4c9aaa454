#!lua
-- Lets go of acknowledged entries. KEYS: meta, outbox. ARGV: generation, the first cursor that is kept, in 20 digits and plain.
local meta = redis.call('HMGET', KEYS[1], 'g', 't')
if meta[1] ~= ARGV[1] then return '!G' end
local through = meta[2] or '0'
if ARGV[2] > string.rep('0', 20 - #through) .. through then return 0 end
return redis.call('XTRIM', KEYS[2], 'MINID', '~', '0-' .. ARGV[3])
