//! Enumerating records, a page at a time.

use crate::error::StoreError;
use crate::id::PlayerId;
use crate::record::{Key, Kind, Record};

/// A store in parts, each with an order of its own. A player's records, boards' news and feed entries are all in one
/// partition, which never changes while the store lives.
pub trait Partitioned: Send + Sync {
    /// How many: numbered from 0, at least 1.
    fn partitions(&self) -> u16;
}

/// Enumerates records: for snapshots, digests, exports, bulk commands and rebuilding boards. The horizon is not among
/// them: load it.
///
/// A page costs what it returns, not what the store holds, and holds no writer up for longer than it takes to read. Records
/// written or removed between two pages may or may not be met; everything else is met once. A record that cannot be read fails
/// its page: whoever walks through all of them, to build boards say, goes no further. The error's source names the player, where
/// the store knows whose record it is.
pub trait Scan: Partitioned {
    /// The next records of a partition after a key, in key order, of one kind or of all, at most `limit`; empty at the end.
    fn scan(
        &self,
        partition: u16,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError>;

    /// The same of one player.
    fn scan_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError>;
}

/// Every record, partition after partition, read `page` at a time. Stops after the first error.
pub fn records<S: Scan + ?Sized>(store: &S, kind: Option<Kind>, page: usize) -> Pages<'_, S> {
    Pages { store, kind, page: page.max(1), partition: 0, after: None, read: Vec::new().into_iter() }
}

/// Records by the page; see [`records`].
#[derive(Debug)]
pub struct Pages<'s, S: ?Sized> {
    store: &'s S,
    kind: Option<Kind>,
    page: usize,
    partition: u16,
    after: Option<Key>,
    read: std::vec::IntoIter<(Key, Record)>,
}

impl<S: Scan + ?Sized> Iterator for Pages<'_, S> {
    type Item = Result<(Key, Record), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(next) = self.read.next() {
                return Some(Ok(next));
            }
            if self.partition >= self.store.partitions() {
                return None;
            }
            match self.store.scan(self.partition, self.kind, self.after.as_ref(), self.page) {
                Ok(page) => {
                    if let Some((last, _)) = page.last() {
                        self.after = Some(last.clone());
                        self.read = page.into_iter();
                    } else {
                        (self.partition, self.after) = (self.partition + 1, None);
                    }
                }
                Err(error) => {
                    self.partition = u16::MAX;
                    return Some(Err(error));
                }
            }
        }
    }
}
