//! Many commands in one call, spread over threads that end before it does.
//!
//! ```text
//! lines -> pieces, parsed side by side -> lanes by player, decided side by side -> outcomes in the order of the lines
//! ```

use std::borrow::Borrow;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::{self, Builder};

use super::submit::{NDJSON_BATCH_LEN, trusted_event, unknown};
use super::{AsyncEngine, Engine};
use crate::error::Error;
use crate::event::{self, Parser};
use crate::hash;
use crate::id::PlayerId;
use crate::limits::INGEST_THREADS_MAX;
use crate::plan::{Batch, Outcome};
use crate::record::Command;
use crate::store::{AsyncStore, Store};
use crate::time::Timestamp;

/// Of lines that are spread over threads, about so many bytes are parsed by each before what they say is decided.
const PIECE_BYTES: usize = 256 * 1024;

impl<S: AsyncStore> AsyncEngine<S> {
    /// [`Self::submit_ndjson`] with outcomes that are kept small; see [`Engine::ingest_ndjson`]. Without threads: far stores are waited
    /// for, and whoever has a runtime calls this several times at once, with lines of other players.
    pub async fn ingest_ndjson(&self, trusted: &[u8], now: Timestamp) -> Batch {
        self.submit_ndjson(trusted, now).await.into()
    }
}

impl<S: Store> Engine<S> {
    /// [`Self::submit_ndjson`] spread over threads, with outcomes that are kept small: for files, and for queues that hand on much at
    /// once. The outcomes are the same, in the order of the lines, and so is the state that the store is left in: all lines of a player
    /// go to one thread, in their order.
    ///
    /// One thread is the caller's own. More, at most [`INGEST_THREADS_MAX`], are started and end before the call does; where the system
    /// has none to give, the caller's does their part. Lines of one player alone are no faster than on one thread.
    ///
    /// A panic, of a store say, costs the commands that were decided with it their outcomes, which are
    /// [unknown](Outcome::Unknown) then, and no others.
    ///
    /// ```
    /// use std::num::NonZeroUsize;
    ///
    /// use liveops_core::{Engine, MemoryStore, Rules, Timestamp};
    ///
    /// let engine = Engine::new(Rules::from_json(r#"{ "version": 1, "game": "emberfall" }"#)?, MemoryStore::new());
    /// let now = Timestamp::from_rfc3339("2026-11-07T12:00:00Z").unwrap();
    /// let lines = br#"{"id":"e1","type":"progression","playerId":"ana","ts":1794052800,"payload":{"deltaXp":120}}
    /// {"id":"e2","type":"progression","playerId":"bo","ts":1794052800,"payload":{"deltaXp":90}}
    /// {"id":"e1","type":"progression","playerId":"ana","ts":1794052800,"payload":{"deltaXp":120}}
    /// not an event"#;
    ///
    /// let batch = engine.ingest_ndjson(lines, now, NonZeroUsize::new(2).unwrap());
    /// assert_eq!(batch.len(), 4);
    /// assert_eq!(batch.counts()["applied"], 2); // by code, without a look at the rows
    /// assert_eq!((batch.code(2), batch.code(3)), (Some("replayed"), Some("invalid_json")));
    /// let effect = batch.get(1).unwrap().into_effect()?; // made now
    /// assert_eq!(effect.xp.applied, 90);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ingest_ndjson(&self, trusted: &[u8], now: Timestamp, threads: NonZeroUsize) -> Batch {
        let lanes = threads.get().min(INGEST_THREADS_MAX);
        let parser = self.0.parser();
        let mut batch = Batch::default();
        if lanes == 1 {
            let mut lines = event::lines(trusted).peekable();
            while lines.peek().is_some() {
                let parsed = Parsed::of(lines.by_ref().take(NDJSON_BATCH_LEN), &parser, now, 1);
                self.decide(vec![parsed], &mut batch);
            }
            return batch;
        }
        let mut pieces = event::pieces(trusted, PIECE_BYTES).peekable();
        while pieces.peek().is_some() {
            let round: Vec<_> = pieces.by_ref().take(lanes).collect();
            let parsed = side_by_side(&round, |piece| Parsed::of(event::lines_of(piece), &parser, now, lanes));
            self.decide(parsed, &mut batch);
        }
        batch
    }

    /// [`Self::submit_batch`] spread over threads, with outcomes that are kept small: the same outcomes, in the order of the commands.
    /// See [`Self::ingest_ndjson`].
    pub fn ingest<C: Borrow<Command> + Sync>(&self, commands: &[C], threads: NonZeroUsize) -> Batch {
        let lanes = threads.get().min(INGEST_THREADS_MAX);
        if lanes == 1 {
            return self.submitted(commands).into();
        }
        let mut cut: Vec<Vec<&Command>> = vec![Vec::new(); lanes];
        let mut order = Vec::with_capacity(commands.len());
        for command in commands.iter().map(Borrow::borrow) {
            let lane = lane_of(&command.player, lanes);
            if let Some(cut) = cut.get_mut(lane) {
                cut.push(command);
            }
            order.push(lane);
        }
        let decided = side_by_side(&cut, |commands| self.submitted(commands));
        let mut decided: Vec<_> = decided.into_iter().map(Vec::into_iter).collect();
        let mut next = |lane: usize| decided.get_mut(lane)?.next();
        order.into_iter().map(|lane| next(lane).unwrap_or_else(unknown)).collect()
    }

    /// Adds the outcomes of a round of lines.
    fn decide(&self, round: Vec<Parsed>, batch: &mut Batch) {
        let lanes = round.first().map_or(0, |parsed| parsed.lanes.len());
        let mut cut: Vec<Vec<Command>> = (0..lanes).map(|_| Vec::new()).collect();
        let mut rows = Vec::new();
        for parsed in round {
            cut.iter_mut().zip(parsed.lanes).for_each(|(lane, commands)| lane.extend(commands));
            rows.extend(parsed.rows);
        }
        let decided = side_by_side(&cut, |commands| {
            commands.chunks(NDJSON_BATCH_LEN).flat_map(|commands| self.submitted(commands)).collect::<Vec<_>>()
        });
        let mut decided: Vec<_> = decided.into_iter().map(Vec::into_iter).collect();
        for row in rows {
            batch.push(match row {
                Ok(lane) => decided.get_mut(lane).and_then(Iterator::next).unwrap_or_else(unknown),
                Err(error) => self.0.refuse(error),
            });
        }
    }

    /// [`Self::submit_batch`], of which nobody knows how it ended if it panics.
    fn submitted<C: Borrow<Command>>(&self, commands: &[C]) -> Vec<Outcome> {
        let submit = AssertUnwindSafe(|| self.submit_batch(commands));
        catch_unwind(submit).unwrap_or_else(|_| commands.iter().map(|_| unknown()).collect())
    }
}

/// Lines that were parsed together.
struct Parsed {
    /// What they ask for, by lane.
    lanes: Vec<Vec<Command>>,
    /// Of each line the lane that it went to, or what is wrong with it.
    rows: Vec<Result<usize, Error>>,
}

impl Parsed {
    fn of<'l>(lines: impl Iterator<Item = &'l [u8]>, parser: &Parser, now: Timestamp, lanes: usize) -> Self {
        let mut parsed = Self { lanes: (0..lanes).map(|_| Vec::new()).collect(), rows: Vec::new() };
        for line in lines {
            let row = trusted_event(parser, line, now).map(|command| {
                let lane = lane_of(&command.player, lanes);
                if let Some(commands) = parsed.lanes.get_mut(lane) {
                    commands.push(command);
                }
                lane
            });
            parsed.rows.push(row);
        }
        parsed
    }
}

/// The lane that all of a player's commands go to.
fn lane_of(player: &PlayerId, lanes: usize) -> usize {
    if lanes == 1 {
        return 0;
    }
    // Below `lanes`: a share of the hash's upper half.
    let share = (hash::short(player.as_bytes()) >> 32) * lanes as u64;
    usize::try_from(share >> 32).unwrap_or_default()
}

/// What each share comes to: the first on the caller's thread, each of the others on one of its own. A panic is the caller's, once all have
/// ended.
fn side_by_side<T: Sync, R: Send>(shares: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let Some((first, others)) = shares.split_first() else { return Vec::new() };
    let work = &work;
    thread::scope(|scope| {
        let start = |share| (share, Builder::new().spawn_scoped(scope, move || work(share)));
        let started: Vec<_> = others.iter().map(start).collect();
        let mut done = vec![work(first)];
        done.extend(started.into_iter().map(|(share, thread)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => work(share),
        }));
        done
    })
}
