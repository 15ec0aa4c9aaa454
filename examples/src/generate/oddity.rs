//! Everything that real traffic holds besides events that are sent once and well.

use liveops_core::limits::BODY_BYTES_MAX;

use super::post::{self, Event, Post, header};
use super::timeline;
use crate::line::Line;
use crate::random::SplitMix64;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const HOSTILE_KINDS: u64 = 28;

/// What is odd about an event.
#[derive(Clone, Copy, Debug)]
pub(super) enum Oddity {
    /// The answer was lost: the same again, signed anew.
    Retry,
    /// The same again hours later.
    RetryHoursLater,
    /// The same again after its first outcome is forgotten.
    RetryNextDay,
    /// The id again, with other content.
    Reused,
    /// Sent hours after it happened.
    Late,
    /// Sent after the daily reset and its grace.
    LateOverReset,
    /// Sent days after it happened.
    TooLate,
    /// A clock that is minutes ahead, and that is fine.
    SlightlyAhead,
    /// A clock that is far ahead.
    Future,
    /// Signed with another secret.
    Forged,
    /// Changed on its way.
    Tampered,
    /// Signed long before it comes.
    Expired,
    /// Signed long after it comes.
    SignedAhead,
    /// Without one of its headers.
    Unsigned,
    /// With headers that try something.
    HostileHeader,
    /// With a header twice.
    TwiceNamed,
    /// With a second signature by another key, as while a secret is being replaced.
    SignedTwice,
    /// With header names in another case.
    Shouted,
    /// With the id in body and header, and they differ.
    Mismatch,
    /// With letters written as escapes, which is fine.
    Escaped,
    /// A body that is no event, by its number.
    Hostile(u64),
}

impl Oddity {
    /// All of them in turn, so that none is left to chance; retries more often than the rest, as in life.
    pub(super) fn in_turn(turn: u64) -> Self {
        const TURNS: &[Oddity] = &[
            Oddity::Late,
            Oddity::Forged,
            Oddity::Retry,
            Oddity::Reused,
            Oddity::Expired,
            Oddity::Retry,
            Oddity::LateOverReset,
            Oddity::Unsigned,
            Oddity::Retry,
            Oddity::Future,
            Oddity::Tampered,
            Oddity::RetryHoursLater,
            Oddity::TooLate,
            Oddity::HostileHeader,
            Oddity::Retry,
            Oddity::SlightlyAhead,
            Oddity::SignedAhead,
            Oddity::Retry,
            Oddity::RetryNextDay,
            Oddity::TwiceNamed,
            Oddity::Retry,
            Oddity::SignedTwice,
            Oddity::Mismatch,
            Oddity::Retry,
            Oddity::Shouted,
            Oddity::Escaped,
            Oddity::Retry,
        ];
        if turn.is_multiple_of(3) {
            return Self::Hostile(turn / 3);
        }
        let at = (turn - turn / 3) % TURNS.len() as u64;
        TURNS[usize::try_from(at).unwrap_or_default()]
    }
}

/// What comes of an event: one request, or more.
pub(super) fn send(post: &Post, mut event: Event, oddity: Option<Oddity>, random: &mut SplitMix64) -> Vec<Line> {
    let Some(oddity) = oddity else { return vec![post.send(&event, random)] };
    let again = |event: &Event, after_ms, random: &mut SplitMix64| {
        let later = Event { sent_ms: event.sent_ms + after_ms, ..event.clone() };
        vec![post.send(event, random), post.send(&later, random)]
    };
    match oddity {
        Oddity::Retry => return again(&event, random.between(1_500, 90_000), random),
        Oddity::RetryHoursLater => return again(&event, random.between(2 * HOUR_MS, 20 * HOUR_MS), random),
        Oddity::RetryNextDay => return again(&event, random.between(25 * HOUR_MS, 40 * HOUR_MS), random),
        Oddity::Reused => {
            let first = post.send(&event, random);
            event.payload = event.payload.replacen(':', ":1", 1).replacen(":1\"", ":\"1", 1);
            event.sent_ms += random.between(2_000, 200_000);
            return vec![first, post.send(&event, random)];
        }
        Oddity::Late => event.ts -= random.between(600, 8 * 3600),
        Oddity::LateOverReset => {
            let missed = timeline::closed_reset(event.sent_ms) / 1000 - random.between(60, 1800);
            // Not so late that it is refused altogether.
            event.ts = if event.ts - missed < 86_000 { missed } else { event.ts };
        }
        Oddity::TooLate => event.ts -= random.between(25 * 3600, 60 * 3600),
        Oddity::SlightlyAhead => event.ts += random.between(30, 240),
        Oddity::Future => event.ts += random.between(400, 7200),
        Oddity::Hostile(number) => return vec![hostile(post, &event, number, random)],
        _ => return vec![sent_oddly(post, event, oddity, random)],
    }
    vec![post.send(&event, random)]
}

/// What is odd about headers, or about the way to the server.
fn sent_oddly(post: &Post, event: Event, oddity: Oddity, random: &mut SplitMix64) -> Line {
    let mut line = post.send(&event, random);
    match oddity {
        Oddity::Forged => return post.forge(&event, random),
        Oddity::Tampered => line.body = line.body.replacen("\"ts\":", "\"ts\": ", 1),
        Oddity::Expired => line.received_at = line.received_at.plus_millis(random.between(6, 40) * MINUTE_MS),
        Oddity::SignedAhead => {
            let id = event.id.clone();
            let ahead = post.send_body(&id, event.body(), event.sent_ms + random.between(6, 90) * MINUTE_MS, random);
            line.headers = ahead.headers;
        }
        Oddity::Unsigned => drop(line.headers.remove(usize::try_from(random.below(3)).unwrap_or_default())),
        Oddity::HostileHeader => hostile_header(&mut line, random),
        Oddity::TwiceNamed => line.headers.push(("Webhook-Id".to_owned(), event.id)),
        Oddity::SignedTwice => {
            let other = header(&mut post.forge(&event, random), "webhook-signature").clone();
            let signature = header(&mut line, "webhook-signature");
            *signature = format!("{other} {signature}");
        }
        Oddity::Shouted => line.headers.iter_mut().for_each(|(name, _)| *name = name.to_uppercase()),
        Oddity::Mismatch => {
            let other = Event { id: post::id(random), id_in_body: true, ..event.clone() };
            return post.send_body(&event.id, other.body(), event.sent_ms, random);
        }
        Oddity::Escaped => {
            let body = event.body().replacen("\"type\"", "\"\\u0074ype\"", 1);
            return post.send_body(&event.id, body, event.sent_ms, random);
        }
        _ => {}
    }
    line
}

fn hostile_header(line: &mut Line, random: &mut SplitMix64) {
    let (name, value) = match random.below(8) {
        0 => ("webhook-id", "evt_1\r\nX-Admin: true"),
        1 => ("webhook-id", "../../etc/passwd"),
        2 => ("webhook-id", "évt"),
        3 => ("webhook-timestamp", "1e9"),
        4 => ("webhook-timestamp", "-1"),
        5 => ("webhook-signature", "v1,bm90IGEgc2lnbmF0dXJl"),
        6 => ("webhook-signature", "none"),
        _ => ("idempotency-key", "evt_\u{0}"),
    };
    value.clone_into(header(line, name));
}

/// A body that is signed well and is no event.
fn hostile(post: &Post, event: &Event, number: u64, random: &mut SplitMix64) -> Line {
    let good = event.body();
    let Event { id, player, ts, .. } = event;
    let progression =
        |payload: &str| format!(r#"{{"type":"progression","playerId":"{player}","ts":{ts},"payload":{payload}}}"#);
    let body = match number % HOSTILE_KINDS {
        0 => good.replacen('{', r#"{"playerId":"somebody.else","#, 1),
        1 => progression(r#"{"deltaXp":10,"delta\u0058p":5000}"#),
        2 => progression(&format!(r#"{{"deltaXp":{}1{}}}"#, "[".repeat(9), "]".repeat(9))),
        3 => "[".repeat(5_000),
        4 => progression(r#"{"deltaXp":120.5}"#),
        5 => progression(r#"{"deltaXp":1e3}"#),
        6 => progression(&format!(r#"{{"deltaXp":1{}}}"#, "0".repeat(40))),
        7 => progression(r#"{"deltaXp":9007199254740993}"#),
        8 => progression(r#"{"deltaXp":5001}"#),
        9 => progression(r#"{"deltaXp":-50}"#),
        10 => progression(r#"{"deltaXp":"120"}"#),
        11 => progression(r#"{"deltaXp":true}"#),
        12 => progression("null"),
        13 => progression(r#"{"deltaXp":50,"isAdmin":true,"__proto__":{}}"#),
        14 => progression("{}"),
        15 => good.replacen(player.as_str(), "", 1),
        16 => good.replacen(player.as_str(), "two words", 1),
        17 => good.replacen(player.as_str(), &"x".repeat(65), 1),
        18 => good.replacen(player.as_str(), r"ana\r\nSet-Cookie: a=b", 1),
        19 => good.replacen(player.as_str(), r"\ud800", 1),
        20 => format!("{good}{good}"),
        21 => good.chars().take(good.len() - 7).collect(),
        22 => format!("\u{feff}{good}"),
        23 => good.replacen(event.kind, "teleport", 1),
        24 => good.replacen(&format!("\"ts\":{ts}"), &format!("\"ts\":{ts}000"), 1),
        25 => String::new(),
        26 if (number / HOSTILE_KINDS).is_multiple_of(4) => {
            good.replacen('{', &format!("{{{}", " ".repeat(BODY_BYTES_MAX)), 1)
        }
        26 => good.replacen("\"payload\"", "\"payloads\"", 1),
        _ => "'; DROP TABLE players; --".to_owned(),
    };
    post.send_body(id, body, event.sent_ms, random)
}
