//! Detectors of luck and of times, which take no single value.

use liveops_core::anomaly::Threshold;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::{Code, Timestamp};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::failure::{Argument, OrThrow as _, Result};
use crate::population::Population;
use crate::rules::integer;
use crate::verdict::verdict;

/// Drops against their published odds.
#[napi]
#[derive(Debug)]
pub struct DropRate(liveops_core::anomaly::DropRate);

#[napi]
impl DropRate {
    /// Nothing counted yet.
    #[napi(constructor)]
    pub fn new(odds: f64, threshold: f64) -> Result<Self> {
        let made = liveops_core::anomaly::DropRate::new(odds, threshold_of(threshold)?);
        made.map(Self).map_err(|code| Argument(code, "odds must be above 0 and below 1")).or_throw()
    }

    /// Counts, then says what is to be said of all; the verdict as JSON.
    #[napi]
    pub fn observe(&mut self, chances: u32, hits: u32) -> Result<String> {
        verdict(&self.0.observe(chances.into(), hits.into()).map_err(counts).or_throw()?)
    }

    /// The same without counting.
    #[napi]
    pub fn score(&self, chances: u32, hits: u32) -> Result<String> {
        verdict(&self.0.score(chances.into(), hits.into()).map_err(counts).or_throw()?)
    }

    /// Counts.
    #[napi]
    pub fn learn(&mut self, chances: u32, hits: u32) -> Result<()> {
        self.0.learn(chances.into(), hits.into()).map_err(counts).or_throw()
    }

    /// How many chances there were.
    #[napi(getter)]
    pub fn chances(&self) -> i64 {
        integer(self.0.chances())
    }

    /// How many of them brought the drop.
    #[napi(getter)]
    pub fn hits(&self) -> i64 {
        integer(self.0.hits())
    }

    /// The exact probability of as many hits or more.
    #[napi(getter)]
    pub fn tail(&self) -> f64 {
        self.0.tail()
    }

    /// Takes in the counts of another.
    #[napi]
    pub fn merge(&mut self, other: &DropRate) -> Result<()> {
        self.0
            .merge(&other.0)
            .map_err(|_| {
                Argument(Code::InvalidArgument, "other must be of the same odds, and not have too many chances")
            })
            .or_throw()
    }

    /// The counts as bytes.
    #[napi]
    pub fn to_bytes(&self) -> Uint8Array {
        Uint8Array::from(self.0.to_bytes())
    }

    /// The same detector with the counts of bytes.
    #[napi]
    pub fn with_bytes(&self, bytes: &[u8]) -> Result<Self> {
        stored(self.0.with_bytes(bytes).map(Self))
    }
}

/// Intervals as regular as a program's.
#[napi]
#[derive(Debug)]
pub struct Regularity(liveops_core::anomaly::Regularity);

#[napi]
impl Regularity {
    /// Nothing learned yet.
    #[napi(constructor)]
    pub fn new(threshold: f64, population: &Population) -> Result<Self> {
        Ok(Self(liveops_core::anomaly::Regularity::new(threshold_of(threshold)?, &population.0)))
    }

    /// Scores an event, then learns it; the verdict as JSON.
    #[napi]
    pub fn observe(&mut self, at: i64) -> Result<String> {
        verdict(&self.0.observe(Timestamp::from_unix_millis(at)))
    }

    /// Scores an event; the verdict as JSON.
    #[napi]
    pub fn score(&self, at: i64) -> Result<String> {
        verdict(&self.0.score(Timestamp::from_unix_millis(at)))
    }

    /// Learns when an event was.
    #[napi]
    pub fn learn(&mut self, at: i64) {
        self.0.learn(Timestamp::from_unix_millis(at));
    }

    /// Takes in what was gathered of the same player elsewhere.
    #[napi]
    pub fn merge(&mut self, other: &Regularity) {
        self.0.merge(&other.0);
    }

    /// What it has learned.
    #[napi]
    pub fn to_bytes(&self) -> Uint8Array {
        Uint8Array::from(self.0.to_bytes())
    }

    /// The same detector with what bytes hold.
    #[napi]
    pub fn with_bytes(&self, bytes: &[u8]) -> Result<Self> {
        stored(self.0.clone().with_bytes(bytes).map(Self))
    }
}

/// A threshold of a detector used alone.
pub(crate) fn threshold_of(threshold: f64) -> Result<f64> {
    let checked = Threshold::new(threshold).map(Threshold::get);
    checked.ok_or(Argument(Code::OutOfRange, "threshold must be above 0 and at most 1000000")).or_throw()
}

/// What was read from bytes, if they are such bytes.
pub(crate) fn stored<T>(read: Option<T>) -> Result<T> {
    read.ok_or(StoreError::new(StoreErrorKind::Corrupt)).or_throw()
}

fn counts(_: Code) -> Argument {
    Argument(Code::InvalidArgument, "hits must not be more than chances, and chances at most 4294967295 altogether")
}
