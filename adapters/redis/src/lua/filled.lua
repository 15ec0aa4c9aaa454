#!lua
-- Opens a partition that was restored, in a new epoch of cursors.
-- KEYS: meta, outbox, consumers. ARGV: generation of the restoration, the store's, now, forgotten before, epoch, the notice that
--   begins it, consumers and cursors in 20 digits ..
local K, A, call = KEYS, ARGV, redis.call
if call('HGET', K[1], 'g') ~= A[1] then return '!G' end
call('XADD', K[2], '0-' .. A[5], 'h', A[6], 'c', '0')
call('HSET', K[1], 'g', A[2], 'n', A[3], 'f', A[4], 'c', '0', 'k', '0', 't', A[5])
call('DEL', K[3])
for i = 7, #A, 2 do call('HSET', K[3], A[i], A[i + 1]) end
return 1
