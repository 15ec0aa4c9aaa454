//! How somebody plays who plays by the rules.

use super::chance::Chance;
use super::cheat::Kind;
use super::world::{Activity, Boss, World};
use super::{DAY_MS, whole};

/// What is a player's own.
#[derive(Debug)]
pub(super) struct Habit {
    /// The daily quest and out: one activity with the same XP each day.
    daily: bool,
    /// Logarithm of how many times the usual XP this player gets.
    skill: f64,
    /// The same for each activity.
    affinity: Vec<f64>,
    /// How much of an activity there is: weights.
    taste: Vec<f64>,
    /// What the logarithm of XP grows by in a season.
    growth: f64,
    /// When in the season a new zone brings more at once, and how much: a logarithm.
    leap: (f64, f64),
    rhythm: f64,
    /// How fast: a factor on the time between events.
    pace: f64,
    sessions_a_day: f64,
    session_minutes: f64,
    kills: f64,
    /// How much slower than the best at bosses.
    slowness: f64,
}

impl Habit {
    pub(super) fn new(world: &World, kind: Kind, chance: &mut Chance) -> Self {
        let recycled = kind == Kind::Recycling;
        // Who would be seen at a boss or by drops goes there.
        let hunts = matches!(kind, Kind::BossTime | Kind::RiggedDrops);
        let daily = matches!(kind, Kind::Honest) && chance.happens(0.15);
        let affinity = world.activities.iter().map(|_| world.affinity * chance.normal()).collect();
        let taste = world.activities.iter().map(|_| chance.exponential()).collect();
        Self {
            daily,
            skill: world.skill * chance.normal() + if recycled { world.growth } else { 0.0 },
            affinity,
            taste,
            growth: world.growth * chance.part() * chance.part(),
            leap: (chance.part(), if chance.happens(0.2) { chance.between(0.1, 0.5) } else { 0.0 }),
            rhythm: chance.between(world.rhythm.0, world.rhythm.1),
            pace: chance.factor(0.7, 1.6),
            sessions_a_day: chance.factor(0.2, 1.5),
            session_minutes: chance.factor(8.0, 60.0),
            kills: if hunts { chance.between(0.4, 0.8) } else { chance.between(0.0, 0.3) },
            slowness: chance.factor(0.5, 2.5),
        }
    }

    /// Half are there from the start.
    pub(super) fn joins_after_ms(days: i64, chance: &mut Chance) -> i64 {
        let days = if chance.happens(0.5) { 1.0 } else { f64::from(i32::try_from(days).unwrap_or_default()) * 0.7 };
        millis(chance.part() * days * 24.0)
    }

    /// A bot's session has its own hours.
    pub(super) fn session_ms(&self, hours: Option<f64>, chance: &mut Chance) -> i64 {
        if self.daily {
            return 1;
        }
        let own = self.session_minutes / 60.0 * libm::exp(0.6 * chance.normal());
        millis(hours.map_or(own.min(9.0), |hours| hours * chance.between(0.8, 1.2)))
    }

    pub(super) fn break_ms(&self, hours: Option<f64>, chance: &mut Chance) -> i64 {
        if self.daily {
            return DAY_MS + i64::from(whole(3_600_000.0 * (2.0 + chance.normal()).max(0.0))) - 7_200_000;
        }
        let own = chance.exponential() * 24.0 / self.sessions_a_day;
        millis(hours.map_or(own, |_| chance.between(8.0, 40.0)).max(0.3))
    }

    pub(super) const fn kills(&self) -> f64 {
        if self.daily { 0.0 } else { self.kills }
    }

    pub(super) fn kill_ms(&self, boss: &Boss, part: f64, chance: &mut Chance) -> u32 {
        // People get a little better.
        let slack = boss.slack * self.slowness * (1.0 - 0.3 * part) * libm::exp(boss.spread * chance.normal());
        whole(f64::from(boss.floor_ms) * (1.0 + slack)).min(80_000_000)
    }

    pub(super) fn picks(&self, chance: &mut Chance) -> usize {
        if self.daily {
            return 0;
        }
        let mut left = chance.part() * self.taste.iter().sum::<f64>();
        for (activity, weight) in self.taste.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return activity;
            }
        }
        0
    }

    pub(super) fn xp(&self, activity: &Activity, place: usize, part: f64, chance: &mut Chance) -> f64 {
        if self.daily {
            return activity.xp * libm::exp(self.skill);
        }
        let leap = if part > self.leap.0 { self.leap.1 } else { 0.0 };
        let own = self.skill + self.affinity[place] + self.growth * part + leap;
        let mut logarithm = own + activity.spread * chance.normal();
        if chance.happens(0.1) {
            logarithm += chance.exponential() / activity.tail;
        }
        if chance.happens(activity.jackpot) {
            logarithm += libm::log(activity.jackpot_factor) + 0.3 * chance.normal();
        }
        activity.xp * libm::exp(logarithm)
    }

    /// In seconds; now and then somebody is at the door.
    pub(super) fn pause(&self, seconds: f64, chance: &mut Chance) -> f64 {
        let away = if chance.happens(0.03) { chance.factor(120.0, 1_500.0) } else { 0.0 };
        seconds * self.pace * libm::exp(self.rhythm * chance.normal()) + away
    }
}

fn millis(hours: f64) -> i64 {
    i64::from(whole(hours * 3_600.0)) * 1_000
}
