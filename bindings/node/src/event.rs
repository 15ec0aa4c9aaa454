//! Events: bodies against the schemas of their types, one at a time or a batch of lines.

use liveops_core::Timestamp;
use liveops_core::event::{IssueMode, Parsed, Parser, Payload, Schemas, TimeLimits};
use liveops_core::{EventId, Id, PlayerId};
use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;
use serde::Serialize;

use crate::failure::{OrThrow as _, Result, text};
use crate::memory::{self, Moved};
use crate::rules::Rules;

/// Turns bodies into events.
#[napi]
#[derive(Debug)]
pub struct EventParser(Parser);

#[napi]
impl EventParser {
    /// For the types of the rules, or for the built-in ones.
    #[napi(constructor)]
    pub fn new(rules: Option<&Rules>, first_issue: bool) -> Self {
        let parser = match rules {
            Some(rules) => rules.0.door().parser(),
            None => Parser::new(Schemas::builtin(), TimeLimits::default()),
        };
        Self(parser.with_mode(issue_mode(first_issue)))
    }

    /// The event that a body is, as JSON.
    #[napi]
    pub fn parse(&self, body: &[u8], now: i64) -> Result<String> {
        let Parsed { id, player, ts, kind, payload } = self.0.parse(body, at(now)).or_throw()?;
        text(&Told { id, kind, player_id: player, ts: ts.as_unix_seconds(), payload })
    }

    /// Whether a body is an event.
    #[napi]
    pub fn validate(&self, body: &[u8], now: i64) -> Result<()> {
        self.0.validate(body, at(now)).or_throw()
    }

    /// Which lines are events.
    #[napi]
    pub fn validate_batch(&self, lines: &[u8], now: i64) -> BatchReport {
        BatchReport(self.0.validate_batch(lines, at(now)))
    }

    /// The same on another thread. The lines are copied: JavaScript may write into its own meanwhile.
    #[napi]
    pub fn validate_batch_async(&self, lines: &[u8], now: i64) -> AsyncTask<Validation> {
        AsyncTask::new(Validation { parser: self.0.clone(), lines: lines.to_vec(), now: at(now) })
    }
}

/// How much a refusal says.
pub(crate) const fn issue_mode(first_issue: bool) -> IssueMode {
    if first_issue { IssueMode::First } else { IssueMode::All }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

/// What a body says, in the wire form.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<EventId>,
    #[serde(rename = "type")]
    kind: Id,
    player_id: PlayerId,
    /// In seconds.
    ts: i64,
    payload: Payload,
}

/// A batch on its way through another thread.
#[derive(Debug)]
pub struct Validation {
    parser: Parser,
    lines: Vec<u8>,
    now: Timestamp,
}

impl Task for Validation {
    type Output = Moved<liveops_core::event::BatchReport>;
    type JsValue = BatchReport;

    fn compute(&mut self) -> Result<Self::Output> {
        Ok(Moved::made(|| self.parser.validate_batch(&self.lines, self.now)))
    }

    fn resolve(&mut self, env: Env, report: Self::Output) -> Result<BatchReport> {
        let report = BatchReport(report.arrived());
        memory::tell(&env)?;
        Ok(report)
    }
}

/// How many lines are events. Why the others are none stays here until JavaScript asks.
#[napi]
#[derive(Debug)]
pub struct BatchReport(liveops_core::event::BatchReport);

#[napi]
impl BatchReport {
    /// Lines that are events.
    #[napi(getter)]
    pub fn accepted(&self) -> i64 {
        count(self.0.accepted)
    }

    /// Lines that are not.
    #[napi(getter)]
    pub fn refused(&self) -> i64 {
        count(self.0.refused)
    }

    /// The first lines that are not, and why, as a JSON array.
    #[napi]
    pub fn errors(&self) -> Result<String> {
        let told = self.0.errors.iter().map(|line| LineError {
            line: line.line,
            code: line.error.code().as_str(),
            issues: line.error.issues(),
        });
        text(&told.collect::<Vec<_>>())
    }
}

#[derive(Serialize)]
struct LineError<'e> {
    line: usize,
    code: &'static str,
    issues: &'e [liveops_core::event::Issue],
}

/// Fewer than the bytes that they came in.
fn count(lines: usize) -> i64 {
    i64::try_from(lines).unwrap_or(i64::MAX)
}
