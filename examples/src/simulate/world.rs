//! A game: what can be done in it, and what that usually brings.

use super::chance::Chance;

const ACTIVITIES: [&str; 6] = ["quest", "dungeon", "gathering", "arena", "raid", "fishing"];
const BOSSES: [&str; 4] = ["hydra", "wyrm", "lich", "golem"];

/// Something players do again and again.
#[derive(Clone, Debug)]
pub struct Activity {
    /// As events name it.
    pub name: String,
    /// Typical XP.
    pub(super) xp: f64,
    /// Standard deviation of the logarithm of XP, from one time to the next.
    pub(super) spread: f64,
    /// Exponent of a Pareto tail that one time in ten gets; large values are light tails.
    pub(super) tail: f64,
    /// One time in so many brings many times the XP.
    pub(super) jackpot: f64,
    /// How many times.
    pub(super) jackpot_factor: f64,
    /// Typical seconds from one time to the next.
    pub(super) seconds: f64,
}

/// An opponent that takes at least so long, and what it leaves.
#[derive(Clone, Debug)]
pub struct Boss {
    /// As events name it.
    pub name: String,
    /// Nobody is faster, in milliseconds.
    pub floor_ms: u32,
    /// Published probability of its drop.
    pub drop_odds: f64,
    /// How much longer than the floor it typically takes: a part of it.
    pub(super) slack: f64,
    /// Standard deviation of the logarithm of what it takes beyond the floor.
    pub(super) spread: f64,
}

/// A game. Its numbers differ from seed to seed: how heavy tails are, how often jackpots come, how unlike players are.
#[derive(Clone, Debug)]
pub struct World {
    /// Three to six.
    pub activities: Vec<Activity>,
    /// Two to four.
    pub bosses: Vec<Boss>,
    /// Days of the season, the first being a Monday.
    pub days: i64,
    /// Standard deviation of the logarithm of what players are better at than others.
    pub(super) skill: f64,
    /// The same for one activity of one player.
    pub(super) affinity: f64,
    /// Most that somebody's XP grows in the season: a logarithm.
    pub(super) growth: f64,
    /// Standard deviation of the logarithm of the time from one event to the next, of the most and the least regular.
    pub(super) rhythm: (f64, f64),
    /// Whether Saturdays and Sundays double XP.
    pub(super) double_weekends: bool,
}

impl World {
    /// Most that XP is multiplied by on a boosted day.
    pub const BOOST: f64 = 2.0;

    /// The game of a seed.
    ///
    /// ```
    /// use liveops_examples::simulate::World;
    ///
    /// let world = World::new(1);
    /// assert!((3..=6).contains(&world.activities.len()));
    /// assert_ne!(world.bosses[0].floor_ms, World::new(2).bosses[0].floor_ms);
    /// ```
    pub fn new(seed: u64) -> Self {
        let chance = &mut Chance::new(seed, 0);
        let activities = ACTIVITIES[..3 + chance.below(4)].iter().map(|name| Activity {
            name: (*name).to_owned(),
            xp: chance.factor(20.0, 2_000.0),
            spread: chance.between(0.2, 0.9),
            tail: chance.between(1.5, 6.0),
            jackpot: chance.factor(0.000_2, 0.003),
            jackpot_factor: chance.factor(5.0, 30.0),
            seconds: chance.factor(15.0, 240.0),
        });
        let activities = activities.collect();
        let bosses = BOSSES[..2 + chance.below(3)].iter().map(|name| Boss {
            name: (*name).to_owned(),
            floor_ms: 1_000 * u32::try_from(20 + chance.below(160)).unwrap_or_default(),
            drop_odds: chance.factor(0.03, 0.4),
            slack: chance.between(0.2, 0.8),
            spread: chance.between(0.3, 0.8),
        });
        let bosses = bosses.collect();
        let regular = chance.between(0.35, 0.6);
        Self {
            activities,
            bosses,
            days: 28,
            skill: chance.between(0.15, 0.6),
            affinity: chance.between(0.05, 0.25),
            growth: chance.between(0.2, 0.9),
            rhythm: (regular, regular + chance.between(0.2, 0.6)),
            double_weekends: chance.happens(0.7),
        }
    }

    /// What the rules multiply XP by on a day counted from the season's first.
    pub fn boost(&self, day: i64) -> f64 {
        if self.double_weekends && day.rem_euclid(7) >= 5 { Self::BOOST } else { 1.0 }
    }
}
