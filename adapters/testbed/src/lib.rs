//! Servers of one's own for tests and measurements, gone when they are dropped and also when the test is killed.
//!
//! Each lives in a folder that only its user can open, listens on a socket there, and reads no configuration of the
//! machine. A TCP port of the loopback is opened where there is no other way: for a cluster and for TLS. What cannot be
//! started is an error in words for whoever reads the output of a test: a missing server fails, it never skips.
#![forbid(unsafe_code)]
#![cfg(unix)]

mod child;
mod cluster;
mod folder;
mod port;
mod postgres;
mod proxy;
mod redis;
pub mod rivals;
mod tls;

pub use child::processor_ns;
pub use cluster::RedisCluster;
pub use postgres::{POSTGRES_BIN, Postgres};
pub use proxy::{Fault, Place, Proxy, Served};
pub use redis::{REDIS_SERVER, Redis};
pub use tls::{Authority, ClientCertificate, Identity};
