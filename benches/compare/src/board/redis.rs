//! Against sorted sets of Redis. The peer's cost is what its server used of a processor: neither its client nor the way
//! there and back is counted.

use std::hint::black_box;

use liveops_compare::measure::{Row, Stopwatch, by_turns};
use liveops_compare::sorted_sets::SortedSets;
use liveops_compare::workload::{Drawn, Events, MILLION, NOW, WINDOWS, board, windowed};
use liveops_core::board::{Leaderboard, Ties};

use super::{submit, time};

const INCREMENTS: usize = 100_000;
/// Each is four commands.
const WINDOWED: usize = 25_000;
const RANKS: usize = 100_000;
const TOPS: usize = 10_000;
/// Scores that both sides must have at the top when a row has been measured.
const COMPARED: usize = 100;

/// `submit` of somebody who is on the board, against `ZINCRBY`.
pub(crate) fn increment_redis() -> Result<Row, String> {
    Ok(Row { name: "board.increment.redis", ..increment(MILLION, &Events::new(MILLION))? })
}

/// A few players make most of the events.
pub(crate) fn increment_zipf_redis() -> Result<Row, String> {
    let row = increment(MILLION, &Events::new(MILLION).zipf())?;
    Ok(Row { name: "board.increment_zipf.redis", for_the_record: true, ..row })
}

/// Increments that carry a player half across the board.
pub(crate) fn increment_far_redis() -> Result<Row, String> {
    let row = increment(MILLION, &Events::new(MILLION).points_max(1_000_000))?;
    Ok(Row { name: "board.increment_far.redis", for_the_record: true, ..row })
}

/// A small board.
pub(crate) fn increment_10k_redis() -> Result<Row, String> {
    Ok(Row { name: "board.increment_10k.redis", for_the_record: true, ..increment(10_000, &Events::new(10_000))? })
}

/// A large one.
pub(crate) fn increment_10m_redis() -> Result<Row, String> {
    let row = increment(10 * MILLION, &Events::new(10 * MILLION))?;
    Ok(Row { name: "board.increment_10m.redis", for_the_record: true, ..row })
}

fn increment(len: u64, events: &Events) -> Result<Row, String> {
    increments(len, events, |stopwatch, board, drawn| time(stopwatch, drawn, |id, points| submit(board, id, points)))
}

/// `submit_batch` of as many as are pipelined.
pub(crate) fn batch100_redis() -> Result<Row, String> {
    let row = increments(MILLION, &Events::new(MILLION), |stopwatch, board, drawn| {
        let values: Vec<(&str, i64)> = drawn.iter().collect();
        let nanos = stopwatch.time(|| {
            for batch in values.chunks(100) {
                black_box(board.submit_batch(batch).is_ok());
            }
        });
        nanos / drawn.len() as f64
    })?;
    Ok(Row { name: "board.batch100.redis", for_the_record: true, ..row })
}

fn increments(
    len: u64,
    events: &Events,
    ours: impl Fn(&mut Stopwatch, &mut Leaderboard, &Drawn) -> f64,
) -> Result<Row, String> {
    let (mut board, mut peer) = (board(len, Ties::default())?, SortedSets::new(&["board"], len)?);
    let (mut events, mut peer_events) = (events.clone(), events.clone());
    let row = by_turns(
        |stopwatch| Ok(ours(stopwatch, &mut board, &events.draw(INCREMENTS))),
        |_| {
            peer.time(&peer_events.draw(INCREMENTS), |client, id, points| {
                client.queue(&["ZINCRBY", "board", points, id]);
            })
        },
    )?;
    let scores: Vec<_> = board.top(COMPARED).iter().map(|row| row.score).collect();
    if scores != peer.best_scores("board", COMPARED)? {
        return Err("the two boards differ".to_owned());
    }
    Ok(row)
}

/// One event into four windows, all with the same million players, against four `ZINCRBY` in the same hundred.
pub(crate) fn windows4_redis() -> Result<Row, String> {
    let keys = &["daily", "weekly", "monthly", "all-time"];
    let (mut board, mut peer) = (windowed(MILLION, Ties::default())?, SortedSets::new(keys, MILLION)?);
    let (mut events, mut peer_events) = (Events::new(MILLION), Events::new(MILLION));
    let row = by_turns(
        |stopwatch| {
            Ok(time(stopwatch, &events.draw(WINDOWED), |id, points| {
                black_box(board.submit(id, points, NOW, NOW).is_ok());
            }))
        },
        |_| {
            peer.time(&peer_events.draw(WINDOWED), |client, id, points| {
                for key in keys {
                    client.queue(&["ZINCRBY", key, points, id]);
                }
            })
        },
    )?;
    for (window, key) in WINDOWS.into_iter().zip(keys) {
        let top = board.top(window, COMPARED, NOW).map_err(|error| error.to_string())?;
        if top.iter().map(|row| row.score).ne(peer.best_scores(key, COMPARED)?) {
            return Err(format!("the two boards of {key} differ"));
        }
    }
    Ok(Row { name: "board.windows4.redis", ..row })
}

/// `rank` by id against `ZREVRANK`.
pub(crate) fn rank_redis() -> Result<Row, String> {
    let (board, mut peer) = (board(MILLION, Ties::default())?, SortedSets::new(&["board"], MILLION)?);
    let (mut events, mut peer_events) = (Events::new(MILLION), Events::new(MILLION));
    let row = by_turns(
        |stopwatch| Ok(time(stopwatch, &events.draw(RANKS), |id, _| _ = black_box(board.rank(id)))),
        |_| peer.time(&peer_events.draw(RANKS), |client, id, _| client.queue(&["ZREVRANK", "board", id])),
    )?;
    Ok(Row { name: "board.rank.redis", ..row })
}

/// `top(100)` against `ZREVRANGE 0 99 WITHSCORES`, as our rows have scores too. Without scores is the second figure.
pub(crate) fn top100_redis() -> Result<Row, String> {
    let (board, mut peer) = (board(MILLION, Ties::default())?, SortedSets::new(&["board"], MILLION)?);
    let events = Events::new(MILLION).draw(TOPS);
    let mut beside = |command: &[&str]| {
        by_turns(
            |stopwatch| Ok(time(stopwatch, &events, |_, _| drop(black_box(board.top(black_box(100)))))),
            |_| peer.time(&events, |client, _, _| client.queue(command)),
        )
    };
    let row = beside(&["ZREVRANGE", "board", "0", "99", "WITHSCORES"])?;
    let bare = beside(&["ZREVRANGE", "board", "0", "99"])?;
    let more = vec![("peer without scores", bare.peer), ("ratio without scores", bare.peer / bare.ours)];
    Ok(Row { name: "board.top100.redis", more, ..row })
}
