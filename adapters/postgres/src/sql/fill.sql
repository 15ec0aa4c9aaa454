-- $1 game, then records by kind.
WITH p AS (
  INSERT INTO liveops.player (game, player, version, mark, xp, level, receipts, newest_ts, hidden, erased, record)
  SELECT $1, x.* FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[], $7::bigint[], $8::bigint[], $9::bool[],
    $10::bigint[], $11::bytea[]) x),
o AS (
  INSERT INTO liveops.outcome (game, player, origin, id, ts, record)
  SELECT $1, x.* FROM unnest($12::text[], $13::smallint[], $14::text[], $15::bigint[], $16::bytea[]) x),
r AS (
  INSERT INTO liveops.receipt (game, player, number, reward, state, ts, doc, record)
  SELECT $1, x.player, x.number, x.reward, x.state, x.ts, x.doc::jsonb, x.record
  FROM unnest($17::text[], $18::bigint[], $19::text[], $20::text[], $21::bigint[], $22::text[], $23::bytea[])
    x(player, number, reward, state, ts, doc, record))
INSERT INTO liveops.suspicion (game, player, number, type, ts, received_at, held, settled, doc, record)
SELECT $1, x.player, x.number, x.type, x.ts, x.received_at, x.held, x.settled, x.doc::jsonb, x.record
FROM unnest($24::text[], $25::bigint[], $26::text[], $27::bigint[], $28::bigint[], $29::bool[], $30::text[], $31::text[], $32::bytea[])
  x(player, number, type, ts, received_at, held, settled, doc, record)
