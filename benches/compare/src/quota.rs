//! `quota.check.*`: one call checked against its key's quota, ours against `governor` with its keyed store.
//!
//! Both are GCRA with the same quota, keys and times, and so must let the same calls pass. On our side the time is an
//! argument; governor's promise is measured with the cheapest clock it has, which is read from memory.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use foldhash::fast::RandomState;
use governor::clock::{Clock, FakeRelativeClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::{DashMapStateStore, DefaultKeyedStateStore};
use liveops_compare::measure::{Row, Stopwatch, by_turns};
use liveops_compare::workload::{Events, NOW};
use liveops_core::Timestamp;
use liveops_core::quota::Quota;
use liveops_core::shared::RateLimiter;

/// A round; several for each key, so that a round is about limiters and not about fetching them from memory after the
/// other side's round.
const CALLS: usize = 1_000_000;
/// Keys are made just before they are checked, as at a server: they are in the cache, not in memory.
const BATCH: usize = 1_000;
/// The clock goes on by a millisecond after so many calls: 100,000 calls a second.
const CALLS_PER_MILLI: usize = 100;
/// Calls that a key may make at once.
const BURST: u32 = 3;

type Id = [u8; 16];
type Governor<C> =
    governor::RateLimiter<String, DefaultKeyedStateStore<String>, C, NoOpMiddleware<<C as Clock>::Instant>>;
type Inline = governor::RateLimiter<
    Id,
    DashMapStateStore<Id, RandomState>,
    FakeRelativeClock,
    NoOpMiddleware<<FakeRelativeClock as Clock>::Instant>,
>;

/// 200,000 keys: more than caches hold.
pub(crate) fn governor() -> Result<Row, String> {
    Ok(Row { name: "quota.check.governor", ..check(200_000)? })
}

/// 1,000 keys: instructions, not memory.
pub(crate) fn governor1k() -> Result<Row, String> {
    Ok(Row { name: "quota.check.governor1k", ..check(1_000)? })
}

/// A quota that each key uses up as fast as it is refilled: with so many keys some calls pass and some are refused.
fn quotas(keys: u64) -> Result<(Quota, governor::Quota), String> {
    let interval = Duration::from_millis(keys / CALLS_PER_MILLI as u64);
    let burst = NonZeroU32::new(BURST).ok_or("a burst")?;
    let peer = governor::Quota::with_period(interval).ok_or("a period")?.allow_burst(burst);
    Ok((Quota::new(1, interval).burst(BURST), peer))
}

fn check(keys: u64) -> Result<Row, String> {
    let (quota, peer_quota) = quotas(keys)?;
    let ours = RateLimiter::new(quota);
    let clock = FakeRelativeClock::default();
    let peer = Governor::dashmap_with_clock(peer_quota, clock.clone());
    let (mut events, mut peer_events) = (Events::new(keys), Events::new(keys));
    let (mut now, mut passed, mut peer_passed) = (NOW, Vec::new(), Vec::new());
    let row = by_turns(
        |stopwatch| {
            let mut count = 0_u32;
            let cost = time(stopwatch, &mut events, |keys| {
                count += keys.iter().map(|key| u32::from(black_box(&ours.check(key, 1, now)).allowed)).sum::<u32>();
                now = now.plus_millis(1);
            });
            passed.push(count);
            Ok(cost)
        },
        |stopwatch| {
            let mut count = 0_u32;
            let cost = time(stopwatch, &mut peer_events, |keys| {
                count += keys.iter().map(|key| u32::from(black_box(&peer.check_key(key)).is_ok())).sum::<u32>();
                clock.advance(Duration::from_millis(1));
            });
            peer_passed.push(count);
            Ok(cost)
        },
    )?;
    if passed != peer_passed {
        return Err(format!("other calls passed: {passed:?}, peer {peer_passed:?}"));
    }
    let share = f64::from(passed.iter().sum::<u32>()) * 100.0 / (CALLS * passed.len()) as f64;
    if !(20.0..=95.0).contains(&share) {
        return Err(format!("{share:.1} % of the calls passed, which shows one side of the work only"));
    }
    let [our_clock, peer_clock] = with_clocks(keys)?;
    let more = vec![
        ("calls passed, %", share),
        ("ours, system clock", our_clock),
        ("peer, its own clock", peer_clock),
        ("peer, inline keys", inline(keys)?),
    ];
    Ok(Row { unit: "ns", more, ..row })
}

/// Both, each with the clock that a program would use: the system's, and governor's default.
fn with_clocks(keys: u64) -> Result<[f64; 2], String> {
    let (quota, peer_quota) = quotas(keys)?;
    let (ours, peer) = (RateLimiter::new(quota), governor::RateLimiter::keyed(peer_quota));
    let (mut events, mut peer_events) = (Events::new(keys), Events::new(keys));
    #[expect(clippy::disallowed_methods, reason = "what reading it costs is the question")]
    let system_now = || Timestamp::try_from(SystemTime::now()).unwrap_or_default();
    let row = by_turns(
        |stopwatch| {
            Ok(time(stopwatch, &mut events, |keys| {
                for key in keys {
                    _ = black_box(&ours.check(key, 1, system_now()));
                }
            }))
        },
        |stopwatch| {
            Ok(time(stopwatch, &mut peer_events, |keys| {
                for key in keys {
                    _ = black_box(&peer.check_key(key));
                }
            }))
        },
    )?;
    Ok([row.ours, row.peer])
}

/// Governor as fast as it gets: keys of exactly 16 bytes inside its map, and a hash that strangers can make collide.
fn inline(keys: u64) -> Result<f64, String> {
    let clock = FakeRelativeClock::default();
    let peer = Inline::dashmap_with_clock_and_hasher(quotas(keys)?.1, clock.clone(), RandomState::default());
    let mut events = Events::new(keys);
    let mut round = |stopwatch: &mut Stopwatch| {
        Ok(time(stopwatch, &mut events, |keys| {
            for key in keys {
                _ = black_box(&peer.check_key(&Id::try_from(key.as_bytes()).unwrap_or_default()));
            }
            clock.advance(Duration::from_millis(1));
        }))
    };
    by_turns(&mut round, |_| Ok(0.0)).map(|row| row.ours)
}

/// Times one round in steps of a millisecond of the limiters' time. A call's cost.
fn time(stopwatch: &mut Stopwatch, events: &mut Events, mut step: impl FnMut(&[String])) -> f64 {
    let mut keys = vec![String::new(); BATCH];
    let mut nanos = 0.0;
    for _ in 0..CALLS / BATCH {
        for (key, (id, _)) in keys.iter_mut().zip(events.draw(BATCH).iter()) {
            id.clone_into(key);
        }
        nanos += stopwatch.time(|| keys.chunks(CALLS_PER_MILLI).for_each(&mut step));
    }
    nanos / CALLS as f64
}
