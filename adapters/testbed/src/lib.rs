//! Servers of one's own, gone when they are dropped.
#![forbid(unsafe_code)]
