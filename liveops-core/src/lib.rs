//! (to be written)
#![forbid(unsafe_code)]

pub mod codec;
pub mod error;
pub mod hash;
pub mod id;
pub mod limits;
pub mod time;

pub use error::{Code, Error};
pub use id::{BoardId, CommandId, EventId, Id, Origin, PlayerId};
pub use time::Timestamp;
