//! Against sorted sets of Redis.

use liveops_compare::measure::Row;
use liveops_compare::sorted_sets::SortedSets;
use liveops_compare::workload::{Events, MILLION, NOW, board, windowed};
use liveops_core::board::Ties;

use crate::kept;

/// Events before anybody counts, so that no structure is as tidy as just after loading.
const EVENTS: usize = 500_000;

/// One board against one sorted set.
pub(crate) fn bytes1() -> Result<Row, String> {
    let ours = |ties| {
        let mut board = board(MILLION, ties)?;
        let drawn = Events::new(MILLION).draw(EVENTS);
        drawn
            .iter()
            .try_for_each(|(id, points)| board.submit(id, points).map(drop))
            .map_err(|error| error.to_string())?;
        Ok(board)
    };
    row("board.bytes1.redis", ours, &["board"])
}

/// One board of four windows against four sorted sets.
pub(crate) fn bytes4() -> Result<Row, String> {
    let ours = |ties| {
        let mut board = windowed(MILLION, ties)?;
        let drawn = Events::new(MILLION).draw(EVENTS);
        let mut submit = |(id, points)| board.submit(id, points, NOW, NOW).map(drop);
        drawn.iter().try_for_each(&mut submit).map_err(|error| error.to_string())?;
        Ok(board)
    };
    row("board.bytes4.redis", ours, &["daily", "weekly", "monthly", "all-time"])
}

/// Ties by time, as a board breaks them unless it is told otherwise; the other figure is by id, as the peer does.
fn row<T>(
    name: &'static str,
    ours: impl Fn(Ties) -> Result<T, String>,
    keys: &'static [&'static str],
) -> Result<Row, String> {
    let kept = |ties| -> Result<f64, String> {
        let (board, bytes) = kept(|| ours(ties));
        board.map(|_| bytes / MILLION as f64)
    };
    let mut peer = SortedSets::new(keys, MILLION)?;
    peer.time(&Events::new(MILLION).draw(EVENTS), |client, id, points| {
        for key in keys {
            client.queue(&["ZINCRBY", key, points, id]);
        }
    })?;
    Ok(Row {
        name,
        ours: kept(Ties::default())?,
        peer: peer.bytes()? / MILLION as f64,
        unit: "bytes/player",
        // Memory waits for no processor.
        wait_percent: 0.0,
        more: vec![("ours with ties by id", kept(Ties::OwnerId)?)],
        ..Row::default()
    })
}
