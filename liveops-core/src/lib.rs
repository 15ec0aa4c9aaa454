//! (to be written)
#![forbid(unsafe_code)]

pub mod anomaly;
pub mod board;
pub mod codec;
pub mod conformance;
pub mod decorate;
pub mod engine;
pub mod engine_async;
pub mod error;
pub mod event;
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
pub mod reward;
pub mod rules;
pub mod shared;
pub mod signing;
pub mod store;
pub mod testing;
pub mod time;
pub mod window;

pub use engine::Engine;
pub use engine_async::AsyncEngine;
pub use error::{Code, Error};
pub use id::{BoardId, CommandId, EventId, Id, Origin, PlayerId};
pub use intake::{Admitted, Intake, Refusal};
pub use memory::MemoryStore;
pub use plan::{Outcome, Plan};
pub use record::{Action, Command, Effect, Key, Receipt, Record, Ruling};
pub use rules::Rules;
pub use store::{AsyncStore, Boards, Feed, Scan, Store};
pub use time::Timestamp;
pub use window::{Period, Window};
