//! What players do in one sitting.

use super::crowd::{Habit, Player};
use crate::random::SplitMix64;

/// Something that happened in the game.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    pub(super) at_ms: i64,
    pub(super) kind: &'static str,
    /// JSON.
    pub(super) payload: String,
}

/// Sittings before a cheater begins to cheat: time to learn a baseline.
const HONEST_SESSIONS: u64 = 3;
/// The most XP that the rules let one event ask for.
const XP_MAX: i64 = 5_000;
const RATING_MAX: i64 = 5_000;

const ZONES: &[&str] = &["ashen-reach", "cinder-vale", "lower-vault", "glass-marsh"];
const ITEMS: &[&str] = &["ember-shard", "moonroot", "iron-ore", "silk", "salt", "amber"];

impl Player {
    pub(super) fn play(&mut self, at_ms: i64, random: &mut SplitMix64) -> Vec<Deed> {
        self.sessions += 1;
        let mut sitting = Sitting { at_ms, deeds: Vec::new(), random };
        let cheats = self.sessions > HONEST_SESSIONS;
        match self.habit {
            Habit::Daily => {
                let xp = sitting.random.between(150, 250);
                sitting.progress("quest", xp, 0);
            }
            Habit::Speedrunner => self.race(&mut sitting),
            Habit::Merchant => Self::trade(&mut sitting),
            Habit::Duelist => self.duel(&mut sitting),
            Habit::Newcomer => self.read_on(&mut sitting),
            Habit::Burster if cheats => self.burst(&mut sitting),
            Habit::Grinder | Habit::Burster => self.grind(&mut sitting),
            Habit::Impossible => self.race_impossibly(&mut sitting),
            Habit::Bot => Self::tick(&mut sitting),
            Habit::Ramp => self.climb(&mut sitting),
            Habit::Rigger => {
                if cheats {
                    self.rating = sitting.random.between(4_700, 4_950);
                }
                self.duel(&mut sitting);
            }
            Habit::Flooder if cheats => {
                (0..34).for_each(|_| sitting.progress("gathering", 5, 150));
            }
            Habit::Casual | Habit::Flooder => self.stroll(&mut sitting),
        }
        sitting.deeds
    }

    /// What a dungeon brings this time: a third more or less.
    fn dungeon_xp(&self, random: &mut SplitMix64) -> i64 {
        random.between(self.xp * 2 / 3, self.xp * 4 / 3)
    }

    fn grind(&self, sitting: &mut Sitting<'_>) {
        for _ in 0..sitting.random.between(4, 9) {
            let xp = self.dungeon_xp(sitting.random);
            sitting.progress("dungeon", xp, 35_000);
        }
        if sitting.random.one_in(4) {
            sitting.boss("wyrm", 200_000);
        }
        if sitting.random.one_in(9) {
            let ms = self.hydra_ms * sitting.random.between(100, 160) / 100;
            sitting.boss("hydra", ms);
        }
    }

    fn stroll(&self, sitting: &mut Sitting<'_>) {
        for _ in 0..sitting.random.between(1, 4) {
            match sitting.random.below(6) {
                0 => sitting.arena(self.rating),
                1 => sitting.drop(),
                2 | 3 => {
                    let xp = self.dungeon_xp(sitting.random) / 2;
                    sitting.progress("gathering", xp, 60_000);
                }
                _ => {
                    let xp = self.dungeon_xp(sitting.random);
                    sitting.progress("quest", xp, 60_000);
                }
            }
        }
    }

    fn race(&mut self, sitting: &mut Sitting<'_>) {
        for _ in 0..sitting.random.between(1, 3) {
            let ms = self.hydra_ms * sitting.random.between(97, 125) / 100;
            sitting.boss("hydra", ms.max(46_200));
            self.hydra_ms = (self.hydra_ms * 98 / 100).max(47_000);
        }
    }

    fn trade(sitting: &mut Sitting<'_>) {
        let xp = sitting.random.between(30, 60);
        sitting.progress("gathering", xp, 90_000);
        (0..sitting.random.between(2, 5)).for_each(|_| sitting.drop());
    }

    fn duel(&mut self, sitting: &mut Sitting<'_>) {
        for _ in 0..sitting.random.between(3, 6) {
            self.rating = (self.rating + sitting.random.between(-14, 24)).clamp(0, RATING_MAX);
            sitting.arena(self.rating);
        }
    }

    fn read_on(&self, sitting: &mut Sitting<'_>) {
        let xp = if self.sessions <= 2 { 1_300 } else { 500 };
        let xp = sitting.random.between(xp, xp * 3 / 2);
        sitting.progress("story", xp, 600_000);
        self.stroll(sitting);
    }

    fn burst(&self, sitting: &mut Sitting<'_>) {
        for round in 0..sitting.random.between(4, 7) {
            let honest = self.dungeon_xp(sitting.random);
            let xp = if round % 2 == 0 { honest } else { (honest * sitting.random.between(25, 40)).min(XP_MAX) };
            sitting.progress("dungeon", xp, 35_000);
        }
    }

    fn race_impossibly(&self, sitting: &mut Sitting<'_>) {
        let ms = if self.sessions % 3 == 1 { self.hydra_ms } else { sitting.random.between(3_000, 31_000) };
        sitting.boss("hydra", ms);
    }

    /// At last somebody touches the keyboard.
    fn tick(sitting: &mut Sitting<'_>) {
        (0..11).for_each(|_| sitting.progress("dungeon", 137, 60_000));
        let xp = sitting.random.between(150, 190);
        sitting.progress("dungeon", xp, 60_000);
    }

    fn climb(&mut self, sitting: &mut Sitting<'_>) {
        for _ in 0..5 {
            sitting.progress("dungeon", self.xp, 40_000);
            self.xp = (self.xp + self.xp / 30 + 1).min(XP_MAX);
        }
    }
}

/// One deed after the other.
struct Sitting<'r> {
    at_ms: i64,
    deeds: Vec<Deed>,
    random: &'r mut SplitMix64,
}

impl Sitting<'_> {
    fn add(&mut self, kind: &'static str, payload: String, lasts_ms: i64) {
        // Nobody is exact; programs and floods are.
        let exact = lasts_ms == 60_000 || lasts_ms < 1000;
        let spent = if exact { lasts_ms } else { self.random.between(lasts_ms, lasts_ms * 2) };
        self.deeds.push(Deed { at_ms: self.at_ms, kind, payload });
        self.at_ms += spent;
    }

    fn progress(&mut self, activity: &str, xp: i64, lasts_ms: i64) {
        let zone =
            if self.random.one_in(3) { format!(r#","zone":"{}""#, self.random.pick(ZONES)) } else { String::new() };
        self.add("progression", format!(r#"{{"deltaXp":{xp},"activity":"{activity}"{zone}}}"#), lasts_ms);
    }

    fn boss(&mut self, boss: &str, ms: i64) {
        let (party, damage) = (self.random.between(1, 5), self.random.between(40_000, 900_000));
        let payload = format!(
            r#"{{"bossId":"{boss}","durationMs":{ms},"difficulty":"heroic","partySize":{party},"damage":{damage},"activity":"raid"}}"#
        );
        self.at_ms += ms;
        self.add("boss_kill", payload, 90_000);
    }

    fn drop(&mut self) {
        let (drop, item) = (self.random.below(1 << 24), self.random.pick(ITEMS));
        let (quantity, rarity) = (self.random.between(1, 12), self.random.pick(&["common", "common", "rare", "epic"]));
        let payload =
            format!(r#"{{"dropId":"d-{drop:06x}","itemId":"{item}","quantity":{quantity},"rarity":"{rarity}"}}"#);
        self.add("drop_claimed", payload, 20_000);
    }

    /// Some games send more than the rules know of: `arena_win` ignores it.
    fn arena(&mut self, rating: i64) {
        let map = if self.random.one_in(4) { r#","map":"pit""# } else { "" };
        self.add("arena_win", format!(r#"{{"rating":{rating}{map}}}"#), 150_000);
    }
}
