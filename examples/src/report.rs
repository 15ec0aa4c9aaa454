//! What an operator wants to see after a run, in plain text of a hundred columns.

mod boards;
pub(crate) mod layout;
mod suspects;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::time::Duration;

use liveops_core::record::{Kind, Record, Suspicion};
use liveops_core::store;
use liveops_core::{Engine, Error, FullStore, Key, PlayerId, Scan, Timestamp};

use self::layout::{heading, number, signed, split_columns};
use crate::replay::{Prize, Tally};

/// Widest line.
const WIDTH: usize = 100;
/// Lines of the histogram of levels.
const LEVEL_BANDS_MAX: u32 = 25;
/// Records that are read together.
pub(crate) const PAGE_RECORDS: usize = 4096;

/// A run and the state after it. The last line is `digest v1:<hex>`.
pub fn render<S: FullStore>(
    engine: &Engine<S>,
    tally: &Tally,
    source: &str,
    elapsed: Duration,
) -> Result<String, Error> {
    let mut out = String::new();
    let state = State::read(engine)?;
    let now = tally.last.unwrap_or_default();
    // Writing to a text cannot fail.
    let written: fmt::Result = (|| {
        writeln!(out, "{} from {source}", engine.rules().game())?;
        run(&mut out, tally, elapsed)?;
        outcomes(&mut out, tally)?;
        players(&mut out, engine, &state, tally)?;
        rewards(&mut out, &tally.rewards)
    })();
    debug_assert!(written.is_ok());
    boards::running(&mut out, engine, now)?;
    boards::closed(&mut out, &engine.rules(), &tally.closings);
    suspects::write(&mut out, &state.suspicions);
    _ = write!(out, "\ndigest {}\n", engine.digest()?);
    Ok(out)
}

/// What the report reads of all records.
struct State {
    /// XP of each player.
    players: Vec<u64>,
    suspicions: Vec<(PlayerId, Suspicion)>,
}

impl State {
    fn read<S: Scan>(engine: &Engine<S>) -> Result<Self, Error> {
        let mut state = Self { players: Vec::new(), suspicions: Vec::new() };
        for kind in [Kind::Player, Kind::Suspicion] {
            for read in store::records(engine.store(), Some(kind), PAGE_RECORDS) {
                match read? {
                    (Key::Player(_), Record::Player(player)) => state.players.push(player.xp),
                    (Key::Suspicion(player, _), Record::Suspicion(suspicion)) => {
                        state.suspicions.push((player, *suspicion));
                    }
                    _ => {}
                }
            }
        }
        Ok(state)
    }
}

fn run(out: &mut String, tally: &Tally, elapsed: Duration) -> fmt::Result {
    let nanos = elapsed.as_nanos().max(1);
    let rate = u128::from(tally.lines) * 1_000_000_000 / nanos;
    let rate = number(u64::try_from(rate).unwrap_or(u64::MAX));
    writeln!(out)?;
    if let (Some(first), Some(last)) = (tally.first, tally.last) {
        writeln!(out, "received     {} to {}", minute(first), minute(last))?;
    }
    let broken = match tally.broken {
        0 => String::new(),
        broken => format!(", {} of them broken and left out", number(broken)),
    };
    writeln!(out, "lines        {}{broken}", number(tally.lines))?;
    if tally.resumed > 0 {
        writeln!(out, "resumed      after {} lines that the store holds", number(tally.resumed))?;
    }
    let seconds = elapsed.as_secs_f64();
    writeln!(
        out,
        "speed        {rate} events a second: read, verified, validated, decided, committed in {seconds:.2} s"
    )
}

fn minute(time: Timestamp) -> String {
    let text = time.to_string();
    format!("{} {}", text.get(..10).unwrap_or_default(), text.get(11..16).unwrap_or_default())
}

fn outcomes(out: &mut String, tally: &Tally) -> fmt::Result {
    heading(out, "Outcomes", "by code, most frequent first");
    let total: u64 = tally.outcomes.values().sum();
    let mut counts: Vec<_> = tally.outcomes.iter().collect();
    counts.sort_by_key(|(code, count)| (std::cmp::Reverse(**count), **code));
    let cells = counts.into_iter().map(|(code, count)| {
        let permille = count * 1000 / total.max(1);
        format!("{:>9}  {code:<22}{:>3}.{} %", number(*count), permille / 10, permille % 10)
    });
    split_columns(out, &cells.collect::<Vec<_>>(), 2, WIDTH / 2);
    if tally.late > 0 {
        writeln!(
            out,
            "\n  {} applied events came too late for a period and count on longer ones.",
            number(tally.late)
        )?;
    }
    Ok(())
}

fn players<S>(out: &mut String, engine: &Engine<S>, state: &State, tally: &Tally) -> fmt::Result {
    heading(out, "Players", "by level");
    let rules = engine.rules();
    let mut levels: BTreeMap<u32, u64> = BTreeMap::new();
    for xp in &state.players {
        *levels.entry(rules.level_progress(*xp).level).or_default() += 1;
    }
    let highest = levels.keys().last().copied().unwrap_or(1);
    let step = highest.div_ceil(LEVEL_BANDS_MAX).max(1);
    let mut bands: BTreeMap<u32, u64> = BTreeMap::new();
    for (level, count) in levels {
        *bands.entry((level - 1) / step).or_default() += count;
    }
    let most = bands.values().copied().max().unwrap_or(1).max(1);
    for band in 0..=bands.keys().last().copied().unwrap_or_default() {
        let count = bands.get(&band).copied().unwrap_or_default();
        let (first, last) = (band * step + 1, (band + 1) * step);
        let label = if step == 1 { format!("level {first}") } else { format!("level {first}-{last}") };
        let bar = usize::try_from((count * 64).div_ceil(most)).unwrap_or_default();
        let row = format!("  {label:<14}{:>9}  {}", number(count), "#".repeat(bar));
        writeln!(out, "{}", row.trim_end())?;
    }
    let count = number(state.players.len() as u64);
    writeln!(out, "\n  {count} players; {} times somebody rose several levels at once", number(tally.jumps))?;
    let boosted = number(tally.xp_boosted.max(0).unsigned_abs());
    let (granted, withheld) = (number(tally.xp_granted), number(tally.xp_over_cap));
    writeln!(out, "  {granted} XP granted, {boosted} of it by boosts; {withheld} withheld by the daily cap")
}

fn rewards(out: &mut String, rewards: &BTreeMap<String, Prize>) -> fmt::Result {
    heading(out, "Rewards", "granted in this run");
    if rewards.is_empty() {
        writeln!(out, "  none")?;
    }
    for (name, Prize { times, items }) in rewards {
        let items: Vec<_> =
            items.iter().map(|((kind, id), amount)| format!("{} {id} ({kind})", signed(*amount))).collect();
        writeln!(out, "{:>9} x {name:<22} {}", number(*times), items.join(", "))?;
    }
    Ok(())
}
