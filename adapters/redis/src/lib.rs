//! A [liveops](liveops_core) store over Redis or a Redis cluster, shared by any number of processes.
//!
//! ```no_run
//! use liveops_core::testing::EventBuilder;
//! use liveops_core::{AsyncEngine, Rules, Timestamp};
//! use liveops_redis::{Options, RedisStore};
//!
//! # async fn shown() -> Result<(), Box<dyn std::error::Error>> {
//! let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall" }"#)?;
//! let store = RedisStore::connect("redis://127.0.0.1/", Options::new("emberfall")).await?;
//! let now = store.now().await?;
//! let engine = AsyncEngine::open(rules, store).await?;
//! let event = EventBuilder::progression("ana", 120, now).id("e1").body();
//! assert_eq!(engine.submit_ndjson(&event, now).await[0].code(), "applied");
//! # Ok(())
//! # }
//! ```
//!
//! Every process is alike: each commits with a script that compares and writes in one step, and answers boards from a copy in memory
//! that follows the partitions' outboxes. Nothing coordinates them. What is where in Redis stands in the adapter's `README.md`.
#![forbid(unsafe_code)]

mod advance;
mod commit;
mod error;
mod feed;
mod header;
mod inner;
mod keys;
mod link;
mod load;
mod node;
mod open;
mod options;
mod reply;
mod restore;
mod scan;
mod script;
mod store;
mod tail;
mod whole;

pub use liveops_adapters::{Runtime, Tls};
pub use options::{Options, PARTITIONS_MAX};
pub use store::RedisStore;
