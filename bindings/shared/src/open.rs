//! Opening an engine over the store that was chosen.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use liveops_core::error::StoreError;
use liveops_core::store::{FullStore, Whole};
use liveops_core::{Engine, Error, MemoryStore, Rules, Timestamp};
use liveops_sqlite::{SqliteStore, Sync};

use crate::shared::Place;
use crate::{Far, Shared};

/// Where the state is kept.
#[derive(Clone, Debug)]
pub enum StoreChoice {
    /// In memory, with a feed of so many entries at most, or none.
    Memory {
        /// Entries; 0 is none.
        feed: usize,
    },
    /// In a file.
    Sqlite {
        /// Which.
        path: PathBuf,
        /// Entries of the feed at most, 0 for none; `None`: as the file says.
        feed: Option<u64>,
        /// When a commit counts as written.
        sync: Sync,
        /// How long to wait for another process to close the file.
        wait: Duration,
        /// Whether a network's file system will do.
        allow_network_file_system: bool,
    },
    /// Over a network.
    Far(Box<Far>),
}

/// The state to begin in.
#[derive(Clone, Copy, Debug)]
pub struct Start<'s> {
    /// A snapshot.
    pub snapshot: &'s [u8],
    /// When given, the present, to which the horizon is brought back.
    pub at: Option<Timestamp>,
}

/// What an engine is opened with.
#[derive(Clone, Debug)]
pub struct Opening<'s> {
    /// The rules.
    pub rules: Arc<Rules>,
    /// Where the state is kept.
    pub store: StoreChoice,
    /// The state to begin in; the store is empty then.
    pub start: Option<Start<'s>>,
    /// Whether change sets say what led to them.
    pub recording: bool,
    /// What the clock says: whatever of the calendar begins later may be another than before.
    pub clock: Timestamp,
}

impl StoreChoice {
    /// Whether calls may wait for a disk or a network.
    pub const fn blocks(&self) -> bool {
        matches!(self, Self::Sqlite { .. } | Self::Far(_))
    }

    /// Whether opening may wait for a network: no constructor does.
    pub const fn is_far(&self) -> bool {
        matches!(self, Self::Far(_))
    }

    /// How many threads may submit at once and be faster than one.
    fn lanes(&self) -> usize {
        match self {
            Self::Far(far) => far.lanes(),
            // Writers of a file share its syncs, and none of the processor's time is saved by more of them.
            Self::Memory { .. } | Self::Sqlite { .. } => 1,
        }
    }
}

impl Opening<'_> {
    /// Opens the store and the engine over it. May wait for a disk or a network.
    ///
    /// Errors: those of the store; `board_incompatible`, `store_misconfigured` for a store of other rules or another game.
    pub fn open(self) -> Result<Shared, Error> {
        let (store, place): (Arc<dyn FullStore>, _) = match &self.store {
            StoreChoice::Memory { feed } => (Arc::new(self.memory(*feed)?), Place::Memory),
            StoreChoice::Sqlite { path, feed, sync, wait, allow_network_file_system } => {
                let options = SqliteStore::options().sync(*sync).wait(*wait);
                let options = options.allow_network_file_system(*allow_network_file_system);
                let options = match feed {
                    Some(0) => options.no_feed(),
                    Some(len_max) => options.feed(*len_max),
                    None => options,
                };
                let file = Arc::new(options.open(path, self.rules.game())?);
                self.fill(&*file)?;
                (Arc::clone(&file) as _, Place::File(file))
            }
            StoreChoice::Far(far) => {
                let far = far.connect(self.rules.game())?;
                let store = far.full();
                self.fill(&*store)?;
                (store, Place::Far(far))
            }
        };
        let lanes = self.store.lanes();
        let engine = Engine::open_at(self.rules, store, self.clock)?;
        Ok(Shared::new(if self.recording { engine.recording() } else { engine }, place, lanes))
    }

    /// Memory in the state to begin in.
    fn memory(&self, feed: usize) -> Result<MemoryStore, StoreError> {
        let empty = if feed == 0 { MemoryStore::new() } else { MemoryStore::with_feed(feed) };
        match self.start {
            None => Ok(empty),
            Some(Start { snapshot, at: None }) => empty.restored(snapshot),
            Some(Start { snapshot, at: Some(now) }) => empty.restored_at(snapshot, &self.rules, now),
        }
    }

    /// A new store in the state to begin in.
    fn fill(&self, store: &(impl Whole + ?Sized)) -> Result<(), StoreError> {
        match self.start {
            None => Ok(()),
            Some(Start { snapshot, at: None }) => store.restore(&mut &*snapshot),
            // Turning back needs to look at everybody, which memory does.
            Some(_) => store.restore(&mut &*self.memory(0)?.snapshot()),
        }
    }
}
