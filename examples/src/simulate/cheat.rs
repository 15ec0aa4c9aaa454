//! How somebody plays who does not play by the rules.

use super::chance::Chance;
use super::whole;

/// Who somebody is: the label that detectors are measured against, never told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Plays by the rules.
    Honest,
    /// Now and then several events in a row with many times the XP.
    Burst,
    /// A little more XP each day than the day before, up to many times.
    Ramp,
    /// A program that acts at the same interval.
    Bot,
    /// A program that adds a random part to its interval.
    JitterBot,
    /// Kills bosses faster than is possible.
    BossTime,
    /// Gets drops more often than the odds say.
    RiggedDrops,
    /// Many accounts played by one recording of a person: each looks honest.
    SharedScript,
    /// A good player who starts again under a new name.
    Recycling,
}

impl Kind {
    /// All who cheat, alike often.
    pub const CHEATERS: [Self; 8] = [
        Self::Burst,
        Self::Ramp,
        Self::Bot,
        Self::JitterBot,
        Self::BossTime,
        Self::RiggedDrops,
        Self::SharedScript,
        Self::Recycling,
    ];

    /// Whether one player's data can show it at all.
    pub const fn is_visible(self) -> bool {
        !matches!(self, Self::Honest | Self::SharedScript | Self::Recycling)
    }

    /// For tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Honest => "honest",
            Self::Burst => "burst",
            Self::Ramp => "ramp",
            Self::Bot => "bot",
            Self::JitterBot => "jitterBot",
            Self::BossTime => "bossTime",
            Self::RiggedDrops => "riggedDrops",
            Self::SharedScript => "sharedScript",
            Self::Recycling => "recycling",
        }
    }
}

/// What a cheater changes of honest play.
#[derive(Debug)]
pub(super) struct Scheme {
    kind: Kind,
    /// When it begins, as a part of the season; before, the player is honest.
    begins: f64,
    /// How many times the XP, the odds, or what part of the floor.
    strength: f64,
    /// Events left in this burst.
    burst: u32,
    /// Growth of the logarithm of XP an event; or a bot's seconds between events.
    step: f64,
    /// Of a bot's interval: how far it varies, as a part.
    jitter: f64,
    level: f64,
    hours: f64,
}

impl Scheme {
    pub(super) fn new(kind: Kind, chance: &mut Chance) -> Self {
        let strength = match kind {
            Kind::Burst => chance.factor(5.0, 40.0),
            Kind::Ramp => chance.factor(5.0, 30.0),
            Kind::BossTime => chance.between(0.1, 0.95),
            Kind::RiggedDrops => chance.factor(3.0, 12.0),
            _ => 1.0,
        };
        let bot = matches!(kind, Kind::Bot | Kind::JitterBot);
        Self {
            kind,
            // Bots come in their first days: nobody buys one for an account that was played by hand for a month.
            begins: if bot { 0.0 } else { chance.between(0.0, 0.5) },
            strength,
            burst: 0,
            step: if bot { chance.factor(10.0, 200.0) } else { chance.between(0.005, 0.03) },
            jitter: if kind == Kind::JitterBot { chance.between(0.03, 0.25) } else { 0.0 },
            level: 0.0,
            hours: chance.factor(2.0, 14.0),
        }
    }

    pub(super) fn xp(&mut self, honest: f64, part: f64, chance: &mut Chance) -> f64 {
        match self.kind {
            Kind::Burst if part > self.begins => {
                if self.burst == 0 && chance.happens(0.02) {
                    self.burst = 3 + u32::try_from(chance.below(12)).unwrap_or_default();
                }
                let cheats = self.burst > 0;
                self.burst = self.burst.saturating_sub(1);
                if cheats { honest * self.strength } else { honest }
            }
            Kind::Ramp if part > self.begins => {
                self.level = (self.level + self.step).min(libm::log(self.strength));
                honest * libm::exp(self.level)
            }
            _ => honest,
        }
    }

    pub(super) fn kill_ms(&self, honest: u32, floor_ms: u32, part: f64, chance: &mut Chance) -> u32 {
        if self.kind == Kind::BossTime && part > self.begins && chance.happens(0.5) {
            return whole(f64::from(floor_ms) * self.strength * chance.between(0.9, 1.05));
        }
        honest
    }

    pub(super) fn odds(&self, published: f64, part: f64) -> f64 {
        let rigged = self.kind == Kind::RiggedDrops && part > self.begins;
        if rigged { (published * self.strength).min(0.9) } else { published }
    }

    /// In seconds, if it is not the player who decides.
    pub(super) fn pause(&self, chance: &mut Chance) -> Option<f64> {
        let jitter = 1.0 + self.jitter * chance.normal().clamp(-3.0, 3.0);
        matches!(self.kind, Kind::Bot | Kind::JitterBot).then(|| self.step * jitter.max(0.1))
    }

    /// How long a program runs before somebody stops it.
    pub(super) fn session_hours(&self) -> Option<f64> {
        matches!(self.kind, Kind::Bot | Kind::JitterBot).then_some(self.hours)
    }
}
