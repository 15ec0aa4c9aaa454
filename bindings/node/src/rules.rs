//! The rules document, and what can be asked of it alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use liveops_core::hash::Digest;
use liveops_core::{Code, Id};
use napi_derive::napi;

use crate::curve::Curve;
use crate::failure::{Argument, OrThrow as _, Result, text};
use crate::loot::Loot;
use crate::population::Population;
use crate::progress::Progression;
use crate::thresholds::thresholds;
use crate::window::Calendar;

/// Which decisions this release makes.
#[napi]
pub const DECISIONS: u32 = liveops_core::DECISIONS as u32;

/// The game's rules, shared with the engines that go by them.
#[napi]
#[derive(Debug)]
pub struct Rules(pub(crate) Arc<liveops_core::Rules>);

impl From<liveops_core::Rules> for Rules {
    fn from(rules: liveops_core::Rules) -> Self {
        Self(Arc::new(rules))
    }
}

#[napi]
impl Rules {
    /// Reads a rules document.
    #[napi(factory)]
    pub fn parse(document: &[u8], loot_seed: Option<&[u8]>) -> Result<Self> {
        let rules = liveops_core::Rules::from_slice(document).or_throw()?;
        let Some(seed) = loot_seed else { return Ok(rules.into()) };
        let seed = seed.try_into().map_err(|_| Code::InvalidArgument).or_throw()?;
        Ok(rules.with_loot_seed(seed).into())
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

    /// Hash over all by which they decide, in hex.
    #[napi(getter)]
    pub fn identity(&self) -> String {
        self.0.identity().to_hex()
    }

    /// What in the document may be meant, or not, as JSON.
    #[napi]
    pub fn warnings(&self) -> Result<String> {
        text(&self.0.warnings())
    }

    /// What to publish before the first roll of loot, in hex; none without a seed.
    #[napi(getter)]
    pub fn loot_commitment(&self) -> Option<String> {
        self.0.loot_commitment().map(Digest::to_hex)
    }

    /// The same rules, their families of detectors anchored on a population.
    #[napi]
    pub fn with_population(&self, population: &Population) -> Result<Self> {
        (*self.0).clone().with_population(population.0.clone()).map(Self::from).or_throw()
    }

    /// The same rules but for some thresholds of a family, in the order of its detectors.
    #[napi]
    pub fn with_thresholds(&self, family: String, given: Vec<Option<f64>>) -> Result<Self> {
        let known = self
            .0
            .family(&family)
            .ok_or(Argument(Code::InvalidArgument, "the rules have no family of this name"))
            .or_throw()?;
        let thresholds = thresholds(*known.thresholds(), &given)?;
        (*self.0).clone().with_thresholds(&family, thresholds).map(Self::from).or_throw()
    }

    /// What names the population, in hex; none without one.
    #[napi(getter)]
    pub fn population_hash(&self) -> Option<String> {
        self.0.population_hash().map(Digest::to_hex)
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

    /// The curve, and the rules by which experience is granted.
    #[napi]
    pub fn progression(&self) -> Progression {
        Progression(self.0.progression().clone())
    }

    /// A loot table; none of an unknown name.
    #[napi]
    pub fn loot(&self, name: String) -> Option<Loot> {
        self.0.loot().get(&Id::new(&name).ok()?).cloned().map(Loot)
    }

    /// The calendar, with the windows of all boards.
    #[napi]
    pub fn calendar(&self) -> Calendar {
        Calendar { calendar: self.0.calendar().clone(), windows: self.0.windows() }
    }
}

/// A count, which never comes near the end of the range.
pub(crate) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
