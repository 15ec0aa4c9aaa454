//! The storage boundary: what a store is, what may be read of it, and what it tells.

mod asynchronous;
mod blocking;
mod boards;
mod feed;
mod forward;
mod key;
mod scan;
mod snapshot;
mod tail;
mod whole;

pub use asynchronous::{AsyncBoards, AsyncFeed, AsyncScan, AsyncStore, AsyncWhole, Ready, drive};
pub use blocking::{BlockOn, Blocking};
pub use boards::{BoardAnswer, BoardRead, Boards, Keeps, Lag, Reading};
pub use feed::{Consumer, ConsumerMark, Feed, FeedEntry, Happened};
pub use key::hash_key;
pub use scan::{Pages, Partitioned, Scan, records};
pub use snapshot::{FeedMarks, SnapshotReader, SnapshotWriter};
pub use tail::{AsyncTail, TailPage};
pub use whole::{Digester, FullStore, Size, Whole, digest_of};

pub use crate::plan::Loaded;

use crate::error::StoreError;
use crate::plan::Plan;
use crate::record::{ChangeSet, CommitOutcome, Header, Horizon, Key};

/// Where records live. Batch-shaped; no provided methods, so a wrapper cannot forget to forward one.
///
/// # Contract
///
/// * `load` answers every key, in order, repeats included. No answer for a `Player` may be newer than the answer for
///   another key of that player: read in the order asked, or at one moment. A record that cannot be read fails its own
///   key; a store that cannot be reached fails every key.
/// * `commit` answers every change set, in order. Each is written entirely or not at all, and only if
///   [`ChangeSet::fits`] the stored player and the horizon of that moment. One that does not fit, or fails, does not
///   stop those after it.
/// * `advance` raises the horizon and returns what it is now; it never goes back. From then on outcomes with
///   `ts < forgotten_before` are absent (their own `ts`: a payment's receipt may be much older), and so is a player of whom
///   only the [mark of an erasure](crate::record::Player::is_idle_mark) and no outcome is left; nothing else is. When their
///   bytes are removed is the store's own affair. Whoever comes again after that begins at version 1, so the boards are told
///   [`Told::Gone`](crate::replica::Told::Gone) first.
/// * `header` and `replace_header` keep a few bytes beside the records; the second writes only if the first would still answer
///   `expected`, in one step, and says whether it did.
///
/// [`crate::conformance`] checks all of it.
pub trait Store: Send + Sync {
    /// Reads many records.
    fn load(&self, keys: &[Key]) -> Vec<Loaded>;

    /// Writes many change sets.
    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome>;

    /// Takes a plan through to its end. [`by_load_and_commit`] does, for every store that has no shorter way.
    fn drive(&self, plan: &mut Plan<'_>);

    /// How many players' commands are loaded and committed together, at most; at least 1.
    fn round_players(&self) -> usize;

    /// Raises the horizon.
    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError>;

    /// What the records are of; [`Header::default`] before anything was written.
    fn header(&self) -> Result<Header, StoreError>;

    /// Replaces the header that is expected to be there; whether it was.
    fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError>;
}

/// Load, decide, commit, until every command has its outcome.
pub fn by_load_and_commit<S: Store + ?Sized>(store: &S, plan: &mut Plan<'_>) {
    let round_players = store.round_players();
    loop {
        let keys = plan.keys(round_players);
        if keys.is_empty() {
            return;
        }
        let batch = plan.decide(store.load(&keys));
        if !batch.is_empty() {
            plan.resolve(store.commit(batch));
        }
    }
}
