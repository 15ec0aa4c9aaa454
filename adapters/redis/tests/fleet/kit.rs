//! What every store promises, over one server and over a cluster, in one partition and in many.

use std::sync::OnceLock;

use liveops_adapters::Runtime;
use liveops_core::store::{BlockOn as _, FullStore};
use liveops_core::{Key, conformance};
use liveops_redis::{Options, RedisStore};
use liveops_testbed::RedisCluster;

use crate::common::{Blocked, KEEPING, game, raw, server};

/// The kit lives in times of its own.
fn options(partitions: u16) -> Options {
    Options::new(game("kit")).partitions(partitions).clock_ahead_max(None)
}

fn open(options: Options) -> Blocked {
    RedisStore::connect_blocking(&server().url(), options).unwrap()
}

fn checks<S: FullStore + 'static>(new_store: impl Fn(Option<usize>) -> S) {
    conformance::check(|| Box::new(new_store(None)));
    conformance::check_scan(|| new_store(None));
    conformance::check_boards(|| new_store(None));
    conformance::check_boards(|| new_store(Some(conformance::WHOLE_FEED_LEN)));
    conformance::check_feed(|len_max| new_store(Some(len_max)));
    conformance::check_whole(|len_max| new_store(Some(len_max)));
}

fn with_feed(options: Options, len_max: Option<usize>) -> Options {
    match len_max {
        Some(len_max) => options.feed(len_max as u64),
        None => options,
    }
}

#[test]
fn kit_of_tails() {
    for (name, check) in conformance::tail_checks() {
        println!("{name}");
        check(&open(options(1)));
        check(&open(options(64).feed(conformance::WHOLE_FEED_LEN as u64)));
        check(&RedisStore::connect_cluster_blocking(cluster().urls(), options(7)).unwrap());
    }
}

#[test]
fn kit_in_one_partition() {
    checks(|len_max| open(with_feed(options(1), len_max)));
}

#[test]
fn kit_in_many_partitions() {
    checks(|len_max| open(with_feed(options(64), len_max)));
}

#[test]
fn kit_while_it_waits() {
    let runtime = Runtime::new(2).unwrap();
    let connect = || runtime.block_on(RedisStore::connect(&server().url(), options(3))).unwrap().unwrap();
    conformance::check_async(connect, || Runtime::new(1).unwrap());
}

/// Three masters, of tests that do them no harm.
pub(crate) fn cluster() -> &'static RedisCluster {
    static CLUSTER: OnceLock<RedisCluster> = OnceLock::new();
    CLUSTER.get_or_init(|| RedisCluster::start(3, 0, KEEPING).unwrap())
}

#[test]
fn kit_in_a_cluster() {
    checks(|len_max| RedisStore::connect_cluster_blocking(cluster().urls(), with_feed(options(7), len_max)).unwrap());
}

#[test]
fn kit_opened_again() {
    for partitions in [1, 64] {
        let options = options(partitions).feed(conformance::WHOLE_FEED_LEN as u64);
        conformance::check_reopen(|| open(options.clone()));
    }
}

/// Puts bytes in the place of a record's in a game of one partition.
fn put(game: &str, key: &Key, bytes: &[u8]) {
    let (field, bytes) = match key {
        Key::Player(_) => ("p".to_owned(), bytes.to_vec()),
        // Behind a time that is not forgotten.
        Key::Outcome(_, id) => (format!("o0{}", id.id), [&b"18446744073709551615"[..], bytes].concat()),
        _ => unreachable!(),
    };
    let player = format!("lo:{{{}:0}}:p:{}", game.replace(' ', "%20"), key.player().unwrap());
    let new: i64 = redis::cmd("HSET").arg(player).arg(field).arg(bytes).query(&mut raw(server())).unwrap();
    assert_eq!(new, 0, "it was there");
}

#[test]
fn kit_damaged() {
    let name = game("damaged");
    let store = open(Options::new(&name).partitions(1).clock_ahead_max(None));
    conformance::check_damage(&store, |_, key| put(&name, key, &[0; 30]));
    let name = game("newer");
    let store = open(Options::new(&name).partitions(1).clock_ahead_max(None));
    let kind = |key: &Key| if matches!(key, Key::Player(_)) { 1 } else { 2 };
    conformance::check_newer(&store, |_, key| put(&name, key, &[kind(key), 255, 7]));
}
