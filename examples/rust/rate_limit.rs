//! A rate limiter alone. The caller says what time it is, so this shows two minutes in no time.
//!
//! ```text
//! cargo run --example rate_limit
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use liveops_core::Timestamp;
use liveops_core::quota::Quota;
use liveops_core::shared::RateLimiter;

fn main() {
    // 60 a minute in the long run, 5 of them at once.
    let limiter = RateLimiter::new(Quota::new(60, Duration::from_secs(60)).burst(5));
    let start = Timestamp::from_unix_seconds(1_794_052_800);

    println!("{:>8}  {:<8} {:>9}  retry after", "at", "", "remaining");
    for millis in [0, 0, 0, 0, 0, 0, 400, 1_000, 1_500, 120_000] {
        let decision = limiter.check("player:ana", 1, start.plus_millis(millis));
        let word = if decision.allowed { "passes" } else { "refused" };
        let wait = decision.retry_after.map(|wait| format!("{wait:?}")).unwrap_or_default();
        println!("{:>6}ms  {word:<8} {:>9}  {wait}", millis, decision.remaining);
    }

    // What costs more than a burst never passes; another key has a quota of its own.
    let never = limiter.check("player:ana", 6, start.plus_millis(500_000));
    assert!(!never.allowed && never.retry_after.is_none());
    assert!(limiter.check("player:bo", 5, start).allowed);
}
