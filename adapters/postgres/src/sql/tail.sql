-- $1 game, $2 the cursor, $3 how many, $4 which kinds. One row without an entry where nothing follows.
-- A transaction that still runs may yet write an entry below those of others: nobody reads as far as the oldest one.
SELECT g.outbox_from, g.feed_from, h.feed_max IS NOT NULL AS has_feed, h.shift + (s.xmin << 16) AS settled,
  h.shift + (s.xmax << 16) AS limits, EXISTS (
    SELECT FROM liveops.outbox o WHERE o.game = $1 AND o.cursor >= h.shift + (s.xmin << 16)) AS unsettled, o.cursor, o.told
FROM liveops.game g JOIN liveops.horizon h ON h.game = g.id AND h.copy = 0
CROSS JOIN (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin,
  pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xmax) s
LEFT JOIN LATERAL (
  SELECT o.cursor, o.told FROM liveops.outbox o
  WHERE o.game = $1 AND o.cursor > $2 AND o.cursor < h.shift + (s.xmin << 16) AND o.kind = ANY ($4::smallint[])
  ORDER BY o.cursor LIMIT $3) o ON true
WHERE g.id = $1 ORDER BY o.cursor
