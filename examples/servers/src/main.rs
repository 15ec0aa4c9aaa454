//! Signed events over HTTP into one durable file, and a leaderboard to read.
//!
//! ```text
//! LIVEOPS_SECRET=$(cat examples/data/secret.txt) cargo run --release -p liveops-servers -- game.db
//! ```
//!
//! It listens on this machine only, at `PORT` (8000; 0 takes a free one and says which), by the rules in `LIVEOPS_RULES`
//! (the sample rules). What a client saw accepted is in the file: kill the process, start it again, and it goes on.

use std::env;
use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::time::SystemTime;

use liveops_core::{Engine, Intake, Rules, Timestamp};
use liveops_servers::{Game, router};
use liveops_sqlite::SqliteStore;
use tokio::net::TcpListener;

const SAMPLE_RULES: &str = include_str!("../../data/rules.json");

fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args().nth(1).unwrap_or_else(|| "game.db".to_owned());
    let rules = match env::var("LIVEOPS_RULES") {
        Ok(path) => Rules::from_slice(&std::fs::read(path)?)?,
        Err(_) => Rules::from_json(SAMPLE_RULES)?,
    };
    let secret = env::var("LIVEOPS_SECRET").map_err(|_| "LIVEOPS_SECRET is not set")?;
    let secret = liveops_core::signing::Secret::parse(secret.trim())?;
    let intake = Intake::builder(rules.door()).secret(&secret)?.build()?;
    let store = SqliteStore::open(&file, rules.game())?;
    let game = Arc::new(Game { engine: Engine::open(rules, store)?, intake, clock });
    serve(game, env::var("PORT").ok().map_or(Ok(8000), |port| port.parse())?)
}

#[tokio::main]
async fn serve(game: Arc<Game>, port: u16) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
    tokio::spawn(advance_every_minute(Arc::clone(&game)));
    let stopped = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, router(game)).with_graceful_shutdown(stopped).await?;
    Ok(())
}

/// Closes periods and frees what is too old to matter.
async fn advance_every_minute(game: Arc<Game>) {
    let mut minutes = tokio::time::interval(std::time::Duration::from_secs(60));
    loop {
        minutes.tick().await;
        if let Err(error) = game.advance().await {
            // A clock that is wrong is asked again a minute later: it may be right by then.
            _ = writeln!(std::io::stderr(), "advance: {error}");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a server is where the clock is read")]
fn clock() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::MIN)
}
