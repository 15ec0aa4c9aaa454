//! A store over Redis, or a cluster of it, shared by any number of processes.
#![forbid(unsafe_code)]
