//! The shelf made shareable between threads.

mod debt;
mod leaderboard;
mod limiter;
mod name;
mod sliding;
mod table;

pub use leaderboard::SharedLeaderboard;
pub use limiter::RateLimiter;
pub use sliding::SlidingLimiter;

use std::time::Duration;

use crate::error::Code;
use crate::quota::{Decision, whole_millis};

/// What happens to a call under a new key when a limiter has no room for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WhenFull {
    /// It is refused with `limiter_full`: whoever makes up keys cannot switch the limiter off.
    #[default]
    Refuse,
    /// It passes and is counted as admitted only.
    Admit,
}

/// Keys of a limiter whose capacity nobody set.
const CAPACITY_DEFAULT: usize = 1_000_000;

/// The refusal for want of room, in place of a decision that could not be kept. Another try makes sense at `earliest`,
/// in microseconds since 1970; none, if there was no room either in an empty limiter.
fn full(decision: Decision, earliest: Option<i64>, now: i64) -> Decision {
    let wait = earliest.map(|end| whole_millis(end.saturating_sub(now)).max(Duration::from_millis(1)));
    Decision {
        allowed: false,
        code: Some(Code::LimiterFull),
        remaining: 0,
        retry_after: wait,
        reset_after: wait.unwrap_or_default(),
        ..decision
    }
}
