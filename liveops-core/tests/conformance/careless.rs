//! The reference store with one mistake, such as an adapter may make.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use liveops_core::board::Row;
use liveops_core::conformance::FEED_LEN;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Kind, Paid};
use liveops_core::store::{
    BoardAnswer, BoardRead, Consumer, ConsumerMark, FeedEntry, Happened, Keeps, Lag, Loaded, Partitioned, Reading,
    Size, by_load_and_commit, records,
};
use liveops_core::{Boards, Feed, Id, Key, MemoryStore, Origin, Plan, PlayerId, Record, Scan, Store, Timestamp, Whole};

/// What an adapter may get wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mistake {
    Nothing,
    AnswersEachKeyOnce,
    LosesSuspicions,
    LosesMarks,
    IgnoresCase,
    MixesOrigins,
    WritesPartsOfStaleSets,
    StopsAtConflict,
    KeepsRemoved,
    ForgetsNothing,
    LeavesPlansHalfWay,
    RoundsOfNobody,
    SetsHeadersUnasked,
    SetsHeadersInTwoSteps,
    LosesBoardsOfHeaders,
    HorizonFalls,
    IgnoresClosing,
    IgnoresForgotten,
    LooksBeforeItWrites,
    KeepsOldOutcomes,
    DropsAllOutcomes,
    KeepsIdleMarks,
    DropsMarksBeforeOutcomes,
    LosesPayments,
    RefusesOldReceipts,
    DatesOutcomesByReceipts,
    CallsConflictsApplied,
    LastWriterWins,
    ReadsPlayerLast,
    // Of those who scan.
    ScansInReverse,
    ScansTheHorizon,
    SplitsPlayers,
    SkipsBehindTheCursor,
    ReadsTooMuch,
    IgnoresKinds,
    IgnoresCursorsOfOtherKinds,
    ScansByPrefix,
    CountsInsteadOfCursors,
    // Of those who read boards.
    LosesABoardsBest,
    CountsRanksFromZero,
    AnswersInReverse,
    OneBadReadFailsAll,
    ShowsWhoIsHidden,
    RanksTheErased,
    RemembersVersions,
    RetainsEverything,
    RebuildsNothing,
    RebuildsEverything,
    LosesWritersWhileItBuilds,
    LagsBehind,
    TellsBoardsNoTime,
    IsAlwaysBehind,
    NotesOnce,
    // Of those who follow the feed.
    TellsConflicts,
    TellsNoRuns,
    TellsNothingShown,
    TellsNoAdvances,
    TellsAdvancesFirst,
    IgnoresTheCursor,
    AnswersGaps,
    ForgetsTheLast,
    TakesAnyAck,
    KnowsOneConsumer,
    KeepsConsumers,
    DropsWhenFull,
    RefusesAdvancesWhenFull,
    IgnoresAck,
    // Of those who save and restore.
    DigestsTheHeader,
    Miscounts,
    LosesTheHeader,
    RefusesOldSnapshots,
    TakesNothingForDone,
    RestoresAsItReads,
}

use Mistake::*;

pub(crate) struct Careless {
    inner: Arc<MemoryStore>,
    mistake: Mistake,
    /// Players whom its boards miss, and the highest version of each.
    missed: Mutex<BTreeSet<PlayerId>>,
    versions: Mutex<BTreeMap<PlayerId, u64>>,
    building: AtomicBool,
    met: AtomicUsize,
}

impl Careless {
    pub(crate) fn new(inner: impl Into<Arc<MemoryStore>>, mistake: Mistake) -> Self {
        let inner = inner.into();
        let (missed, versions) = (Mutex::default(), Mutex::default());
        Self { inner, mistake, missed, versions, building: AtomicBool::new(false), met: AtomicUsize::new(0) }
    }

    fn player(&self, player: &PlayerId) -> Option<Box<liveops_core::record::Player>> {
        match self.inner.load(&[Key::Player(player.clone())]).remove(0).unwrap() {
            Some(Record::Player(player)) => Some(player),
            _ => None,
        }
    }

    fn horizon(&self) -> Horizon {
        match self.inner.load(&[Key::Horizon]).remove(0).unwrap() {
            Some(Record::Horizon(horizon)) => horizon,
            _ => Horizon::default(),
        }
    }

    /// Makes a set fit whatever is stored.
    fn force(&self, set: &mut ChangeSet, parts_only: bool) {
        if let Some(player) = self.player(&set.player) {
            set.expected = player.version;
            if parts_only {
                set.record = player;
            } else {
                set.record.version = set.record.version.max(player.version + 1);
            }
        } else if parts_only {
            set.expected = 0;
        }
    }

    /// As an adapter names it that keeps less of the key than it should.
    fn rename(&self, key: &Key) -> Key {
        match (self.mistake, key) {
            (IgnoresCase, Key::Player(player)) => Key::Player(lower(player)),
            (IgnoresCase, Key::Outcome(player, id)) => Key::Outcome(lower(player), id.clone()),
            (MixesOrigins, Key::Outcome(player, id)) => {
                let mut id = id.clone();
                id.origin = Origin::Event;
                Key::Outcome(player.clone(), id)
            }
            _ => key.clone(),
        }
    }

    fn all(&self, kind: Option<Kind>) -> Vec<(Key, Record)> {
        records(&self.inner, kind, 1_000).map(Result::unwrap).collect()
    }

    /// The sets as they reach the inner store.
    fn spoil(&self, set: &mut ChangeSet) {
        match self.mistake {
            LosesSuspicions => set.suspicions.clear(),
            LosesMarks => set.record.rare_mut().marks.clear(),
            LosesPayments => set.record.rare_mut().paid = Paid::default(),
            RefusesOldReceipts if set.receipts.iter().any(|r| r.ts < self.horizon().forgotten_before) => {
                set.expected = u64::MAX;
            }
            DatesOutcomesByReceipts => {
                for (_, outcome) in &mut set.outcomes {
                    outcome.ts = outcome.effect.receipts().first().map_or(outcome.ts, |receipt| receipt.ts);
                }
            }
            IgnoresCase => set.player = lower(&set.player),
            MixesOrigins => set.outcomes.iter_mut().for_each(|(id, _)| id.origin = Origin::Event),
            KeepsRemoved => set.removed.clear(),
            LastWriterWins => self.force(set, false),
            IgnoresClosing => set.closes_at = Timestamp::MAX,
            IgnoresForgotten => set.forgotten_before = self.horizon().forgotten_before,
            LooksBeforeItWrites if set.closes_at > self.horizon().now => {
                set.closes_at = Timestamp::MAX;
                std::thread::sleep(Duration::from_millis(1));
            }
            ForgetsNothing => set.forget = false,
            ShowsWhoIsHidden => set.record.hidden = false,
            _ => {}
        }
    }

    /// What the boards say to those whom they miss.
    fn misses(&self, player: &PlayerId) -> bool {
        match self.mistake {
            RemembersVersions => {
                let highest = self.versions.lock().unwrap().get(player).copied().unwrap_or(0);
                self.player(player).is_none_or(|player| player.version < highest)
            }
            LagsBehind | LosesWritersWhileItBuilds => self.missed.lock().unwrap().contains(player),
            _ => false,
        }
    }

    fn skew(&self, read: &BoardRead, answer: BoardAnswer) -> BoardAnswer {
        match (answer, &read.what) {
            (BoardAnswer::Rank(rank), Reading::Rank(player)) => BoardAnswer::Rank(match self.mistake {
                CountsRanksFromZero => rank.map(|rank| rank - 1),
                RanksTheErased => rank.or(Some(1)),
                _ => rank.filter(|_| !self.misses(player)),
            }),
            (BoardAnswer::Rows(rows), Reading::Page { .. }) => {
                BoardAnswer::Rows(rows.into_iter().filter(|row: &Row| !self.misses(&row.owner)).collect())
            }
            (answer, _) => answer,
        }
    }
}

fn lower(player: &PlayerId) -> PlayerId {
    PlayerId::new(&player.as_str().to_lowercase()).unwrap()
}

fn is_conflict(outcome: &CommitOutcome) -> bool {
    matches!(outcome, CommitOutcome::Conflict)
}

impl Store for Careless {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        match self.mistake {
            AnswersEachKeyOnce => {
                let mut once = keys.to_vec();
                once.sort();
                once.dedup();
                self.inner.load(&once)
            }
            ReadsPlayerLast => {
                let mut answers: Vec<Loaded> = keys.iter().map(|_| Ok(None)).collect();
                for (key, answer) in keys.iter().zip(&mut answers).rev() {
                    if matches!(key, Key::Player(_)) {
                        std::thread::sleep(Duration::from_millis(2));
                    }
                    *answer = self.inner.load(std::slice::from_ref(key)).remove(0);
                }
                answers
            }
            DropsMarksBeforeOutcomes => {
                let horizon = self.horizon();
                let is_mark = |record: &Record| matches!(record, Record::Player(p) if p.is_idle_mark(horizon));
                let load = self.inner.load(keys).into_iter();
                load.map(|answer| answer.map(|record| record.filter(|record| !is_mark(record)))).collect()
            }
            _ => self.inner.load(&keys.iter().map(|key| self.rename(key)).collect::<Vec<_>>()),
        }
    }

    fn commit(&self, mut batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        for set in &mut batch {
            self.spoil(set);
        }
        let copy = batch.clone();
        let mut results = self.inner.commit(batch);
        match self.mistake {
            WritesPartsOfStaleSets => {
                for (mut set, _) in copy.into_iter().zip(&results).filter(|(_, result)| is_conflict(result)) {
                    self.force(&mut set, true);
                    self.inner.commit(vec![set]);
                }
            }
            StopsAtConflict => {
                let stop = results.iter().position(is_conflict).map_or(results.len(), |at| at + 1);
                results.truncate(stop);
            }
            CallsConflictsApplied => results.fill_with(|| CommitOutcome::Applied),
            TellsConflicts => {
                for (mut set, _) in copy.into_iter().zip(&results).filter(|(_, result)| is_conflict(result)) {
                    set.expected = 0;
                    self.inner.commit(vec![set]);
                }
            }
            RemembersVersions => {
                let mut versions = self.versions.lock().unwrap();
                for set in copy {
                    let highest = versions.entry(set.player).or_default();
                    *highest = set.record.version.max(*highest);
                }
            }
            LagsBehind => *self.missed.lock().unwrap() = copy.into_iter().map(|set| set.player).collect(),
            LosesWritersWhileItBuilds if self.building.load(Ordering::SeqCst) => {
                self.missed.lock().unwrap().extend(copy.into_iter().map(|set| set.player));
            }
            _ => {}
        }
        results
    }

    fn drive(&self, plan: &mut Plan<'_>) {
        if self.mistake == LeavesPlansHalfWay {
            let keys = plan.keys(self.round_players());
            let batch = plan.decide(self.load(&keys));
            plan.resolve(self.commit(batch));
        } else {
            by_load_and_commit(self, plan);
        }
    }

    fn round_players(&self) -> usize {
        if self.mistake == RoundsOfNobody { 0 } else { self.inner.round_players() }
    }

    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        match self.mistake {
            HorizonFalls => self.inner.advance(to).map(|_| to),
            KeepsOldOutcomes | KeepsIdleMarks => {
                let forgotten_before = Timestamp::MIN;
                self.inner.advance(Horizon { forgotten_before, ..to })?;
                Ok(to)
            }
            DropsAllOutcomes => {
                self.inner.advance(Horizon { forgotten_before: to.forgotten_before.plus_millis(9), ..to })
            }
            RefusesAdvancesWhenFull if MemoryStore::size(&self.inner).feed >= FEED_LEN as u64 => {
                Err(StoreErrorKind::FeedFull.into())
            }
            _ => self.inner.advance(to),
        }
    }

    fn header(&self) -> Result<Header, StoreError> {
        self.inner.header()
    }

    fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        let set = || {
            while !self.inner.replace_header(&self.inner.header()?, new)? {}
            Ok(true)
        };
        match self.mistake {
            SetsHeadersUnasked => set(),
            SetsHeadersInTwoSteps => {
                let fits = self.inner.header()? == *expected;
                std::thread::sleep(Duration::from_millis(1));
                if fits { set() } else { Ok(false) }
            }
            LosesBoardsOfHeaders => self.inner.replace_header(expected, &Header { boards: Vec::new(), ..new.clone() }),
            _ => self.inner.replace_header(expected, new),
        }
    }
}

impl Partitioned for Careless {
    fn partitions(&self) -> u16 {
        if self.mistake == SplitsPlayers { 2 } else { self.inner.partitions() }
    }
}

impl Scan for Careless {
    fn scan(
        &self,
        partition: u16,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        match self.mistake {
            ScansInReverse => {
                let mut page = self.inner.scan(partition, kind, after, limit)?;
                page.reverse();
                Ok(page)
            }
            ScansTheHorizon if after.is_none() => {
                let mut page = vec![(Key::Horizon, Record::Horizon(self.horizon()))];
                page.extend(self.inner.scan(partition, kind, None, limit - 1)?);
                Ok(page)
            }
            SplitsPlayers => {
                let mut all = self.all(kind);
                all.sort_by(|a, b| a.0.cmp(&b.0));
                all.retain(|(key, _)| (partition == 0) == (key.kind() == Some(Kind::Player)));
                Ok(all.into_iter().filter(|(key, _)| after.is_none_or(|after| key > after)).take(limit).collect())
            }
            SkipsBehindTheCursor if after.is_some() => {
                let page = self.inner.scan(partition, kind, after, limit + 1)?;
                Ok(page.into_iter().skip(1).collect())
            }
            ReadsTooMuch => self.inner.scan(partition, kind, after, limit + 1),
            IgnoresKinds => self.inner.scan(partition, None, after, limit),
            IgnoresCursorsOfOtherKinds => {
                let after = after.filter(|after| kind.is_none() || after.kind() == kind);
                self.inner.scan(partition, kind, after, limit)
            }
            CountsInsteadOfCursors => {
                let met = if after.is_none() { 0 } else { self.met.load(Ordering::SeqCst) };
                let page: Vec<_> = self.inner.scan(partition, kind, None, met + limit)?.into_iter().skip(met).collect();
                self.met.store(met + page.len(), Ordering::SeqCst);
                Ok(page)
            }
            _ => self.inner.scan(partition, kind, after, limit),
        }
    }

    fn scan_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        if self.mistake != ScansByPrefix {
            return self.inner.scan_player(player, kind, after, limit);
        }
        let mut all = self.all(kind);
        all.retain(|(key, _)| key.player().is_some_and(|known| known.as_str().starts_with(player.as_str())));
        all.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(all.into_iter().filter(|(key, _)| after.is_none_or(|after| key > after)).take(limit).collect())
    }
}

impl Boards for Careless {
    fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
        let mut asked = reads.to_vec();
        if self.mistake == LosesABoardsBest {
            for read in &mut asked {
                if let Reading::Page { offset, .. } = &mut read.what {
                    *offset += 1;
                }
            }
        }
        let answers = self.inner.read(&asked).into_iter().zip(reads);
        let mut answers: Vec<_> = answers.map(|(answer, read)| answer.map(|answer| self.skew(read, answer))).collect();
        match self.mistake {
            AnswersInReverse => answers.reverse(),
            OneBadReadFailsAll => {
                if let Some(error) = answers.iter().find_map(|answer| answer.as_ref().err()).cloned() {
                    answers.fill_with(|| Err(error.clone()));
                }
            }
            _ => {}
        }
        answers
    }

    fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        if self.mistake == RetainsEverything { Ok(()) } else { self.inner.retain(keep) }
    }

    fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        match self.mistake {
            RebuildsNothing => Ok(()),
            RebuildsEverything => self.inner.rebuild(&|_| true),
            _ => {
                self.building.store(true, Ordering::SeqCst);
                self.inner.rebuild(keep)?;
                if self.mistake == LosesWritersWhileItBuilds {
                    std::thread::sleep(Duration::from_millis(5));
                }
                self.building.store(false, Ordering::SeqCst);
                Ok(())
            }
        }
    }

    fn catch_up(&self) -> Result<(), StoreError> {
        self.inner.catch_up()
    }

    fn horizon(&self) -> Horizon {
        if self.mistake == TellsBoardsNoTime { Horizon::default() } else { Boards::horizon(&self.inner) }
    }

    fn lag(&self) -> Result<Lag, StoreError> {
        let lag = self.inner.lag()?;
        Ok(if self.mistake == IsAlwaysBehind { Lag { behind: 1, ..lag } } else { lag })
    }

    fn note_final(&self, key: &BoardKey, rows: &[Row]) -> Result<(), StoreError> {
        if self.mistake == NotesOnce && self.building.swap(true, Ordering::SeqCst) {
            return Err(StoreErrorKind::Corrupt.into());
        }
        self.inner.note_final(key, rows)
    }
}

impl Feed for Careless {
    fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        let entries = self.inner.feed(partition, if self.mistake == IgnoresTheCursor { 0 } else { after }, limit);
        if self.mistake == AnswersGaps {
            return Ok(entries.unwrap_or_default());
        }
        let mut entries = entries?;
        let change = |entry: &mut FeedEntry, change: fn(&mut ChangeSet)| {
            if let Happened::Committed(set) = &entry.what {
                let mut set = (**set).clone();
                change(&mut set);
                entry.what = Happened::Committed(set.into());
            }
        };
        match self.mistake {
            TellsNoRuns => entries.iter_mut().for_each(|entry| change(entry, |set| set.run = None)),
            TellsNothingShown => entries.iter_mut().for_each(|entry| change(entry, |set| set.shown.clear())),
            TellsNoAdvances => entries.retain(|entry| !matches!(entry.what, Happened::Advanced(_))),
            TellsAdvancesFirst => {
                let cursors: Vec<u64> = entries.iter().map(|entry| entry.cursor).collect();
                entries.sort_by_key(|entry| !matches!(entry.what, Happened::Advanced(_)));
                entries.iter_mut().zip(cursors).for_each(|(entry, cursor)| entry.cursor = cursor);
            }
            _ => {}
        }
        Ok(entries)
    }

    fn last(&self, partition: u16) -> Result<u64, StoreError> {
        if self.mistake == ForgetsTheLast && MemoryStore::size(&self.inner).feed == 0 {
            Ok(0)
        } else {
            self.inner.last(partition)
        }
    }

    fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> Result<(), StoreError> {
        match self.mistake {
            IgnoresAck => Ok(()),
            TakesAnyAck => self.inner.ack(consumer, partition, through.min(self.inner.last(partition)?)),
            KnowsOneConsumer => self.inner.ack(&Id::new("bus").unwrap(), partition, through),
            _ => self.inner.ack(consumer, partition, through),
        }
    }

    fn drop_consumer(&self, consumer: &Consumer) -> Result<(), StoreError> {
        if self.mistake == KeepsConsumers { Ok(()) } else { self.inner.drop_consumer(consumer) }
    }

    fn consumers(&self) -> Result<Vec<ConsumerMark>, StoreError> {
        self.inner.consumers()
    }
}

impl Whole for Careless {
    fn digest(&self) -> Result<String, StoreError> {
        let digest = Whole::digest(&self.inner)?;
        Ok(if self.mistake == DigestsTheHeader { format!("{digest}{:?}", self.inner.header()?) } else { digest })
    }

    fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        Whole::snapshot(&self.inner, to)
    }

    fn restore(&self, from: &mut (dyn Read + Send)) -> Result<(), StoreError> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        let restored = Whole::restore(&self.inner, &mut &*bytes);
        match self.mistake {
            RefusesOldSnapshots if bytes.get(16) == Some(&1) => Err(StoreErrorKind::TooNew.into()),
            TakesNothingForDone if Whole::size(&self.inner)?.players > 0 => Ok(()),
            RestoresAsItReads if restored.is_err() => {
                self.inner.advance(Horizon { now: Timestamp::from_unix_millis(1), ..Horizon::default() })?;
                restored
            }
            LosesTheHeader => {
                self.inner.replace_header(&self.inner.header()?, &Header::default())?;
                restored
            }
            _ => restored,
        }
    }

    fn size(&self) -> Result<Size, StoreError> {
        let size = Whole::size(&self.inner)?;
        Ok(if self.mistake == Miscounts { Size { outcomes: size.outcomes + 1, ..size } } else { size })
    }
}
