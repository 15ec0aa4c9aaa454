//! A master is lost and its replica takes over: what is lost with it, and how to forbid that.

use std::time::Duration;

use liveops_testbed::RedisCluster;

use crate::common::{Game, KEEPING, board, line, open_cluster, options, send, xp};

const PLAYERS: u64 = 24;

fn lines(id: &str) -> String {
    let xp = if id == "other" { 3 } else { 5 };
    (0..PLAYERS).map(|at| line(&format!("evt-{id}-{at}"), &format!("zoe-{at}"), xp)).collect()
}

fn count(codes: &[String], code: &str) -> usize {
    codes.iter().filter(|each| *each == code).count()
}

/// Everything until it is settled: after a failover it takes a cluster a while until each node knows.
fn settle(engine: &Game, id: &str) -> Vec<String> {
    let mut settled = vec![String::new(); usize::try_from(PLAYERS).unwrap()];
    for _ in 0..200 {
        let codes = send(engine, &lines(id));
        for (at, code) in codes.into_iter().enumerate() {
            if settled[at].is_empty() && ["applied", "replayed"].contains(&code.as_str()) {
                settled[at] = code;
            }
        }
        if settled.iter().all(|code| !code.is_empty()) {
            return settled;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("never settled: {settled:?}");
}

/// One partition, so that one master has everybody. Its replica is cut off while `late` is sent; then the master is lost
/// and the replica promoted.
fn lose_a_master(replicas: u16, game: &str) -> (RedisCluster, Game, [usize; 2], Vec<String>) {
    let mut cluster = RedisCluster::start(3, 1, KEEPING).unwrap();
    let patient = options(game).partitions(1).replicas(replicas).timeout(Duration::from_secs(1));
    let engine = open_cluster(&cluster.urls(), patient);
    assert_eq!(count(&send(&engine, &lines("early")), "applied"), 24);
    let slot = cluster.slot_of(&format!("lo:{{{game}:0}}:m")).unwrap();
    let master = cluster.owner_of(slot).unwrap();
    let replica = cluster.replica_of(master).unwrap();
    assert_eq!(cluster.nodes()[master].cli(&["wait", "1", "5000"]).unwrap(), "1");

    cluster.nodes()[replica].stop().unwrap();
    // What the system has in its buffers for it goes with the connection.
    cluster.nodes()[master].cli(&["client", "kill", "type", "replica"]).unwrap();
    let late = send(&engine, &lines("late"));
    cluster.nodes_mut()[master].kill9().unwrap();
    cluster.nodes()[replica].cont().unwrap();
    cluster.promote(replica).unwrap();
    (cluster, engine, [master, replica], late)
}

#[test]
fn with_a_replica_asked_for_nothing_acknowledged_is_lost() {
    let (mut cluster, engine, [old, new], late) = lose_a_master(1, "asked");
    assert_eq!(count(&late, "store_outcome_unknown"), 24, "{late:?}");
    // A master without a replica can promise nothing; the old one comes back as its replica.
    assert_eq!(xp(&engine, "zoe-0"), 5, "the replica had what it was not sent");
    let alone = send(&engine, &lines("alone"));
    assert_eq!(count(&alone, "applied"), 0, "{alone:?}");
    cluster.nodes_mut()[old].restart().unwrap();
    // Nothing was written on this connection: it waits until there is a replica at all.
    assert_eq!(cluster.nodes()[new].cli(&["wait", "1", "30000"]).unwrap(), "1");
    cluster.whole().unwrap();
    settle(&engine, "alone");
    let (early, late) = (settle(&engine, "early"), settle(&engine, "late"));
    println!(
        "asked for a replica: of 24 acknowledged 0 lost; of 24 unknown {} had to be done again",
        count(&late, "applied")
    );
    assert_eq!(count(&early, "replayed"), 24, "{early:?}");
    assert_eq!(count(&late, "applied"), 24, "{late:?}");
    exact(&engine, 15);
}

#[test]
fn without_one_a_failover_loses_what_had_not_arrived_whole() {
    let (_cluster, engine, _, late) = lose_a_master(0, "unasked");
    assert_eq!(count(&late, "applied"), 24, "{late:?}");
    // As many others take the places in the outbox that the lost ones had: whoever followed has seen the lost ones there.
    assert_eq!(count(&settle(&engine, "other"), "applied"), 24);
    assert!(board(&engine).iter().all(|(_, score)| *score == 8), "a board shows what was lost");
    let (early, late) = (settle(&engine, "early"), settle(&engine, "late"));
    println!("asked for none: of 48 acknowledged {} lost", count(&late, "applied") + count(&early, "applied"));
    assert_eq!(count(&early, "replayed"), 24, "{early:?}");
    // Each was lost with all that it had done, so that it is done again, once.
    assert_eq!(count(&late, "applied"), 24, "{late:?}");
    exact(&engine, 13);
}

/// Sums as everything had happened once, in the store and on a board that had shown what was lost.
fn exact(engine: &Game, sum: u64) {
    for at in 0..PLAYERS {
        assert_eq!(xp(engine, &format!("zoe-{at}")), sum);
    }
    assert!(board(engine).iter().all(|(_, score)| *score == sum));
}
