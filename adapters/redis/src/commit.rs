//! Writing: one script for each partition, all of them at once.

use std::collections::{BTreeMap, BTreeSet};

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::id::PlayerId;
use liveops_core::record::{ChangeSet, CommitOutcome, Notice, RecordRef};
use redis::{Cmd, Value};

use crate::error::Fault;
use crate::inner::{Inner, refusal};
use crate::keys::{self, Part};
use crate::link::Ask;
use crate::script;
use crate::tail::Told;

/// Change sets that one script is given, at most: nobody else is served while it runs.
const SETS_MAX: usize = 256;

/// The change sets of one call, by their places in the batch.
#[derive(Default)]
struct Group<'s> {
    places: Vec<usize>,
    sets: Vec<&'s ChangeSet>,
    players: BTreeSet<&'s PlayerId>,
}

impl Inner {
    /// What became of each set, and what was told of those that were applied.
    pub(crate) async fn commit(&self, batch: &[ChangeSet]) -> (Vec<CommitOutcome>, Vec<Told>) {
        let groups = self.groups(batch);
        let connections = self.link.connections();
        let parts = self.layout.parts();
        let calls: Vec<Ask> = groups
            .iter()
            .map(|(partition, group)| {
                let part = &parts[usize::from(*partition)];
                Self::ask(part, self.commit_call(part, &group.sets))
            })
            .collect();
        let answers = script::COMMIT.run(&self.link, &calls, self.replicas).await;
        let mut outcomes: Vec<Option<CommitOutcome>> = batch.iter().map(|_| None).collect();
        let mut told = Vec::new();
        for ((partition, group), answer) in groups.iter().zip(answers) {
            let (said, newest) = outcomes_of(answer, group.places.len());
            told.extend(newest.and_then(|newest| self.told((*partition, connections), newest, &group.sets, &said)));
            for (place, outcome) in group.places.iter().zip(said) {
                outcomes[*place] = Some(outcome);
            }
        }
        let unknown = || CommitOutcome::Failed(StoreErrorKind::OutcomeUnknown.into());
        (outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(unknown)).collect(), told)
    }

    /// The entries of the sets of one call that were applied.
    fn told(
        &self,
        (partition, connections): (u16, u64),
        newest: u64,
        sets: &[&ChangeSet],
        said: &[CommitOutcome],
    ) -> Option<Told> {
        let mut applied = sets.iter().zip(said).filter(|(_, outcome)| matches!(outcome, CommitOutcome::Applied));
        let entries = applied.clone().count() as u64;
        let (last, _) = applied.next_back()?;
        Some(Told { partition, entries, newest, notice: self.notice(last), connections })
    }

    fn notice(&self, set: &ChangeSet) -> Vec<u8> {
        if self.feed_len.is_some() { Notice::committed(set) } else { Notice::told_of(set) }
    }

    /// By partition, in order. A script looks at everything before it writes, so who comes twice comes in two.
    fn groups<'s>(&self, batch: &'s [ChangeSet]) -> Vec<(u16, Group<'s>)> {
        let mut groups: Vec<(u16, Group<'s>)> = Vec::new();
        let mut newest: BTreeMap<u16, usize> = BTreeMap::new();
        for (place, set) in batch.iter().enumerate() {
            let partition = self.layout.partition_of(&set.player);
            let takes = |at: &usize| {
                let group = &groups[*at].1;
                group.sets.len() < SETS_MAX && !group.players.contains(&set.player)
            };
            let at = newest.get(&partition).copied().filter(takes).unwrap_or_else(|| {
                groups.push((partition, Group::default()));
                groups.len() - 1
            });
            newest.insert(partition, at);
            let group = &mut groups[at].1;
            group.places.push(place);
            group.sets.push(set);
            group.players.insert(&set.player);
        }
        groups
    }

    fn commit_call(&self, part: &Part, sets: &[&ChangeSet]) -> Cmd {
        // Buckets are numbered from 1, for all sets alike.
        let times = sets.iter().flat_map(|set| &set.outcomes).map(|(_, outcome)| keys::bucket_of(outcome.ts));
        let buckets: Vec<i64> = times.collect::<BTreeSet<_>>().into_iter().collect();
        let mut names = vec![part.meta.clone(), part.outbox.clone(), part.index.clone(), part.marks.clone()];
        names.extend(buckets.iter().map(|bucket| part.bucket(*bucket)));
        names.extend(sets.iter().map(|set| part.player(&set.player)));
        let mut call = self.call(&script::COMMIT, &names);
        call.arg(self.feed_flag()).arg(self.outbox_entries).arg(self.feed_len.unwrap_or(0));
        call.arg(buckets.len()).arg(sets.len());
        for bucket in &buckets {
            call.arg(*bucket);
        }
        for set in sets {
            self.add_set(&mut call, &buckets, set);
        }
        call
    }

    fn add_set(&self, call: &mut Cmd, buckets: &[i64], set: &ChangeSet) {
        let mark = set.idle_mark().map(keys::time_text);
        let notice = self.notice(set);
        let records = 2 + set.outcomes.len() + set.receipts.len() + set.suspicions.len() + usize::from(mark.is_some());
        let removed: Vec<Vec<u8>> = set.removed.iter().filter_map(keys::field_of).collect();
        call.arg(set.expected).arg(keys::time_text(set.forgotten_before)).arg(keys::time_text(set.closes_at));
        call.arg(u8::from(set.forget)).arg(mark.as_deref().unwrap_or_default()).arg(set.player.as_bytes()).arg(notice);
        call.arg(set.outcomes.len()).arg(2 * records).arg(removed.len());
        let mut bytes = Vec::new();
        for (id, outcome) in &set.outcomes {
            let bucket = buckets.partition_point(|bucket| *bucket < keys::bucket_of(outcome.ts)) + 1;
            bytes.clear();
            bytes.extend_from_slice(set.player.as_bytes());
            bytes.push(0);
            bytes.extend(keys::outcome_field(id));
            call.arg(bucket).arg(&bytes[..]);
        }
        for (id, outcome) in &set.outcomes {
            bytes.clear();
            bytes.extend_from_slice(keys::time_text(outcome.ts).as_bytes());
            RecordRef::Outcome(outcome).encode_into(&mut bytes);
            call.arg(keys::outcome_field(id)).arg(&bytes[..]);
        }
        let mut add = |field: &[u8], record: RecordRef<'_>| {
            bytes.clear();
            record.encode_into(&mut bytes);
            call.arg(field).arg(&bytes[..]);
        };
        for receipt in &set.receipts {
            add(&keys::number_field(b'r', receipt.number()), RecordRef::Receipt(receipt));
        }
        for (number, suspicion) in &set.suspicions {
            add(&keys::number_field(b's', *number), RecordRef::Suspicion(suspicion));
        }
        add(b"p", RecordRef::Player(&set.record));
        if let Some(mark) = &mark {
            call.arg("e").arg(mark);
        }
        call.arg("v").arg(set.record.version());
        for field in removed {
            call.arg(field);
        }
    }
}

/// What a script says of its sets, and the cursor of the last of those it applied.
fn outcomes_of(answer: Result<Value, Fault>, len: usize) -> (Vec<CommitOutcome>, Option<u64>) {
    let all = |error: StoreError| ((0..len).map(|_| CommitOutcome::Failed(error.clone())).collect(), None);
    let value = match answer {
        Ok(value) => value,
        Err(fault) => return all(fault.of_writing()),
    };
    if let Some(error) = refusal(&value) {
        return all(error);
    }
    match value {
        Value::BulkString(said) if said.len() >= len => {
            let (letters, newest) = said.split_at(len);
            (letters.iter().map(|letter| outcome_of(*letter)).collect(), keys::cursor_of(newest))
        }
        _ => all(Fault::Strange.of_writing()),
    }
}

fn outcome_of(letter: u8) -> CommitOutcome {
    let kind = match letter {
        b'A' => return CommitOutcome::Applied,
        b'C' => return CommitOutcome::Conflict,
        b'F' => StoreErrorKind::FeedFull,
        b'W' => return CommitOutcome::Failed(StoreError::with_source(StoreErrorKind::Corrupt, "WRONGTYPE")),
        _ => StoreErrorKind::OutcomeUnknown,
    };
    CommitOutcome::Failed(kind.into())
}
