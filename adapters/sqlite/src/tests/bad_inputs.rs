//! What is refused, and that nothing is lost by it. (A second opener, a full disk, failing syncs and forks: `tests/crash`.)

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::{Engine, Feed as _, MemoryStore, Store, Whole};
use rusqlite::Connection;

use super::{Folder, GAME, NOW, digest, events, normal, open, player, rules, set};
use crate::SqliteStore;

fn refused(path: &Path) -> StoreErrorKind {
    normal().open(path, GAME).expect_err("it is refused").kind
}

fn filled(path: &Path) -> String {
    let engine = Engine::open(rules(), open(path)).unwrap();
    engine.submit_ndjson(&events(0..50), NOW);
    digest(engine.store())
}

#[test]
fn places_where_no_file_can_be() {
    let folder = Folder::new();
    let misconfigured = StoreErrorKind::Misconfigured;
    assert_eq!(refused(&folder.file("none/game.db")), misconfigured, "a folder that is missing");
    assert_eq!(refused(&folder.0), misconfigured, "a folder");
    assert_eq!(refused(Path::new("")), misconfigured, "no name");
    assert_eq!(refused(Path::new("/")), misconfigured, "no name");
    assert_eq!(refused(&folder.file("nul\0.db")), misconfigured, "a name that no file has");
    std::os::unix::fs::symlink(folder.file("nowhere"), folder.file("link.db")).unwrap();
    assert_eq!(refused(&folder.file("link.db")), misconfigured, "a link that leads nowhere");
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "nothing was made");

    let path = folder.file("game.db");
    let state = filled(&path);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    assert_eq!(refused(&path), misconfigured, "a file that may not be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let second = folder.file("second.db");
    fs::hard_link(&path, &second).unwrap();
    assert_eq!((refused(&path), refused(&second)), (misconfigured, misconfigured), "a file of two names");
    fs::remove_file(&second).unwrap();
    assert_eq!(digest(&open(&path)), state, "nothing is lost");
    if let Ok(there) = normal().open("/proc/game.db", GAME) {
        panic!("{there:?}");
    }
}

#[test]
fn files_of_something_else_are_left_as_they_are() {
    let folder = Folder::new();
    let path = folder.file("game.db");
    filled(&path);
    let other = normal().open(&path, "another").unwrap_err();
    assert_eq!(other.kind, StoreErrorKind::Misconfigured, "another game's");
    assert!(!format!("{other} {:?}", other.source).contains("conformance"), "{other:?}");

    let foreign = folder.file("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t(x); INSERT INTO t VALUES (1);").unwrap();
    let cases = [
        (foreign.clone(), fs::read(&foreign).unwrap(), StoreErrorKind::Misconfigured),
        (folder.file("text"), b"We the people of this file ".repeat(400), StoreErrorKind::Corrupt),
        (folder.file("short"), b"x".to_vec(), StoreErrorKind::Misconfigured),
        (folder.file("zeros"), vec![0; 8192], StoreErrorKind::Corrupt),
    ];
    for (path, bytes, kind) in cases {
        fs::write(&path, &bytes).unwrap();
        assert_eq!(refused(&path), kind, "{}", path.display());
        assert_eq!(fs::read(&path).unwrap(), bytes, "{} is as it was", path.display());
    }
}

#[test]
fn a_later_version_is_never_overwritten() {
    let folder = Folder::new();
    let path = folder.file("game.db");
    filled(&path);
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version=2; PRAGMA wal_checkpoint(TRUNCATE);").unwrap();
    let bytes = fs::read(&path).unwrap();
    assert_eq!(refused(&path), StoreErrorKind::TooNew);
    assert_eq!(fs::read(&path).unwrap(), bytes);

    let path = folder.file("record.db");
    filled(&path);
    let engine = Engine::open(rules(), open(&path)).unwrap();
    write_record(engine.store(), "p3", |record| record[1] = 99);
    let before = records(engine.store());
    let outcomes = engine.submit_ndjson(&events(50..60), NOW);
    let codes: Vec<_> = outcomes.iter().map(liveops_core::Outcome::code).collect();
    assert_eq!(codes.iter().filter(|code| **code == "record_too_new").count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == "applied").count(), 9, "{codes:?}");
    let after = records(engine.store());
    assert_eq!(before.iter().filter(|record| after.contains(record)).count(), 1, "it is as it was");
    drop(engine);
    assert_eq!(refused(&path), StoreErrorKind::TooNew, "boards cannot be built of it");
}

/// The records of players, as they are stored.
fn records(store: &SqliteStore) -> Vec<Vec<u8>> {
    let writer = store.inner.writer.lock();
    let mut select = writer.conn.prepare("SELECT body FROM player").unwrap();
    select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Changes a record beneath the store, and seals it.
fn write_record(store: &SqliteStore, name: &str, change: impl Fn(&mut Vec<u8>)) {
    let writer = store.inner.writer.lock();
    let sql = "SELECT p, version, erased_through, idle, body FROM player WHERE id=?1";
    let (p, seal, mut body) = writer
        .conn
        .query_row(sql, [name], |row| {
            let seal = crate::proof::Name::player(row.get(0)?, name, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok((row.get::<_, i64>(0)?, seal, row.get::<_, Vec<u8>>(4)?))
        })
        .unwrap();
    body.truncate(body.len() - 8);
    change(&mut body);
    seal.seal(&mut body);
    writer.conn.execute("UPDATE player SET body=?2 WHERE p=?1", rusqlite::params![p, body]).unwrap();
}

#[test]
fn damage_is_found_by_verify_and_where_it_decides() {
    let folder = Folder::new();
    let path = folder.file("game.db");
    {
        let store = normal().feed(1000).open(&path, GAME).unwrap();
        store.commit(vec![set("a", 0), set("b", 0)]);
        store.ack(&liveops_core::Id::new("bus").unwrap(), 0, 1).unwrap();
        store.advance(liveops_core::record::Horizon { now: NOW, forgotten_before: NOW.minus_millis(9) }).unwrap();
        store.verify().unwrap();
    }
    let damages: &[(&str, Option<StoreErrorKind>)] = &[
        ("UPDATE player SET xp=xp+1 WHERE id='a'", None),
        ("UPDATE player SET standings=replace(standings, 'xp', 'xq') WHERE id='a'", None),
        ("UPDATE player SET suspected=0 WHERE id='a'", None),
        ("UPDATE player SET version=7 WHERE id='a'", Some(StoreErrorKind::Corrupt)),
        ("UPDATE player SET idle=1, erased_through=5 WHERE id='a'", Some(StoreErrorKind::Corrupt)),
        ("UPDATE player SET id='c' WHERE id='a'", Some(StoreErrorKind::Corrupt)),
        ("UPDATE player SET body=x'00' WHERE id='a'", Some(StoreErrorKind::Corrupt)),
        ("UPDATE outcome SET ts=ts-1000000", None),
        ("UPDATE outcome SET id='c9' WHERE p=1", None),
        ("UPDATE receipt SET number=9 WHERE p=1", None),
        ("UPDATE receipt SET items='[]' WHERE p=1", None),
        ("UPDATE receipt SET state='claimed' WHERE p=1", None),
        ("UPDATE suspicion SET settled='released' WHERE p=1", None),
        ("UPDATE suspicion SET p=9 WHERE p=1", None),
        ("UPDATE feed SET cursor=99 WHERE player='b'", None),
        ("UPDATE feed SET body=zeroblob(9) WHERE player IS NULL", None),
        ("UPDATE consumer SET acked=2", None),
        ("UPDATE meta SET value=value-1 WHERE key='now'", Some(StoreErrorKind::Corrupt)),
        ("UPDATE meta SET value='another' WHERE key='game'", Some(StoreErrorKind::Corrupt)),
        ("UPDATE meta SET value=0 WHERE key='feed_from'", Some(StoreErrorKind::Corrupt)),
    ];
    for (sql, at_open) in damages {
        let copy = folder.file("copy.db");
        for suffix in ["", "-wal", "-shm"] {
            _ = fs::remove_file(crate::lock::beside(&copy, suffix));
        }
        fs::copy(&path, &copy).unwrap();
        assert!(Connection::open(&copy).unwrap().execute(sql, []).unwrap() > 0, "{sql}");
        let opened = normal().open(&copy, GAME);
        match (opened, at_open) {
            (Err(error), Some(kind)) => {
                assert_eq!(error.kind, *kind, "{sql}");
                let source = error.source.map(|source| source.to_string()).unwrap_or_default();
                assert!(!sql.contains("player SET") || source.contains("whose p is 1"), "{sql}: {source}");
            }
            (Ok(store), None) => {
                let found = store.verify().expect_err(sql);
                assert_eq!(found.kind, StoreErrorKind::Corrupt, "{sql}");
                let source = found.source.expect("it says where").to_string();
                assert!(source.contains("fault"), "{source}");
            }
            (opened, _) => panic!("{sql}: {opened:?}"),
        }
    }
}

/// Nor must columns that say of somebody that only a mark is left.
#[test]
fn damaged_columns_take_nobody_away() {
    let folder = Folder::new();
    let store = open(&folder.file("game.db"));
    store.commit(vec![set("a", 0)]);
    let horizon = liveops_core::record::Horizon { now: NOW, forgotten_before: NOW.plus_millis(9) };
    store.inner.writer.lock().conn.execute("UPDATE player SET idle=1, erased_through=5", []).unwrap();
    store.advance(horizon).unwrap();
    let answer = store.load(&[liveops_core::Key::Player(player("a"))]).remove(0);
    assert_eq!(answer.unwrap_err().kind, StoreErrorKind::Corrupt);
    let mut anew = set("a", 0);
    anew.forgotten_before = horizon.forgotten_before;
    let outcome = store.commit(vec![anew]).remove(0);
    let liveops_core::record::CommitOutcome::Failed(error) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.kind, StoreErrorKind::Corrupt);
    assert_eq!(records(&store).len(), 1, "and the record is there");
}

/// A page that nobody asks for must not hold up those who write.
#[test]
fn a_damaged_page_stops_the_sweep_and_no_commit() {
    let folder = Folder::new();
    let path = folder.file("game.db");
    let store = open(&path);
    assert!(store.commit((0..3000).map(|n| set(&format!("p{n}"), 0)).collect()).len() == 3000);
    let leaf = "SELECT pageno FROM dbstat WHERE name='outcome' AND pagetype='leaf' ORDER BY path LIMIT 1 OFFSET 7";
    let page: u64 = store.inner.writer.lock().conn.query_row(leaf, [], |row| row.get(0)).unwrap();
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    let at = usize::try_from(page - 1).unwrap() * 4096;
    bytes[at..at + 4096].fill(0x55);
    fs::write(&path, bytes).unwrap();

    let store = open(&path);
    let horizon = liveops_core::record::Horizon { now: NOW, forgotten_before: NOW.plus_millis(1) };
    store.advance(horizon).unwrap();
    for n in 0..40 {
        let sets = (0..100).map(|m| {
            let mut changes = set(&format!("q{n}-{m}"), 0);
            changes.forgotten_before = horizon.forgotten_before;
            changes
        });
        for outcome in store.commit(sets.collect()) {
            assert!(matches!(outcome, liveops_core::record::CommitOutcome::Applied), "{outcome:?}");
        }
    }
    let status = store.status().unwrap();
    assert!(status.sweep_stopped && !status.sweep_pending && !status.unavailable, "{status:?}");
    assert_eq!(store.verify().unwrap_err().kind, StoreErrorKind::Corrupt);
}

/// A time that was damaged must not let a command be applied again.
#[test]
fn a_damaged_outcome_is_no_absent_one() {
    let folder = Folder::new();
    let store = open(&folder.file("game.db"));
    store.commit(vec![set("a", 0)]);
    let horizon = liveops_core::record::Horizon { now: NOW, forgotten_before: NOW.minus_millis(9) };
    store.advance(horizon).unwrap();
    store.inner.writer.lock().conn.execute("UPDATE outcome SET ts=ts-1000", []).unwrap();
    let answer = store.load(&[super::outcome_key("a", 1)]).remove(0);
    assert_eq!(answer.unwrap_err().kind, StoreErrorKind::Corrupt);
    let mut more = set("b", 0);
    more.forgotten_before = horizon.forgotten_before;
    store.commit(vec![more]);
    store.sweep(u64::MAX).unwrap();
    assert!(store.verify().is_err(), "nor is it swept away");
    assert!(store.load(&[liveops_core::Key::Player(player("a"))]).remove(0).is_ok());
}

#[test]
fn what_stands_beside_a_file_that_is_gone_is_kept() {
    let folder = Folder::new();
    let path = folder.file("game.db");
    fs::write(folder.file("game.db-wal"), b"of a file that was moved away").unwrap();
    assert_eq!(refused(&path), StoreErrorKind::Misconfigured);
    assert!(folder.file("game.db-wal").exists() && !path.exists());
    fs::remove_file(folder.file("game.db-wal")).unwrap();
    fs::write(folder.file("game.db-new"), b"what an earlier attempt left").unwrap();
    fs::write(&path, b"").unwrap();
    let store = open(&path);
    store.commit(vec![set("a", 0)]);
    assert!(!folder.file("game.db-new").exists());
    store.verify().unwrap();
}

#[test]
fn a_snapshot_is_taken_by_an_empty_file_of_its_game() {
    let folder = Folder::new();
    let engine = Engine::open(rules(), MemoryStore::new()).unwrap();
    engine.submit_ndjson(&events(0..50), NOW);
    let snapshot = engine.store().snapshot();
    let restore = |store: &SqliteStore, mut bytes: &[u8]| -> Result<(), StoreError> { store.restore(&mut bytes) };

    let other = normal().open(folder.file("other.db"), "another").unwrap();
    assert_eq!(restore(&other, &snapshot).unwrap_err().kind, StoreErrorKind::Misconfigured, "of another game");
    let store = open(&folder.file("game.db"));
    assert_eq!(restore(&store, &snapshot[..snapshot.len() - 1]).unwrap_err().kind, StoreErrorKind::Corrupt);
    assert_eq!(store.size().unwrap(), MemoryStore::new().size(), "it is as empty as before");
    restore(&store, &snapshot).unwrap();
    assert_eq!(digest(&store), engine.store().digest());
    assert_eq!(restore(&store, &snapshot).unwrap_err().kind, StoreErrorKind::Misconfigured, "it holds something");
    assert_eq!(digest(&store), engine.store().digest());
    store.verify().unwrap();
    assert_eq!(store.size().unwrap().boards, engine.store().size().boards, "boards are shown at once");
}
