//! Verdicts on their way to JavaScript, and back, to be put into words.

use liveops_core::Code;
use liveops_core::anomaly::{Action, Baseline, Direction, Finite, Reason, Source, Verdict};
use napi::bindgen_prelude::Float64Array;
use napi_derive::napi;
use serde_json::{Value, json};

use crate::failure::{OrThrow as _, Result, text};

/// What was said of many values.
#[napi(object, object_from_js = false)]
#[expect(missing_debug_implementations, reason = "a view into memory of the engine's has none")]
pub struct Batch {
    /// Of all values in order.
    pub scores: Float64Array,
    /// What stands out, each with the index of its value, as JSON.
    pub findings: String,
}

/// A verdict as JavaScript has it.
#[napi(object)]
#[derive(Debug)]
pub struct VerdictOptions {
    /// How far.
    pub score: f64,
    /// From where on it is an anomaly.
    pub threshold: f64,
    /// `high` or `low`.
    pub direction: String,
    /// Why.
    pub reason: String,
    /// How many values it is compared with,
    pub n: i64,
    /// their mean,
    pub mean: f64,
    /// their deviation,
    pub sd: f64,
    /// and whose they are: `player`, `population` or `rule`.
    pub source: String,
}

impl VerdictOptions {
    pub(crate) fn read(&self) -> Result<Verdict> {
        let verdict = || {
            let direction = Direction::from_text(&self.direction)?;
            let (source, reason) = (Source::from_text(&self.source)?, Reason::from_text(&self.reason)?);
            let (mean, sd) = (Finite::new(self.mean)?, Finite::new(self.sd)?);
            let (score, threshold) = (Finite::new(self.score)?, Finite::new(self.threshold)?);
            let baseline = Baseline { n: self.n.unsigned_abs(), mean, sd, source };
            // What is to be done about it changes no word.
            Some(Verdict { score, threshold, direction, reason, baseline, action: Action::Allow })
        };
        verdict().ok_or(Code::InvalidArgument).or_throw()
    }
}

/// A verdict in one sentence.
#[napi]
pub fn sentence_of(verdict: VerdictOptions) -> Result<String> {
    Ok(verdict.read()?.sentence())
}

/// A verdict as JSON, with all that it says of itself.
pub(crate) fn told(verdict: &Verdict) -> Value {
    let mut told = json!(verdict);
    told["isAnomaly"] = verdict.is_anomaly().into();
    told["description"] = verdict.reason.describe().into();
    told["sentence"] = verdict.sentence().into();
    told
}

pub(crate) fn verdict(verdict: &Verdict) -> Result<String> {
    text(&told(verdict))
}
