//! A cluster: slots that move under load, a shard that is away.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use liveops_testbed::RedisCluster;

use crate::common::{KEEPING, board, game, line, one, open_cluster, options, send, xp};

const PARTITIONS: u16 = 8;
const MOVES: usize = 8;
const WRITERS: usize = 3;
const ATTEMPTS_MAX: usize = 200;

#[test]
fn slots_move_under_load_and_every_sum_is_exact() {
    let cluster = RedisCluster::start(3, 0, KEEPING).unwrap();
    let game = "moves";
    let engines: Vec<_> = (0..WRITERS).map(|_| open_cluster(&cluster.urls(), &options(game))).collect();
    let (done, moving) = (AtomicBool::new(false), AtomicBool::new(false));
    let (during, unsettled) = (AtomicU64::new(0), AtomicU64::new(0));
    let rounds = std::thread::scope(|scope| {
        let write = |writer: usize| {
            let engine = &engines[writer];
            let mut round = 0;
            while !done.load(Ordering::Relaxed) {
                let lines: Vec<String> = (0..12)
                    .map(|at| line(&format!("evt-{writer}-{round}-{at}"), &format!("zoe-{}", (round + at) % 23), 1))
                    .collect();
                let mut left = lines;
                for attempt in 0.. {
                    assert!(attempt < ATTEMPTS_MAX, "never settled");
                    let codes = send(engine, &left.concat());
                    let is_settled = |code: &str| ["applied", "replayed"].contains(&code);
                    let strange = codes.iter().find(|code| {
                        !is_settled(code)
                            && !["store_unavailable", "store_outcome_unknown", "contended"].contains(&code.as_str())
                    });
                    assert_eq!(strange, None);
                    let settled = codes.iter().filter(|code| is_settled(code)).count() as u64;
                    if moving.load(Ordering::Relaxed) {
                        during.fetch_add(settled, Ordering::Relaxed);
                    }
                    left = left
                        .into_iter()
                        .zip(codes)
                        .filter(|(_, code)| !is_settled(code))
                        .map(|(line, _)| line)
                        .collect();
                    if left.is_empty() {
                        break;
                    }
                    unsettled.fetch_add(left.len() as u64, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(10));
                }
                round += 1;
            }
            round
        };
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
        for step in 0..MOVES {
            let slot = cluster.slot_of(&format!("lo:{{{game}:{}}}:m", step % usize::from(PARTITIONS))).unwrap();
            let to = (cluster.owner_of(slot).unwrap() + 1) % 3;
            std::thread::sleep(Duration::from_millis(150));
            moving.store(true, Ordering::Relaxed);
            cluster.move_slot(slot, to).unwrap();
            moving.store(false, Ordering::Relaxed);
            assert_eq!(cluster.owner_of(slot).unwrap(), to);
        }
        std::thread::sleep(Duration::from_millis(150));
        done.store(true, Ordering::Relaxed);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect::<Vec<usize>>()
    });
    let mut sums = BTreeMap::new();
    for round in rounds.iter().flat_map(|rounds| 0..*rounds) {
        for at in 0..12 {
            *sums.entry(format!("zoe-{}", (round + at) % 23)).or_insert(0) += 1;
        }
    }
    println!(
        "{MOVES} moves; {} events, {} of them settled during a move, {} sent again",
        sums.values().sum::<u64>(),
        during.load(Ordering::Relaxed),
        unsettled.load(Ordering::Relaxed)
    );
    assert!(during.load(Ordering::Relaxed) > 0, "nothing was written while slots moved");
    for engine in &engines {
        assert_eq!(BTreeMap::from_iter(board(engine)), sums);
    }
    let stored: BTreeMap<String, u64> = sums.keys().map(|player| (player.clone(), xp(&engines[0], player))).collect();
    assert_eq!(stored, sums);
}

/// A shard without a replica dies: its players wait, the others play on.
#[test]
fn a_shard_that_is_away_concerns_its_players_alone() {
    let arguments = [KEEPING, &["--cluster-require-full-coverage", "no"]].concat();
    let mut cluster = RedisCluster::start(3, 0, &arguments).unwrap();
    let game = game("shards");
    let engine = open_cluster(&cluster.urls(), &options(&game).partitions(16));
    let lines =
        |id: &str| -> String { (0..48).map(|at| line(&format!("evt-{id}-{at}"), &format!("zoe-{at}"), 5)).collect() };
    assert!(send(&engine, &lines("before")).iter().all(|code| code == "applied"));
    cluster.nodes_mut()[1].kill9().unwrap();
    // The first may find its connections gone only once it has sent.
    let first = send(&engine, &lines("first"));
    let away = |code: &&String| ["store_unavailable", "store_outcome_unknown"].contains(&code.as_str());
    assert!(first.iter().all(|code| code == "applied" || away(&code)), "{first:?}");
    let during = send(&engine, &lines("during"));
    let waiting = during.iter().filter(away).count();
    assert!(waiting > 0 && waiting < 48, "{during:?}");
    assert_eq!(during.iter().filter(|code| *code == "applied").count(), 48 - waiting, "{during:?}");
    cluster.nodes_mut()[1].restart().unwrap();
    cluster.whole().unwrap();
    for (id, codes) in [("before", vec![]), ("first", first), ("during", during)] {
        let again = send(&engine, &lines(id));
        for (at, code) in again.iter().enumerate() {
            let expected: &[&str] = match codes.get(at).map(String::as_str) {
                None | Some("applied") => &["replayed"],
                Some("store_unavailable") => &["applied"],
                _ => &["applied", "replayed"],
            };
            assert!(expected.contains(&code.as_str()), "{id} {at}: {code}");
        }
    }
    assert_eq!(board(&engine), {
        let mut all: Vec<_> = (0..48).map(|at| (format!("zoe-{at}"), 15)).collect();
        all.sort();
        all
    });
    assert_eq!(one(&engine, "evt-last", "zoe-0", 1), "applied");
}
