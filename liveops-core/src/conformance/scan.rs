//! What whoever walks over all records may rely on.

use super::sample::{NOW, advance, applied, horizon, parts, player, present, set, under};
use super::time::erase_some;
use crate::record::{ChangeSet, Key, Kind, Record};
use crate::store::{Scan, Store};

/// Enough that numbers get two digits.
const SETS: u64 = 12;
const NAMES: [&str; 4] = ["b", "a", "a~", "A"];
const KINDS: [Kind; 4] = [Kind::Player, Kind::Outcome, Kind::Receipt, Kind::Suspicion];

fn fill<S: Store>(store: &S) {
    for name in NAMES {
        (0..SETS).for_each(|version| applied(store, set(name, version)));
    }
}

/// Pages of at most `limit`, put together until one is empty.
fn paged(limit: usize, mut page: impl FnMut(Option<&Key>) -> Vec<(Key, Record)>) -> Vec<(Key, Record)> {
    let mut all: Vec<(Key, Record)> = Vec::new();
    loop {
        let next = page(all.last().map(|(key, _)| key));
        assert!(next.len() <= limit, "a page is no longer than asked for");
        if next.is_empty() {
            return all;
        }
        all.extend(next);
        assert!(all.is_sorted_by(|a, b| a.0 < b.0), "records come in key order, each once");
    }
}

fn partition<S: Scan>(store: &S, partition: u16, kind: Option<Kind>, limit: usize) -> Vec<(Key, Record)> {
    paged(limit, |after| store.scan(partition, kind, after, limit).expect("scan"))
}

fn of_player<S: Scan>(store: &S, name: &str, kind: Option<Kind>, limit: usize) -> Vec<(Key, Record)> {
    paged(limit, |after| store.scan_player(&player(name), kind, after, limit).expect("scan_player"))
}

fn partitions<S: Scan>(store: &S) -> std::ops::Range<u16> {
    assert!(store.partitions() > 0, "a store has at least one partition");
    0..store.partitions()
}

fn only(kind: Kind, records: &[(Key, Record)]) -> Vec<(Key, Record)> {
    records.iter().filter(|(key, _)| key.kind() == Some(kind)).cloned().collect()
}

pub(super) fn records_come_in_key_order<S: Store + Scan>(store: &S) {
    fill(store);
    advance(store, horizon(1, -1));
    let mut count = 0;
    for name in NAMES {
        let found = partitions(store).map(|at| partition(store, at, None, 1_000));
        let found: Vec<Vec<_>> = found
            .map(|mut all| {
                assert!(all.iter().all(|(key, _)| *key != Key::Horizon), "the horizon is not among them");
                all.retain(|(key, _)| key.player() == Some(&player(name)));
                all
            })
            .filter(|own| !own.is_empty())
            .collect();
        assert_eq!(found.len(), 1, "all records of {name} are in one partition");
        count += found[0].len() as u64;
    }
    assert_eq!(count, 4 * (1 + SETS * 3), "every record comes");
}

pub(super) fn pages_add_up_to_the_whole<S: Store + Scan>(store: &S) {
    fill(store);
    for at in partitions(store) {
        let whole = partition(store, at, None, 1_000);
        for limit in [1, 2, 7, whole.len().max(1), whole.len() + 1] {
            assert_eq!(partition(store, at, None, limit), whole, "pages of {limit} add up to the whole");
        }
        // A cursor may name a record that is gone, or was never there.
        for gone in [Key::Receipt(player("a"), SETS + 1), Key::Player(player("a!")), Key::Player(player("0"))] {
            let rest: Vec<_> = whole.iter().filter(|(key, _)| *key > gone).cloned().collect();
            let found = paged(1_000, |after| store.scan(at, None, after.or(Some(&gone)), 1_000).expect("scan"));
            assert_eq!(found, rest, "from behind {gone:?}");
        }
    }
}

pub(super) fn one_kind_is_scanned_alone<S: Store + Scan>(store: &S) {
    fill(store);
    for at in partitions(store) {
        let whole = partition(store, at, None, 1_000);
        for (kind, limit) in KINDS.into_iter().flat_map(|kind| [1, 5, 1_000].map(|limit| (kind, limit))) {
            assert_eq!(partition(store, at, Some(kind), limit), only(kind, &whole), "every {kind:?}, nothing else");
            // A cursor may be of another kind.
            let after = Key::Receipt(player("a"), 3);
            let found = paged(limit, |last| store.scan(at, Some(kind), last.or(Some(&after)), limit).expect("scan"));
            let rest: Vec<_> = only(kind, &whole).into_iter().filter(|(key, _)| *key > after).collect();
            assert_eq!(found, rest, "every {kind:?} from behind {after:?}");
        }
    }
}

pub(super) fn one_player_is_scanned_alone<S: Store + Scan>(store: &S) {
    fill(store);
    let whole: Vec<_> = partitions(store).flat_map(|at| partition(store, at, None, 1_000)).collect();
    for name in ["a", "a~", "nobody"] {
        let own: Vec<_> = whole.iter().filter(|(key, _)| key.player() == Some(&player(name))).cloned().collect();
        for limit in [1, 5, 1_000] {
            assert_eq!(of_player(store, name, None, limit), own, "every record of {name}, in order");
            for kind in KINDS {
                assert_eq!(of_player(store, name, Some(kind), limit), only(kind, &own), "every {kind:?} of {name}");
            }
        }
    }
}

/// Whether its bytes are still there or not: it is not met.
pub(super) fn nothing_forgotten_is_met<S: Store + Scan>(store: &S) {
    fill(store);
    let mut newer = set("b", SETS);
    newer.outcomes[0].1.ts = NOW.plus_millis(1);
    applied(store, newer);
    erase_some(store);
    advance(store, horizon(99, 1));
    let outcomes = partitions(store).flat_map(|at| partition(store, at, Some(Kind::Outcome), 4));
    let [kept, ..] = parts("b", SETS + 1);
    let [busy, ..] = parts("busy", 2);
    let found: Vec<Key> = outcomes.map(|(key, _)| key).collect();
    assert!(found.len() == 2 && found.contains(&kept) && found.contains(&busy), "old outcomes are gone: {found:?}");
    for limit in [1, 1_000] {
        let mut players: Vec<_> =
            partitions(store).flat_map(|at| partition(store, at, Some(Kind::Player), limit)).collect();
        players.sort_by(|a, b| a.0.cmp(&b.0));
        let names = ["A", "a", "again", "a~", "b", "busy", "later"].map(|name| Key::Player(player(name)));
        assert!(players.iter().map(|(key, _)| key).eq(&names), "a mark that nobody needs is nobody: {players:?}");
    }
    assert_eq!(of_player(store, "idle", None, 9), [], "nor has nobody any record");
    let all = partitions(store).flat_map(|at| partition(store, at, None, 4));
    assert!(all.map(|(key, _)| key).all(|key| key.player() != Some(&player("idle"))), "nor has nobody any record");
}

/// What is written between two pages may or may not be met. Everything else is met once.
pub(super) fn writers_between_pages_hide_nobody<S: Store + Scan>(store: &S) {
    fill(store);
    let before: Vec<_> = partitions(store).flat_map(|at| partition(store, at, None, 1_000)).collect();
    let mut met = Vec::new();
    let mut written = 0;
    for at in partitions(store) {
        met.extend(paged(3, |after| {
            // One comes, one goes, before and behind the page.
            let (came, goes) = (format!("n{}", written * 7 % 100), parts("b", 1 + written % SETS));
            if !present(store, &[Key::Player(player(&came))])[0] {
                applied(store, set(&came, 0));
            }
            let removed = goes[1..].to_vec();
            applied(store, under(crate::time::Timestamp::MIN, ChangeSet { removed, ..set("b", SETS + written) }));
            written += 1;
            store.scan(at, None, after, 3).expect("scan")
        }));
    }
    for (key, record) in before.iter().filter(|(key, _)| key.player() != Some(&player("b"))) {
        let times = met.iter().filter(|(found, _)| found == key).count();
        assert_eq!(times, 1, "{key:?} stayed where it was and is met once");
        assert!(met.contains(&(key.clone(), record.clone())), "as it was written");
    }
}
