//! Every verb of the engine is there over an asynchronous store, and says the same.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fmt::Debug;
use std::future::poll_fn;
use std::io::{Read, Write};
use std::task::Poll;

use common::{DAY, GRACE, START, at, id, kill, player, progression, rules};
use liveops_core::board::Row;
use liveops_core::error::StoreError;
use liveops_core::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Kind};
use liveops_core::store::{
    AsyncBoards, AsyncFeed, AsyncScan, AsyncStore, AsyncWhole, BlockOn, Blocking, BoardAnswer, BoardRead, Consumer,
    ConsumerMark, FeedEntry, Happened, Keeps, Lag, Loaded, Partitioned, Reading, Ready, Size,
};
use liveops_core::testing::Parked;
use liveops_core::{AsyncEngine, Code, Command, Engine, Key, MemoryStore, Outcome, Period, PlayerId, Record, Window};

/// Answers after it was asked twice, as a network would.
struct Far(Ready<MemoryStore>);

async fn far() {
    let mut asked = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

impl AsyncStore for Far {
    async fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        far().await;
        self.0.load(keys).await
    }
    async fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        far().await;
        self.0.commit(batch).await
    }
    fn round_players(&self) -> usize {
        3
    }
    async fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        far().await;
        self.0.advance(to).await
    }
    async fn header(&self) -> Result<Header, StoreError> {
        far().await;
        self.0.header().await
    }
    async fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        far().await;
        self.0.replace_header(expected, new).await
    }
}

impl Partitioned for Far {
    fn partitions(&self) -> u16 {
        self.0.partitions()
    }
}

impl AsyncScan for Far {
    async fn scan(
        &self,
        partition: u16,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        far().await;
        self.0.scan(partition, kind, after, limit.min(2)).await
    }
    async fn scan_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        far().await;
        self.0.scan_player(player, kind, after, limit.min(2)).await
    }
}

impl AsyncBoards for Far {
    async fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
        far().await;
        self.0.read(reads).await
    }
    async fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        far().await;
        self.0.retain(keep).await
    }
    async fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        far().await;
        self.0.rebuild(keep).await
    }
    async fn catch_up(&self) -> Result<(), StoreError> {
        far().await;
        self.0.catch_up().await
    }
    fn horizon(&self) -> Horizon {
        self.0.horizon()
    }
    async fn lag(&self) -> Result<Lag, StoreError> {
        far().await;
        self.0.lag().await
    }
    async fn note_final(&self, key: &BoardKey, rows: &[Row]) -> Result<(), StoreError> {
        far().await;
        self.0.note_final(key, rows).await
    }
}

impl AsyncFeed for Far {
    async fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        far().await;
        self.0.feed(partition, after, limit).await
    }
    async fn last(&self, partition: u16) -> Result<u64, StoreError> {
        far().await;
        self.0.last(partition).await
    }
    async fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> Result<(), StoreError> {
        far().await;
        self.0.ack(consumer, partition, through).await
    }
    async fn drop_consumer(&self, consumer: &Consumer) -> Result<(), StoreError> {
        far().await;
        self.0.drop_consumer(consumer).await
    }
    async fn consumers(&self) -> Result<Vec<ConsumerMark>, StoreError> {
        far().await;
        self.0.consumers().await
    }
}

impl AsyncWhole for Far {
    async fn digest(&self) -> Result<String, StoreError> {
        far().await;
        self.0.digest().await
    }
    async fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        far().await;
        self.0.snapshot(to).await
    }
    async fn restore(&self, from: &mut (dyn Read + Send)) -> Result<(), StoreError> {
        far().await;
        self.0.restore(from).await
    }
    async fn size(&self) -> Result<Size, StoreError> {
        far().await;
        self.0.size().await
    }
}

/// Runtimes move futures between threads.
fn wait<F: Future + Send>(future: F) -> F::Output {
    Parked.block_on(future).unwrap()
}

fn same<T: Debug>(what: &str, blocking: &T, asynchronous: &T) {
    assert_eq!(format!("{blocking:?}"), format!("{asynchronous:?}"), "{what}");
}

/// What was fed of each player, in order: those of one batch come in any order of players.
fn by_player<E: Debug>(fed: &Result<Vec<FeedEntry>, E>) -> Vec<(Option<PlayerId>, Happened)> {
    let entries = fed.as_ref().unwrap().iter().map(|entry| match &entry.what {
        Happened::Committed(set) => (Some(set.player.clone()), entry.what.clone()),
        other => (None, other.clone()),
    });
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    entries
}

fn memory() -> MemoryStore {
    MemoryStore::with_feed(1_000)
}

/// One line for each verb; everything each says is compared.
macro_rules! verbs {
    ($blocking:ident, $asynchronous:ident: $($verb:ident($($argument:expr),*);)+) => {$(
        same(stringify!($verb), &$blocking.$verb($($argument),*), &wait($asynchronous.$verb($($argument),*)));
    )+};
}

#[test]
fn every_verb_says_the_same() {
    let blocking = Engine::open(rules(), memory()).unwrap();
    let far_away = wait(AsyncEngine::open(rules(), Far(Ready(memory())))).unwrap();
    let noon = at(START + DAY / 2);
    let commands: Vec<Command> = (0..10)
        .flat_map(|n| {
            let name = format!("p{n}");
            let fight = kill("k", &name, START + n, if n % 2 == 0 { "ogre" } else { "hydra" }, 900 + 50 * n);
            [progression("e", &name, START, 40 * n + 10), fight]
        })
        .collect();
    let line = br#"{"id":"e9","type":"progression","playerId":"p9","ts":1794009600,"payload":{"deltaXp":5}}
no event"#;
    verbs!(blocking, far_away:
        submit_batch(&commands); submit(&commands[3]); submit_ndjson(line, noon); advance(noon); advance_by_clock(noon, noon););
    same("stats", &blocking.stats(), &far_away.stats());

    let p9 = player("p9");
    let steep = r#"{ "kind": "linear", "base": 100, "step": 0, "maxLevel": 20 }"#;
    let flat = common::RULES.replacen(r#""base": 100"#, r#""base": 50"#, 1);
    let migrations = format!(
        r#""migrations": [ {{ "from": {steep}, "policy": "keepTotalXp", "levelRewards": "grant" }} ], "floor""#
    );
    let flat = liveops_core::Rules::from_json(&flat.replacen(r#""floor""#, &migrations, 1)).unwrap();
    verbs!(blocking, far_away:
        player(&p9); record(&p9); receipts(&p9); receipts_page(&p9, None, 1); claimable(&p9, noon); suspicions_of(&p9);
        export_player(&p9); export_player_page(&p9, None, 2); explain(&p9, noon); players(); players_page(None, 1); suspicions(); suspicions_page(None, 1);
        suspicions_ndjson(); suspicions_ndjson_page(None, 1); plan_migration(&flat); replace_rules_at(flat.clone(), noon);
        migrations(noon); migrations_page(None, 1, noon); replace_rules(rules()); horizon(); lag(); catch_up(); status(););
    assert_eq!(wait(far_away.players()).unwrap().len(), 10);
    assert!(!wait(far_away.suspicions()).unwrap().is_empty());

    let today = Period { window: Window::Daily, index: START / DAY };
    let reads = |board: &str| {
        let standings = blocking.board(board).unwrap().of(today);
        let rank = standings.question(Reading::Rank(player("p5")));
        [standings.question(Reading::Len), BoardRead { key: unknown(&rank), ..rank.clone() }, rank]
    };
    for board in ["xp", "fastest"] {
        verbs!(blocking, far_away: read_boards(&reads(board)););
        let (near, far) = (blocking.board(board).unwrap(), far_away.board(board).unwrap());
        verbs!(near, far: top(Window::Daily, 3, noon););
        let (near, far) = (near.at(Window::Daily, noon).unwrap(), far.at(Window::Daily, noon).unwrap());
        assert_eq!(near.period(), today);
        let p5 = player("p5");
        verbs!(near, far:
            top(3); page(2, 3); page_after(None, 4); by_score_range(0..=10_000, 0, 9); by_score_range(50..=200, 1, 9); rank(&p5);
            percentile(&p5); around(&p5, 2); by_owners(&[player("p3"), p5.clone()]); count_above(120); len(); is_empty(););
        let cursor = near.page_after(None, 4).unwrap().next;
        verbs!(near, far: page_after(cursor.as_ref(), 4););
    }
    assert_eq!(wait(far_away.read_boards(&reads("xp")))[1].as_ref().unwrap_err().code(), Code::UnknownBoard);

    let later = at(START + DAY + GRACE);
    verbs!(blocking, far_away: advance_far(later); payout("xp", today, later); pay_closed(None, later););
    same("closed", &blocking.closed_between(noon, later).count(), &far_away.closed_between(noon, later).count());
    let (near, far) = (blocking.board("xp").unwrap(), far_away.board("xp").unwrap());
    let (archive, names) = near.archive(today, later).unwrap();
    assert_eq!(wait(far.archive(today, later)).unwrap().0.to_bytes(), archive.to_bytes());
    verbs!(blocking, far_away: payout_archived(&archive, &names, later););

    let bus = id("bus");
    for partition in 0..blocking.partitions() {
        let fed = [blocking.feed(partition, 0, 1_000), wait(far_away.feed(partition, 0, 1_000))];
        same("feed", &by_player(&fed[0]), &by_player(&fed[1]));
        verbs!(blocking, far_away: last(partition); ack(&bus, partition, 1););
    }
    verbs!(blocking, far_away: consumers(); drop_consumer(&bus); consumers(); digest(); size(););
    let mut bytes = [Vec::new(), Vec::new()];
    blocking.snapshot(&mut bytes[0]).unwrap();
    wait(far_away.snapshot(&mut bytes[1])).unwrap();
    assert_eq!(bytes[0], bytes[1]);
}

/// A read of a board that there is not.
fn unknown(read: &BoardRead) -> BoardKey {
    BoardKey { board: liveops_core::BoardId::new("nowhere").unwrap(), ..read.key.clone() }
}

#[test]
fn the_first_advance_names_a_store() {
    let engine = AsyncEngine::new(rules(), Far(Ready(memory())));
    assert_eq!(wait(engine.store().header()).unwrap(), Header::default(), "nobody could wait for it");
    wait(engine.advance(at(START))).unwrap();
    assert_eq!(wait(engine.store().header()).unwrap(), rules().header());
}

#[test]
fn a_blocking_engine_runs_over_an_asynchronous_store() {
    let near = Engine::new(rules(), memory());
    let far = Engine::open(rules(), Blocking::new(Far(Ready(memory())), Parked)).unwrap();
    let commands: Vec<_> = (0..10).map(|n| progression("e", &format!("p{n}"), START, n)).collect();
    let codes = |outcomes: Vec<Outcome>| outcomes.iter().map(Outcome::code).collect::<Vec<_>>();
    assert_eq!(codes(near.submit_batch(&commands)), codes(far.submit_batch(&commands)));
    near.advance(at(START)).unwrap();
    far.advance(at(START)).unwrap();
    assert_eq!(near.digest().unwrap(), far.digest().unwrap());
    assert_eq!(near.size().unwrap(), far.size().unwrap());
    let top = |rows: Vec<Row>| rows.iter().map(ToString::to_string).collect::<Vec<_>>();
    let now = at(START);
    assert_eq!(
        top(near.board("xp").unwrap().top(Window::Daily, 5, now).unwrap()),
        top(far.board("xp").unwrap().top(Window::Daily, 5, now).unwrap())
    );
}
