//! Other people's transactions: a long one that writes keeps news back, one that reads keeps old days from being dropped, and
//! neither costs the game anything but time.

use std::time::Duration;

use liveops_core::record::Command;
use liveops_core::store::Boards as _;
use liveops_core::{Engine, EventId, Window};
use liveops_testbed::Postgres;

pub(crate) use crate::game::Session;
use crate::game::{Store, at, open, options, player, rules, server, xp};

fn engine(server: &Postgres, game: &str) -> Engine<Store> {
    Engine::open(rules(game), open(&server.url(), options(game).timeout(Duration::from_millis(1_500)))).unwrap()
}

fn score(engine: &Engine<Store>, name: &str) -> Option<i64> {
    let rows = engine.board("xp").unwrap().top(Window::Seasonal, 100, at("2026-11-06T12:00:00Z")).unwrap();
    rows.iter().find(|row| row.owner.as_str() == name).map(|row| row.score)
}

#[test]
fn a_long_writing_transaction_keeps_news_back_says_so_and_loses_none() {
    let server = Postgres::start(&[]).unwrap();
    server.sql("CREATE DATABASE elsewhere").unwrap();
    let elsewhere = server.url().replace("dbname=postgres", "dbname=elsewhere");
    let (one, other) = (engine(&server, "long"), engine(&server, "long"));
    let now = at("2026-11-06T12:00:00Z");
    let submit = |engine: &Engine<Store>, id: &str, who: &str| {
        engine.submit_ndjson(&xp(id, who, 10, now), now)[0].code().to_owned()
    };
    assert_eq!(submit(&one, "e1", "ana"), "applied");
    other.catch_up().unwrap();
    assert_eq!(score(&other, "ana"), Some(10));

    let session = Session::of(&elsewhere);
    session.run("CREATE TABLE import (n int); BEGIN; INSERT INTO import VALUES (1)");
    assert_eq!(submit(&one, "e2", "bo"), "applied", "commits go on");
    assert_eq!(score(&one, "bo"), Some(10), "who committed it shows it at once");
    let refused = other.catch_up().unwrap_err();
    assert_eq!(refused.code().as_str(), "store_unavailable", "what may be missing is not called complete");
    assert_eq!(score(&other, "bo"), None);
    let closed = now.plus_millis(40 * 86_400_000);
    other.advance_far(closed).unwrap();
    assert_eq!(
        other.pay_closed(None, closed).unwrap_err().code().as_str(),
        "store_unavailable",
        "nobody is left out of a payout"
    );
    let lag = other.store().lag().unwrap();
    assert!(lag.oldest_transaction_millis.is_some_and(|age| age > 0), "{lag:?}");

    session.run("ROLLBACK");
    other.catch_up().unwrap();
    assert_eq!(score(&other, "bo"), Some(10));
    let run = other.pay_closed(None, closed).unwrap();
    assert_eq!(run.periods.iter().map(|period| period.paid).sum::<u64>(), 1);
}

#[test]
fn a_reader_in_a_transaction_puts_off_the_dropping_of_days_and_nothing_else() {
    let game = crate::game::fresh("reader");
    let server = Postgres::start(&[]).unwrap();
    let engine = engine(&server, &game);
    // Days that the server made itself: around its own today.
    let today =
        server.sql("SELECT extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'UTC'))::bigint * 1000").unwrap();
    let today = liveops_core::Timestamp::from_unix_millis(today.trim().parse().unwrap());
    assert_eq!(engine.submit_ndjson(&xp("e1", "ana", 10, today), today)[0].code(), "applied");
    let days = || server.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'liveops.outcome'::regclass").unwrap();
    let kept = || server.sql("SELECT count(*) FROM liveops.outcome").unwrap();
    assert_eq!(kept(), "1");
    let reader = Session::of(&server.url());
    reader.run("BEGIN; SELECT count(*) FROM liveops.outcome");
    let before: u64 = days().parse().unwrap();
    let later = today.plus_millis(10 * 86_400_000);
    engine.advance_far(later).unwrap();
    // Days are looked after once a minute, and by every process that comes.
    drop(self::engine(&server, &game));
    assert_eq!(days().parse::<u64>().unwrap(), before, "somebody reads them");
    assert_eq!(engine.size().unwrap().outcomes, 0, "what is due counts as absent, whoever reads");
    assert_eq!(engine.submit_ndjson(&xp("e2", "ana", 10, later), later)[0].code(), "applied", "commits go on");
    reader.run("ROLLBACK");
    drop(self::engine(&server, &game));
    assert_eq!(kept(), "1", "what was put off is done: only the newest outcome is there");
    let after: u64 = days().parse().unwrap();
    assert!(after < before, "days were dropped: {before} before, {after} after");
}

#[test]
fn a_day_that_nobody_made_takes_commits_all_the_same() {
    let server = Postgres::start(&[]).unwrap();
    let engine = engine(&server, "days");
    let now = at("2031-05-05T12:00:00Z");
    let drop_days = "SELECT string_agg(format('DROP TABLE %s;', inhrelid::regclass), '') FROM pg_inherits
        WHERE inhparent = 'liveops.outcome'::regclass AND inhrelid <> 'liveops.outcome_rest'::regclass";
    let drops = server.sql(drop_days).unwrap();
    if !drops.is_empty() {
        server.sql(&drops).unwrap();
    }
    assert_eq!(engine.submit_ndjson(&xp("e1", "ana", 10, now), now)[0].code(), "applied");
    assert_eq!(engine.submit_ndjson(&xp("e1", "ana", 10, now), now)[0].code(), "replayed");
    // Its day can no longer be made, since its rows lie elsewhere: that is nobody's trouble.
    engine.advance_far(now).unwrap();
    assert_eq!(engine.submit_ndjson(&xp("e1", "ana", 10, now), now)[0].code(), "replayed");
    engine.advance_far(now.plus_millis(3 * 86_400_000)).unwrap();
    assert_eq!(server.sql("SELECT count(*) FROM liveops.outcome").unwrap(), "0", "rows of the rest go too");
    assert_eq!(engine.record(&player("ana")).unwrap().unwrap().xp(), 10);
    _ = server;
}

/// A month that nobody made takes events all the same.
#[test]
fn a_month_that_nobody_made_takes_events_all_the_same() {
    let game = crate::game::fresh("months");
    let store = open(&server().url(), options(&game).events(true));
    let engine = Engine::open(rules(&game), store).unwrap().recording();
    let ahead = "SELECT count(to_regclass('liveops.event_' || to_char(now() AT TIME ZONE 'UTC' + make_interval(months => n), 'YYYY_MM')))
        FROM generate_series(0, 2) n";
    assert_eq!(server().sql(ahead).unwrap(), "3", "this month and the next two were made");
    let now = at("2033-03-03T12:00:00Z");
    assert_eq!(engine.submit_ndjson(&xp("e1", "ana", 10, now), now)[0].code(), "applied");
    let count = |table: &str| {
        let of = format!(
            "SELECT count(*) FROM liveops.{table} WHERE game = (SELECT id FROM liveops.game WHERE name = '{game}')"
        );
        server().sql(&of).unwrap()
    };
    assert_eq!(count("event_rest"), "1");
    // It cannot be made any more, and nobody minds; the months after it can.
    server().sql("SELECT liveops.make_months('2033-03-03T12:00:00Z')").unwrap();
    assert_eq!(
        server()
            .sql("SELECT to_regclass('liveops.event_2033_03') IS NULL, to_regclass('liveops.event_2033_04') IS NULL")
            .unwrap(),
        "t|f"
    );
    let april = at("2033-04-03T12:00:00Z");
    assert_eq!(engine.submit_ndjson(&xp("e2", "ana", 10, april), april)[0].code(), "applied");
    assert_eq!((count("event_rest"), count("event_2033_04"), count("event")), ("1".into(), "1".into(), "2".into()));
}

/// An erased player whose mark is due counts as absent, also while somebody keeps the mark from being removed.
#[test]
fn who_comes_back_before_the_mark_is_removed_begins_anew_for_every_process() {
    let server = Postgres::start(&[]).unwrap();
    let (one, other) = (engine(&server, "back"), engine(&server, "back"));
    let now = at("2026-11-06T12:00:00Z");
    for n in 0..3 {
        assert_eq!(one.submit_ndjson(&xp(&format!("e{n}"), "ana", 10, now), now)[0].code(), "applied");
    }
    let erase = Command::erase(EventId::new("gone").unwrap(), player("ana"), now);
    assert_eq!(one.submit(&erase).code(), "applied");
    other.catch_up().unwrap();
    let holder = Session::of(&server.url());
    holder.run("BEGIN; SELECT FROM liveops.player FOR UPDATE");
    let later = now.plus_millis(3 * 86_400_000);
    one.advance_far(later).unwrap();
    assert!(one.record(&player("ana")).unwrap().is_none(), "what is due counts as absent");
    assert_eq!(one.size().unwrap().players, 0);
    holder.run("ROLLBACK");
    assert_eq!(one.submit_ndjson(&xp("e9", "ana", 7, later), later)[0].code(), "applied");
    let record = one.record(&player("ana")).unwrap().unwrap();
    assert_eq!((record.version(), record.xp()), (1, 7));
    other.catch_up().unwrap();
    for engine in [&one, &other] {
        let rows = engine.board("xp").unwrap().top(Window::Daily, 10, later).unwrap();
        assert_eq!(rows.iter().map(|row| row.score).collect::<Vec<_>>(), [7]);
    }
    one.advance_far(later.plus_millis(1)).unwrap();
    assert!(one.record(&player("ana")).unwrap().is_some(), "and stays");
}
