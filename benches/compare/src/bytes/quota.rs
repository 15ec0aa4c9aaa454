//! Against `governor`: what a limiter keeps of each key, and whether there is an end to it.

use std::num::NonZeroU32;
use std::time::Duration;

use liveops_compare::measure::Row;
use liveops_compare::workload::{MILLION, NOW, players};
use liveops_core::quota::Quota;
use liveops_core::shared::RateLimiter;

use crate::kept;

type Governor = governor::DefaultKeyedRateLimiter<String>;

/// Bytes a key after a million keys, as each limiter comes; and after ten million.
pub(crate) fn governor() -> Row {
    let each = |keys: u64| {
        let (ours, our_bytes) = kept(|| {
            let limiter = RateLimiter::new(Quota::new(1, Duration::from_secs(3600)));
            players(keys).for_each(|(key, _)| _ = limiter.check(&key, 1, NOW));
            limiter
        });
        let (peer, peer_bytes) = kept(|| {
            let limiter = Governor::keyed(governor::Quota::per_hour(NonZeroU32::MIN));
            players(keys).for_each(|(key, _)| _ = limiter.check_key(&key));
            limiter
        });
        [our_bytes, peer_bytes, ours.len() as f64, peer.len() as f64]
    };
    let ([ours, peer, ours_len, peer_len], tenfold) = (each(MILLION), each(10 * MILLION));
    Row {
        name: "quota.bytes.governor",
        ours: ours / ours_len,
        peer: peer / peer_len,
        unit: "bytes/key",
        for_the_record: true,
        more: vec![
            ("ours, 10 M keys, MB", tenfold[0] / 1e6),
            ("peer, 10 M keys, MB", tenfold[1] / 1e6),
            ("ours, keys kept", tenfold[2]),
            ("peer, keys kept", tenfold[3]),
        ],
        ..Row::default()
    }
}
