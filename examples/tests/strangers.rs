//! A game unlike the simulator's: the detectors must not have learned one generator by heart.
//!
//! XP is gamma, Pareto, wide lognormal, or fixed and growing by levels; intervals are exponential, players have a thousand
//! events, everybody grows, floors are not told, and the rules may not tell of the weekends that double XP. Some play a
//! game that is thirty times as fast, by a clock of whole seconds, or whose amounts are a thousand times as large or as small.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use liveops_core::Timestamp;
use liveops_core::anomaly::{Budget, Calibrator, Family, Observation, PlayerProfile, Population, PopulationBuilder};
use liveops_examples::random::SplitMix64;

const START_MS: i64 = 1_794_000_000_000;
const DAY_MS: i64 = 86_400_000;
const DAYS: i64 = 60;
const DEEDS_MAX: usize = 3_000;
const ACTIVITIES: [(&str, f64); 4] = [("alchemy", 50.0), ("delving", 300.0), ("siege", 1_200.0), ("angling", 20.0)];
const ODDS: f64 = 0.0473;
const FLOOR_MS: f64 = 60_000.0;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Honest,
    Burst,
    Ramp,
    Bot,
    JitterBot,
    BossTime,
    RiggedDrops,
}

const CHEATS: [Kind; 6] = [Kind::Burst, Kind::Ramp, Kind::Bot, Kind::JitterBot, Kind::BossTime, Kind::RiggedDrops];

#[derive(Clone, Copy, Debug)]
enum Tail {
    Gamma,
    Pareto,
    Lognormal,
    Fixed,
}

/// A game's own numbers.
#[derive(Clone, Copy, Debug)]
struct Game {
    tail: Tail,
    boosts_told: bool,
    /// How many times as fast as others everything is.
    pace: f64,
    /// How many times as much everything brings.
    times: f64,
    /// Whether history makes tables, or the rules know floors and nothing else is known.
    tables: bool,
}

enum What {
    Xp { activity: usize, xp: f64, boost: f64 },
    Kill { ms: f64, dropped: bool },
}

struct Deed {
    at_ms: i64,
    what: What,
    honest: bool,
}

struct Draws(SplitMix64);

impl Draws {
    fn part(&mut self) -> f64 {
        let high = u32::try_from(self.0.next() >> 32).unwrap();
        (f64::from(high) + 0.5) / f64::from(u32::MAX)
    }
    fn exponential(&mut self) -> f64 {
        -libm::log(self.part())
    }
    fn normal(&mut self) -> f64 {
        (-2.0 * libm::log(self.part())).sqrt() * libm::cos(std::f64::consts::TAU * self.part())
    }
    fn noise(&mut self, tail: Tail) -> f64 {
        match tail {
            // Of a shape between one and two.
            Tail::Gamma => (self.exponential() + self.exponential() * self.part()).max(0.02),
            Tail::Pareto => libm::pow(self.part(), -1.0 / 1.6),
            Tail::Lognormal => libm::exp(1.2 * self.normal()),
            Tail::Fixed => 1.0,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "days of milliseconds")]
fn millis(value: f64) -> i64 {
    value as i64
}

fn play(seed: u64, player: u64, kind: Kind, game: Game) -> Vec<Deed> {
    let Game { tail, pace, times: unit, .. } = game;
    let draws = &mut Draws(SplitMix64::new(seed * 1_000_003 + player * 7_919));
    let (skill, growth, rate) = (libm::exp(0.5 * draws.normal()), 2.0 * draws.part(), 0.3 + 1.5 * draws.part());
    let daily = kind == Kind::Honest && draws.part() < 0.2;
    let favourite = usize::try_from(draws.0.below(4)).unwrap();
    let bot = matches!(kind, Kind::Bot | Kind::JitterBot);
    let begins = START_MS + millis((5.0 + 20.0 * draws.part()) * 86.4e6);
    // No program is faster than a clock of whole seconds tells.
    let (times, interval) = (5.0 + 25.0 * draws.part(), (20e3 + 100e3 * draws.part()) / pace);
    let interval = if pace > 1.0 { 2e3 + interval } else { interval };
    let (mut ramp, mut burst) = (1.0_f64, 0);
    let mut at_ms = START_MS + millis(draws.part() * 864e6);
    let mut deeds = Vec::new();
    while at_ms < START_MS + DAYS * DAY_MS && deeds.len() < DEEDS_MAX {
        let sitting = if daily {
            0.0
        } else if bot {
            300.0 + 300.0 * draws.part()
        } else {
            25.0 * draws.exponential()
        };
        for _ in 0..=millis(sitting) {
            let cheats = at_ms > begins;
            let part = f64::from(i32::try_from((at_ms - START_MS) / 1_000).unwrap()) / (60.0 * 86_400.0);
            if !daily && draws.part() < 0.25 {
                let fast = kind == Kind::BossTime && cheats && draws.part() < 0.3;
                let ms =
                    FLOOR_MS / pace * if fast { 0.4 + 0.5 * draws.part() } else { 1.0 + 0.3 * draws.exponential() };
                let rigged = kind == Kind::RiggedDrops && cheats;
                let dropped = draws.part() < if rigged { 3.0 * ODDS } else { ODDS };
                deeds.push(Deed { at_ms, what: What::Kill { ms, dropped }, honest: !fast && !rigged });
                at_ms += millis(ms);
            } else {
                let other = usize::try_from(draws.0.below(4)).unwrap();
                let activity = if daily || draws.part() < 0.6 { favourite } else { other };
                let jackpot = if draws.part() < 0.002 { 20.0 + 60.0 * draws.part() } else { 1.0 };
                let luck = if daily { 1.0 } else { draws.noise(tail) * jackpot };
                let grown = 1.0 + growth * part;
                // Levels, rather than a little more each time.
                let grown = if matches!(tail, Tail::Fixed) { libm::floor(grown * 5.0) / 5.0 } else { grown };
                let mut xp = unit * ACTIVITIES[activity].1 * skill * grown * luck;
                let mut honest = !bot;
                if kind == Kind::Burst && cheats {
                    burst = if burst == 0 && draws.part() < 0.03 { 5 } else { burst };
                    if burst > 0 {
                        (burst, xp, honest) = (burst - 1, xp * times, false);
                    }
                }
                if kind == Kind::Ramp && cheats {
                    ramp = (ramp + 0.03).min(10.0);
                    (xp, honest) = (xp * ramp, ramp < 2.0);
                }
                let boost = if (at_ms / DAY_MS) % 7 >= 5 { 2.0 } else { 1.0 };
                deeds.push(Deed { at_ms, what: What::Xp { activity, xp: xp * boost, boost }, honest });
            }
            at_ms += millis(match kind {
                Kind::Bot => interval,
                Kind::JitterBot => interval * (0.8 + 0.4 * draws.part()),
                _ => (5e3 + 60e3 * draws.exponential()) / pace,
            });
        }
        at_ms += if daily { DAY_MS } else { 1_900_000 + millis(draws.exponential() * 86.4e6 / rate) };
    }
    deeds
}

fn fitted(game: Game, players: u64) -> (f64, f64, f64) {
    // One of a hundred cheats in the history, one of five among those who are judged.
    let cheat = |player: u64, one_in: u64| {
        let turn = usize::try_from(player / one_in).unwrap() % CHEATS.len();
        if player.is_multiple_of(one_in) { CHEATS[turn] } else { Kind::Honest }
    };
    let told = |boost: f64| if game.boosts_told { boost } else { 1.0 };
    // As events tell it.
    let time =
        |deed: &Deed| Timestamp::from_unix_millis(deed.at_ms - if game.pace > 1.0 { deed.at_ms % 1_000 } else { 0 });
    let mut builder = PopulationBuilder::new();
    for player in 0..players {
        let name = player.to_string();
        for deed in play(1, player, cheat(player, 100), game) {
            let at = time(&deed);
            match deed.what {
                What::Xp { activity, xp, boost } => {
                    builder.gain(&name, at, ACTIVITIES[activity].0, xp, told(boost)).unwrap();
                }
                What::Kill { ms, .. } => {
                    builder.kill(&name, at, "kraken", u32::try_from(millis(ms)).unwrap()).unwrap();
                }
            }
        }
    }
    let (population, floor_ms) = if game.tables {
        (builder.finish(), None)
    } else {
        (Population::default(), u32::try_from(millis(FLOOR_MS)).ok())
    };
    let mut family = Family::new(population);
    let (kraken, crown) = (family.boss("kraken", floor_ms).unwrap(), family.drop_odds("crown", ODDS).unwrap());
    let places = ACTIVITIES.map(|(name, _)| family.activity(name));
    let observation = |deed: &Deed| {
        let event = Observation::at(time(deed));
        match deed.what {
            What::Xp { activity, xp, boost } => event.gain(places[activity], xp, told(boost)),
            What::Kill { ms, dropped } => {
                event.kill(kraken, u32::try_from(millis(ms)).unwrap()).drops(crown, 1, u32::from(dropped))
            }
        }
    };
    let mut calibrator = Calibrator::new();
    for player in 0..players {
        let (mut profile, mut most) = (PlayerProfile::default(), calibrator.player());
        for deed in play(1, player, cheat(player, 100), game) {
            family.observe(&mut profile, &observation(&deed)).unwrap();
            most.observe(&profile.scores());
        }
        calibrator.add(most, 1);
    }
    let family =
        family.with_thresholds(calibrator.thresholds(Budget::PerPlayer { part: 0.003, events: None }).unwrap());
    let (mut honest, mut accused, mut alerts, mut events, mut cheaters, mut found) =
        (0_u32, 0_u32, 0_u32, 0_u32, 0_u32, 0_u32);
    for player in 0..players {
        let (kind, mut profile) = (cheat(player, 5), PlayerProfile::default());
        let deeds = play(2, player, kind, game);
        let said = deeds.iter().map(|deed| family.observe(&mut profile, &observation(deed)).unwrap().len());
        let said = u32::try_from(said.sum::<usize>()).unwrap();
        if kind == Kind::Honest {
            (honest, accused) = (honest + 1, accused + u32::from(said > 0));
            (alerts, events) = (alerts + said, events + u32::try_from(deeds.len()).unwrap());
        } else if deeds.iter().filter(|deed| !deed.honest).count() >= 20 {
            (cheaters, found) = (cheaters + 1, found + u32::from(said > 0));
        }
    }
    let part = |some: u32, all: u32| f64::from(some) / f64::from(all);
    (part(found, cheaters), part(accused, honest), part(alerts, events))
}

fn judged_as_well(game: Game) {
    // Without optimisation, fewer do.
    let players = if cfg!(debug_assertions) { 1_000 } else { 2_000 };
    let (recall, accused, rate) = fitted(game, players);
    let told = format!("{game:?}: recall {recall:.3}, honest {accused:.4}, alerts {rate:.1e}");
    assert!(recall >= 0.9 && accused <= 0.008 && rate <= 1e-5, "{told}");
}

#[test]
fn a_game_unlike_the_simulator_is_judged_as_well() {
    for tail in [Tail::Gamma, Tail::Pareto, Tail::Lognormal, Tail::Fixed] {
        for boosts_told in [true, false] {
            judged_as_well(Game { tail, boosts_told, pace: 1.0, times: 1.0, tables: true });
        }
    }
}

#[test]
fn a_fast_game_is_judged_as_well() {
    for tail in [Tail::Gamma, Tail::Fixed] {
        judged_as_well(Game { tail, boosts_told: true, pace: 30.0, times: 1.0, tables: true });
    }
}

#[test]
fn a_game_of_large_amounts_is_judged_as_well() {
    for tail in [Tail::Gamma, Tail::Pareto] {
        judged_as_well(Game { tail, boosts_told: true, pace: 1.0, times: 1_000.0, tables: true });
    }
}

/// Who has no history is told what amounts are usual by each player: then a thousandth is judged as a thousandfold is.
#[test]
fn without_tables_a_game_is_judged_alike_in_whatever_unit() {
    let players = if cfg!(debug_assertions) { 500 } else { 2_000 };
    let of = |times| fitted(Game { tail: Tail::Gamma, boosts_told: true, pace: 1.0, times, tables: false }, players);
    let plain = of(1.0);
    println!("without tables: {plain:?}");
    assert!(plain.0 >= 0.8 && plain.1 <= 0.008, "{plain:?}");
    for times in [1_000.0, 0.001] {
        let other = of(times);
        let near = |one: f64, other: f64| (one - other).abs() <= 0.01;
        assert!(near(plain.0, other.0) && near(plain.1, other.1), "times {times}: {other:?}, not {plain:?}");
    }
}
