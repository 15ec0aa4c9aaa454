//! The log against a map of what it should hold.

use std::collections::BTreeMap;

use super::*;
use crate::id::{CommandId, EventId, Origin};
use crate::memory::tests::{Random, at};
use crate::record::{Effect, StoredOutcome};

fn id(n: u64) -> CommandId {
    let text = match n % 3 {
        0 => format!("{n:08x}-0000-7000-8000-000000000000"),
        1 => format!("e{n}"),
        _ => format!("an id that is too long for a word {n}").replace(' ', "-"),
    };
    CommandId { origin: Origin::Event, id: EventId::new(&text).unwrap() }
}

/// The bytes of an outcome; one in many is longer than a segment.
fn outcome(random: &mut Random, ts: Timestamp) -> Vec<u8> {
    let effect = Effect { level: random.below(1 << 20) as u32, ..Effect::default() };
    let outcome = StoredOutcome { fingerprint: random.below(1 << 30).into(), ts, effect };
    let mut bytes = vec![outcome.version()];
    outcome.put_version(outcome.version(), &mut bytes);
    if random.below(500) == 0 {
        bytes.resize(SEGMENT_BYTES + 700, 7);
    }
    bytes
}

/// A log, where each player's newest is, and what it should hold.
struct Pair {
    log: Log,
    newest: Vec<Place>,
    model: BTreeMap<(u32, CommandId), (Timestamp, Vec<u8>)>,
    forgotten_before: Timestamp,
}

impl Pair {
    fn new(first: u64) -> Self {
        let log = Log { first, ..Log::default() };
        Self { log, newest: vec![0; 20], model: BTreeMap::new(), forgotten_before: Timestamp::MIN }
    }

    fn tag(slot: u32, id: &CommandId) -> Tag {
        // Many have one tag.
        Tag::of(u64::from(slot) * 7 + Name::of(id).hash(&[3; 16]) % 50)
    }

    fn push(&mut self, slot: u32, id: CommandId, ts: Timestamp, bytes: Vec<u8>) {
        let newest = &mut self.newest[slot as usize];
        self.log.remove(Self::tag(slot, &id), slot, &Name::of(&id));
        self.log.push((Self::tag(slot, &id), slot), &Name::of(&id), ts, &bytes, newest);
        self.model.insert((slot, id), (ts, bytes));
    }

    fn tidy(&mut self) {
        let newest = &mut self.newest;
        self.log.tidy(self.forgotten_before, |slot, place| std::mem::swap(&mut newest[slot as usize], place));
    }

    fn check(&self) {
        let live = |ts: Timestamp| ts >= self.forgotten_before;
        let mut count = 0;
        for slot in 0..20 {
            let mut found = BTreeMap::new();
            for entry in self.log.of(self.newest[slot as usize]).filter(|entry| live(entry.ts())) {
                let known = found.insert(entry.id().unwrap(), (entry.ts(), entry.bytes_of_outcome().to_vec()));
                assert_eq!(known, None, "each once");
            }
            let of = self.model.iter().filter(|((of, _), (ts, _))| *of == slot && live(*ts));
            let of: BTreeMap<_, _> = of.map(|((_, id), known)| (id.clone(), known.clone())).collect();
            assert_eq!(found, of, "of {slot}");
            for (id, (_, bytes)) in &of {
                let entry = self.log.find(Self::tag(slot, id), slot, &Name::of(id)).unwrap();
                assert_eq!(entry.bytes_of_outcome(), bytes);
                let other = (slot + 1) % 20;
                let elsewhere = self.log.find(Self::tag(slot, id), other, &Name::of(id));
                assert!(elsewhere.is_none_or(|_| self.model.contains_key(&(other, id.clone()))));
            }
            count += of.len();
        }
        assert_eq!(self.log.count(self.forgotten_before), count);
    }
}

/// Outcomes come, are overwritten, removed, erased and forgotten, wherever the numbers of segments begin.
#[test]
fn it_holds_what_a_map_would() {
    for (seed, first) in [(1, 1), (2, (1 << 26) - 3), (3, (1 << 27) - 40), (4, u64::from(u32::MAX) * 9)] {
        println!("seed {seed}, from {first}");
        let (mut pair, mut random, mut now) = (Pair::new(first), Random(seed), 0);
        for step in 0..10_000_u64 {
            let slot = random.below(20) as u32;
            match random.below(40) {
                0 => {
                    if let Some((key, _)) = pair.model.range((slot, id(0))..).next() {
                        let key = key.clone();
                        assert!(
                            pair.log.remove(Pair::tag(key.0, &key.1), key.0, &Name::of(&key.1)) || {
                                // It was forgotten, and its memory is gone.
                                pair.model[&key].0 < pair.forgotten_before
                            }
                        );
                        pair.model.remove(&key);
                    }
                }
                1 if random.below(30) == 0 => {
                    pair.log.forget(&mut pair.newest[slot as usize]);
                    pair.model.retain(|(of, _), _| *of != slot);
                }
                2 => {
                    now += 40;
                    pair.forgotten_before = at(now - 4_000);
                }
                3 => {
                    while pair.log.is_untidy(pair.forgotten_before) {
                        pair.tidy();
                    }
                }
                4 if pair.log.is_mostly_dead() => pair.tidy(),
                _ => {
                    // Some come late, some are ahead.
                    let ts = at(now - random.below(3_000).cast_signed() + random.below(300).cast_signed());
                    let bytes = outcome(&mut random, ts);
                    let name = id(random.below(4_000));
                    pair.push(slot, name, ts, bytes);
                }
            }
            if step % 1_000 == 0 {
                pair.check();
            }
        }
        pair.check();
        pair.forgotten_before = Timestamp::MAX;
        while pair.log.is_untidy(pair.forgotten_before) {
            pair.tidy();
        }
        assert_eq!((pair.log.table.len(), pair.log.segments.len(), pair.log.bytes, pair.log.dead_bytes), (0, 0, 0, 0));
    }
}

/// One that lives on does not keep the memory of thousands that are dead.
#[test]
fn what_lives_long_pins_no_memory() {
    let mut pair = Pair::new(1);
    let mut random = Random(5);
    let bytes = outcome(&mut random, at(1 << 40));
    pair.push(7, id(0), at(1 << 40), bytes);
    for n in 1..20_000 {
        let bytes = outcome(&mut random, at(1));
        pair.push((n % 20) as u32, id(n), at(1), bytes);
    }
    pair.forgotten_before = at(2);
    let mut steps = 0;
    while pair.log.is_untidy(pair.forgotten_before) {
        pair.tidy();
        steps += 1;
    }
    pair.check();
    assert!(steps > 50 && pair.log.bytes < 2 * SEGMENT_BYTES, "{steps} {}", pair.log.bytes);
    // The same of those that are removed.
    for n in 0..5_000 {
        let bytes = outcome(&mut random, at(1 << 40));
        pair.push(3, id(n), at(1 << 40), bytes);
        if pair.log.is_mostly_dead() {
            pair.tidy();
        }
    }
    pair.log.forget(&mut pair.newest[3]);
    pair.model.retain(|(of, _), _| *of != 3);
    while pair.log.is_mostly_dead() {
        pair.tidy();
    }
    pair.check();
    assert!(pair.log.bytes < 6 * SEGMENT_BYTES);
}

#[test]
fn an_outcome_takes_little() {
    let (mut pair, mut random) = (Pair::new(1), Random(6));
    for n in 0..60_000_u64 {
        let uuid = format!("{:08x}-9a2b-7c4d-8e5f-0123456789ab", random.below(1 << 31));
        let name = CommandId { origin: Origin::Event, id: EventId::new(&uuid).unwrap() };
        let effect = Effect { level: 12, ..Effect::default() };
        let ts = at(1_790_000_000_000);
        let outcome = StoredOutcome { fingerprint: u128::MAX, ts, effect };
        let mut bytes = vec![outcome.version()];
        outcome.put_version(outcome.version(), &mut bytes);
        let slot = (n % 20) as u32;
        let tag = Tag::of(random.below(1 << 31));
        pair.log.push((tag, slot), &Name::of(&name), ts, &bytes, &mut pair.newest[slot as usize]);
    }
    let each = (pair.log.bytes + pair.log.table.bytes()) / 60_000;
    assert!(each <= 100, "{each} bytes");
}
