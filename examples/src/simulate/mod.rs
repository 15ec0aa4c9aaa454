//! Players of a made-up game, honest ones and cheaters, to measure detectors with.
//!
//! Unlike a [`crate::generate`]d season it goes through no door: what counts here is many players with numbers as
//! games have them. Players are made one at a time, so any number needs little memory, and who cheats is told apart
//! from what they do. The same seeds give the same bits everywhere.

mod chance;
mod cheat;
mod habit;
mod world;

pub use cheat::Kind;
pub use world::{Activity, Boss, World};

use chance::Chance;
use cheat::Scheme;
use habit::Habit;

/// The season's first millisecond: Monday, 2 November 2026, UTC.
pub const START_MS: i64 = 1_793_577_600_000;
/// Of a day.
pub const DAY_MS: i64 = 86_400_000;

/// Something that a player did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deed {
    /// In milliseconds since 1970, whole seconds as events carry them.
    pub at_ms: i64,
    /// What.
    pub what: What,
}

/// What a [`Deed`] was. Numbers are places in the [`World`]'s lists.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// An activity, and the XP it brought with every boost.
    Xp {
        /// Which.
        activity: usize,
        /// How much.
        xp: u32,
        /// What the rules multiplied it by.
        boost: f64,
    },
    /// A boss was killed: a chance for its drop.
    Kill {
        /// Which.
        boss: usize,
        /// How long it took.
        duration_ms: u32,
    },
    /// The drop of the kill just before.
    Drop {
        /// Whose.
        boss: usize,
    },
}

/// So many players of a game.
#[derive(Clone, Debug)]
pub struct Crowd<'w> {
    world: &'w World,
    seed: u64,
    /// Cheaters among a thousand.
    cheaters_per_mille: u64,
}

impl<'w> Crowd<'w> {
    /// Players of a seed, of whom so many of a thousand cheat, all kinds alike often.
    ///
    /// ```
    /// use liveops_examples::simulate::{Crowd, Kind, World};
    ///
    /// let world = World::new(1);
    /// let crowd = Crowd::new(&world, 7, 500);
    /// assert_eq!(crowd.deeds(3), crowd.deeds(3));
    /// let cheaters = (0..1_000).filter(|player| crowd.kind(*player) != Kind::Honest).count();
    /// assert!((400..600).contains(&cheaters));
    /// ```
    pub const fn new(world: &'w World, seed: u64, cheaters_per_mille: u64) -> Self {
        Self { world, seed, cheaters_per_mille }
    }

    /// Who this player is. Detectors are not told.
    pub fn kind(&self, player: u64) -> Kind {
        let chance = &mut Chance::new(self.seed, player * 4 + 1);
        let cheats = chance.below(1_000) < usize::try_from(self.cheaters_per_mille).unwrap_or(usize::MAX);
        if cheats { Kind::CHEATERS[chance.below(Kind::CHEATERS.len())] } else { Kind::Honest }
    }

    /// All that this player did, in order.
    pub fn deeds(&self, player: u64) -> Vec<Deed> {
        self.labelled(player).into_iter().map(|(deed, _)| deed).collect()
    }

    /// The same, each with whether it was honest.
    pub fn labelled(&self, player: u64) -> Vec<(Deed, bool)> {
        let kind = self.kind(player);
        // A shared script plays the same on every account.
        let stream = if kind == Kind::SharedScript { 3 } else { player * 4 + 2 };
        let mut chance = Chance::new(self.seed, stream);
        let habit = Habit::new(self.world, kind, &mut chance);
        let scheme = Scheme::new(kind, &mut chance);
        let mut season = Season { world: self.world, habit, scheme, chance, deeds: Vec::new() };
        season.play();
        season.deeds
    }
}

/// A player's season as it is made.
struct Season<'w> {
    world: &'w World,
    habit: Habit,
    scheme: Scheme,
    chance: Chance,
    deeds: Vec<(Deed, bool)>,
}

impl Season<'_> {
    fn play(&mut self) {
        let end_ms = START_MS + self.world.days * DAY_MS;
        let mut now = START_MS + Habit::joins_after_ms(self.world.days, &mut self.chance);
        while now < end_ms {
            let until = now + self.habit.session_ms(self.scheme.session_hours(), &mut self.chance);
            while now < until.min(end_ms) {
                now += self.deed(now);
            }
            now += self.habit.break_ms(self.scheme.session_hours(), &mut self.chance);
        }
    }

    /// One deed; returns how long until the next.
    fn deed(&mut self, now: i64) -> i64 {
        let at_ms = now / 1_000 * 1_000;
        let part = share(at_ms - START_MS, self.world.days * DAY_MS);
        let scripted = self.scheme.session_hours().is_some();
        if self.chance.happens(self.habit.kills()) {
            let boss = self.chance.below(self.world.bosses.len());
            let Boss { floor_ms, drop_odds, .. } = self.world.bosses[boss];
            let honest = self.habit.kill_ms(&self.world.bosses[boss], part, &mut self.chance);
            let duration_ms = self.scheme.kill_ms(honest, floor_ms, part, &mut self.chance);
            let odds = self.scheme.odds(drop_odds, part);
            let fair = !scripted && duration_ms == honest && odds <= drop_odds;
            self.deeds.push((Deed { at_ms, what: What::Kill { boss, duration_ms } }, fair));
            if self.chance.happens(odds) {
                self.deeds.push((Deed { at_ms, what: What::Drop { boss } }, fair));
            }
            return i64::from(duration_ms) + self.pause(45.0);
        }
        let activity = self.habit.picks(&mut self.chance);
        let boost = self.world.boost((at_ms - START_MS) / DAY_MS);
        let honest = self.habit.xp(&self.world.activities[activity], activity, part, &mut self.chance);
        let got = self.scheme.xp(honest, part, &mut self.chance);
        let what = What::Xp { activity, xp: whole(got * boost), boost };
        // A ramp's first steps are within what anybody has.
        self.deeds.push((Deed { at_ms, what }, !scripted && got < 2.0 * honest));
        self.pause(self.world.activities[activity].seconds)
    }

    fn pause(&mut self, seconds: f64) -> i64 {
        let seconds =
            self.scheme.pause(&mut self.chance).unwrap_or_else(|| self.habit.pause(seconds, &mut self.chance));
        i64::from(whole(seconds * 1_000.0)).max(1_000)
    }
}

/// Of an amount: at least 1, at most a million.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn whole(value: f64) -> u32 {
    libm::round(value).clamp(1.0, 100_000_000.0) as u32
}

#[expect(clippy::cast_precision_loss, reason = "a season of milliseconds")]
fn share(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}
