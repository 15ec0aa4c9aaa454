//! Taking commands. The two `submit_batch` are the only code that the engines do not share: a store in memory would feel the
//! difference.

use std::borrow::Borrow;
use std::slice;
use std::sync::Arc;

use super::{AsyncEngine, Engine, InForce};
use crate::error::{Code, Error};
use crate::event::{self, Parser, Room};
use crate::plan::{Batch, Outcome, Plan, Workspace};
use crate::record::Command;
use crate::rules::Rules;
use crate::store::{self, AsyncStore, Store};
use crate::time::Timestamp;

/// Lines of [`Engine::submit_ndjson`] that are decided together.
pub(super) const NDJSON_BATCH_LEN: usize = 256;

/// Commands, wherever they are.
type Commands<'c, C> = std::iter::Map<slice::Iter<'c, C>, fn(&'c C) -> &'c Command>;

impl<S: AsyncStore> AsyncEngine<S> {
    /// See [`Engine::submit`].
    pub async fn submit(&self, command: &Command) -> Outcome {
        let in_force = self.in_force.load_full();
        let mut plan = self.plan(&in_force, slice::from_ref(command));
        store::drive(&self.store, &mut plan).await;
        self.finish_one(plan, command)
    }

    /// See [`Engine::submit_batch`]. Dropping the future is like losing the reply: send the batch again.
    pub async fn submit_batch<C: Borrow<Command>>(&self, commands: &[C]) -> Vec<Outcome> {
        let in_force = self.in_force.load_full();
        let mut plan = self.plan(&in_force, commands);
        store::drive(&self.store, &mut plan).await;
        self.finish(plan, commands)
    }

    /// See [`Engine::submit_ndjson`].
    pub async fn submit_ndjson(&self, trusted: &[u8], now: Timestamp) -> Vec<Outcome> {
        let parser = self.parser();
        let (mut all, mut lines, mut outcomes) = (event::lines(trusted), Lines::default(), Vec::new());
        while lines.read(&mut all, &parser, now) {
            let decided = self.submit_batch(&lines.commands).await;
            self.join(&mut lines.parsed, decided, &mut outcomes);
        }
        outcomes
    }
}

impl<S: Store> Engine<S> {
    /// Takes one command, such as an event that [`crate::intake::Intake`] admitted.
    pub fn submit(&self, command: &Command) -> Outcome {
        let in_force = self.0.in_force.load();
        let stripe = self.0.stripes.mine();
        // Held all the while: asked for and given back once, where a single command would feel both.
        let mut kept = stripe.held();
        let work = kept.as_mut().and_then(|kept| kept.take()).unwrap_or_default();
        let mut plan = in_force.recorded(Plan::within(work, &in_force.rules, [command]));
        self.store().drive(&mut plan);
        let (outcome, work) = plan.finish_one();
        if let Some(kept) = &mut kept {
            **kept = Some(work);
        }
        drop(kept);
        stripe.add(&self.0.counters.tally([command].into_iter(), slice::from_ref(&outcome)));
        outcome
    }

    /// Takes a batch; one outcome per command, in order. Commands of one player are decided in order, those of
    /// different players independently of each other.
    pub fn submit_batch<C: Borrow<Command>>(&self, commands: &[C]) -> Vec<Outcome> {
        let in_force = self.0.in_force.load();
        let mut plan = self.0.plan(&in_force, commands);
        self.store().drive(&mut plan);
        self.0.finish(plan, commands)
    }

    /// [`Self::submit_batch`], with outcomes that are kept small, behind those that a batch has.
    pub(super) fn submit_for_batch<C: Borrow<Command>>(&self, commands: &[C], batch: &mut Batch) {
        let in_force = self.0.in_force.load();
        let mut plan = self.0.begin(Plan::for_batch, &in_force, commands);
        self.store().drive(&mut plan);
        self.0.finish_batch(plan, commands, batch);
    }

    /// Takes lines of JSON, one event each, from a source that the caller trusts: no signature is asked for, and the
    /// body must name the event. One outcome per line, in order; an empty last line is no line. A line that is no event
    /// is refused with its first issue's code and the whole [`crate::event::ValidationError`] as the error's source.
    pub fn submit_ndjson(&self, trusted: &[u8], now: Timestamp) -> Vec<Outcome> {
        let parser = self.0.parser();
        let (mut all, mut lines, mut outcomes) = (event::lines(trusted), Lines::default(), Vec::new());
        while lines.read(&mut all, &parser, now) {
            self.0.join(&mut lines.parsed, self.submit_batch(&lines.commands), &mut outcomes);
        }
        outcomes
    }
}

impl<S> AsyncEngine<S> {
    /// A batch begins, and ends, under the rules that are in force now.
    fn plan<'c, C: Borrow<Command>>(&self, in_force: &'c InForce, commands: &'c [C]) -> Plan<'c> {
        self.begin(Plan::within, in_force, commands)
    }

    fn begin<'c, C: Borrow<Command>>(
        &self,
        begin: impl FnOnce(Box<Workspace>, &'c Rules, Commands<'c, C>) -> Plan<'c>,
        in_force: &'c InForce,
        commands: &'c [C],
    ) -> Plan<'c> {
        in_force.recorded(begin(self.stripes.mine().work(), &in_force.rules, commands.iter().map(Borrow::borrow)))
    }

    pub(super) fn parser(&self) -> Arc<Parser> {
        Arc::clone(&self.in_force.load().parser)
    }

    fn finish<C: Borrow<Command>>(&self, plan: Plan<'_>, commands: &[C]) -> Vec<Outcome> {
        let (outcomes, work) = plan.finish_within();
        let stripe = self.stripes.mine();
        stripe.keep(work);
        stripe.add(&self.counters.tally(commands.iter().map(Borrow::borrow), &outcomes));
        outcomes
    }

    fn finish_batch<C: Borrow<Command>>(&self, plan: Plan<'_>, commands: &[C], batch: &mut Batch) {
        let (first, kept) = (batch.len(), batch.kept());
        let work = plan.finish_batch(batch);
        let stripe = self.stripes.mine();
        stripe.keep(work);
        stripe.add(&self.counters.tally_batch(commands.iter().map(Borrow::borrow), batch, first, kept));
    }

    fn finish_one(&self, plan: Plan<'_>, command: &Command) -> Outcome {
        let (outcome, work) = plan.finish_one();
        let stripe = self.stripes.mine();
        stripe.keep(work);
        stripe.add(&self.counters.tally([command].into_iter(), slice::from_ref(&outcome)));
        outcome
    }

    /// Adds the outcomes of lines: those that are no commands are refused.
    fn join(&self, parsed: &mut Vec<Option<Error>>, decided: Vec<Outcome>, outcomes: &mut Vec<Outcome>) {
        let mut decided = decided.into_iter();
        outcomes.extend(parsed.drain(..).map(|error| match error {
            Some(error) => self.refuse(error),
            None => decided.next().unwrap_or_else(unknown),
        }));
    }

    /// Of a line that is no command.
    pub(super) fn refuse(&self, error: Error) -> Outcome {
        self.counters.refused(error.code());
        Outcome::Refused(error)
    }
}

/// Lines that are decided together: memory for one lot after the other.
#[derive(Default)]
struct Lines {
    commands: Vec<Command>,
    /// What is wrong with each line.
    parsed: Vec<Option<Error>>,
}

impl Lines {
    /// Takes the next ones; whether there are any.
    fn read<'l>(&mut self, lines: &mut impl Iterator<Item = &'l [u8]>, parser: &Parser, now: Timestamp) -> bool {
        self.commands.clear();
        self.parsed.clear();
        for line in lines.take(NDJSON_BATCH_LEN) {
            let error =
                trusted_event(parser, line, now, Room::default()).map(|command| self.commands.push(command)).err();
            self.parsed.push(error);
        }
        !self.parsed.is_empty()
    }
}

pub(super) fn trusted_event(parser: &Parser, line: &[u8], now: Timestamp, room: Room) -> Result<Command, Error> {
    let mut parsed = parser.parse_within(line, now, room).map_err(|e| Error::with_source(e.code(), e))?;
    let id = parsed.id.take().ok_or(Code::MissingEventId)?;
    Ok(Command::event(parsed.into_event(id), now))
}

/// What a store is said to have done that has not said it.
pub(super) fn unknown() -> Outcome {
    Outcome::Unknown(Code::StoreOutcomeUnknown.into())
}
