//! What the stores over a network share.
#![forbid(unsafe_code)]

mod follow;
mod runtime;
mod tls;

pub use follow::Follower;
pub use runtime::Runtime;
pub use tls::Tls;
