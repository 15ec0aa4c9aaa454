//! `anomaly.*`: the family of detectors against what was asked of it: time, recall, false accusations.
//!
//! The peers of these rows are numbers, not rivals; what the guide's z-score does on the same players is printed beside
//! them. `liveops-compare-bytes` measures `anomaly.bytes`.

use std::hint::black_box;

use liveops_bench::Random;
use liveops_compare::measure::{Row, Stopwatch, median};
use liveops_core::anomaly::{Budget, Drops, Observation, PlayerProfile};
use liveops_examples::evaluate::{Fit, Judge, Trial, together};
use liveops_examples::simulate::{Crowd, DAY_MS, Deed, Kind, What, World};

/// What was asked for when detectors were designed.
const FLOOR_NS: f64 = 200.0;
/// What a population-anchored detector found at the same rate of false alerts.
const FLOOR_RECALL: f64 = 0.86;
/// And the honest players that it flagged, in percent.
const FLOOR_HONEST_PERCENT: f64 = 0.5;

/// Amounts of each player in a round.
const EACH: usize = 20;
const ROUNDS: usize = 9;

/// One event that every detector of the family has to do with: an amount, a kill and a chance for a drop.
pub(crate) fn update() -> Result<Row, String> {
    let world = World::new(1);
    let fit = Fit { players: 1_000, floors_known: false, budget: Budget::PerEvent(1e-5) };
    let judge = Judge::fit(&world, &Crowd::new(&world, 1, 0), &fit).map_err(|code| code.to_string())?;
    let mut stopwatch = Stopwatch::default();
    let ours = observe(&mut stopwatch, &world, &judge, 10_000, true)?;
    // The wait that voids is that of the row's own figure.
    let mut other = Stopwatch::default();
    let more = vec![
        ("amounts alone", observe(&mut other, &world, &judge, 10_000, false)?),
        ("1,000 players", observe(&mut other, &world, &judge, 1_000, true)?),
        ("100,000 players", observe(&mut other, &world, &judge, 100_000, true)?),
    ];
    let wait_percent = stopwatch.wait_percent();
    Ok(Row { name: "anomaly.update", ours, peer: FLOOR_NS, unit: "ns/event", wait_percent, more, ..Row::default() })
}

/// The median cost of an event scored and learned.
fn observe(stopwatch: &mut Stopwatch, world: &World, judge: &Judge, players: u64, whole: bool) -> Result<f64, String> {
    let mut profiles = vec![PlayerProfile::default(); usize::try_from(players).unwrap_or_default()];
    let mut rounds = Vec::with_capacity(ROUNDS);
    let played = events(world, judge, players, whole);
    let mut random = Random::new(7);
    for round in 0..=ROUNDS {
        // The same month again, later, with other luck.
        let later = i64::try_from(round).unwrap_or_default() * world.days * DAY_MS;
        let again = |(player, event): &(usize, Observation)| {
            let lucky = (random.below(1 << 20) as f64) < world.bosses[0].drop_odds * f64::from(1 << 20);
            let drops = event.drops.map(|drops| Drops { hits: u32::from(lucky), ..drops });
            (*player, Observation { at: event.at.plus_millis(later), drops, ..*event })
        };
        let events: Vec<_> = played.iter().map(again).collect();
        let (mut alerts, mut refused) = (0, 0);
        let nanos = stopwatch.time(|| {
            for (player, event) in &events {
                match judge.family.observe(&mut profiles[*player], black_box(event)) {
                    Ok(findings) => alerts += findings.len(),
                    Err(_) => refused += 1,
                }
            }
        });
        if refused > 0 || alerts > events.len() / 1_000 {
            return Err(format!("{refused} events were refused, {alerts} alerts came of {} honest ones", events.len()));
        }
        // The first settles caches.
        if round > 0 {
            rounds.push(nanos / events.len() as f64);
        }
    }
    Ok(median(rounds))
}

/// The first amounts of honest players, everybody's first before anybody's second, each with a kill and a chance for its drop if it is to be whole.
fn events(world: &World, judge: &Judge, players: u64, whole: bool) -> Vec<(usize, Observation)> {
    let crowd = Crowd::new(world, 2, 0);
    let mut turns = vec![Vec::new(); EACH];
    // A thousand seasons are enough, played by as many as there are.
    let seasons: Vec<_> = (0..players.min(1_000)).map(|player| crowd.deeds(player)).collect();
    for (player, deeds) in seasons.iter().cycle().take(usize::try_from(players).unwrap_or_default()).enumerate() {
        let amounts = deeds.iter().filter(|deed| matches!(deed.what, What::Xp { .. }));
        for (turn, deed) in turns.iter_mut().zip(amounts) {
            let mut event = judge.observation(deed);
            if whole {
                let kill = What::Kill { boss: 0, duration_ms: world.bosses[0].floor_ms * 2 };
                let Observation { kill, drops, .. } = judge.observation(&Deed { what: kill, ..*deed });
                event = Observation { kill, drops, ..event };
            }
            turn.push((player, event));
        }
    }
    // In no order, so that no processor guesses whose profile is next.
    let mut random = Random::new(3);
    for turn in &mut turns {
        for last in (1..turn.len()).rev() {
            turn.swap(last, usize::try_from(random.below(last as u64 + 1)).unwrap_or_default());
        }
    }
    turns.concat()
}

/// The part of the visible cheaters that is found, at the thresholds for 1e-5 false alerts an event.
pub(crate) fn recall() -> Result<Row, String> {
    let found = trial()?;
    // Cheaters there are for each that is found: a cost, like the figures of other rows.
    Ok(Row {
        name: "anomaly.recall",
        ours: 1.0 / found.recall,
        peer: 1.0 / FLOOR_RECALL,
        unit: "a found one",
        more: found.more,
        ..Row::default()
    })
}

/// The part of the honest players who are ever flagged, in percent, in the same trial.
pub(crate) fn honest() -> Result<Row, String> {
    let found = trial()?;
    Ok(Row {
        name: "anomaly.honest",
        ours: found.honest_percent,
        peer: FLOOR_HONEST_PERCENT,
        unit: "% flagged",
        more: found.more,
        ..Row::default()
    })
}

struct Trialled {
    recall: f64,
    honest_percent: f64,
    more: Vec<(&'static str, f64)>,
}

/// The games of `anomaly_eval`, to none of which anything in the library was tuned.
fn trial() -> Result<Trialled, String> {
    let fit = Fit { players: 4_000, floors_known: true, budget: Budget::PerEvent(1e-5) };
    let trial = Trial { games: (101, 12), cheaters_per_mille: 10, fit };
    let (ours, guide) = trial.run(&[3.0]).map_err(|code| code.to_string())?;
    let percent = |kind: Kind| ours.get(&kind).map_or(f64::NAN, |found| found.part() * 100.0);
    let visible = together(ours.iter().filter(|(kind, _)| kind.is_visible()).map(|(_, found)| found));
    let honest = ours.get(&Kind::Honest).cloned().unwrap_or_default();
    let guide = guide.first().and_then(|guide| guide.get(&Kind::Honest)).map_or(f64::NAN, |found| found.part() * 100.0);
    let more = vec![
        ("recall, %", visible.part() * 100.0),
        ("burst, %", percent(Kind::Burst)),
        ("ramp, %", percent(Kind::Ramp)),
        ("bot, %", percent(Kind::Bot)),
        ("jitterBot, %", percent(Kind::JitterBot)),
        ("bossTime, %", percent(Kind::BossTime)),
        ("riggedDrops, %", percent(Kind::RiggedDrops)),
        ("false alerts, 1e-6", honest.rate() * 1e6),
        ("honest, %", honest.part() * 100.0),
        ("honest by z >= 3, %", guide),
    ];
    Ok(Trialled { recall: visible.part(), honest_percent: honest.part() * 100.0, more })
}
