//! The worker in Rust: any number of them share a store.

use std::io::{self, BufRead as _, Write as _};

use liveops_core::intake::Intake;
use liveops_core::signing::Headers;
use liveops_core::store::{AsyncBoards, AsyncScan, AsyncStore, AsyncWhole};
use liveops_core::{Admitted, AsyncEngine, Code, Error, Period, Rules, Timestamp, Window};
use liveops_examples::line::Line;
use serde_json::{Map, Value, json};

/// Rows of each board that are told.
const ROWS_MAX: usize = 10;

/// Answers until nobody asks any more.
pub(super) async fn answer_all<S>(store: S, rules: Rules) -> Result<(), String>
where
    S: AsyncStore + AsyncScan + AsyncBoards + AsyncWhole,
{
    // Whoever drives has let the events in, and counted the quotas.
    let intake = Intake::builder(rules.door()).trusted().no_quotas().build().map_err(|error| error.to_string())?;
    let engine = AsyncEngine::open(rules, store).await.map_err(|error| error.to_string())?;
    say(&json!({ "ready": true }))?;
    for line in io::stdin().lock().lines() {
        let request = serde_json::from_str(&line.map_err(text)?).map_err(text)?;
        let answer = answer(&engine, &intake, &request).await;
        say(&answer.unwrap_or_else(|error| json!({ "error": error.code().as_str() })))?;
    }
    Ok(())
}

async fn answer<S>(engine: &AsyncEngine<S>, intake: &Intake, request: &Value) -> Result<Value, Error>
where
    S: AsyncStore + AsyncScan + AsyncBoards + AsyncWhole,
{
    if let Some(events) = request["submit"].as_array() {
        let admitted: Vec<Admitted> = events.iter().map(|event| admit(intake, event)).collect::<Result<_, _>>()?;
        let outcomes = engine.submit_batch(&admitted).await;
        return Ok(json!({ "outcomes": outcomes.iter().map(|o| [o.status(), o.code()]).collect::<Vec<_>>() }));
    }
    if let Some(now) = request["advance"].as_i64() {
        // A season may be silent for months.
        let horizon = engine.advance_far(Timestamp::from_unix_millis(now)).await?;
        return Ok(json!({ "now": horizon.now.as_unix_millis() }));
    }
    if let Some(now) = request["boards"].as_i64() {
        return Ok(json!({ "boards": boards(engine, Timestamp::from_unix_millis(now)).await? }));
    }
    Ok(json!({ "digest": engine.digest().await? }))
}

fn admit(intake: &Intake, event: &Value) -> Result<Admitted, Error> {
    let line = Line::parse(event.to_string().as_bytes()).map_err(|_| Code::Syntax)?;
    let admitted = intake.admit(&Headers::from_pairs(line.header_pairs()), line.body.as_bytes(), line.received_at);
    admitted.map_err(|refusal| refusal.code().into())
}

/// Every board in every window, now and one period ago, when all that was committed anywhere is on them.
async fn boards<S>(engine: &AsyncEngine<S>, now: Timestamp) -> Result<Map<String, Value>, Error>
where
    S: AsyncStore + AsyncScan + AsyncBoards,
{
    engine.catch_up().await?;
    let mut all = Map::new();
    for rule in engine.rules().boards() {
        let board = engine.board(rule.board.as_str())?;
        for window in Window::ALL.iter().copied().filter(|window| rule.keep(*window).is_some()) {
            for earlier in 0..=1 {
                if window == Window::AllTime && earlier > 0 {
                    continue;
                }
                let period: Period = board.earlier(window, earlier, now)?;
                let rows = board.of(period).top(ROWS_MAX).await?;
                let rows = rows.iter().map(|row| json!([row.rank, row.owner.as_str(), row.score])).collect();
                all.insert(format!("{} {} {earlier}", rule.board, window.as_str()), rows);
            }
        }
    }
    Ok(all)
}

fn say(answer: &Value) -> Result<(), String> {
    let mut out = io::stdout().lock();
    writeln!(out, "{answer}").and_then(|()| out.flush()).map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
