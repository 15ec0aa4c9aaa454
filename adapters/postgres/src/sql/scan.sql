-- $1 game; $2 through which player; of players: $3 whether, $4 from which on, $5 whether that one is met; of outcomes: $6 whether, behind
-- ($7, $8, $9); of receipts: $10 whether, behind ($11, $12); of suspicions: $13 whether, behind ($14, $15); $16 how many.
WITH h AS MATERIALIZED (SELECT forgotten_before AS f FROM liveops.horizon WHERE game = $1 AND copy = 0)
SELECT * FROM (
  (SELECT p.player, 0::smallint AS kind, 0::smallint AS origin, ''::text COLLATE "C" AS id, 0::bigint AS number, p.record
  FROM liveops.player p, h WHERE $3::bool AND p.game = $1 AND p.player >= $4 AND p.player <= $2 AND (p.player > $4 OR $5::bool)
    AND (p.mark IS NULL OR greatest(p.mark, p.remembered) >= h.f)
  ORDER BY p.player LIMIT $16)
  UNION ALL
  (SELECT o.player, 1::smallint, o.origin, o.id, 0::bigint, o.record FROM liveops.outcome o
  WHERE $6::bool AND o.game = $1 AND (o.player, o.origin, o.id) > ($7, $8::smallint, $9) AND o.player <= $2 AND o.ts >= (SELECT f FROM h)
  ORDER BY o.player, o.origin, o.id LIMIT $16)
  UNION ALL
  (SELECT r.player, 2::smallint, 0::smallint, ''::text, r.number, r.record FROM liveops.receipt r
  WHERE $10::bool AND r.game = $1 AND (r.player, r.number) > ($11, $12::bigint) AND r.player <= $2
  ORDER BY r.player, r.number LIMIT $16)
  UNION ALL
  (SELECT s.player, 3::smallint, 0::smallint, ''::text, s.number, s.record FROM liveops.suspicion s
  WHERE $13::bool AND s.game = $1 AND (s.player, s.number) > ($14, $15::bigint) AND s.player <= $2
  ORDER BY s.player, s.number LIMIT $16)) x
ORDER BY player, kind, origin, id, number LIMIT $16
