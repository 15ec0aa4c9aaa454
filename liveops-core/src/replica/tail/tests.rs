//! Against a store in parts that goes on at every wait: whatever happens in between, boards end as the records are.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use crate::board::Ranking;
use crate::error::{StoreError, StoreErrorKind};
use crate::id::PlayerId;
use crate::record::{BoardKey, ChangeSet, Horizon, Key, Kind, Notice, Record};
use crate::replica::Replica;
use crate::replica::tests::{Random, Records, SORTS, check, keys, player};
use crate::store::{AsyncScan, AsyncTail, BoardAnswer, BoardRead, Partitioned, Reading, TailPage};
use crate::time::Timestamp;

/// Not all in the order of names.
const PARTITIONS: u64 = 3;
const PEOPLE: u64 = 24;

/// What a far store is.
#[derive(Default)]
struct Store {
    records: Records,
    horizon: Horizon,
    /// Time passes with each commit.
    clock: i64,
    outboxes: Vec<Outbox>,
    /// Whether change sets are kept whole.
    has_feed: bool,
    /// Whether it lost its last moments and gave their cursors out again since it was asked last.
    is_other: bool,
    /// Errors at the next calls.
    failures: u64,
}

#[derive(Default)]
struct Outbox {
    entries: VecDeque<(u64, Notice)>,
    /// Cursor of the newest entry ever.
    last: u64,
    /// Through where entries were trimmed.
    trimmed: u64,
    /// An entry that cannot be read.
    unreadable: Option<u64>,
}

impl Outbox {
    fn push(&mut self, notice: &Notice) {
        self.last += 1;
        // As it would come back from the store.
        self.entries.push_back((self.last, Notice::decode(&notice.encode()).unwrap()));
    }

    fn trim(&mut self, len: usize) {
        while self.entries.len() > len {
            self.trimmed = self.entries.pop_front().map_or(self.trimmed, |(cursor, _)| cursor);
        }
    }
}

fn partition_of(player: &PlayerId) -> usize {
    usize::from(player.as_bytes()[3]) % PARTITIONS as usize
}

impl Store {
    fn new(has_feed: bool) -> Self {
        let outboxes = (0..PARTITIONS).map(|_| Outbox::default()).collect();
        Self { outboxes, has_feed, ..Self::default() }
    }

    fn is_absent(&self, id: &PlayerId) -> bool {
        self.records.0.get(id).is_some_and(|record| record.is_idle_mark(self.horizon))
    }

    /// Somebody who is absent, whether or not the record was removed yet, begins again.
    fn make_room(&mut self, id: &PlayerId) {
        if self.is_absent(id) {
            self.records.0.remove(id);
            self.outboxes[partition_of(id)].push(&Notice::decode(&Notice::gone(id)).unwrap());
        }
    }

    fn commit(&mut self, id: &PlayerId, random: &mut Random) -> ChangeSet {
        self.make_room(id);
        self.clock += 1;
        let erases = random.below(4) == 0 && self.records.0.contains_key(id);
        let set = if erases {
            self.records.erase(id, Timestamp::from_unix_millis(self.clock))
        } else {
            self.records.commit(id, random)
        };
        let set = ChangeSet { forgotten_before: self.horizon.forgotten_before, ..set };
        let bytes = if self.has_feed { Notice::committed(&set) } else { Notice::told_of(&set) };
        self.outboxes[partition_of(id)].push(&Notice::decode(&bytes).unwrap());
        set
    }

    fn advance(&mut self, random: &mut Random) {
        let at = Timestamp::from_unix_millis(self.clock - random.below(4).cast_signed());
        self.horizon = self.horizon.max(Horizon { now: at, forgotten_before: at });
        for outbox in &mut self.outboxes {
            outbox.push(&Notice::Advanced(self.horizon));
        }
        // Some are removed at once, others when they come again.
        let absent: Vec<_> = self.records.0.keys().filter(|id| self.is_absent(id)).cloned().collect();
        for id in absent.iter().filter(|_| random.below(2) == 0) {
            self.make_room(id);
        }
    }

    /// Taken back to what was saved earlier, in a new epoch.
    fn restore(&mut self, records: Records) {
        self.records = records;
        for outbox in &mut self.outboxes {
            outbox.trim(0);
            outbox.last += 1 << 32;
            (outbox.trimmed, outbox.unreadable) = (outbox.last, None);
        }
    }

    fn fails(&mut self) -> Result<(), StoreError> {
        let failure = self.failures.checked_sub(1);
        self.failures = failure.unwrap_or_default();
        failure.map_or(Ok(()), |_| Err(StoreErrorKind::Unavailable.into()))
    }

    fn page(&self, partition: usize, after: Option<&Key>, limit: usize) -> Vec<(Key, Record)> {
        let all = self.records.0.iter().filter(|(id, _)| partition_of(id) == partition && !self.is_absent(id));
        let all = all.map(|(id, record)| (Key::Player(id.clone()), Record::Player(Box::new(record.clone()))));
        // Small pages, so that there is much between them.
        all.filter(|(key, _)| after.is_none_or(|after| key > after)).take(limit.min(3)).collect()
    }

    fn tail(&self, partition: usize, after: u64, limit: usize) -> Result<TailPage, StoreError> {
        let outbox = &self.outboxes[partition];
        if self.is_other || after < outbox.trimmed || after > outbox.last {
            return Err(StoreErrorKind::FeedGap.into());
        }
        let entries = outbox.entries.iter().filter(|(cursor, _)| *cursor > after);
        let entries: Vec<_> = entries.take(limit.min(5)).cloned().collect();
        if entries.iter().any(|(cursor, _)| Some(*cursor) == outbox.unreadable) {
            return Err(StoreErrorKind::TooNew.into());
        }
        let through = entries.last().map_or(outbox.last, |(cursor, _)| *cursor);
        Ok(TailPage { entries, through })
    }
}

struct Shared(Mutex<Store>);

/// Others go first.
fn wait() -> impl Future<Output = ()> + Send {
    let mut waited = false;
    std::future::poll_fn(move |_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending })
}

impl Partitioned for Shared {
    fn partitions(&self) -> u16 {
        PARTITIONS as u16
    }
}

impl AsyncScan for Shared {
    async fn scan(
        &self,
        partition: u16,
        _: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        wait().await;
        let answer = {
            let mut store = self.0.lock();
            store.fails().map(|()| store.page(partition.into(), after, limit))
        };
        wait().await;
        answer
    }

    async fn scan_player(
        &self,
        _: &PlayerId,
        _: Option<Kind>,
        _: Option<&Key>,
        _: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        unreachable!("nobody asks")
    }
}

impl AsyncTail for Shared {
    fn partition_of(&self, player: &PlayerId) -> u16 {
        partition_of(player) as u16
    }

    async fn tail(&self, after: &[u64], limit: usize) -> Vec<Result<TailPage, StoreError>> {
        wait().await;
        let answers = {
            let mut store = self.0.lock();
            let fails = store.fails();
            let one =
                |(partition, after): (usize, &u64)| fails.clone().and_then(|()| store.tail(partition, *after, limit));
            let answers = after.iter().enumerate().map(one).collect();
            store.is_other = false;
            answers
        };
        wait().await;
        answers
    }

    async fn advanced_to(&self) -> Result<Horizon, StoreError> {
        wait().await;
        let horizon = {
            let mut store = self.0.lock();
            store.fails().map(|()| store.horizon)
        };
        wait().await;
        horizon
    }

    async fn begins(&self) -> Result<Vec<u64>, StoreError> {
        wait().await;
        let begins = {
            let mut store = self.0.lock();
            // As if some of what was committed last could not be read yet.
            let back = store.clock.unsigned_abs() % 3;
            let begin = |outbox: &Outbox| outbox.last.saturating_sub(back).max(outbox.trimmed);
            store.fails().map(|()| store.outboxes.iter().map(begin).collect())
        };
        wait().await;
        begins
    }

    async fn ends(&self) -> Result<Vec<u64>, StoreError> {
        wait().await;
        let ends = {
            let mut store = self.0.lock();
            store.fails().map(|()| store.outboxes.iter().map(|outbox| outbox.last).collect())
        };
        wait().await;
        ends
    }
}

/// A store and two processes that share it, with what each committed and did not tell itself yet.
struct Play {
    shared: Arc<Shared>,
    replicas: [Arc<Replica>; 2],
    /// Which boards each keeps.
    kept: [Vec<bool>; 2],
    random: Random,
    own: [Vec<ChangeSet>; 2],
    saved: Option<Records>,
    /// Who changed since it was looked at.
    changed: BTreeSet<PlayerId>,
    /// What there was of it, so that a play in which nothing happened is found.
    counts: BTreeMap<&'static str, u64>,
    /// Whether the store has trouble.
    is_rough: bool,
}

impl Play {
    fn new(seed: u64) -> Self {
        println!("seed {seed}");
        Self {
            shared: Arc::new(Shared(Mutex::new(Store::new(seed.is_multiple_of(2))))),
            replicas: [7, 8].map(|byte| Arc::new(Replica::unjoined([byte; 16]))),
            kept: [7, 8].map(|_| vec![true; keys().len()]),
            random: Random(seed),
            own: Default::default(),
            saved: None,
            changed: BTreeSet::new(),
            counts: BTreeMap::new(),
            is_rough: !seed.is_multiple_of(3),
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Something happens in the store, or a process tells itself of what it committed.
    fn step(&mut self) {
        let shared = Arc::clone(&self.shared);
        let mut store = shared.0.lock();
        let partition = self.random.below(PARTITIONS) as usize;
        match self.random.below(40) {
            0 if self.random.below(3) == 0 => store.advance(&mut self.random),
            1 if self.is_rough => {
                let len = self.random.below(4) as usize;
                store.outboxes[partition].trim(len);
            }
            2 if self.is_rough => store.failures = self.random.below(3),
            3 if self.is_rough => {
                let outbox = &mut store.outboxes[partition];
                outbox.unreadable = outbox.entries.back().map(|(cursor, _)| *cursor);
            }
            4 if self.random.below(4) == 0 => self.saved = Some(store.records.clone()),
            4 if self.is_rough => {
                if let Some(saved) = self.saved.take() {
                    store.restore(saved);
                    self.changed.extend((0..PEOPLE).map(player));
                    // What was committed and is lost is told by nobody.
                    self.own = Default::default();
                    self.count("restored");
                }
            }
            5..15 => {
                drop(store);
                self.tell_own();
            }
            15..28 => {
                let id = player(self.random.below(PEOPLE));
                let set = store.commit(&id, &mut self.random);
                self.changed.insert(id);
                match self.random.below(3) {
                    0 => {}
                    of => self.own[of as usize - 1].push(set),
                }
            }
            _ => {}
        }
    }

    /// A process tells itself, early or late, in the order of each player.
    fn tell_own(&mut self) {
        let of = self.random.below(2) as usize;
        if self.own[of].is_empty() {
            return;
        }
        let at = self.random.below(self.own[of].len() as u64) as usize;
        let id = self.own[of][at].player.clone();
        let first = self.own[of].iter().position(|set| set.player == id).unwrap();
        let set = self.own[of].remove(first);
        // It loaded for other commands meanwhile.
        self.replicas[of].advanced(self.shared.0.lock().horizon);
        if !self.replicas[of].committed_here(&[&set]) {
            return self.count("left to the outbox");
        }
        self.count("told at once");
        let store = self.shared.0.lock();
        if store.records.0.get(&set.player) == Some(&*set.record) {
            self.check(of, &store.records, |id| *id == set.player);
        }
    }

    /// Runs what one replica does. Others go on at each wait, if there are any.
    fn run<T>(&mut self, of: usize, alone: bool, what: impl AsyncFnOnce(&Replica, &Shared) -> T) -> T {
        let (replica, shared) = (Arc::clone(&self.replicas[of]), Arc::clone(&self.shared));
        let mut future = pin!(what(&replica, &shared));
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
                return done;
            }
            for _ in 0..if alone { 0 } else { self.random.below(4) } {
                self.step();
            }
        }
    }

    /// Everything that was committed before it caught up is shown, of whoever did nothing since.
    fn catch_up(&mut self, of: usize) {
        self.changed.clear();
        let done = self.run(of, false, async |replica, shared| replica.catch_up_tail(shared).await);
        if done.is_err() {
            return self.count("failed to catch up");
        }
        self.count("caught up");
        self.check(of, &self.shared.0.lock().records, |id| !self.changed.contains(id));
    }

    /// Boards that are kept and answered from show what the records say of some players.
    fn check(&self, of: usize, records: &Records, is_of: impl Fn(&PlayerId) -> bool) {
        for (key, _) in keys().iter().zip(&self.kept[of]).filter(|(_, kept)| **kept) {
            for sort in SORTS {
                let what = Reading::Page { offset: 0, limit: usize::MAX };
                let read = BoardRead { key: key.clone(), sort, ranking: Ranking::Ordinal, what };
                let Ok(BoardAnswer::Rows(rows)) = self.replicas[of].read(&[read]).remove(0) else { continue };
                let mut shown: Vec<_> = rows.into_iter().map(|row| (row.owner, row.score, row.reached_at)).collect();
                let mut wanted = records.rows(key, sort);
                shown.retain(|(id, ..)| is_of(id));
                wanted.retain(|(id, ..)| is_of(id));
                assert_eq!(shown, wanted, "{key:?} {sort:?}");
            }
        }
    }

    fn keep(&mut self, of: usize) {
        let before = self.kept[of].clone();
        let kept: Vec<_> = before.iter().map(|_| self.random.below(4) > 0).collect();
        self.kept[of].clone_from(&kept);
        let keep = move |key: &BoardKey| keys().iter().zip(&kept).any(|(known, kept)| known == key && *kept);
        self.replicas[of].retain(&keep);
        let done = self.run(of, false, async |replica, shared| replica.rebuild_tail(shared, &keep).await);
        if done.is_err() {
            // What was freed may not be back.
            self.kept[of].iter_mut().zip(before).for_each(|(kept, before)| *kept &= before);
        }
        self.count(if done.is_ok() { "rebuilt" } else { "failed to rebuild" });
    }

    /// With nothing in the way, both end as the records are.
    fn settle(&mut self) {
        {
            let mut store = self.shared.0.lock();
            store.failures = 0;
            store.outboxes.iter_mut().for_each(|outbox| outbox.unreadable = None);
        }
        for of in [0, 1] {
            let kept = self.kept[of].clone();
            let keep = move |key: &BoardKey| keys().iter().zip(&kept).any(|(known, kept)| known == key && *kept);
            self.run(of, true, async |replica, shared| {
                replica.catch_up_tail(shared).await?;
                replica.rebuild_tail(shared, &keep).await
            })
            .unwrap();
            // Late news change nothing any more.
            while !self.own.iter().all(Vec::is_empty) {
                self.tell_own();
            }
            let store = self.shared.0.lock();
            check(&self.replicas[of], &store.records, &keep, "settled");
            assert_eq!(self.replicas[of].horizon(), store.horizon);
        }
    }
}

#[test]
fn boards_of_a_far_store_end_as_the_records_are() {
    let mut counts = BTreeMap::new();
    for seed in 1..=60 {
        let mut play = Play::new(seed);
        for _ in 0..8 {
            for _ in 0..play.random.below(60) {
                play.step();
            }
            let of = play.random.below(2) as usize;
            match play.random.below(4) {
                0 => _ = play.run(of, false, async |replica, shared| replica.follow_tail(shared, 4).await),
                1 => play.keep(of),
                _ => play.catch_up(of),
            }
            if play.random.below(3) == 0 {
                play.settle();
            }
        }
        play.settle();
        play.counts.into_iter().for_each(|(what, count)| *counts.entry(what).or_insert(0) += count);
    }
    println!("{counts:?}");
    for what in [
        "left to the outbox",
        "told at once",
        "caught up",
        "failed to catch up",
        "rebuilt",
        "failed to rebuild",
        "restored",
    ] {
        assert!(counts.get(what).is_some_and(|count| *count > 10), "{what}: {counts:?}");
    }
}

/// The same cursors as before, of other entries.
#[test]
fn what_a_store_lost_is_not_shown_to_whoever_catches_up() {
    let mut play = Play::new(1);
    for _ in 0..30 {
        let id = player(play.random.below(PEOPLE));
        play.shared.0.lock().commit(&id, &mut play.random);
    }
    play.settle();
    {
        let mut store = play.shared.0.lock();
        let lost: Vec<_> = store.records.0.keys().take(3).cloned().collect();
        for id in lost {
            store.records.0.remove(&id);
        }
        store.is_other = true;
    }
    play.run(0, true, async |replica, shared| replica.catch_up_tail(shared).await).unwrap();
    check(&play.replicas[0], &play.shared.0.lock().records, |_| true, "after a loss");
}
