//! How a game is opened.

use std::time::Duration;

use liveops_adapters::Tls;

/// Partitions of a game, at most.
pub const PARTITIONS_MAX: u16 = 1_024;

/// What a game in Redis is opened with; see each method.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) game: String,
    pub(crate) partitions: u16,
    pub(crate) timeout: Duration,
    pub(crate) outbox_entries: u64,
    pub(crate) feed: FeedSetting,
    pub(crate) replicas: u16,
    pub(crate) tls: Option<Tls>,
    pub(crate) no_persistence: bool,
    pub(crate) clock_ahead_max: Option<Duration>,
}

/// What the game's feed is to be from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FeedSetting {
    /// As the game says.
    #[default]
    Kept,
    /// Of so many change sets a partition.
    Of(u64),
    /// None.
    Off,
}

impl Options {
    /// For a game of this name. Several games live side by side in one Redis.
    pub fn new(game: impl Into<String>) -> Self {
        Self {
            game: game.into(),
            partitions: 64,
            timeout: Duration::from_secs(2),
            outbox_entries: 4_096,
            feed: FeedSetting::Kept,
            replicas: 0,
            tls: None,
            no_persistence: false,
            clock_ahead_max: Some(Duration::from_secs(60)),
        }
    }

    /// Into how many partitions the players are spread: 64 unless this is called, from 1 to 1,024. A game that is opened for the first
    /// time keeps them for ever; opened with another number, it is `store_misconfigured`. Partitions are what a cluster spreads over its masters.
    #[must_use]
    pub const fn partitions(mut self, partitions: u16) -> Self {
        self.partitions = partitions;
        self
    }

    /// How long a connection may take, and an answer: 2 seconds unless this is called. A commit that is not answered in time is
    /// `store_outcome_unknown`.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many entries of its outbox each partition keeps at least, for processes that follow: 4,096 unless this is called. One
    /// that is further behind reads the partition's players anew.
    #[must_use]
    pub const fn outbox_entries(mut self, entries: u64) -> Self {
        self.outbox_entries = entries;
        self
    }

    /// Keeps a feed, in which up to so many change sets of each partition wait for consumers. It is a setting of the game: whoever
    /// opens it later without a word has it too. To turn it on in a game that had none, open the game with it in one process and
    /// start the others again.
    #[must_use]
    pub const fn feed(mut self, len_max: u64) -> Self {
        self.feed = FeedSetting::Of(len_max);
        self
    }

    /// Drops the game's feed and forgets its consumers.
    #[must_use]
    pub const fn no_feed(mut self) -> Self {
        self.feed = FeedSetting::Off;
        self
    }

    /// How many replicas must have a commit before it counts: none unless this is called. If fewer say so within half the
    /// timeout, it is `store_outcome_unknown`, and a retry settles it.
    #[must_use]
    pub const fn replicas(mut self, replicas: u16) -> Self {
        self.replicas = replicas;
        self
    }

    /// Whom to trust, and with what to prove who this is, for addresses that begin with `rediss://`.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Takes a server without an append-only file too, which is refused unless this is called: whatever happens to it, everything
    /// since its last snapshot is gone.
    #[must_use]
    pub const fn allow_no_persistence(mut self) -> Self {
        self.no_persistence = true;
        self
    }

    /// How far ahead of the server's clock the game may be advanced: 60 seconds unless this is called; `None` is any time. The
    /// fastest clock of all processes closes periods for all. Further is `store_misconfigured`.
    #[must_use]
    pub const fn clock_ahead_max(mut self, ahead_max: Option<Duration>) -> Self {
        self.clock_ahead_max = ahead_max;
        self
    }
}
