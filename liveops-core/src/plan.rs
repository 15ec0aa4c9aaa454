//! A batch of commands on its way through load, decide, commit. It performs no I/O, so the blocking and the async
//! driver are a dozen lines each and cannot differ in behaviour.
//!
//! ```text
//! keys() -> load them -> decide(answers) -> commit the change sets -> resolve(results) -> keys() ... -> finish()
//! ```

mod answers;
mod batch;
mod in_place;
mod lanes;
mod packed;
mod workspace;

pub use batch::{Batch, Rows};
pub use in_place::{LaneView, Lanes, Records};
pub use workspace::Workspace;

use std::collections::BTreeMap;

use self::answers::Answers;
use self::lanes::Sorted;
use crate::error::{Code, Error, StoreError, StoreErrorKind};
use crate::hash::{self, Digest};
use crate::limits::ATTEMPTS_MAX;
use crate::record::{ChangeSet, Command, CommitOutcome, Effect, Horizon, Key, Record, Run};
use crate::rules::{Decided, Decision, Found, Rules, Stored};

/// The answer to one key. An error concerns the key's player alone.
pub type Loaded = Result<Option<Record>, StoreError>;

/// The answer to one command.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// Applied now.
    Applied(Effect),
    /// Applied by an earlier copy, with this effect.
    Replayed(Effect),
    /// This call changed nothing. After an `Unknown`, a transient refusal does not settle the doubt.
    Refused(Error),
    /// May or may not have been applied: send it again with the same id.
    Unknown(Error),
}

impl From<Decision> for Outcome {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Apply(effect) => Self::Applied(effect),
            Decision::Replay(effect) => Self::Replayed(effect),
            Decision::Refuse(code) => Self::Refused(Error::new(code)),
        }
    }
}

impl Outcome {
    /// What the command did, now or earlier; the error otherwise.
    pub fn into_effect(self) -> Result<Effect, Error> {
        match self {
            Self::Applied(effect) | Self::Replayed(effect) => Ok(effect),
            Self::Refused(error) | Self::Unknown(error) => Err(error),
        }
    }

    /// `applied`, `held`, `replayed`, or the code of the error: what a count by outcome says.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Applied(effect) if effect.held().is_some() => "held",
            Self::Applied(_) => "applied",
            Self::Replayed(_) => "replayed",
            Self::Refused(error) | Self::Unknown(error) => error.code().as_str(),
        }
    }

    /// `applied`, `replayed`, `refused` or `unknown`.
    pub const fn status(&self) -> &'static str {
        match self {
            Self::Applied(_) => "applied",
            Self::Replayed(_) => "replayed",
            Self::Refused(_) => "refused",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The HTTP status that a server in front should answer with: 202 for what took effect, now or earlier.
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::Applied(_) | Self::Replayed(_) => 202,
            Self::Refused(error) | Self::Unknown(error) => error.http_status(),
        }
    }

    /// Headers that belong to the HTTP answer: `Idempotent-Replayed: true` for a retry that gets its first outcome. Those
    /// of a refusal come with a refusal of the door.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Replayed(_) => vec![("Idempotent-Replayed", "true".to_owned())],
            _ => Vec::new(),
        }
    }
}

/// A batch in progress. Call [`Plan::keys`], load them, [`Plan::decide`], commit what it returns, [`Plan::resolve`];
/// again until there are no keys. A store that holds its records calls [`Plan::lanes`] instead.
#[derive(Debug)]
pub struct Plan<'a> {
    rules: &'a Rules,
    /// Of the rules, if change sets are to say what led to them.
    recording: Option<Digest>,
    /// As given, then as they are decided.
    commands: Vec<&'a Command>,
    /// The key of the hash that they are in order of, once they are.
    sorted_by: Option<hash::Key>,
    /// How many of the lanes this round is about: the first ones.
    round: usize,
    /// What a decision of a lane's run found that it needs as well, by the lane's end.
    lacks: Option<BTreeMap<usize, Vec<Key>>>,
    answers: Answers,
    work: Box<Workspace>,
}

impl<'a> Plan<'a> {
    /// Starts a batch.
    pub fn new(rules: &'a Rules, commands: impl IntoIterator<Item = &'a Command>) -> Self {
        Self::within(Box::default(), rules, commands)
    }

    /// The same in memory that another plan has used; [`Self::finish_within`] gives it back.
    pub fn within(work: Box<Workspace>, rules: &'a Rules, commands: impl IntoIterator<Item = &'a Command>) -> Self {
        Self::begin(work, rules, commands, |work, len| {
            let mut outcomes = std::mem::take(&mut work.outcomes);
            outcomes.resize_with(len, unknown);
            Answers::Outcomes(outcomes)
        })
    }

    /// The same for outcomes that are kept small, which [`Self::finish_batch`] gives.
    pub fn for_batch(work: Box<Workspace>, rules: &'a Rules, commands: impl IntoIterator<Item = &'a Command>) -> Self {
        Self::begin(work, rules, commands, |work, len| {
            let mut packed = std::mem::take(&mut work.rows);
            packed.begin(len);
            Answers::Rows(packed)
        })
    }

    fn begin(
        mut work: Box<Workspace>,
        rules: &'a Rules,
        commands: impl IntoIterator<Item = &'a Command>,
        answers: impl FnOnce(&mut Workspace, usize) -> Answers,
    ) -> Self {
        let mut given = work.commands();
        given.extend(commands);
        work.sorted.begin();
        let answers = answers(&mut work, given.len());
        Self { rules, recording: None, commands: given, sorted_by: None, round: 0, lacks: None, answers, work }
    }

    /// The same, with change sets that say what led to them ([`ChangeSet::run`]): under rules of that
    /// [identity](Rules::identity).
    #[must_use]
    pub fn recording(self, rules: Digest) -> Self {
        Self { recording: Some(rules), ..self }
    }

    /// What to load next, for at most so many players ([`crate::Store::round_players`]); empty once every command has its outcome.
    pub fn keys(&mut self, round_players: usize) -> Vec<Key> {
        if self.sorted_by.is_none() {
            // Any hash will do; this one gives the same order everywhere.
            self.sort(&[0; 16]);
        }
        let lanes = &mut self.work.sorted.lanes;
        lanes.retain(|lane| lane.at < lane.end);
        if lanes.is_empty() {
            return Vec::new();
        }
        self.round = lanes.len().min(round_players.max(1));
        let mut keys = Vec::with_capacity(1 + 2 * self.round);
        keys.push(Key::Horizon);
        for lane in &lanes[..self.round] {
            let run = &self.commands[lane.at..lane.run_end()];
            keys.push(Key::Player(run[0].player.clone()));
            for command in run {
                Rules::keys(command, |key| keys.push(key));
            }
            keys.extend(self.lacks.iter().filter_map(|lacks| lacks.get(&lane.end)).flatten().cloned());
        }
        keys
    }

    /// Decides one run of every player of the round: at most one change set each. An answer that is an error, is missing
    /// (`store_unavailable`) or is of another kind than its key (`store_misconfigured`) fails the run of its own player; of the
    /// horizon, all of them.
    pub fn decide(&mut self, loaded: Vec<Loaded>) -> Vec<ChangeSet> {
        let mut answers = loaded.into_iter();
        let horizon = match answers.next().unwrap_or_else(missing) {
            Ok(Some(Record::Horizon(horizon))) => horizon,
            Ok(None) => Horizon::default(),
            Ok(Some(_)) => return self.refuse_round(&StoreErrorKind::Misconfigured.into()),
            Err(error) => return self.refuse_round(&error),
        };
        let mut batch = Vec::with_capacity(self.round);
        for at in 0..self.round {
            let Workspace { sorted, found, scratch, .. } = &mut *self.work;
            let lane = sorted.lanes[at];
            let run = &self.commands[lane.at..lane.run_end()];
            let lacks = self.lacks.as_ref().and_then(|lacks| lacks.get(&lane.end)).map_or(&[][..], Vec::as_slice);
            let stored = match read(run, lacks, &mut answers, found) {
                Ok(stored) => stored,
                Err(error) => {
                    self.fail_run(at, &Outcome::Refused(error.into()));
                    continue;
                }
            };
            let mut given = sorted.given[lane.at..lane.run_end()].iter();
            let answers = &mut self.answers;
            let decided = |decision: Decision| {
                if let Some(given) = given.next() {
                    answers.set(*given, decision.into());
                }
            };
            match self.rules.decide(run, horizon, stored, found.drain(..), scratch, decided) {
                Decided::Changes(mut changes) => {
                    changes.run = self.recording.map(|rules| recorded(rules, horizon, run).into());
                    batch.push(changes);
                    sorted.lanes[at].waits = true;
                }
                Decided::Nothing => self.finish_run(at),
                Decided::Lacks(keys) => {
                    self.lacks.get_or_insert_default().insert(lane.end, keys);
                    self.attempt_again(at);
                }
            }
        }
        batch
    }

    /// Takes what the store did, in the order of the change sets. A conflict makes the whole run be decided again. After
    /// any failure the player's later commands are not attempted, so that their order holds.
    pub fn resolve(&mut self, results: Vec<CommitOutcome>) {
        let mut results = results.into_iter();
        for at in 0..self.round {
            if !std::mem::take(&mut self.work.sorted.lanes[at].waits) {
                continue;
            }
            // A store that does not answer has not said what it did.
            let silent = || CommitOutcome::Failed(StoreError::new(StoreErrorKind::OutcomeUnknown));
            match results.next().unwrap_or_else(silent) {
                CommitOutcome::Applied => self.finish_run(at),
                CommitOutcome::Conflict => self.attempt_again(at),
                CommitOutcome::Failed(error) => self.fail_commit(at, error),
            }
        }
    }

    /// The outcomes, in the order of the commands. Of a batch left before its keys ran out, nobody knows how the rest
    /// ended.
    pub fn finish(self) -> Vec<Outcome> {
        self.finish_within().0
    }

    /// The same, and the memory for the next plan.
    pub fn finish_within(mut self) -> (Vec<Outcome>, Box<Workspace>) {
        self.leave_the_rest();
        let Self { commands, answers, mut work, .. } = self;
        work.keep(commands);
        (answers.into_outcomes(), work)
    }

    /// The same, kept small, behind what a batch has.
    pub fn finish_batch(mut self, batch: &mut Batch) -> Box<Workspace> {
        self.leave_the_rest();
        let Self { commands, answers, mut work, .. } = self;
        work.keep(commands);
        work.rows = answers.put_onto(batch);
        work
    }

    /// The same of a batch of one command.
    pub fn finish_one(mut self) -> (Outcome, Box<Workspace>) {
        self.leave_the_rest();
        let Self { commands, answers, mut work, .. } = self;
        let mut outcomes = answers.into_outcomes();
        let outcome = outcomes.pop().unwrap_or_else(unknown);
        outcomes.clear();
        work.outcomes = outcomes;
        work.keep(commands);
        (outcome, work)
    }

    /// What was decided and is at the store does not count.
    fn leave_the_rest(&mut self) {
        let Sorted { lanes, given, .. } = &self.work.sorted;
        for lane in lanes.iter().filter(|lane| lane.at < lane.end) {
            given[lane.at..lane.end].iter().for_each(|given| self.answers.unset(*given));
        }
    }

    /// Puts players in the order of their hashes.
    fn sort(&mut self, key: &hash::Key) {
        self.work.sorted.sort(key, &mut self.commands, self.sorted_by.is_some());
        self.sorted_by = Some(*key);
        self.work.prints.clear();
        // By lanes that are no more; it is found out again.
        self.lacks = None;
    }

    fn finish_run(&mut self, at: usize) {
        let lane = &mut self.work.sorted.lanes[at];
        lane.at = lane.run_end();
        lane.attempts = 0;
        if let Some(lacks) = &mut self.lacks {
            lacks.remove(&lane.end);
        }
    }

    /// Lets the run be decided anew, unless that was tried often enough.
    fn attempt_again(&mut self, at: usize) {
        let lane = &mut self.work.sorted.lanes[at];
        lane.attempts += 1;
        if lane.attempts == ATTEMPTS_MAX {
            self.fail_run(at, &Outcome::Refused(Error::new(Code::Contended)));
        }
    }

    fn fail_commit(&mut self, at: usize, error: StoreError) {
        let unknown = error.kind == StoreErrorKind::OutcomeUnknown;
        let outcome = if unknown { Outcome::Unknown(error.into()) } else { Outcome::Refused(error.into()) };
        self.fail_run(at, &outcome);
    }

    /// Gives the whole run one outcome, whatever was decided, and does not try what comes after it.
    fn fail_run(&mut self, at: usize, outcome: &Outcome) {
        let Sorted { lanes, given, .. } = &mut self.work.sorted;
        let lane = &mut lanes[at];
        let (run, rest) = (lane.at..lane.run_end(), lane.run_end()..lane.end);
        lane.at = lane.end;
        for given in &given[run] {
            self.answers.set(*given, outcome.clone());
        }
        for given in &given[rest] {
            self.answers.set(*given, Outcome::Refused(Error::new(Code::NotAttempted)));
        }
    }

    /// Fails every run of the round; nothing of them is at the store.
    fn refuse_round(&mut self, error: &StoreError) -> Vec<ChangeSet> {
        let refused = Outcome::Refused(error.clone().into());
        (0..self.round).for_each(|at| self.fail_run(at, &refused));
        Vec::new()
    }
}

fn recorded(rules: Digest, horizon: Horizon, run: &[&Command]) -> Run {
    Run { rules, horizon, commands: run.iter().copied().cloned().collect() }
}

/// Of a command whose store was not heard of again.
fn unknown() -> Outcome {
    Outcome::Unknown(Error::new(Code::StoreOutcomeUnknown))
}

/// What a store that gave too few answers says to the other keys.
fn missing() -> Loaded {
    Err(StoreErrorKind::Unavailable.into())
}

/// The answers to one run's keys, in the order of [`Plan::keys`], all of which are taken: the player, what is found of each
/// command, and what a decision found that it needs as well. Else the first error among them.
fn read(
    run: &[&Command],
    lacks: &[Key],
    answers: &mut impl Iterator<Item = Loaded>,
    all: &mut Vec<Found>,
) -> Result<Stored, StoreError> {
    let mut failed = None;
    let mut fail = |error: StoreError| _ = failed.get_or_insert(error);
    let mut next = || answers.next().unwrap_or_else(missing);
    let wrong = || StoreError::new(StoreErrorKind::Misconfigured);
    let mut player = None;
    match next() {
        Ok(Some(Record::Player(record))) => player = Some(record),
        Ok(None) => {}
        Ok(Some(_)) => fail(wrong()),
        Err(error) => fail(error),
    }
    all.clear();
    for command in run {
        let mut found = Found::default();
        Rules::keys(command, |key| match (key, next()) {
            (_, Ok(None)) => {}
            (Key::Outcome(..), Ok(Some(Record::Outcome(outcome)))) => found.outcome = Some(outcome),
            (Key::Suspicion(..), Ok(Some(Record::Suspicion(suspicion)))) => found.suspicion = Some(suspicion),
            (Key::Receipt(..), Ok(Some(Record::Receipt(receipt)))) => found.receipt = Some(receipt),
            (_, Ok(Some(_))) => fail(wrong()),
            (_, Err(error)) => fail(error),
        });
        all.push(found);
    }
    let mut listed = Vec::with_capacity(lacks.len());
    for key in lacks {
        match (key, next()) {
            (_, Ok(None)) => listed.push((key.clone(), None)),
            (Key::Suspicion(..), Ok(Some(record @ Record::Suspicion(_))))
            | (Key::Receipt(..), Ok(Some(record @ Record::Receipt(_)))) => listed.push((key.clone(), Some(record))),
            (_, Ok(Some(_))) => fail(wrong()),
            (_, Err(error)) => fail(error),
        }
    }
    failed.map_or(Ok(Stored { player, listed }), Err)
}
