//! Old and new beside each other: rules, schemas, records and news of a later version of the library.

use liveops_core::error::StoreErrorKind;
use liveops_core::{Engine, Key, Rules, Window, conformance};
use liveops_postgres::PostgresStore;
use liveops_testbed::Postgres;

use crate::game::{Session, Store, at, engine, fresh, open, options, player, rules, server, xp};

fn codes(engine: &Engine<Store>, lines: &[u8]) -> Vec<String> {
    let now = at("2026-11-06T12:00:00Z");
    engine.submit_ndjson(lines, now).iter().map(|outcome| outcome.code().to_owned()).collect()
}

fn line(id: &str, who: &str) -> Vec<u8> {
    xp(id, who, 10, at("2026-11-06T12:00:00Z"))
}

fn game_id(game: &str) -> String {
    server().sql(&format!("SELECT id FROM liveops.game WHERE name = '{game}'")).unwrap()
}

#[test]
fn a_newer_record_is_its_players_alone() {
    let game = fresh("newer");
    let engine = engine(&server().url(), &game);
    codes(&engine, &[line("e1", "ana"), line("e1", "bo")].concat());
    let newer = format!(
        "UPDATE liveops.player SET record = '\\xff' || substr(record, 2) WHERE game = {} AND player = 'ana'",
        game_id(&game)
    );
    server().sql(&newer).unwrap();
    assert_eq!(codes(&engine, &[line("e2", "ana"), line("e2", "bo")].concat()), ["record_too_new", "applied"]);
    assert_eq!(engine.record(&player("ana")).unwrap_err().code().as_str(), "record_too_new");
    let kept = server().sql(&format!(
        "SELECT get_byte(record, 0) FROM liveops.player WHERE game = {} AND player = 'ana'",
        game_id(&game)
    ));
    assert_eq!(kept.unwrap(), "255", "and is never overwritten");
}

#[test]
fn records_of_a_later_version_as_every_store_takes_them() {
    let game = fresh("later");
    conformance::check_newer(&open(&server().url(), options(&game)), |_, key| {
        let table = if matches!(key, Key::Player(_)) { "player" } else { "outcome" };
        let of = format!("game = {} AND player = '{}'", game_id(&game), key.player().unwrap());
        server().sql(&format!("UPDATE liveops.{table} SET record = set_byte(record, 1, 255) WHERE {of}")).unwrap();
    });
}

#[test]
fn a_damaged_record_is_its_players_alone() {
    let game = fresh("damaged");
    let engine = engine(&server().url(), &game);
    codes(&engine, &[line("e1", "ana"), line("e1", "bo")].concat());
    let damaged = format!(
        "UPDATE liveops.player SET record = substr(record, 1, 3) WHERE game = {} AND player = 'ana'",
        game_id(&game)
    );
    server().sql(&damaged).unwrap();
    assert_eq!(codes(&engine, &[line("e2", "ana"), line("e2", "bo")].concat()), ["store_corrupt", "applied"]);
}

/// What boards cannot be told, they do not pretend to know.
#[test]
fn news_of_a_later_version_makes_boards_unavailable_and_is_never_skipped() {
    let game = fresh("news");
    let (one, other) = (engine(&server().url(), &game), engine(&server().url(), &game));
    codes(&one, &line("e1", "ana"));
    other.catch_up().unwrap();
    let newer = "INSERT INTO liveops.outbox (game, cursor, kind, told)
        SELECT game, shift + (pg_current_xact_id()::text::bigint << 16), 0, '\\xff00' FROM liveops.horizon WHERE copy = 0 AND game = ";
    server().sql(&format!("{newer}{}", game_id(&game))).unwrap();
    codes(&one, &line("e2", "ana"));
    assert_eq!(other.catch_up().unwrap_err().code().as_str(), "record_too_new");
    let read = other.board("xp").unwrap().top(Window::Daily, 10, at("2026-11-06T12:00:00Z"));
    assert_eq!(read.unwrap_err().code().as_str(), "record_too_new");
    assert_eq!(codes(&other, &line("e3", "ana")), ["applied"], "commands go on");
    // The later version's process, or an operator, settles it.
    server().sql(&format!("DELETE FROM liveops.outbox WHERE game = {} AND told = '\\xff00'", game_id(&game))).unwrap();
}

#[test]
fn a_newer_schema_is_refused_and_does_no_harm() {
    let server = Postgres::start(&[]).unwrap();
    let old = engine(&server.url(), "schema");
    codes(&old, &line("e1", "ana"));
    server.sql("INSERT INTO liveops.migration (version) SELECT max(version) + 1 FROM liveops.migration").unwrap();
    let refused = PostgresStore::connect_blocking(&server.url(), options("schema")).err().unwrap();
    assert_eq!(refused.kind, StoreErrorKind::TooNew);
    assert_eq!(codes(&old, &line("e2", "ana")), ["applied"], "who is there already goes on: migrations only add");
    server.sql("DELETE FROM liveops.migration WHERE version = (SELECT max(version) FROM liveops.migration)").unwrap();
    assert_eq!(engine(&server.url(), "schema").record(&player("ana")).unwrap().unwrap().xp(), 20);
}

/// Everybody comes at once to a database where nothing is yet.
#[test]
fn many_that_open_an_empty_database_make_it_once() {
    let server = Postgres::start(&[]).unwrap();
    std::thread::scope(|scope| {
        for n in 0..6 {
            let url = server.url();
            scope.spawn(move || {
                let game = format!("made-{}", n % 2);
                let engine = engine(&url, &game);
                assert_eq!(codes(&engine, &line(&format!("e{n}"), "ana")), ["applied"]);
            });
        }
    });
    assert_eq!(server.sql("SELECT name FROM liveops.game ORDER BY name").unwrap(), "made-0\nmade-1");
    assert_eq!(
        server.sql("SELECT game, xp FROM liveops.player_progress ORDER BY game").unwrap(),
        "made-0|30\nmade-1|30"
    );
}

#[test]
fn games_of_one_database_know_nothing_of_each_other() {
    let games = [fresh("twin"), fresh("twin")];
    let engines = games.each_ref().map(|game| engine(&server().url(), game));
    for (engine, times) in engines.iter().zip(1..) {
        for n in 0..times {
            assert_eq!(codes(engine, &line(&format!("e{n}"), "ana")), ["applied"], "the same ids and the same players");
        }
    }
    engines[0].advance_far(at("2026-12-24T00:00:00Z")).unwrap();
    for (engine, times) in engines.iter().zip(1..) {
        assert_eq!(engine.record(&player("ana")).unwrap().unwrap().xp(), 10 * times);
        assert_eq!(engine.size().unwrap().players, 1);
    }
    assert_eq!(engines[1].horizon().unwrap().now, liveops_core::Timestamp::MIN);
}

/// A rolling deploy: both rules are in force for a while, each in its processes.
#[test]
fn old_and_new_rules_run_side_by_side_and_are_both_listed() {
    let game = fresh("rules");
    let old = engine(&server().url(), &game);
    let wider: Rules = {
        let text = crate::game::rules_text(&game).replace("\"amount\": 100", "\"amount\": 150");
        Rules::from_json(&text).unwrap()
    };
    let new = Engine::open(wider, open(&server().url(), options(&game))).unwrap();
    assert_eq!(codes(&old, &line("e1", "ana")), ["applied"]);
    assert_eq!(codes(&new, &line("e1", "ana")), ["replayed"], "whichever process gets it");
    assert_eq!(codes(&new, &line("e2", "ana")), ["applied"]);
    assert_eq!(codes(&old, &line("e3", "ana")), ["applied"]);
    assert_eq!(old.record(&player("ana")).unwrap().unwrap().xp(), 30);
    let (before, after) = (old.status().unwrap(), new.status().unwrap());
    assert_ne!(before.rules, after.rules);
    for status in [&before, &after] {
        assert_eq!(status.rules_seen, [before.rules, after.rules], "oldest first, in every process");
    }
    drop(rules(&game));
}

/// All that the first to open a database needs is the right to make a schema in it; those who only read need two more words.
#[test]
fn an_ordinary_user_opens_the_database_and_others_read_it() {
    let server = Postgres::start(&[]).unwrap();
    server
        .sql("CREATE ROLE game LOGIN; CREATE ROLE support LOGIN; GRANT CREATE ON DATABASE postgres TO game; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        .unwrap();
    let url = server.url().replace("user=postgres", "user=game");
    let engine =
        Engine::open(rules("ordinary"), open(&url, options("ordinary").events(true).feed(100))).unwrap().recording();
    assert_eq!(codes(&engine, &line("e1", "ana")), ["applied"]);
    engine.advance_far(at("2026-12-24T00:00:00Z")).unwrap();
    engine.pay_closed(None, at("2026-12-24T00:00:00Z")).unwrap();
    assert!(engine.lag().is_ok() && engine.digest().is_ok());
    drop(open(&url, options("ordinary")));
    // What holds news up it is told of as far as it may look.
    let long = Session::of(&server.url());
    long.run("BEGIN; SELECT pg_current_xact_id()");
    let now = at("2026-12-24T00:00:00Z");
    assert_eq!(engine.submit_ndjson(&xp("e2", "ana", 10, now), now)[0].code(), "applied");
    assert_eq!(engine.lag().unwrap().oldest_transaction_millis, None);
    server.sql("GRANT pg_read_all_stats TO game").unwrap();
    assert!(engine.lag().unwrap().oldest_transaction_millis.is_some());
    long.run("ROLLBACK");
    server.sql("GRANT USAGE ON SCHEMA liveops TO support; GRANT SELECT ON liveops.player_progress, liveops.events TO support").unwrap();
    let asked = server
        .sql("SET ROLE support; SELECT player, xp FROM liveops.player_progress; SELECT count(*) FROM liveops.events")
        .unwrap();
    assert_eq!(asked, "ana|20\n2");
    assert!(server.sql("SET ROLE support; SELECT * FROM liveops.player").is_err());
}
