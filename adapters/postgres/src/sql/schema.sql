-- Migration 1: what the game goes by. Ids are visible ASCII and sort byte by byte; times are Unix milliseconds.

CREATE TABLE liveops.game (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  -- Empty before anything was written.
  header bytea NOT NULL DEFAULT '',
  -- What follows these cursors is in the outbox, for boards and for consumers.
  outbox_from bigint NOT NULL DEFAULT 0,
  feed_from bigint NOT NULL DEFAULT 0,
  -- The cluster whose transactions the cursors count: another one, or one brought back to an earlier time, begins anew.
  cluster text NOT NULL);

-- What every commit goes by, in some copies, so that those who commit do not all share one row.
CREATE TABLE liveops.horizon (
  game int NOT NULL,
  copy smallint NOT NULL,
  now bigint NOT NULL,
  forgotten_before bigint NOT NULL,
  -- Most change sets that wait to be acknowledged; NULL without a feed.
  feed_max bigint,
  -- A cursor is the number of a transaction by 65,536, the place in it, and this.
  shift bigint NOT NULL,
  PRIMARY KEY (game, copy)) WITH (fillfactor = 10);

CREATE TABLE liveops.player (
  game int NOT NULL,
  player text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  -- Through when the player was erased, if nothing else is left.
  mark bigint,
  -- The time of the newest outcome beside it, whether it is forgotten or not.
  remembered bigint NOT NULL,
  xp bigint NOT NULL,
  level int NOT NULL,
  receipts bigint NOT NULL,
  newest_ts bigint NOT NULL,
  hidden bool NOT NULL,
  erased bigint,
  record bytea NOT NULL,
  PRIMARY KEY (game, player)) WITH (fillfactor = 70);
ALTER TABLE liveops.player ALTER COLUMN record SET STORAGE MAIN;
CREATE INDEX player_mark ON liveops.player (game, mark) WHERE mark IS NOT NULL;

-- First outcomes, by day of their own time, so that a day goes as a whole. The key is not unique: versions of players guard it.
CREATE TABLE liveops.outcome (
  game int NOT NULL,
  player text COLLATE "C" NOT NULL,
  origin smallint NOT NULL,
  id text COLLATE "C" NOT NULL,
  ts bigint NOT NULL,
  record bytea NOT NULL) PARTITION BY RANGE (ts);
CREATE INDEX outcome_key ON liveops.outcome (game, player, origin, id);
-- Whatever no day was made for: a commit never fails for one.
CREATE TABLE liveops.outcome_rest PARTITION OF liveops.outcome DEFAULT;
-- For the sweep alone: whoever looks for a player's by `ts` is not to find it by the planner's mistake.
CREATE INDEX outcome_rest_due ON liveops.outcome_rest (game, (ts + 0));

CREATE TABLE liveops.receipt (
  game int NOT NULL,
  player text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  reward text NOT NULL,
  state text NOT NULL,
  ts bigint NOT NULL,
  doc jsonb NOT NULL,
  record bytea NOT NULL,
  PRIMARY KEY (game, player, number));

CREATE TABLE liveops.suspicion (
  game int NOT NULL,
  player text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  type text NOT NULL,
  ts bigint NOT NULL,
  received_at bigint NOT NULL,
  held bool NOT NULL,
  settled text NOT NULL,
  doc jsonb NOT NULL,
  record bytea NOT NULL,
  PRIMARY KEY (game, player, number));

-- What happened, by cursor. Whoever reads stops at the oldest transaction that still runs.
CREATE TABLE liveops.outbox (
  game int NOT NULL,
  cursor bigint NOT NULL,
  -- 0 for boards alone, 1 a change set of the feed, 2 a rise of the horizon.
  kind smallint NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  told bytea NOT NULL,
  PRIMARY KEY (game, cursor) INCLUDE (kind));

CREATE TABLE liveops.consumer (
  game int NOT NULL,
  name text COLLATE "C" NOT NULL,
  acked bigint NOT NULL,
  PRIMARY KEY (game, name));

-- The days before and after now, and this one. One that cannot be made at once is left to the next time.
CREATE FUNCTION liveops.make_days() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  today bigint := floor(extract(epoch FROM now()) / 86400);
  day bigint;
  name text;
BEGIN
  FOR ahead IN -1..1 LOOP
    day := today + ahead;
    name := 'outcome_' || to_char(to_timestamp(day * 86400) AT TIME ZONE 'UTC', 'YYYY_MM_DD');
    CONTINUE WHEN to_regclass('liveops.' || name) IS NOT NULL;
    BEGIN
      EXECUTE format('CREATE TABLE liveops.%I PARTITION OF liveops.outcome FOR VALUES FROM (%s) TO (%s)', name,
        day * 86400000, (day + 1) * 86400000);
    EXCEPTION WHEN lock_not_available OR check_violation OR duplicate_table OR unique_violation OR duplicate_object THEN
      NULL;
    END;
  END LOOP;
END $$;

-- Whether some game still remembers something of a day.
CREATE FUNCTION liveops.is_remembered(day text, through bigint) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
  found bool;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT FROM liveops.horizon h WHERE h.copy = 0 AND h.forgotten_before < $1
    AND EXISTS (SELECT FROM liveops.%I o WHERE o.game = h.game))', day) INTO found USING through;
  RETURN found;
END $$;

-- The days that there are, and the first millisecond after each.
CREATE VIEW liveops.outcome_day AS
  SELECT c.relname::text AS name, substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''?(-?[0-9]+)''?\)')::bigint AS through
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = 'liveops.outcome'::regclass AND c.relname <> 'outcome_rest';

-- Drops the days that nobody remembers. A reader in a transaction makes it leave a day to the next time.
CREATE FUNCTION liveops.drop_days() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  day record;
BEGIN
  FOR day IN SELECT * FROM liveops.outcome_day WHERE through <= (SELECT max(forgotten_before) FROM liveops.horizon WHERE copy = 0)
  LOOP
    BEGIN
      CONTINUE WHEN liveops.is_remembered(day.name, day.through);
      -- Nobody adds to it meanwhile.
      LOCK TABLE liveops.outcome IN ACCESS EXCLUSIVE MODE;
      CONTINUE WHEN liveops.is_remembered(day.name, day.through);
      EXECUTE format('DROP TABLE liveops.%I', day.name);
    EXCEPTION WHEN lock_not_available OR undefined_table THEN
      NULL;
    END;
  END LOOP;
END $$;

-- Deletes outcomes that a game has forgotten row by row, where no day was made for them or another game still needs it; how many.
CREATE FUNCTION liveops.sweep_outcomes(of int, before bigint, most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  day record;
  swept bigint;
  total bigint := 0;
BEGIN
  -- What nobody remembers goes as a whole, if not now then soon.
  FOR day IN SELECT 'outcome_rest' AS name UNION ALL
    SELECT d.name FROM liveops.outcome_day d WHERE d.through <= before AND liveops.is_remembered(d.name, d.through)
  LOOP
    EXECUTE format('DELETE FROM liveops.%I WHERE ctid = ANY (ARRAY (
      SELECT ctid FROM liveops.%I WHERE game = $1 AND ts + 0 < $2 LIMIT $3 FOR UPDATE SKIP LOCKED))', day.name, day.name) USING of, before, most - total;
    GET DIAGNOSTICS swept = ROW_COUNT;
    total := total + swept;
    EXIT WHEN total >= most;
  END LOOP;
  RETURN total;
END $$;
