//! The store as one value. It has to stand still for that: whoever names or copies it hears of it if somebody wrote meanwhile.

use std::collections::VecDeque;
use std::io::Write;

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::id::PlayerId;
use liveops_core::record::{Horizon, Key, Kind, Record};
use liveops_core::store::{Digester, FeedMarks, Size, SnapshotWriter};

use crate::inner::Inner;
use crate::keys::Part;
use crate::link::Ask;
use crate::reply;
use crate::scan::{Walk, index, players_of};

/// Players of each partition that are known before they are read.
const AHEAD: usize = 256;
/// Players that are read at once.
const READ: usize = 128;
/// How often a digest is begun again that somebody's write spoiled.
const DIGESTS_MAX: usize = 3;

/// Everybody of all partitions, in order.
struct Merge {
    heads: Vec<Head>,
}

#[derive(Default)]
struct Head {
    players: VecDeque<PlayerId>,
    last: Option<PlayerId>,
    is_end: bool,
}

impl Merge {
    fn new(partitions: u16) -> Self {
        Self { heads: (0..partitions).map(|_| Head::default()).collect() }
    }

    /// The next ones; none at the end.
    async fn next(&mut self, store: &Inner) -> Result<Vec<PlayerId>, StoreError> {
        self.fill(store).await?;
        let mut next = Vec::new();
        while next.len() < READ {
            let heads = self.heads.iter().enumerate();
            let first = heads.filter_map(|(at, head)| Some((head.players.front()?, at))).min();
            let Some((_, at)) = first else { break };
            let head = &mut self.heads[at];
            next.extend(head.players.pop_front());
            // Who comes next here is not known yet.
            if head.players.is_empty() && !head.is_end {
                break;
            }
        }
        Ok(next)
    }

    async fn fill(&mut self, store: &Inner) -> Result<(), StoreError> {
        let dry: Vec<usize> = (0..self.heads.len()).filter(|at| self.heads[*at].is_dry()).collect();
        let parts = store.layout.parts();
        let ask = |at: &usize| {
            let from = self.heads[*at].last.as_ref().map_or_else(|| "-".to_owned(), |last| format!("({last}"));
            Inner::ask(&parts[*at], index(&parts[*at], &from, AHEAD))
        };
        let asks: Vec<Ask> = dry.iter().map(ask).collect();
        for (at, answer) in dry.into_iter().zip(store.link.all(&asks).await) {
            let found = players_of(answer.and_then(reply::list_of_bytes).map_err(|fault| fault.of_reading())?)?;
            let head = &mut self.heads[at];
            head.is_end = found.len() < AHEAD;
            head.last = found.last().cloned().or(head.last.take());
            head.players.extend(found);
        }
        Ok(())
    }
}

impl Head {
    fn is_dry(&self) -> bool {
        self.players.is_empty() && !self.is_end
    }
}

/// Where everything was when a walk began.
#[derive(PartialEq, Eq)]
struct Moment {
    horizon: Horizon,
    ends: Vec<u64>,
}

impl Inner {
    pub(crate) async fn digest(&self) -> Result<String, StoreError> {
        for _ in 0..DIGESTS_MAX {
            let before = self.moment().await?;
            let mut digester = Digester::new(before.horizon);
            let mut merge = Merge::new(self.layout.partitions());
            while let Some(records) = self.next_records(&mut merge, before.horizon).await? {
                for (key, record) in records {
                    digester.add(&key, &record.encode());
                }
            }
            if self.moment().await? == before {
                return Ok(digester.finish());
            }
        }
        Err(moved())
    }

    pub(crate) async fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        let before = self.moment().await?;
        let marks = FeedMarks { last: before.ends.clone(), consumers: self.consumers().await? };
        let mut snapshot = SnapshotWriter::new(to, &self.header().await?, &marks, before.horizon)?;
        let mut merge = Merge::new(self.layout.partitions());
        while let Some(records) = self.next_records(&mut merge, before.horizon).await? {
            for (key, record) in records {
                snapshot.record(&key, &record.encode())?;
            }
        }
        // Without its end it is none.
        if self.moment().await? != before {
            return Err(moved());
        }
        snapshot.finish()?;
        Ok(())
    }

    /// Not of one moment where somebody writes meanwhile. Boards are counted by whoever has them.
    pub(crate) async fn size(&self) -> Result<Size, StoreError> {
        let horizon = self.game_horizon().await?;
        let mut size = Size { feed: self.feed_size().await?, ..Size::default() };
        let mut merge = Merge::new(self.layout.partitions());
        while let Some(records) = self.next_records(&mut merge, horizon).await? {
            for (key, _) in records {
                match key.kind() {
                    Some(Kind::Player) => size.players += 1,
                    Some(Kind::Outcome) => size.outcomes += 1,
                    Some(Kind::Receipt) => size.receipts += 1,
                    Some(Kind::Suspicion) => size.suspicions += 1,
                    None => {}
                }
            }
        }
        Ok(size)
    }

    /// The records of the next players; `None` at the end.
    async fn next_records(
        &self,
        merge: &mut Merge,
        horizon: Horizon,
    ) -> Result<Option<Vec<(Key, Record)>>, StoreError> {
        let players = merge.next(self).await?;
        if players.is_empty() {
            return Ok(None);
        }
        let mut records = Vec::new();
        let walk = Walk { kind: None, after: None, limit: usize::MAX, horizon };
        self.add_players(&players, walk, &mut records).await?;
        Ok(Some(records))
    }

    async fn moment(&self) -> Result<Moment, StoreError> {
        let asks: Vec<Ask> = self.layout.parts().iter().map(Self::ask_horizon).collect();
        let horizons = self.link.all(&asks).await.into_iter().map(|answer| self.horizon(answer));
        let horizon = horizons.collect::<Result<Vec<_>, _>>()?.into_iter().fold(Horizon::default(), Horizon::max);
        Ok(Moment { horizon, ends: self.ends().await? })
    }
}

fn moved() -> StoreError {
    let wanted = "the store was written to meanwhile: let it stand still, and ask again";
    StoreError::with_source(StoreErrorKind::Unavailable, wanted)
}

/// Everything of a partition that a restoration writes beside players.
pub(crate) fn keys_of(part: &Part) -> [&str; 3] {
    [&part.meta, &part.index, &part.marks]
}
