//! Servers, games and events, and a look into every error that a test meets.

use std::fmt::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use liveops_adapters::Runtime;
use liveops_core::error::{Error, StoreError};
use liveops_core::store::{Blocking, Boards, Store};
use liveops_core::{Engine, Outcome, PlayerId, Rules, Timestamp, Window};
use liveops_redis::{Options, RedisStore};
use liveops_testbed::Redis;
use liveops_testbed::rivals::{Answer, Event};

pub(crate) type Blocked = Blocking<RedisStore, Runtime>;
pub(crate) type Game = Engine<Blocked>;

/// What no error may say: parts of every id, payload, password, name of a game and address in these tests.
pub(crate) const UNSAID: &[&str] =
    &["zoe", "evt", "swordfish", "emberfall", "127.0.0.1", "liveops-", "/tmp", "lo:", "deltaxp", "payload"];

/// Keeps everything at once, as whoever must not lose an answer sets it.
pub(crate) const KEEPING: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];

const T0_SECONDS: i64 = 1_794_052_800;

/// The server of tests that do it no harm.
pub(crate) fn server() -> &'static Redis {
    static SERVER: OnceLock<Redis> = OnceLock::new();
    SERVER.get_or_init(|| Redis::start(KEEPING).unwrap())
}

/// A name that no other test has.
pub(crate) fn game(test: &str) -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    format!("emberfall {test} {}", MADE.fetch_add(1, Ordering::Relaxed))
}

/// Few partitions, so that players share some; little patience, so that tests are short.
pub(crate) fn options(game: &str) -> Options {
    Options::new(game).partitions(8).timeout(Duration::from_secs(1)).allow_no_persistence()
}

pub(crate) fn open(url: &str, options: Options) -> Game {
    Engine::open(rules(), RedisStore::connect_blocking(url, options).unwrap()).unwrap()
}

/// The same over a cluster.
pub(crate) fn open_cluster(urls: &[String], options: &Options) -> Game {
    // A cluster that has just formed may lack the replicas that were asked for.
    for _ in 0..100 {
        let store = RedisStore::connect_cluster_blocking(urls.iter().cloned(), options.clone()).map_err(Error::from);
        if let Ok(engine) = store.and_then(|store| Engine::open(rules(), store)) {
            return engine;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("the cluster cannot be opened");
}

pub(crate) fn rules() -> Rules {
    Rules::from_json(
        r#"{ "version": 1, "game": "emberfall",
          "progress": { "curve": { "kind": "linear", "base": 100, "step": 0, "maxLevel": 60 } },
          "rewards": { "gold": { "on": { "everyLevels": 1 }, "grant": [ { "kind": "currency", "id": "gold", "amount": 10 } ] } },
          "boards": { "xp": { "value": "grantedXp", "keepPeriods": { "daily": 2, "allTime": 0 } } } }"#,
    )
    .unwrap()
}

pub(crate) fn now(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(T0_SECONDS + seconds)
}

pub(crate) fn line(id: &str, player: &str, xp: u64) -> String {
    format!(
        r#"{{"id":"{id}","type":"progression","playerId":"{player}","ts":{T0_SECONDS},"payload":{{"deltaXp":{xp}}}}}"#
    ) + "\n"
}

/// Sends lines and says the code of each outcome.
pub(crate) fn send<S: Store>(engine: &Engine<S>, lines: &str) -> Vec<String> {
    engine.submit_ndjson(lines.as_bytes(), now(0)).iter().map(code).collect()
}

/// The same for one event.
pub(crate) fn one<S: Store>(engine: &Engine<S>, id: &str, player: &str, xp: u64) -> String {
    send(engine, &line(id, player, xp)).pop().unwrap()
}

/// The same for the events of rivals.
pub(crate) fn answers<S: Store>(engine: &Engine<S>, events: &[Event]) -> Vec<Answer> {
    let lines: String = events.iter().map(|event| line(&event.id, &event.player, event.xp)).collect();
    let answer = |outcome: &Outcome| match outcome {
        Outcome::Applied(_) => Answer::Applied,
        Outcome::Replayed(_) => Answer::Replayed,
        other => Answer::Other(code(other)),
    };
    engine.submit_ndjson(lines.as_bytes(), now(0)).iter().map(answer).collect()
}

/// The code of an outcome, after a look at its error.
pub(crate) fn code(outcome: &Outcome) -> String {
    if let Outcome::Refused(error) | Outcome::Unknown(error) = outcome {
        silent(error);
    }
    let unknown = matches!(outcome, Outcome::Unknown(_));
    assert_eq!(unknown, outcome.code() == "store_outcome_unknown", "{outcome:?}");
    outcome.code().to_owned()
}

/// The code of a failed read, after a look at its error.
pub(crate) fn failure<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    let error = result.unwrap_err();
    silent(&error);
    error.code().as_str().to_owned()
}

/// The same for a store's own error.
pub(crate) fn store_failure<T>(result: Result<T, StoreError>) -> String {
    let Err(error) = result else { panic!("that went well") };
    silent(&error);
    error.kind.code().as_str().to_owned()
}

/// Nothing that an error says, in any way of asking, tells of players, payloads, passwords or places.
pub(crate) fn silent(error: &(dyn std::error::Error + 'static)) {
    let mut said = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        write!(said, "{error}\n{error:?}\n{error:#?}\n").unwrap();
        next = error.source();
    }
    let said = said.to_lowercase();
    let found = UNSAID.iter().find(|word| said.contains(*word));
    assert!(found.is_none(), "an error says `{}`: {said}", found.unwrap());
}

pub(crate) fn xp<S: Store>(engine: &Engine<S>, player: &str) -> u64 {
    engine.player(&PlayerId::new(player).unwrap()).unwrap().map_or(0, |player| player.xp)
}

/// What the board of all time shows of each, after everything that was committed.
pub(crate) fn board<S: Store + Boards>(engine: &Engine<S>) -> Vec<(String, u64)> {
    engine.catch_up().unwrap();
    let rows = engine.board("xp").unwrap().top(Window::AllTime, 1_000, now(0)).unwrap();
    let mut shown: Vec<_> = rows.iter().map(|row| (row.owner.to_string(), u64::try_from(row.score).unwrap())).collect();
    shown.sort();
    shown
}

/// A connection of our own, for what a client program cannot say.
pub(crate) fn raw(redis: &Redis) -> redis::Connection {
    redis::Client::open(redis.url()).unwrap().get_connection().unwrap()
}
