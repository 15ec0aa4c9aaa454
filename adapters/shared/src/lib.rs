//! What the stores over a network share.
#![forbid(unsafe_code)]

mod runtime;
mod tls;

pub use runtime::Runtime;
pub use tls::Tls;
