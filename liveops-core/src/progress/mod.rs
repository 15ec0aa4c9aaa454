//! Experience and levels: a curve compiled once into a table, and grants whose breakdown adds up.
//!
//! The total of experience is the truth; the level is looked up in the table. All arithmetic is exact.
//!
//! ```
//! use liveops_core::progress::{CurveError, LevelCurve, Progression};
//! use liveops_core::Timestamp;
//!
//! let curve = LevelCurve::exponential(250, "1.2")?.max_level(60).compile()?;
//! assert_eq!((curve.cost(4), curve.level_at(1341), curve.level_at(1342)), (432, 4, 5));
//!
//! let progression = Progression { daily_xp_cap: Some(500), ..Progression::new(curve) };
//! let grant = progression.grant(1_000, 300, 342, Timestamp::from_unix_seconds(0)).unwrap();
//! assert_eq!((grant.requested, grant.over_daily_cap, grant.granted), (342, 142, 200));
//! # Ok::<(), CurveError>(())
//! ```

mod boost;
mod curve;
mod exponential;
mod grant;
mod levels;
mod migration;
mod overflow;
mod polynomial;
mod remainder;
mod streak;

pub use boost::{Boost, Stacking};
pub use curve::{CurveError, LevelCurve};
pub use grant::{Asked, AtMaxLevel, Floor, Grant, Progression};
pub use levels::{LevelProgress, Levels};
pub(crate) use migration::MigrationTally;
pub use migration::{Keep, LevelCount, LevelShift, MigrationPlan, MigrationPolicy, PlayerXp, plan_migration};
pub use overflow::Overflow;
pub use remainder::{Remainder, Remainders};
pub use streak::{Streak, StreakStep};

pub use crate::exact::{Ratio, Rounding};
