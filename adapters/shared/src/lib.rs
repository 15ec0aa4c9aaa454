//! What the stores over a network share.
#![forbid(unsafe_code)]
