//! The routes of the server: `POST /events`, `GET /leaderboard`, `GET /healthz`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use liveops_core::limits::BODY_BYTES_MAX;
use liveops_core::record::Horizon;
use liveops_core::signing::Headers;
use liveops_core::{Code, Engine, Error, Intake, Refusal, Timestamp, Window};
use liveops_sqlite::SqliteStore;
use serde::Deserialize;
use serde_json::{Value, json};

/// What every request shares.
#[derive(Debug)]
pub struct Game {
    /// Rules and the file.
    pub engine: Engine<SqliteStore>,
    /// The door.
    pub intake: Intake,
    /// What time it is.
    pub clock: fn() -> Timestamp,
}

impl Game {
    /// Moves the store's time. It writes to the file, so it is done where it may block.
    pub async fn advance(self: &Arc<Self>) -> Result<Horizon, Error> {
        let now = (self.clock)();
        self.blocking(move |game| game.engine.advance_by_clock(now, now)).await?
    }

    /// Runs what waits for the disk on a thread that may wait. Many at once share one sync.
    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let game = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&game)).await.map_err(|_| Code::StoreOutcomeUnknown.into())
    }
}

/// The routes.
pub fn router(game: Arc<Game>) -> Router {
    Router::new()
        .route("/events", post(post_event))
        .route("/leaderboard", get(leaderboard))
        .route("/healthz", get(health))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(game)
}

async fn post_event(State(game): State<Arc<Game>>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let pairs = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let event = game.intake.admit(&Headers::from_pairs(pairs), &body, (game.clock)())?;
    let outcome = game.blocking(move |game| game.engine.submit(&event)).await?;
    let (status, headers) = (status(outcome.http_status()), named(&outcome.headers()));
    let effect = outcome.into_effect()?;
    Ok((status, headers, Json(effect)).into_response())
}

/// What a leaderboard is asked for.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct Asked {
    board: String,
    window: String,
    limit: usize,
}

impl Default for Asked {
    fn default() -> Self {
        Self { board: "xp".to_owned(), window: Window::Weekly.as_str().to_owned(), limit: 100 }
    }
}

async fn leaderboard(State(game): State<Arc<Game>>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let now = (game.clock)();
    let window = Window::from_text(&asked.window).ok_or(Error::new(Code::UnknownWindow))?;
    let board = game.engine.board(&asked.board)?;
    let label = game.engine.rules().calendar().label(board.period(window, now)?);
    let rows = board.top(window, asked.limit.clamp(1, 100), now)?;
    let page = json!({ "window": window, "season": label, "updatedAt": now.to_string(), "entries": rows });
    Ok(Json(page).into_response())
}

/// Asks the store too: one that a failing disk stopped goes on only when the file is opened anew.
async fn health(State(game): State<Arc<Game>>) -> Result<Response, Problem> {
    game.blocking(|game| game.engine.horizon()).await??;
    Ok(Json(json!({ "status": "ok", "game": game.engine.rules().game() })).into_response())
}

/// A problem document (RFC 9457).
#[derive(Debug)]
struct Problem {
    status: u16,
    headers: Vec<(&'static str, String)>,
    document: Value,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self { status: refusal.http_status(), headers: refusal.headers(), document: refusal.problem() }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Refusal::from(error.code()).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (status(self.status), named(&self.headers), self.document.to_string()).into_response()
    }
}

fn status(http_status: u16) -> StatusCode {
    StatusCode::from_u16(http_status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn named(pairs: &[(&'static str, String)]) -> HeaderMap {
    let pairs = pairs.iter().filter_map(|(name, value)| {
        Some((HeaderName::try_from(*name).ok()?, HeaderValue::try_from(value.as_str()).ok()?))
    });
    pairs.collect()
}
