//! Detectors: is this value unusual?

use liveops_core::Code;
use liveops_core::anomaly::{Ewma, Prior, Robust, Threshold, TimeFloor, Verdict, ZScore};
use napi_derive::napi;
use serde_json::json;

use crate::failure::{OrThrow as _, Result, text};

/// A detector with its baseline.
#[napi]
#[derive(Debug)]
pub struct Detector(Kind);

#[derive(Debug)]
enum Kind {
    ZScore(ZScore),
    Ewma(Ewma),
    Robust(Robust),
    TimeFloor(TimeFloor),
}

/// Calls the same method of whichever detector it is.
macro_rules! each {
    ($kind:expr, $detector:ident => $call:expr) => {
        match $kind {
            Kind::ZScore($detector) => $call,
            Kind::Ewma($detector) => $call,
            Kind::Robust($detector) => $call,
            Kind::TimeFloor($detector) => $call,
        }
    };
}

#[napi]
impl Detector {
    /// Distance from the mean.
    #[napi(factory)]
    pub fn z_score(threshold: f64) -> Result<Self> {
        Ok(Self(Kind::ZScore(ZScore::new(checked(threshold)?))))
    }

    /// Distance from recent values.
    #[napi(factory)]
    pub fn ewma(threshold: f64, span: u32) -> Result<Self> {
        Ok(Self(Kind::Ewma(Ewma::new(checked(threshold)?, span))))
    }

    /// How many times as large as usual; mean, deviation and weight of the prior.
    #[napi(factory)]
    pub fn robust(threshold: f64, prior: Option<Vec<f64>>) -> Result<Self> {
        let prior = match prior.as_deref() {
            None => Prior::DEFAULT,
            Some([mean, sd, weight]) => Prior::new(*mean, *sd, *weight).ok_or(Code::InvalidArgument).or_throw()?,
            Some(_) => return Err(Code::InvalidArgument).or_throw(),
        };
        Ok(Self(Kind::Robust(Robust::new(checked(threshold)?, prior))))
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
}

fn checked(threshold: f64) -> Result<f64> {
    Threshold::new(threshold).map(Threshold::get).ok_or(Code::InvalidArgument).or_throw()
}

fn verdict(verdict: &Verdict) -> Result<String> {
    let mut told = json!(verdict);
    told["isAnomaly"] = verdict.is_anomaly().into();
    told["description"] = verdict.reason.describe().into();
    text(&told)
}
