//! What a process that answers boards from memory keeps of each player, against sorted sets of Redis.

use liveops_compare::measure::Row;
use liveops_compare::sorted_sets::SortedSets;
use liveops_compare::workload::{Events, MILLION, NOW, players};
use liveops_core::board::{Sort, Standing};
use liveops_core::error::StoreError;
use liveops_core::record::{BoardKey, Kind, Player, Told};
use liveops_core::store::{Partitioned, Scan};
use liveops_core::window::Window;
use liveops_core::{BoardId, Key, Period, PlayerId, Record, Replica};

use crate::kept;

/// Events before anybody counts, so that no structure is as tidy as just after it was built.
const EVENTS: usize = 500_000;
/// Told together, as by a page of an outbox.
const TOGETHER: usize = 512;

/// A board of three windows, by the player; and what one more window takes.
pub(crate) fn fleet() -> Result<Row, String> {
    let keys = &["daily", "weekly", "all-time"];
    let mut peer = SortedSets::new(keys, MILLION)?;
    peer.time(&Events::new(MILLION).draw(EVENTS), |client, id, points| {
        for key in keys {
            client.queue(&["ZINCRBY", key, points, id]);
        }
    })?;
    let [one, three] = [1, 3].map(|windows| Records::new(windows).and_then(Records::followed));
    let (one, three) = (one?, three?);
    Ok(Row {
        name: "fleet.bytes",
        ours: three,
        peer: peer.bytes()? / MILLION as f64,
        unit: "bytes/player",
        // Memory waits for no processor.
        wait_percent: 0.0,
        more: vec![("ours, one window", one), ("ours, each window more", (three - one) / 2.0)],
        ..Row::default()
    })
}

/// Records of everybody, made when they are read, so that only the replica's memory counts.
struct Records {
    windows: Vec<BoardKey>,
    players: Vec<(PlayerId, i64)>,
}

impl Records {
    fn new(windows: usize) -> Result<Self, String> {
        let board = BoardId::new("xp").map_err(|error| error.to_string())?;
        let key = |window| BoardKey { board: board.clone(), period: Period { window, index: 0 } };
        let windows = [Window::Daily, Window::Weekly, Window::AllTime].into_iter().take(windows).map(key).collect();
        let players = players(MILLION).map(|(id, score)| Ok((PlayerId::new(&id)?, score)));
        let mut players: Vec<_> =
            players.collect::<Result<_, liveops_core::Error>>().map_err(|error| error.to_string())?;
        players.sort();
        Ok(Self { windows, players })
    }

    fn shown(&self, score: i64) -> Vec<(BoardKey, Standing)> {
        let standing = Standing { score: score.into(), reached_at: NOW, newest_ts: NOW, sort: Sort::default() };
        self.windows.iter().map(|key| (key.clone(), standing)).collect()
    }

    /// Bytes a player of a replica that read everybody, and was then told what happened.
    fn followed(self) -> Result<f64, String> {
        let mut events = Vec::with_capacity(EVENTS);
        for (id, points) in Events::new(MILLION).draw(EVENTS).iter() {
            let id = PlayerId::new(id).map_err(|error| error.to_string())?;
            let at = self.players.binary_search_by(|(known, _)| known.cmp(&id)).map_err(|_| "an event of nobody")?;
            events.push((at, points));
        }
        let mut scores: Vec<(u64, i64)> = self.players.iter().map(|(_, score)| (1, *score)).collect();
        let (replica, bytes) = kept(|| {
            let replica = Replica::default();
            replica.rebuild(&self, &|_| true)?;
            for events in events.chunks(TOGETHER) {
                replica.tell(events.iter().map(|(at, points)| {
                    let (version, score) = &mut scores[*at];
                    (*version, *score) = (*version + 1, *score + points);
                    let player = self.players[*at].0.clone();
                    Told::Stands { player, version: *version, shown: self.shown(*score) }
                }));
            }
            Ok::<_, StoreError>(replica)
        });
        let replica = replica.map_err(|error| error.to_string())?;
        if replica.len() != self.windows.len() {
            return Err("boards are missing".to_owned());
        }
        Ok(bytes / MILLION as f64)
    }
}

impl Partitioned for Records {
    fn partitions(&self) -> u16 {
        1
    }
}

impl Scan for Records {
    fn scan(
        &self,
        _: u16,
        _: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        let from = match after {
            Some(Key::Player(after)) => self.players.partition_point(|(id, _)| id <= after),
            _ => 0,
        };
        let page = self.players[from..].iter().take(limit).map(|(id, score)| {
            let player =
                Player { version: 1, standings: self.shown(*score).into_iter().collect(), ..Player::default() };
            (Key::Player(id.clone()), Record::Player(Box::new(player)))
        });
        Ok(page.collect())
    }

    fn scan_player(
        &self,
        _: &PlayerId,
        _: Option<Kind>,
        _: Option<&Key>,
        _: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        Ok(Vec::new())
    }
}
