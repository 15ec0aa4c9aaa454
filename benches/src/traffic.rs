//! Progression events of many players, from a seed.

use liveops_core::event::Parser;
use liveops_core::{Command, Timestamp};

use crate::random::{Random, mix};

/// When the traffic happens: 2026-01-05T12:00:00Z, a Monday, far from any boundary of a period.
pub const NOW_MS: i64 = 1_767_614_400_000;

/// Rules for the engine row: one board with three windows, and a level, with its one reward, every 20 events.
///
/// A level costs 1,000 XP and an event brings 50, so receipts come with 5 % of events once players stand at different
/// distances from their next level (see [`Traffic::warm_up`]).
pub const RULES: &str = r#"{
  "version": 1,
  "game": "bench",
  "progress": {
    "curve": { "kind": "exponential", "base": 1000, "growth": "1", "rounding": "floor", "maxLevel": 60 },
    "atMaxLevel": "bank",
    "xp": [ { "on": "progression", "amount": { "field": "deltaXp" } } ]
  },
  "rewards": {
    "level-gold": { "on": { "everyLevels": 1 }, "grant": [ { "kind": "currency", "id": "gold", "amount": 100 } ] }
  },
  "calendar": { "utcOffsetMinutes": 0, "resetMinute": 0, "graceSeconds": 3600,
    "seasons": { "every": "month", "label": "YYYY-MM" } },
  "boards": {
    "xp": { "value": "grantedXp", "operator": "incr", "order": "desc",
      "keepPeriods": { "daily": 2, "weekly": 8, "seasonal": 4 } }
  }
}"#;

/// Bytes of each event body that [`Traffic`] makes.
pub const EVENT_BYTES: usize = 206;

/// How fast events come in. Receive times therefore differ, as they do at a server: only a few players reach one score
/// in the same millisecond.
const EVENTS_PER_MILLI: u64 = 10;
const DAY_MS: i64 = 86_400_000;
const XP_PER_EVENT: u64 = 50;
const EVENTS_PER_LEVEL: u64 = 20;

/// An endless stream of event bodies, each with an id of its own.
///
/// ```
/// use liveops_bench::traffic::{EVENT_BYTES, Traffic};
///
/// let mut traffic = Traffic::new(10_000, 7);
/// assert_eq!(traffic.warm_up().len(), 10_000);
/// assert!(traffic.by_ref().take(1_000).all(|body| body.len() == EVENT_BYTES));
/// assert_eq!(Traffic::new(10_000, 7).next(), Traffic::new(10_000, 7).next());
/// ```
#[derive(Clone, Debug)]
pub struct Traffic {
    first: u64,
    players: u64,
    begins_ms: i64,
    sequence: u64,
    random: Random,
}

impl Traffic {
    /// Of so many players.
    ///
    /// # Panics
    /// Without players there is no traffic.
    pub const fn new(players: u64, seed: u64) -> Self {
        assert!(players > 0, "no players");
        Self { first: 0, players, begins_ms: NOW_MS, sequence: 0, random: Random::new(seed) }
    }

    /// At noon of a day of the caller's, in milliseconds, in place of [`NOW_MS`]: for stores that look at a clock.
    #[must_use]
    pub const fn on_day_of(self, now_ms: i64) -> Self {
        Self { begins_ms: now_ms - now_ms.rem_euclid(DAY_MS) + DAY_MS / 2, ..self }
    }

    /// Of players whose numbers begin here, so that two streams can be of different ones.
    #[must_use]
    pub const fn from_player(self, first: u64) -> Self {
        Self { first, ..self }
    }

    /// One event of each player that puts them 0, 50, ... 950 XP into their first level.
    pub fn warm_up(&mut self) -> Vec<String> {
        (0..self.players).map(|player| self.warm_up_body(player)).collect()
    }

    /// The same as commands, each received at its own time.
    ///
    /// # Panics
    /// If the parser does not know `progression` as it is built in.
    pub fn warm_up_commands(&mut self, parser: &Parser) -> Vec<Command> {
        self.warm_up_each(parser).collect()
    }

    /// The same, each made when it is asked for: a million would take much memory at once.
    ///
    /// # Panics
    /// If the parser does not know `progression` as it is built in.
    pub fn warm_up_each<'a>(&'a mut self, parser: &'a Parser) -> impl Iterator<Item = Command> + 'a {
        (0..self.players).map(move |player| {
            let body = self.warm_up_body(player);
            command(parser, &body, self.now())
        })
    }

    /// The next event of each player, as those of [`Traffic::commands`].
    ///
    /// # Panics
    /// If the parser does not know `progression` as it is built in.
    pub fn one_of_each<'a>(&'a mut self, parser: &'a Parser) -> impl Iterator<Item = Command> + 'a {
        (0..self.players).map(move |player| {
            let body = self.body(player, XP_PER_EVENT);
            command(parser, &body, self.now())
        })
    }

    /// The next events as commands, each received at its own time.
    ///
    /// # Panics
    /// If the parser does not know `progression` as it is built in.
    pub fn commands(&mut self, parser: &Parser, len: usize) -> Vec<Command> {
        let event = |_| {
            let body = self.next_body();
            command(parser, &body, self.now())
        };
        (0..len).map(event).collect()
    }

    /// When the event made last comes in.
    pub fn now(&self) -> Timestamp {
        let millis = self.sequence / EVENTS_PER_MILLI;
        Timestamp::from_unix_millis(self.begins_ms).plus_millis(millis.cast_signed())
    }

    /// The next event of a player.
    pub fn body_of(&mut self, player: u64) -> String {
        self.body(player, XP_PER_EVENT)
    }

    fn warm_up_body(&mut self, player: u64) -> String {
        self.body(player, XP_PER_EVENT * (player % EVENTS_PER_LEVEL))
    }

    fn next_body(&mut self) -> String {
        let player = self.random.below(self.players);
        self.body(player, XP_PER_EVENT)
    }

    fn body(&mut self, player: u64, xp: u64) -> String {
        self.sequence += 1;
        let id = mix(self.sequence);
        let player = self.first + player;
        // Ids as people make them: a UUID for the event, a short name for the player.
        let mut body = format!(
            r#"{{"id":"{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}","type":"progression","playerId":"player-{player:06}","ts":{},"payload":{{"deltaXp":{xp},"activity":"dungeon","zone":"#,
            id >> 32,
            (id >> 16) & 0xffff,
            id & 0xfff,
            self.sequence & 0xfff,
            self.sequence,
            self.begins_ms / 1000
        );
        // The zone takes up what the other fields leave.
        body.push('"');
        let zone = "emberfall/ashen-reach/lower-vault/antechamber";
        body.push_str(&zone[..(EVENT_BYTES - body.len() - 3).min(zone.len())]);
        body.push_str("\"}}");
        body
    }
}

impl Iterator for Traffic {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        Some(self.next_body())
    }
}

fn command(parser: &Parser, body: &str, received_at: Timestamp) -> Command {
    let mut parsed = parser.parse(body.as_bytes(), received_at).expect("the rules know the built-in events");
    let id = parsed.id.take().expect("every body has an id");
    Command::event(parsed.into_event(id), received_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_one_length_and_ids_of_their_own() {
        let mut traffic = Traffic::new(100, 1);
        let mut bodies = traffic.warm_up();
        bodies.extend(traffic.take(5_000));
        assert!(bodies.iter().all(|body| body.len() == EVENT_BYTES), "{}", bodies[0]);
        let ids: std::collections::BTreeSet<_> = bodies.iter().map(|body| &body[..43]).collect();
        assert_eq!(ids.len(), bodies.len());
    }
}
