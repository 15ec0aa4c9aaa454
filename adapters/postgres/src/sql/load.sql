-- $1 game; then keys by kind, each with its place among the keys that were asked for. One statement, so one moment.
-- The sub-selects with LIMIT are looked up one by one, whatever the statistics say, or if there are none.
WITH h AS MATERIALIZED (SELECT now, forgotten_before FROM liveops.horizon WHERE game = $1 AND copy = 0)
SELECT -1 AS at, NULL::bytea AS record, now, forgotten_before FROM h
UNION ALL
SELECT k.at, p.record, NULL, NULL FROM h CROSS JOIN unnest($2::text[], $3::int[]) k(player, at)
CROSS JOIN LATERAL (
  SELECT record FROM liveops.player p WHERE p.game = $1 AND p.player = k.player
    AND (p.mark IS NULL OR greatest(p.mark, p.remembered) >= h.forgotten_before)
  LIMIT 1) p
UNION ALL
SELECT k.at, o.record, NULL, NULL FROM h CROSS JOIN unnest($4::text[], $5::smallint[], $6::text[], $7::int[]) k(player, origin, id, at)
CROSS JOIN LATERAL (
  SELECT record FROM liveops.outcome o
  WHERE o.game = $1 AND o.player = k.player AND o.origin = k.origin AND o.id = k.id AND o.ts >= h.forgotten_before
  LIMIT 1) o
-- More: a statement without what follows is used where no such key is asked for.
UNION ALL
SELECT k.at, r.record, NULL, NULL FROM unnest($8::text[], $9::bigint[], $10::int[]) k(player, number, at)
CROSS JOIN LATERAL (
  SELECT record FROM liveops.receipt r WHERE r.game = $1 AND r.player = k.player AND r.number = k.number LIMIT 1) r
UNION ALL
SELECT k.at, s.record, NULL, NULL FROM unnest($11::text[], $12::bigint[], $13::int[]) k(player, number, at)
CROSS JOIN LATERAL (
  SELECT record FROM liveops.suspicion s WHERE s.game = $1 AND s.player = k.player AND s.number = k.number LIMIT 1) s
