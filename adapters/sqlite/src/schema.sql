-- Version 1. What tables of records hold beside `body` is for look-ups and for people; `body` is a record's stable bytes and
-- eight check bytes over them and over what names the row.
CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY NOT NULL, proof BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE consumer(name TEXT PRIMARY KEY, acked INTEGER NOT NULL, proof BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE player(
  p INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  version INTEGER NOT NULL,
  erased_through INTEGER,
  idle INTEGER NOT NULL,       -- 1: nothing but the mark of an erasure
  suspected INTEGER NOT NULL,  -- 1: has, or had, rows in suspicion
  hidden INTEGER NOT NULL,
  xp INTEGER NOT NULL,
  rewarded_level INTEGER NOT NULL,
  receipts INTEGER NOT NULL,
  newest_ts INTEGER NOT NULL,
  standings TEXT NOT NULL,     -- [[board, span, period, score, subscore, reached, 1 where the lowest is first], ..]
  body BLOB NOT NULL
) STRICT;
CREATE INDEX player_idle ON player(erased_through) WHERE idle=1;
CREATE INDEX player_suspected ON player(id) WHERE suspected=1;
CREATE TABLE outcome(
  p INTEGER NOT NULL, origin INTEGER NOT NULL, id TEXT NOT NULL,
  ts INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(p, origin, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE receipt(
  p INTEGER NOT NULL, number INTEGER NOT NULL,
  reward TEXT NOT NULL, items TEXT NOT NULL, ts INTEGER NOT NULL, state TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(p, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE suspicion(
  p INTEGER NOT NULL, number INTEGER NOT NULL,
  type TEXT NOT NULL, ts INTEGER NOT NULL, held INTEGER NOT NULL, settled TEXT NOT NULL, verdicts TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY(p, number)
) STRICT, WITHOUT ROWID;
-- A row without a player says that the horizon rose.
CREATE TABLE feed(cursor INTEGER PRIMARY KEY, player TEXT, version INTEGER, body BLOB NOT NULL) STRICT;
CREATE INDEX feed_rise ON feed(cursor) WHERE player IS NULL;

CREATE VIEW progress AS
  SELECT id AS player, xp, rewarded_level, version AS commands, receipts,
         datetime(newest_ts/1000, 'unixepoch') AS newest, hidden, datetime(erased_through/1000, 'unixepoch') AS erased
  FROM player;
CREATE VIEW receipts AS
  SELECT player.id AS player, number, reward, items, datetime(ts/1000, 'unixepoch') AS time, state
  FROM receipt JOIN player USING(p);
CREATE VIEW suspicions AS
  SELECT player.id AS player, number, type, datetime(ts/1000, 'unixepoch') AS time, held, settled, verdicts
  FROM suspicion JOIN player USING(p);
CREATE VIEW standings AS
  WITH entry AS (
    SELECT player.id AS player, json_extract(s.value, '$[0]') AS board, json_extract(s.value, '$[1]') AS span,
           json_extract(s.value, '$[2]') AS period, json_extract(s.value, '$[3]') AS score,
           json_extract(s.value, '$[4]') AS subscore, json_extract(s.value, '$[5]') AS reached,
           CASE WHEN json_extract(s.value, '$[6]') THEN 1 ELSE -1 END AS sign
    FROM player, json_each(player.standings) AS s WHERE NOT player.hidden)
  SELECT board, span, period,
         rank() OVER (PARTITION BY board, span, period ORDER BY sign * score, sign * subscore) AS rank,
         player, score, subscore, datetime(reached/1000, 'unixepoch') AS reached
  FROM entry;
