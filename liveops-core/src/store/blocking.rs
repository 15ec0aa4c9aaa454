//! An asynchronous store behind the blocking boundary.
