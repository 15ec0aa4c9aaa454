//! Single commands of many callers, submitted together.

use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap};
use std::fmt;
use std::future::poll_fn;
use std::iter::{repeat_n, repeat_with};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use super::AsyncEngine;
use crate::error::Code;
use crate::hash;
use crate::limits::{BATCHER_BYTES_MAX, RUN_LEN_MAX};
use crate::plan::Outcome;
use crate::record::Command;
use crate::store::AsyncStore;

/// Makes batches of the single commands of many callers, without making any of them wait for others to come: each lane submits
/// whatever came while its last batch was at the store. The more there is to do, the larger the batches get, and the less each command
/// costs the store. A clone is the same batcher.
///
/// A player is always on the same lane, so that commands of one player are decided in the order in which they were
/// [submitted](Self::submit), and one process never competes with itself for a player. What a command comes to is what
/// [`AsyncEngine::submit`] would have said.
///
/// It needs no runtime of its own. The lanes' workers are futures, to be spawned on whichever there is, and each ends once no
/// batcher is left and all that waits is done: whoever shuts down drops the batcher and waits for the workers. Commands of a lane
/// whose worker was never spawned wait for ever.
///
/// ```
/// use std::sync::Arc;
///
/// use liveops_core::engine::Batcher;
/// use liveops_core::store::{BlockOn, Ready};
/// use liveops_core::testing::{EventBuilder, Parked};
/// use liveops_core::{AsyncEngine, Command, EventId, MemoryStore, PlayerId, Rules, Timestamp};
///
/// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall" }"#)?;
/// // In earnest: a store over a network, and `spawn` of a runtime in place of the threads.
/// let engine = Arc::new(AsyncEngine::new(rules, Ready(MemoryStore::new())));
/// let (batcher, workers) = Batcher::new(Arc::clone(&engine), 4);
/// let workers: Vec<_> =
///     workers.into_iter().map(|worker| std::thread::spawn(move || Parked.block_on(worker))).collect();
///
/// let now = Timestamp::from_rfc3339("2026-11-07T12:00:00Z").unwrap();
/// let gift = |player: &str| Command::adjust(EventId::new("gift")?, PlayerId::new(player)?, now, 5, "a gift");
/// let (ana, bo, again) = (batcher.submit(gift("ana")?), batcher.submit(gift("bo")?), batcher.submit(gift("ana")?));
/// for (submitted, code) in [(ana, "applied"), (bo, "applied"), (again, "replayed")] {
///     assert_eq!(Parked.block_on(submitted).unwrap().code(), code);
/// }
///
/// drop(batcher);
/// for worker in workers {
///     worker.join().unwrap().unwrap();
/// }
/// assert_eq!(engine.stats().get("commands"), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Batcher(Arc<Lanes>);

impl Batcher {
    /// A batcher of so many lanes, at least 1, and the worker of each. More lanes keep more batches at the store at once, and make
    /// each smaller: a few for each core of the store are enough.
    pub fn new<S: AsyncStore + 'static>(
        engine: Arc<AsyncEngine<S>>,
        lanes: usize,
    ) -> (Self, Vec<impl Future<Output = ()> + Send + 'static>) {
        let count = lanes.max(1);
        let lanes: Box<[_]> = (0..count).map(|_| Arc::new(Lane::new(BATCHER_BYTES_MAX / count))).collect();
        let worker = |(lane, engine)| Worker { engine, lane: Arc::clone(lane), batch: Vec::new() }.run();
        let workers = lanes.iter().zip(repeat_n(engine, count)).map(worker).collect();
        (Self(Arc::new(Lanes(lanes))), workers)
    }

    /// Takes a command, behind those that were taken before; the future is what comes of it.
    ///
    /// If it is dropped while the command still waits, that is not submitted at all. Later it is like losing the reply.
    ///
    /// Beside what [`AsyncEngine::submit`] says: `store_unavailable`, at once, while the lane holds its share of
    /// [`BATCHER_BYTES_MAX`], or if its worker is gone; and of a command whose worker is dropped or panics, `store_unavailable` if it
    /// still waited, else `store_outcome_unknown`.
    pub fn submit(&self, command: Command) -> Submitted {
        let Lanes(lanes) = &*self.0;
        // Of lanes there is at least one, and the remainder is less than their number.
        let at = usize::try_from(hash::short(command.player.as_bytes()) % lanes.len() as u64).unwrap_or(0);
        Lane::take_in(&lanes[at], command)
    }
}

impl fmt::Debug for Batcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher").field("lanes", &self.0.0.len()).finish_non_exhaustive()
    }
}

/// A command on its way: [`Batcher::submit`].
#[must_use = "dropped, it takes its command along"]
pub struct Submitted {
    lane: Arc<Lane>,
    slot: Arc<Slot>,
}

impl Future for Submitted {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let mut slot = self.slot.0.lock();
        if let Stage::Done(_) = slot.stage
            && let Stage::Done(outcome) = std::mem::replace(&mut slot.stage, Stage::Over)
        {
            return Poll::Ready(outcome);
        }
        if !slot.waker.as_ref().is_some_and(|known| known.will_wake(context.waker())) {
            slot.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Submitted {
    fn drop(&mut self) {
        if let Stage::Done(_) | Stage::Over = self.slot.0.lock().stage {
            return;
        }
        self.lane.let_go(&self.slot);
    }
}

impl fmt::Debug for Submitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submitted").finish_non_exhaustive()
    }
}

/// Of all batchers that are clones of each other.
struct Lanes(Box<[Arc<Lane>]>);

impl Drop for Lanes {
    fn drop(&mut self) {
        for lane in &self.0 {
            let mut queue = lane.queue.lock();
            queue.is_closed = true;
            let worker = queue.worker.take();
            drop(queue);
            worker.into_iter().for_each(Waker::wake);
        }
    }
}

/// Where commands wait for their worker. Its lock is taken before that of a slot.
struct Lane {
    bytes_max: usize,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    slots: VecDeque<Arc<Slot>>,
    /// Of `slots`, how many nobody waits for any more.
    over: usize,
    /// What waits or is at the store takes.
    bytes: usize,
    /// To be woken when something comes.
    worker: Option<Waker>,
    /// Nothing more can come.
    is_closed: bool,
    /// There is no worker any more.
    has_ended: bool,
}

/// What a caller and a worker know of one command.
struct Slot(Mutex<SlotState>);

struct SlotState {
    stage: Stage,
    waker: Option<Waker>,
}

enum Stage {
    Waiting(Command),
    /// At the store.
    Taken,
    Done(Outcome),
    /// Nobody waits, or the outcome was handed over.
    Over,
}

impl Slot {
    fn new(stage: Stage) -> Arc<Self> {
        Arc::new(Self(Mutex::new(SlotState { stage, waker: None })))
    }

    /// Tells whoever waits.
    fn answer(&self, outcome: Outcome) {
        let mut slot = self.0.lock();
        if let Stage::Over = slot.stage {
            return;
        }
        slot.stage = Stage::Done(outcome);
        let waker = slot.waker.take();
        drop(slot);
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Lane {
    fn new(bytes_max: usize) -> Self {
        Self { bytes_max, queue: Mutex::default() }
    }

    fn take_in(lane: &Arc<Self>, command: Command) -> Submitted {
        let submitted = |slot| Submitted { lane: Arc::clone(lane), slot };
        let bytes = weight(&command);
        let mut queue = lane.queue.lock();
        // One alone may be larger.
        let fits = queue.bytes == 0 || queue.bytes.saturating_add(bytes) <= lane.bytes_max;
        if queue.has_ended || !fits {
            return submitted(Slot::new(Stage::Done(Outcome::Refused(Code::StoreUnavailable.into()))));
        }
        let slot = Slot::new(Stage::Waiting(command));
        queue.bytes += bytes;
        queue.slots.push_back(Arc::clone(&slot));
        let worker = queue.worker.take();
        drop(queue);
        worker.into_iter().for_each(Waker::wake);
        submitted(slot)
    }

    /// Nobody waits any more.
    fn let_go(&self, slot: &Slot) {
        let mut queue = self.queue.lock();
        let SlotState { stage, waker } =
            std::mem::replace(&mut *slot.0.lock(), SlotState { stage: Stage::Over, waker: None });
        if let Stage::Waiting(command) = &stage {
            queue.bytes -= weight(command);
            queue.over += 1;
            // What is left of them is little, but there may be many while the store takes its time.
            if queue.over > queue.slots.len() / 2 {
                queue.slots.retain(|slot| !matches!(slot.0.lock().stage, Stage::Over));
                queue.over = 0;
            }
        }
        // Whatever these do when they are dropped, they do it outside the locks.
        drop(queue);
        drop((stage, waker));
    }
}

/// Submits what waits on a lane.
struct Worker<S> {
    engine: Arc<AsyncEngine<S>>,
    lane: Arc<Lane>,
    /// Whose commands are at the store.
    batch: Vec<Arc<Slot>>,
}

impl<S: AsyncStore> Worker<S> {
    async fn run(mut self) {
        while let Some(commands) = poll_fn(|context| self.next(context)).await {
            let outcomes = submitted(&self.engine, &commands).await;
            let bytes: usize = commands.iter().map(weight).sum();
            self.lane.queue.lock().bytes -= bytes;
            let unknown = || Outcome::Unknown(Code::StoreOutcomeUnknown.into());
            let outcomes = outcomes.into_iter().chain(repeat_with(unknown));
            self.batch.drain(..).zip(outcomes).for_each(|(slot, outcome)| slot.answer(outcome));
            // A store that never makes one wait lets the others of this thread have their turn.
            yield_once().await;
        }
    }

    /// What waits, as far as one round of the store takes it; `None` at the end.
    fn next(&mut self, context: &Context<'_>) -> Poll<Option<Vec<Command>>> {
        let mut queue = self.lane.queue.lock();
        let commands = queue.round(self.engine.store().round_players().max(1), &mut self.batch);
        if !commands.is_empty() {
            return Poll::Ready(Some(commands));
        }
        if queue.is_closed {
            return Poll::Ready(None);
        }
        queue.worker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl<S> Drop for Worker<S> {
    fn drop(&mut self) {
        let mut queue = self.lane.queue.lock();
        queue.has_ended = true;
        let waiting = std::mem::take(&mut queue.slots);
        drop(queue);
        for slot in self.batch.drain(..) {
            slot.answer(Outcome::Unknown(Code::StoreOutcomeUnknown.into()));
        }
        for slot in waiting {
            slot.answer(Outcome::Refused(Code::StoreUnavailable.into()));
        }
    }
}

impl Queue {
    /// Takes commands of at most so many players, as many of each as are decided together.
    fn round(&mut self, players_max: usize, batch: &mut Vec<Arc<Slot>>) -> Vec<Command> {
        let (mut commands, mut of_player) = (Vec::new(), HashMap::new());
        while let Some(slot) = self.slots.front() {
            let mut state = slot.0.lock();
            if let Stage::Waiting(command) = &state.stage {
                let players = of_player.len();
                match of_player.entry(hash::short(command.player.as_bytes())) {
                    Entry::Occupied(known) if *known.get() == RUN_LEN_MAX => break,
                    Entry::Vacant(_) if players == players_max => break,
                    Entry::Occupied(mut known) => *known.get_mut() += 1,
                    Entry::Vacant(new) => _ = new.insert(1),
                }
            }
            if let Stage::Waiting(command) = std::mem::replace(&mut state.stage, Stage::Taken) {
                commands.push(command);
                batch.push(Arc::clone(slot));
            } else {
                // Put back what it was: nobody waits for it.
                state.stage = Stage::Over;
                self.over -= 1;
            }
            drop(state);
            self.slots.pop_front();
        }
        commands
    }
}

/// What the engine says; after a panic, which was printed, nobody knows what was written.
async fn submitted<S: AsyncStore>(engine: &AsyncEngine<S>, commands: &[Command]) -> Vec<Outcome> {
    let mut submit = pin!(engine.submit_batch(commands));
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| submit.as_mut().poll(context)));
        polled.unwrap_or_else(|_| Poll::Ready(Vec::new()))
    })
    .await
}

async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What a command takes while it waits.
fn weight(command: &Command) -> usize {
    size_of::<Slot>() + command.memory_bytes()
}
