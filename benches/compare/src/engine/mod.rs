//! Rows about the whole engine, over memory: an event decided and committed.

mod handmade;
mod stalls;
mod threads;

use std::hint::black_box;

use liveops_bench::Traffic;
use liveops_bench::traffic::RULES;
use liveops_compare::measure::{Row, Stopwatch, by_turns, median};
use liveops_core::event::Parser;
use liveops_core::store::{Consumer, Feed as _};
use liveops_core::window::Window;
use liveops_core::{Command, Engine, MemoryStore, Outcome, Rules};

use handmade::Handmade;
pub(crate) use stalls::stalls;
pub(crate) use threads::two as threads_two;

/// What was asked for when the engine was designed; not a rival.
const FLOOR_NS: f64 = 2_000.0;

const PLAYERS: u64 = 10_000;
const BATCH: usize = 1_000;
const EVENTS_PER_ROUND: usize = 50_000;
const ROUNDS: usize = 9;
/// Of each window's board, which both sides must have the same scores of.
const COMPARED: usize = 100;
/// More change sets than are ever waiting.
const FEED_LEN: usize = 10_000_000;

/// `engine.event`: against the floor of 2,000 ns.
///
/// Parsing and making commands is outside the timing, and so is checking what came of them: the row is about deciding and
/// committing. Dropping the outcomes is inside.
pub(crate) fn event() -> Result<Row, String> {
    let mut ours = Ours::new(PLAYERS)?;
    ours.check_workload()?;
    let mut stopwatch = Stopwatch::default();
    let costs = (0..ROUNDS).map(|_| ours.round(&mut stopwatch, Calls::Batches)).collect::<Result<_, _>>()?;
    Ok(Row {
        name: "engine.event",
        ours: median(costs),
        peer: FLOOR_NS,
        unit: "ns/event",
        wait_percent: stopwatch.wait_percent(),
        ..Row::default()
    })
}

/// `engine.event.handmade`: against what somebody would write by hand without the promises.
pub(crate) fn event_handmade() -> Result<Row, String> {
    Ok(Row { name: "engine.event.handmade", ..beside_handmade(PLAYERS, Calls::Batches)? })
}

/// `engine.event.200k`: the same with 200,000 players.
pub(crate) fn event_200k() -> Result<Row, String> {
    Ok(Row { name: "engine.event.200k", ..beside_handmade(200_000, Calls::Batches)? })
}

/// `engine.event.1m`: with a million.
pub(crate) fn event_1m() -> Result<Row, String> {
    Ok(Row { name: "engine.event.1m", ..beside_handmade(1_000_000, Calls::Batches)? })
}

/// `engine.submit.single`: one command a call.
pub(crate) fn submit_single() -> Result<Row, String> {
    Ok(Row { name: "engine.submit.single", ..beside_handmade(PLAYERS, Calls::Single)? })
}

/// `engine.event.feed`: a store that records each change set for a consumer, against one that does not.
pub(crate) fn event_feed() -> Result<Row, String> {
    let (mut recording, mut plain) = (Ours::recording(PLAYERS)?, Ours::new(PLAYERS)?);
    let row = by_turns(
        |stopwatch| recording.round(stopwatch, Calls::Batches),
        |stopwatch| plain.round(stopwatch, Calls::Batches),
    )?;
    Ok(Row { name: "engine.event.feed", unit: "ns/event", ..row })
}

/// How commands are handed over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Calls {
    Batches,
    Single,
}

fn beside_handmade(players: u64, calls: Calls) -> Result<Row, String> {
    let (mut ours, mut peer) = (Ours::new(players)?, ByHand::new(players)?);
    let row = by_turns(|stopwatch| ours.round(stopwatch, calls), |stopwatch| Ok(peer.round(stopwatch, calls)))?;
    peer.check_same(&ours)?;
    Ok(Row { unit: "ns/event", ..row })
}

/// The engine and what it is fed with.
struct Ours {
    engine: Engine<MemoryStore>,
    consumer: Option<Consumer>,
    parser: Parser,
    traffic: Traffic,
}

impl Ours {
    fn new(players: u64) -> Result<Self, String> {
        Self::of(MemoryStore::new(), None, Traffic::new(players, 7))
    }

    /// With a feed that somebody reads.
    fn recording(players: u64) -> Result<Self, String> {
        let (store, consumer) = (MemoryStore::with_feed(FEED_LEN), Consumer::new("reader").map_err(text)?);
        store.ack(&consumer, 0, 0).map_err(text)?;
        Self::of(store, Some(consumer), Traffic::new(players, 7))
    }

    /// Everybody has had an event.
    fn of(store: MemoryStore, consumer: Option<Consumer>, traffic: Traffic) -> Result<Self, String> {
        let rules = Rules::from_json(RULES).map_err(text)?;
        let parser = rules.door().parser();
        let mut ours = Self { engine: Engine::new(rules, store), consumer, parser, traffic };
        warm_up(&ours.engine, &mut ours.traffic, &ours.parser);
        ours.ack()?;
        Ok(ours)
    }

    /// Whoever reads the feed has read all of it.
    fn ack(&self) -> Result<(), String> {
        let Some(consumer) = &self.consumer else { return Ok(()) };
        let last = self.engine.store().last(0).map_err(text)?;
        self.engine.store().ack(consumer, 0, last).map_err(text)
    }

    /// The first round settles caches and allocators, and is where the workload shows that it is what the row claims.
    fn check_workload(&mut self) -> Result<(), String> {
        let mut receipts = 0;
        for batch in self.traffic.commands(&self.parser, EVENTS_PER_ROUND).chunks(BATCH) {
            for outcome in self.engine.submit_batch(batch) {
                match outcome {
                    Outcome::Applied(applied) => receipts += usize::from(!applied.receipts().is_empty()),
                    other => return Err(format!("an event was not applied: {other:?}")),
                }
            }
        }
        let percent = receipts as f64 * 100.0 / EVENTS_PER_ROUND as f64;
        if (4.0..=6.0).contains(&percent) {
            return Ok(());
        }
        Err(format!("receipts came with {percent:.2} % of events instead of 5 %"))
    }

    /// Nanoseconds an event. Each batch is parsed just before it is decided, as at a server: its commands are in the cache, not in memory.
    fn round(&mut self, stopwatch: &mut Stopwatch, calls: Calls) -> Result<f64, String> {
        let mut nanos = 0.0;
        for _ in 0..EVENTS_PER_ROUND / BATCH {
            let commands = self.traffic.commands(&self.parser, BATCH);
            nanos += stopwatch.time(|| match calls {
                Calls::Batches => drop(black_box(self.engine.submit_batch(&commands))),
                Calls::Single => {
                    for command in &commands {
                        drop(black_box(self.engine.submit(command)));
                    }
                }
            });
            self.ack()?;
        }
        Ok(nanos / EVENTS_PER_ROUND as f64)
    }
}

/// The peer and what it is fed with: the same.
struct ByHand {
    handmade: Handmade,
    parser: Parser,
    traffic: Traffic,
}

impl ByHand {
    fn new(players: u64) -> Result<Self, String> {
        let parser = Rules::from_json(RULES).map_err(text)?.door().parser();
        let mut by_hand = Self { handmade: Handmade::new(), parser, traffic: Traffic::new(players, 7) };
        for command in by_hand.traffic.warm_up_each(&by_hand.parser) {
            by_hand.handmade.submit(&command);
        }
        Ok(by_hand)
    }

    fn round(&mut self, stopwatch: &mut Stopwatch, calls: Calls) -> f64 {
        let mut nanos = 0.0;
        for _ in 0..EVENTS_PER_ROUND / BATCH {
            let commands = self.traffic.commands(&self.parser, BATCH);
            nanos += stopwatch.time(|| match calls {
                Calls::Batches => drop(black_box(self.handmade.submit_batch(&commands))),
                Calls::Single => {
                    for command in &commands {
                        black_box(self.handmade.submit(command));
                    }
                }
            });
        }
        nanos / EVENTS_PER_ROUND as f64
    }

    /// Both have the same players with the same XP and levels, as many receipts, and the same scores at the top of each window.
    fn check_same(&self, ours: &Ours) -> Result<(), String> {
        let views = ours.engine.players().map_err(text)?;
        let receipts: u64 = views.iter().map(|view| view.receipts).sum();
        if views.len() != self.handmade.len() || receipts != self.handmade.receipts() as u64 {
            return Err("the two sides have other players or receipts".to_owned());
        }
        if let Some(view) =
            views.iter().find(|view| self.handmade.player(&view.player_id) != Some((view.xp, view.level)))
        {
            return Err(format!("the two sides differ about {}", view.player_id));
        }
        let board = ours.engine.board("xp").map_err(text)?;
        for (window, theirs) in
            [Window::Daily, Window::Weekly, Window::Seasonal].into_iter().zip(self.handmade.top(COMPARED))
        {
            let top = board.top(window, COMPARED, ours.traffic.now()).map_err(text)?;
            if top.len() != COMPARED || top.iter().map(|row| row.score).ne(theirs) {
                return Err(format!("the two boards of the {} differ", window.as_str()));
            }
        }
        Ok(())
    }
}

fn warm_up(engine: &Engine<MemoryStore>, traffic: &mut Traffic, parser: &Parser) {
    let mut events = traffic.warm_up_each(parser);
    loop {
        let batch: Vec<Command> = events.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return;
        }
        engine.submit_batch(&batch);
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Names the program of an earlier commit that measures `engine.event`; `cargo xtask compare` builds it.
const BEFORE: &str = "LIVEOPS_COMPARE_BEFORE";
const TURNS: usize = 5;

/// `engine.before`: the same row of an earlier commit, against that of this one. Two programs by turns, each with its own build.
pub(crate) fn before() -> Result<Row, String> {
    let earlier = std::env::var_os(BEFORE).ok_or(format!("{BEFORE} names no program"))?;
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let (mut costs, mut waited) = ([Vec::new(), Vec::new()], 0.0_f64);
    for _ in 0..TURNS {
        for (costs, program) in costs.iter_mut().zip([this.as_os_str(), &earlier]) {
            let done =
                std::process::Command::new(program).arg("engine.event").output().map_err(|error| error.to_string())?;
            let output = String::from_utf8_lossy(&done.stdout);
            let line = output.lines().rev().find(|line| line.starts_with('{')).unwrap_or_default();
            let fields: serde_json::Value =
                serde_json::from_str(line).map_err(|_| "a program printed no row".to_owned())?;
            costs.push(fields["ours"].as_f64().ok_or("a row without a cost")?);
            waited = waited.max(fields["wait_percent"].as_f64().unwrap_or(f64::NAN));
        }
    }
    let [ours, peer] = costs;
    Ok(Row {
        name: "engine.before",
        ours: median(ours),
        peer: median(peer),
        unit: "ns/event",
        wait_percent: waited,
        ..Row::default()
    })
}
