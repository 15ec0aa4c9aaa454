//! Many commands in one call, spread over threads that end before it does.
//!
//! ```text
//! lines -> pieces, parsed side by side -> lanes by player, decided side by side -> outcomes in the order of the lines
//! ```

use std::borrow::Borrow;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::{self, Builder};

use parking_lot::Mutex;

use super::stats::Tally;
use super::submit::{NDJSON_BATCH_LEN, trusted_event, unknown};
use super::{AsyncEngine, Engine};
use crate::error::Error;
use crate::event::{self, Parser, Room};
use crate::hash;
use crate::id::PlayerId;
use crate::limits::INGEST_THREADS_MAX;
use crate::plan::Batch;
use crate::record::{Action, Command};
use crate::store::{self, AsyncStore, Store};
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
    /// [unknown](crate::Outcome::Unknown) then, and no others.
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
    /// assert_eq!((batch.code(2), batch.code(3)), (Some("replayed"), Some("syntax")));
    /// let effect = batch.get(1).unwrap().into_effect()?; // made now
    /// assert_eq!(effect.xp.granted, 90);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ingest_ndjson(&self, trusted: &[u8], now: Timestamp, threads: NonZeroUsize) -> Batch {
        let lanes = threads.get().min(INGEST_THREADS_MAX);
        let parser = self.0.parser();
        let mut batch = Batch::default();
        if lanes == 1 {
            let (mut all, mut parsed) = (event::lines(trusted), Parsed::new(1));
            while parsed.read(&mut all, &parser, now) {
                match &mut parsed.lanes[..] {
                    // Nothing to be put in between.
                    [commands] if commands.len() == parsed.rows.len() => self.submit_onto(commands, &mut batch),
                    lanes => {
                        let decided = lanes.iter().map(|commands| self.submitted(commands)).collect();
                        self.join(&mut parsed.rows, decided, &mut batch);
                    }
                }
            }
            return batch;
        }
        let mut pieces = event::pieces(trusted, PIECE_BYTES).peekable();
        while pieces.peek().is_some() {
            let round: Vec<_> = pieces.by_ref().take(lanes).collect();
            let parsed = side_by_side(round, |piece| {
                let (mut all, mut parsed) = (event::lines_of(piece), Parsed::new(lanes));
                parsed.read_all(&mut all, &parser, now);
                parsed
            });
            let mut cut: Vec<Vec<Vec<Command>>> = (0..lanes).map(|_| Vec::new()).collect();
            let mut rows = Vec::new();
            for piece in parsed {
                cut.iter_mut().zip(piece.lanes).for_each(|(lane, commands)| lane.push(commands));
                rows.extend(piece.rows);
            }
            let decided = side_by_side(cut, |pieces| {
                let mut batch = Batch::default();
                for commands in pieces {
                    commands.chunks(NDJSON_BATCH_LEN).for_each(|commands| self.submit_onto(commands, &mut batch));
                }
                batch
            });
            self.join(&mut rows, decided, &mut batch);
        }
        batch
    }

    /// [`Self::submit_batch`] spread over threads, with outcomes that are kept small: the same outcomes, in the order of the commands.
    /// See [`Self::ingest_ndjson`].
    pub fn ingest<C: Borrow<Command> + Sync>(&self, commands: &[C], threads: NonZeroUsize) -> Batch {
        let lanes = threads.get().min(INGEST_THREADS_MAX);
        if lanes == 1 {
            return self.submitted(commands);
        }
        let mut cut: Vec<Vec<&Command>> = (0..lanes).map(|_| Vec::new()).collect();
        let mut rows = Vec::with_capacity(commands.len());
        for command in commands.iter().map(Borrow::borrow) {
            let lane = lane_of(&command.player, lanes);
            if let Some(cut) = cut.get_mut(lane) {
                cut.push(command);
            }
            rows.push(Ok(lane));
        }
        let decided = side_by_side(cut, |commands| self.submitted(&commands));
        let mut batch = Batch::default();
        self.join(&mut rows, decided, &mut batch);
        batch
    }

    /// Adds the outcomes of rows in their order, from the lane that each went to.
    fn join(&self, rows: &mut Vec<Row>, decided: Vec<Batch>, batch: &mut Batch) {
        let mut decided: Vec<_> = decided.into_iter().map(|lane| (lane, 0)).collect();
        for row in rows.drain(..) {
            match row {
                Ok(lane) => {
                    let taken = decided.get_mut(lane).is_some_and(|(lane, next)| {
                        *next += 1;
                        batch.push_from(lane, *next - 1)
                    });
                    if !taken {
                        batch.push(unknown());
                    }
                }
                Err(error) => batch.push(self.0.refuse(error)),
            }
        }
    }

    /// [`Self::submit_batch`], of which nobody knows how it ended if it panics.
    fn submitted<C: Borrow<Command>>(&self, commands: &[C]) -> Batch {
        let mut batch = Batch::default();
        self.submit_onto(commands, &mut batch);
        batch
    }

    /// The same, behind what a batch has already.
    fn submit_onto<C: Borrow<Command>>(&self, commands: &[C], batch: &mut Batch) {
        // What is added is added whole, and counted, once all is decided.
        let submit = AssertUnwindSafe(|| self.submit_for_batch(commands, batch));
        if catch_unwind(submit).is_err() {
            for _ in commands {
                batch.push(unknown());
            }
            self.0.stripes.mine().add(&Tally { unknown: commands.len() as u64, ..Tally::default() });
        }
    }
}

/// The lane that a command went to, or why a line is none.
type Row = Result<usize, Error>;

/// Lines that were parsed together.
struct Parsed {
    /// What they ask for, by lane.
    lanes: Vec<Vec<Command>>,
    rows: Vec<Row>,
    /// Of lines that were parsed before, for the next.
    rooms: Vec<Room>,
}

impl Parsed {
    fn new(lanes: usize) -> Self {
        Self { lanes: (0..lanes).map(|_| Vec::new()).collect(), rows: Vec::new(), rooms: Vec::new() }
    }

    /// The next lines that one thread decides together, in place of those before; whether there are any.
    fn read<'l>(&mut self, lines: &mut impl Iterator<Item = &'l [u8]>, parser: &Parser, now: Timestamp) -> bool {
        for command in self.lanes.iter_mut().flat_map(|commands| commands.drain(..)) {
            if let Action::Event { payload, .. } = command.action {
                self.rooms.push(payload.into_room());
            }
        }
        self.rows.clear();
        self.read_all(&mut lines.take(NDJSON_BATCH_LEN), parser, now);
        !self.rows.is_empty()
    }

    fn read_all<'l>(&mut self, all: &mut impl Iterator<Item = &'l [u8]>, parser: &Parser, now: Timestamp) {
        let lanes = self.lanes.len();
        for line in all {
            let room = self.rooms.pop().unwrap_or_default();
            let row = trusted_event(parser, line, now, room).map(|command| {
                let lane = lane_of(&command.player, lanes);
                if let Some(commands) = self.lanes.get_mut(lane) {
                    commands.push(command);
                }
                lane
            });
            self.rows.push(row);
        }
    }
}

/// The lane that all of a player's commands go to: by the hash that the store in memory puts players in order by, so that lanes do not
/// meet in one part of it.
fn lane_of(player: &PlayerId, lanes: usize) -> usize {
    if lanes == 1 {
        return 0;
    }
    // Below `lanes`: a share of the hash's upper half.
    let share = (hash::keyed(store::hash_key(), player.as_bytes()) >> 32) * lanes as u64;
    usize::try_from(share >> 32).unwrap_or_default()
}

/// What each share comes to: the first on the caller's thread, each of the others on one of its own. A panic is the caller's, once all have
/// ended.
fn side_by_side<T: Send, R: Send>(shares: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let shares: Vec<_> = shares.into_iter().map(|share| Mutex::new(Some(share))).collect();
    let work = |share: &Mutex<Option<T>>| {
        let share = share.lock().take();
        share.map(&work)
    };
    let work = &work;
    let Some((first, others)) = shares.split_first() else { return Vec::new() };
    let done = thread::scope(|scope| {
        let start = |share| (share, Builder::new().spawn_scoped(scope, move || work(share)));
        let started: Vec<_> = others.iter().map(start).collect();
        let mut done = vec![work(first)];
        done.extend(started.into_iter().map(|(share, thread)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => work(share),
        }));
        done
    });
    done.into_iter().flatten().collect()
}
