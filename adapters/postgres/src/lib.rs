//! A store over PostgreSQL, shared by any number of processes.
#![forbid(unsafe_code)]
