//! Records decided where they lie, and records loaded, decided and committed: one state, one answer, one feed.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use liveops_core::decorate::CountingStore;
use liveops_core::record::ChangeSet;
use liveops_core::store::Happened;
use liveops_core::{Command, Engine, FullStore, MemoryStore, Outcome, PlayerId};

use crate::stream::{BOARDS, Step, Stream, rules};
use crate::{codes, shown};

type Any = Engine<Arc<dyn FullStore>>;

/// Each way a store in memory may be driven; the last two keep a feed that says what led to each change set.
fn engines() -> [Any; 5] {
    let stores: [Arc<dyn FullStore>; 5] = [
        Arc::new(MemoryStore::new()),
        Arc::new(CountingStore::new(MemoryStore::new())),
        Arc::new(MemoryStore::new()),
        Arc::new(MemoryStore::with_feed(1_000_000)),
        Arc::new(CountingStore::new(MemoryStore::with_feed(1_000_000))),
    ];
    let [one, other, spread, fed, other_fed] = stores.map(|store| Engine::new(rules(0), store));
    [one, other, spread, fed.recording(), other_fed.recording()]
}

/// The engine of that number takes commands in its way.
fn submit(engine: &Any, which: usize, commands: &[Command]) -> Vec<Outcome> {
    match (which, NonZeroUsize::new(1 + commands.len() % 4)) {
        (2, Some(threads)) => engine.ingest(commands, threads).into_iter().collect(),
        _ => engine.submit_batch(commands),
    }
}

/// What a feed says, where only the order of what is of one player is promised: between any two advances, by player.
fn told(engine: &Any) -> Vec<BTreeMap<PlayerId, Vec<Arc<ChangeSet>>>> {
    let mut told = vec![BTreeMap::<_, Vec<_>>::new()];
    for entry in engine.feed(0, 0, usize::MAX).unwrap() {
        match entry.what {
            Happened::Advanced(_) => told.push(BTreeMap::new()),
            Happened::Committed(changes) => {
                told.last_mut().unwrap().entry(changes.player.clone()).or_default().push(changes);
            }
            other => panic!("{other:?}"),
        }
    }
    told
}

fn said(outcomes: &[Outcome]) -> Vec<String> {
    outcomes.iter().map(|outcome| format!("{outcome:?}")).collect()
}

#[test]
fn random_commands_end_in_one_digest_whoever_drives() {
    let (mut seen, mut rows) = (BTreeMap::new(), 0);
    for seed in 1..=4 {
        println!("seed {seed}");
        let engines = engines();
        let mut stream = Stream::new(seed);
        let submit = |commands: &[Command], seen: &mut BTreeMap<&'static str, usize>| {
            let mut number = 0..;
            let [first, others @ ..] =
                engines.each_ref().map(|engine| submit(engine, number.next().unwrap(), commands));
            for (which, other) in others.iter().enumerate() {
                for (command, (one, other)) in commands.iter().zip(said(&first).iter().zip(said(other))) {
                    assert_eq!(*one, other, "engine {}: {command:?}", which + 1);
                }
            }
            for (code, count) in codes(&first) {
                *seen.entry(code).or_default() += count;
            }
        };
        for step in 0..26 {
            match stream.next(&engines[0]) {
                Step::Batch(batch) => submit(&batch, &mut seen),
                Step::Advance(to) => {
                    for engine in &engines {
                        engine.advance(to).unwrap();
                    }
                }
                Step::Rules(version) => {
                    for engine in &engines {
                        engine.replace_rules(rules(version)).unwrap();
                    }
                    let mut batch = engines[0].migrations(crate::common::at(stream.now)).unwrap();
                    // The rest go over by themselves.
                    batch.truncate(batch.len() / 2);
                    submit(&batch, &mut seen);
                }
            }
            let digests = engines.each_ref().map(|engine| engine.digest().unwrap());
            assert!(digests.iter().all(|digest| *digest == digests[0]), "step {step}: {digests:?}");
        }
        let [first, others @ ..] = engines.each_ref().map(|engine| shown(engine, &BOARDS));
        assert!(others.iter().all(|other| *other == first), "boards");
        rows += first.values().flatten().map(Vec::len).sum::<usize>();
        let sizes = engines.each_ref().map(|engine| {
            let size = engine.size().unwrap();
            (size.players, size.outcomes, size.receipts, size.suspicions, size.boards)
        });
        assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
        let stats = engines.each_ref().map(Engine::stats);
        assert!(stats.iter().all(|other| *other == stats[0]), "{stats:?}");
        let [fed, other_fed] = [&engines[3], &engines[4]].map(told);
        assert!(fed == other_fed && fed.len() > 2, "feeds");
    }
    println!("{seen:?}, {rows} rows");
    assert!(rows > 500, "there is something on the boards: {rows}");
    for code in ["applied", "held", "replayed", "event_id_reused", "player_erased", "too_old", "too_far_in_future"] {
        assert!(seen.contains_key(code), "{code}: {seen:?}");
    }
    for code in
        ["claim_expired", "receipt_settled", "receipt_unknown", "suspicion_unknown", "period_open", "out_of_range"]
    {
        assert!(seen.contains_key(code), "{code}: {seen:?}");
    }
}
