//! Snapshots and digests are of one moment, whatever is written meanwhile.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use liveops_core::record::Horizon;
use liveops_core::store::{Consumer, SnapshotReader, digest_of};
use liveops_core::{Action, Command, Engine, MemoryStore, Outcome, Record, Scan as _, Window};

use crate::common::{
    DAY, FIGHT_MIN, PAST, Rng, START, at, id, kill, operator, payout, player, progression, received, rules,
};
use crate::{assert_boards_fit, ends, horizon, records};

const BOARDS: [&str; 3] = ["fastest", "latest", "xp"];

/// Players with all kinds of records; the bytes are many times what a snapshot writes at once.
fn filled(store: MemoryStore) -> Engine<MemoryStore> {
    let engine = Engine::new(rules(), store);
    let mut batch = Vec::new();
    for n in 0..2_500 {
        let name = format!("p{n}");
        let ts = START - n % 3 * DAY / 3;
        batch.push(received(progression("e", &name, ts, 130), START));
        match n % 11 {
            0 => batch.push(received(kill("k", &name, ts, "hydra", FIGHT_MIN - 1), START)),
            1 => batch.push(received(kill("k", &name, ts, "hydra", FIGHT_MIN + n), START)),
            2 => batch.push(received(kill("k", &name, ts, "ogre", FIGHT_MIN - 1), START)),
            3 => batch.push(operator("x", &name, START, Action::Erase)),
            4 => batch.push(operator("h", &name, START, Action::SetVisibility { hidden: true })),
            _ => {}
        }
    }
    for outcome in engine.submit_batch(&batch) {
        assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    }
    engine.advance(at(START)).unwrap();
    engine
}

/// The next of what is done while a snapshot is written: the same for every engine that is given the same seed.
struct Meddler {
    rng: Rng,
    now: i64,
    turn: u32,
}

impl Meddler {
    const fn new(seed: u64) -> Self {
        Self { rng: Rng(seed), now: START, turn: 0 }
    }

    fn go_on(&mut self, engine: &Engine<MemoryStore>) {
        self.turn += 1;
        let turn = self.turn;
        let mut batch: Vec<Command> = Vec::new();
        for n in 0..40 {
            // Those who were there, those who come in front of all and behind all, and some in between.
            let name = match self.rng.below(6) {
                0 => format!("a{turn}-{n}"),
                1 => format!("z{turn}-{n}"),
                2 => format!("p{}-{turn}", self.rng.below(2_500)),
                _ => format!("p{}", self.rng.below(2_500)),
            };
            let command = format!("m{turn}-{n}");
            batch.push(match self.rng.below(8) {
                0 => operator(&command, &name, self.now, Action::Erase),
                1 => operator(&command, &name, self.now, Action::SetVisibility { hidden: n % 2 == 0 }),
                2 => kill(&command, &name, self.now, "hydra", FIGHT_MIN - 1),
                3 => kill(&command, &name, self.now, "ogre", FIGHT_MIN - 1),
                4 => received(payout("xp", Window::Daily, START / DAY - 1, &name, 1), self.now),
                5 => received(progression("e", &name, START, 130), self.now),
                _ => progression(&command, &name, self.now, 170),
            });
        }
        engine.submit_batch(&batch);
        match turn % 4 {
            0 => {
                self.now += DAY / 4;
                engine.advance(at(self.now)).unwrap();
            }
            2 => {
                let last = engine.last(0).unwrap();
                engine.ack(&id("bus"), 0, last).unwrap();
            }
            _ => {}
        }
        // Everything of before, outcomes and erased players alike.
        if turn == 13 {
            self.now += PAST + DAY;
            engine.advance(at(self.now)).unwrap();
        }
    }
}

/// Takes a snapshot and meddles with its store at every write.
struct Meddling<'e> {
    engine: &'e Engine<MemoryStore>,
    meddler: Meddler,
    bytes: Vec<u8>,
}

impl Write for Meddling<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.meddler.go_on(self.engine);
        self.bytes.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_snapshot_is_of_the_moment_in_which_it_began() {
    ends(|| {
        for seed in 1..=3 {
            println!("seed {seed}");
            let engine = filled(MemoryStore::with_feed(1_000_000));
            let bus: Consumer = id("bus");
            engine.ack(&bus, 0, 5).unwrap();
            let (digest, size, feed_last) = (engine.store().digest(), engine.store().size(), engine.last(0).unwrap());
            let consumers = engine.consumers().unwrap();
            let mut to = Meddling { engine: &engine, meddler: Meddler::new(seed), bytes: Vec::new() };
            engine.snapshot(&mut to).unwrap();
            let (bytes, mut meddler) = (to.bytes, to.meddler);
            assert!(meddler.turn > 13, "it was written to in the middle: {}", meddler.turn);

            let reader = SnapshotReader::open(&bytes[..]).unwrap();
            assert_eq!((&reader.marks().last[..], &reader.marks().consumers), (&[feed_last][..], &consumers));
            let copy = MemoryStore::restore(&bytes).unwrap();
            let restored = copy.size();
            assert_eq!(copy.digest(), digest);
            assert_eq!(
                (restored.players, restored.outcomes, restored.receipts, restored.suspicions),
                (size.players, size.outcomes, size.receipts, size.suspicions)
            );

            // Nobody who wrote meanwhile noticed.
            let calm = filled(MemoryStore::with_feed(1_000_000));
            calm.ack(&bus, 0, 5).unwrap();
            let mut other = Meddler::new(seed);
            while other.turn < meddler.turn {
                other.go_on(&calm);
            }
            assert_eq!(engine.store().digest(), calm.store().digest());
            assert_eq!(engine.store().size(), calm.store().size());
            assert_boards_fit(&engine, &BOARDS);
            // Nor does the next snapshot know anything of the one before.
            for _ in 0..5 {
                meddler.go_on(&engine);
                let bytes = engine.store().snapshot();
                assert_eq!(MemoryStore::restore(&bytes).unwrap().digest(), engine.store().digest());
                assert_eq!(digest_of(engine.store()).unwrap(), engine.store().digest());
            }
        }
    });
}

/// Fails at a write, as a disk that is full or by a panic.
struct Failing<'e> {
    engine: &'e Engine<MemoryStore>,
    meddler: Meddler,
    left: usize,
    panics: bool,
}

impl Write for Failing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.meddler.go_on(self.engine);
        if self.left == 0 {
            assert!(!self.panics, "asked for");
            return Err(io::Error::other("full"));
        }
        self.left -= 1;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_snapshot_that_fails_leaves_nothing_behind() {
    ends(|| {
        let (engine, calm) = (filled(MemoryStore::with_feed(1_000_000)), filled(MemoryStore::with_feed(1_000_000)));
        let (mut meddler, mut other) = (Meddler::new(9), Meddler::new(9));
        for left in [0, 1, 4] {
            for panics in [false, true] {
                let turn = meddler.turn;
                let mut to = Failing { engine: &engine, meddler, left, panics };
                let result = catch_unwind(AssertUnwindSafe(|| engine.snapshot(&mut to)));
                assert_eq!(result.is_err(), panics);
                assert!(result.is_err() || result.is_ok_and(|result| result.unwrap_err().is_transient()));
                meddler = to.meddler;
                assert_eq!(meddler.turn, turn + 1 + u32::try_from(left).unwrap());
                while other.turn < meddler.turn {
                    other.go_on(&calm);
                }
                assert_eq!(engine.store().digest(), calm.store().digest());
                let bytes = engine.store().snapshot();
                assert_eq!(MemoryStore::restore(&bytes).unwrap().digest(), calm.store().digest());
            }
        }
        assert_boards_fit(&engine, &BOARDS);
    });
}

/// Step after step of a store that only one thread writes to.
fn steps(engine: &Engine<MemoryStore>, mut each: impl FnMut(usize)) {
    let mut rng = Rng(5);
    for step in 0..260_usize {
        let now = START + i64::try_from(step).unwrap() * 60_000;
        if step % 40 == 39 {
            // A change of nothing but time, and once of all that was.
            engine.advance_far(at(if step < 200 { now } else { now + PAST + DAY })).unwrap();
        } else {
            let name = format!("p{}", rng.below(90));
            let batch: Vec<_> = (0..=rng.below(5))
                .map(|n| match rng.below(9) {
                    0 => operator(&format!("x{step}-{n}"), &name, now, Action::Erase),
                    1 => kill(&format!("x{step}-{n}"), &name, now, "hydra", FIGHT_MIN - 1),
                    _ => progression(&format!("x{step}-{n}"), &name, now, 40),
                })
                .collect();
            engine.submit_batch(&batch);
        }
        each(step);
    }
}

/// One thread makes a store go through states that are known before; all digests and snapshots that others take meanwhile are
/// of these, and none of an earlier one than the last.
#[test]
fn digests_and_snapshots_are_of_states_that_were() {
    ends(|| {
        let calm = Engine::new(rules(), MemoryStore::new());
        let mut states = vec![calm.store().digest()];
        steps(&calm, |_| states.push(calm.store().digest()));

        let engine = Engine::new(rules(), MemoryStore::new());
        let (done, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let watchers: Vec<_> = (0..3)
                .map(|which| {
                    let (engine, done, ended, states) = (&engine, &done, &ended, &states);
                    scope.spawn(move || {
                        let (mut looks, mut newest) = (0, 0);
                        while !ended.load(Ordering::SeqCst) {
                            let before = done.load(Ordering::SeqCst);
                            let digest = if which == 0 {
                                engine.store().digest()
                            } else {
                                MemoryStore::restore(&engine.store().snapshot()).unwrap().digest()
                            };
                            let after = done.load(Ordering::SeqCst);
                            // The step under way may be there or not.
                            let range = before.max(newest)..=(after + 1).min(states.len() - 1);
                            let found = range.clone().find(|state| states[*state] == digest);
                            newest = found.unwrap_or_else(|| {
                                let of = states.iter().position(|state| *state == digest);
                                panic!("a state of {of:?} while steps {range:?} were taken")
                            });
                            looks += 1;
                        }
                        looks
                    })
                })
                .collect();
            steps(&engine, |step| done.store(step + 1, Ordering::SeqCst));
            ended.store(true, Ordering::SeqCst);
            let looks: Vec<i32> = watchers.into_iter().map(|watcher| watcher.join().unwrap()).collect();
            println!("looks {looks:?}");
        });
        assert_eq!(engine.store().digest(), *states.last().unwrap());
    });
}

/// Each thread writes one run after another, of its players in turn: a snapshot has the first so many of each thread's runs and
/// nothing else. Two threads take snapshots at once.
#[test]
fn a_snapshot_has_the_first_runs_of_every_thread() {
    const THREADS: usize = 3;
    const OWN: usize = 7;
    const ROUNDS: usize = 300;
    let run = |thread: usize, n: usize| -> Vec<Command> {
        let (name, xp) = (format!("t{thread}-{}", n % OWN), 1 + i64::try_from(n % 5).unwrap());
        (0..=n % 4).map(|at| progression(&format!("e{n}-{at}"), &name, START, xp)).collect()
    };
    // How the records of a thread come about, if they do.
    let is_of_first_runs = |thread: usize, mine: [(u64, u64); OWN]| {
        let (mut model, mut n) = ([(0, 0); OWN], 0);
        while model != mine && n < ROUNDS {
            let commands = run(thread, n).len() as u64;
            let (xp, version) = &mut model[n % OWN];
            (*xp, *version) = (*xp + commands * (1 + n as u64 % 5), *version + commands);
            n += 1;
        }
        model == mine
    };
    ends(|| {
        let engine = Engine::new(rules(), MemoryStore::new());
        let ended = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let (engine, ended) = (&engine, &ended);
            for thread in 0..THREADS {
                scope.spawn(move || {
                    for n in 0..ROUNDS {
                        for outcome in engine.submit_batch(&run(thread, n)) {
                            assert_eq!(outcome.code(), "applied");
                        }
                    }
                    ended.fetch_add(1, Ordering::SeqCst);
                });
            }
            for _ in 0..2 {
                scope.spawn(move || {
                    let mut snapshots = 0;
                    while ended.load(Ordering::SeqCst) < THREADS {
                        let bytes = engine.store().snapshot();
                        let copy = Engine::new(rules(), MemoryStore::restore(&bytes).unwrap());
                        for thread in 0..THREADS {
                            let mine = std::array::from_fn(|of| {
                                let record = copy.record(&player(&format!("t{thread}-{of}"))).unwrap();
                                record.map_or((0, 0), |record| (record.xp, record.version))
                            });
                            assert!(is_of_first_runs(thread, mine), "of thread {thread}: {mine:?}");
                        }
                        let is_outcome = |record: &Record| matches!(record, Record::Outcome(_));
                        let outcomes = records(&bytes).iter().filter(|(_, record)| is_outcome(record)).count();
                        let versions: u64 = copy.players().unwrap().iter().map(|view| view.version).sum();
                        assert_eq!(outcomes as u64, versions, "records and their outcomes");
                        assert_boards_fit(&copy, &BOARDS);
                        snapshots += 1;
                    }
                    println!("{snapshots} snapshots");
                });
            }
        });
        assert_eq!(MemoryStore::restore(&engine.store().snapshot()).unwrap().digest(), engine.store().digest());
        assert_eq!(horizon(engine.store()), Horizon::default());
        assert_eq!(engine.store().scan(0, None, None, 1).unwrap().len(), 1);
        assert_eq!(engine.store().size().players, (THREADS * OWN) as u64);
    });
}
