//! Threads that submit for callers who must not wait: event loops.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle, current};

use liveops_core::error::{Code, Error};
use liveops_core::event::FieldValue;
use liveops_core::record::Action;
use liveops_core::{Batch, Command, Id, Outcome, Timestamp};
use parking_lot::{Condvar, Mutex};

use crate::cut::{Cut, Gather, by_line, by_player, each_line};
use crate::{Core, Shared};

/// Commands that are submitted together: what one round of a store in a file takes.
const ROUND_COMMANDS_MAX: usize = 4_096;

/// The same of one of several lanes, which a store far away takes in one round trip: nobody waits for the next.
const LANE_COMMANDS_MAX: usize = 256;

/// Lines of one piece of work that one thread submits before others have their turn.
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
        /// How many threads decide them at once. A store far away has lanes instead.
        threads: NonZeroUsize,
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
pub type NotTaken<W> = (W, Batch);

/// Gathers work, submits what waits in one batch, and hands the outcomes to whoever waits for them: so many callers at once share
/// each commit of a store, and none of them holds a thread. `W` says who waits.
///
/// It has as many lanes as the [engine's store](Shared::lanes) can make use of, each with a thread that begins with its first work. A
/// player belongs to one lane, so that no two of them ever write the same player. A store in the process has one; over one far away
/// each lane waits for its own answer, while the others go on.
///
/// Commands of a player are submitted in the order of [`Self::send`]. Lines are submitted in between, a piece at a time, so that
/// millions of them hold up nobody.
pub struct Collector<W> {
    inner: Arc<Inner<W>>,
    /// Whoever closes holds it until the threads have ended, so that everybody who closes waits for that.
    closing: Mutex<()>,
}

struct Inner<W> {
    engine: Arc<Shared>,
    deliver: Deliver<W>,
    state: Mutex<State<W>>,
    /// By lane: told when there is something for it to do, or to end.
    news: Vec<Condvar>,
    waiting: Waiting,
    commands_max: usize,
}

type Deliver<W> = Box<dyn Fn(Vec<(W, Batch)>) + Send + Sync>;

struct State<W> {
    is_closed: bool,
    lanes: Vec<Lane<W>>,
    /// Whom nobody waits for yet.
    threads: Vec<JoinHandle<()>>,
    /// Works of lines that were taken and not delivered: any lane may still be given a part of them.
    lines: usize,
}

struct Lane<W> {
    /// Not before its first work, nor if there was none to be had.
    has_thread: bool,
    commands: VecDeque<Part<W>>,
    lines: VecDeque<LinesJob<W>>,
}

/// Commands of one lane.
struct Part<W> {
    commands: Vec<Command>,
    weight: usize,
    to: To<W>,
}

/// Who is told.
enum To<W> {
    /// Who waits for these alone.
    One(W),
    /// Who waits for others too, and which of all these are.
    Among(Arc<Gather<W>>, Vec<usize>),
}

/// What a lane does next: commands together, and then some lines.
type Round<W> = (Vec<Part<W>>, Option<LinesJob<W>>);

enum LinesJob<W> {
    /// The next piece is to be cut.
    Next(Lines<W>),
    /// The part of a piece that belongs to a lane, and which of its lines they are.
    Part { bytes: Vec<u8>, now: Timestamp, piece: Arc<Gather<Lines<W>>>, places: Vec<usize> },
}

/// Lines that are under way.
struct Lines<W> {
    bytes: Vec<u8>,
    weight: usize,
    /// Where the next piece begins.
    from: usize,
    now: Timestamp,
    threads: NonZeroUsize,
    outcomes: Batch,
    waiter: W,
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
    /// `deliver` is called on the collector's threads, once a round.
    pub fn new(engine: Arc<Shared>, deliver: impl Fn(Vec<(W, Batch)>) + Send + Sync + 'static) -> Self {
        let lanes = engine.lanes();
        let lane = |_| Lane { has_thread: false, commands: VecDeque::new(), lines: VecDeque::new() };
        let state = State { is_closed: false, lanes: (0..lanes).map(lane).collect(), threads: Vec::new(), lines: 0 };
        let inner = Inner {
            engine,
            deliver: Box::new(deliver),
            state: Mutex::new(state),
            news: (0..lanes).map(|_| Condvar::new()).collect(),
            waiting: Waiting::default(),
            commands_max: if lanes == 1 { ROUND_COMMANDS_MAX } else { LANE_COMMANDS_MAX },
        };
        Self { inner: Arc::new(inner), closing: Mutex::new(()) }
    }

    /// Takes work on; the outcomes are delivered, one for each command or line, in order. If more waits than may, or no thread can be
    /// had, nothing is taken: then it answers at once, `store_unavailable` for each command or line, and nothing is delivered.
    ///
    /// Errors: `forked`, `closed`.
    pub fn send(&self, work: Work, waiter: W) -> Result<Option<NotTaken<W>>, Error> {
        let inner = &self.inner;
        inner.engine.with(|_| ())?;
        let (weight, waiting) = (work.weight(), inner.waiting.of(&work));
        let before = waiting.fetch_add(weight, Ordering::AcqRel);
        let fits = before == 0 || before.saturating_add(weight) <= WAITING_BYTES_MAX;
        let sent = match work {
            _ if !fits => Ok(Some((waiter, too_much(work.len())))),
            Work::Commands(commands) => inner.send_commands(commands, weight, waiter),
            // An empty last line is no line.
            Work::Lines { mut lines, now, threads } => {
                if lines == b"\n" {
                    lines.clear();
                }
                inner.send_lines(Lines {
                    bytes: lines,
                    weight,
                    from: 0,
                    now,
                    threads,
                    outcomes: Batch::default(),
                    waiter,
                })
            }
        };
        if !matches!(sent, Ok(None)) {
            waiting.fetch_sub(weight, Ordering::AcqRel);
        }
        sent
    }

    /// Whether all that was sent is submitted: what is submitted otherwise comes behind it.
    pub fn is_idle(&self) -> bool {
        let waiting = &self.inner.waiting;
        waiting.commands.load(Ordering::Acquire) == 0 && waiting.lines.load(Ordering::Acquire) == 0
    }

    /// Takes no more; returns once everything that waits was submitted and delivered, whoever closed it first. Once more is nothing, and
    /// so is closing in a forked process.
    pub fn close(&self) {
        if self.inner.engine.check_process().is_err() {
            return;
        }
        let _closing = self.closing.lock();
        // A thread that cuts lines may begin others meanwhile.
        loop {
            let threads = self.inner.end();
            // A delivery may let go of the last who holds the collector: no thread waits for itself, or for who waits for it.
            if threads.is_empty() || threads.iter().any(|thread| thread.thread().id() == current().id()) {
                return;
            }
            for thread in threads {
                _ = thread.join();
            }
        }
    }
}

/// Without being closed the threads end once they have done what waits; nobody waits for them, who may be the interpreter itself. In a
/// forked process there are none, and their lock may be held for ever.
impl<W> Drop for Collector<W> {
    fn drop(&mut self) {
        if self.inner.engine.check_process().is_ok() {
            self.inner.end();
        }
    }
}

impl<W> Inner<W> {
    /// Tells every thread to end once nothing is left to do.
    fn end(&self) -> Vec<JoinHandle<()>> {
        let mut state = self.state.lock();
        state.is_closed = true;
        self.news.iter().for_each(|news| _ = news.notify_one());
        std::mem::take(&mut state.threads)
    }
}

impl<W: Send + 'static> Inner<W> {
    fn send_commands(
        self: &Arc<Self>,
        commands: Vec<Command>,
        weight: usize,
        waiter: W,
    ) -> Result<Option<NotTaken<W>>, Error> {
        let len = commands.len();
        let cuts = by_player(commands, self.news.len());
        let mut state = self.state.lock();
        if state.is_closed {
            return Err(Code::Closed.into());
        }
        if !cuts.iter().all(|cut| self.start(&mut state, cut.lane, Builder::new())) {
            return Ok(Some((waiter, too_much(len))));
        }
        match <[_; 1]>::try_from(cuts) {
            Ok([Cut { lane, part: commands, .. }]) => {
                self.push(&mut state, lane, Part { commands, weight, to: To::One(waiter) });
            }
            Err(cuts) => {
                let gather = Arc::new(Gather::new(waiter, len, cuts.len()));
                for Cut { lane, part: commands, places } in cuts {
                    let weight = commands.iter().map(weight_of).sum();
                    let to = To::Among(Arc::clone(&gather), places);
                    self.push(&mut state, lane, Part { commands, weight, to });
                }
            }
        }
        Ok(None)
    }

    fn send_lines(self: &Arc<Self>, work: Lines<W>) -> Result<Option<NotTaken<W>>, Error> {
        let mut state = self.state.lock();
        if state.is_closed {
            return Err(Code::Closed.into());
        }
        let lane = state.lines % self.news.len();
        if !self.start(&mut state, lane, Builder::new()) {
            return Ok(Some((work.waiter, too_much(each_line(&work.bytes).count()))));
        }
        state.lines += 1;
        self.push_lines(&mut state, lane, LinesJob::Next(work));
        Ok(None)
    }

    /// Whether a lane has a thread; begins one if it had none.
    fn start(self: &Arc<Self>, state: &mut State<W>, lane: usize, thread: Builder) -> bool {
        let Some(Lane { has_thread, .. }) = state.lanes.get_mut(lane) else { return false };
        if !*has_thread {
            let inner = Arc::clone(self);
            let thread = thread.name("liveops-submit".to_owned()).spawn(move || inner.run(lane));
            *has_thread = thread.is_ok();
            state.threads.extend(thread);
        }
        *has_thread
    }

    fn push(&self, state: &mut State<W>, lane: usize, part: Part<W>) {
        if let (Some(queue), Some(news)) = (state.lanes.get_mut(lane), self.news.get(lane)) {
            queue.commands.push_back(part);
            news.notify_one();
        }
    }

    fn push_lines(&self, state: &mut State<W>, lane: usize, job: LinesJob<W>) {
        if let (Some(queue), Some(news)) = (state.lanes.get_mut(lane), self.news.get(lane)) {
            queue.lines.push_back(job);
            news.notify_one();
        }
    }

    /// A lane's thread: commands that wait, then a piece of lines, and so on.
    fn run(self: Arc<Self>, lane: usize) {
        while let Some((commands, lines)) = self.next(lane) {
            if !commands.is_empty() {
                self.submit(commands);
            }
            match lines {
                Some(LinesJob::Next(work)) => self.submit_next(lane, work),
                Some(LinesJob::Part { bytes, now, piece, places }) => {
                    let outcomes = self.submit_lines(&bytes, places.len(), now, NonZeroUsize::MIN);
                    if let Some((work, outcomes)) = piece.put(places, outcomes) {
                        self.submitted(lane, work, outcomes);
                    }
                }
                None => {}
            }
        }
    }

    /// What there is to do; nothing any more at the end.
    fn next(&self, lane: usize) -> Option<Round<W>> {
        let mut state = self.state.lock();
        loop {
            let Lane { commands, lines, .. } = state.lanes.get_mut(lane)?;
            let (mut round, mut len) = (Vec::new(), 0);
            while let Some(part) = commands.front()
                && (round.is_empty() || len + part.commands.len() <= self.commands_max)
            {
                len += part.commands.len();
                round.extend(commands.pop_front());
            }
            let lines = lines.pop_front();
            if !round.is_empty() || lines.is_some() {
                return Some((round, lines));
            }
            if state.is_closed && state.lines == 0 {
                return None;
            }
            self.news.get(lane)?.wait(&mut state);
        }
    }

    fn submit(&self, parts: Vec<Part<W>>) {
        let (mut commands, mut whose, mut weight) = (Vec::new(), Vec::new(), 0);
        for part in parts {
            whose.push((part.to, part.commands.len()));
            commands.extend(part.commands);
            weight += part.weight;
        }
        let outcomes = self.decided(|core| core.submit_batch(&commands));
        let outcomes = outcomes.unwrap_or_else(|error| vec![Outcome::Refused(error); commands.len()]);
        drop(commands);
        self.waiting.commands.fetch_sub(weight, Ordering::AcqRel);
        let mut outcomes = outcomes.into_iter();
        let answers = whose.into_iter().filter_map(|(to, len)| {
            let outcomes = outcomes.by_ref().take(len).collect();
            match to {
                To::One(waiter) => Some((waiter, outcomes)),
                To::Among(gather, places) => gather.put(places, outcomes),
            }
        });
        self.deliver(answers.collect());
    }

    /// The next piece, here or cut by lane. All of the work counts as waiting until its end: so long it is in memory.
    fn submit_next(self: &Arc<Self>, lane: usize, mut work: Lines<W>) {
        let rest = work.bytes.get(work.from..).unwrap_or_default();
        let len = each_line(rest).take(ROUND_LINES_MAX.saturating_mul(work.threads.get())).map(<[u8]>::len).sum();
        let piece = &rest[..len];
        let count = each_line(piece).count();
        work.from += len;
        if self.news.len() == 1 || count == 0 {
            let from = work.from - len;
            let outcomes = self.submit_lines(&work.bytes[from..from + len], count, work.now, work.threads);
            return self.submitted(lane, work, outcomes);
        }
        let (cuts, now) = (by_line(piece, self.news.len()), work.now);
        let piece = Arc::new(Gather::new(work, count, cuts.len()));
        let mut state = self.state.lock();
        for Cut { lane: whose, part: bytes, places } in cuts {
            // Where no thread is to be had this one does it.
            let whose = if self.start(&mut state, whose, Builder::new()) { whose } else { lane };
            self.push_lines(&mut state, whose, LinesJob::Part { bytes, now, piece: Arc::clone(&piece), places });
        }
    }

    /// After a piece: the next has its turn behind what waits, or else whoever waits is told.
    fn submitted(&self, lane: usize, mut work: Lines<W>, outcomes: Batch) {
        work.outcomes.append(outcomes);
        if work.from < work.bytes.len() {
            return self.push_lines(&mut self.state.lock(), lane, LinesJob::Next(work));
        }
        drop(work.bytes);
        self.waiting.lines.fetch_sub(work.weight, Ordering::AcqRel);
        self.deliver(vec![(work.waiter, work.outcomes)]);
        let mut state = self.state.lock();
        state.lines -= 1;
        if state.is_closed && state.lines == 0 {
            self.news.iter().for_each(|news| _ = news.notify_one());
        }
    }

    /// An outcome for each of so many lines.
    fn submit_lines(&self, lines: &[u8], count: usize, now: Timestamp, threads: NonZeroUsize) -> Batch {
        // By itself an empty line is none; before another it is one.
        let (lines, len) = if lines == b"\n" { (&b"\n\n"[..], 1) } else { (lines, count) };
        let outcomes = self.decided(|core| core.ingest_ndjson(lines, now, threads));
        let outcomes = outcomes.unwrap_or_else(|error| refused(&error, count));
        if outcomes.len() == len { outcomes } else { outcomes.into_iter().take(count).collect() }
    }

    /// What the engine says; after a panic, which was printed, nobody knows what was written.
    fn decided<T>(&self, call: impl FnOnce(&Core) -> T) -> Result<T, Error> {
        let called = catch_unwind(AssertUnwindSafe(|| self.engine.with(call)));
        called.unwrap_or_else(|_| Err(Code::StoreOutcomeUnknown.into()))
    }

    /// After a panic, which was printed, the others who wait are told of theirs all the same.
    fn deliver(&self, answers: Vec<(W, Batch)>) {
        if !answers.is_empty() {
            _ = catch_unwind(AssertUnwindSafe(|| (self.deliver)(answers)));
        }
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

fn too_much(count: usize) -> Batch {
    refused(&Code::StoreUnavailable.into(), count)
}

fn refused(error: &Error, count: usize) -> Batch {
    (0..count).map(|_| Outcome::Refused(error.clone())).collect()
}

#[cfg(test)]
mod tests {
    use liveops_core::{PlayerId, Rules};

    use std::sync::mpsc::channel;

    use super::*;
    use crate::{Opening, StoreChoice};

    const ONE: NonZeroUsize = NonZeroUsize::MIN;
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

    /// As if its store were far away.
    fn laned(lanes: usize) -> Arc<Shared> {
        let rules = Rules::from_json(r#"{ "version": 1, "game": "g" }"#).unwrap();
        let store: Arc<dyn liveops_core::store::FullStore> = Arc::new(liveops_core::MemoryStore::new());
        Arc::new(Shared::new(liveops_core::Engine::open(rules, store).unwrap(), crate::shared::Place::Memory, lanes))
    }

    fn adjust_of(player: usize, id: usize) -> Command {
        let (now, player) = (Timestamp::from_unix_millis(NOW_MS), PlayerId::new(&format!("p{player}")).unwrap());
        Command::adjust(liveops_core::EventId::new(&format!("a{id}")).unwrap(), player, now, 1, "test").unwrap()
    }

    fn codes(outcomes: &Batch) -> Vec<&'static str> {
        (0..outcomes.len()).filter_map(|at| outcomes.code(at)).collect()
    }

    #[test]
    fn lanes_keep_the_order_of_each_player() {
        const PLAYERS: usize = 23;
        let (rounds, seen) = channel();
        let collector = Collector::new(laned(4), move |round| rounds.send(round).unwrap());
        for n in 0..2_000 {
            // The first of each player, and another's once more.
            let batch = vec![adjust_of(n % PLAYERS, n), adjust_of((n + 7) % PLAYERS, n), adjust_of(n % PLAYERS, n)];
            collector.send(Work::Commands(batch), n).unwrap();
            collector.send(Work::Commands(vec![adjust_of(n % PLAYERS, n)]), n).unwrap();
        }
        collector.close();
        assert!(collector.is_idle());
        let mut answered = vec![0; 2_000];
        for (n, outcomes) in seen.try_iter().flatten() {
            let codes = codes(&outcomes);
            let expected = if outcomes.len() == 1 { vec!["replayed"] } else { vec!["applied", "applied", "replayed"] };
            assert_eq!(codes, expected, "{n}");
            answered[n] += 1;
        }
        assert!(answered.iter().all(|times| *times == 2));
        let lanes = collector.inner.state.lock();
        assert_eq!(lanes.lanes.len(), 4);
    }

    #[test]
    fn lines_in_lanes_are_answered_in_order_and_decided_by_player_in_order() {
        let (rounds, seen) = channel();
        let collector = Collector::new(laned(4), move |round| rounds.send(round).unwrap());
        let line = |n: usize| match n % 5 {
            0 => String::new(),
            1 => "nonsense".to_owned(),
            // The same event over and over: the first of each player is applied.
            _ => format!(
                r#"{{"id":"e{}","type":"progression","playerId":"p{}","ts":1794052800,"payload":{{"deltaXp":1}}}}"#,
                n / 200,
                n % 40
            ),
        };
        let text: Vec<String> = (0..3 * ROUND_LINES_MAX).map(line).collect();
        let (lines, now) = (text.join("\n").into_bytes(), Timestamp::from_unix_millis(NOW_MS));
        collector.send(Work::Lines { lines: lines.clone(), now, threads: ONE }, "lanes").unwrap();
        for lone in [&b""[..], b"\n", b"\n\n", b"\n\n\n"] {
            collector.send(Work::Lines { lines: lone.to_vec(), now, threads: ONE }, "empty").unwrap();
        }
        collector.close();
        let delivered: Vec<_> = seen.try_iter().flatten().collect();
        let (_, outcomes) = delivered.iter().find(|(waiter, _)| *waiter == "lanes").unwrap();
        let expected = engine().with(|core| core.submit_ndjson(&lines, now)).unwrap();
        assert_eq!(codes(outcomes), codes(&expected.into()));
        let mut lens: Vec<_> = delivered.iter().filter(|(w, _)| *w == "empty").map(|(_, o)| o.len()).collect();
        lens.sort_unstable();
        assert_eq!(lens, [0, 0, 2, 3]);
        assert!(collector.is_idle());
    }

    #[test]
    fn no_lane_waits_for_another() {
        let ((rounds, seen), (go, gate)) = (channel(), channel::<()>());
        let gate = Mutex::new(gate);
        let deliver = move |round: Vec<(&'static str, Batch)>| {
            if round[0].0 == "held" {
                _ = gate.lock().recv();
            }
            rounds.send(round[0].0).unwrap();
        };
        let collector = Collector::new(laned(8), deliver);
        collector.send(Work::Commands(vec![adjust_of(0, 0)]), "held").unwrap();
        // Of eight lanes some have players of their own.
        for player in 1..100 {
            collector.send(Work::Commands(vec![adjust_of(player, 0)]), "free").unwrap();
        }
        assert_eq!(seen.recv().unwrap(), "free");
        drop(go);
        collector.close();
        assert_eq!(seen.try_iter().filter(|who| *who == "held").count(), 1);
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
        let delivered: Vec<_> = seen.try_iter().flatten().collect();
        assert_eq!(delivered.iter().map(|(waiter, _)| *waiter).collect::<Vec<_>>(), (0..1_000).collect::<Vec<_>>());
        for (n, outcomes) in delivered {
            let codes = codes(&outcomes);
            assert_eq!(codes, ["applied", "replayed"], "{n}");
        }
    }

    #[test]
    fn lines_hold_up_nobody_and_none_is_lost() {
        let ((rounds, seen), (go, gate)) = (channel(), channel::<()>());
        let gate = Mutex::new(gate);
        let deliver = move |round| {
            // The first round waits until everything was sent.
            _ = gate.lock().recv();
            rounds.send(round).unwrap();
        };
        let collector = Collector::new(engine(), deliver);
        collector.send(Work::Commands(vec![adjust(1)]), "first").unwrap();
        let line = |n: usize| {
            format!(r#"{{"id":"e{n}","type":"progression","playerId":"bo","ts":1794052800,"payload":{{"deltaXp":1}}}}"#)
        };
        let text: Vec<String> = (0..=3 * ROUND_LINES_MAX).map(line).collect();
        let now = Timestamp::from_unix_millis(NOW_MS);
        collector.send(Work::Lines { lines: text.join("\n").into_bytes(), now, threads: ONE }, "lines").unwrap();
        collector.send(Work::Commands(vec![adjust(0)]), "command").unwrap();
        collector.send(Work::Lines { lines: Vec::new(), now, threads: ONE }, "nothing").unwrap();
        drop(go);
        collector.close();
        let delivered: Vec<_> = seen.try_iter().flatten().collect();
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
        let delivered: Vec<_> = seen.try_iter().flatten().collect();
        assert_eq!(delivered.len(), 1, "what was taken is answered: it came before the closing or after it");
        assert!(["applied", "closed"].contains(&delivered[0].1.code(0).unwrap()));
    }

    #[test]
    fn whoever_closes_waits_until_all_is_delivered() {
        let ((rounds, seen), (go, gate)) = (channel(), channel::<()>());
        let gate = Mutex::new(gate);
        let deliver = move |round: Vec<(usize, Batch)>| {
            _ = gate.lock().recv();
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
        while !collector.inner.state.lock().is_closed {
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
        assert!(delivered.iter().all(|(_, outcomes)| outcomes.code(0) == Some("applied")));
    }

    #[test]
    fn without_a_thread_nothing_is_taken_and_the_next_may_be() {
        let (rounds, seen) = channel();
        let collector = Collector::new(engine(), move |round| rounds.send(round).unwrap());
        // More memory than there are addresses.
        let inner = &collector.inner;
        let started = inner.start(&mut inner.state.lock(), 0, Builder::new().stack_size(1 << 60));
        assert!(!started && collector.is_idle());
        assert!(collector.send(Work::Commands(vec![adjust(1)]), ()).unwrap().is_none());
        collector.close();
        assert_eq!(seen.recv().unwrap()[0].1.code(0), Some("applied"));
        assert!(collector.is_idle());
    }

    #[test]
    fn what_is_too_much_is_refused_at_once_and_takes_no_memory() {
        let ((rounds, seen), (go, gate)) = (channel(), channel::<()>());
        let gate = Mutex::new(gate);
        let deliver = move |round| {
            _ = gate.lock().recv();
            rounds.send(round).unwrap();
        };
        let collector = Collector::new(engine(), deliver);
        let now = Timestamp::from_unix_millis(NOW_MS);
        let lines = |len| Work::Lines { lines: vec![b' '; len], now, threads: ONE };
        assert!(collector.send(Work::Commands(vec![adjust(0)]), "first").unwrap().is_none());
        while !collector.is_idle() {
            std::thread::yield_now();
        }
        // The first round is being delivered: whatever comes now waits.
        assert!(collector.send(lines(WAITING_BYTES_MAX - 9), "lines").unwrap().is_none());
        let (waiter, outcomes) = collector
            .send(Work::Lines { lines: b"1\n2\n3\n45678".to_vec(), now, threads: ONE }, "more")
            .unwrap()
            .unwrap();
        let codes = codes(&outcomes);
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
        assert_eq!(seen.try_iter().flatten().count(), 3 + taken);
        assert!(collector.is_idle());
    }

    #[test]
    fn a_panic_in_a_delivery_ends_nothing() {
        let (rounds, seen) = channel();
        let collector = Collector::new(engine(), move |round: Vec<(bool, Batch)>| {
            assert!(round[0].0, "meant: it is printed");
            rounds.send(round).unwrap();
        });
        collector.send(Work::Commands(vec![adjust(0)]), false).unwrap();
        while !collector.is_idle() {
            std::thread::yield_now();
        }
        collector.send(Work::Commands(vec![adjust(0)]), true).unwrap();
        assert_eq!(seen.recv().unwrap()[0].1.code(0), Some("replayed"));
    }
}
