//! What the packages for Python and Node have in common: one engine over any store, the threads that write for event loops, and
//! the texts that stand for places in the feed. Nothing here knows an interpreter.

mod collector;
mod cut;
mod far;
mod feed;
mod open;
mod shared;

pub use collector::{Collector, NotTaken, Work};
pub use far::{Certificates, Far, FarStore, Server, Urls};
pub use feed::{FeedCursor, check_partition, committed_json, entry_json};
pub use open::{Opening, Start, StoreChoice};
pub use shared::{Core, Shared};
