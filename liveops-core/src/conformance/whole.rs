//! What whoever names, saves or restores a whole store may rely on.

use std::collections::BTreeSet;

use super::boards::{assert_folded, play};
use super::sample::{NOW, advance, all, applied, day, horizon, horizon_of, id, set, under};
use super::time::erase_some;
use crate::board::{Ranking, Sort};
use crate::codec::{Seal, Stable as _};
use crate::error::StoreErrorKind;
use crate::memory::MemoryStore;
use crate::record::{Header, Horizon, Key, Record};
use crate::store::{BoardRead, Boards, Feed, FullStore, Reading, Size, SnapshotReader, Store, Whole, digest_of};
use crate::time::DAY_MILLIS;

fn digest<S: Whole>(store: &S) -> String {
    store.digest().expect("digest")
}

fn snapshot<S: Whole>(store: &S) -> Vec<u8> {
    let mut bytes = Vec::new();
    store.snapshot(&mut bytes).expect("snapshot");
    bytes
}

fn restore<S: Whole>(store: &S, bytes: &[u8]) {
    store.restore(&mut &*bytes).expect("restore");
}

/// Of what is the same in every store of one state.
fn size<S: Whole + Boards>(store: &S) -> Size {
    store.catch_up().expect("catch_up");
    Size { feed: 0, ..store.size().expect("size") }
}

/// Everything there is, and something that time takes.
fn fill<S: Store>(store: &S) {
    play(store);
    erase_some(store);
}

pub(super) fn a_digest_names_the_records<S: FullStore>(new_store: &dyn Fn() -> S) {
    let (store, reference) = (new_store(), MemoryStore::new());
    let assert_same = |when: &str| {
        assert_eq!(digest(&store), reference.digest(), "{when}: the digest is that of the same records in memory");
        assert_eq!(digest_of(&store).expect("scan"), reference.digest(), "{when}: and that of what a scan meets");
        assert_eq!(size(&store), size(&reference), "{when}: as much is counted");
    };
    assert_same("empty");
    fill(&store);
    fill(&reference);
    assert_same("after a season");
    for (now, forgotten_before) in [(9, -9), (99, 1), (99, 51), (9 * DAY_MILLIS, 8 * DAY_MILLIS)] {
        let to = horizon(now, forgotten_before);
        assert_eq!(advance(&store, to), advance(&reference, to));
        assert_same("as time goes on");
    }
    let before = digest(&store);
    let forgotten = horizon_of(&store).forgotten_before;
    applied(&store, under(forgotten, set("new", 0)));
    assert_ne!(digest(&store), before, "other records have another digest");
    let header = store.header().expect("header");
    let other = Header { game: Some("other".to_owned()), ..header.clone() };
    let before = digest(&store);
    assert!(store.replace_header(&header, &other).expect("replace_header"));
    assert_eq!(digest(&store), before, "the header is outside the digest");
}

/// Both show the same, and go on alike.
fn assert_twins(one: &impl FullStore, other: &impl FullStore) {
    assert_eq!(digest(one), digest(other), "a copy has the same digest");
    assert_eq!(one.header().expect("header"), other.header().expect("header"), "a copy has the same header");
    assert_eq!(size(one), size(other), "a copy counts as much");
    assert_folded(one);
    assert_folded(other);
}

pub(super) fn snapshots_go_from_store_to_store<S: FullStore>(new_store: &dyn Fn() -> S) {
    let (store, memory) = (new_store(), MemoryStore::new());
    fill(&store);
    advance(&store, horizon(99, 1));
    restore(&memory, &snapshot(&store));
    assert_twins(&store, &memory);
    let copy = new_store();
    restore(&copy, &snapshot(&memory));
    assert_twins(&store, &copy);
    let forgotten = NOW.plus_millis(1);
    applied(&copy, under(forgotten, set("new", 0)));
    applied(&store, under(forgotten, set("new", 0)));
    assert_twins(&store, &copy);
    let idle = Key::Player(super::sample::player("idle"));
    assert!(all(&copy, None).iter().all(|(key, _)| *key != idle), "nobody comes back who is nobody");
}

/// Bytes of before there was a header.
pub(super) fn old_snapshots_are_taken<S: FullStore>(new_store: &dyn Fn() -> S) {
    let (store, reference) = (new_store(), MemoryStore::new());
    fill(&reference);
    advance(&reference, horizon(99, -9));
    let mut records = vec![(Key::Horizon, Record::Horizon(horizon_of(&reference)))];
    records.extend(all(&reference, None));
    let version_1 = Seal { head: b"liveops snapshot", version: 1 };
    restore(&store, &version_1.close(|out| records.put(out)));
    assert_eq!(digest(&store), reference.digest(), "a snapshot of version 1 restores for ever");
    assert_eq!(store.header().expect("header"), Header::default(), "it says nothing of a header");
    assert_folded(&store);
}

pub(super) fn a_store_that_holds_something_takes_no_snapshot<S: FullStore>(new_store: &dyn Fn() -> S) {
    let (store, reference) = (new_store(), MemoryStore::new());
    fill(&reference);
    applied(&store, set("a", 0));
    let before = digest(&store);
    let error = store.restore(&mut &*snapshot(&reference)).expect_err("what is there would be lost");
    assert_eq!(error.kind, StoreErrorKind::Misconfigured);
    assert_eq!(digest(&store), before, "and nothing is");
}

pub(super) fn a_damaged_snapshot_changes_nothing<S: FullStore>(new_store: &dyn Fn() -> S) {
    let (store, reference) = (new_store(), MemoryStore::new());
    fill(&reference);
    advance(&reference, horizon(9, -9));
    let (empty, sound) = (digest(&store), snapshot(&reference));
    let cut = (0..sound.len()).step_by(sound.len() / 23).chain([sound.len() - 1]).map(|len| sound[..len].to_vec());
    let flipped = (0..sound.len()).step_by(sound.len() / 37).chain([16, sound.len() - 1]).map(|at| {
        let mut bytes = sound.clone();
        bytes[at] ^= 4;
        bytes
    });
    let longer = [&sound[..], b"\0"].concat();
    for bytes in cut.chain(flipped).chain([longer]) {
        let error = store.restore(&mut &*bytes).expect_err("bytes that nobody wrote are refused");
        assert!(
            matches!(error.kind, StoreErrorKind::Corrupt | StoreErrorKind::TooNew),
            "bytes that nobody wrote are corrupt, or too new: {error}"
        );
        assert_eq!(digest(&store), empty, "and change nothing");
        assert_eq!(horizon_of(&store), Horizon::default(), "and change nothing");
        assert_eq!(store.header().expect("header"), Header::default(), "and change nothing");
        store.catch_up().expect("catch_up");
        let read = BoardRead { key: day(), sort: Sort::default(), ranking: Ranking::Ordinal, what: Reading::Len };
        let shown = store.read(&[read]).remove(0).expect("a board");
        assert_eq!(shown, crate::store::BoardAnswer::Count(0), "and change nothing");
    }
    restore(&store, &sound);
    assert_twins(&store, &reference);
}

/// A copy goes on in a new epoch of cursors, into however many partitions, and still knows everybody: what was told after the
/// snapshot was taken is not in it, so no cursor of before leads on.
pub(super) fn cursors_outlive_a_snapshot<S: FullStore>(new_store: &dyn Fn() -> S) {
    let (store, bus) = (new_store(), id("bus"));
    for version in 0..5 {
        applied(&store, set("a", version));
    }
    let newest = |store: &dyn Feed| (0..store.partitions()).map(|at| store.last(at).expect("last")).collect::<Vec<_>>();
    let before = newest(&store);
    let at = (0_u16..).zip(&before).find(|(_, last)| **last > 0).expect("something was told").0;
    store.ack(&bus, at, before[usize::from(at)] - 1).expect("ack");
    let bytes = snapshot(&store);
    let mut marks = SnapshotReader::open(&*bytes).expect("a snapshot").marks().clone();
    assert_eq!(marks.last, before, "a snapshot says where the feed stood");
    let others: Vec<u64> = before.iter().copied().chain([77]).collect();
    for old in [before, others] {
        marks.last.clone_from(&old);
        for mark in &mut marks.consumers {
            mark.acked.resize(old.len(), 0);
        }
        let mut writer = crate::store::SnapshotWriter::new(Vec::new(), &Header::default(), &marks, Horizon::default())
            .expect("memory takes what it is given");
        for (key, record) in all(&store, None) {
            writer.record(&key, &record.encode()).expect("memory takes what it is given");
        }
        let (bytes, anew) = (writer.finish().expect("memory takes what it is given"), new_store());
        restore(&anew, &bytes);
        let epoch = newest(&anew);
        assert!(epoch.iter().all(|last| last.trailing_zeros() >= 32), "a new epoch of cursors: {epoch:?}");
        assert!(epoch.iter().min() > old.iter().max(), "above all of before: {epoch:?}");
        let known: Vec<_> = anew.consumers().expect("consumers").into_iter().map(|mark| mark.consumer).collect();
        assert_eq!(known, std::slice::from_ref(&bus), "everybody is known");
        let of_before: BTreeSet<u64> = old.iter().flat_map(|last| [*last, last + 1]).collect();
        for partition in 0..anew.partitions() {
            for after in of_before.iter().copied() {
                let error = anew.feed(partition, after, 9).expect_err("a cursor of before is a gap");
                assert_eq!(error.kind, StoreErrorKind::FeedGap);
            }
        }
        goes_on(&anew, &epoch, at);
    }
}

fn goes_on<S: Store + Feed>(store: &S, last: &[u64], at: u16) {
    for (at, last) in (0..).zip(last) {
        assert_eq!(store.feed(at, *last, 9).expect("feed"), [], "entries are not in a snapshot");
        if let Some(behind) = last.checked_sub(1) {
            let error = store.feed(at, behind, 9).expect_err("who is behind hears of it");
            assert_eq!(error.kind, StoreErrorKind::FeedGap);
        }
    }
    applied(store, set("a", 5));
    let next = store.feed(at, last[usize::from(at)], 9).expect("feed");
    assert_eq!(next.len(), 1, "the next commit is told in the partition of its player");
    assert!(next[0].cursor > last[usize::from(at)], "behind all of before");
}
