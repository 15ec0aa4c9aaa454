//! Players in the order of their names.

use std::collections::BTreeSet;
use std::ops::Bound;

use parking_lot::Mutex;

use crate::id::PlayerId;

/// Names in order, for those who read everything a page at a time. Who writes only adds to a list; the next reader sorts it in.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Taken before the other.
    sorted: Mutex<BTreeSet<PlayerId>>,
    added: Mutex<Vec<PlayerId>>,
}

impl Names {
    /// Adds one, which may be there already.
    pub(super) fn add(&self, player: &PlayerId) {
        self.added.lock().push(player.clone());
    }

    pub(super) fn remove<'p>(&self, players: impl IntoIterator<Item = &'p PlayerId>) {
        self.settle(|sorted| {
            for player in players {
                sorted.remove(player);
            }
        });
    }

    pub(super) fn clear(&self) {
        self.settle(BTreeSet::clear);
    }

    /// The next names, at most `limit`; none at the end.
    pub(super) fn page(&self, after: Option<&PlayerId>, limit: usize) -> Vec<PlayerId> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.settle(|sorted| sorted.range::<PlayerId, _>((from, Bound::Unbounded)).take(limit).cloned().collect())
    }

    fn settle<T>(&self, then: impl FnOnce(&mut BTreeSet<PlayerId>) -> T) -> T {
        let mut sorted = self.sorted.lock();
        let added = std::mem::take(&mut *self.added.lock());
        if added.len() > sorted.len() / 8 {
            // Many at once are sorted first, and merged.
            sorted.append(&mut added.into_iter().collect());
        } else {
            sorted.extend(added);
        }
        then(&mut sorted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_order_whenever_they_were_added() {
        let id = |n: u32| PlayerId::new(&format!("{n:04}")).unwrap();
        let names = Names::default();
        let all = |names: &Names, limit| {
            let mut all: Vec<PlayerId> = Vec::new();
            loop {
                let page = names.page(all.last(), limit);
                if page.is_empty() {
                    return all;
                }
                assert!(page.len() <= limit);
                all.extend(page);
            }
        };
        assert!(all(&names, 5).is_empty());
        let mut model = BTreeSet::new();
        for n in 0..2_000_u32 {
            let id = id(n.wrapping_mul(7919) % 1_000);
            names.add(&id);
            model.insert(id);
            if n % 150 == 0 {
                assert!(all(&names, 1 + n as usize % 40).iter().eq(&model), "after {n}");
            }
        }
        let gone: Vec<_> = model.iter().filter(|id| id.as_str().ends_with('3')).cloned().collect();
        names.remove(&gone);
        model.retain(|id| !gone.contains(id));
        assert!(all(&names, 7).iter().eq(&model));
        assert!(names.page(Some(&id(9_999)), 7).is_empty());
        names.clear();
        assert!(all(&names, 7).is_empty());
    }
}
