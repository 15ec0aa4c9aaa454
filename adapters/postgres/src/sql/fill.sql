-- $1 game, then records by kind.
WITH p AS (
  INSERT INTO liveops.player (game, player, version, mark, remembered, xp, level, receipts, newest_ts, hidden, erased, record)
  SELECT $1, x.* FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::int[], $8::bigint[], $9::bigint[], $10::bool[],
    $11::bigint[], $12::bytea[]) x),
o AS (
  INSERT INTO liveops.outcome (game, player, origin, id, ts, record)
  SELECT $1, x.* FROM unnest($13::text[], $14::smallint[], $15::text[], $16::bigint[], $17::bytea[]) x),
r AS (
  INSERT INTO liveops.receipt (game, player, number, reward, state, ts, doc, record)
  SELECT $1, x.player, x.number, x.reward, x.state, x.ts, x.doc::jsonb, x.record
  FROM unnest($18::text[], $19::bigint[], $20::text[], $21::text[], $22::bigint[], $23::text[], $24::bytea[])
    x(player, number, reward, state, ts, doc, record))
INSERT INTO liveops.suspicion (game, player, number, type, ts, received_at, held, settled, doc, record)
SELECT $1, x.player, x.number, x.type, x.ts, x.received_at, x.held, x.settled, x.doc::jsonb, x.record
FROM unnest($25::text[], $26::bigint[], $27::text[], $28::bigint[], $29::bigint[], $30::bool[], $31::text[], $32::text[], $33::bytea[])
  x(player, number, type, ts, received_at, held, settled, doc, record)
