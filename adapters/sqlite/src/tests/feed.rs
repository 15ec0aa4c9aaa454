//! The feed as a setting of the file.

use liveops_core::error::StoreErrorKind;
use liveops_core::id::Id;
use liveops_core::record::{CommitOutcome, Horizon};
use liveops_core::store::{FeedEntry, Happened};
use liveops_core::{Feed, Store};

use super::{Folder, GAME, NOW, normal, open, set};
use crate::SqliteStore;

fn committed(store: &SqliteStore, after: u64) -> Vec<(u64, u64)> {
    let version = |entry: FeedEntry| match entry.what {
        Happened::Committed(changes) => (entry.cursor, changes.record.version),
        other => panic!("{other:?}"),
    };
    store.feed(0, after, 99).unwrap().into_iter().map(version).collect()
}

fn gap(store: &SqliteStore, after: u64) -> bool {
    matches!(store.feed(0, after, 9), Err(error) if error.kind == StoreErrorKind::FeedGap)
}

#[test]
fn silence_keeps_it_and_a_word_drops_it() {
    let folder = Folder::new();
    let path = folder.file("game.db");
    let bus = Id::new("bus").unwrap();
    let store = normal().feed(10).open(&path, GAME).unwrap();
    store.commit(vec![set("a", 0), set("a", 1)]);
    store.ack(&bus, 0, 1).unwrap();
    drop(store);

    let store = open(&path);
    store.commit(vec![set("a", 2)]);
    assert_eq!(committed(&store, 1), [(2, 2), (3, 3)], "opened without a word it goes on");
    assert!(gap(&store, 0) && gap(&store, 4));
    store.ack(&bus, 0, 3).unwrap();
    drop(store);

    let store = open(&path);
    assert_eq!(store.last(0).unwrap(), 3, "though nothing is kept");
    assert_eq!(committed(&store, 3), []);
    drop(store);

    let store = normal().no_feed().open(&path, GAME).unwrap();
    assert_eq!(store.consumers().unwrap(), []);
    store.commit(vec![set("a", 3)]);
    assert_eq!((store.last(0).unwrap(), store.status().unwrap().feed_len_max), (3, None));
    drop(store);
    assert_eq!(open(&path).status().unwrap().feed_len_max, None);

    let store = normal().feed(10).open(&path, GAME).unwrap();
    let epoch = store.last(0).unwrap();
    assert!(epoch > 3 && epoch.trailing_zeros() >= 32, "what was committed meanwhile is in no feed: {epoch}");
    assert!([0, 2, 3].into_iter().all(|after| gap(&store, after)));
    store.commit(vec![set("a", 4)]);
    assert_eq!(committed(&store, epoch), [(epoch + 1, 5)]);
}

#[test]
fn a_file_that_had_none_begins_one_above_nothing() {
    let folder = Folder::new();
    let path = folder.file("game.db");
    open(&path).commit(vec![set("a", 0)]);
    let store = normal().feed(10).open(&path, GAME).unwrap();
    assert!(gap(&store, 0), "whoever begins at 0 lacks what there was before");
    assert!(store.last(0).unwrap() > 0);
    drop(store);
    let empty = folder.file("empty.db");
    drop(open(&empty));
    assert_eq!(normal().feed(10).open(&empty, GAME).unwrap().last(0).unwrap(), 0);
}

#[test]
fn a_backup_has_cursors_of_its_own() {
    let folder = Folder::new();
    let (path, copy) = (folder.file("game.db"), folder.file("copy.db"));
    let bus = Id::new("bus").unwrap();
    let store = normal().feed(10).open(&path, GAME).unwrap();
    store.commit((0..4).map(|version| set("a", version)).collect());
    store.ack(&bus, 0, 2).unwrap();
    store.backup(&copy).unwrap();
    store.commit((4..7).map(|version| set("a", version)).collect());
    assert_eq!(store.last(0).unwrap(), 7, "the file goes on where it was");
    let copy = open(&copy);
    let epoch = copy.last(0).unwrap();
    assert!(epoch > 7 && epoch.trailing_zeros() >= 32, "{epoch}");
    assert!((0..=7).all(|after| gap(&copy, after)), "cursors that the file hands out later lead nowhere");
    assert_eq!(copy.consumers().unwrap()[0].acked, [epoch], "who was known is known");
    copy.commit(vec![set("a", 4)]);
    assert_eq!(committed(&copy, epoch), [(epoch + 1, 5)]);
    let again = folder.file("again.db");
    copy.backup(&again).unwrap();
    drop(copy);
    let epochs = [open(&folder.file("copy.db")), open(&again)].map(|store| store.last(0).unwrap() >> 32);
    assert!(epochs[0] == epoch >> 32 && epochs[1] > epochs[0], "a copy's copy begins another: {epochs:?}");
}

#[test]
fn a_smaller_one_waits_until_it_is_read() {
    let folder = Folder::new();
    let path = folder.file("game.db");
    let store = normal().feed(10).open(&path, GAME).unwrap();
    store.commit((0..4).map(|version| set("a", version)).collect());
    drop(store);
    let store = normal().feed(2).open(&path, GAME).unwrap();
    let refused = store.commit(vec![set("a", 4)]).remove(0);
    assert!(matches!(refused, CommitOutcome::Failed(error) if error.kind == StoreErrorKind::FeedFull));
    store.ack(&Id::new("bus").unwrap(), 0, 3).unwrap();
    assert!(matches!(store.commit(vec![set("a", 4)])[..], [CommitOutcome::Applied]));
}

#[test]
fn years_without_a_reader_fill_no_disk() {
    let folder = Folder::new();
    let path = folder.file("game.db");
    let store = normal().feed(2).open(&path, GAME).unwrap();
    store.commit(vec![set("a", 0), set("b", 0)]);
    let horizon = |n| Horizon { now: NOW.plus_millis(n), forgotten_before: NOW.plus_millis(-9) };
    for n in 0..20 {
        store.advance(horizon(n)).unwrap();
    }
    let check = |store: &SqliteStore| {
        let entries = store.feed(0, 0, 99).unwrap();
        assert_eq!(entries.len(), 5, "{entries:?}");
        let last = entries.last().unwrap();
        assert_eq!(last.what, Happened::Advanced(horizon(19)), "the newest rise is there");
        assert_eq!((last.cursor, store.status().unwrap().feed), (22, 5));
    };
    check(&store);
    drop(store);
    check(&open(&path));
}
