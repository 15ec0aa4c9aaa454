//! Servers and writers die at random points: nothing that was acknowledged is lost, nothing counts twice.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use liveops_redis::RedisStore;
use liveops_testbed::rivals::{self, Report, Rivals};
use liveops_testbed::{Redis, RedisCluster};

use crate::common::{Game, KEEPING, answers, board, game, open, open_cluster, options, rules, server, xp};

const WRITERS: usize = 3;
const KILLS: u64 = 40;
const CLUSTER_KILLS: u64 = 12;
const URL: &str = "LIVEOPS_RIVAL_URL";
const GAME: &str = "LIVEOPS_RIVAL_GAME";
const OPEN_MILLIS: u64 = 20;

#[test]
fn kills_lose_nothing_and_repeat_nothing() {
    let mut redis = Redis::start(KEEPING).unwrap();
    let (url, game, seed) = (redis.url(), game("kills"), rivals::seed());
    println!("LIVEOPS_SEED={seed}");
    let command = || writer_of(&url, &game);
    drop(open(&url, options(&game)));
    let mut rivals = Rivals::start(WRITERS, seed, &command).unwrap();
    let killed = rivals.kill(rivals::kills(KILLS), &command, || {
        redis.kill9()?;
        redis.restart()
    });
    killed.unwrap();
    let engine = open(&url, options(&game).timeout(Duration::from_secs(10)));
    let report = rivals.settle(|events| answers(&engine, events)).unwrap();
    println!("{report:#?}");
    assert!(report.hit_work(), "the kills hit nobody at work");
    exact(&engine, &report);
}

/// The same over a cluster: masters die, one after the other.
#[test]
fn kills_in_a_cluster_lose_nothing_and_repeat_nothing() {
    let mut cluster = RedisCluster::start(3, 0, KEEPING).unwrap();
    let (urls, game, seed) = (cluster.urls(), game("cluster kills"), rivals::seed());
    println!("LIVEOPS_SEED={seed}");
    let command = || writer_of(&urls.join(" "), &game);
    let engine = open_cluster(&urls, &options(&game).timeout(Duration::from_secs(10)));
    let mut rivals = Rivals::start(WRITERS, seed, &command).unwrap();
    let mut victims = (0..urls.len()).cycle();
    let killed = rivals.kill(rivals::kills(CLUSTER_KILLS), &command, || {
        let master = &mut cluster.nodes_mut()[victims.next().unwrap_or_default()];
        master.kill9()?;
        master.restart()
    });
    killed.unwrap();
    cluster.whole().unwrap();
    let report = rivals.settle(|events| answers(&engine, events)).unwrap();
    println!("{report:#?}");
    assert!(report.hit_work(), "the kills hit nobody at work");
    exact(&engine, &report);
}

/// No kills: three processes get at the same players, and at each other's decisions.
#[test]
fn processes_race_on_the_same_players() {
    let (url, game, seed) = (server().url(), game("race"), rivals::seed());
    println!("LIVEOPS_SEED={seed}");
    let engine = open(&url, options(&game).timeout(Duration::from_secs(10)));
    let rivals = Rivals::start(WRITERS, seed, &|| writer_of(&url, &game)).unwrap();
    rivals.work(2_000).unwrap();
    // One that reads meanwhile.
    assert!(!board(&engine).is_empty());
    let report = rivals.settle(|events| answers(&engine, events)).unwrap();
    println!("{report:#?}");
    assert!(report.acknowledged >= 2_000 * WRITERS as u64);
    exact(&engine, &report);
}

/// Nothing lost, and every sum as the events say: in the store, on a board that followed, and on one that is built anew.
fn exact(engine: &Game, report: &Report) {
    assert_eq!(report.lost, 0, "acknowledged, and not there");
    let stored: BTreeMap<String, u64> = report.xp.keys().map(|player| (player.clone(), xp(engine, player))).collect();
    assert_eq!(stored, report.xp, "sums of the store");
    assert_eq!(BTreeMap::from_iter(board(engine)), report.xp, "sums of a board");
}

fn writer_of(url: &str, game: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "kills::writer", "--ignored", "--nocapture"]);
    command.env(URL, url).env(GAME, game).stderr(Stdio::null());
    command
}

#[test]
#[ignore = "a process that others start and kill"]
fn writer() {
    if !rivals::is_writer() {
        return;
    }
    let (url, game) = (std::env::var(URL).unwrap(), std::env::var(GAME).unwrap());
    // The server may be dead just now.
    let engine = loop {
        let store = match url.split(' ').collect::<Vec<_>>()[..] {
            [url] => RedisStore::connect_blocking(url, options(&game)),
            ref urls => RedisStore::connect_cluster_blocking(urls.iter().copied(), options(&game)),
        };
        match store.map_err(Into::into).and_then(|store| liveops_core::Engine::open(rules(), store)) {
            Ok(engine) => break engine,
            Err(_) => std::thread::sleep(Duration::from_millis(OPEN_MILLIS)),
        }
    };
    rivals::write(|events| answers(&engine, events)).unwrap();
}
