//! What a good programmer would write by hand for the traffic of the engine's rows, without the promises that an engine makes.
//!
//! It knows what it is fed with: events of one kind, names of players of at most 16 bytes, names of events that are UUIDs, one board in three
//! windows of UTC. It has one thread and forgets everything when the process ends. It keeps neither what it answered, nor proofs of what it
//! gave, nor periods that are over, and whoever chooses names may make them collide.

#![allow(
    clippy::cast_possible_truncation,
    reason = "it has fewer players than 2^32, levels up to 60, and days of this age"
)]

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use indexset::BTreeSet;
use liveops_core::record::{Action, Command};
use liveops_core::{PlayerId, Timestamp};

/// Of the board's sets: of 64 to 2,048 the fastest, as in the rows about boards.
const NODE_LEN: usize = 128;
const DAY_MS: i64 = 86_400_000;
/// As the rules of the traffic say.
const LEVEL_XP: u64 = 1_000;
const LEVEL_MAX: u64 = 60;
const LEVEL_GOLD: u32 = 100;
const WINDOWS: usize = 3;

/// All that it knows.
pub(crate) struct Handmade {
    thresholds: Vec<u64>,
    /// One look-up an event: what is kept of a player lies in the table.
    players: HashMap<Name, Player, RandomState>,
    seen: HashSet<u128, RandomState>,
    boards: [Board; WINDOWS],
    receipts: Vec<Receipt>,
}

/// A player's name, inline and hashed as one number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Name(u128);

struct Player {
    number: u32,
    level: u32,
    xp: u64,
    /// Period and score in each window.
    entries: [(i32, i64); WINDOWS],
}

/// The period of a window that goes on.
struct Board {
    period: i32,
    ranked: BTreeSet<(Reverse<i64>, u32)>,
}

/// What a level brought.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "whoever delivers what was given would read it")]
pub(crate) struct Receipt {
    event: u128,
    ts: Timestamp,
    player: u32,
    level: u32,
    gold: u32,
}

/// What became of an event.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "callers get what an engine's would get")]
pub(crate) enum Answer {
    /// It counts.
    Applied { granted: u64, level: u32, receipt: Option<Receipt> },
    /// It came before.
    Replayed,
    /// It makes no sense.
    Refused,
}

impl Handmade {
    pub(crate) fn new() -> Self {
        let board = || Board { period: i32::MIN, ranked: BTreeSet::with_maximum_node_size(NODE_LEN) };
        Self {
            thresholds: (0..LEVEL_MAX).map(|level| level * LEVEL_XP).collect(),
            players: HashMap::default(),
            seen: HashSet::default(),
            boards: [board(), board(), board()],
            receipts: Vec::new(),
        }
    }

    pub(crate) fn submit_batch(&mut self, commands: &[Command]) -> Vec<Answer> {
        commands.iter().map(|command| self.submit(command)).collect()
    }

    pub(crate) fn submit(&mut self, command: &Command) -> Answer {
        let Action::Event { payload, .. } = &command.action else { return Answer::Refused };
        let points = payload.int("deltaXp").and_then(|points| u64::try_from(points).ok());
        let (Some(event), Some(name), Some(granted)) =
            (uuid(command.id.id.as_str()), Name::of(&command.player), points)
        else {
            return Answer::Refused;
        };
        if !self.seen.insert(event) {
            return Answer::Replayed;
        }
        let next = self.players.len() as u32;
        let fresh = || Player { number: next, level: 1, xp: 0, entries: [(i32::MIN, 0); WINDOWS] };
        let player = self.players.entry(name).or_insert_with(fresh);
        player.xp += granted;
        let before = player.level;
        player.level = self.thresholds.partition_point(|threshold| *threshold <= player.xp) as u32;
        let receipt = (before + 1..=player.level)
            .map(|level| Receipt { event, ts: command.ts, player: player.number, level, gold: LEVEL_GOLD })
            .inspect(|receipt| self.receipts.push(*receipt))
            .last();
        if granted > 0 {
            for ((board, entry), period) in self.boards.iter_mut().zip(&mut player.entries).zip(periods(command.ts)) {
                board.add(period, entry, player.number, granted.cast_signed());
            }
        }
        Answer::Applied { granted, level: player.level, receipt }
    }

    /// How many receipts were given.
    pub(crate) fn receipts(&self) -> usize {
        self.receipts.len()
    }

    /// How many players there are.
    pub(crate) fn len(&self) -> usize {
        self.players.len()
    }

    /// Total and level.
    pub(crate) fn player(&self, player: &PlayerId) -> Option<(u64, u32)> {
        self.players.get(&Name::of(player)?).map(|player| (player.xp, player.level))
    }

    /// The highest scores of each window: of the day, the week, the month.
    pub(crate) fn top(&self, limit: usize) -> [Vec<i64>; WINDOWS] {
        self.boards.each_ref().map(|board| board.ranked.iter().take(limit).map(|(score, _)| score.0).collect())
    }
}

impl Name {
    fn of(player: &PlayerId) -> Option<Self> {
        let text = player.as_bytes();
        let mut bytes = [0; 16];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self(u128::from_le_bytes(bytes)))
    }
}

impl Board {
    fn add(&mut self, period: i32, entry: &mut (i32, i64), player: u32, points: i64) {
        if period > self.period {
            self.period = period;
            self.ranked = BTreeSet::with_maximum_node_size(NODE_LEN);
        }
        if period < self.period {
            return;
        }
        if entry.0 == period {
            self.ranked.remove(&(Reverse(entry.1), player));
        } else {
            *entry = (period, 0);
        }
        entry.1 += points;
        self.ranked.insert((Reverse(entry.1), player));
    }
}

/// Day, week from Monday on, and month.
fn periods(ts: Timestamp) -> [i32; WINDOWS] {
    let day = ts.as_unix_millis().div_euclid(DAY_MS) as i32;
    // Day 0 was a Thursday.
    [day, (day + 3).div_euclid(7), month(day)]
}

/// Months since year 0: Howard Hinnant's `civil_from_days`.
fn month(day: i32) -> i32 {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    // From March on.
    let month = (5 * of_year + 2) / 153;
    (year + era * 400) * 12 + month + 2
}

/// The number of a UUID in its usual form of 36 characters.
fn uuid(text: &str) -> Option<u128> {
    let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
    let (mut number, mut seen) = (0_u128, 0);
    for part in [0..8, 9..13, 14..18, 19..23, 24..36] {
        for byte in &text[part] {
            let digit = HEX[usize::from(*byte)];
            seen |= digit;
            number = number << 4 | u128::from(digit & 15);
        }
    }
    (seen < NO_DIGIT).then_some(number)
}

const NO_DIGIT: u8 = 16;

/// What each byte is as a digit.
const HEX: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        digits[b"0123456789abcdef"[digit] as usize] = digit as u8;
        digits[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    digits
};
