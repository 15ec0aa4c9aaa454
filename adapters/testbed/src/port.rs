//! Ports of the loopback that nobody listens on.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that systems hand out by themselves, and with room for the bus of a cluster above each.
const FIRST: u16 = 15_000;
const COUNT: u16 = 7_000;
/// A node of a cluster speaks to the others so many ports above its own.
pub(crate) const BUS: u16 = 10_000;

/// One that was free a moment ago, and so was the bus above it. Processes begin at different places.
pub(crate) fn free() -> Result<u16, String> {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let begin = u64::from(std::process::id()).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    (0..COUNT)
        .map(|_| {
            let step = u64::from(TRIED.fetch_add(1, Ordering::Relaxed));
            FIRST + u16::try_from((begin + step) % u64::from(COUNT)).unwrap_or_default()
        })
        .find(|&port| is_free(port) && is_free(port + BUS))
        .ok_or_else(|| format!("no port between {FIRST} and {} is free on the loopback", FIRST + COUNT))
}
