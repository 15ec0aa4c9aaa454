//! What the file does beyond what every store does.

use std::thread;
use std::time::Duration;

use liveops_core::board::{Ranking, Row, Sort};
use liveops_core::error::StoreErrorKind;
use liveops_core::record::{CommitOutcome, Horizon, Player};
use liveops_core::store::{BoardAnswer, BoardRead, Reading};
use liveops_core::testing::EventBuilder;
use liveops_core::window::{Calendar, Window};
use liveops_core::{Boards, Engine, Key, MemoryStore, Rules, Scan as _, Store, Timestamp, Whole};
use rusqlite::Connection;

use super::{Folder, GAME, NOW, digest, events, load, normal, open, outcome_key, player, rules, set};
use crate::meta;

#[test]
fn opened_again_it_goes_on_where_it_was() {
    let folder = Folder::new();
    let path = folder.file("game.db");
    let twin = Engine::new(rules(), MemoryStore::new());
    for round in 0..4 {
        let engine = Engine::open(rules(), open(&path)).unwrap();
        let bodies = events(round * 50..round * 50 + 50);
        for engine in [engine.submit_ndjson(&bodies, NOW), twin.submit_ndjson(&bodies, NOW)] {
            assert!(engine.iter().all(|outcome| outcome.code() == "applied"));
        }
        let repeated = engine.submit_ndjson(&bodies, NOW);
        assert!(repeated.iter().all(|outcome| outcome.code() == "replayed"));
        assert_eq!(digest(engine.store()), twin.store().digest());
        let (ours, twins) = (engine.board("xp").unwrap(), twin.board("xp").unwrap());
        let top = |rows: Vec<Row>| rows.into_iter().map(|row| (row.rank, row.owner, row.score)).collect::<Vec<_>>();
        let window = Window::AllTime;
        let [ours, twins] = [ours.top(window, 99, NOW), twins.top(window, 99, NOW)].map(|rows| top(rows.unwrap()));
        assert_eq!(ours.len(), 10);
        assert_eq!(ours, twins, "boards are built when it is opened");
        engine.store().verify().unwrap();
    }
}

#[test]
fn one_store_at_a_time_has_the_file() {
    let folder = Folder::new();
    let (path, link) = (folder.file("game.db"), folder.file("link.db"));
    let store = open(&path);
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for name in [&path, &link, &folder.file("../").join(folder.0.file_name().unwrap()).join("game.db")] {
        let refused = normal().open(name, GAME).unwrap_err();
        assert_eq!(refused.kind, StoreErrorKind::InUse, "{}", name.display());
    }
    let other = open(&folder.file("other.db"));
    for store in [&store, &other] {
        assert!(matches!(store.commit(vec![set("a", 0)])[..], [CommitOutcome::Applied]));
    }
    thread::scope(|scope| {
        let waits = scope.spawn(|| normal().wait(Duration::from_secs(60)).open(&path, GAME));
        thread::sleep(Duration::from_millis(30));
        assert!(!waits.is_finished(), "it waits");
        drop(store);
        let store = waits.join().unwrap().unwrap();
        assert!(matches!(store.commit(vec![set("a", 1)])[..], [CommitOutcome::Applied]));
    });
}

#[test]
fn a_foreign_write_is_noticed() {
    let folder = Folder::new();
    let path = folder.file("game.db");
    let store = open(&path);
    store.commit(vec![set("a", 0)]);
    let other = Connection::open(&path).unwrap();
    let rows: i64 = other.query_row("SELECT count(*) FROM player", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1, "reading does no harm");
    assert!(matches!(store.commit(vec![set("a", 1)])[..], [CommitOutcome::Applied]));

    other.execute("UPDATE player SET xp=7", []).unwrap();
    for _ in 0..2 {
        let refused = store.commit(vec![set("a", 2)]).remove(0);
        let CommitOutcome::Failed(error) = refused else { panic!("{refused:?}") };
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
    }
    assert_eq!(store.digest().unwrap_err().kind, StoreErrorKind::Unavailable, "nothing is answered that may be wrong");
    drop((store, other));
    let store = open(&path);
    assert!(matches!(store.commit(vec![set("a", 2)])[..], [CommitOutcome::Applied]), "opened anew it goes on");
}

#[test]
fn a_lock_that_another_holds_is_waited_for() {
    let folder = Folder::new();
    let path = folder.file("game.db");
    let store = open(&path);
    let shell = Connection::open(&path).unwrap();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.commit(vec![set("a", 0)]).remove(0);
    let CommitOutcome::Failed(error) = refused else { panic!("{refused:?}") };
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    assert_eq!(load(&store, &[Key::Player(player("a"))]), [None], "reads go on");
    shell.execute_batch("ROLLBACK").unwrap();
    assert!(matches!(store.commit(vec![set("a", 0)])[..], [CommitOutcome::Applied]), "then it goes on");
}

/// Rows that the last load met are written without being looked up, if they are still what they were.
#[test]
fn what_a_load_saw_may_have_changed_since() {
    let folder = Folder::new();
    let store = open(&folder.file("game.db"));
    let names: Vec<String> = (0..200).map(|n| format!("p{n:03}")).collect();
    let all = |expected| names.iter().map(|name| set(name, expected)).collect::<Vec<_>>();
    let applied = |outcomes: Vec<CommitOutcome>| {
        outcomes.iter().map(|outcome| matches!(outcome, CommitOutcome::Applied)).collect::<Vec<_>>()
    };
    assert_eq!(applied(store.commit(all(0))), [true; 200]);
    let keys: Vec<Key> = names.iter().map(|name| Key::Player(player(name))).collect();
    load(&store, &keys);
    assert_eq!(applied(store.commit(vec![set("p003", 1), set("p199", 1), set("p004", 1)])), [true; 3]);
    let wanted: Vec<bool> = names.iter().map(|name| !["p003", "p004", "p199"].contains(&&**name)).collect();
    load(&store, &keys);
    assert_eq!(applied(store.commit(all(1))), wanted, "those that were written since conflict, and nobody else");
    load(&store, &keys);
    let mut twice = vec![set("p003", 2), set("p003", 3), set("p003", 3), set("new", 0)];
    twice[1].forget = true;
    assert_eq!(applied(store.commit(twice)), [true, true, false, true]);
    let left = [outcome_key("p003", 3), outcome_key("p003", 4)];
    assert_eq!(load(&store, &left).iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
    store.verify().unwrap();
}

#[test]
fn one_bad_set_fails_alone() {
    let folder = Folder::new();
    let store = open(&folder.file("game.db"));
    let mut bad = set("b", 0);
    bad.receipts[0].number = u64::MAX;
    let outcomes = store.commit(vec![set("a", 0), bad.clone(), set("c", 0), set("d", 7)]);
    let [CommitOutcome::Applied, CommitOutcome::Failed(error), CommitOutcome::Applied, CommitOutcome::Conflict] =
        &outcomes[..]
    else {
        panic!("{outcomes:?}")
    };
    assert_eq!(error.kind, StoreErrorKind::Misconfigured);
    assert_eq!(load(&store, &[Key::Player(player("b"))]), [None], "nothing of it was written");

    // Between callers as well: one writes while others come.
    let writer = store.inner.writer.lock();
    thread::scope(|scope| {
        let commit = |changes| {
            let store = &store;
            scope.spawn(move || store.commit(vec![changes]).remove(0))
        };
        let (good, bad, other) = (commit(set("a", 1)), commit(bad), commit(set("c", 1)));
        thread::sleep(Duration::from_millis(50));
        drop(writer);
        let ends = [good, bad, other].map(|caller| caller.join().unwrap());
        assert!(matches!(ends, [CommitOutcome::Applied, CommitOutcome::Failed(_), CommitOutcome::Applied]), "{ends:?}");
    });
    store.verify().unwrap();
}

#[test]
fn numbers_that_no_row_has_are_absent() {
    let folder = Folder::new();
    let store = open(&folder.file("game.db"));
    store.commit(vec![set("a", 0)]);
    let keys =
        [Key::Receipt(player("a"), u64::MAX), Key::Suspicion(player("a"), 1 << 63), Key::Receipt(player("a"), 1)];
    let found: Vec<bool> = load(&store, &keys).iter().map(Option::is_some).collect();
    assert_eq!(found, [false, false, true]);
    for after in &keys[..2] {
        assert_eq!(store.scan_player(&player("a"), after.kind(), Some(after), 9).unwrap(), []);
    }
}

/// As after a crash between two commits of a version that removes marks later: the rows are there, the player is not.
#[test]
fn a_due_mark_is_nobody_though_its_rows_are_there() {
    let folder = Folder::new();
    let store = open(&folder.file("game.db"));
    let through = Timestamp::from_unix_millis(5);
    let mut erased = set("a", 1);
    erased.forget = true;
    (erased.receipts, erased.suspicions, erased.shown) = (Vec::new(), Vec::new(), Vec::new());
    let mark = Player::erased(2, through, through);
    erased.record = mark.into();
    erased.outcomes[0].1.ts = through;
    assert!(matches!(store.commit(vec![set("a", 0), erased])[..], [CommitOutcome::Applied, CommitOutcome::Applied]));

    let horizon = Horizon { now: NOW, forgotten_before: Timestamp::from_unix_millis(6) };
    meta::set_horizon(&store.inner.writer.lock().conn, horizon).unwrap();
    *store.inner.horizon.write() = horizon;
    let nobody = MemoryStore::new();
    nobody.advance(horizon).unwrap();
    assert_eq!(load(&store, &[Key::Player(player("a"))]), [None]);
    assert_eq!(store.scan(0, None, None, 9).unwrap(), []);
    assert_eq!(digest(&store), nobody.digest());
    assert_eq!(store.size().unwrap(), nobody.size());
    let mut snapshot = Vec::new();
    store.snapshot(&mut snapshot).unwrap();
    assert_eq!(MemoryStore::restore(&snapshot).unwrap().size().players, 0);

    let anew = |expected| {
        let mut anew = set("a", expected);
        anew.forgotten_before = horizon.forgotten_before;
        store.commit(vec![anew]).remove(0)
    };
    assert!(matches!(anew(2), CommitOutcome::Conflict), "nobody has no version");
    assert!(matches!(anew(0), CommitOutcome::Applied), "whoever comes is new");
    assert_eq!(load(&store, &[outcome_key("a", 2)]), [None]);
    let key = set("a", 0).shown[0].0.clone();
    let len = BoardRead { key, sort: Sort::default(), ranking: Ranking::Ordinal, what: Reading::Len };
    assert_eq!(Boards::read(&store, &[len]).remove(0).unwrap(), BoardAnswer::Count(1), "and is shown under version 1");
    store.verify().unwrap();
}

#[test]
fn what_expired_is_absent_at_once_and_freed_in_time() {
    const ROWS: u64 = 3000;
    let folder = Folder::new();
    let path = folder.file("game.db");
    let store = open(&path);
    for n in 0..ROWS {
        assert!(matches!(store.commit(vec![set(&format!("p{n}"), 0)])[..], [CommitOutcome::Applied]));
    }
    let rows = |store: &crate::SqliteStore| {
        let sql = "SELECT count(*) FROM outcome";
        store.reading(|conn| Ok(conn.query_row(sql, [], |row| row.get::<_, u64>(0))?)).unwrap()
    };
    assert_eq!(store.sweep(u64::MAX).unwrap().looked_at, 0, "nothing can have expired");
    let horizon = Horizon { now: NOW, forgotten_before: NOW.plus_millis(1) };
    store.advance(horizon).unwrap();
    assert_eq!(store.size().unwrap().outcomes, 0);
    assert_eq!(rows(&store), ROWS, "advance frees none");
    let digest_before = digest(&store);

    let mut later = set("q", 0);
    later.forgotten_before = horizon.forgotten_before;
    later.outcomes[0].1.ts = horizon.forgotten_before;
    store.commit(vec![later]);
    let left = rows(&store);
    assert!((ROWS - 1..=ROWS).contains(&left), "a commit frees as many rows as it may look at: {left}");
    let swept = store.sweep(1000).unwrap();
    assert_eq!(swept.looked_at, 1000);
    drop(store);
    let store = open(&path);
    let swept = store.sweep(u64::MAX).unwrap();
    assert!(swept.looked_at < 3 * ROWS, "it comes to its end: {swept:?}");
    assert_eq!(rows(&store), 1, "what has not expired is left");
    assert_eq!(store.sweep(u64::MAX).unwrap().looked_at, 0, "until more may have expired");
    assert_ne!(digest(&store), digest_before);
    store.verify().unwrap();
}

#[test]
fn a_backup_is_a_store_of_the_same_state() {
    let folder = Folder::new();
    let (path, copy) = (folder.file("game.db"), folder.file("copy.db"));
    let engine = Engine::open(rules(), open(&path)).unwrap();
    engine.submit_ndjson(&events(0..100), NOW);
    engine.store().backup(&copy).unwrap();
    let state = digest(engine.store());
    let outcomes = engine.submit_ndjson(&events(100..120), NOW);
    assert!(outcomes.iter().all(|outcome| outcome.code() == "applied"), "a backup is no foreign write");
    let taken = engine.store().backup(&copy).unwrap_err();
    assert_eq!(taken.kind, StoreErrorKind::Misconfigured, "no backup is written over");
    assert_eq!(engine.store().backup(folder.file("none/copy.db")).unwrap_err().kind, StoreErrorKind::Misconfigured);
    let copy = open(&copy);
    assert_eq!(digest(&copy), state);
    assert_eq!(copy.header().unwrap(), engine.store().header().unwrap());
    copy.verify().unwrap();
    drop(copy);
    let left: Vec<_> = std::fs::read_dir(&folder.0).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("-part")), "{left:?}");
}

#[test]
fn people_read_it_by_views() {
    let folder = Folder::new();
    let path = folder.file("game.db");
    let engine = Engine::open(rules(), open(&path)).unwrap();
    let kill = EventBuilder::boss_kill("bo", "hydra", 5, NOW).id("k").body();
    let bodies = [&events(0..20)[..], &kill].concat();
    engine.submit_ndjson(&bodies, NOW);
    let tool = Connection::open(&path).unwrap();
    let text = |sql: &str| tool.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    let row = "SELECT player || ' ' || xp || ' ' || rewarded_level || ' ' || commands || ' ' || newest FROM progress";
    assert_eq!(text(&format!("{row} WHERE player='p1'")), "p1 120 2 2 2023-11-14 22:13:20");
    let row = "SELECT number || ' ' || reward || ' ' || items || ' ' || time || ' ' || state FROM receipts";
    let item = r#"[{"kind":"currency","id":"gold","amount":10}]"#;
    assert_eq!(text(&format!("{row} WHERE player='p1'")), format!("1 level-gold {item} 2023-11-14 22:13:20 issued"));
    let row = "SELECT player || ' ' || number || ' ' || type || ' ' || held || ' ' || settled FROM suspicions";
    assert_eq!(text(row), "bo 1 boss_kill 1 open");
    let verdicts = text("SELECT json_extract(verdicts, '$[0].detector') FROM suspicions");
    assert_eq!(verdicts, "floor");
    let row = "SELECT group_concat(rank || ' ' || player || ' ' || score, ', ') FROM \
               (SELECT * FROM standings WHERE board='xp' AND span='allTime' ORDER BY rank, player LIMIT 3)";
    assert_eq!(text(row), "1 p9 280, 2 p8 260, 3 p7 240");
    engine.submit_ndjson(&events(20..21), NOW);
    let period = Calendar::utc().period(Window::Daily, NOW).unwrap().index;
    let periods = text("SELECT group_concat(DISTINCT period) FROM standings WHERE span='daily'");
    assert_eq!(periods, period.to_string());
}

/// `sqlite3` sees a board that is sorted upwards, and names with characters that JSON escapes.
#[test]
fn standings_are_json_whatever_a_board_is_called() {
    let folder = Folder::new();
    let path = folder.file("game.db");
    let rules = Rules::from_json(
        r#"{ "version": 1, "game": "conformance", "boards": { "t\"\\x": { "on": "boss_kill", "value": { "field": "durationMs" },
            "operator": "best", "order": "asc", "keepPeriods": { "allTime": 0 } } } }"#,
    )
    .unwrap();
    let engine = Engine::open(rules, open(&path)).unwrap();
    for (name, millis) in [("ana", 2000), ("bo", 1000), ("cy", 3000)] {
        let body = EventBuilder::boss_kill(name, "hydra", millis, NOW).id(name).body();
        assert_eq!(engine.submit_ndjson(&body, NOW)[0].code(), "applied");
    }
    let tool = Connection::open(&path).unwrap();
    let sql = "SELECT group_concat(rank || player || board, ' ') FROM (SELECT * FROM standings ORDER BY rank)";
    let seen: String = tool.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(seen, "1bot\"\\x 2anat\"\\x 3cyt\"\\x");
    engine.store().verify().unwrap();
}

#[test]
fn status_says_what_was_done() {
    let folder = Folder::new();
    let store = normal().checkpoint_pages(50).feed(5000).open(folder.file("game.db"), GAME).unwrap();
    for n in 0..200 {
        store.commit(vec![set(&format!("a{n}"), 0), set(&format!("b{n}"), 0)]);
    }
    let status = store.status().unwrap();
    assert_eq!((status.rounds, status.change_sets, status.feed), (200, 400, 400));
    assert_eq!((status.feed_len_max, status.sync, status.sweep_pending), (Some(5000), "normal", false));
    assert!(status.checkpoints > 3 && status.checkpoints_failed == 0, "{status:?}");
    assert!(status.log_bytes > 0 && status.file_bytes > 50 * 4096, "{status:?}");
}
