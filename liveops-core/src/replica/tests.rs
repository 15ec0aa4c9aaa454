//! Against records and sorted lists.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::board::{Handle, Order, Ranking, Row, Score, Standing, Ties};
use crate::error::{StoreError, StoreErrorKind};
use crate::id::{BoardId, Id, PlayerId};
use crate::record::{ChangeSet, Horizon, Key, Kind, Player, Record};
use crate::store::{
    BoardAnswer, BoardRead, Consumer, ConsumerMark, Feed, FeedEntry, Happened, Partitioned, Reading, Scan,
};
use crate::time::Timestamp;
use crate::window::{Period, Window};

pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    pub(super) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize]
    }
}

pub(super) fn player(n: u64) -> PlayerId {
    PlayerId::new(&format!("p{n:03}")).unwrap()
}

pub(super) const SORTS: [Sort; 3] = [
    Sort { order: Order::Desc, ties: Ties::FirstToReach },
    Sort { order: Order::Asc, ties: Ties::LastToReach },
    Sort { order: Order::Desc, ties: Ties::OwnerId },
];

/// Four boards of two periods; the first has had entries of another sort.
pub(super) fn keys() -> Vec<BoardKey> {
    let key = |board, index| BoardKey {
        board: BoardId::new(board).unwrap(),
        period: Period { window: Window::Daily, index },
    };
    ["a", "b", "c", "d"].iter().flat_map(|board| [key(board, 1), key(board, 2)]).collect()
}

/// The newest records of everybody who is there.
#[derive(Clone, Debug, Default)]
pub(super) struct Records(pub(super) BTreeMap<PlayerId, Player>);

impl Records {
    /// Somebody does something: a few entries change, appear or go, or all are hidden or shown.
    pub(super) fn commit(&mut self, id: &PlayerId, random: &mut Random) -> ChangeSet {
        let before = self.0.get(id).cloned().unwrap_or_default();
        let mut after = Player { version: before.version + 1 + random.below(3), rare: None, ..before.clone() };
        if random.below(8) == 0 {
            after.hidden = !after.hidden;
        }
        for key in keys() {
            if random.below(3) > 0 {
                continue;
            }
            let score = Score { score: random.below(6).cast_signed(), subscore: 0 };
            let reached_at = Timestamp::from_unix_millis(random.below(4).cast_signed());
            let other = key.board.as_str() == "a" && random.below(4) == 0;
            let sort = if other { SORTS[1] } else { SORTS[usize::from(key.board.as_str() == "b") * 2] };
            let standing = Standing { score, reached_at, newest_ts: reached_at, sort };
            if after.standing(&key).is_some() && random.below(4) == 0 {
                after.standings.extract_if(|board, period, _| (board, period) == (&key.board, key.period));
            } else {
                after.standings.insert(&key.board, key.period, standing);
            }
        }
        self.set(id, &before, after)
    }

    /// Nothing is left but a mark.
    pub(super) fn erase(&mut self, id: &PlayerId, through: Timestamp) -> ChangeSet {
        let before = self.0.get(id).cloned().unwrap_or_default();
        let mark = Player::erased(before.version + 1, through, through);
        self.set(id, &before, mark)
    }

    fn set(&mut self, id: &PlayerId, before: &Player, after: Player) -> ChangeSet {
        let mut shown: Vec<_> = keys()
            .into_iter()
            .filter(|key| before.shown(key) != after.shown(key))
            .map(|key| (key.clone(), after.shown(&key)))
            .collect();
        shown.sort_by(|a, b| a.0.cmp(&b.0));
        self.0.insert(id.clone(), after.clone());
        ChangeSet {
            player: id.clone(),
            expected: before.version,
            forgotten_before: Timestamp::MIN,
            closes_at: Timestamp::MAX,
            forget: after.erased_through().is_some(),
            record: after.into(),
            outcomes: Vec::new(),
            receipts: Vec::new(),
            suspicions: Vec::new(),
            removed: Vec::new(),
            shown,
            run: None,
        }
    }

    /// A board as a sorted list.
    pub(super) fn rows(&self, key: &BoardKey, sort: Sort) -> Vec<(PlayerId, i64, Timestamp)> {
        let shown = |(id, player): (&PlayerId, &Player)| Some((player.shown(key)?, id.clone()));
        let mut rows: Vec<_> = self.0.iter().filter_map(shown).filter(|(standing, _)| standing.sort == sort).collect();
        rows.sort_by(|a, b| (a.0.place(), &a.1).cmp(&(b.0.place(), &b.1)));
        rows.into_iter().map(|(standing, id)| (id, standing.score.score, standing.reached_at)).collect()
    }
}

pub(super) fn page(replica: &Replica, key: &BoardKey, sort: Sort) -> Vec<Row> {
    let what = Reading::Page { offset: 0, limit: usize::MAX };
    let read = BoardRead { key: key.clone(), sort, ranking: Ranking::Ordinal, what };
    match replica.read(&[read]).pop().unwrap().unwrap() {
        BoardAnswer::Rows(rows) => rows,
        other => panic!("{other:?}"),
    }
}

/// Whether every board that is kept shows what the records say, in the order of sorted lists.
pub(super) fn check(replica: &Replica, records: &Records, keep: impl Fn(&BoardKey) -> bool, when: &str) {
    for key in keys().iter().filter(|key| keep(key)) {
        for sort in SORTS {
            let shown: Vec<_> =
                page(replica, key, sort).into_iter().map(|row| (row.owner, row.score, row.reached_at)).collect();
            assert_eq!(shown, records.rows(key, sort), "{when}: {key:?} {sort:?}");
        }
    }
}

/// A replica, the records, and news that are on their way to the replica.
struct Play {
    replica: Replica,
    records: Records,
    random: Random,
    late: Vec<ChangeSet>,
    people: u64,
}

impl Play {
    fn new(seed: u64) -> Self {
        println!("seed {seed}");
        let replica = Replica::new([7; 16]);
        Self { replica, records: Records::default(), random: Random(seed), late: Vec::new(), people: 30 }
    }

    /// Some news arrive: out of order, in full or as change sets, some of them twice.
    fn deliver(&mut self, all: bool) {
        while !self.late.is_empty() && (all || self.random.below(3) > 0) {
            let at = self.random.below(self.late.len() as u64) as usize;
            let mut some = vec![self.late.swap_remove(at)];
            if !self.late.is_empty() && self.random.below(2) == 0 {
                let at = self.random.below(self.late.len() as u64) as usize;
                some.push(self.late.swap_remove(at));
            }
            if self.random.below(5) == 0 {
                self.late.push(some[0].clone());
            }
            if self.random.below(2) == 0 {
                self.replica.committed(&some);
            } else {
                self.replica.tell(some.iter().map(|set| Told::of(&set.player, &set.record)));
            }
        }
    }

    /// Somebody does something, or is gone and may begin again at version 1: nothing of before is on its way then.
    fn step(&mut self) {
        let id = player(self.random.below(self.people));
        if self.random.below(20) == 0 {
            let (of, rest) = std::mem::take(&mut self.late).into_iter().partition(|set| set.player == id);
            self.late = rest;
            let mut of: Vec<ChangeSet> = of;
            of.sort_by_key(|set| set.record.version);
            self.replica.committed(&of);
            self.records.0.remove(&id);
            self.replica.tell([Told::Gone { player: id }]);
            return;
        }
        let set = self.records.commit(&id, &mut self.random);
        self.late.push(set);
        self.deliver(false);
    }

    /// Reads the records a few at a time, while others go on between the reading of a page and its telling.
    fn rebuild(&mut self, keep: Keeps<'_>) {
        let mut after: Option<PlayerId> = None;
        let replica = std::mem::replace(&mut self.replica, Replica::new([0; 16]));
        let done = replica.rebuild_by(keep, |entries| {
            let limit = 1 + self.random.below(9) as usize;
            let behind = self.records.0.iter().filter(|(id, _)| after.as_ref().is_none_or(|after| *id > after));
            let page: Vec<_> = behind.take(limit).map(|(id, player)| (id.clone(), player.clone())).collect();
            after = page.last().map(|(id, _)| id.clone());
            entries.extend(page.into_iter().map(|(player, record)| Entry {
                player,
                version: record.version,
                shown: record.shown_anywhere(),
                mark: None,
            }));
            for _ in 0..self.random.below(6) {
                self.step_beside(&replica);
            }
            Ok(after.is_some())
        });
        done.unwrap();
        self.replica = replica;
    }

    /// The same while the replica reads records. Who is gone may have been read a moment ago.
    fn step_beside(&mut self, replica: &Replica) {
        let id = player(self.random.below(self.people));
        if self.random.below(6) == 0 {
            self.late.retain(|set| set.player != id);
            self.records.0.remove(&id);
            replica.tell([Told::Gone { player: id }]);
            return;
        }
        let set = self.records.commit(&id, &mut self.random);
        if self.random.below(4) == 0 {
            self.late.push(set);
        } else {
            replica.committed(&[set]);
        }
    }
}

/// Shuffled, late and double news; the hidden and the gone; boards that are freed and brought back amid all that.
#[test]
fn a_replica_shows_what_the_records_say() {
    for seed in 1..=60 {
        let mut play = Play::new(seed);
        play.replica.begin_empty();
        let mut kept = vec![true; keys().len()];
        let place = |key: &BoardKey| keys().iter().position(|known| known == key).unwrap();
        for round in 0..12 {
            for _ in 0..play.random.below(80) {
                play.step();
            }
            for is_kept in &mut kept {
                *is_kept = play.random.below(4) > 0;
            }
            let keep = |key: &BoardKey| kept[place(key)];
            if play.random.below(3) > 0 {
                play.rebuild(&keep);
                play.replica.retain(&keep);
            } else {
                play.replica.retain(&keep);
                play.rebuild(&keep);
            }
            play.deliver(true);
            check(&play.replica, &play.records, keep, &format!("seed {seed}, round {round}"));
        }
        play.rebuild(&|_| true);
        play.deliver(true);
        check(&play.replica, &play.records, |_| true, &format!("seed {seed}, all"));
        let boards = keys().into_iter().flat_map(|key| SORTS.map(|sort| (key.clone(), sort)));
        let used = boards.filter(|(key, sort)| !play.records.rows(key, *sort).is_empty()).count();
        assert_eq!(play.replica.len(), used, "seed {seed}");
    }
}

/// The same from several threads at once.
#[test]
fn threads_that_tell_late_and_twice_agree_in_the_end() {
    for seed in 1..=8_u64 {
        println!("seed {seed}");
        let (mut records, mut random) = (Records::default(), Random(seed));
        let ids: Vec<_> = (0..20).map(player).collect();
        let sets: Vec<_> = (0..1_500)
            .map(|_| {
                let id = &ids[random.below(20) as usize];
                records.commit(id, &mut random)
            })
            .collect();
        let replica = Replica::default();
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let (sets, replica) = (&sets, &replica);
                scope.spawn(move || {
                    let mut random = Random(seed * 100 + thread);
                    let mut mine: Vec<_> = (0..sets.len()).filter(|n| (*n as u64 + thread) % 4 < 2).collect();
                    while !mine.is_empty() {
                        let len = mine.len().min(1 + random.below(7) as usize);
                        let mut next = || mine.remove(random.below(mine.len().min(40) as u64) as usize);
                        let some: Vec<_> = (0..len).map(|_| &sets[next()]).collect();
                        replica.committed(&some);
                    }
                });
            }
            // Records that are read meanwhile are those of the end: newer than most that is told.
            let page = |records: &Records| -> Vec<Entry> {
                let entry = |(id, record): (&PlayerId, &Player)| Entry {
                    player: id.clone(),
                    version: record.version,
                    shown: record.shown_anywhere(),
                    mark: None,
                };
                records.0.iter().map(entry).collect()
            };
            for _ in 0..20 {
                let mut pages = vec![page(&records)];
                replica.rebuild_all(|entries| Ok(pages.pop().map(|page| entries.extend(page)).is_some())).unwrap();
            }
        });
        check(&replica, &records, |_| true, &format!("seed {seed}"));
    }
}

/// A store of two partitions with a feed.
#[derive(Debug, Default)]
struct Fed {
    records: Records,
    entries: [Vec<FeedEntry>; 2],
    trimmed: u64,
}

impl Fed {
    fn partition(id: &PlayerId) -> usize {
        usize::from(id.as_bytes()[3] % 2)
    }

    fn push(&mut self, partition: usize, what: Happened) {
        let cursor = self.entries[partition].len() as u64 + 1;
        self.entries[partition].push(FeedEntry { cursor, what });
    }

    fn committed(&mut self, set: ChangeSet) {
        self.push(Self::partition(&set.player), Happened::Committed(set.into()));
    }

    fn advance(&mut self, forgotten_before: Timestamp) {
        let horizon = Horizon { now: forgotten_before, forgotten_before };
        self.records.0.retain(|_, record| !record.is_idle_mark(horizon));
        for partition in 0..2 {
            self.push(partition, Happened::Advanced(horizon));
        }
    }
}

impl Partitioned for Fed {
    fn partitions(&self) -> u16 {
        2
    }
}

impl Scan for Fed {
    fn scan(
        &self,
        partition: u16,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        assert_eq!(kind, Some(Kind::Player));
        let here = self.records.0.iter().filter(|(id, _)| Self::partition(id) == usize::from(partition));
        let keyed = here.map(|(id, player)| (Key::Player(id.clone()), Record::Player(player.clone().into())));
        Ok(keyed.filter(|(key, _)| after.is_none_or(|after| key > after)).take(limit.min(3)).collect())
    }

    fn scan_player(
        &self,
        _: &PlayerId,
        _: Option<Kind>,
        _: Option<&Key>,
        _: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        unreachable!("boards are read by the page")
    }
}

impl Feed for Fed {
    fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        if after < self.trimmed {
            return Err(StoreErrorKind::FeedGap.into());
        }
        Ok(self.entries[usize::from(partition)].iter().skip(after as usize).take(limit).cloned().collect())
    }

    fn last(&self, partition: u16) -> Result<u64, StoreError> {
        Ok(self.entries[usize::from(partition)].len() as u64)
    }

    fn ack(&self, _: &Consumer, _: u16, _: u64) -> Result<(), StoreError> {
        Ok(())
    }

    fn drop_consumer(&self, _: &Consumer) -> Result<(), StoreError> {
        Ok(())
    }

    fn consumers(&self) -> Result<Vec<ConsumerMark>, StoreError> {
        Ok(Vec::new())
    }
}

#[test]
fn a_replica_follows_a_feed_and_begins_anew_after_a_gap() {
    for seed in 1..=40 {
        println!("seed {seed}");
        let mut random = Random(seed);
        let mut fed = Fed::default();
        let (early, late) = (Replica::default(), Replica::default());
        for step in 0..400_i64 {
            let id = player(random.below(12));
            let now = Timestamp::from_unix_millis(step);
            match random.below(10) {
                0 => fed.advance(now.plus_millis(-5)),
                1 if fed.records.0.contains_key(&id) => {
                    // Sometimes so old that the mark is due at once.
                    let through = random.pick(&[now, Timestamp::MIN]);
                    let set = fed.records.erase(&id, through);
                    fed.committed(set);
                    if through == Timestamp::MIN
                        && fed.entries[0].iter().any(|entry| matches!(entry.what, Happened::Advanced(_)))
                    {
                        fed.records.0.remove(&id);
                    }
                }
                _ => {
                    let set = fed.records.commit(&id, &mut random);
                    fed.committed(set);
                }
            }
            if random.below(9) == 0 {
                let lag = early.follow(&fed, 1 + random.below(8) as usize).unwrap();
                let behind: u64 = (0..2).map(|p| fed.last(p).unwrap() - early.cursor(p)).sum();
                assert_eq!(lag, Lag { behind, ..lag });
            }
            if step == 200 {
                late.join(&fed, &|_| true).unwrap();
                check(&late, &fed.records, |_| true, "joined");
                assert_eq!(late.cursor(1), fed.last(1).unwrap());
            }
            if random.below(60) == 0 {
                early.catch_up(&fed).unwrap();
                check(&early, &fed.records, |_| true, &format!("seed {seed}, step {step}"));
            }
        }
        for replica in [&early, &late] {
            replica.catch_up(&fed).unwrap();
            check(replica, &fed.records, |_| true, &format!("seed {seed}"));
            // Again from the start, as after a crash before the cursor was kept.
            replica.followed.lock().cursors.clear();
            replica.catch_up(&fed).unwrap();
            check(replica, &fed.records, |_| true, &format!("seed {seed}, again"));
        }
        // Whoever was erased and is forgotten takes no memory.
        let known = |replica: &Replica| replica.players.len();
        let set = fed.records.erase(&player(0), Timestamp::MIN);
        fed.committed(set);
        early.catch_up(&fed).unwrap();
        let before = known(&early);
        fed.advance(Timestamp::from_unix_millis(-1));
        early.catch_up(&fed).unwrap();
        assert!(known(&early) < before, "seed {seed}");
        // What happens while nobody follows is trimmed, also that somebody is gone.
        let gone = player(0);
        let set = fed.records.erase(&gone, Timestamp::MIN);
        fed.committed(set);
        fed.advance(Timestamp::MAX);
        let set = fed.records.commit(&player(1), &mut random);
        fed.committed(set);
        fed.trimmed = u64::from(u32::MAX);
        assert_eq!(late.follow(&fed, 5).unwrap_err().kind, StoreErrorKind::FeedGap);
        fed.trimmed = 0;
        late.join(&fed, &|_| true).unwrap();
        check(&late, &fed.records, |_| true, &format!("seed {seed}, after a gap"));
    }
}

#[test]
fn a_replica_that_has_everything_reads_nothing() {
    let replica = Replica::default();
    let mut pages = 0;
    let mut read = |keep: Keeps<'_>| {
        replica.rebuild_by(keep, |_| {
            pages += 1;
            Ok(false)
        })
    };
    read(&|_| true).unwrap();
    read(&|_| true).unwrap();
    let ana = player(1);
    let standing = Standing { score: 5.into(), ..Standing::default() };
    replica.tell([Told::Stands { player: ana, version: 1, shown: vec![(keys()[0].clone(), standing)] }]);
    replica.retain(&|_| false);
    read(&|_| false).unwrap();
    read(&|key| key.board == BoardId::from(Id::new("b").unwrap())).unwrap();
    assert_eq!(pages, 1, "what was freed is not kept again");
    let mut read = |keep: Keeps<'_>| {
        replica.rebuild_by(keep, |_| {
            pages += 1;
            Err(StoreErrorKind::Unavailable.into())
        })
    };
    assert!(read(&|_| true).is_err());
    assert!(read(&|_| true).is_err(), "it is tried again");
    assert_eq!(pages, 3);
}

#[test]
fn what_was_freed_comes_back_only_from_the_records() {
    let (replica, ana, key) = (Replica::default(), player(1), keys()[0].clone());
    let stands = |version, score: i64| Told::Stands {
        player: ana.clone(),
        version,
        shown: keys().into_iter().map(|key| (key, Standing { score: score.into(), ..Standing::default() })).collect(),
    };
    replica.begin_empty();
    replica.tell([stands(5, 10)]);
    replica.retain(&|known| *known != key);
    replica.tell([stands(6, 20)]);
    assert_eq!((page(&replica, &key, Sort::default()), replica.len()), (Vec::new(), keys().len() - 1));
    let score = |at: usize| page(&replica, &keys()[at], Sort::default())[0].score;
    assert_eq!(score(1), 20);
    let rebuild = |version, score: i64| {
        let Told::Stands { player, shown, .. } = stands(version, score) else { unreachable!("see above") };
        let mut entries = vec![Entry { player, version, shown, mark: None }];
        replica.rebuild_by(&|_| true, |page| Ok(entries.pop().map(|entry| page.push(entry)).is_some())).unwrap();
    };
    rebuild(6, 20);
    assert_eq!((score(0), score(1), replica.len()), (20, 20, keys().len()));
    // What was left out when the records were read comes back too.
    let other = Replica::default();
    let fill = |keep: Keeps<'_>| {
        let Told::Stands { player, version, shown } = stands(1, 7) else { unreachable!("see above") };
        let mut entries = vec![Entry { player, version, shown, mark: None }];
        other.rebuild_by(keep, |page| Ok(entries.pop().map(|entry| page.push(entry)).is_some())).unwrap();
    };
    fill(&|known| *known != key);
    assert_eq!(other.len(), keys().len() - 1);
    fill(&|_| true);
    assert_eq!(other.len(), keys().len());
    // From a reader that lags behind.
    replica.retain(&|known| *known != key);
    rebuild(4, 5);
    assert_eq!(score(1), 20);
}

/// Somebody is erased, followed, forgotten in a gap, and back with a lower version.
#[test]
fn who_came_back_in_a_gap_stays() {
    let (mut fed, mut random, replica) = (Fed::default(), Random(5), Replica::default());
    let ana = player(1);
    for _ in 0..30 {
        let set = fed.records.commit(&ana, &mut random);
        fed.committed(set);
    }
    let set = fed.records.erase(&ana, Timestamp::from_unix_millis(10));
    fed.committed(set);
    replica.catch_up(&fed).unwrap();
    fed.advance(Timestamp::from_unix_millis(11));
    fed.trimmed = u64::from(u32::MAX);
    assert!(replica.follow(&fed, 9).is_err());
    loop {
        let back = fed.records.commit(&ana, &mut random);
        let stands = !back.record.hidden && !back.record.standings.is_empty();
        fed.committed(back);
        if stands {
            break;
        }
    }
    fed.trimmed = 0;
    replica.join(&fed, &|_| true).unwrap();
    check(&replica, &fed.records, |_| true, "joined");
    fed.advance(Timestamp::from_unix_millis(12));
    replica.catch_up(&fed).unwrap();
    check(&replica, &fed.records, |_| true, "moved on");
    // A mark that was read is noted late: when its player is back already.
    let mark = follow::Mark { through: Timestamp::from_unix_millis(12), version: 900 };
    replica.followed.lock().note_marks([(ana, mark)]);
    fed.advance(Timestamp::from_unix_millis(13));
    replica.catch_up(&fed).unwrap();
    check(&replica, &fed.records, |_| true, "and on");
}

/// While boards are filled somebody is gone and comes back, and is told of after that.
#[test]
fn a_handle_on_its_way_is_given_to_nobody_else() {
    let replica = Replica::default();
    let (ana, bo) = (player(1), player(2));
    let key = keys()[2].clone();
    let standing = Standing { score: 9.into(), ..Standing::default() };
    replica.tell([Told::Stands { player: ana.clone(), version: 4, shown: vec![(key.clone(), standing)] }]);
    let (mut news, mut pages) = (News::default(), 1);
    let read = replica.rebuild_by(&|_| true, |_| {
        replica.tell([Told::Gone { player: ana.clone() }]);
        let handle = replica.handle(&ana).unwrap();
        replica.note(&mut news, handle, 0, 1, &[(key.clone(), Some(standing))]);
        pages -= 1;
        Ok(pages > 0)
    });
    read.unwrap();
    let mut of_bo = News::default();
    let handle = replica.handle(&bo).unwrap();
    replica.note(&mut of_bo, handle, 0, 1, &[(key.clone(), Some(Standing { score: 5.into(), ..standing }))]);
    assert!(
        replica.tell_news(&replica.telling(), &mut news).is_empty()
            && replica.tell_news(&replica.telling(), &mut of_bo).is_empty()
    );
    let shown: Vec<_> = page(&replica, &key, Sort::default()).into_iter().map(|row| (row.owner, row.score)).collect();
    assert_eq!(shown, [(ana, 9), (bo, 5)]);
}

/// News that were noted before somebody was gone and are told after, also the first there were.
#[test]
fn late_news_of_who_is_gone_reach_nobody_else() {
    let replica = Replica::default();
    replica.begin_empty();
    let key = keys()[2].clone();
    let shown = |score: i64| [(key.clone(), Some(Standing { score: score.into(), ..Standing::default() }))];
    let rows =
        || page(&replica, &key, Sort::default()).into_iter().map(|row| (row.owner, row.score)).collect::<Vec<_>>();
    let (ana, bo) = (player(1), player(2));
    for since in [0, 1] {
        let mut late = News::default();
        let handle = replica.handle(&ana).unwrap();
        if since > 0 {
            let mut news = News::default();
            replica.note(&mut news, handle, 0, since, &shown(3));
            assert!(replica.tell_news(&replica.telling(), &mut news).is_empty());
        }
        replica.note(&mut late, handle, since, since + 1, &shown(4));
        replica.gone(handle);
        let again = replica.handle(&ana).unwrap();
        assert_ne!(again, handle, "the name has another number");
        assert!(replica.tell_news(&replica.telling(), &mut late).is_empty());
        assert_eq!(rows(), []);
        replica.gone(again);
        // Given to others, both of them.
        replica.give_back();
        let of_bo = replica.handle(&bo).unwrap();
        assert!([handle, again].contains(&of_bo));
        replica.note(&mut late, of_bo, 0, 1, &shown(5));
        assert!(replica.tell_news(&replica.telling(), &mut late).is_empty());
        assert_eq!(rows(), [(bo.clone(), 5)]);
        replica.tell([Told::Gone { player: bo.clone() }]);
        assert_eq!((rows(), replica.players.len()), (vec![], 0));
    }
}

/// The same while boards are filled, and told when that is over and the name has begun anew.
#[test]
fn late_news_of_who_was_gone_during_a_filling_reach_nobody_else() {
    let replica = Replica::default();
    let key = keys()[2].clone();
    let shown = |score: i64| [(key.clone(), Some(Standing { score: score.into(), ..Standing::default() }))];
    let (ana, mut late, mut news) = (player(1), News::default(), News::default());
    let handle = replica.handle(&ana).unwrap();
    replica.note(&mut news, handle, 0, 1, &shown(1));
    replica.note(&mut late, handle, 1, 2, &shown(2));
    assert!(replica.tell_news(&replica.telling(), &mut news).is_empty());
    let mut pages = 1;
    let mut again = handle;
    let read = replica.rebuild_by(&|_| true, |page| {
        // Read before she was gone.
        let [(key, standing)] = shown(1);
        page.push(Entry { player: ana.clone(), version: 1, shown: vec![(key.clone(), standing.unwrap())], mark: None });
        replica.gone(handle);
        again = replica.handle(&ana).unwrap();
        // In full, since boards are filled.
        assert!(replica.tell_one(&ana, 1, &[(key, Standing { score: 7.into(), ..Standing::default() })]));
        pages -= 1;
        Ok(pages >= 0)
    });
    read.unwrap();
    // The number was given back: nobody who told of it was let finish first, as a gate would do. What is told is left alone all the same.
    drop(replica.tell_news(&replica.telling(), &mut late));
    replica.note(&mut news, again, 1, 2, &shown(8));
    assert!(replica.tell_news(&replica.telling(), &mut news).is_empty());
    let rows: Vec<_> = page(&replica, &key, Sort::default()).into_iter().map(|row| (row.owner, row.score)).collect();
    assert_eq!(rows, [(ana, 8)]);
}

/// Players come, move and go, each told of by whoever is there, while numbers are given again.
#[test]
fn threads_that_tell_of_comers_and_goers_agree_in_the_end() {
    let replica = Replica::default();
    replica.begin_empty();
    let key = keys()[2].clone();
    let rounds = 300;
    std::thread::scope(|threads| {
        for thread in 0..4_u64 {
            let (replica, key) = (&replica, &key);
            threads.spawn(move || {
                println!("seed {thread}");
                let (mut random, mut news) = (Random(thread), News::default());
                // Each thread has players of its own, of whom it knows what it told last.
                let mut known: BTreeMap<u64, (Handle, u64)> = BTreeMap::new();
                for _ in 0..rounds {
                    let telling = replica.telling();
                    for n in (0..random.below(20)).map(|_| thread * 100 + random.below(40)).collect::<BTreeSet<_>>() {
                        let (handle, version) =
                            known.entry(n).or_insert_with(|| (replica.handle(&player(n)).unwrap(), 0));
                        let standing = Standing { score: random.below(9).cast_signed().into(), ..Standing::default() };
                        replica.note(&mut news, *handle, *version, *version + 1, &[(key.clone(), Some(standing))]);
                        *version += 1;
                    }
                    assert!(replica.tell_news(&telling, &mut news).is_empty());
                    for n in (0..random.below(4)).map(|_| thread * 100 + random.below(40)).collect::<Vec<_>>() {
                        if let Some((handle, _)) = known.remove(&n) {
                            replica.gone(handle);
                        }
                    }
                    drop(telling);
                    if random.below(3) == 0 {
                        replica.give_back();
                    }
                }
                for (n, (handle, version)) in known {
                    let standing = Standing { score: n.cast_signed().into(), ..Standing::default() };
                    replica.note(&mut news, handle, version, version + 1, &[(key.clone(), Some(standing))]);
                }
                assert!(replica.tell_news(&replica.telling(), &mut news).is_empty());
            });
        }
    });
    let rows = page(&replica, &key, Sort::default());
    assert_eq!(rows.len(), replica.players.len());
    assert!(rows.iter().all(|row| row.owner == player(row.score.unsigned_abs())), "each under the own name");
}

/// Not a part of it, and not because the reading failed: until everybody is on it.
#[test]
fn a_board_that_is_brought_back_is_not_answered_from_until_it_is_whole() {
    let (replica, mut records, mut random) = (Replica::default(), Records::default(), Random(3));
    replica.begin_empty();
    for n in 0..60 {
        replica.committed(&[records.commit(&player(n % 20), &mut random)]);
    }
    let back = keys()[2].clone();
    let read = |key: &BoardKey| {
        let what = Reading::Page { offset: 0, limit: 1 };
        let read = BoardRead { key: key.clone(), sort: SORTS[2], ranking: Ranking::Ordinal, what };
        replica.read(&[read]).remove(0).map_err(|error| error.kind)
    };
    replica.retain(&|key| *key != back);
    let rebuild = |fails: bool| {
        let mut left: Vec<_> = records.0.clone().into_iter().collect();
        replica.rebuild_by(&|_| true, |page| {
            assert_eq!(read(&back), Err(StoreErrorKind::Unavailable));
            assert!(read(&keys()[3]).is_ok_and(|answer| answer != BoardAnswer::Rows(Vec::new())), "the others are");
            let Some((player, record)) = left.pop() else { return Ok(false) };
            if fails && left.len() < 10 {
                return Err(StoreErrorKind::Unavailable.into());
            }
            let shown = record.shown_anywhere();
            page.push(Entry { player, version: record.version, shown, mark: None });
            Ok(true)
        })
    };
    rebuild(true).unwrap_err();
    assert_eq!(read(&back), Err(StoreErrorKind::Unavailable));
    rebuild(false).unwrap();
    check(&replica, &records, |_| true, "back");
    // Who frees it meanwhile finds it freed, and not on its way.
    replica.retain(&|key| *key != back);
    rebuild(true).unwrap_err();
    replica.retain(&|key| *key != back);
    assert_eq!(read(&back), Ok(BoardAnswer::Rows(Vec::new())));
    rebuild(false).unwrap();
    check(&replica, &records, |_| true, "back again");
}
