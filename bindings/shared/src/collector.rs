//! One thread that submits for callers who must not wait: event loops.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use liveops_core::error::{Code, Error};
use liveops_core::{Command, Outcome, Timestamp};
use parking_lot::Mutex;

use crate::Shared;

/// Commands that are submitted together: what one round of a store in a file takes.
const ROUND_COMMANDS_MAX: usize = 4_096;

/// Lines of one piece of work that are submitted before others have their turn.
const ROUND_LINES_MAX: usize = 4_096;

/// How much may wait, in memory; a single piece of work may be larger.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// What is to be submitted.
#[derive(Debug)]
pub enum Work {
    /// Commands, in order.
    Commands(Vec<Command>),
    /// Lines of JSON from a source that is trusted, as they came at a time.
    Lines {
        /// One event each.
        lines: Vec<u8>,
        /// When they came.
        now: Timestamp,
    },
}

impl Work {
    /// How much of [`WAITING_BYTES_MAX`] it takes.
    fn weight(&self) -> usize {
        match self {
            Self::Commands(commands) => commands.len() * size_of::<Command>(),
            Self::Lines { lines, .. } => lines.len(),
        }
    }
}

/// Gathers work, submits what waits in one batch, and hands the outcomes to whoever waits for them: so many callers at once share
/// each commit of a store, and none of them holds a thread. `W` says who waits.
///
/// Commands are submitted in the order of [`Self::send`]. Lines are submitted in between, a piece at a time, so that millions of them
/// hold up nobody.
pub struct Collector<W> {
    engine: Arc<Shared>,
    state: Mutex<State<W>>,
    waiting: Arc<AtomicUsize>,
}

enum State<W> {
    /// Nobody sent anything yet.
    Idle(Worker<W>),
    Running(Sender<(Work, W)>, JoinHandle<()>),
    Closed,
}

impl<W: Send + 'static> Collector<W> {
    /// `deliver` is called on the collector's thread, once a round.
    pub fn new(engine: Arc<Shared>, deliver: impl Fn(Vec<(W, Vec<Outcome>)>) + Send + 'static) -> Self {
        let waiting = Arc::new(AtomicUsize::new(0));
        let deliver = Box::new(deliver);
        let worker = Worker { engine: Arc::clone(&engine), deliver, waiting: Arc::clone(&waiting) };
        Self { engine, state: Mutex::new(State::Idle(worker)), waiting }
    }

    /// Takes work on; the outcomes are delivered, one for each command or line, in order.
    ///
    /// Errors: `forked`, `closed`; `store_unavailable` if more waits than may, or no thread can be had: then nothing was taken.
    pub fn send(&self, work: Work, waiter: W) -> Result<(), Error> {
        self.engine.with(|_| ())?;
        let weight = work.weight();
        let before = self.waiting.fetch_add(weight, Ordering::Relaxed);
        if before > 0 && before.saturating_add(weight) > WAITING_BYTES_MAX {
            self.waiting.fetch_sub(weight, Ordering::Relaxed);
            return Err(Code::StoreUnavailable.into());
        }
        let mut state = self.state.lock();
        if let State::Idle(_) = &*state
            && let State::Idle(worker) = std::mem::replace(&mut *state, State::Closed)
        {
            let (sender, receiver) = channel();
            let thread = std::thread::Builder::new().name("liveops-submit".to_owned());
            let handle = thread.spawn(move || worker.run(&receiver)).map_err(|_| Code::StoreUnavailable)?;
            *state = State::Running(sender, handle);
        }
        match &*state {
            State::Running(sender, _) => sender.send((work, waiter)).map_err(|_| Code::Closed.into()),
            _ => Err(Code::Closed.into()),
        }
    }

    /// Takes no more; returns once everything that waits was submitted and delivered. Once more is nothing.
    pub fn close(&self) {
        let state = std::mem::replace(&mut *self.state.lock(), State::Closed);
        if let State::Running(sender, handle) = state {
            drop(sender);
            // It ends by itself; a panic in a delivery was printed.
            _ = handle.join();
        }
    }
}

// Dropped without being closed, the thread ends once it has done what waits; nobody waits for it, who may be the interpreter itself.

type Deliver<W> = Box<dyn Fn(Vec<(W, Vec<Outcome>)>) + Send>;

struct Worker<W> {
    engine: Arc<Shared>,
    deliver: Deliver<W>,
    waiting: Arc<AtomicUsize>,
}

/// Lines that are under way.
struct Lines<W> {
    bytes: Vec<u8>,
    /// Where the next piece begins.
    from: usize,
    now: Timestamp,
    outcomes: Vec<Outcome>,
    waiter: W,
}

impl<W> Worker<W> {
    fn run(self, receiver: &Receiver<(Work, W)>) {
        let mut lines: VecDeque<Lines<W>> = VecDeque::new();
        let mut ahead = None;
        loop {
            // With lines under way there is something to do, whether or not others wait.
            let first = match ahead.take() {
                Some(first) => Some(first),
                None if lines.is_empty() => match receiver.recv() {
                    Ok(first) => Some(first),
                    Err(_) => return,
                },
                None => receiver.try_recv().ok(),
            };
            let mut commands = Vec::new();
            let mut waiters = Vec::new();
            let mut next = first;
            while let Some((work, waiter)) = next.take() {
                let weight = work.weight();
                match work {
                    Work::Commands(more)
                        if !commands.is_empty() && commands.len() + more.len() > ROUND_COMMANDS_MAX =>
                    {
                        ahead = Some((Work::Commands(more), waiter));
                        break;
                    }
                    Work::Commands(more) => {
                        waiters.push((waiter, more.len()));
                        commands.extend(more);
                    }
                    Work::Lines { lines: bytes, now } => {
                        lines.push_back(Lines { bytes, from: 0, now, outcomes: Vec::new(), waiter });
                    }
                }
                self.waiting.fetch_sub(weight, Ordering::Relaxed);
                next = receiver.try_recv().ok();
            }
            if !waiters.is_empty() {
                self.submit(&commands, waiters);
            }
            if let Some(piece) = lines.pop_front()
                && let Some(more) = self.submit_lines(piece)
            {
                lines.push_back(more);
            }
        }
    }

    fn submit(&self, commands: &[Command], waiters: Vec<(W, usize)>) {
        let outcomes = self.engine.with(|core| core.submit_batch(commands));
        let outcomes = outcomes.unwrap_or_else(|error| refused(&error, commands.len()));
        let mut outcomes = outcomes.into_iter();
        let each = waiters.into_iter().map(|(waiter, len)| (waiter, outcomes.by_ref().take(len).collect()));
        (self.deliver)(each.collect());
    }

    /// The next piece; what is left of the work, if anything is.
    fn submit_lines(&self, mut work: Lines<W>) -> Option<Lines<W>> {
        let rest = work.bytes.get(work.from..).unwrap_or_default();
        let len = each_line(rest).take(ROUND_LINES_MAX).map(<[u8]>::len).sum();
        let piece = &rest[..len];
        match self.engine.with(|core| core.submit_ndjson(piece, work.now)) {
            Ok(outcomes) => work.outcomes.extend(outcomes),
            Err(error) => work.outcomes.extend(refused(&error, each_line(piece).count())),
        }
        work.from += len;
        if work.from < work.bytes.len() {
            return Some(work);
        }
        (self.deliver)(vec![(work.waiter, work.outcomes)]);
        None
    }
}

/// With their newlines.
fn each_line(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

fn refused(error: &Error, count: usize) -> Vec<Outcome> {
    vec![Outcome::Refused(error.clone()); count]
}

#[cfg(test)]
mod tests {
    use liveops_core::{PlayerId, Rules};

    use super::*;
    use crate::{Opening, StoreChoice};

    const NOW_MS: i64 = 1_794_052_800_000;

    fn engine() -> Arc<Shared> {
        let rules = Rules::from_json(r#"{ "version": 1, "game": "g" }"#).unwrap();
        let (store, clock) = (StoreChoice::Memory { feed: 0 }, Timestamp::from_unix_millis(NOW_MS));
        Arc::new(Opening { rules: rules.into(), store, start: None, recording: false, clock }.open().unwrap())
    }

    fn adjust(id: usize) -> Command {
        let now = Timestamp::from_unix_millis(NOW_MS);
        let id = liveops_core::EventId::new(&format!("a{id}")).unwrap();
        Command::adjust(id, PlayerId::new("ana").unwrap(), now, 1, "test").unwrap()
    }

    #[test]
    fn what_waits_is_submitted_together_and_in_order() {
        let (rounds, seen) = channel();
        let engine = engine();
        let collector = Collector::new(Arc::clone(&engine), move |round| rounds.send(round).unwrap());
        for n in 0..1_000 {
            collector.send(Work::Commands(vec![adjust(n), adjust(n / 2)]), n).unwrap();
        }
        collector.close();
        assert_eq!(collector.send(Work::Commands(Vec::new()), 0).unwrap_err().code(), Code::Closed);
        let delivered: Vec<_> = seen.iter().flatten().collect();
        assert_eq!(delivered.iter().map(|(waiter, _)| *waiter).collect::<Vec<_>>(), (0..1_000).collect::<Vec<_>>());
        for (n, outcomes) in delivered {
            let codes: Vec<_> = outcomes.iter().map(Outcome::code).collect();
            assert_eq!(codes, ["applied", "replayed"], "{n}");
        }
    }

    #[test]
    fn lines_hold_up_nobody_and_none_is_lost() {
        let ((rounds, seen), (go, gate)) = (channel(), channel::<()>());
        let deliver = move |round| {
            // The first round waits until everything was sent.
            _ = gate.recv();
            rounds.send(round).unwrap();
        };
        let collector = Collector::new(engine(), deliver);
        collector.send(Work::Commands(vec![adjust(1)]), "first").unwrap();
        let line = |n: usize| {
            format!(r#"{{"id":"e{n}","type":"progression","playerId":"bo","ts":1794052800,"payload":{{"deltaXp":1}}}}"#)
        };
        let text: Vec<String> = (0..=3 * ROUND_LINES_MAX).map(line).collect();
        let now = Timestamp::from_unix_millis(NOW_MS);
        collector.send(Work::Lines { lines: text.join("\n").into_bytes(), now }, "lines").unwrap();
        collector.send(Work::Commands(vec![adjust(0)]), "command").unwrap();
        collector.send(Work::Lines { lines: Vec::new(), now }, "nothing").unwrap();
        drop(go);
        collector.close();
        let delivered: Vec<_> = seen.iter().flatten().collect();
        let order: Vec<_> = delivered.iter().map(|(waiter, outcomes)| (*waiter, outcomes.len())).collect();
        assert_eq!(order, [("first", 1), ("command", 1), ("nothing", 0), ("lines", text.len())]);
        assert!(delivered.iter().all(|(_, outcomes)| outcomes.iter().all(|outcome| outcome.code() == "applied")));
    }

    #[test]
    fn a_closed_engine_answers_closed() {
        let (rounds, seen) = channel();
        let engine = engine();
        let collector = Collector::new(Arc::clone(&engine), move |round| rounds.send(round).unwrap());
        collector.send(Work::Commands(vec![adjust(0)]), ()).unwrap();
        engine.close().unwrap();
        engine.close().unwrap();
        assert_eq!(engine.with(|_| ()).unwrap_err().code(), Code::Closed);
        assert_eq!(collector.send(Work::Commands(vec![adjust(0)]), ()).unwrap_err().code(), Code::Closed);
        collector.close();
        let delivered: Vec<_> = seen.iter().flatten().collect();
        assert_eq!(delivered.len(), 1, "what was taken is answered: it came before the closing or after it");
        assert!(["applied", "closed"].contains(&delivered[0].1[0].code()));
    }
}
