//! What of records a store may show people beside the bytes: columns of its tables. Stores read records through these alone, so that
//! their shapes in memory may change.

use super::{Judgement, Player, Receipt, Settled, StoredOutcome, Suspicion};
use crate::board::Standing;
use crate::id::{BoardId, Id};
use crate::reward::{Item, ReceiptState};
use crate::time::Timestamp;
use crate::window::Period;

impl Player {
    /// Commands applied so far; 0 of nobody.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Experience, ever.
    pub const fn xp(&self) -> u64 {
        self.xp
    }

    /// Levels up to this one were rewarded.
    pub const fn rewarded_level(&self) -> u32 {
        self.granted_through
    }

    /// Number of receipts ever.
    pub const fn receipts_count(&self) -> u64 {
        self.receipts
    }

    /// Newest command time taken in.
    pub const fn newest_ts(&self) -> Timestamp {
        self.newest_ts
    }

    /// Whether the player is on no board.
    pub const fn is_hidden(&self) -> bool {
        self.hidden
    }

    /// Commands no newer than this were erased.
    pub fn erased_through(&self) -> Option<Timestamp> {
        self.rare().erased_through
    }

    /// Entries, by board and period, whether they are shown or not.
    pub fn standings(&self) -> impl ExactSizeIterator<Item = (&BoardId, Period, Standing)> {
        self.standings.iter()
    }
}

impl StoredOutcome {
    /// Says when it may be dropped.
    pub const fn ts(&self) -> Timestamp {
        self.ts
    }
}

impl Receipt {
    /// Place in the player's chain, from 1 on.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The reward's name in the rules.
    pub const fn reward(&self) -> &Id {
        &self.reward
    }

    /// What was given, or waits to be claimed, or is taken.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The time of the command that set it off.
    pub const fn ts(&self) -> Timestamp {
        self.ts
    }

    /// Where it stands, as far as commands say; time may have [run out](Self::state_at) for it.
    pub const fn state(&self) -> ReceiptState {
        self.state
    }
}

impl Suspicion {
    /// The event's type.
    pub const fn kind(&self) -> &Id {
        &self.event.kind
    }

    /// The event's time.
    pub const fn ts(&self) -> Timestamp {
        self.event.ts
    }

    /// When it came in.
    pub const fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// Whether the event is withheld until it is released.
    pub const fn is_held(&self) -> bool {
        self.held
    }

    /// Where it stands.
    pub const fn settled(&self) -> Settled {
        self.settled
    }

    /// What detectors minded.
    pub fn verdicts(&self) -> &[Judgement] {
        &self.verdicts
    }
}

impl Settled {
    /// The name, as JSON writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Released => "released",
            Self::Confirmed => "confirmed",
        }
    }
}
