//! The other way to drive a plan: a store that holds a player's records lets each run be decided where they lie.

use std::ops::Range;

use super::lanes::Sorted;
use super::workspace::Workspace;
use super::{Outcome, Plan, recorded};
use crate::error::{StoreError, StoreErrorKind};
use crate::hash;
use crate::id::{CommandId, PlayerId};
use crate::record::{
    Action, ChangeSet, Command, CommitOutcome, EncodedOutcomes, Horizon, Key, Player, Receipt, Record, StoredOutcome,
    Suspicion, Written,
};
use crate::rules::{Draft, Drafted, Found, Rules};

/// One player's records where they lie, held by the caller.
pub trait Records {
    /// The player; `None` if absent.
    fn player(&self) -> Option<&Player>;

    /// The first outcome of a command. `command` is its place in the run, from 0; `id` is its name. Whoever looks outcomes up needs
    /// only one of them.
    fn outcome(&self, command: usize, id: &CommandId) -> Result<Option<Box<StoredOutcome>>, StoreErrorKind>;

    /// A link of the player's chain.
    fn receipt(&self, number: u64) -> Result<Option<Box<Receipt>>, StoreErrorKind>;

    /// A suspicious event.
    fn suspicion(&self, number: u64) -> Result<Option<Box<Suspicion>>, StoreErrorKind>;

    /// Commits all of a run or nothing.
    fn write(&mut self, written: Written<'_>) -> CommitOutcome;
}

/// Commands of which fingerprints are made ahead: what they say is still in a processor's cache when they are decided.
const PRINTED_AHEAD: usize = 127;

/// A plan's players, in the order of a hash of theirs, so that players of one part of a store can be neighbours.
///
/// ```text
/// for each lane, with the player's records held: while !lane.commands.is_empty() { decide(lane, horizon, records) }
/// ```
#[derive(Debug)]
pub struct Lanes<'p, 'a>(&'p mut Plan<'a>);

/// One player of a plan.
#[derive(Clone, Copy, Debug)]
pub struct LaneView<'p> {
    /// Who.
    pub player: &'p PlayerId,
    /// [`hash::keyed`] of the player's bytes under the key given to [`Plan::lanes`].
    pub hash: u64,
    /// Commands without an outcome yet, in order.
    pub commands: &'p [&'p Command],
}

/// The memory that runs are decided in, one after the other.
#[derive(Debug, Default)]
pub(super) struct Spare {
    changes: Option<ChangeSet>,
    encoded: EncodedOutcomes,
}

/// Fingerprints of commands, many at a time: a processor takes the next while it has not done with the one before, and has to remember
/// less of the program.
#[derive(Debug, Default)]
pub(super) struct Prints {
    /// Of the first commands of the plan.
    known: Vec<u128>,
    bytes: Vec<u8>,
}

impl Prints {
    /// For another plan, or another order.
    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    fn of(&mut self, rules: &Rules, commands: &[&Command], run: Range<usize>) -> &[u128] {
        let Self { known, bytes } = self;
        if known.len() < run.end {
            let end = commands.len().min(run.end + PRINTED_AHEAD);
            known.extend(commands[known.len()..end].iter().map(|command| rules.fingerprint(command, bytes)));
        }
        &known[run]
    }
}

impl<'a> Plan<'a> {
    /// The players, in the order of their hashes under a key, each hashed once.
    pub fn lanes(&mut self, key: &hash::Key) -> Lanes<'_, 'a> {
        if self.sorted_by.as_ref() != Some(key) {
            self.sort(key);
        }
        Lanes(self)
    }
}

impl Lanes<'_, '_> {
    /// How many.
    pub fn len(&self) -> usize {
        self.0.work.sorted.lanes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.work.sorted.lanes.is_empty()
    }

    /// One of them. Panics for one that there is not.
    pub fn get(&self, at: usize) -> LaneView<'_> {
        let lane = &self.0.work.sorted.lanes[at];
        // Where all have their outcomes, the last one still says who it is.
        let player = &self.0.commands[lane.end - 1].player;
        LaneView { player, hash: lane.hash, commands: &self.0.commands[lane.at..lane.end] }
    }

    /// Decides the next run of a lane, up to [`RUN_LEN_MAX`](crate::limits::RUN_LEN_MAX) commands, on a copy of the player's record,
    /// and lets `records` commit what comes of it, if anything does. Nothing of the store is changed before that, so a panic
    /// loses nothing. Whether commands are left.
    pub fn decide<R: Records + ?Sized>(&mut self, at: usize, horizon: Horizon, records: &mut R) -> bool {
        let plan = &mut *self.0;
        if let Err(kind) = plan.decide_in_place(at, horizon, records) {
            plan.fail_run(at, &Outcome::Refused(StoreError::new(kind).into()));
        }
        let lane = &plan.work.sorted.lanes[at];
        lane.at < lane.end
    }
}

impl Plan<'_> {
    fn decide_in_place<R: Records + ?Sized>(
        &mut self,
        at: usize,
        horizon: Horizon,
        records: &mut R,
    ) -> Result<(), StoreErrorKind> {
        let Self { rules, commands, answers, work, .. } = self;
        let Workspace { sorted: Sorted { lanes, given, .. }, found, scratch, spare, prints, .. } = &mut **work;
        let lane = lanes[at];
        let run = &commands[lane.at..lane.run_end()];
        let prints = prints.of(rules, commands, lane.at..lane.run_end());
        let Some(first) = run.first() else { return Ok(()) };
        let Spare { changes, encoded } = spare;
        let mut asked = None;
        let drafted = loop {
            found.clear();
            for (at, command) in run.iter().enumerate() {
                found.push(find(at, command, records)?);
            }
            let changes = changes.get_or_insert_with(|| ChangeSet::new(first.player.clone(), Box::default(), horizon));
            changes.renew(&first.player, records.player(), horizon);
            encoded.clear();
            let mut given = given[lane.at..].iter();
            let decided = |decision| {
                if let Some(given) = given.next() {
                    answers.decided(*given, decision);
                }
            };
            let is_first = asked.is_none();
            let listed = asked.take().unwrap_or_default();
            let draft = Draft::new(changes, Some(encoded), listed, horizon, scratch);
            match rules.decide_run(run, prints, found.drain(..), draft, decided) {
                Drafted::Lacks(keys) if is_first => asked = Some(look_up(keys, records)?),
                drafted => break drafted,
            }
        };
        let changes = match (drafted, changes) {
            (Drafted::Changes, Some(changes)) => changes,
            // It lacks what it was given: as with a far store, that ends as contended.
            (Drafted::Lacks(_), _) => {
                self.attempt_again(at);
                return Ok(());
            }
            _ => {
                self.finish_run(at);
                return Ok(());
            }
        };
        changes.run = self.recording.map(|rules| recorded(rules, horizon, run).into());
        match records.write(Written { changes, outcomes: encoded.of(run) }) {
            CommitOutcome::Applied => {
                answers.written(encoded.of(run), &given[lane.at..]);
                self.finish_run(at);
            }
            CommitOutcome::Conflict => self.attempt_again(at),
            CommitOutcome::Failed(error) => self.fail_commit(at, error),
        }
        Ok(())
    }
}

/// What is stored about a command.
fn find<R: Records + ?Sized>(at: usize, command: &Command, records: &R) -> Result<Found, StoreErrorKind> {
    let mut found = Found { outcome: records.outcome(at, &command.id)?, ..Found::default() };
    match &command.action {
        Action::Review { suspicion, .. } => found.suspicion = records.suspicion(*suspicion)?,
        Action::Claim(receipt) | Action::Revoke { receipt, .. } => found.receipt = records.receipt(receipt.number)?,
        _ => {}
    }
    Ok(found)
}

/// What a decision lacked.
fn look_up<R: Records + ?Sized>(keys: Vec<Key>, records: &R) -> Result<Vec<(Key, Option<Record>)>, StoreErrorKind> {
    let look_up = |key| {
        let record = match &key {
            Key::Receipt(_, number) => records.receipt(*number)?.map(Record::Receipt),
            Key::Suspicion(_, number) => records.suspicion(*number)?.map(Record::Suspicion),
            _ => None,
        };
        Ok((key, record))
    };
    keys.into_iter().map(look_up).collect()
}
