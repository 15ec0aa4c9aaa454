//! A compiled curve.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::codec::Stable;
use crate::hash::Digest;
use crate::limits::LEVELS_MAX;

/// The experience at which each level starts: what a [`LevelCurve`](super::LevelCurve) compiles to. Cloning shares
/// the table.
///
/// ```
/// use liveops_core::progress::LevelCurve;
///
/// let levels = LevelCurve::table(vec![100, 200]).compile()?;
/// assert_eq!((levels.total(1), levels.total(2), levels.total(3)), (0, 100, 300));
/// assert_eq!((levels.level_at(99), levels.level_at(100), levels.level_at(u64::MAX)), (1, 2, 3));
/// assert_eq!(levels.progress(150).to_next, Some(150));
/// # Ok::<(), liveops_core::progress::CurveError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Levels {
    /// Of level 1, 2 and so on: 0 first, then strictly rising.
    starts: Arc<[u64]>,
    hash: Digest,
}

/// Where a total of experience stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LevelProgress {
    /// The level, from 1.
    pub level: u32,
    /// Experience since the level started.
    pub into_level: u64,
    /// Experience that the next level still takes; `None` at the highest.
    pub to_next: Option<u64>,
}

impl Levels {
    /// From starts that are 0 first and rise strictly.
    pub(super) fn new(starts: Vec<u64>) -> Self {
        let hash = Digest::of(&[b"liveops/levels/v1\0", &starts.to_bytes()]);
        Self { starts: starts.into(), hash }
    }

    /// Experience from this level to the next; 0 for level 0, the highest level and above.
    pub fn cost(&self, level: u32) -> u64 {
        match (self.start(level), self.start(level.saturating_add(1))) {
            (Some(start), Some(next)) => next - start,
            _ => 0,
        }
    }

    /// Experience at which a level starts: 0 for levels 0 and 1, that of the highest level above it.
    pub fn total(&self, level: u32) -> u64 {
        self.start(level.min(self.max_level())).unwrap_or(0)
    }

    /// The level of a total of experience, by binary search.
    pub fn level_at(&self, xp: u64) -> u32 {
        to_level(self.starts.partition_point(|start| *start <= xp))
    }

    /// [`Self::level_at`], for who knows a level that is likely.
    pub(crate) fn level_near(&self, xp: u64, likely: u32) -> u32 {
        let next = likely as usize;
        let begun = next.checked_sub(1).and_then(|at| self.starts.get(at)).is_some_and(|start| *start <= xp);
        let over = self.starts.get(next).is_some_and(|start| *start <= xp);
        if begun && !over { likely } else { self.level_at(xp) }
    }

    /// The highest level.
    pub fn max_level(&self) -> u32 {
        to_level(self.starts.len())
    }

    /// Level, experience into it and experience to the next.
    pub fn progress(&self, xp: u64) -> LevelProgress {
        let level = self.level_at(xp);
        let to_next = self.start(level.saturating_add(1)).map(|next| next - xp);
        LevelProgress { level, into_level: xp - self.total(level), to_next }
    }

    /// Where level 1, 2 and so on start: 0 first, then strictly rising.
    pub fn totals(&self) -> impl ExactSizeIterator<Item = u64> {
        self.starts.iter().copied()
    }

    /// The levels reached on the way from one total to another, in order: none if it does not rise.
    ///
    /// ```
    /// use liveops_core::progress::LevelCurve;
    ///
    /// let levels = LevelCurve::table(vec![100, 200, 300]).compile()?;
    /// assert_eq!(levels.gained(50, 300).collect::<Vec<_>>(), [2, 3]);
    /// assert_eq!(levels.gained(300, 50).count(), 0);
    /// # Ok::<(), liveops_core::progress::CurveError>(())
    /// ```
    pub fn gained(&self, from_xp: u64, to_xp: u64) -> RangeInclusive<u32> {
        self.level_at(from_xp).saturating_add(1)..=self.level_at(to_xp)
    }

    /// Names the table by its content: equal tables have equal hashes, whatever curve they came from.
    pub const fn hash(&self) -> Digest {
        self.hash
    }

    /// The costs of level 1, 2 and so on, up to the last but one level.
    pub fn costs(&self) -> impl ExactSizeIterator<Item = u64> {
        self.starts.iter().zip(self.starts.iter().skip(1)).map(|(start, next)| next - start)
    }

    fn start(&self, level: u32) -> Option<u64> {
        self.starts.get(usize::try_from(level.checked_sub(1)?).ok()?).copied()
    }
}

/// Tables are never longer than `LEVELS_MAX`.
fn to_level(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(LEVELS_MAX)
}

/// Not the whole table.
impl fmt::Debug for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Levels").field("max_level", &self.max_level()).field("hash", &self.hash).finish_non_exhaustive()
    }
}
