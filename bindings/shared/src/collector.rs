//! One thread that submits for callers who must not wait: event loops.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use liveops_core::error::{Code, Error};
use liveops_core::event::FieldValue;
use liveops_core::record::Action;
use liveops_core::{Command, Id, Outcome, Timestamp};
use parking_lot::Mutex;

use crate::{Core, Shared};

/// Commands that are submitted together: what one round of a store in a file takes.
const ROUND_COMMANDS_MAX: usize = 4_096;

/// Lines of one piece of work that are submitted before others have their turn.
const ROUND_LINES_MAX: usize = 4_096;

/// How much may wait or be under way, in memory, of commands and as much of lines; a single piece of work may be larger.
const WAITING_BYTES_MAX: usize = if cfg!(test) { 4 << 20 } else { 64 << 20 };

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
            Self::Commands(commands) => commands.iter().map(weight_of).sum(),
            Self::Lines { lines, .. } => lines.len(),
        }
    }

    /// How many outcomes come of it.
    fn len(&self) -> usize {
        match self {
            Self::Commands(commands) => commands.len(),
            Self::Lines { lines, .. } => each_line(lines).count(),
        }
    }
}

/// Work that was not taken: who waits for it, and what to tell them.
pub type NotTaken<W> = (W, Vec<Outcome>);

/// Gathers work, submits what waits in one batch, and hands the outcomes to whoever waits for them: so many callers at once share
/// each commit of a store, and none of them holds a thread. `W` says who waits.
///
/// Commands are submitted in the order of [`Self::send`]. Lines are submitted in between, a piece at a time, so that millions of them
/// hold up nobody.
pub struct Collector<W> {
    engine: Arc<Shared>,
    state: Mutex<State<W>>,
    /// Whoever closes holds it until the thread has ended, so that everybody who closes waits for that.
    closing: Mutex<()>,
    waiting: Arc<Waiting>,
}

enum State<W> {
    /// No thread yet: nobody sent anything, or there was none to be had.
    Idle(Deliver<W>),
    Running(Sender<(Work, W)>, JoinHandle<()>),
    Closed,
}

/// How much was taken and is not submitted yet.
#[derive(Default)]
struct Waiting {
    commands: AtomicUsize,
    lines: AtomicUsize,
}

impl Waiting {
    const fn of(&self, work: &Work) -> &AtomicUsize {
        match work {
            Work::Commands(_) => &self.commands,
            Work::Lines { .. } => &self.lines,
        }
    }
}

impl<W: Send + 'static> Collector<W> {
    /// `deliver` is called on the collector's thread, once a round.
    pub fn new(engine: Arc<Shared>, deliver: impl Fn(Vec<(W, Vec<Outcome>)>) + Send + 'static) -> Self {
        let deliver: Deliver<W> = Arc::new(Mutex::new(deliver));
        let state = Mutex::new(State::Idle(deliver));
        Self { engine, state, closing: Mutex::new(()), waiting: Arc::default() }
    }

    /// Takes work on; the outcomes are delivered, one for each command or line, in order. If more waits than may, or no thread can be
    /// had, nothing is taken: then it answers at once, `store_unavailable` for each command or line, and nothing is delivered.
    ///
    /// Errors: `forked`, `closed`.
    pub fn send(&self, work: Work, waiter: W) -> Result<Option<NotTaken<W>>, Error> {
        self.engine.with(|_| ())?;
        let (weight, waiting) = (work.weight(), self.waiting.of(&work));
        let before = waiting.fetch_add(weight, Ordering::AcqRel);
        let fits = before == 0 || before.saturating_add(weight) <= WAITING_BYTES_MAX;
        let mut state = self.state.lock();
        let ready = fits && self.start(&mut state, Builder::new());
        let sent = match &*state {
            State::Closed => Err(Code::Closed.into()),
            State::Running(sender, _) if ready => match sender.send((work, waiter)) {
                Ok(()) => return Ok(None),
                Err(_) => Err(Code::Closed.into()),
            },
            _ => Ok(Some((waiter, refused(&Code::StoreUnavailable.into(), work.len())))),
        };
        waiting.fetch_sub(weight, Ordering::AcqRel);
        sent
    }

    /// Whether all that was sent is submitted: what is submitted otherwise comes behind it.
    pub fn is_idle(&self) -> bool {
        self.waiting.commands.load(Ordering::Acquire) == 0 && self.waiting.lines.load(Ordering::Acquire) == 0
    }

    /// Whether there is a thread; begins one if there was none.
    fn start(&self, state: &mut State<W>, thread: Builder) -> bool {
        if let State::Idle(deliver) = state {
            let (sender, receiver) = channel();
            let (engine, deliver) = (Arc::clone(&self.engine), Arc::clone(deliver));
            let worker = Worker { engine, deliver, waiting: Arc::clone(&self.waiting) };
            let thread = thread.name("liveops-submit".to_owned());
            if let Ok(handle) = thread.spawn(move || worker.run(&receiver)) {
                *state = State::Running(sender, handle);
            }
        }
        matches!(state, State::Running(..))
    }

    /// Takes no more; returns once everything that waits was submitted and delivered, whoever closed it first. Once more is nothing, and
    /// so is closing in a forked process.
    pub fn close(&self) {
        if self.engine.check_process().is_err() {
            return;
        }
        let _closing = self.closing.lock();
        let state = std::mem::replace(&mut *self.state.lock(), State::Closed);
        if let State::Running(sender, handle) = state {
            drop(sender);
            // A delivery may let go of the last who holds the collector: the thread does not wait for itself.
            if handle.thread().id() != std::thread::current().id() {
                _ = handle.join();
            }
        }
    }
}

// Dropped without being closed, the thread ends once it has done what waits; nobody waits for it, who may be the interpreter itself.

type Deliver<W> = Arc<Mutex<dyn Fn(Vec<(W, Vec<Outcome>)>) + Send>>;

struct Worker<W> {
    engine: Arc<Shared>,
    deliver: Deliver<W>,
    waiting: Arc<Waiting>,
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
            let mut weight = 0;
            let mut next = first;
            while let Some((work, waiter)) = next.take() {
                let more_weight = work.weight();
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
                        weight += more_weight;
                    }
                    Work::Lines { lines: bytes, now } => {
                        lines.push_back(Lines { bytes, from: 0, now, outcomes: Vec::new(), waiter });
                    }
                }
                next = receiver.try_recv().ok();
            }
            if !waiters.is_empty() {
                self.submit(commands, waiters, weight);
            }
            if let Some(piece) = lines.pop_front()
                && let Some(more) = self.submit_lines(piece)
            {
                lines.push_back(more);
            }
        }
    }

    fn submit(&self, commands: Vec<Command>, waiters: Vec<(W, usize)>, weight: usize) {
        let outcomes = self.decided(|core| core.submit_batch(&commands));
        let outcomes = outcomes.unwrap_or_else(|error| refused(&error, commands.len()));
        drop(commands);
        self.waiting.commands.fetch_sub(weight, Ordering::AcqRel);
        let mut outcomes = outcomes.into_iter();
        let each = waiters.into_iter().map(|(waiter, len)| (waiter, outcomes.by_ref().take(len).collect()));
        self.deliver(each.collect());
    }

    /// The next piece; what is left of the work, if anything is. All of it counts as waiting until its end: so long it is in memory.
    fn submit_lines(&self, mut work: Lines<W>) -> Option<Lines<W>> {
        let rest = work.bytes.get(work.from..).unwrap_or_default();
        let len = each_line(rest).take(ROUND_LINES_MAX).map(<[u8]>::len).sum();
        let piece = &rest[..len];
        match self.decided(|core| core.submit_ndjson(piece, work.now)) {
            Ok(outcomes) => work.outcomes.extend(outcomes),
            Err(error) => work.outcomes.extend(refused(&error, each_line(piece).count())),
        }
        work.from += len;
        if work.from < work.bytes.len() {
            return Some(work);
        }
        let weight = work.bytes.len();
        drop(work.bytes);
        self.waiting.lines.fetch_sub(weight, Ordering::AcqRel);
        self.deliver(vec![(work.waiter, work.outcomes)]);
        None
    }

    /// What the engine says; after a panic, which was printed, nobody knows what was written.
    fn decided<T>(&self, call: impl FnOnce(&Core) -> T) -> Result<T, Error> {
        let called = catch_unwind(AssertUnwindSafe(|| self.engine.with(call)));
        called.unwrap_or_else(|_| Err(Code::StoreOutcomeUnknown.into()))
    }

    /// After a panic, which was printed, the others who wait are told of theirs all the same.
    fn deliver(&self, answers: Vec<(W, Vec<Outcome>)>) {
        let deliver = self.deliver.lock();
        _ = catch_unwind(AssertUnwindSafe(|| deliver(answers)));
    }
}

/// With what an event brings.
fn weight_of(command: &Command) -> usize {
    let Action::Event { payload, .. } = &command.action else { return size_of::<Command>() };
    let fields = payload.iter().map(|(_, value)| size_of::<(Id, FieldValue)>() + heap_of(value));
    size_of::<Command>() + fields.sum::<usize>()
}

fn heap_of(value: &FieldValue) -> usize {
    match value {
        FieldValue::Text(text) => text.len(),
        FieldValue::Array(values) => values.iter().map(|value| size_of::<FieldValue>() + heap_of(value)).sum(),
        _ => 0,
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

    #[test]
    fn whoever_closes_waits_until_all_is_delivered() {
        let ((rounds, seen), (go, gate)) = (channel(), channel::<()>());
        let deliver = move |round: Vec<(usize, Vec<Outcome>)>| {
            _ = gate.recv();
            rounds.send(round).unwrap();
        };
        let engine = engine();
        let collector = Arc::new(Collector::new(Arc::clone(&engine), deliver));
        for n in 0..3 {
            assert!(collector.send(Work::Commands(vec![adjust(n)]), n).unwrap().is_none());
        }
        let closing = [(); 2].map(|()| {
            let collector = Arc::clone(&collector);
            std::thread::spawn(move || collector.close())
        });
        while !matches!(*collector.state.lock(), State::Closed) {
            std::thread::yield_now();
        }
        assert!(!closing.iter().any(JoinHandle::is_finished), "nothing was delivered yet");
        assert!(collector.closing.try_lock().is_none(), "one more would wait as well");
        drop(go);
        for thread in closing {
            thread.join().unwrap();
        }
        let delivered: Vec<_> = seen.try_iter().flatten().collect();
        assert_eq!(delivered.len(), 3);
        assert!(delivered.iter().all(|(_, outcomes)| outcomes[0].code() == "applied"));
    }

    #[test]
    fn without_a_thread_nothing_is_taken_and_the_next_may_be() {
        let (rounds, seen) = channel();
        let collector = Collector::new(engine(), move |round| rounds.send(round).unwrap());
        // More memory than there are addresses.
        let started = collector.start(&mut collector.state.lock(), Builder::new().stack_size(1 << 60));
        assert!(!started && collector.is_idle());
        assert!(collector.send(Work::Commands(vec![adjust(1)]), ()).unwrap().is_none());
        collector.close();
        assert_eq!(seen.recv().unwrap()[0].1[0].code(), "applied");
        assert!(collector.is_idle());
    }

    #[test]
    fn what_is_too_much_is_refused_at_once_and_takes_no_memory() {
        let ((rounds, seen), (go, gate)) = (channel(), channel::<()>());
        let deliver = move |round| {
            _ = gate.recv();
            rounds.send(round).unwrap();
        };
        let collector = Collector::new(engine(), deliver);
        let now = Timestamp::from_unix_millis(NOW_MS);
        let lines = |len| Work::Lines { lines: vec![b' '; len], now };
        assert!(collector.send(Work::Commands(vec![adjust(0)]), "first").unwrap().is_none());
        while !collector.is_idle() {
            std::thread::yield_now();
        }
        // The first round is being delivered: whatever comes now waits.
        assert!(collector.send(lines(WAITING_BYTES_MAX - 9), "lines").unwrap().is_none());
        let (waiter, outcomes) =
            collector.send(Work::Lines { lines: b"1\n2\n3\n45678".to_vec(), now }, "more").unwrap().unwrap();
        let codes: Vec<_> = outcomes.iter().map(Outcome::code).collect();
        assert_eq!((waiter, codes), ("more", vec!["store_unavailable"; 4]));
        assert!(collector.send(lines(9), "fits").unwrap().is_none());
        let many = vec![adjust(1); ROUND_COMMANDS_MAX];
        let mut taken = 0;
        let refused = loop {
            match collector.send(Work::Commands(many.clone()), "commands").unwrap() {
                None => taken += 1,
                Some((_, outcomes)) => break outcomes,
            }
        };
        assert!(refused.len() == many.len() && refused.iter().all(|outcome| outcome.code() == "store_unavailable"));
        assert!(taken > 1, "lines that wait keep no command out");
        drop(go);
        collector.close();
        assert_eq!(seen.iter().flatten().count(), 3 + taken);
        assert!(collector.is_idle());
    }

    #[test]
    fn a_panic_in_a_delivery_ends_nothing() {
        let (rounds, seen) = channel();
        let collector = Collector::new(engine(), move |round: Vec<(bool, Vec<Outcome>)>| {
            assert!(round[0].0, "meant: it is printed");
            rounds.send(round).unwrap();
        });
        collector.send(Work::Commands(vec![adjust(0)]), false).unwrap();
        while !collector.is_idle() {
            std::thread::yield_now();
        }
        collector.send(Work::Commands(vec![adjust(0)]), true).unwrap();
        assert_eq!(seen.recv().unwrap()[0].1[0].code(), "replayed");
    }
}
