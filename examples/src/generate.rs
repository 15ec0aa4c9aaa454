//! Seasons from a seed: the same lines for the same seed on every machine.
//!
//! Time is simulated and numbers are integers. A season is made as it is read, so a million events need little memory.

mod crowd;
mod guide;
mod names;
mod oddity;
mod play;
mod post;
mod timeline;

pub use guide::guide;

use std::collections::BTreeMap;

use liveops_core::signing::SignatureError;

use self::crowd::Crowd;
use self::oddity::Oddity;
use self::post::{Event, Post};
use crate::line::Line;
use crate::random::SplitMix64;

/// Lines of the committed season.
pub const EVENTS_DEFAULT: u64 = 5_000;
/// Seed of the committed season.
pub const SEED_DEFAULT: u64 = 7;

/// One event in so many is sent, or made, in an odd way.
const ODD_ONE_IN: u64 = 11;

/// A season of the game in `data/rules.json`, eleven days with a week's and a month's end: so many lines, signed with
/// `secret`. Three of them are broken.
///
/// ```
/// use liveops_examples::generate;
///
/// let secret = include_str!("../data/secret.txt").trim();
/// let season = |seed| -> Vec<String> { generate::season(200, seed, secret).unwrap().collect() };
/// assert_eq!(season(1).len(), 200);
/// assert_eq!(season(1), season(1));
/// assert_ne!(season(1), season(2));
/// ```
///
/// Errors: `secret_invalid`.
pub fn season(events: u64, seed: u64, secret: &str) -> Result<Season, SignatureError> {
    let mut random = SplitMix64::new(seed);
    let crowd = Crowd::new(events, &mut random);
    Ok(Season {
        events,
        written: 0,
        pending: BTreeMap::new(),
        sent: 0,
        deeds: 0,
        crowd,
        post: Post::new(secret)?,
        random,
    })
}

/// The lines of a season, in the order in which they were received.
#[derive(Debug)]
pub struct Season {
    events: u64,
    written: u64,
    /// On their way, by receive time and then in the order of sending.
    pending: BTreeMap<(i64, u64), Line>,
    sent: u64,
    deeds: u64,
    crowd: Crowd,
    post: Post,
    random: SplitMix64,
}

impl Iterator for Season {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.written == self.events {
            return None;
        }
        let line = self.arrive();
        let text = self.broken(&line).unwrap_or_else(|| line.to_string());
        self.written += 1;
        Some(text)
    }
}

impl Season {
    /// The next line to be received: players sit down to play until one is certain to be the next.
    fn arrive(&mut self) -> Line {
        loop {
            let planned = self.written + self.pending.len() as u64;
            let session = timeline::at(planned, self.events);
            let next = self.pending.first_entry().filter(|next| next.key().0 <= session || planned >= self.events);
            match next {
                Some(line) => return line.remove(),
                None => self.session(session),
            }
        }
    }

    /// Somebody plays for a while.
    fn session(&mut self, at_ms: i64) {
        let player = self.crowd.somebody(&mut self.random);
        for deed in player.play(at_ms, &mut self.random) {
            self.deeds += 1;
            let event = Event::new(player, deed, &mut self.random);
            let odd = self.deeds.is_multiple_of(ODD_ONE_IN).then(|| Oddity::in_turn(self.deeds / ODD_ONE_IN));
            for line in oddity::send(&self.post, event, odd, &mut self.random) {
                // What would come later is not part of this season.
                if line.received_at.as_unix_millis() < timeline::END_MS {
                    self.sent += 1;
                    self.pending.insert((line.received_at.as_unix_millis(), self.sent), line);
                }
            }
        }
    }

    /// At a few places of every season, what comes is not what was sent.
    fn broken(&self, line: &Line) -> Option<String> {
        let text = line.to_string();
        let quarter = (self.events / 4).max(1);
        match self.written {
            at if at == quarter => Some(text.chars().take(text.len() / 2).collect()),
            at if at == quarter * 2 => Some(text.replacen("\"body\":", "\"corpse\":", 1)),
            at if at == quarter * 3 => Some(text.replacen("\"receivedMs\":", "\"receivedMs\":\"soon\",\"was\":", 1)),
            _ => None,
        }
    }
}
