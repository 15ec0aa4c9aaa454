//! A season through a fleet.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::thread;
use std::time::Duration;

use liveops_core::hash::Digest;
use liveops_core::signing::Headers;
use liveops_core::{Intake, PlayerId, Timestamp};
use serde_json::{Value, json};

use super::Process;
use crate::line::{Line, Lines};

const HOUR_MILLIS: i64 = 3_600_000;
/// One event in so many is sent a second time.
const RETRIED_ONE_IN: u8 = 8;
/// Events of one request, at most.
const BATCH_LEN: usize = 32;
/// How often a call is made that the store does not answer.
const ATTEMPTS_MAX: usize = 20;
/// How long a worker lives on after it was sent the request that it is killed in: one step longer each time, and again from none.
const KILL_STEP: Duration = Duration::from_micros(400);
const KILL_STEPS: u32 = 12;

/// Whether workers are killed on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kills {
    /// They are left alone.
    None,
    /// One worker every so many requests, each in turn.
    Every(u32),
}

/// Workers over one store, and the only door.
pub struct Fleet<'a> {
    intake: &'a Intake,
    workers: Vec<Worker>,
    kills: Kills,
    hour: i64,
    /// Admitted in this hour.
    waiting: Vec<Event>,
    summary: Summary,
}

/// What one worker did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Events that it was sent first.
    pub events: u64,
    /// Their outcomes, by code.
    pub outcomes: BTreeMap<String, u64>,
    /// Events of others that it was sent again.
    pub retries: u64,
    /// How often it advanced the game.
    pub advances: u64,
    /// How often it was killed in the middle of a request.
    pub kills: u32,
    /// Events of those requests that were in the store already when they were sent again.
    pub found: u64,
}

/// What came of a season.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// By worker: its name, and what it did.
    pub workers: Vec<(String, Score)>,
    /// Lines read.
    pub lines: u64,
    /// Lines that are no request.
    pub broken: u64,
    /// Requests that the door did not let through.
    pub turned_away: u64,
    /// Boards that all workers were asked for: board, window, how many periods ago.
    pub boards: u64,
    /// Rows that they answered with.
    pub rows: u64,
    /// The state at the end, as every worker says.
    pub digest: String,
}

struct Worker {
    process: Process,
    score: Score,
    requests: u32,
}

#[derive(Clone)]
struct Event {
    player: PlayerId,
    request: Value,
    /// The lowest byte of a hash of the id: who is retried.
    chance: u8,
    /// How its first call ended.
    outcome: Option<[String; 2]>,
}

impl<'a> Fleet<'a> {
    /// Over workers that run. The intake is the season's door.
    pub fn new(intake: &'a Intake, processes: Vec<Process>, kills: Kills) -> Self {
        let worker = |process| Worker { process, score: Score::default(), requests: 0 };
        let workers = processes.into_iter().map(worker).collect();
        Self { intake, workers, kills, hour: i64::MIN, waiting: Vec::new(), summary: Summary::default() }
    }

    /// All lines, to the end.
    pub fn drive(mut self, lines: impl BufRead) -> Result<Summary, String> {
        let mut last = Timestamp::MIN;
        for line in Lines::new(lines) {
            self.summary.lines += 1;
            match line.map_err(|error| error.to_string())? {
                Ok(line) => {
                    self.take(&line)?;
                    last = last.max(line.received_at);
                }
                Err(_) => self.summary.broken += 1,
            }
        }
        self.decide()?;
        self.compare(last)?;
        let Self { workers, summary, .. } = self;
        let scores = workers.into_iter().map(|worker| (worker.process.name().to_owned(), worker.score));
        Ok(Summary { workers: scores.collect(), ..summary })
    }

    fn take(&mut self, line: &Line) -> Result<(), String> {
        let now = line.received_at;
        let hour = now.as_unix_millis().div_euclid(HOUR_MILLIS);
        if hour != self.hour {
            self.decide()?;
            self.hour = hour;
            let at = self.turn(0);
            let worker = &mut self.workers[at];
            worker.ask(&json!({ "advance": now.as_unix_millis() }))?;
            worker.score.advances += 1;
        }
        let headers: BTreeMap<_, _> = line.header_pairs().collect();
        match self.intake.admit(&Headers::from_pairs(line.header_pairs()), line.body.as_bytes(), now) {
            Ok(admitted) => self.waiting.push(Event {
                player: admitted.player.clone(),
                request: json!({ "receivedMs": now.as_unix_millis(), "headers": headers, "body": line.body }),
                chance: Digest::of(&[admitted.id.id.as_bytes()]).0[0],
                outcome: None,
            }),
            Err(_) => self.summary.turned_away += 1,
        }
        Ok(())
    }

    /// Which worker's turn it is in this hour, after so many others.
    fn turn(&self, others: u8) -> usize {
        let workers = self.workers.len().max(1) as u64;
        let turn = (self.hour.unsigned_abs() + u64::from(others)) % workers;
        usize::try_from(turn).unwrap_or_default()
    }

    /// Everything that waits: first all first calls, then the retries, elsewhere.
    fn decide(&mut self) -> Result<(), String> {
        let events = std::mem::take(&mut self.waiting);
        let home = |event: &Event| self.turn(Digest::of(&[event.player.as_bytes()]).0[0]);
        let homes: Vec<usize> = events.iter().map(home).collect();
        let mut lanes = vec![Vec::new(); self.workers.len()];
        for (event, home) in events.into_iter().zip(homes) {
            lanes[home].push(event);
        }
        let kills = self.kills;
        let lanes = self.each(lanes, |worker, events| worker.first(events, kills))?;
        // Everybody's neighbour: what worker 0 decided goes to worker 1.
        let mut again = lanes;
        again.rotate_right(1);
        for events in &mut again {
            events.retain(|event| event.chance % RETRIED_ONE_IN == 0);
        }
        self.each(again, Worker::again).map(drop)
    }

    /// All workers at once, each with a lane of its own.
    fn each<F>(&mut self, lanes: Vec<Vec<Event>>, work: F) -> Result<Vec<Vec<Event>>, String>
    where
        F: Fn(&mut Worker, Vec<Event>) -> Result<Vec<Event>, String> + Copy + Send + Sync,
    {
        thread::scope(|scope| {
            let running: Vec<_> = self
                .workers
                .iter_mut()
                .zip(lanes)
                .map(|(worker, lane)| scope.spawn(move || work(worker, lane)))
                .collect();
            let ended = |lane: thread::ScopedJoinHandle<'_, _>| lane.join().map_err(|_| "a lane ended".to_owned())?;
            running.into_iter().map(ended).collect()
        })
    }

    /// The same boards and the same state, whomever one asks.
    fn compare(&mut self, now: Timestamp) -> Result<(), String> {
        let mut ask = |request: Value| -> Result<Value, String> {
            let mut answers = self.workers.iter_mut().map(|worker| {
                let name = worker.process.name().to_owned();
                worker.ask(&request).map(|answer| (name, answer))
            });
            let (first, expected) = answers.next().ok_or("no workers")??;
            for answer in answers {
                let (name, answer) = answer?;
                if answer != expected {
                    return Err(format!("{name} and {first} do not agree: {answer} and {expected}"));
                }
            }
            Ok(expected)
        };
        let boards = ask(json!({ "boards": now.as_unix_millis() }))?;
        let digest = ask(json!({ "digest": true }))?;
        let boards = boards["boards"].as_object().ok_or("boards without boards")?;
        self.summary.boards = boards.len() as u64;
        self.summary.rows = boards.values().map(|rows| rows.as_array().map_or(0, Vec::len) as u64).sum();
        digest["digest"].as_str().ok_or("a digest without a digest")?.clone_into(&mut self.summary.digest);
        Ok(())
    }
}

impl Worker {
    /// Asks again while the store does not answer in time. Only for what may be asked twice.
    fn ask(&mut self, request: &Value) -> Result<Value, String> {
        for _ in 0..ATTEMPTS_MAX {
            let answer = self.process.ask(request)?;
            match answer["error"].as_str() {
                None => return Ok(answer),
                Some(code) if is_open(code) => {}
                Some(code) => return Err(format!("{}: {code}", self.process.name())),
            }
        }
        Err(self.silent())
    }

    fn silent(&self) -> String {
        format!("{}: the store does not answer", self.process.name())
    }

    /// Events that were sent to nobody yet.
    fn first(&mut self, mut events: Vec<Event>, kills: Kills) -> Result<Vec<Event>, String> {
        for batch in events.chunks_mut(BATCH_LEN) {
            self.requests += 1;
            let killed = matches!(kills, Kills::Every(requests) if self.requests.is_multiple_of(requests));
            if killed {
                let later = KILL_STEP * ((self.score.kills * 5) % KILL_STEPS);
                self.process.ask_and_kill(&request(&*batch), later)?;
                self.score.kills += 1;
            }
            // Killed or not: it is sent until somebody answers.
            let outcomes = self.submit(batch)?;
            for (event, outcome) in batch.iter_mut().zip(outcomes) {
                self.score.events += 1;
                self.score.found += u64::from(killed && outcome[0] == "replayed");
                *self.score.outcomes.entry(outcome[1].clone()).or_default() += 1;
                event.outcome = Some(outcome);
            }
        }
        Ok(events)
    }

    /// Events whose first call, at another worker, has ended: it has to be the same outcome.
    fn again(&mut self, events: Vec<Event>) -> Result<Vec<Event>, String> {
        for batch in events.chunks(BATCH_LEN) {
            for (event, [status, code]) in batch.iter().zip(self.submit(batch)?) {
                self.score.retries += 1;
                let Some([first_status, first_code]) = &event.outcome else { continue };
                let same = match first_status.as_str() {
                    "applied" | "replayed" => status == "replayed",
                    _ => code == *first_code,
                };
                if !same {
                    return Err(format!("{}: a retry of {first_code} was {code}", self.process.name()));
                }
            }
        }
        Ok(events)
    }

    /// Until every outcome is known: whatever the store did not answer in time is sent again, and settled by that.
    fn submit(&mut self, batch: &[Event]) -> Result<Vec<[String; 2]>, String> {
        let mut settled: Vec<Option<[String; 2]>> = vec![None; batch.len()];
        for _ in 0..ATTEMPTS_MAX {
            let open: Vec<usize> = (0..batch.len()).filter(|at| settled[*at].is_none()).collect();
            if open.is_empty() {
                break;
            }
            let answer = self.ask(&request(open.iter().map(|at| &batch[*at])))?;
            let outcomes: Vec<[String; 2]> =
                serde_json::from_value(answer["outcomes"].clone()).map_err(|error| error.to_string())?;
            for (at, outcome) in open.into_iter().zip(outcomes) {
                settled[at] = Some(outcome).filter(|[_, code]| !is_open(code));
            }
        }
        let settled: Option<Vec<_>> = settled.into_iter().collect();
        settled.ok_or_else(|| self.silent())
    }
}

/// Whether nobody knows yet what became of a call.
fn is_open(code: &str) -> bool {
    matches!(code, "store_unavailable" | "store_outcome_unknown")
}

fn request<'e>(batch: impl IntoIterator<Item = &'e Event>) -> Value {
    json!({ "submit": batch.into_iter().map(|event| &event.request).collect::<Vec<_>>() })
}
