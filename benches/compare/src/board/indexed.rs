//! Against collections of other crates, in one process and on one thread.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hint::black_box;

use foldhash::fast::RandomState;
use indexset::BTreeSet;
use liveops_compare::measure::{Row, by_turns};
use liveops_compare::workload::{Events, MILLION, board, players};
use liveops_core::board::Ties;

use super::{submit, time};

const INCREMENTS: usize = 100_000;
const RANKS: usize = 100_000;

/// Of 64 to 2,048 (its default is 1,024) this made increments fastest, and ranks as fast as any.
const NODE_LEN: usize = 128;

/// As the id is 16 bytes for every player here, it lies inline in the peers' tables. A `String` would cost a miss more.
type Id = [u8; 16];

/// A leaderboard made of `indexset` in its best form: small entries, which name a player by number, and a table of ids
/// with the fastest hash there is for them.
struct Indexed {
    players: HashMap<Id, Entry, RandomState>,
    ranked: BTreeSet<(Reverse<i64>, u32)>,
}

struct Entry {
    number: u32,
    score: i64,
}

impl Indexed {
    fn new(len: u64) -> Self {
        let mut all = Self { players: HashMap::default(), ranked: BTreeSet::with_maximum_node_size(NODE_LEN) };
        for (number, (id, score)) in (0..).zip(players(len)) {
            all.players.insert(key(&id), Entry { number, score });
            all.ranked.insert((Reverse(score), number));
        }
        all
    }

    fn increment(&mut self, id: &str, points: i64) {
        let Some(entry) = self.players.get_mut(&key(id)) else { return };
        self.ranked.remove(&(Reverse(entry.score), entry.number));
        entry.score += points;
        self.ranked.insert((Reverse(entry.score), entry.number));
    }

    fn rank(&self, id: &str) -> Option<usize> {
        let entry = self.players.get(&key(id))?;
        Some(self.ranked.rank(&(Reverse(entry.score), entry.number)) + 1)
    }
}

fn key(id: &str) -> Id {
    id.as_bytes().try_into().unwrap_or_default()
}

/// One more score for somebody who is on the board.
pub(crate) fn increment_indexset() -> Result<Row, String> {
    let (mut board, mut peer) = (board(MILLION, Ties::default())?, Indexed::new(MILLION));
    let (mut events, mut peer_events) = (Events::new(MILLION), Events::new(MILLION));
    let row = by_turns(
        |stopwatch| Ok(time(stopwatch, &events.draw(INCREMENTS), |id, points| submit(&mut board, id, points))),
        |stopwatch| Ok(time(stopwatch, &peer_events.draw(INCREMENTS), |id, points| peer.increment(id, points))),
    )?;
    let scores: Vec<_> = board.top(100).iter().map(|row| row.score).collect();
    let peer_scores: Vec<_> = peer.ranked.iter().take(100).map(|(score, _)| score.0).collect();
    if scores != peer_scores {
        return Err("the two boards differ".to_owned());
    }
    Ok(Row { name: "board.increment.indexset", ..row })
}

/// The rank of somebody who is on the board.
pub(crate) fn rank_indexset() -> Result<Row, String> {
    let (board, peer) = (board(MILLION, Ties::default())?, Indexed::new(MILLION));
    let (mut events, mut peer_events) = (Events::new(MILLION), Events::new(MILLION));
    let row = by_turns(
        |stopwatch| Ok(time(stopwatch, &events.draw(RANKS), |id, _| _ = black_box(board.rank(id)))),
        |stopwatch| Ok(time(stopwatch, &peer_events.draw(RANKS), |id, _| _ = black_box(peer.rank(id)))),
    )?;
    Ok(Row { name: "board.rank.indexset", ..row })
}

/// Against a table that only sums up: what ranks cost those who never ask for one.
pub(crate) fn increment_dict() -> Result<Row, String> {
    let mut board = board(MILLION, Ties::default())?;
    let mut peer: HashMap<Id, i64, RandomState> = players(MILLION).map(|(id, score)| (key(&id), score)).collect();
    let (mut events, mut peer_events) = (Events::new(MILLION), Events::new(MILLION));
    let mut add = |id: &str, points| *peer.entry(key(id)).or_default() += points;
    let row = by_turns(
        |stopwatch| Ok(time(stopwatch, &events.draw(INCREMENTS), |id, points| submit(&mut board, id, points))),
        |stopwatch| Ok(time(stopwatch, &peer_events.draw(INCREMENTS), &mut add)),
    )?;
    Ok(Row { name: "board.increment.dict", for_the_record: true, ..row })
}
