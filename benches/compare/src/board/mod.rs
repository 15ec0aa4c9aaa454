//! Rows about leaderboards, each on the workload of [`liveops_compare::workload`].

mod indexed;
#[cfg(unix)]
mod redis;

pub(crate) use indexed::*;
#[cfg(unix)]
pub(crate) use redis::*;

use std::hint::black_box;

use liveops_compare::measure::{Row, Stopwatch};
use liveops_compare::workload::{Drawn, Events, MILLION, players};
use liveops_core::board::{Leaderboard, Operator, Order};

/// What a submit may take, 9,999 of 10,000 times.
const P9999_MAX_NS: f64 = 1_000_000.0;

/// Times one round of our side: an operation for each event.
fn time(stopwatch: &mut Stopwatch, drawn: &Drawn, mut operation: impl FnMut(&str, i64)) -> f64 {
    let nanos = stopwatch.time(|| drawn.iter().for_each(|(id, points)| operation(id, points)));
    nanos / drawn.len() as f64
}

/// One of ours, as its cost is measured in every row about increments.
fn submit(board: &mut Leaderboard, id: &str, points: i64) {
    black_box(board.submit(id, points).is_ok());
}

/// How long single submits take: while the board fills up, then on the full one.
pub(crate) fn submit_tail() -> Result<Row, String> {
    let mut board = Leaderboard::new(Order::Desc, Operator::Incr).with_capacity(1_000_000);
    let mut stopwatch = Stopwatch::default();
    let first: Vec<_> = players(MILLION).collect();
    let (mut filling, mut full) = (Vec::new(), Vec::new());
    for chunk in first.chunks(100_000) {
        filling.extend(stopwatch.time_each(chunk.iter(), |(id, score)| submit(&mut board, id, *score)));
    }
    let mut events = Events::new(MILLION);
    for _ in 0..30 {
        let drawn = events.draw(100_000);
        full.extend(stopwatch.time_each(drawn.iter(), |(id, points)| submit(&mut board, id, points)));
    }
    if board.len() != MILLION {
        return Err("not every player is on the board".to_owned());
    }
    filling.sort_by(f64::total_cmp);
    full.sort_by(f64::total_cmp);
    // That one in so many takes longer.
    let exceeded = |sorted: &[f64], one_in: usize| sorted[sorted.len() - 1 - sorted.len() / one_in];
    let more = vec![
        ("p50", exceeded(&full, 2)),
        ("p99", exceeded(&full, 100)),
        ("p99.9", exceeded(&full, 1_000)),
        ("p99.99", exceeded(&full, 10_000)),
        ("worst", exceeded(&full, usize::MAX)),
        ("filling p99.99", exceeded(&filling, 10_000)),
        ("filling worst", exceeded(&filling, usize::MAX)),
    ];
    Ok(Row {
        name: "board.submit.tail",
        ours: exceeded(&full, 10_000),
        peer: P9999_MAX_NS,
        unit: "ns",
        wait_percent: stopwatch.wait_percent(),
        for_the_record: true,
        more,
    })
}
