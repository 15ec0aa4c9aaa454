//! One entry of a player's, as small as it can be.

use crate::board::{Operator, Order, Score, Sort, Standing, Ties};
use crate::time::Timestamp;
use crate::window::{Period, Window};

/// What a player has on a board in one period. 32 bytes; what they cannot say lies apart.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Small(Small),
    Large(Box<Large>),
}

/// Copied as one piece.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Small {
    score: i64,
    reached_at: i64,
    newest_after: i32,
    subscore: i32,
    index: i32,
    board: u16,
    window: Window,
    sort: u8,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Large {
    board: u16,
    period: Period,
    standing: Standing,
}

impl Entry {
    /// What lies behind the last entry.
    pub(super) const UNUSED: Self = Self::Small(Small {
        score: 0,
        reached_at: 0,
        newest_after: 0,
        subscore: 0,
        index: 0,
        board: 0,
        window: Window::Daily,
        sort: 0,
    });

    #[inline]
    pub(super) fn new(board: u16, period: Period, standing: Standing) -> Self {
        let reached_at = standing.reached_at.as_unix_millis();
        let newest_after = standing.newest_ts.as_unix_millis().checked_sub(reached_at);
        let small = (
            newest_after.and_then(|after| i32::try_from(after).ok()),
            i32::try_from(standing.score.subscore).ok(),
            i32::try_from(period.index).ok(),
        );
        if let (Some(newest_after), Some(subscore), Some(index)) = small {
            let (score, window, sort) = (standing.score.score, period.window, sort_byte(standing.sort));
            return Self::Small(Small { score, reached_at, newest_after, subscore, index, board, window, sort });
        }
        Self::Large(Box::new(Large { board, period, standing }))
    }

    /// A new one, of a board yet to be numbered.
    pub(crate) fn of(period: Period, standing: Standing) -> Self {
        Self::new(0, period, standing)
    }

    /// The same entry with another standing.
    #[inline]
    pub(crate) fn with(&self, standing: Standing) -> Self {
        if let Self::Small(small) = self {
            let reached_at = standing.reached_at.as_unix_millis();
            let newest_after = standing.newest_ts.as_unix_millis().wrapping_sub(reached_at);
            // The sum is that of which it was made, whatever it passes.
            if let (Ok(newest_after), Ok(subscore)) =
                (i32::try_from(newest_after), i32::try_from(standing.score.subscore))
            {
                let (score, sort) = (standing.score.score, sort_byte(standing.sort));
                return Self::Small(Small { score, reached_at, newest_after, subscore, sort, ..*small });
            }
        }
        Self::new(self.board(), self.period(), standing)
    }

    /// The entry after one more value, as [`Operator::apply`] has it. `None` where it cannot be told from small numbers alone, and of an
    /// entry that sorts otherwise.
    #[inline]
    pub(crate) fn plus(&self, more: &More) -> Option<Self> {
        let Self::Small(small) = self else { return None };
        let score = small.score.checked_add(more.score).filter(|score| Score::from(*score).is_exact())?;
        let newest_ts = small.reached_at.wrapping_add(i64::from(small.newest_after)).max(more.ts);
        let newest_after = i32::try_from(newest_ts.checked_sub(more.received_at)?).ok()?;
        let sorts_alike = small.sort == more.sort;
        sorts_alike.then_some(Self::Small(Small { score, reached_at: more.received_at, newest_after, ..*small }))
    }

    #[inline]
    pub(super) fn board(&self) -> u16 {
        match self {
            Self::Small(small) => small.board,
            Self::Large(large) => large.board,
        }
    }

    pub(super) fn board_mut(&mut self) -> &mut u16 {
        match self {
            Self::Small(small) => &mut small.board,
            Self::Large(large) => &mut large.board,
        }
    }

    #[inline]
    pub(crate) fn period(&self) -> Period {
        match self {
            Self::Small(small) => Period { window: small.window, index: i64::from(small.index) },
            Self::Large(large) => large.period,
        }
    }

    #[inline]
    pub(crate) fn standing(&self) -> Standing {
        match self {
            Self::Small(Small { score, reached_at, newest_after, subscore, sort, .. }) => Standing {
                score: Score { score: *score, subscore: i64::from(*subscore) },
                reached_at: Timestamp::from_unix_millis(*reached_at),
                // The sum is that of which it was made.
                newest_ts: Timestamp::from_unix_millis(reached_at.wrapping_add(i64::from(*newest_after))),
                sort: SORTS.get(usize::from(*sort)).copied().unwrap_or_default(),
            },
            Self::Large(large) => large.standing,
        }
    }
}

/// One more value for entries that add up. It moves them all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct More {
    score: i64,
    sort: u8,
    ts: i64,
    received_at: i64,
}

impl More {
    /// `None` where entries do not add up, or a value does more than move them by a whole score.
    #[inline]
    pub(crate) fn new(rule: (Operator, Sort), value: Score, ts: Timestamp, received_at: Timestamp) -> Option<Self> {
        let (operator, sort) = rule;
        let Score { score, subscore } = value;
        let is_plain = operator == Operator::Incr && score != 0 && subscore == 0 && value.is_exact();
        let (sort, ts, received_at) = (sort_byte(sort), ts.as_unix_millis(), received_at.as_unix_millis());
        is_plain.then_some(Self { score, sort, ts, received_at })
    }
}

/// Every sort, at the place of its byte.
pub(super) const SORTS: [Sort; 6] = {
    use Order::{Asc, Desc};
    use Ties::{FirstToReach, LastToReach, OwnerId};
    [
        Sort { order: Desc, ties: FirstToReach },
        Sort { order: Asc, ties: FirstToReach },
        Sort { order: Desc, ties: LastToReach },
        Sort { order: Asc, ties: LastToReach },
        Sort { order: Desc, ties: OwnerId },
        Sort { order: Asc, ties: OwnerId },
    ]
};

const fn sort_byte(Sort { order, ties }: Sort) -> u8 {
    let order = match order {
        Order::Desc => 0,
        Order::Asc => 1,
    };
    let ties = match ties {
        Ties::FirstToReach => 0,
        Ties::LastToReach => 2,
        Ties::OwnerId => 4,
    };
    order + ties
}
