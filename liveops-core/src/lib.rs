//! Signed game events go in; XP, levels, rewards, cheat verdicts and leaderboard standings come out, each exactly once,
//! inside your own process.
//!
//! # What it promises
//!
//! - **Once, or not at all.** A retry gets the first outcome back, unchanged, for as long as such a command could still
//!   be accepted; after that it is refused as `too_old`, never applied again.
//! - **Whole, or absent.** All that a command changes is one commit of one player: progress, receipts, standings, verdict
//!   and the recorded outcome. Boards are indexes over what is committed.
//! - **The same everywhere.** Same rules, same commands in the same order per player, same receive times and the same
//!   [`Engine::advance`] calls between them: the same state to the last bit, on every platform, in Rust, Python and Node,
//!   however the commands are cut into batches or spread over threads. [`Engine::digest`] names that state.
//! - **No input panics, hangs, grows without bound or writes half.** Limits have numbers ([`limits`]).
//! - **What a player sees is an exact integer**: XP, level, reward, score, rank.
//! - **A verdict names its reason, baseline and threshold, and can be undone.** The library never bans.
//!
//! # What it leaves out
//!
//! There is no server to run, no async runtime, no clock, no network and no files in here: time, keys and entropy are
//! arguments, and storage is a trait. One process owns a game until it uses a shared store; [`MemoryStore`] lives in one
//! process and is saved by [`MemoryStore::snapshot`]. It logs nothing: outcomes, codes and counts are yours to log.
//!
//! # How it works
//!
//! ```text
//! bytes + headers
//!    |  Intake::admit(headers, body, now)      size, signature, quota, strict parsing, age
//!    v
//! Admitted { event, received_at }
//!    |  or an operator's Command
//!    v
//! Plan::keys ------> Store::load               everything a decision may need, asked for at once
//!    ^                    |
//!    |                    v
//!    |               Rules::decide             pure: commands of one player + stored records
//!    |                    |
//!    |                    v
//!    +-- conflict -- Store::commit             one ChangeSet per player, whole or not at all
//!                         |
//!                         v
//!                    Outcome per command       Applied | Replayed | Refused | Unknown
//!                         .
//!                         .  folds of what was committed
//!                         v
//!                    boards, feed
//! ```
//!
//! # The smallest useful program
//!
//! ```
//! use liveops_core::signing::{Headers, Secret};
//! use liveops_core::testing::{Clock, EventBuilder};
//! use liveops_core::{Engine, Intake, MemoryStore, Outcome, Rules, Window};
//!
//! let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall",
//!     "progress": { "curve": { "kind": "exponential", "base": 100, "growth": "1.2", "maxLevel": 60 } },
//!     "rewards": { "level-gold": { "on": { "everyLevels": 1 },
//!         "grant": { "kind": "currency", "id": "gold", "amount": 100 } } },
//!     "boards": { "xp": { "value": "grantedXp", "keepPeriods": { "weekly": 8 } } } }"#)?;
//! let secret = Secret::generate([7; 32]); // from the system's random generator
//! let intake = Intake::builder(rules.door()).secret(&secret)?.build()?;
//! let engine = Engine::new(rules, MemoryStore::new()); // Send + Sync, used by reference
//!
//! // What a game sends. In a server: Timestamp::try_from(SystemTime::now())?
//! let now = Clock::at("2026-11-07T12:00:00Z").now();
//! let (headers, body) = EventBuilder::progression("ana", 120, now).id("evt_1").sign(&secret, now)?;
//! let headers = Headers::from_pairs(headers.pairs());
//!
//! let event = intake.admit(&headers, &body, now)?; // the event and when it came
//! let Outcome::Applied(effect) = engine.submit(&event) else { panic!("the first time") };
//! assert_eq!((effect.level, effect.receipts()[0].items[0].amount()), (2, 100));
//!
//! let Outcome::Replayed(first) = engine.submit(&event) else { panic!("a retry") };
//! assert_eq!(first, effect);
//!
//! let top = engine.board("xp")?.top(Window::Weekly, 10, now)?;
//! assert_eq!((top[0].rank, top[0].owner.as_str(), top[0].score), (1, "ana", 120));
//!
//! engine.advance(now)?; // now and then: closes periods, frees what is too old to matter
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Refusals are values, not surprises: [`Outcome::Refused`] and [`Refusal`] carry a stable [`Code`] with an HTTP status.
//!
//! # One part alone
//!
//! Every part of the shelf works without an engine, and knows nothing of one.
//!
//! ```
//! use std::time::Duration;
//!
//! use liveops_core::Timestamp;
//! use liveops_core::anomaly::ZScore;
//! use liveops_core::board::{Leaderboard, Operator, Order};
//! use liveops_core::progress::LevelCurve;
//! use liveops_core::quota::Quota;
//! use liveops_core::shared::RateLimiter;
//! use liveops_core::signing::{Headers, Signer, Verifier};
//!
//! let mut board = Leaderboard::new(Order::Desc, Operator::Incr);
//! board.submit("ana", 120)?;
//! board.submit("bo", 90)?;
//! assert_eq!(board.rank("bo"), Some(2));
//!
//! let curve = LevelCurve::exponential(250, "1.2")?.max_level(60).compile()?;
//! assert_eq!((curve.cost(4), curve.level_at(1341), curve.level_at(1342)), (432, 4, 5));
//!
//! let now = Timestamp::from_unix_seconds(1_794_052_800);
//! let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
//! let signed = Signer::new(secret)?.sign("evt_1", b"{}", now)?;
//! let verified = Verifier::new(secret)?.verify(&Headers::from_pairs(signed.pairs()), b"{}", now)?;
//! assert_eq!(verified.message_id().unwrap().as_str(), "evt_1");
//!
//! let limiter = RateLimiter::new(Quota::new(60, Duration::from_secs(60)).burst(10));
//! let decision = limiter.check("player:ana", 1, now);
//! assert!(decision.allowed && decision.remaining == 9);
//!
//! let mut xp = ZScore::new(3.0);
//! let verdict = xp.observe(5_000.0); // score, then learn
//! assert!(!verdict.is_anomaly(), "no opinion before the eleventh value");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A map of the modules
//!
//! A module uses modules of lower lines only; those on one line never import each other. From `plan` down everything is
//! pure: no clock, randomness, environment, files, network, threads, locks, or order of a hash map.
//!
//! ```text
//! conformance · decorate · testing
//! engine · intake
//! memory · shared
//! replica
//! store
//! plan
//! rules
//! record
//! event
//! anomaly · board · progress · quota · reward · signing
//! window · json
//! codec
//! exact · id
//! hash · limits · time
//! error
//! ```
//!
//! | you want to | look at |
//! |---|---|
//! | run the whole | [`Engine`], [`AsyncEngine`], [`Intake`], [`Rules`] |
//! | take files of events, on many threads | [`Engine::ingest_ndjson`], [`Engine::ingest`]; what they give: [`Batch`] |
//! | go on with what a store holds | [`Engine::open`]; many players at once: [`Engine::players_page`] |
//! | write the rules of a game | [`Rules::warnings`]; every member of the document in `docs/rules.md` |
//! | know who sent it, what it says and how often | [`intake`], [`signing`], [`event`], [`quota`], [`shared::RateLimiter`]; `docs/door.md` |
//! | act as an operator | [`Command`]: adjust, review, set visibility, pay, revoke, migrate, erase |
//! | change the level curve | [`Engine::plan_migration`], [`Engine::migrations`]; alone: [`progress::plan_migration`]; `docs/progress.md` |
//! | say why a player has what the player has | [`Engine::explain`] |
//! | pay a finished week | [`Engine::payout`], [`board::Archive`]; alone: [`board::awards`] |
//! | find cheaters and settle suspicions | [`anomaly::Family`], [`Rules::with_population`], [`Engine::suspicions`]; `docs/anomalies.md` |
//! | rank players, alone or by calendar | [`board::Leaderboard`], [`board::WindowedLeaderboard`]; between threads [`shared::SharedLeaderboard`] |
//! | say when days, weeks and seasons begin | [`window::Calendar`]; for named time zones `docs/calendars.md` |
//! | deliver rewards | [`Receipt`], [`Command::claim`], [`reward::verify_chain`], [`Engine::feed`] |
//! | publish odds, and let anyone check rolls | [`reward::Loot`], [`reward::seed_commitment`] |
//! | write a store | [`Store`] says what it promises, [`conformance`] checks it; `docs/stores.md` |
//! | test your own code | [`testing`], [`decorate`] |
//! | drive it without an engine | [`Plan`] |
//! | look up a refusal | [`Code`] |
//!
//! # Limits and determinism
//!
//! Bodies have at most 64 KiB, ids 64 visible ASCII bytes, numbers that players see 53 bits; [`limits`] has them all.
//! Memory grows with players and with outcomes that a retry may still ask for, freed by [`Engine::advance`] once its
//! command would be `too_old` (a day, unless the rules say otherwise). So call `advance` now and then, every minute say.
//! A common outcome (XP only) is at most 64 bytes as stored bytes; in [`MemoryStore`], with its name and what finds it, at most 100
//! under a UUID: a day of a million events costs about a tenth of a gigabyte.
//!
//! Commands of one player are decided in the order in which they come; between players there is no order. A batch is not
//! a transaction over players. Whether an event is late depends on its own time, on when it came in and on the last
//! `advance`, never on a clock. Floating point lives in [`anomaly`] alone: `+ - * /`, the square root, and logarithms of
//! one pinned version of `libm`.
#![forbid(unsafe_code)]

pub mod anomaly;
pub mod board;
pub mod codec;
pub mod conformance;
pub mod decorate;
pub mod engine;
pub mod error;
pub mod event;
pub mod exact;
pub mod hash;
pub mod id;
pub mod intake;
pub mod json;
pub mod limits;
pub mod memory;
pub mod plan;
pub mod progress;
pub mod quota;
pub mod record;
pub mod replica;
pub mod reward;
pub mod rules;
pub mod shared;
pub mod signing;
pub mod store;
pub mod testing;
pub mod time;
pub mod window;

pub use engine::{AsyncEngine, Batcher, Engine};
pub use error::{Code, Error};
pub use id::{BoardId, CommandId, EventId, Id, Origin, PlayerId};
pub use intake::{Admitted, Intake, Refusal};
pub use memory::MemoryStore;
pub use plan::{Batch, Outcome, Plan};
pub use record::{Action, Command, Effect, Key, Receipt, Record, Ruling};
pub use replica::Replica;
pub use rules::{DECISIONS, Rules};
pub use store::{AsyncStore, Boards, Feed, FullStore, Scan, Store, Whole};
pub use time::Timestamp;
pub use window::{Period, Window};

/// The recipe that `docs/payouts.md` gives, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/payouts.md")]
struct PayoutsRecipe;

/// The page `docs/advance.md`, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/advance.md")]
struct TimeAndTheWayBack;

/// The page `docs/door.md`, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/door.md")]
struct TheDoor;

/// The page `docs/progress.md`, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/progress.md")]
struct LevelsRewardsReceipts;

/// The page `docs/anomalies.md`, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/anomalies.md")]
struct FindingCheaters;

/// The page `docs/stores.md`, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/stores.md")]
struct WritingAStore;
