//! How a game is opened.

use std::time::Duration;

use liveops_adapters::Tls;

const CONNECTIONS: usize = 8;
const TIMEOUT: Duration = Duration::from_secs(2);
const TIMEOUT_MIN: Duration = Duration::from_millis(1);
const TIMEOUT_MAX: Duration = Duration::from_secs(3600);
const HORIZON_COPIES: u16 = 8;
const OUTBOX_ENTRIES: u64 = 262_144;
const CLOCK_AHEAD: Duration = Duration::from_secs(60);

/// What the game's feed is to be from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FeedSetting {
    /// As the database says.
    #[default]
    Kept,
    /// Of so many entries.
    Of(u64),
    /// None.
    Off,
}

/// How a game is opened.
///
/// ```
/// use std::time::Duration;
///
/// use liveops_postgres::Options;
///
/// let options = Options::new("emberfall").connections(16).timeout(Duration::from_secs(1));
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) game: String,
    pub(crate) connections: usize,
    pub(crate) timeout: Duration,
    pub(crate) horizon_copies: u16,
    pub(crate) outbox_entries: u64,
    pub(crate) feed: FeedSetting,
    pub(crate) events: bool,
    pub(crate) tls: Option<Tls>,
    pub(crate) clock_ahead_max: Option<Duration>,
}

impl Options {
    /// Of a game: several share one database.
    pub fn new(game: impl Into<String>) -> Self {
        Self {
            game: game.into(),
            connections: CONNECTIONS,
            timeout: TIMEOUT,
            horizon_copies: HORIZON_COPIES,
            outbox_entries: OUTBOX_ENTRIES,
            feed: FeedSetting::Kept,
            events: false,
            tls: None,
            clock_ahead_max: Some(CLOCK_AHEAD),
        }
    }

    /// Most connections of this process: 8 unless this is called. Each takes memory of the server's.
    #[must_use]
    pub const fn connections(mut self, most: usize) -> Self {
        self.connections = if most == 0 { 1 } else { most };
        self
    }

    /// How long the server may take for a statement, and to be connected to: 2 s unless this is called, and from a millisecond to an hour. A
    /// quarter more and nobody waits for the answer: the connection is dropped.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.clamp(TIMEOUT_MIN, TIMEOUT_MAX);
        self
    }

    /// In how many rows the horizon is kept, so that those who commit at the same time do not all share one: 8 unless this is called. It
    /// counts when the game is made.
    #[must_use]
    pub const fn horizon_copies(mut self, copies: u16) -> Self {
        self.horizon_copies = if copies == 0 { 1 } else { copies };
        self
    }

    /// How many entries of the outbox are kept for boards that are behind: 262,144 unless this is called. Entries older than an hour go
    /// earlier.
    #[must_use]
    pub const fn outbox_entries(mut self, entries: u64) -> Self {
        self.outbox_entries = entries;
        self
    }

    /// Keeps a feed of up to so many change sets that wait to be acknowledged. It is a setting of the game: whoever opens it later without a
    /// word has it too.
    #[must_use]
    pub const fn feed(mut self, len_max: u64) -> Self {
        self.feed = FeedSetting::Of(len_max);
        self
    }

    /// Drops the game's feed, its consumers included.
    #[must_use]
    pub const fn no_feed(mut self) -> Self {
        self.feed = FeedSetting::Off;
        self
    }

    /// Writes each event that was applied into a table for people, by month, in the same statement: not unless this is called. The engine has to
    /// [record](liveops_core::Engine::recording).
    #[must_use]
    pub const fn events(mut self, events: bool) -> Self {
        self.events = events;
        self
    }

    /// Whom to trust, and who this is: a connection without TLS is then refused. Otherwise `sslmode` of the address decides, by the
    /// system's authorities.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// How far ahead of the server's clock a store may be moved: 60 s unless this is called. `None` looks at no clock, for simulations.
    #[must_use]
    pub const fn clock_ahead_max(mut self, most: Option<Duration>) -> Self {
        self.clock_ahead_max = most;
        self
    }
}
