//! The second season: events as the original guide's own load generator sends them. All three types, each with
//! `{deltaXp, activity}` alone, of ten thousand players.

use std::iter;

use liveops_core::signing::SignatureError;

use super::post::{self, Post};
use crate::random::SplitMix64;

/// 2026-11-02T12:00:00Z.
const START_MS: i64 = 1_793_620_800_000;
const PLAYERS: u64 = 10_000;

const KINDS: &[&str] = &["progression", "boss_kill", "drop_claimed"];
const ACTIVITIES: &[&str] = &["dungeon", "quest", "raid", "crafting"];

/// So many lines for the rules in `data/guide-rules.json`, signed with `secret`; about a hundred a second. One in a
/// hundred asks for far too much XP.
///
/// Errors: `secret_invalid`.
pub fn guide(events: u64, seed: u64, secret: &str) -> Result<impl Iterator<Item = String>, SignatureError> {
    let (post, mut random) = (Post::new(secret)?, SplitMix64::new(seed));
    let mut at_ms = START_MS;
    let lines = iter::repeat_with(move || {
        let (kind, activity) = (random.pick(KINDS), random.pick(ACTIVITIES));
        let xp = if random.one_in(100) { random.between(50_000, 500_000) } else { random.between(10, 500) };
        let body = format!(
            r#"{{"type":"{kind}","playerId":"player-{:05}","ts":{},"payload":{{"deltaXp":{xp},"activity":"{activity}"}}}}"#,
            random.below(PLAYERS),
            at_ms.div_euclid(1000),
        );
        let mut line = post.send_body(&post::id(&mut random), body, at_ms, &mut random);
        // They arrive in the order in which they are sent.
        line.received_at = liveops_core::Timestamp::from_unix_millis(at_ms + 40);
        at_ms += random.between(0, 20);
        line.to_string()
    });
    Ok(lines.take(usize::try_from(events).unwrap_or(usize::MAX)))
}
