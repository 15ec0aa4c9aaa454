//! The rules document, and what can be asked of it alone.

use std::collections::BTreeMap;

use liveops_core::Code;
use liveops_core::progress::Levels;
use napi_derive::napi;

use crate::failure::{OrThrow as _, Result, text};
use crate::window::Calendar;

/// The game's rules.
#[napi]
#[derive(Debug)]
pub struct Rules(pub(crate) liveops_core::Rules);

#[napi]
impl Rules {
    /// Reads a rules document.
    #[napi(factory)]
    pub fn parse(document: &[u8], loot_seed: Option<&[u8]>) -> Result<Self> {
        let rules = liveops_core::Rules::from_slice(document).or_throw()?;
        let Some(seed) = loot_seed else { return Ok(Self(rules)) };
        let seed = seed.try_into().map_err(|_| Code::InvalidArgument).or_throw()?;
        Ok(Self(rules.with_loot_seed(seed)))
    }

    /// The game's name.
    #[napi(getter)]
    pub fn game(&self) -> String {
        self.0.game().to_owned()
    }

    /// Hash over the document without the door, in hex.
    #[napi(getter)]
    pub fn hash(&self) -> String {
        self.0.hash().to_hex()
    }

    /// Each board with its windows and the closed periods kept of each, as JSON.
    #[napi]
    pub fn boards(&self) -> Result<String> {
        let windows = |rule: &liveops_core::rules::BoardRule| -> BTreeMap<&str, u32> {
            rule.windows.iter().map(|(window, keep)| (window.as_str(), *keep)).collect()
        };
        text(&self.0.boards().iter().map(|rule| (rule.board.as_str(), windows(rule))).collect::<BTreeMap<_, _>>())
    }

    /// The level curve.
    #[napi]
    pub fn curve(&self) -> Curve {
        Curve(self.0.progression().levels.clone())
    }

    /// The calendar, with the windows of all boards.
    #[napi]
    pub fn calendar(&self) -> Calendar {
        Calendar { calendar: self.0.calendar().clone(), windows: self.0.windows() }
    }
}

/// A compiled level curve.
#[napi]
#[derive(Debug)]
pub struct Curve(Levels);

#[napi]
impl Curve {
    /// XP from this level to the next.
    #[napi]
    pub fn cost(&self, level: u32) -> i64 {
        integer(self.0.cost(level))
    }

    /// XP at which a level starts.
    #[napi]
    pub fn total(&self, level: u32) -> i64 {
        integer(self.0.total(level))
    }

    /// The level of an XP total.
    #[napi]
    pub fn level_at(&self, xp: i64) -> u32 {
        self.0.level_at(xp.unsigned_abs())
    }

    /// Level, XP into it and XP to the next, as JSON.
    #[napi]
    pub fn progress(&self, xp: i64) -> Result<String> {
        text(&self.0.progress(xp.unsigned_abs()))
    }

    /// The highest level.
    #[napi(getter)]
    pub fn max_level(&self) -> u32 {
        self.0.max_level()
    }

    /// Names the table by its content, in hex.
    #[napi(getter)]
    pub fn hash(&self) -> String {
        self.0.hash().to_hex()
    }
}

/// A count, which never comes near the end of the range.
pub(crate) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
