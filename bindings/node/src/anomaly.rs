//! Detectors: is this value unusual?

use liveops_core::Code;
use liveops_core::anomaly::{Cusum, Ewma, Prior, Reason, Robust, TimeFloor, ZScore};
use napi::bindgen_prelude::{Float64Array, Uint8Array};
use napi_derive::napi;
use serde_json::json;

use crate::failure::{Argument, At, OrThrow as _, Result, text};
use crate::luck::{stored, threshold_of};
use crate::verdict::{Batch, told, verdict};

/// A detector with its baseline.
#[napi]
#[derive(Debug)]
pub struct Detector(Kind);

#[derive(Clone, Copy, Debug)]
enum Kind {
    ZScore(ZScore),
    Ewma(Ewma),
    Robust(Robust),
    TimeFloor(TimeFloor),
    Cusum(Cusum),
}

/// Calls the same method of whichever detector it is.
macro_rules! each {
    ($kind:expr, $detector:ident => $call:expr) => {
        match $kind {
            Kind::ZScore($detector) => $call,
            Kind::Ewma($detector) => $call,
            Kind::Robust($detector) => $call,
            Kind::TimeFloor($detector) => $call,
            Kind::Cusum($detector) => $call,
        }
    };
}

#[napi]
impl Detector {
    /// Distance from the mean.
    #[napi(factory)]
    pub fn z_score(threshold: f64) -> Result<Self> {
        Ok(Self(Kind::ZScore(ZScore::new(threshold_of(threshold)?))))
    }

    /// Distance from recent values.
    #[napi(factory)]
    pub fn ewma(threshold: f64, span: u32) -> Result<Self> {
        Ok(Self(Kind::Ewma(Ewma::new(threshold_of(threshold)?, span))))
    }

    /// How many times as large as usual; mean, deviation and weight of the prior.
    #[napi(factory)]
    pub fn robust(threshold: f64, prior: Option<Vec<f64>>) -> Result<Self> {
        Ok(Self(Kind::Robust(Robust::new(threshold_of(threshold)?, prior_of(prior.as_deref())?))))
    }

    /// A mean that has risen, however slowly; the prior as for `robust`.
    #[napi(factory)]
    pub fn cusum(threshold: f64, prior: Option<Vec<f64>>) -> Result<Self> {
        Ok(Self(Kind::Cusum(Cusum::new(threshold_of(threshold)?, prior_of(prior.as_deref())?))))
    }

    /// Shorter than possible.
    #[napi(factory)]
    pub fn time_floor(minimum_ms: u32) -> Self {
        Self(Kind::TimeFloor(TimeFloor { minimum_ms }))
    }

    /// Scores, then learns; the verdict as JSON.
    #[napi]
    pub fn observe(&mut self, value: f64) -> Result<String> {
        verdict(&each!(&mut self.0, detector => detector.observe(value)))
    }

    /// Scores; the verdict as JSON.
    #[napi]
    pub fn score(&self, value: f64) -> Result<String> {
        verdict(&each!(&self.0, detector => detector.score(value)))
    }

    /// Learns.
    #[napi]
    pub fn learn(&mut self, value: f64) {
        each!(&mut self.0, detector => detector.learn(value));
    }

    /// Scores and learns many values, or none: one that is no value of this detector's is refused by its index.
    #[napi]
    pub fn observe_many(&mut self, values: Float64Array) -> Result<Batch> {
        let mut after = self.0;
        let (mut scores, mut findings) = (Vec::with_capacity(values.len()), Vec::new());
        for (index, value) in values.iter().enumerate() {
            let verdict = each!(&mut after, detector => detector.observe(*value));
            if matches!(verdict.reason, Reason::NotFinite | Reason::Negative) {
                return Err(At { index, error: Argument(Code::InvalidArgument, verdict.reason.describe()) }).or_throw();
            }
            scores.push(verdict.score.get());
            if verdict.is_anomaly() {
                findings.push(json!({ "index": index, "verdict": told(&verdict) }));
            }
        }
        let batch = Batch { scores: Float64Array::new(scores), findings: text(&findings)? };
        self.0 = after;
        Ok(batch)
    }

    /// Takes in what another of the same kind has learned.
    #[napi]
    pub fn merge(&mut self, other: &Detector) -> Result<()> {
        match (&mut self.0, &other.0) {
            (Kind::ZScore(own), Kind::ZScore(other)) => own.merge(other),
            (Kind::Ewma(own), Kind::Ewma(other)) => own.merge(other),
            (Kind::Robust(own), Kind::Robust(other)) => own.merge(other),
            (Kind::Cusum(own), Kind::Cusum(other)) => own.merge(other),
            (Kind::TimeFloor(own), Kind::TimeFloor(other)) => own.merge(other),
            _ => return Err(Argument(Code::InvalidArgument, "other must be a detector of the same kind")).or_throw(),
        }
        .or_throw()
    }

    /// What it has learned.
    #[napi]
    pub fn to_bytes(&self) -> Uint8Array {
        Uint8Array::from(each!(&self.0, detector => detector.to_bytes()))
    }

    /// The same detector with what bytes hold.
    #[napi]
    pub fn with_bytes(&self, bytes: &[u8]) -> Result<Self> {
        let restored = match self.0 {
            Kind::ZScore(detector) => detector.with_bytes(bytes).map(Kind::ZScore),
            Kind::Ewma(detector) => detector.with_bytes(bytes).map(Kind::Ewma),
            Kind::Robust(detector) => detector.with_bytes(bytes).map(Kind::Robust),
            Kind::TimeFloor(detector) => detector.with_bytes(bytes).map(Kind::TimeFloor),
            Kind::Cusum(detector) => detector.with_bytes(bytes).map(Kind::Cusum),
        };
        stored(restored.map(Self))
    }
}

/// Mean, deviation and weight.
fn prior_of(prior: Option<&[f64]>) -> Result<Option<Prior>> {
    match prior {
        None => Ok(None),
        Some([mean, sd, weight]) => Prior::new(*mean, *sd, *weight).map(Some).ok_or(Code::OutOfRange).or_throw(),
        Some(_) => Err(Code::InvalidArgument).or_throw(),
    }
}
