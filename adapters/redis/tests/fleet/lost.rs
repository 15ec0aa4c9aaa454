//! Answers that do not come: an unknown outcome is called unknown, and a retry settles it.

use std::collections::BTreeMap;
use std::time::Duration;

use liveops_core::Engine;
use liveops_core::error::StoreError;
use liveops_core::plan::Plan;
use liveops_core::record::{ChangeSet, CommitOutcome, Header, Horizon, Key};
use liveops_core::store::{Loaded, Store, by_load_and_commit};
use liveops_testbed::rivals;
use liveops_testbed::{Fault, Proxy, Redis};

use crate::common::{
    Blocked, Game, KEEPING, board, failure, game, line, now, one, open, options, rules, send, server, xp,
};

/// Beyond the patience of a store.
const LATE: Fault = Fault::Delay(Duration::from_secs(2));
/// The load of a batch goes before its commit; both name its events.
const LOAD: u64 = 0;
const COMMIT: u64 = 1;

/// A store behind a proxy, warm: its scripts are known.
fn behind(test: &str) -> (Proxy, Game, String) {
    let proxy = Proxy::start(server()).unwrap();
    let game = game(test);
    let engine = open(&proxy.url(), options(&game));
    assert_eq!(one(&engine, "evt-warm", "zoe-warm", 1), "applied");
    (proxy, engine, game)
}

#[test]
fn a_commit_without_an_answer_is_unknown_and_a_retry_settles_it() {
    let (proxy, engine, game) = behind("commits");
    let mut sum = 0;
    for (fault, settled) in [
        (Fault::LoseRequest, "applied"),
        (Fault::HalfRequest, "applied"),
        (Fault::LoseReply, "replayed"),
        (Fault::HalfReply, "replayed"),
        (Fault::Hang, "replayed"),
        (LATE, "replayed"),
    ] {
        for round in 0..3 {
            let id = format!("evt-{}-{round}", settled.len() as u64 * 100 + sum);
            let before = proxy.faults();
            proxy.order(&id, COMMIT, fault);
            assert_eq!(one(&engine, &id, "zoe", 7), "store_outcome_unknown", "{fault:?}");
            assert_eq!(proxy.faults(), before + 1);
            assert_eq!(one(&engine, &id, "zoe", 7), settled, "{fault:?}");
            sum += 7;
            assert_eq!(xp(&engine, "zoe"), sum);
        }
    }
    // What others see is no more and no less.
    let other = open(&server().url(), options(&game));
    assert_eq!(xp(&other, "zoe"), sum);
    assert_eq!(board(&other), board(&engine));
    assert_eq!(board(&other), [("zoe".to_owned(), sum), ("zoe-warm".to_owned(), 1)]);
}

#[test]
fn a_load_without_an_answer_changed_nothing_and_says_so() {
    let (proxy, engine, _) = behind("loads");
    for (at, fault) in [Fault::LoseRequest, Fault::HalfRequest, Fault::LoseReply, Fault::HalfReply, Fault::Hang, LATE]
        .iter()
        .enumerate()
    {
        let id = format!("evt-{at}");
        proxy.order(&id, LOAD, *fault);
        assert_eq!(one(&engine, &id, "zoe", 5), "store_unavailable", "{fault:?}");
        assert_eq!(one(&engine, &id, "zoe", 5), "applied", "{fault:?}");
    }
    assert_eq!(xp(&engine, "zoe"), 30);
}

/// Batches over several partitions and any fault anywhere, each sent until it is settled.
#[test]
fn whatever_is_lost_every_sum_is_exact() {
    let seed = rivals::seed();
    println!("LIVEOPS_SEED={seed}");
    let mut state = seed.max(1);
    let mut random = move |limit: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % limit
    };
    let (proxy, engine, game) = behind("sums");
    let (mut sums, mut unknown, mut settled) = (BTreeMap::from([("zoe-warm".to_owned(), 1)]), 0, BTreeMap::new());
    for round in 0..80 {
        let mut open = Vec::new();
        for number in 0..=random(9) {
            let (player, xp) = (format!("zoe-{}", random(11)), 1 + random(50));
            *sums.entry(player.clone()).or_default() += xp;
            open.push(line(&format!("evt-{round}-{number}"), &player, xp));
        }
        let mut doubtful = vec![false; open.len()];
        for attempt in 0.. {
            assert!(attempt < 20, "never settled");
            if attempt < 3 {
                let fault = match random(16) {
                    0 => Fault::Hang,
                    1..=3 => Fault::LoseRequest,
                    4..=6 => Fault::HalfRequest,
                    7..=10 => Fault::HalfReply,
                    _ => Fault::LoseReply,
                };
                proxy.order(format!("evt-{round}-"), random(3), fault);
            } else {
                proxy.pass();
            }
            let codes = send(&engine, &open.concat());
            let mut left = (Vec::new(), Vec::new());
            for ((line, code), doubt) in open.into_iter().zip(codes).zip(doubtful) {
                match code.as_str() {
                    "applied" | "replayed" => {
                        // Without a doubt before it, an event is new.
                        assert!(doubt || code == "applied", "{code}");
                        if doubt {
                            *settled.entry(code).or_insert(0) += 1;
                        }
                    }
                    "store_outcome_unknown" | "store_unavailable" => {
                        let lost = code == "store_outcome_unknown";
                        unknown += u64::from(lost);
                        left.0.push(line);
                        left.1.push(doubt || lost);
                    }
                    other => panic!("{other}"),
                }
            }
            (open, doubtful) = left;
            if open.is_empty() {
                break;
            }
        }
        proxy.pass();
    }
    println!("{} faults, {unknown} unknown outcomes, settled as {settled:?}", proxy.faults());
    assert!(settled.contains_key("applied") && settled.contains_key("replayed"), "both happened");
    let other =
        Engine::open(rules(), liveops_redis::RedisStore::connect_blocking(&server().url(), options(&game)).unwrap());
    let other = other.unwrap();
    for (player, sum) in &sums {
        assert_eq!(xp(&other, player), *sum);
    }
    assert_eq!(BTreeMap::from_iter(board(&other)), sums);
    assert_eq!(BTreeMap::from_iter(board(&engine)), sums);
}

#[test]
fn half_an_advance_is_finished_by_whoever_meets_it() {
    let (proxy, engine, game) = behind("advance");
    let lines: String = (0..40).map(|at| line(&format!("evt-{at}"), &format!("zoe-{at}"), 5)).collect();
    assert!(send(&engine, &lines).iter().all(|code| code == "applied"));
    let mut lost = 0;
    for flight in 0..6 {
        let to = now(3_600 + flight * 60);
        proxy.order("", u64::try_from(flight).unwrap(), Fault::LoseReply);
        match engine.advance_far(to) {
            Ok(_) => {}
            Err(error) => {
                let code = failure::<()>(Err(error));
                assert!(["store_unavailable", "store_outcome_unknown"].contains(&code.as_str()), "{code}");
                lost += 1;
            }
        }
        proxy.pass();
        // Another process, which knows nothing of it, goes on.
        let other = open(&server().url(), options(&game));
        let id = format!("evt-after-{flight}");
        assert_eq!(one(&other, &id, "zoe-0", 1), "applied");
        assert_eq!(one(&engine, &id, "zoe-0", 1), "replayed");
        assert_eq!(engine.advance_far(to).unwrap(), other.horizon().unwrap());
    }
    assert!(lost > 0, "nothing was lost");
    assert_eq!(xp(&engine, "zoe-0"), 11);
}

#[test]
fn connections_that_are_cut_come_back() {
    let (proxy, engine, _) = behind("cuts");
    for round in 0..10 {
        proxy.cut();
        let id = format!("evt-{round}");
        // The first call may find out that its connection is gone; nothing was sent on it then.
        let first = one(&engine, &id, "zoe", 1);
        assert!(["applied", "store_unavailable"].contains(&first.as_str()), "{first}");
        let expected = if first == "applied" { "replayed" } else { "applied" };
        assert_eq!(one(&engine, &id, "zoe", 1), expected);
    }
    proxy.refuse();
    proxy.cut();
    assert_eq!(one(&engine, "evt-refused", "zoe", 1), "store_unavailable");
    assert_eq!(one(&engine, "evt-refused", "zoe", 1), "store_unavailable");
    proxy.pass();
    assert_eq!(one(&engine, "evt-refused", "zoe", 1), "applied");
    assert_eq!(xp(&engine, "zoe"), 11);
}

/// Stops the server between load and commit.
struct Stopping<'a> {
    inner: &'a Blocked,
    redis: &'a Redis,
}

impl Store for Stopping<'_> {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        self.inner.load(keys)
    }

    fn commit(&self, sets: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        self.redis.stop().unwrap();
        self.inner.commit(sets)
    }

    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.inner.advance(to)
    }

    fn drive(&self, plan: &mut Plan<'_>) {
        by_load_and_commit(self, plan);
    }

    fn round_players(&self) -> usize {
        self.inner.round_players()
    }

    fn header(&self) -> Result<Header, StoreError> {
        self.inner.header()
    }

    fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        self.inner.replace_header(expected, new)
    }
}

#[test]
fn a_stopped_server_leaves_doubt_only_where_a_commit_was_sent() {
    let redis = Redis::start(KEEPING).unwrap();
    let engine = open(&redis.url(), options(&game("stopped")));
    assert_eq!(one(&engine, "evt-0", "zoe", 50), "applied");
    let stopping = Engine::new(rules(), Stopping { inner: engine.store(), redis: &redis });
    assert_eq!(one(&stopping, "evt-1", "zoe", 7), "store_outcome_unknown");
    assert_eq!(one(&engine, "evt-2", "zoe", 7), "store_unavailable");
    redis.cont().unwrap();
    assert_eq!(one(&engine, "evt-1", "zoe", 7), "replayed");
    assert_eq!(one(&engine, "evt-2", "zoe", 7), "applied");
    assert_eq!(xp(&engine, "zoe"), 64);
}

#[test]
fn a_server_that_is_gone_leaves_no_doubt() {
    let mut redis = Redis::start(KEEPING).unwrap();
    let engine = open(&redis.url(), options(&game("gone")));
    assert_eq!(one(&engine, "evt-0", "zoe", 50), "applied");
    redis.kill9().unwrap();
    for _ in 0..3 {
        assert_eq!(one(&engine, "evt-1", "zoe", 7), "store_unavailable");
    }
    redis.restart().unwrap();
    assert_eq!(one(&engine, "evt-1", "zoe", 7), "applied");
    assert_eq!(xp(&engine, "zoe"), 57);
    assert_eq!(board(&engine), [("zoe".to_owned(), 57)]);
}
