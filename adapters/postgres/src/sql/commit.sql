-- $1 game, $2 copy of the horizon, $3 most change sets of the feed as the caller knows it (NULL without one), $4 whether to count those
-- that wait. Then the sets in the order of players, and what belongs to them, each with the place of its set from 1.
WITH
-- Locked, and so read as it is after any wait, not as of the statement's beginning. Before every other lock, because with the first
-- one the transaction gets its number: what comes behind an advance has a higher one.
h AS MATERIALIZED (
  SELECT now, forgotten_before, feed_max, shift FROM liveops.horizon WHERE game = $1 AND copy = $2 FOR SHARE),
-- How many more the feed takes.
room AS MATERIALIZED (
  SELECT CASE WHEN $3::bigint IS NULL THEN NULL WHEN $4::bool THEN $3 - (
    SELECT count(*) FROM (
      SELECT FROM liveops.outbox o WHERE o.game = $1 AND o.kind = 1
        AND o.cursor > coalesce((SELECT min(acked) FROM liveops.consumer c WHERE c.game = $1), -9223372036854775808)
      LIMIT $3) w) END AS free),
c AS MATERIALIZED (
  SELECT x.*, x.forgotten_before = h.forgotten_before AND x.closes > h.now AND h.feed_max IS NOT DISTINCT FROM $3 AS is_open,
    room.free IS NULL OR x.n <= room.free AS has_room
  FROM h CROSS JOIN room
  CROSS JOIN unnest($5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[],
      $13::int[], $14::bigint[], $15::bigint[], $16::bool[], $17::bigint[], $18::bytea[], $19::bytea[], $20::bytea[])
    WITH ORDINALITY x(player, expected, forgotten_before, closes, version, mark, remembered, xp, level, receipts, newest_ts, hidden,
      erased, record, told, gone, n)),
-- New players before anybody is locked: an insert may wait for whoever has its player, and who waits while holding others is waited for.
-- Whom the statement saw at its beginning and does not find when it locks was removed meanwhile, perhaps by a transaction of a higher
-- number: that conflicts.
new AS (
  INSERT INTO liveops.player
    (game, player, version, mark, remembered, xp, level, receipts, newest_ts, hidden, erased, record)
  SELECT $1, c.player, c.version, c.mark, c.remembered, c.xp, c.level, c.receipts, c.newest_ts, c.hidden, c.erased, c.record FROM c
  WHERE c.is_open AND c.has_room AND c.expected = 0 AND NOT EXISTS (
    SELECT FROM liveops.player p WHERE p.game = $1 AND p.player = c.player OFFSET 0)
  ORDER BY c.n ON CONFLICT DO NOTHING RETURNING player),
-- Then the others, looked up one by one in the order of players, so that nobody waits in a circle. Whoever is due counts as absent.
i AS MATERIALIZED (
  SELECT c.*, old.at, old.is_there, c.is_open AND c.has_room AND c.expected = CASE
    WHEN old.mark IS NULL OR greatest(old.mark, old.remembered) >= h.forgotten_before THEN old.version ELSE 0 END AS fits
  FROM h CROSS JOIN c CROSS JOIN (SELECT count(*) AS born FROM new) b
  LEFT JOIN LATERAL (
    SELECT p.version, p.mark, p.remembered, p.ctid AS at, true AS is_there FROM liveops.player p
    WHERE p.game = $1 AND p.player = c.player AND b.born >= 0 LIMIT 1 FOR UPDATE) old ON true),
up AS (
  UPDATE liveops.player p SET version = f.version, mark = f.mark, remembered = greatest(p.remembered, f.remembered), xp = f.xp,
    level = f.level, receipts = f.receipts, newest_ts = f.newest_ts, hidden = f.hidden, erased = f.erased, record = f.record
  FROM i f WHERE f.is_there AND f.fits AND p.ctid = f.at RETURNING f.n),
-- By place: 0 conflicts, 1 is written, 2 finds the feed full.
state AS MATERIALIZED (
  SELECT array_agg(CASE WHEN i.n IN (SELECT n FROM up) OR i.is_there IS NULL AND i.player IN (SELECT player FROM new) THEN 1
    WHEN i.is_open AND NOT i.has_room THEN 2 ELSE 0 END ORDER BY i.n)::smallint[] AS s FROM i),
outcomes AS (
  INSERT INTO liveops.outcome (game, player, origin, id, ts, record)
  SELECT $1, x.player, x.origin, x.id, x.ts, x.record FROM state,
    unnest($21::int[], $22::text[], $23::smallint[], $24::text[], $25::bigint[], $26::bytea[]) x(n, player, origin, id, ts, record)
  WHERE s[x.n] = 1),
receipts AS (
  INSERT INTO liveops.receipt (game, player, number, reward, state, ts, doc, record)
  SELECT $1, x.player, x.number, x.reward, x.state, x.ts, x.doc::jsonb, x.record FROM state,
    unnest($27::int[], $28::text[], $29::bigint[], $30::text[], $31::text[], $32::bigint[], $33::text[], $34::bytea[])
      x(n, player, number, reward, state, ts, doc, record)
  WHERE s[x.n] = 1
  ON CONFLICT (game, player, number) DO UPDATE SET reward = excluded.reward, state = excluded.state, ts = excluded.ts,
    doc = excluded.doc, record = excluded.record),
-- More: a statement without this part is used where there is nothing of it.
suspicions AS (
  INSERT INTO liveops.suspicion (game, player, number, type, ts, received_at, held, settled, doc, record)
  SELECT $1, x.player, x.number, x.type, x.ts, x.received_at, x.held, x.settled, x.doc::jsonb, x.record FROM state,
    unnest($35::int[], $36::text[], $37::bigint[], $38::text[], $39::bigint[], $40::bigint[], $41::bool[], $42::text[], $43::text[],
      $44::bytea[]) x(n, player, number, type, ts, received_at, held, settled, doc, record)
  WHERE s[x.n] = 1
  ON CONFLICT (game, player, number) DO UPDATE SET type = excluded.type, ts = excluded.ts, received_at = excluded.received_at,
    held = excluded.held, settled = excluded.settled, doc = excluded.doc, record = excluded.record),
-- Records that are no longer kept. What this statement inserts it cannot delete: the caller leaves those out.
removed AS MATERIALIZED (
  SELECT x.* FROM state, unnest($45::int[], $46::text[], $47::smallint[], $48::bigint[]) x(n, player, kind, number)
  WHERE s[x.n] = 1),
less_receipts AS (
  DELETE FROM liveops.receipt r USING (
    SELECT old.at FROM removed x CROSS JOIN LATERAL (
      SELECT ctid AS at FROM liveops.receipt r WHERE r.game = $1 AND r.player = x.player AND r.number = x.number LIMIT 1) old
    WHERE x.kind = 0) d WHERE r.ctid = d.at),
less_suspicions AS (
  DELETE FROM liveops.suspicion s USING (
    SELECT old.at FROM removed x CROSS JOIN LATERAL (
      SELECT ctid AS at FROM liveops.suspicion s WHERE s.game = $1 AND s.player = x.player AND s.number = x.number LIMIT 1) old
    WHERE x.kind = 1) d WHERE s.ctid = d.at),
events AS (
  INSERT INTO liveops.event (game, at, player, id, type, received, xp, held, payload)
  SELECT $1, liveops.instant(x.ts), x.player, x.id, x.type, liveops.instant(x.received), x.xp, x.held, x.payload::jsonb FROM state,
    unnest($49::int[], $50::text[], $51::text[], $52::bigint[], $53::text[], $54::bigint[], $55::bigint[], $56::bool[], $57::text[])
      x(n, player, id, ts, type, received, xp, held, payload)
  WHERE s[x.n] = 1),
-- Always: whoever begins again under the name of somebody whose row is still there: first, the one before is gone.
told AS (
  INSERT INTO liveops.outbox (game, cursor, kind, told)
  SELECT $1, h.shift + (pg_current_xact_id()::text::bigint << 16) + t.place, t.kind, t.told
  FROM h CROSS JOIN state CROSS JOIN (
    SELECT n, 2 * n + 1 AS place, CASE WHEN $3::bigint IS NULL THEN 0 ELSE 1 END::smallint AS kind, told FROM i
    UNION ALL SELECT n, 2 * n, 0::smallint, gone FROM i WHERE is_there AND expected = 0) t
  WHERE s[t.n] = 1)
SELECT s, h.feed_max, room.free FROM h, room, state
