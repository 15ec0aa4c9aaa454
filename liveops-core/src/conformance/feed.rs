//! What whoever follows the feed may rely on.

use super::FEED_LEN;
use super::sample::{applied, commit, parts, present, set, xp};
use crate::error::StoreErrorKind;
use crate::record::{ChangeSet, CommitOutcome};
use crate::store::{Feed, FeedEntry, Store};

fn feed<S: Feed>(store: &S, after: u64, limit: usize) -> Vec<FeedEntry> {
    store.feed(after, limit).expect("feed")
}

fn sets(entries: &[FeedEntry]) -> Vec<ChangeSet> {
    entries.iter().map(|entry| (*entry.changes).clone()).collect()
}

pub(super) fn the_feed_holds_what_was_committed<S: Store + Feed>(store: &S) {
    assert_eq!(feed(store, 0, 99), [], "an empty store has nothing to tell");
    commit(store, vec![set("a", 0), set("b", 9), set("c", 0)]);
    applied(store, set("a", 1));
    let entries = feed(store, 0, 99);
    assert_eq!(sets(&entries), [set("a", 0), set("c", 0), set("a", 1)], "every set that was applied, in order");
    assert!(entries.is_sorted_by(|a, b| a.cursor < b.cursor), "cursors rise");
    assert!(entries[0].cursor > 0, "0 is the start");
}

pub(super) fn the_feed_is_read_from_a_cursor<S: Store + Feed>(store: &S) {
    (0..6).for_each(|version| applied(store, set("a", version)));
    let whole = feed(store, 0, 99);
    assert_eq!(feed(store, 0, 2), whole[..2], "no more than asked for");
    assert_eq!(feed(store, whole[1].cursor, 3), whole[2..5], "from behind the cursor");
    assert_eq!(feed(store, whole[5].cursor, 99), [], "nothing behind the last");
    assert_eq!(feed(store, 0, 99), whole, "reading takes nothing away");
}

pub(super) fn acknowledged_entries_go<S: Store + Feed>(store: &S) {
    (0..4).for_each(|version| applied(store, set("a", version)));
    let whole = feed(store, 0, 99);
    store.ack(whole[1].cursor).expect("ack");
    assert_eq!(feed(store, 0, 99), whole[2..], "acknowledged entries go, others stay");
    store.ack(whole[0].cursor).expect("ack");
    assert_eq!(feed(store, 0, 99), whole[2..], "an old acknowledgement takes nothing more away");
    store.ack(whole[3].cursor).expect("ack");
    applied(store, set("a", 4));
    let next = feed(store, 0, 99);
    assert_eq!(sets(&next), [set("a", 4)]);
    assert!(next[0].cursor > whole[3].cursor, "cursors never come again");
}

pub(super) fn a_full_feed_refuses_commits<S: Store + Feed>(store: &S) {
    let full = FEED_LEN as u64;
    (0..full).for_each(|version| applied(store, set("a", version)));
    match &store.commit(vec![set("a", full)])[..] {
        [CommitOutcome::Failed(error)] => assert_eq!(error.kind, StoreErrorKind::FeedFull, "it says why"),
        other => panic!("a full feed refuses commits: {other:?}"),
    }
    assert_eq!(xp(store, "a"), full, "nothing was written");
    assert_eq!(present(store, &parts("a", full + 1)), [false; 3], "nothing was written");
    assert_eq!(feed(store, 0, 99).len(), FEED_LEN, "nothing was told");
    store.ack(feed(store, 0, 1)[0].cursor).expect("ack");
    applied(store, set("a", full));
}
