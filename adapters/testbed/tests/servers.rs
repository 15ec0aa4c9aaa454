//! Servers start, answer, are killed and stopped, keep what they should, and end with us.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use liveops_testbed::{Authority, ClientCertificate, Postgres, Redis, RedisCluster};

#[test]
fn redis_keeps_what_it_said_it_kept() {
    let mut redis = Redis::start(&["--appendonly", "yes", "--appendfsync", "always"]).unwrap();
    let first = redis.pid();
    assert_eq!(redis.cli(&["set", "key", "value"]).unwrap(), "OK");
    redis.kill9().unwrap();
    assert!(redis.pid().is_none());
    assert!(redis.cli(&["get", "key"]).is_err());
    redis.restart().unwrap();
    assert_ne!(redis.pid(), first);
    assert_eq!(redis.cli(&["get", "key"]).unwrap(), "value");
    assert!(redis.cli(&["no such command"]).is_err());
    redis.stop().unwrap();
    redis.cont().unwrap();
    assert_eq!(redis.cli(&["ping"]).unwrap(), "PONG");
    if cfg!(target_os = "linux") {
        assert!(redis.processor_ns().unwrap() > 0);
    }
}

#[test]
fn redis_speaks_tls() {
    let authority = Authority::new().unwrap();
    let redis = Redis::start_tls(&authority, ClientCertificate::Required, &["--requirepass", "word"]).unwrap();
    assert!(redis.cli(&["-a", "word", "--no-auth-warning", "ping"]).unwrap().ends_with("PONG"));
    assert!(redis.url_with("word").starts_with("rediss://:word@127.0.0.1:"));
}

#[test]
fn a_cluster_moves_slots_and_promotes_replicas() {
    let mut cluster = RedisCluster::start(3, 1, &[]).unwrap();
    assert_eq!((cluster.urls().len(), cluster.nodes().len()), (3, 6));
    let slot = cluster.slot_of("{a}1").unwrap();
    let owner = cluster.owner_of(slot).unwrap();
    assert_eq!(cluster.nodes()[owner].cli(&["set", "{a}1", "one"]).unwrap(), "OK");
    let other = (owner + 1) % 3;
    cluster.move_slot(slot, other).unwrap();
    assert_eq!(cluster.owner_of(slot).unwrap(), other);
    assert_eq!(cluster.nodes()[other].cli(&["get", "{a}1"]).unwrap(), "one");

    let replica = cluster.replica_of(other).unwrap();
    assert!(replica >= 3);
    cluster.replicated(other, replica).unwrap();
    cluster.nodes_mut()[other].kill9().unwrap();
    cluster.promote(replica).unwrap();
    assert_eq!(cluster.owner_of(slot).unwrap(), replica);
    cluster.whole().unwrap();
    assert_eq!(cluster.nodes()[replica].cli(&["get", "{a}1"]).unwrap(), "one");
}

#[test]
fn postgres_keeps_what_it_said_it_kept() {
    let mut postgres = Postgres::start(&["log_min_messages=warning"]).unwrap();
    postgres.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)").unwrap();
    let before = postgres.pids();
    assert!(before.len() > 1);
    postgres.kill9().unwrap();
    assert!(postgres.sql("SELECT 1").is_err());
    postgres.restart().unwrap();
    assert!(postgres.pids().iter().all(|pid| !before.contains(pid)));
    assert_eq!(postgres.sql("SELECT sum(a), count(*) FROM t").unwrap(), "3|2");
    assert!(postgres.sql("SELECT nonsense").unwrap_err().contains("nonsense"));
    postgres.stop().unwrap();
    postgres.cont().unwrap();
    assert_eq!(postgres.sql("SHOW server_encoding").unwrap(), "UTF8");
    if cfg!(target_os = "linux") {
        assert!(postgres.processor_ns().unwrap() > 0);
    }
}

#[test]
fn postgres_is_restored_from_a_backup_and_from_a_dump() {
    let postgres = Postgres::start(&[]).unwrap();
    postgres.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)").unwrap();
    let backup = postgres.backup().unwrap();
    let other = Postgres::start(&[]).unwrap();
    postgres.dump_into(&other).unwrap();
    postgres.sql("INSERT INTO t VALUES (3)").unwrap();
    let system = |server: &Postgres| server.sql("SELECT system_identifier FROM pg_control_system()").unwrap();
    let count = |server: &Postgres| server.sql("SELECT count(*) FROM t").unwrap();
    assert_eq!([count(&postgres), count(&backup), count(&other)], ["3", "2", "2"]);
    assert_eq!(system(&postgres), system(&backup));
}

#[test]
fn postgres_speaks_tls() {
    let authority = Authority::new().unwrap();
    let postgres = Postgres::start_tls(&authority, ClientCertificate::NotAsked, "it's secret", &[]).unwrap();
    assert_eq!(postgres.sql("SHOW ssl").unwrap(), "on");
    assert!(postgres.tls_url("x").unwrap().contains("hostaddr=127.0.0.1"));
}

/// Killed, it can clean up nothing itself.
#[test]
fn servers_end_with_the_process_that_started_them() {
    for kind in ["redis", "postgres"] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_liveops-testbed"))
            .arg(kind)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(program.stdout.take().unwrap()).read_line(&mut url).unwrap();
        let path = url.split([' ', '=']).find_map(|word| word.trim().rsplit_once("unix://").map(|(_, path)| path));
        let path = path.or_else(|| url.strip_prefix("host=")?.split(' ').next()).unwrap().to_owned();
        let folder = Path::new(&path).ancestors().find(|folder| folder.is_dir()).unwrap().to_owned();
        assert!(folder.join("log").is_file(), "{url}: no server in {}", folder.display());
        program.kill().unwrap();
        program.wait().unwrap();
        let gone = (0..1_000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            !folder.exists()
        });
        assert!(gone, "{} is still there", folder.display());
    }
}
