-- What people read. The game goes by the records beside it; nothing here is ever read back.

-- Milliseconds as a time. What lies beyond the years 1 to 9999 is infinite.
CREATE FUNCTION liveops.instant(millis bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN millis < -62135596800000 THEN '-infinity' WHEN millis > 253402300799999 THEN 'infinity'
    ELSE to_timestamp(millis / 1000.0) END $$;

-- Events as they were applied, where the store is asked to keep them. A month can be dropped as a whole.
CREATE TABLE liveops.event (
  game int NOT NULL, at timestamptz NOT NULL, player text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, type text NOT NULL,
  received timestamptz NOT NULL, xp bigint NOT NULL, held bool NOT NULL, payload jsonb) PARTITION BY RANGE (at);
CREATE INDEX event_player ON liveops.event (game, player);
CREATE INDEX event_at ON liveops.event USING brin (at);
-- Whatever no month was made for: a commit never fails for one.
CREATE TABLE liveops.event_rest PARTITION OF liveops.event DEFAULT;

-- This month and the next two. One that cannot be made now (somebody reads, or its events already lie in `event_rest`) is left out.
CREATE FUNCTION liveops.make_months(since timestamptz) RETURNS void LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO' AS $$
DECLARE
  month timestamp;
  name text;
BEGIN
  FOR ahead IN 0..2 LOOP
    month := date_trunc('month', since AT TIME ZONE 'UTC') + make_interval(months => ahead);
    name := 'event_' || to_char(month, 'YYYY_MM');
    CONTINUE WHEN to_regclass('liveops.' || name) IS NOT NULL;
    BEGIN
      EXECUTE format('CREATE TABLE liveops.%I PARTITION OF liveops.event FOR VALUES FROM (%L) TO (%L)', name,
        month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
    EXCEPTION WHEN lock_not_available OR check_violation OR duplicate_table OR unique_violation OR duplicate_object THEN
      NULL;
    END;
  END LOOP;
END $$;

-- How closed periods ended: the best of each board, written once.
CREATE TABLE liveops.snapshot (
  game int NOT NULL, board text COLLATE "C" NOT NULL, span text NOT NULL, period bigint NOT NULL, player text COLLATE "C" NOT NULL,
  rank bigint NOT NULL, score bigint NOT NULL, subscore bigint NOT NULL, reached timestamptz NOT NULL, written timestamptz NOT NULL,
  PRIMARY KEY (game, board, span, period, player));
CREATE INDEX snapshot_player ON liveops.snapshot (game, player);

-- Nobody of whom only the mark of an erasure is left.
CREATE VIEW liveops.player_progress AS
  SELECT g.name AS game, p.player, p.xp, p.level, p.version AS commands, p.receipts, liveops.instant(p.newest_ts) AS newest,
    p.hidden, liveops.instant(p.erased) AS erased
  FROM liveops.player p JOIN liveops.game g ON g.id = p.game WHERE p.mark IS NULL;

CREATE VIEW liveops.receipts AS
  SELECT g.name AS game, r.player, r.number, r.reward, liveops.instant(r.ts) AS at,
    CASE WHEN r.state = 'claimable' AND (r.doc->>'claimUntil')::bigint <= h.now THEN 'expired' ELSE r.state END AS state, r.doc
  FROM liveops.receipt r JOIN liveops.game g ON g.id = r.game JOIN liveops.horizon h ON h.game = r.game AND h.copy = 0;

CREATE VIEW liveops.suspicious_events AS
  SELECT g.name AS game, s.player, s.number, s.type, liveops.instant(s.ts) AS at, liveops.instant(s.received_at) AS received,
    s.held, s.settled, s.doc
  FROM liveops.suspicion s JOIN liveops.game g ON g.id = s.game;

CREATE VIEW liveops.leaderboard_snapshots AS
  SELECT g.name AS game, s.board, s.span, s.period, s.rank, s.player, s.score, s.subscore, s.reached, s.written
  FROM liveops.snapshot s JOIN liveops.game g ON g.id = s.game;

CREATE VIEW liveops.events AS
  SELECT g.name AS game, e.at, e.player, e.id, e.type, e.received, e.xp, e.held, e.payload
  FROM liveops.event e JOIN liveops.game g ON g.id = e.game;
