//! Requests and replies that are lost, late or cut in half, and servers that are stopped or not there: what was sent and not answered
//! is unknown, everything else is not, and sending it again settles it.

use std::time::Duration;

use liveops_core::error::StoreError;
use liveops_core::record::{ChangeSet, CommitOutcome, Header, Horizon};
use liveops_core::store::{Loaded, by_load_and_commit};
use liveops_core::{Engine, Key, Plan, Timestamp};
use liveops_testbed::{Fault, Postgres, Proxy};

use crate::game::{Store, at, fresh, open, options, player, rules, server, xp};

const TIMEOUT: Duration = Duration::from_secs(1);
/// How often what is to work at last is tried.
const PATIENCE: usize = 20;

fn now() -> Timestamp {
    at("2026-11-06T12:00:00Z")
}

fn behind(proxy: &Proxy, game: &str) -> Engine<Store> {
    Engine::open(rules(game), open(&proxy.url(), options(game).timeout(TIMEOUT))).unwrap()
}

fn submit<S: liveops_core::Store>(engine: &Engine<S>, id: &str, amount: i64) -> (String, String) {
    let outcome = engine.submit_ndjson(&xp(id, "ana", amount, now()), now()).remove(0);
    (outcome.status().to_owned(), outcome.code().to_owned())
}

/// Sent again, for as long as a busy machine has no time to connect.
fn submit_again<S: liveops_core::Store>(engine: &Engine<S>, id: &str, amount: i64) -> (String, String) {
    let told = |_| Some(submit(engine, id, amount)).filter(|(_, code)| code != "store_unavailable");
    (0..PATIENCE).find_map(told).unwrap_or_else(|| is("refused", "store_unavailable"))
}

fn is(status: &str, code: &str) -> (String, String) {
    (status.to_owned(), code.to_owned())
}

fn xp_of(engine: &Engine<Store>) -> u64 {
    engine.record(&player("ana")).unwrap().map_or(0, |record| record.xp())
}

#[test]
fn a_commit_that_was_sent_and_not_answered_is_unknown_and_a_retry_settles_it() {
    let proxy = Proxy::start(server()).unwrap();
    let engine = behind(&proxy, &fresh("lost"));
    let late = Fault::Delay(TIMEOUT * 3);
    let cases = [
        (Fault::LoseRequest, "applied"),
        (Fault::HalfRequest, "applied"),
        (Fault::LoseReply, "replayed"),
        (Fault::HalfReply, "replayed"),
        (Fault::Hang, "replayed"),
        (late, "replayed"),
    ];
    for (number, (fault, settled)) in cases.into_iter().enumerate() {
        let id = format!("sent-{number}");
        // The load names it first.
        proxy.order(&id, 1, fault);
        assert_eq!(submit(&engine, &id, 10), is("unknown", "store_outcome_unknown"), "{fault:?}");
        assert_eq!(proxy.faults(), number as u64 + 1, "{fault:?} happened");
        assert_eq!(submit_again(&engine, &id, 10).1, settled, "{fault:?}");
        assert_eq!(submit_again(&engine, &id, 10).1, "replayed", "{fault:?}");
        assert_eq!(xp_of(&engine), 10 * (number as u64 + 1), "{fault:?}");
    }
    engine.catch_up().unwrap();
    let board = engine.board("xp").unwrap().top(liveops_core::Window::Daily, 10, now()).unwrap();
    assert_eq!(board[0].score, 60, "boards hear of what was committed without our knowing");
}

#[test]
fn a_load_that_fails_is_unavailable_and_nothing_was_sent() {
    let proxy = Proxy::start(server()).unwrap();
    let engine = behind(&proxy, &fresh("load"));
    let late = Fault::Delay(TIMEOUT * 3);
    let faults = [Fault::LoseRequest, Fault::HalfRequest, Fault::LoseReply, Fault::HalfReply, Fault::Hang, late];
    for (number, fault) in faults.into_iter().enumerate() {
        let id = format!("asked-{number}");
        proxy.order(&id, 0, fault);
        assert_eq!(submit(&engine, &id, 10), is("refused", "store_unavailable"), "{fault:?}");
        assert_eq!(proxy.faults(), number as u64 + 1, "{fault:?} happened");
        assert_eq!(submit_again(&engine, &id, 10).1, "applied", "{fault:?}");
    }
    assert_eq!(xp_of(&engine), 60);
}

#[test]
fn who_cannot_connect_is_told_so_and_connects_later() {
    let proxy = Proxy::start(server()).unwrap();
    let game = fresh("refused");
    let engine = behind(&proxy, &game);
    proxy.refuse();
    proxy.cut();
    assert_eq!(submit(&engine, "e1", 10), is("refused", "store_unavailable"));
    let refused = liveops_postgres::PostgresStore::connect_blocking(&proxy.url(), options(&game).timeout(TIMEOUT));
    assert_eq!(refused.err().unwrap().kind, liveops_core::error::StoreErrorKind::Unavailable);
    proxy.pass();
    assert_eq!(submit_again(&engine, "e1", 10), is("applied", "applied"));
    // Connections that died while nobody used them.
    proxy.cut();
    let (_, code) = submit(&engine, "e2", 10);
    assert!(code == "applied" || code == "store_unavailable", "{code}: never unknown, since nothing was sent");
    assert_ne!(submit_again(&engine, "e2", 10).0, "refused");
    assert_eq!(xp_of(&engine), 20);
}

#[test]
fn a_pool_with_nothing_free_says_so_in_time() {
    let proxy = Proxy::start(server()).unwrap();
    let game = fresh("pool");
    let store = open(&proxy.url(), options(&game).connections(1).timeout(TIMEOUT));
    let engine = Engine::open(rules(&game), store).unwrap();
    proxy.order("held-up", 0, Fault::Hang);
    let codes: Vec<String> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|n| {
                let engine = &engine;
                scope.spawn(move || submit(engine, &format!("held-up-{n}"), 1).1)
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert_eq!(proxy.faults(), 1);
    assert!(codes.iter().any(|code| code == "store_unavailable"), "{codes:?}");
    assert!(codes.iter().all(|code| code == "store_unavailable" || code == "applied"), "{codes:?}");
    for n in 0..4 {
        let (status, _) = submit_again(&engine, &format!("held-up-{n}"), 1);
        assert!(status == "applied" || status == "replayed", "{status}");
    }
    assert_eq!(xp_of(&engine), 4);
}

/// Stops the server between a load and its commit.
struct Stopping<'s>(&'s Store, &'s Postgres);

impl liveops_core::Store for Stopping<'_> {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        self.0.load(keys)
    }
    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        self.1.stop().unwrap();
        self.0.commit(batch)
    }
    fn drive(&self, plan: &mut Plan<'_>) {
        by_load_and_commit(self, plan);
    }
    fn round_players(&self) -> usize {
        self.0.round_players()
    }
    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.0.advance(to)
    }
    fn header(&self) -> Result<Header, StoreError> {
        self.0.header()
    }
    fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        self.0.replace_header(expected, new)
    }
}

#[test]
fn a_server_that_stands_still_is_waited_for_no_longer_than_asked() {
    use liveops_core::Store as _;

    let server = Postgres::start(&[]).unwrap();
    let store = open(&server.url(), options("still").timeout(TIMEOUT));
    let engine = Engine::open(rules("still"), store).unwrap();
    assert_eq!(submit(&engine, "e0", 10), is("applied", "applied"));
    let stopping = Engine::new(rules("still"), Stopping(engine.store(), &server));
    assert_eq!(submit(&stopping, "e1", 10), is("unknown", "store_outcome_unknown"), "sent over an open connection");
    assert_eq!(submit(&engine, "e2", 10), is("refused", "store_unavailable"), "not even asked");
    assert_eq!(
        engine.store().load(&[Key::Horizon])[0].as_ref().unwrap_err().kind,
        liveops_core::error::StoreErrorKind::Unavailable
    );
    server.cont().unwrap();
    for id in ["e1", "e2"] {
        let (status, _) = submit_again(&engine, id, 10);
        assert!(status == "applied" || status == "replayed", "{id} is {status}");
        assert_eq!(submit_again(&engine, id, 10).1, "replayed");
    }
    assert_eq!(xp_of(&engine), 30);
}

#[test]
fn an_advance_whose_reply_is_lost_was_made_or_not_and_can_be_made_again() {
    let proxy = Proxy::start(server()).unwrap();
    let game = fresh("advance");
    let engine = behind(&proxy, &game);
    assert_eq!(submit(&engine, "e1", 10).1, "applied");
    let mut hour = 0;
    let mut advance = |at: &str, fault: Fault| {
        hour += 1;
        let to = now().plus_millis(hour * 3_600_000);
        proxy.order(at, 0, fault);
        let failed = engine.advance(to).err().map(|error| error.code().to_string());
        proxy.pass();
        // A machine that is busy may take longer to connect again than this engine waits.
        let again = (0..20).find_map(|_| engine.advance(to).ok());
        assert_eq!(again.map(|horizon| horizon.now), Some(to), "made again after {fault:?} at {at}");
        failed
    };
    for fault in [Fault::LoseRequest, Fault::HalfRequest, Fault::LoseReply, Fault::HalfReply, Fault::Hang] {
        let failed = advance("LOCK TABLE liveops.horizon", fault);
        assert!(
            matches!(failed.as_deref(), Some("store_unavailable" | "store_outcome_unknown")),
            "{fault:?}: {failed:?}"
        );
    }
    // It may hit another's last word, who looks after the outbox, say: until it is that of an advance.
    for fault in [Fault::LoseRequest, Fault::LoseReply, Fault::Hang] {
        let failed = (0..10).find_map(|_| advance("COMMIT", fault));
        assert_eq!(failed.as_deref(), Some("store_outcome_unknown"), "{fault:?}");
    }
}
