//! Experience and levels: a curve compiled once into a table, and grants whose breakdown adds up.
//!
//! The total of experience is the truth; the level is looked up in the table. All arithmetic is exact.
//!
//! ```
//! use liveops_core::progress::{AtMaxLevel, CurveError, LevelCurve, Progression};
//! use liveops_core::Timestamp;
//!
//! let curve = LevelCurve::exponential(250, "1.2")?.max_level(60).compile()?;
//! assert_eq!((curve.cost(4), curve.level_at(1341), curve.level_at(1342)), (432, 4, 5));
//!
//! let progression =
//!     Progression { levels: curve, at_max_level: AtMaxLevel::Bank, daily_xp_cap: Some(500), boosts: vec![] };
//! let grant = progression.grant(1_000, 300, 342, Timestamp::from_unix_seconds(0)).unwrap();
//! assert_eq!((grant.requested, grant.over_daily_cap, grant.granted), (342, 142, 200));
//! # Ok::<(), CurveError>(())
//! ```

mod curve;
mod grant;
mod levels;
mod natural;
mod ratio;

pub use curve::{CurveError, LevelCurve};
pub use grant::{AtMaxLevel, Boost, Grant, Progression};
pub use levels::{LevelProgress, Levels};
pub use ratio::{Ratio, Rounding};
