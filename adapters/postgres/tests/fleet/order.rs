//! What depends on who ends first: whoever follows meets the slow ones too, and boards keep whoever comes back.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use liveops_adapters::Runtime;
use liveops_core::record::{Horizon, Notice, Told};
use liveops_core::store::{AsyncTail as _, BlockOn as _, Feed as _, Happened, Store as _};
use liveops_core::{Command, Engine, EventId, Timestamp, Window};
use liveops_postgres::PostgresStore;
use liveops_testbed::Postgres;

use crate::game::{Session, Store, at, fresh, open, options, player, rules, server, xp};

/// Transactions end in another order than they began: somebody else's long one stands between, and several processes write.
#[test]
fn whoever_follows_meets_the_slow_transaction() {
    const WRITES: u64 = 60;
    let game = fresh("slow");
    let runtime = Runtime::new(2).unwrap();
    let store = || runtime.block_on(PostgresStore::connect(&server().url(), options(&game))).unwrap().unwrap();
    let reader = store();
    let now = at("2026-11-06T12:00:00Z");
    let slow = Session::of(&server().url());
    slow.run("CREATE TABLE IF NOT EXISTS public.elsewhere (n int)");
    let done = AtomicBool::new(false);
    let mut versions: BTreeMap<String, u64> = BTreeMap::new();
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let game = &game;
                scope.spawn(move || {
                    let engine = Engine::open(rules(game), open(&server().url(), options(game))).unwrap();
                    for n in 0..WRITES {
                        let outcome =
                            engine.submit_ndjson(&xp(&format!("{writer}-{n}"), &format!("w{writer}"), 1, now), now);
                        assert_eq!(outcome[0].code(), "applied");
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                slow.run("BEGIN; INSERT INTO public.elsewhere VALUES (1)");
                std::thread::sleep(Duration::from_millis(30));
                slow.run("COMMIT");
            }
        });
        let mut cursor = 0;
        let mut follow = || {
            let page = runtime.block_on(reader.tail(&[cursor], 7)).unwrap().remove(0).unwrap();
            assert!(page.entries.iter().all(|(at, _)| *at > cursor && *at <= page.through), "each once, in order");
            for (_, notice) in &page.entries {
                let Notice::Told(Told::Stands { player, version, .. }) = notice else { continue };
                let known = versions.entry(player.to_string()).or_default();
                assert_eq!(*version, *known + 1, "of each player everything, in order");
                *known = *version;
            }
            cursor = page.through;
            cursor
        };
        while !writers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            follow();
        }
        done.store(true, Ordering::Relaxed);
        let end = runtime.block_on(reader.ends()).unwrap().unwrap()[0];
        while follow() < end {}
    });
    assert_eq!(versions.into_values().collect::<Vec<_>>(), [WRITES; 4], "nothing is missing at the end");
}

/// Who was erased and forgotten comes back while the mark is being swept, by this process or another: told in this order, so that no
/// board loses the new player for the old one.
#[test]
fn who_comes_back_is_told_behind_being_gone() {
    let game = fresh("back");
    let engine =
        || Engine::open(rules(&game), open(&server().url(), options(&game).feed(100_000).connections(4))).unwrap();
    let (one, other) = (engine(), engine());
    let start = at("2026-11-06T12:00:00Z");
    let names: Vec<String> = (0..12).map(|n| format!("p{n}")).collect();
    let mut lives = 0;
    for round in 0..12_i64 {
        let now: Timestamp = start.plus_millis(round * 200_000);
        let events = |tag: &str, at| -> Vec<u8> {
            names.iter().flat_map(|name| xp(&format!("{round}-{tag}-{name}"), name, 5, at)).collect()
        };
        let codes = |engine: &Engine<_>, lines: &[u8], now| -> Vec<String> {
            engine.submit_ndjson(lines, now).iter().map(|o| o.code().to_owned()).collect()
        };
        assert!(codes(&one, &events("a", now), now).iter().all(|code| code == "applied"), "round {round}");
        let erased = now.plus_millis(10_000);
        for name in &names {
            let erase = Command::erase(EventId::new(&format!("{round}-gone-{name}")).unwrap(), player(name), erased);
            assert_eq!(one.submit(&erase).code(), "applied");
        }
        let later = erased.plus_millis(10_000);
        let to = Horizon { now: later, forgotten_before: later };
        std::thread::scope(|scope| {
            scope.spawn(|| one.store().advance(to).unwrap());
            scope.spawn(|| {
                while other.store().load(&[liveops_core::Key::Horizon])[0].as_ref().unwrap()
                    != &Some(liveops_core::Record::Horizon(to))
                {
                    std::thread::yield_now();
                }
                let back = codes(&other, &events("b", later), later);
                assert!(back.iter().all(|code| code == "applied"), "round {round}: {back:?}");
            });
        });
        for engine in [&one, &other] {
            engine.catch_up().unwrap();
            let rows = engine.board("xp").unwrap().top(Window::Daily, 100, later).unwrap();
            assert_eq!(rows.len(), names.len(), "round {round}: everybody who came back is on the board");
            assert!(rows.iter().all(|row| row.score == 5), "round {round}: with what was done since");
        }
        lives += names.len();
    }
    let told = one.store().feed(0, 0, 100_000).unwrap();
    let begun =
        told.iter().filter(|entry| matches!(&entry.what, Happened::Committed(set) if set.expected == 0)).count();
    assert_eq!(begun, lives + names.len(), "each came back once a round");
}

/// Who starts while somebody's transaction goes on takes events at once, and shows all that was committed before.
#[test]
fn a_process_opens_beside_a_long_transaction() {
    let server = Postgres::start(&[]).unwrap();
    let now = at("2026-11-06T12:00:00Z");
    let connect = |millis| {
        let options = options("beside").timeout(Duration::from_millis(millis));
        Engine::open(rules("beside"), open(&server.url(), options)).unwrap()
    };
    let score = |engine: &Engine<Store>| engine.board("xp").unwrap().top(Window::Daily, 9, now).unwrap()[0].score;
    let first = connect(10_000);
    assert_eq!(first.submit_ndjson(&xp("e1", "ana", 5, now), now)[0].code(), "applied");
    let long = Session::of(&server.url());
    long.run("BEGIN; SELECT pg_current_xact_id()");
    assert_eq!(first.submit_ndjson(&xp("e2", "ana", 5, now), now)[0].code(), "applied");

    let second = connect(1_000);
    assert_eq!(score(&second), 10, "what was committed beside it, too");
    assert_eq!(second.submit_ndjson(&xp("e3", "ana", 5, now), now)[0].code(), "applied");
    assert_eq!(score(&second), 15);
    assert_eq!(second.catch_up().unwrap_err().code().as_str(), "store_unavailable", "who pays has to wait");
    long.run("COMMIT");
    for engine in [&first, &second] {
        engine.catch_up().unwrap();
        assert_eq!(score(engine), 15);
    }
}
