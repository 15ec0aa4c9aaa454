//! Events of change sets for the table of events, where the store is asked to keep them.

use liveops_core::record::{Action, ChangeSet, Command};
use liveops_core::{CommandId, Origin, Timestamp};

use crate::columns::{doc, millis, number};

/// Columns of the rows of `event`, side by side.
#[derive(Debug, Default)]
pub(crate) struct Events<'s> {
    pub(crate) player: Vec<&'s str>,
    pub(crate) id: Vec<&'s str>,
    pub(crate) ts: Vec<i64>,
    pub(crate) kind: Vec<&'s str>,
    pub(crate) received: Vec<i64>,
    pub(crate) xp: Vec<i64>,
    pub(crate) held: Vec<bool>,
    pub(crate) payload: Vec<Option<String>>,
}

impl<'s> Events<'s> {
    /// Of sets that say what led to them; of others, nothing.
    pub(crate) fn of(sets: &[&'s ChangeSet]) -> Self {
        let mut events = Self::default();
        for set in sets {
            let Some(run) = &set.run else { continue };
            for (id, outcome) in set.outcomes.iter().filter(|(id, _)| id.origin == Origin::Event) {
                events.put(id, outcome.ts, &run.commands, (outcome.effect.xp.granted, outcome.effect.held().is_some()));
            }
        }
        events
    }

    fn put(&mut self, id: &'s CommandId, ts: Timestamp, run: &'s [Command], (xp, held): (u64, bool)) {
        // Refused ones, and those of before an erasure, are in the run too.
        let mut named = run.iter().filter(|command| command.id == *id && command.ts == ts);
        let Some(Command { player, received_at, action: Action::Event { kind, payload }, .. }) = named.next() else {
            return;
        };
        // The run does not say which of them it was, if somebody used one name for several contents.
        let is_certain = named
            .all(|other| matches!(&other.action, Action::Event { kind: k, payload: p } if k == kind && p == payload));
        self.player.push(player.as_str());
        self.id.push(id.id.as_str());
        self.ts.push(millis(ts));
        self.kind.push(kind.as_str());
        self.received.push(millis(*received_at));
        self.xp.push(number(xp));
        self.held.push(held);
        self.payload.push(is_certain.then(|| doc(payload)));
    }
}
