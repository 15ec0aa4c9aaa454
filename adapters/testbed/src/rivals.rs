//! Processes that write to one store while they and their server are killed at random points.
//!
//! A writer notes each batch in a file before it is sent, and each answer once it is there: what a killed process wrote to
//! a file stays. When the killing is over, every event that was ever tried is sent once more. Then all of them count once:
//! an event that was acknowledged and is *applied* now was lost, and what a player has beyond the sum was applied twice.

use std::collections::{BTreeMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::folder::Folder;

const PLAYERS: u64 = 17;
const BATCH: u64 = 24;
/// How long a writer goes on before it or its server is killed.
const UNTIL_KILL_MILLIS_MAX: u64 = 80;
/// How long nobody may get anything done.
const STALLED_MILLIS_MAX: u64 = 60_000;
/// A writer that was refused tries again after so long.
const REFUSED_MILLIS: u64 = 20;
const STEP_MILLIS: u64 = 5;
/// Of one writer, sent together in the end.
const ROUNDS_SETTLED: usize = 10;
/// More than a writer notes while a server starts again.
const END_BYTES: u64 = 1 << 20;

const FILE: &str = "LIVEOPS_RIVAL_FILE";
const WRITER: &str = "LIVEOPS_RIVAL";
const ROUND: &str = "LIVEOPS_RIVAL_ROUND";
/// Before the name of an event that a writer was told of.
const ACK: &str = "ack ";

/// Something that gives a player XP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Unlike any other's.
    pub id: String,
    /// One of a few, so that writers meet.
    pub player: String,
    /// How much.
    pub xp: u64,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was new.
    Applied,
    /// It had been applied before.
    Replayed,
    /// It was refused, or nobody knows: the code.
    Other(String),
}

/// Three processes, and those who kill them.
#[derive(Debug)]
pub struct Rivals {
    writers: Vec<Writer>,
    random: Random,
    report: Report,
    _folder: Folder,
}

#[derive(Debug)]
struct Writer {
    file: PathBuf,
    child: Option<Child>,
}

/// What happened.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The seed that decides who is killed when.
    pub seed: u64,
    /// Writers that were killed.
    pub writers_killed: u64,
    /// Of those, how many in the middle of a call.
    pub writers_in_call: u64,
    /// Times that the server was killed.
    pub servers_killed: u64,
    /// Of those, how often a writer's call under way failed.
    pub servers_in_call: u64,
    /// Events that were sent at least once.
    pub tried: u64,
    /// Of those, how many a writer was told of.
    pub acknowledged: u64,
    /// Of those, how many were not there afterwards. Nothing but none will do.
    pub lost: u64,
    /// Events that had been applied though no writer was told: the answer was lost.
    pub applied_unheard: u64,
    /// Events that had not been applied, and no writer was told that they were.
    pub not_applied: u64,
    /// Other answers, by code.
    pub others: BTreeMap<String, u64>,
    /// What each player has to have in the end.
    pub xp: BTreeMap<String, u64>,
}

/// Whether this process was started as a writer.
pub fn is_writer() -> bool {
    std::env::var_os(WRITER).is_some()
}

/// The life of a writer: sends batches until it is killed. Where it begins is in its environment.
///
/// # Errors
/// It was not started as one, or cannot note what it does.
pub fn write(mut send: impl FnMut(&[Event]) -> Vec<Answer>) -> Result<(), String> {
    let variable = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set: nobody started a writer"));
    let number = |name: &str| variable(name)?.parse::<u64>().map_err(|error| format!("{name}: {error}"));
    let (writer, first) = (number(WRITER)?, number(ROUND)?);
    let path = variable(FILE)?;
    let mut file = OpenOptions::new().append(true).open(&path).map_err(|error| format!("{path}: {error}"))?;
    let mut note = |text: &str| file.write_all(text.as_bytes()).map_err(|error| format!("{path}: {error}"));
    for round in first.. {
        let events = events(writer, round);
        note(&format!("try {round}\n"))?;
        let answers = send(&events);
        let line = |(event, answer): (&Event, &Answer)| match answer {
            Answer::Applied | Answer::Replayed => format!("{ACK}{}\n", event.id),
            Answer::Other(code) => format!("other {code}\n"),
        };
        let text: String = events.iter().zip(&answers).map(line).collect();
        note(&(text + "done\n"))?;
        if answers.iter().any(|answer| matches!(answer, Answer::Other(_))) {
            std::thread::sleep(Duration::from_millis(REFUSED_MILLIS));
        }
    }
    Ok(())
}

/// How many kills are wanted: `LIVEOPS_KILLS`, or what fits into a test run.
pub fn kills(otherwise: u64) -> u64 {
    std::env::var("LIVEOPS_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(otherwise)
}

/// The seed of a random test: `LIVEOPS_SEED`, or a new one. Print it.
pub fn seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    let given = std::env::var("LIVEOPS_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| RandomState::new().hash_one(0) % 1_000_000)
}

impl Rivals {
    /// Starts so many writers; `command` makes the process of one, which is to end up in [`write`].
    ///
    /// # Errors
    /// One cannot be started.
    pub fn start(writers: usize, seed: u64, command: &dyn Fn() -> Command) -> Result<Self, String> {
        let folder = Folder::new("rivals")?;
        let file = |number: usize| folder.path().join(number.to_string());
        let writers = (0..writers).map(|number| Writer { file: file(number), child: None }).collect();
        let report = Report { seed, ..Report::default() };
        let mut rivals = Self { writers, random: Random(seed), report, _folder: folder };
        for number in 0..rivals.writers.len() {
            File::create(&rivals.writers[number].file).map_err(|error| error.to_string())?;
            rivals.begin(number, command)?;
        }
        Ok(rivals)
    }

    /// Lets all write until each was told of so many events.
    ///
    /// # Errors
    /// One got nothing done for a while.
    pub fn work(&self, acknowledged: usize) -> Result<(), String> {
        let has_less =
            |writer: &Writer| writer.noted(0).lines().filter(|line| line.starts_with(ACK)).count() < acknowledged;
        while self.writers.iter().any(has_less) {
            self.working(None)?;
        }
        Ok(())
    }

    /// Kills one writer after another, or the server in between, at random points of their work.
    ///
    /// # Errors
    /// Nobody gets anything done any more, or a process cannot be started again.
    pub fn kill(
        &mut self,
        kills: u64,
        command: &dyn Fn() -> Command,
        mut server: impl FnMut() -> Result<(), String>,
    ) -> Result<(), String> {
        for _ in 0..kills {
            let victim = usize::try_from(self.random.below(self.writers.len() as u64)).unwrap_or_default();
            let is_server = self.random.below(2) == 0;
            // Who has not begun yet cannot be hit in the middle.
            self.working(if is_server { None } else { Some(victim) })?;
            std::thread::sleep(Duration::from_micros(self.random.below(UNTIL_KILL_MILLIS_MAX * 1_000)));
            if is_server {
                let calls: Vec<Option<u64>> = self.writers.iter().map(Writer::in_call).collect();
                server()?;
                self.working(None)?;
                let failed =
                    |(writer, call): (&Writer, &Option<u64>)| call.is_some_and(|round| writer.was_refused(round));
                self.report.servers_killed += 1;
                self.report.servers_in_call += u64::from(self.writers.iter().zip(&calls).any(failed));
            } else {
                self.end(victim)?;
                self.report.writers_killed += 1;
                self.report.writers_in_call += u64::from(self.writers[victim].in_call().is_some());
                self.begin(victim, command)?;
            }
        }
        self.working(None)
    }

    /// Ends the writers, sends everything once more, and says what came of it.
    ///
    /// # Errors
    /// The store refuses an event that nothing was wrong with.
    pub fn settle(mut self, mut send: impl FnMut(&[Event]) -> Vec<Answer>) -> Result<Report, String> {
        for number in 0..self.writers.len() {
            self.end(number)?;
        }
        let mut report = std::mem::take(&mut self.report);
        for (number, writer) in self.writers.iter().enumerate() {
            let text = writer.noted(0);
            let heard: HashSet<&str> = text.lines().filter_map(|line| line.strip_prefix(ACK)).collect();
            for code in text.lines().filter_map(|line| line.strip_prefix("other ")) {
                *report.others.entry(code.to_owned()).or_default() += 1;
            }
            report.acknowledged += heard.len() as u64;
            let rounds: Vec<u64> = (0..writer.rounds()).collect();
            for rounds in rounds.chunks(ROUNDS_SETTLED) {
                let events: Vec<Event> = rounds.iter().flat_map(|round| events(number as u64, *round)).collect();
                for (event, answer) in events.iter().zip(send(&events)) {
                    report.tried += 1;
                    *report.xp.entry(event.player.clone()).or_default() += event.xp;
                    match (answer, heard.contains(event.id.as_str())) {
                        (Answer::Applied, true) => report.lost += 1,
                        (Answer::Applied, false) => report.not_applied += 1,
                        (Answer::Replayed, true) => {}
                        (Answer::Replayed, false) => report.applied_unheard += 1,
                        (Answer::Other(code), _) => return Err(format!("sent once more, an event is `{code}`")),
                    }
                }
            }
        }
        Ok(report)
    }

    fn begin(&mut self, number: usize, command: &dyn Fn() -> Command) -> Result<(), String> {
        let writer = &mut self.writers[number];
        let mut command = command();
        command.env(WRITER, number.to_string()).env(FILE, &writer.file).env(ROUND, writer.rounds().to_string());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        writer.child = Some(child.map_err(|error| format!("cannot start a writer: {error}"))?);
        Ok(())
    }

    fn end(&mut self, number: usize) -> Result<(), String> {
        let Some(mut child) = self.writers[number].child.take() else { return Ok(()) };
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("a writer ended by itself ({status})"));
        }
        _ = child.kill();
        child.wait().map(drop).map_err(|error| error.to_string())
    }

    /// Waits until that writer, or every one, was told of an event that it had not been told of when this was called.
    fn working(&self, number: Option<usize>) -> Result<(), String> {
        let all = self.writers.iter().enumerate().filter(|(at, _)| number.is_none_or(|number| number == *at));
        let before: Vec<_> = all.map(|(_, writer)| (writer, writer.len())).collect();
        let is_told = |(writer, before): &(&Writer, u64)| writer.noted(*before).contains(ACK);
        for _ in 0..STALLED_MILLIS_MAX / STEP_MILLIS {
            if before.iter().all(is_told) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(STEP_MILLIS));
        }
        let last = before.first().map(|(writer, _)| writer.end()).unwrap_or_default();
        let last = last.lines().rev().find(|line| line.starts_with("other")).unwrap_or("nothing");
        Err(format!("a writer got nothing done in {STALLED_MILLIS_MAX} ms; it last heard `{last}`"))
    }
}

impl Drop for Rivals {
    fn drop(&mut self) {
        for writer in &mut self.writers {
            if let Some(mut child) = writer.child.take() {
                _ = child.kill();
                _ = child.wait();
            }
        }
    }
}

impl Report {
    /// Whether the kills hit work: at least a third of them a call under way, and some of those left an event behind
    /// that nobody had heard of.
    pub fn hit_work(&self) -> bool {
        let third = |hit: u64, of: u64| hit * 3 >= of;
        third(self.writers_in_call, self.writers_killed)
            && third(self.servers_in_call, self.servers_killed)
            && self.applied_unheard + self.not_applied > 0
    }
}

impl Writer {
    /// What it noted from that byte on.
    fn noted(&self, from: u64) -> String {
        let read = |mut file: File| {
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(from)).and_then(|_| file.read_to_end(&mut bytes)).map(|_| bytes)
        };
        String::from_utf8_lossy(&File::open(&self.file).and_then(read).unwrap_or_default()).into_owned()
    }

    /// What it noted last.
    fn end(&self) -> String {
        self.noted(self.len().saturating_sub(END_BYTES))
    }

    fn len(&self) -> u64 {
        std::fs::metadata(&self.file).map_or(0, |file| file.len())
    }

    /// The round with which it goes on.
    fn rounds(&self) -> u64 {
        let text = self.end();
        // A killed writer may have left half a line, which no later round repeats.
        let rounds = text.lines().filter_map(|line| line.strip_prefix("try ")?.parse::<u64>().ok());
        rounds.max().map_or(0, |last| last + 1)
    }

    /// The round that it has sent and was not answered yet.
    fn in_call(&self) -> Option<u64> {
        self.end().lines().next_back()?.strip_prefix("try ")?.parse().ok()
    }

    /// Whether the answers of that round were no.
    fn was_refused(&self, round: u64) -> bool {
        let text = self.end();
        let answers = text.lines().skip_while(|line| *line != format!("try {round}")).skip(1);
        answers.take_while(|line| *line != "done").any(|line| line.starts_with("other "))
    }
}

/// What a writer sends in one round.
fn events(writer: u64, round: u64) -> Vec<Event> {
    let event = |number: u64| Event {
        id: format!("w{writer}-{round}-{number}"),
        player: format!("p{}", (round * BATCH + number) % PLAYERS),
        xp: 1 + (round + number) % 3,
    };
    (0..BATCH).map(event).collect()
}

/// xorshift64*, enough to choose a victim.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.max(1);
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) % limit.max(1)
    }
}
