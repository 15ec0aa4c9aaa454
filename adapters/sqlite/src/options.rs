//! How a file is opened.

use std::path::Path;
use std::time::Duration;

use liveops_core::error::StoreError;

use crate::SqliteStore;

/// As many as the first piece of the log's index names, or nearly: a full disk then stops no look-up for want of a second.
const CHECKPOINT_PAGES: u32 = 4_000;

/// When a commit counts as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sync {
    /// Once the disk says so: it survives `kill -9` and a loss of power.
    #[default]
    Full,
    /// Once the system has it: it survives `kill -9`; a loss of power may take the last commits, never a part of one.
    Normal,
}

/// What the file's feed is to be from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FeedSetting {
    /// As the file says.
    #[default]
    Kept,
    /// Of so many entries.
    Of(u64),
    /// None.
    Off,
}

/// How a file is opened; from [`SqliteStore::options`].
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) sync: Sync,
    pub(crate) feed: FeedSetting,
    pub(crate) wait: Duration,
    pub(crate) on_network: bool,
    pub(crate) checkpoint_pages: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sync: Sync::Full,
            feed: FeedSetting::Kept,
            wait: Duration::ZERO,
            on_network: false,
            checkpoint_pages: CHECKPOINT_PAGES,
        }
    }
}

impl Options {
    /// When a commit counts as written: [`Sync::Full`] unless this is called.
    #[must_use]
    pub const fn sync(mut self, sync: Sync) -> Self {
        self.sync = sync;
        self
    }

    /// [`Sync::Normal`].
    #[must_use]
    pub const fn normal(self) -> Self {
        self.sync(Sync::Normal)
    }

    /// Keeps up to so many entries of the feed. It is a setting of the file: whoever opens it later without a word has it too. A
    /// file that holds records and had no feed begins one above 0, so that cursors of before are `feed_gap`.
    #[must_use]
    pub const fn feed(mut self, len_max: u64) -> Self {
        self.feed = FeedSetting::Of(len_max);
        self
    }

    /// Drops the file's feed, entries and consumers included.
    #[must_use]
    pub const fn no_feed(mut self) -> Self {
        self.feed = FeedSetting::Off;
        self
    }

    /// How long to wait for another process to close the file before it is `store_in_use`; not at all unless this is called. For
    /// a server that is restarted while the one before still ends.
    #[must_use]
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Takes a file on NFS, SMB, 9p or FUSE too, which is refused unless this is called: there, locks and syncs may not do what
    /// durability is built on.
    #[must_use]
    pub const fn allow_network_file_system(mut self, allow: bool) -> Self {
        self.on_network = allow;
        self
    }

    /// At how many pages of 4 KiB the log is written back into the file: 4,000 unless this is called.
    #[must_use]
    pub const fn checkpoint_pages(mut self, pages: u32) -> Self {
        self.checkpoint_pages = pages;
        self
    }

    /// Opens the file of a game, or makes it.
    ///
    /// Errors: `store_in_use` while another has it open, `store_misconfigured` for a place where it cannot be, or a file of something
    /// else or of another game, `store_corrupt` for one that is damaged, `record_too_new` for one of a later version.
    pub fn open(&self, path: impl AsRef<Path>, game: &str) -> Result<SqliteStore, StoreError> {
        crate::open::open(path.as_ref(), game, self)
    }
}
