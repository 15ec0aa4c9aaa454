//! What whoever walks over all records may rely on.

use super::sample::{applied, player, set};
use crate::record::{Key, Record};
use crate::store::{Scan, Store};

/// Enough that numbers get two digits.
const SETS: u64 = 12;

fn fill<S: Store>(store: &S) {
    for name in ["b", "a", "a~", "A"] {
        (0..SETS).for_each(|version| applied(store, set(name, version)));
    }
}

fn scan<S: Scan>(store: &S, after: Option<&Key>, limit: usize) -> Vec<(Key, Record)> {
    store.scan(after, limit).expect("scan")
}

pub(super) fn records_come_in_key_order<S: Store + Scan>(store: &S) {
    fill(store);
    let whole = scan(store, None, usize::MAX);
    assert!(whole.is_sorted_by(|a, b| a.0 < b.0), "records come in key order, each once");
    let of_players = whole.iter().filter(|(key, _)| key.player().is_some());
    assert_eq!(of_players.count() as u64, 4 * (1 + SETS * 3), "every record comes");
}

pub(super) fn pages_add_up_to_the_whole<S: Store + Scan>(store: &S) {
    fill(store);
    let whole = scan(store, None, usize::MAX);
    for limit in [1, 2, 7, whole.len(), whole.len() + 1] {
        let mut paged: Vec<(Key, Record)> = Vec::new();
        loop {
            let page = scan(store, paged.last().map(|(key, _)| key), limit);
            assert!(page.len() <= limit, "a page is no longer than asked for");
            if page.is_empty() {
                break;
            }
            paged.extend(page);
            assert!(paged.len() <= whole.len(), "pages come to an end");
        }
        assert_eq!(paged, whole, "pages of {limit} add up to the whole");
    }
    // A cursor may name a record that is gone.
    let gone = Key::Receipt(player("a"), SETS + 1);
    let rest: Vec<_> = whole.into_iter().filter(|(key, _)| *key > gone).collect();
    assert_eq!(scan(store, Some(&gone), usize::MAX), rest, "from behind the cursor");
}

pub(super) fn one_player_is_scanned_alone<S: Store + Scan>(store: &S) {
    fill(store);
    let whole = scan(store, None, usize::MAX);
    for name in ["a", "a~", "nobody"] {
        let own: Vec<_> = whole.iter().filter(|(key, _)| key.player() == Some(&player(name))).cloned().collect();
        assert_eq!(store.scan_player(&player(name)).expect("scan_player"), own, "every record of {name}, in order");
    }
}
