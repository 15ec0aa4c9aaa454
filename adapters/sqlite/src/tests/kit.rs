//! What every store promises.

use std::cell::RefCell;

use liveops_core::store::{Boards, Feed, FullStore, Scan};
use liveops_core::{Key, Plan, Store, conformance};
use rusqlite::params;

use super::{Folder, GAME, normal};
use crate::SqliteStore;
use crate::columns::origin;

/// Empty stores, one after the other, each a file of its own.
struct Empty {
    folder: Folder,
    made: RefCell<u32>,
}

impl Empty {
    fn new() -> Self {
        Self { folder: Folder::new(), made: RefCell::new(0) }
    }

    fn store(&self) -> SqliteStore {
        self.with_feed(None)
    }

    fn with_feed(&self, len_max: Option<usize>) -> SqliteStore {
        *self.made.borrow_mut() += 1;
        let path = self.folder.file(&format!("{}.db", self.made.borrow()));
        let options = len_max.map_or(normal(), |len_max| normal().feed(len_max as u64));
        options.open(path, GAME).unwrap()
    }
}

#[test]
fn store() {
    let empty = Empty::new();
    conformance::check(|| Box::new(empty.store()));
}

#[test]
fn scan() {
    let empty = Empty::new();
    conformance::check_scan(|| empty.store());
}

#[test]
fn boards() {
    let empty = Empty::new();
    conformance::check_boards(|| empty.store());
}

#[test]
fn feed() {
    let empty = Empty::new();
    conformance::check_feed(|len_max| empty.with_feed(Some(len_max)));
}

#[test]
fn whole() {
    let empty = Empty::new();
    conformance::check_whole(|len_max| empty.with_feed(Some(len_max)));
}

#[test]
fn reopen() {
    let folder = Folder::new();
    let path = folder.file("game.db");
    conformance::check_reopen(|| normal().feed(conformance::WHOLE_FEED_LEN as u64).open(&path, GAME).unwrap());
}

#[test]
fn damage() {
    let empty = Empty::new();
    conformance::check_damage(&empty.store(), |store, key| {
        let writer = store.inner.writer.lock();
        let p: i64 = writer
            .conn
            .query_row("SELECT p FROM player WHERE id=?1", [key.player().unwrap().as_str()], |row| row.get(0))
            .unwrap();
        let damaged = match key {
            Key::Player(_) => writer.conn.execute("UPDATE player SET body=zeroblob(20) WHERE p=?1", [p]),
            Key::Outcome(_, id) => writer.conn.execute(
                "UPDATE outcome SET body=zeroblob(20) WHERE p=?1 AND origin=?2 AND id=?3",
                params![p, origin(id), id.id.as_str()],
            ),
            _ => unreachable!(),
        };
        assert_eq!(damaged, Ok(1));
    });
}

/// As bindings have it.
#[test]
fn it_is_one_of_any_kind() {
    fn is_any<S: FullStore + ?Sized>(_: &S) {}
    let empty = Empty::new();
    let store = std::sync::Arc::new(empty.store());
    is_any(&store);
    let any: std::sync::Arc<dyn FullStore> = store;
    is_any(&any);
    let (_, _, _, _): (&dyn Store, &dyn Scan, &dyn Boards, &dyn Feed) = (&any, &any, &any, &any);
    any.drive(&mut Plan::new(
        &liveops_core::Rules::from_json(r#"{ "version": 1, "game": "conformance" }"#).unwrap(),
        [],
    ));
}
