//! Timing that knows when it cannot be trusted.

use std::collections::BTreeMap;
use std::time::Instant;

/// A row is void when its process waited for a processor for more than this share of the time.
const WAIT_PERCENT_MAX: f64 = 3.0;

/// Rounds of which the median is a row's cost.
const ROUNDS: usize = 9;

/// One measured row, as `cargo xtask compare` reads it.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// `area.what`, and the peer where there are several.
    pub name: &'static str,
    /// Our cost.
    pub ours: f64,
    /// The peer's cost, in the same unit.
    pub peer: f64,
    /// Of both costs.
    pub unit: &'static str,
    /// Share of the time that the process waited for a processor.
    pub wait_percent: f64,
    /// Printed with the others, but nothing is promised of it.
    pub for_the_record: bool,
    /// What else was measured in the same run, by name.
    pub more: Vec<(&'static str, f64)>,
}

impl Row {
    /// The JSON line.
    pub fn to_json(&self) -> String {
        let rounded = |value: f64| (value * 100.0).round() / 100.0;
        let more: BTreeMap<_, _> = self.more.iter().map(|(name, value)| (name, rounded(*value))).collect();
        serde_json::json!({
            "name": self.name,
            "ours": rounded(self.ours),
            "peer": rounded(self.peer),
            "ratio": rounded(self.peer / self.ours),
            "unit": self.unit,
            "wait_percent": rounded(self.wait_percent),
            // Also when the kernel did not tell: an unknown wait is not a quiet machine.
            "void": self.wait_percent.is_nan() || self.wait_percent > WAIT_PERCENT_MAX,
            "for_the_record": self.for_the_record,
            "more": more,
        })
        .to_string()
    }
}

/// Times the rounds of one row, and how long the process waited meanwhile.
#[derive(Debug, Default)]
pub struct Stopwatch {
    wall_ns: u128,
    wait_ns: Option<u128>,
    begun: bool,
}

impl Stopwatch {
    /// Runs one round and returns how many nanoseconds it took.
    pub fn time(&mut self, round: impl FnOnce()) -> f64 {
        let waited_before = waited_ns();
        let begun = Instant::now();
        round();
        let wall_ns = begun.elapsed().as_nanos();
        let waited = waited_ns().zip(waited_before).map(|(after, before)| after.saturating_sub(before));
        self.count(wall_ns, waited);
        wall_ns as f64
    }

    /// Counts a round that was measured elsewhere, of another process say: how long it took, and how much of that was waiting.
    pub fn count(&mut self, wall_ns: u128, waited_ns: Option<u128>) {
        // One round whose wait is unknown makes the whole unknown.
        self.wait_ns = if self.begun { self.wait_ns.zip(waited_ns).map(|(a, b)| a + b) } else { waited_ns };
        self.begun = true;
        self.wall_ns += wall_ns;
    }

    /// Takes a step for each item and returns how many nanoseconds each took, which includes reading the clock once.
    pub fn time_each<T>(&mut self, items: impl ExactSizeIterator<Item = T>, mut step: impl FnMut(T)) -> Vec<f64> {
        let mut each = Vec::with_capacity(items.len());
        self.time(|| {
            let mut begun = Instant::now();
            for item in items {
                step(item);
                let ended = Instant::now();
                each.push((ended - begun).as_nanos() as f64);
                begun = ended;
            }
        });
        each
    }

    /// Share of the timed rounds that the process waited for a processor; NaN if the kernel does not tell.
    pub fn wait_percent(&self) -> f64 {
        self.wait_ns.map_or(f64::NAN, |wait| wait as f64 * 100.0 / self.wall_ns as f64)
    }
}

/// Measures both sides by turns, so that what disturbs one disturbs the other. Each closure runs one round and returns
/// the cost of one operation, taken with the stopwatch if the round is of this process. The first round of each settles
/// caches and allocators.
///
/// # Errors
/// The first that a round returns.
pub fn by_turns(
    mut ours: impl FnMut(&mut Stopwatch) -> Result<f64, String>,
    mut peer: impl FnMut(&mut Stopwatch) -> Result<f64, String>,
) -> Result<Row, String> {
    ours(&mut Stopwatch::default())?;
    peer(&mut Stopwatch::default())?;
    let mut stopwatch = Stopwatch::default();
    let (mut our_costs, mut peer_costs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        our_costs.push(ours(&mut stopwatch)?);
        peer_costs.push(peer(&mut stopwatch)?);
    }
    let wait_percent = stopwatch.wait_percent();
    Ok(Row { ours: median(our_costs), peer: median(peer_costs), unit: "ns", wait_percent, ..Row::default() })
}

/// The middle value; of an even number, the upper one of the two.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// How long the first thread of this process, which times the rounds, has waited on a run queue: second field of `/proc/self/schedstat`.
fn waited_ns() -> Option<u128> {
    waited("/proc/self/schedstat")
}

/// The same of the thread that asks.
pub fn thread_waited_ns() -> Option<u128> {
    waited("/proc/thread-self/schedstat")
}

fn waited(file: &str) -> Option<u128> {
    std::fs::read_to_string(file).ok()?.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_void_when_it_waited_or_nobody_knows() {
        let row = |wait_percent| Row { name: "a.b", ours: 2.0, peer: 3.0, wait_percent, ..Row::default() };
        assert!(row(3.0).to_json().contains(r#""void":false"#));
        assert!(row(3.1).to_json().contains(r#""void":true"#));
        assert!(row(f64::NAN).to_json().contains(r#""void":true"#));
        assert!(row(0.0).to_json().contains(r#""ratio":1.5"#));
    }

    #[test]
    fn the_first_round_of_each_side_is_not_counted() {
        let side = |cost: f64| {
            let mut costs = std::iter::once(1_000_000.0).chain(std::iter::repeat(cost));
            move |_: &mut Stopwatch| Ok(costs.next().unwrap_or_default())
        };
        let row = by_turns(side(2.0), side(3.0)).unwrap();
        assert!((row.ours - 2.0).abs() < f64::EPSILON && (row.peer - 3.0).abs() < f64::EPSILON);
        assert!(row.wait_percent.is_nan(), "nothing was timed");
    }

    #[test]
    fn the_median_is_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
    }
}
