//! A store as one value: its digest, its snapshot, its size.

use std::io::{Read, Write};

use sha2::Digest as _;

use super::{Boards, Feed, Scan, Store};
use crate::codec::Stable as _;
use crate::error::{StoreError, StoreErrorKind};
use crate::hash::Digest;
use crate::record::{Horizon, Key, Record};

/// How much a store holds. Only what [counts as there](Store#contract) is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Size {
    /// Players, erased ones with a mark included.
    pub players: u64,
    /// First outcomes kept for retries.
    pub outcomes: u64,
    /// Receipts.
    pub receipts: u64,
    /// Suspicions.
    pub suspicions: u64,
    /// Boards, each in each period.
    pub boards: u64,
    /// Feed entries that are kept.
    pub feed: u64,
}

/// Digest, snapshot, restoration and size, each at one moment.
pub trait Whole: Send + Sync {
    /// Names the state of all records, as [`digest_of`] does: `v1:` and 64 hex digits. Two stores with one digest hold the same.
    fn digest(&self) -> Result<String, StoreError>;

    /// Writes the whole state: header, cursors, records. One form for every store; see [`super::SnapshotWriter`]. A store may hold writers
    /// up meanwhile, so the bytes should go to memory or to a file, and not to whoever may keep them waiting; one in memory holds nobody up, and
    /// keeps copies of what is written meanwhile.
    fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError>;

    /// Takes the state of a snapshot; the store must be empty, else `store_misconfigured`. The feed goes on in a new epoch of cursors:
    /// [`super::FeedMarks::in_new_epoch`].
    ///
    /// Errors: `store_corrupt` for bytes that are none, `record_too_new` for a later version's; then the store is as empty as before.
    fn restore(&self, from: &mut (dyn Read + Send)) -> Result<(), StoreError>;

    /// How much there is.
    fn size(&self) -> Result<Size, StoreError>;
}

/// Everything an engine can do with a store; `Arc<dyn FullStore>` is one too.
pub trait FullStore: Store + Scan + Boards + Feed + Whole {}

impl<S: Store + Scan + Boards + Feed + Whole + ?Sized> FullStore for S {}

/// The digest over records that come in key order, the horizon first: `v1:` and the SHA-256 over each record's key and value,
/// each behind its length in eight bytes.
#[derive(Clone, Debug)]
pub struct Digester {
    sha: sha2::Sha256,
    bytes: Vec<u8>,
}

impl Digester {
    /// Begins with the horizon.
    pub fn new(horizon: Horizon) -> Self {
        let mut digester = Self { sha: sha2::Sha256::new(), bytes: Vec::new() };
        digester.add(&Key::Horizon, &Record::Horizon(horizon).encode());
        digester
    }

    /// Adds the next record by its stable bytes.
    pub fn add(&mut self, key: &Key, record: &[u8]) {
        self.bytes.clear();
        key.put(&mut self.bytes);
        self.sha.update((self.bytes.len() as u64).to_be_bytes());
        self.sha.update((record.len() as u64).to_be_bytes());
        self.sha.update(&self.bytes);
        self.sha.update(record);
    }

    /// The digest of all that was added.
    pub fn finish(self) -> String {
        format!("v1:{}", Digest(self.sha.finalize().into()))
    }
}

/// The digest of a store that nobody writes to meanwhile, by its scan: partitions are merged, whatever their number.
pub fn digest_of<S: Store + Scan + ?Sized>(store: &S) -> Result<String, StoreError> {
    const PAGE_RECORDS: usize = 1024;
    let horizon = match store.load(&[Key::Horizon]).pop() {
        Some(Ok(Some(Record::Horizon(horizon)))) => horizon,
        Some(Ok(None)) => Horizon::default(),
        Some(Err(error)) => return Err(error),
        _ => return Err(StoreErrorKind::Misconfigured.into()),
    };
    let mut digester = Digester::new(horizon);
    let mut heads = Vec::new();
    for partition in 0..store.partitions() {
        heads.push((partition, store.scan(partition, None, None, PAGE_RECORDS)?.into_iter().peekable()));
    }
    loop {
        // Few partitions: the smallest head is found by looking at each.
        let first = heads.iter_mut().filter_map(|(_, page)| page.peek().map(|(key, _)| key.clone())).min();
        let Some(first) = first else { return Ok(digester.finish()) };
        for (partition, page) in &mut heads {
            let Some((key, record)) = page.next_if(|(key, _)| *key == first) else { continue };
            digester.add(&key, &record.encode());
            if page.peek().is_none() {
                *page = store.scan(*partition, None, Some(&key), PAGE_RECORDS)?.into_iter().peekable();
            }
        }
    }
}
