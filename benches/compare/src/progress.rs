//! `progress.*`: a level looked up, against the loop that most games have; a grant applied, against a floor.

use std::hint::black_box;

use liveops_bench::Random;
use liveops_compare::measure::{Row, by_turns};
use liveops_core::progress::{Boost, LevelCurve, Levels, Progression};
use liveops_core::{Id, Timestamp};

/// What was asked for; not a rival.
const APPLY_FLOOR_NS: f64 = 100.0;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const MAX_LEVEL: u32 = 100;
/// Where most players of a young game are, and where the loop ends soon.
const LOW_LEVEL: u32 = 10;
/// Totals looked up in a round, so many that no branch predictor learns their order.
const TOTALS: usize = 500_000;
/// Players who are granted something by turns: their totals stay in the cache, as those of a batch do.
const PLAYERS: usize = 10_000;
const GRANTS: usize = 500_000;

fn levels() -> Result<Levels, String> {
    let curve = LevelCurve::exponential(250, "1.1").map_err(|error| error.to_string())?;
    curve.max_level(MAX_LEVEL).compile().map_err(|error| error.to_string())
}

/// Each level up to `highest` as likely as any other: uniform totals would mostly be of the last ones, where the loop is at
/// its slowest.
fn totals(levels: &Levels, highest: u32, count: usize) -> Vec<u64> {
    let mut random = Random::new(7);
    let mut total = || {
        let level = u32::try_from(random.below(u64::from(highest))).unwrap_or_default() + 1;
        levels.total(level) + random.below(levels.cost(level).max(1))
    };
    (0..count).map(|_| total()).collect()
}

/// The usual loop: takes the costs off one after the other.
fn level_by_loop(costs: &[u64], xp: u64) -> u32 {
    let (mut level, mut rest) = (1, xp);
    for cost in costs {
        if rest < *cost {
            break;
        }
        rest -= cost;
        level += 1;
    }
    level
}

/// The same as it is mostly written, with sums of costs that are known beforehand.
fn level_by_thresholds(starts: &[u64], xp: u64) -> u32 {
    let mut level = 1;
    for start in starts.iter().skip(1) {
        if xp < *start {
            break;
        }
        level += 1;
    }
    level
}

/// Ours against a peer that is compiled into the loop, as ours is.
fn look_up(levels: &Levels, totals: &[u64], peer: impl Fn(u64) -> u32) -> Result<Row, String> {
    let each = |nanos: f64| nanos / totals.len() as f64;
    by_turns(
        |stopwatch| {
            Ok(each(stopwatch.time(|| {
                for xp in totals {
                    black_box(levels.level_at(black_box(*xp)));
                }
            })))
        },
        |stopwatch| {
            Ok(each(stopwatch.time(|| {
                for xp in totals {
                    black_box(peer(black_box(*xp)));
                }
            })))
        },
    )
}

pub(crate) fn level_loop() -> Result<Row, String> {
    let levels = levels()?;
    let costs: Vec<u64> = levels.costs().collect();
    let starts: Vec<u64> = levels.totals().collect();
    let everywhere = totals(&levels, MAX_LEVEL, TOTALS);
    let low = totals(&levels, LOW_LEVEL, TOTALS);
    let edges = starts.iter().flat_map(|start| [start.saturating_sub(1), *start, start + 1]);
    for xp in everywhere.iter().chain(&low).copied().chain(edges).chain([u64::MAX]) {
        let ours = levels.level_at(xp);
        if [level_by_loop(&costs, xp), level_by_thresholds(&starts, xp)] != [ours; 2] {
            return Err(format!("{xp} XP are another level by the loop than {ours}"));
        }
    }
    let row = look_up(&levels, &everywhere, |xp| level_by_loop(&costs, xp))?;
    let thresholds = look_up(&levels, &everywhere, |xp| level_by_thresholds(&starts, xp))?;
    let beginners = look_up(&levels, &low, |xp| level_by_loop(&costs, xp))?;
    let more = vec![
        ("loop over thresholds", thresholds.peer),
        ("ours, levels 1 to 10", beginners.ours),
        ("loop, levels 1 to 10", beginners.peer),
    ];
    Ok(Row { name: "progress.level.loop", more, ..row })
}

/// A grant with a boost, a daily cap and what is left of it, added to the total; the level after it, and those gained.
pub(crate) fn apply() -> Result<Row, String> {
    let levels = levels()?;
    let boost = |id: &str, from: Timestamp| {
        let id = Id::new(id).map_err(|error| error.to_string())?;
        let factor = "1.5".parse().map_err(|_| "a factor")?;
        Ok::<_, String>(Boost { id, from, until: from.plus_millis(3_600_000), factor })
    };
    let boosts = vec![boost("last-week", NOW.minus_millis(604_800_000))?, boost("now", NOW)?];
    let progression = Progression { daily_xp_cap: Some(20_000), boosts, ..Progression::new(levels.clone()) };
    let start = totals(&levels, MAX_LEVEL, PLAYERS);
    let mut random = Random::new(8);
    let requests: Vec<u64> = (0..GRANTS).map(|_| 1 + random.below(300)).collect();
    let mut jumps = 0;
    let row = by_turns(
        |stopwatch| {
            let mut players: Vec<(u64, u64)> = start.iter().map(|xp| (*xp, 0)).collect();
            let (mut failed, mut gained) = (false, 0);
            let nanos = stopwatch.time(|| {
                for (at, requested) in requests.iter().enumerate() {
                    let (xp, today) = &mut players[at % PLAYERS];
                    match progression.grant(*xp, *today, *requested, NOW) {
                        Ok(grant) => {
                            let before = *xp;
                            *xp += grant.granted;
                            *today += grant.granted;
                            black_box(levels.progress(*xp));
                            gained += levels.gained(before, *xp).count();
                        }
                        Err(_) => failed = true,
                    }
                }
            });
            // Exactly what was asked for, half as much again, or the workload is not what the row says.
            let asked: u64 = requests.iter().map(|requested| requested * 3 / 2).sum();
            let given: u64 = players.iter().map(|(_, today)| today).sum();
            if failed || given != asked || gained == 0 {
                return Err(format!("{given} XP given of {asked}, {gained} levels gained"));
            }
            jumps = gained;
            Ok(nanos / GRANTS as f64)
        },
        |_| Ok(APPLY_FLOOR_NS),
    )?;
    let more = vec![("levels gained, %", jumps as f64 * 100.0 / GRANTS as f64)];
    Ok(Row { name: "progress.apply", more, ..row })
}
