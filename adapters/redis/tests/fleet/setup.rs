//! How a game is opened and set, and what is for ever.

use liveops_core::error::StoreErrorKind;
use liveops_core::record::{Horizon, Kind};
use liveops_core::store::{
    AsyncTail as _, BlockOn as _, Feed as _, Happened, Partitioned as _, Scan as _, Store as _, Whole as _,
};
use liveops_core::{Id, PlayerId, Timestamp};
use liveops_redis::RedisStore;
use liveops_testbed::Redis;

use crate::common::{game, line, one, open, options, send, server, store_failure};

#[test]
fn partitions_and_layout_are_for_ever() {
    let redis = Redis::start(&[]).unwrap();
    let connect = |partitions| RedisStore::connect_blocking(&redis.url(), options("emberfall").partitions(partitions));
    for none in [0, 1_025] {
        assert_eq!(store_failure(connect(none)), "store_misconfigured");
    }
    assert_eq!(connect(1_024).unwrap().partitions(), 1_024);
    assert_eq!(store_failure(connect(64)), "store_misconfigured", "another number of partitions");
    redis.cli(&["HSET", "lo:{emberfall}:g", "s", "2"]).unwrap();
    assert_eq!(store_failure(connect(1_024)), "record_too_new", "a layout of a later version");
}

#[test]
fn nobody_advances_far_beyond_the_servers_clock() {
    let engine = open(&server().url(), options(&game("clock")));
    let clock = || i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let ahead = |seconds: i64| Horizon {
        now: Timestamp::from_unix_millis(clock() + seconds * 1_000),
        forgotten_before: Timestamp::MIN,
    };
    assert_eq!(store_failure(engine.store().advance(ahead(120))), "store_misconfigured");
    let to = ahead(30);
    assert_eq!(engine.store().advance(to).unwrap(), to);
}

/// Whoever has the game open under the other setting is told, so that nothing is left out of the feed.
#[test]
fn a_feed_is_turned_on_and_off() {
    let name = game("feed");
    let options = || options(&name).partitions(1);
    let before = open(&server().url(), options());
    assert_eq!(one(&before, "evt-0", "zoe", 5), "applied");
    assert_eq!((before.store().last(0).unwrap(), before.store().feed(0, 0, 9).unwrap().len()), (0, 0), "no feed");

    let with = open(&server().url(), options().feed(10));
    assert_eq!(one(&before, "evt-1", "zoe", 5), "store_misconfigured");
    let begin = with.store().last(0).unwrap();
    assert!(begin > 0, "cursors of before lead nowhere");
    assert_eq!(with.store().feed(0, 0, 9).unwrap_err().kind, StoreErrorKind::FeedGap);
    assert_eq!(one(&with, "evt-1", "zoe", 5), "applied");
    let told = with.store().feed(0, begin, 9).unwrap();
    assert!(matches!(&told[..], [entry] if matches!(&entry.what, Happened::Committed(_))), "{told:?}");

    // Without a word it is as it was.
    let kept = open(&server().url(), options());
    assert_eq!(kept.store().last(0).unwrap(), told[0].cursor);
    kept.store().ack(&Id::new("bus").unwrap(), 0, told[0].cursor).unwrap();
    let without = open(&server().url(), options().no_feed());
    assert_eq!(one(&kept, "evt-2", "zoe", 5), "store_misconfigured");
    assert_eq!(one(&without, "evt-2", "zoe", 5), "applied");
    assert_eq!(without.store().consumers().unwrap(), [], "consumers are forgotten");
    let again = open(&server().url(), options().feed(10));
    let last = again.store().last(0).unwrap();
    assert!(last > told[0].cursor, "cursors rise for ever");
    assert_eq!(again.store().feed(0, told[0].cursor, 9).unwrap_err().kind, StoreErrorKind::FeedGap);
}

/// More records of one player than are read at once.
#[test]
fn a_giant_is_scanned_by_pages() {
    let engine = open(&server().url(), options(&game("giant")).partitions(2));
    for chunk in 0..6 {
        let lines: String = (0..500).map(|n| line(&format!("evt-{}", chunk * 500 + n), "zoe", 1)).collect();
        assert!(send(&engine, &lines).iter().all(|code| code == "applied"));
    }
    assert_eq!(one(&engine, "evt-0", "zed", 1), "applied");
    let zoe = PlayerId::new("zoe").unwrap();
    let whole = engine.store().scan_player(&zoe, None, None, usize::MAX).unwrap();
    assert!(whole.is_sorted_by(|(a, _), (b, _)| a < b) && whole.len() > 3_000);
    for kind in [None, Some(Kind::Player), Some(Kind::Outcome), Some(Kind::Receipt)] {
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = engine.store().scan_player(&zoe, kind, after.as_ref(), 700).unwrap();
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            paged.extend(page);
        }
        let wanted: Vec<_> = whole.iter().filter(|(key, _)| kind.is_none() || key.kind() == kind).cloned().collect();
        assert!(paged == wanted, "{kind:?}: {} of {}", paged.len(), wanted.len());
    }
    // Written to between two pages: nobody is met twice, and what was there is met.
    let page = engine.store().scan_player(&zoe, Some(Kind::Outcome), None, 700).unwrap();
    assert_eq!(one(&engine, "evt-later", "zoe", 1), "applied");
    let after = &page.last().unwrap().0;
    let rest = engine.store().scan_player(&zoe, Some(Kind::Outcome), Some(after), usize::MAX).unwrap();
    assert!(page.len() + rest.len() == 3_001, "{} and {}", page.len(), rest.len());
    assert_eq!(engine.size().unwrap().outcomes, 3_002);
}

/// What the page for operators says is enough, and no more than `lo:*`.
#[test]
fn an_access_list_may_be_short() {
    let redis = Redis::start(&[]).unwrap();
    let listed = include_str!("../../README.md").lines().find(|line| line.contains("+@hash")).unwrap();
    let rights: Vec<&str> = listed.split('`').find(|part| part.contains("+@hash")).unwrap().split(' ').collect();
    let user = [&["ACL", "SETUSER", "fleet", "on", "nopass", "~lo:*"], &rights[..]].concat();
    redis.cli(&user).unwrap();
    redis.cli(&["ACL", "SETUSER", "default", "off"]).ok();
    let url = format!("redis+unix://{}?user=fleet&pass=x", redis.socket().display());
    let engine = open(&url, options("emberfall").feed(10));
    assert_eq!(one(&engine, "evt-0", "zoe", 5), "applied");
    let to = Horizon { now: Timestamp::from_unix_seconds(1), forgotten_before: Timestamp::MIN };
    assert_eq!(engine.store().advance(to).unwrap(), to);
    for partition in 0..engine.store().partitions() {
        let last = engine.store().last(partition).unwrap();
        engine.store().ack(&Id::new("bus").unwrap(), partition, last).unwrap();
    }
    let mut bytes = Vec::new();
    engine.store().snapshot(&mut bytes).unwrap();
    engine.catch_up().unwrap();
    engine.size().unwrap();
    let copy = RedisStore::connect_blocking(&url, options("emberfall copy").feed(10)).unwrap();
    let broken = copy.restore(&mut &bytes[..bytes.len() - 1]).unwrap_err();
    assert_eq!(broken.kind, StoreErrorKind::Corrupt);
    copy.restore(&mut &bytes[..]).unwrap();
    assert_eq!(copy.digest().unwrap(), engine.digest().unwrap());
    let other = RedisStore::connect_blocking(&redis.url(), options("emberfall"));
    assert_eq!(store_failure(other), "store_misconfigured", "who has no right");
}

/// A process does not read again what it wrote itself; others, and whoever asks the store, get all of it.
#[test]
fn own_commits_are_not_read_again() {
    let redis = Redis::start(&[]).unwrap();
    let engine = open(&redis.url(), options("emberfall").partitions(1));
    let other = open(&redis.url(), options("emberfall").partitions(1));
    for n in 0..50 {
        assert_eq!(one(&engine, &format!("evt-{n}"), &format!("zoe-{}", n % 7), 5), "applied");
    }
    other.catch_up().unwrap();
    // What a server gave out is measured by what it says it sent.
    let sent = || {
        let info = redis.cli(&["INFO", "stats"]).unwrap();
        let line =
            info.lines().find_map(|line| line.strip_prefix("total_net_output_bytes:")).unwrap().trim().to_owned();
        line.parse::<u64>().unwrap()
    };
    let before = sent();
    engine.catch_up().unwrap();
    let (own, before) = (sent() - before, sent());
    let pages = engine.store().runtime().block_on(engine.store().inner().tail(&[0], 100)).unwrap();
    let all = sent() - before;
    assert_eq!(pages[0].as_ref().unwrap().entries.len(), 50);
    assert!(own < all, "{own} and {all} bytes");
    assert_eq!(crate::common::board(&engine), crate::common::board(&other));
}
