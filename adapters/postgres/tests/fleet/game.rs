//! What is played in these tests, and where.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use liveops_adapters::Runtime;
use liveops_core::store::Blocking;
use liveops_core::testing::EventBuilder;
use liveops_core::{Engine, PlayerId, Rules, Timestamp};
use liveops_postgres::{Options, PostgresStore};
use liveops_testbed::Postgres;
use tokio_postgres::{Client, NoTls};

/// Rewards, a season that pays, a floor under which kills are held, and texts with anything in them.
const RULES: &str = r#"{ "version": 1, "game": "GAME",
  "events": { "progression": {}, "boss_kill": {}, "said": { "fields": { "text": { "type": "text", "maxBytes": 64 }, "deltaXp": { "type": "uint", "max": 1000 } } } },
  "progress": { "curve": { "kind": "linear", "base": 100, "step": 0, "maxLevel": 60 } },
  "rewards": { "level-gold": { "on": { "everyLevels": 1 }, "grant": { "kind": "currency", "id": "gold", "amount": 100 } } },
  "calendar": { "seasons": { "every": "month", "label": "YYYY-MM" } },
  "boards": { "xp": { "value": "grantedXp", "keepPeriods": { "daily": 2, "weekly": 8, "seasonal": 4 },
    "payouts": { "seasonal": [ { "tier": "gold", "ranks": [1, 1], "grant": { "kind": "item", "id": "crown", "amount": 1 } } ] } } },
  "detectors": { "hydra-floor": { "kind": "timeFloor", "boss": "hydra", "minimumMs": 45000, "action": "hold" } } }"#;

pub(crate) fn rules_text(game: &str) -> String {
    RULES.replace("GAME", game)
}

pub(crate) fn rules(game: &str) -> Rules {
    Rules::from_json(&rules_text(game)).unwrap()
}

pub(crate) type Store = Blocking<PostgresStore, Runtime>;

/// The server that tests share which do it no harm.
pub(crate) fn server() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(|| Postgres::start(&[]).unwrap())
}

/// A game that no other test plays.
pub(crate) fn fresh(test: &str) -> String {
    static PLAYED: AtomicU32 = AtomicU32::new(0);
    format!("{test}-{}", PLAYED.fetch_add(1, Ordering::Relaxed))
}

/// Times of tests are not those of the server's clock. A machine that is busy with other tests takes its time.
pub(crate) fn options(game: &str) -> Options {
    Options::new(game).connections(2).timeout(Duration::from_secs(10)).clock_ahead_max(None)
}

pub(crate) fn open(url: &str, options: Options) -> Store {
    PostgresStore::connect_blocking(url, options).unwrap()
}

pub(crate) fn engine(url: &str, game: &str) -> Engine<Store> {
    Engine::open(rules(game), open(url, options(game))).unwrap()
}

pub(crate) fn at(time: &str) -> Timestamp {
    Timestamp::from_rfc3339(time).unwrap()
}

pub(crate) fn player(name: &str) -> PlayerId {
    PlayerId::new(name).unwrap()
}

pub(crate) fn xp(id: &str, player: &str, amount: i64, now: Timestamp) -> Vec<u8> {
    let mut line = EventBuilder::progression(player, amount, now).id(id).body();
    line.push(b'\n');
    line
}

/// Numbers of a seed that a test prints.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// A session of somebody else.
pub(crate) struct Session {
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Session {
    pub(crate) fn of(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (client, connection) = runtime.block_on(tokio_postgres::connect(url, NoTls)).unwrap();
        runtime.spawn(connection);
        Self { client, runtime }
    }

    pub(crate) fn run(&self, sql: &str) {
        self.runtime.block_on(self.client.batch_execute(sql)).unwrap();
    }

    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.runtime.block_on(self.client.query_one(sql, &[])).unwrap().get(0)
    }
}
