//! What befalls the keys of a game, and a server: each is said, and none leaves half a commit.

use std::time::Duration;

use liveops_core::record::Notice;
use liveops_core::{PlayerId, Window};
use liveops_redis::RedisStore;
use liveops_testbed::Redis;
use redis::Commands as _;

use crate::common::{
    Game, KEEPING, board, failure, game, line, now, one, open, options, raw, send, server, silent, store_failure, xp,
};

/// The keys of the only partition of a game, as they are stored.
fn key(game: &str, name: &str) -> String {
    format!("lo:{{{game}:0}}:{name}")
}

/// A store of one partition on a server that can be asked what it holds altogether.
fn alone(arguments: &[&str]) -> (Redis, Game) {
    let redis = Redis::start(&[arguments, &["--enable-debug-command", "local"]].concat()).unwrap();
    let engine = open(&redis.url(), options("faults").partitions(1));
    (redis, engine)
}

fn contents(redis: &Redis) -> String {
    redis.cli(&["debug", "digest"]).unwrap()
}

#[test]
fn a_key_of_the_wrong_type_is_said_and_nothing_is_half_written() {
    let bucket = format!("x:{}", now(0).as_unix_millis().div_euclid(900_000));
    for name in ["m", "f", "i", "e", "p:zoe", bucket.as_str()] {
        for others in [false, true] {
            let (redis, engine) = alone(&[]);
            assert_eq!(one(&engine, "evt-0", "zoe", 50), "applied");
            assert_eq!(one(&engine, "evt-0b", "zoe-too", 50), "applied");
            let key = key("faults", name);
            // The key of due marks is there only once somebody was erased.
            assert!(name == "e" || redis.cli(&["exists", &key]).unwrap() == "1", "{key} is not the layout's");
            redis.cli(&["del", &key]).unwrap();
            redis.cli(&["set", &key, "rubbish"]).unwrap();
            let before = contents(&redis);
            let mut lines = line("evt-1", "zoe", 60) + &line("evt-2", "zoe", 70);
            if others {
                lines += &(line("evt-3", "zoe-too", 5) + &line("evt-4", "zoe-new", 5));
            }
            let codes = send(&engine, &lines);
            println!("{name}: {codes:?}");
            // Whoever needs the key is told, and nothing is called unknown that is known. Nobody is due here, and who is known
            // needs no index.
            let whole = |player: &str| match name {
                "e" => true,
                "i" => !others,
                _ => name.starts_with("p:") && player != "zoe",
            };
            for (code, player) in codes.iter().zip(["zoe", "zoe", "zoe-too", "zoe-new"]) {
                assert_eq!(code, if whole(player) { "applied" } else { "store_corrupt" }, "{name}: {player}");
            }
            if codes.iter().all(|code| code == "store_corrupt") {
                assert_eq!(contents(&redis), before, "{name}: something was written");
            } else if name.starts_with("p:") {
                assert_eq!((xp(&engine, "zoe-too"), xp(&engine, "zoe-new")), (55, 5));
                assert_eq!(redis.cli(&["get", &key]).unwrap(), "rubbish");
            }
        }
    }
}

#[test]
fn without_memory_nothing_is_written_and_reads_go_on() {
    let (redis, engine) = alone(&[]);
    assert_eq!(one(&engine, "evt-0", "zoe", 50), "applied");
    redis.cli(&["config", "set", "maxmemory", "1mb"]).unwrap();
    let before = contents(&redis);
    let codes = send(&engine, &(line("evt-1", "zoe", 60) + &line("evt-1b", "zoe-too", 60)));
    assert_eq!(codes, ["store_full", "store_full"]);
    assert_eq!(contents(&redis), before);
    assert_eq!(xp(&engine, "zoe"), 50);
    assert_eq!(board(&engine), [("zoe".to_owned(), 50)]);
    redis.cli(&["config", "set", "maxmemory", "0"]).unwrap();
    assert_eq!(one(&engine, "evt-1", "zoe", 60), "applied");
}

#[test]
fn servers_that_would_forget_are_refused_at_open() {
    let open = |arguments: &[&str]| {
        let redis = Redis::start(arguments).unwrap();
        let keeping = liveops_redis::Options::new("faults").timeout(Duration::from_secs(2));
        RedisStore::connect_blocking(&redis.url(), keeping).map(drop)
    };
    assert_eq!(store_failure(open(&[])), "store_misconfigured");
    assert_eq!(store_failure(open(&[KEEPING, &["--maxmemory-policy", "allkeys-lru"]].concat())), "store_misconfigured");
    assert_eq!(
        store_failure(open(&[KEEPING, &["--maxmemory-policy", "volatile-ttl"]].concat())),
        "store_misconfigured"
    );
    open(KEEPING).unwrap();
    open(&["--appendonly", "yes", "--appendfsync", "everysec"]).unwrap();
}

#[test]
fn a_flushed_server_is_no_empty_game() {
    let (redis, engine) = alone(&[]);
    assert_eq!(one(&engine, "evt-0", "zoe", 50), "applied");
    redis.cli(&["flushall"]).unwrap();
    for _ in 0..2 {
        assert_eq!(one(&engine, "evt-0", "zoe", 50), "store_misconfigured");
        assert_eq!(failure(engine.player(&PlayerId::new("zoe").unwrap())), "store_misconfigured");
        assert_eq!(failure(engine.advance_far(now(60))), "store_misconfigured");
        assert_eq!(failure(engine.catch_up()), "store_misconfigured");
    }
    assert_eq!(redis.cli(&["dbsize"]).unwrap(), "0", "something was written");
}

#[test]
fn a_lost_partition_is_refused_and_the_others_go_on() {
    let redis = Redis::start(&[]).unwrap();
    let engine = open(&redis.url(), options("faults").partitions(8));
    let lines: String = (0..40).map(|at| line(&format!("evt-{at}"), &format!("zoe-{at}"), 5)).collect();
    assert!(send(&engine, &lines).iter().all(|code| code == "applied"));
    for key in redis.cli(&["keys", "lo:{faults:3}:*"]).unwrap().lines() {
        redis.cli(&["del", key]).unwrap();
    }
    let codes = send(&engine, &lines);
    let lost = codes.iter().filter(|code| *code == "store_misconfigured").count();
    assert!(lost > 0 && lost < 40, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| *code == "replayed").count(), 40 - lost, "{codes:?}");
}

#[test]
fn a_server_that_still_loads_is_waited_for() {
    let mut redis = Redis::start(KEEPING).unwrap();
    let engine = open(&redis.url(), options("loading"));
    let lines: String = (0..60).map(|at| line(&format!("evt-{at}"), &format!("zoe-{at}"), 5)).collect();
    assert!(send(&engine, &lines).iter().all(|code| code == "applied"));
    // While a server loads whole keys it answers now and then; while it repeats commands, only after a thousand of them.
    redis.cli(&["bgrewriteaof"]).unwrap();
    while !redis
        .cli(&["info", "persistence"])
        .is_ok_and(|info| info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrite_scheduled:0"))
    {
        std::thread::sleep(Duration::from_millis(20));
    }
    redis.kill9().unwrap();
    // Microseconds a key.
    redis.restart_unready(&["--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024"]).unwrap();
    let mut loading = 0;
    while !redis.cli(&["ping"]).is_ok_and(|answer| answer == "PONG") {
        let code = one(&engine, "evt-new", "zoe-0", 5);
        match code.as_str() {
            // Before it listens, and while it loads.
            "store_unavailable" => {
                let said = redis.cli(&["ping"]);
                loading += u64::from(said.is_err_and(|said| said.contains("LOADING")));
            }
            "applied" => break,
            other => panic!("{other}"),
        }
    }
    assert!(loading > 0, "nobody was told that it loads");
    redis.ready().unwrap();
    assert!(["applied", "replayed"].contains(&one(&engine, "evt-new", "zoe-0", 5).as_str()));
    assert_eq!(xp(&engine, "zoe-0"), 10);
    assert_eq!(board(&engine).len(), 60);
}

/// As in a failover by hand: who was the master is told to follow another.
#[test]
fn a_server_that_became_a_replica_takes_nothing_and_says_so() {
    let redis = Redis::start(KEEPING).unwrap();
    let engine = open(&redis.url(), options("readonly"));
    assert_eq!(one(&engine, "evt-0", "zoe", 5), "applied");
    redis.cli(&["replicaof", "127.0.0.1", "1"]).unwrap();
    assert_eq!(send(&engine, &(line("evt-1", "zoe", 5) + &line("evt-1b", "zoe-too", 5))), ["store_unavailable"; 2]);
    redis.cli(&["replicaof", "no", "one"]).unwrap();
    assert_eq!(send(&engine, &(line("evt-1", "zoe", 5) + &line("evt-1b", "zoe-too", 5))), ["applied"; 2]);
    assert_eq!(xp(&engine, "zoe"), 10);
}

#[test]
fn scripts_that_a_server_forgot_are_sent_again() {
    let redis = Redis::start(KEEPING).unwrap();
    let engine = open(&redis.url(), options("scripts"));
    for round in 0..3 {
        assert_eq!(one(&engine, &format!("evt-{round}"), "zoe", 5), "applied");
        redis.cli(&["script", "flush"]).unwrap();
        engine.advance_far(now(60 * (round + 1))).unwrap();
        redis.cli(&["script", "flush"]).unwrap();
        assert_eq!(board(&engine), [("zoe".to_owned(), 5 * (u64::try_from(round).unwrap() + 1))]);
    }
}

#[test]
fn a_newer_record_concerns_its_player_alone() {
    let engine = open(&server().url(), options("newer").partitions(1));
    assert_eq!(send(&engine, &(line("evt-0", "zoe", 5) + &line("evt-0b", "zoe-too", 5))), ["applied", "applied"]);
    let (mut redis, key) = (raw(server()), key("newer", "p:zoe"));
    let record: Vec<u8> = redis.hget(&key, "p").unwrap();
    // The first byte is the version.
    let (mut newer, mut broken) = (record.clone(), record.clone());
    newer[0] = 250;
    broken.truncate(record.len() - 1);
    for (bytes, code) in [(newer, "record_too_new"), (broken, "store_corrupt")] {
        let () = redis.hset(&key, "p", &bytes).unwrap();
        let id = format!("evt-1-{code}");
        assert_eq!(send(&engine, &(line(&id, "zoe", 5) + &line(&id, "zoe-too", 5))), [code, "applied"]);
        assert_eq!(failure(engine.player(&PlayerId::new("zoe").unwrap())), code);
        let kept: Vec<u8> = redis.hget(&key, "p").unwrap();
        assert_eq!(kept, bytes, "what could not be read was written over");
    }
    let () = redis.hset(&key, "p", &record).unwrap();
    assert_eq!(one(&engine, "evt-2", "zoe", 5), "applied");
    assert_eq!((xp(&engine, "zoe"), xp(&engine, "zoe-too")), (10, 15));
}

#[test]
fn a_notice_that_cannot_be_read_makes_boards_unavailable_and_is_never_skipped() {
    let url = server().url();
    let mut newer = Notice::gone(&PlayerId::new("zoe").unwrap());
    newer[0] = 250;
    let rubbish = vec![1, 9, 9, 9];
    for (at, (notice, code)) in [(newer, "record_too_new"), (rubbish, "store_corrupt")].into_iter().enumerate() {
        let name = format!("notices{at}");
        let engine = open(&url, options(&name).partitions(1));
        assert_eq!(one(&engine, "evt-0", "zoe", 5), "applied");
        assert_eq!(board(&engine), [("zoe".to_owned(), 5)]);
        let _: String =
            redis::cmd("XADD").arg(key(&name, "f")).arg("0-*").arg("d").arg(notice).query(&mut raw(server())).unwrap();
        assert_eq!(failure(engine.catch_up()), code);
        let read = || engine.board("xp").unwrap().top(Window::AllTime, 10, now(0));
        assert_eq!(failure(read()), code);
        // Events go on, and boards do not show what came behind it.
        assert_eq!(one(&engine, "evt-1", "zoe", 5), "applied");
        assert_eq!((xp(&engine, "zoe"), failure(read())), (10, code.to_owned()));
        assert_eq!(failure(engine.catch_up()), code);
        // Whoever starts now begins behind it, with what the records say.
        let other = open(&url, options(&name).partitions(1));
        assert_eq!(board(&other), [("zoe".to_owned(), 10)]);
    }
}

/// A process that was held up until what it missed was trimmed away.
#[test]
fn a_replica_that_is_too_far_behind_reads_the_partition_anew() {
    let name = game("behind");
    let few = || options(&name).partitions(1).outbox_entries(16);
    let (ahead, behind) = (open(&server().url(), few()), open(&server().url(), few()));
    assert_eq!(one(&ahead, "evt-first", "zoe-first", 3), "applied");
    assert_eq!(board(&behind), [("zoe-first".to_owned(), 3)]);
    let mut expected = vec![("zoe-first".to_owned(), 3)];
    for player in 0..20 {
        for round in 0..40 {
            assert_eq!(one(&ahead, &format!("evt-{player}-{round}"), &format!("zoe-{player:02}"), 1), "applied");
        }
        expected.push((format!("zoe-{player:02}"), 40));
    }
    expected.sort();
    assert_eq!(board(&behind), expected);
    assert_eq!(board(&ahead), expected);
    let lag = behind.lag().unwrap_or_else(|error| {
        silent(&error);
        panic!("{error}")
    });
    assert_eq!(lag.behind, 0);
}
