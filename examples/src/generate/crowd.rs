//! Who plays: several hundred players of different habits, and a few cheaters.

use std::collections::BTreeSet;

use super::names;
use crate::random::SplitMix64;

/// How somebody plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    /// Long evenings in the dungeon.
    Grinder,
    /// A bit of everything.
    Casual,
    /// The daily quest and out.
    Daily,
    /// The hydra, faster each time.
    Speedrunner,
    /// Gathers and collects.
    Merchant,
    /// The arena.
    Duelist,
    /// A story chapter at a time, with much XP at once: jumps of several levels.
    Newcomer,
    /// Cheats: honest for a while, then many times the XP.
    Burster,
    /// Cheats: kills the hydra in seconds.
    Impossible,
    /// Cheats: a program that gets the same XP every minute.
    Bot,
    /// Cheats: a little more XP each time, so that no step is large.
    Ramp,
    /// Cheats: an arena rating out of nowhere.
    Rigger,
    /// Cheats: as many requests as the line carries.
    Flooder,
}

/// Habits by how many of a hundred players have them, and how often they sit down.
const HONEST: &[(Habit, u64, u64)] = &[
    (Habit::Grinder, 16, 5),
    (Habit::Casual, 40, 2),
    (Habit::Daily, 16, 3),
    (Habit::Speedrunner, 8, 3),
    (Habit::Merchant, 8, 3),
    (Habit::Duelist, 8, 3),
    (Habit::Newcomer, 4, 2),
];
const CHEATS: &[Habit] = &[Habit::Burster, Habit::Impossible, Habit::Bot, Habit::Ramp, Habit::Rigger, Habit::Flooder];

/// Lines for each player.
const LINES_PER_PLAYER: u64 = 12;
/// Players for each cheater of a kind.
const PLAYERS_PER_CHEATER: u64 = 400;
/// How often a cheater sits down.
const CHEATER_EAGERNESS: u64 = 20;

/// Somebody.
#[derive(Clone, Debug)]
pub(super) struct Player {
    pub(super) name: String,
    pub(super) habit: Habit,
    /// Whether this player's game writes the event's id into the body; else only the header has it.
    pub(super) id_in_body: bool,
    /// What one dungeon brings.
    pub(super) xp: i64,
    pub(super) rating: i64,
    pub(super) hydra_ms: i64,
    pub(super) sessions: u64,
}

/// All players.
#[derive(Debug)]
pub(super) struct Crowd {
    players: Vec<Player>,
    /// Running sums of how often each sits down.
    eager: Vec<u64>,
}

impl Crowd {
    pub(super) fn new(events: u64, random: &mut SplitMix64) -> Self {
        let count = (events / LINES_PER_PLAYER).clamp(20, 100_000);
        let mut crowd = Self { players: Vec::new(), eager: Vec::new() };
        let mut taken = BTreeSet::new();
        for cheat in CHEATS {
            for _ in 0..=count / PLAYERS_PER_CHEATER {
                crowd.join(*cheat, CHEATER_EAGERNESS, &mut taken, random);
            }
        }
        while (crowd.players.len() as u64) < count {
            let mut draw = random.below(HONEST.iter().map(|(_, share, _)| share).sum());
            for (habit, share, eagerness) in HONEST {
                if draw < *share {
                    let eagerness = eagerness * (1 + random.below(4));
                    crowd.join(*habit, eagerness, &mut taken, random);
                    break;
                }
                draw -= share;
            }
        }
        crowd
    }

    fn join(&mut self, habit: Habit, eagerness: u64, taken: &mut BTreeSet<String>, random: &mut SplitMix64) {
        self.players.push(Player {
            name: names::fresh(taken, random),
            habit,
            id_in_body: random.one_in(2),
            xp: random.between(70, 160),
            rating: random.between(900, 1700),
            hydra_ms: random.between(58_000, 110_000),
            sessions: 0,
        });
        self.eager.push(self.eager.last().copied().unwrap_or_default() + eagerness);
    }

    /// Who sits down next.
    pub(super) fn somebody(&mut self, random: &mut SplitMix64) -> &mut Player {
        let draw = random.below(self.eager.last().copied().unwrap_or_default());
        let at = self.eager.partition_point(|sum| *sum <= draw);
        &mut self.players[at]
    }
}
