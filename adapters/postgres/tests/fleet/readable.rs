//! What people read: every query of `docs/stores.md`, the views, events by month, how periods ended, and that an erasure reaches all of it.

use liveops_core::board::Row;
use liveops_core::record::{BoardKey, Command};
use liveops_core::store::Boards as _;
use liveops_core::testing::EventBuilder;
use liveops_core::{BoardId, Engine, EventId, Rules, Window};

use crate::game::{self, Store, at, fresh, open, options, player, server, xp};

const PAGE: &str = include_str!("../../../../docs/stores.md");

/// The queries of the page, each under the comment in its first line.
fn queries() -> Vec<(&'static str, &'static str)> {
    let blocks = PAGE.split("```sql\n").skip(1).filter_map(|rest| rest.split_once("```"));
    blocks.filter_map(|(sql, _)| Some((sql.lines().next()?.strip_prefix("-- ")?, sql))).collect()
}

fn query(title: &str, game: &str) -> String {
    let (_, sql) = queries()
        .into_iter()
        .find(|(known, _)| *known == title)
        .unwrap_or_else(|| panic!("{title} is not on the page"));
    server().sql(&format!("SET timezone = 'UTC'; {}", sql.replace("emberfall", game))).unwrap()
}

/// A week of November, its season paid.
fn played(game: &str) -> Engine<Store> {
    let store = open(&server().url(), options(game).events(true));
    let engine = Engine::open(game::rules(game), store).unwrap().recording();
    server().sql("SELECT liveops.make_months('2026-11-01T00:00:00Z')").unwrap();
    let friday = at("2026-11-06T12:00:00Z");
    let submit = |line: Vec<u8>, wanted: &str| {
        let outcomes = engine.submit_ndjson(&line, friday);
        assert_eq!(outcomes.iter().map(liveops_core::Outcome::code).collect::<Vec<_>>(), [wanted]);
    };
    submit(xp("e1", "ana", 250, friday), "applied");
    submit(xp("e2", "bo", 120, friday.plus_millis(1_500)), "applied");
    submit(xp("e3", "cy", 60, friday), "applied");
    submit(xp("e4", "dee", 300, friday), "applied");
    submit(xp("e1", "ana", 250, friday), "replayed");
    submit(xp("e1", "ana", 251, friday), "event_id_reused");
    submit(EventBuilder::boss_kill("bo", "hydra", 900, friday).id("k1").body(), "held");
    // A text may hold what PostgreSQL's may not.
    let said = EventBuilder::new("said", "cy", friday).id("s1").field("text", "a\0\\u0000\"é").field("deltaXp", 5);
    submit(said.body(), "applied");
    engine
}

fn close(engine: &Engine<Store>) {
    let december = at("2026-12-01T02:00:00Z");
    engine.advance_far(december).unwrap();
    engine.pay_closed(None, december).unwrap();
}

/// What one of the views shows of a game.
fn shown(view: &str, game: &str) -> u64 {
    server().sql(&format!("SELECT count(*) FROM liveops.{view} WHERE game = '{game}'")).unwrap().parse().unwrap()
}

const VIEWS: [&str; 5] = ["player_progress", "receipts", "suspicious_events", "leaderboard_snapshots", "events"];

#[test]
fn every_query_of_the_page_answers() {
    let game = fresh("page");
    let engine = played(&game);
    close(&engine);
    let day = "2026-11-06 12:00:00";
    let wanted = [
        ("The best by experience", "dee|300|4\nana|250|3\nbo|120|2\ncy|65|0".to_owned()),
        (
            "Who is held, and why",
            format!(
                "bo|2|boss_kill|{day}+00|The duration is shorter than the rules hold possible: 0.9 s, where the limit is 45 s."
            ),
        ),
        (
            "Receipts of one player",
            format!("1|{day}+00|level-gold|issued|gold|100\n2|{day}+00|level-gold|issued|gold|100"),
        ),
        ("How the last season ended", "1|dee|300\n2|ana|250\n3|bo|120".to_owned()),
        (
            "Events of a day",
            [
                format!("{day}+00|ana|progression|250|f|{{\"deltaXp\": 250}}"),
                format!("{day}+00|bo|boss_kill|0|t|{{\"bossId\": \"hydra\", \"durationMs\": 900}}"),
                format!("{day}+00|cy|progression|60|f|{{\"deltaXp\": 60}}"),
                format!("{day}+00|cy|said|5|f|{{\"text\": \"a\u{fffd}\\\\u0000\\\"\u{e9}\", \"deltaXp\": 5}}"),
                format!("{day}+00|dee|progression|300|f|{{\"deltaXp\": 300}}"),
                "2026-11-06 12:00:01+00|bo|progression|120|f|{\"deltaXp\": 120}".to_owned(),
            ]
            .join("\n"),
        ),
        ("Who gained most on a day", "dee|300|1\nana|250|1\nbo|120|2\ncy|65|2".to_owned()),
    ];
    let titles: Vec<_> = queries().iter().map(|(title, _)| *title).collect();
    assert_eq!(titles, wanted.each_ref().map(|(title, _)| *title), "each query has its answer here");
    for (title, rows) in wanted {
        assert_eq!(query(title, &game), rows, "{title}");
    }
}

#[test]
fn a_receipt_is_shown_as_it_stands_at_the_horizon() {
    let game = fresh("claim");
    let text =
        game::rules_text(&game).replace("\"everyLevels\": 1 },", "\"everyLevels\": 1 }, \"claimWithinSeconds\": 3600,");
    let engine = Engine::open(Rules::from_json(&text).unwrap(), open(&server().url(), options(&game))).unwrap();
    let now = at("2026-11-06T12:00:00Z");
    engine.submit_ndjson(&xp("e1", "ana", 120, now), now);
    let states = || server().sql(&format!("SELECT state FROM liveops.receipts WHERE game = '{game}'")).unwrap();
    engine.advance(now.plus_millis(3_599_999)).unwrap();
    assert_eq!(states(), "claimable");
    engine.advance(now.plus_millis(3_600_000)).unwrap();
    assert_eq!(states(), "expired");
}

#[test]
fn events_are_kept_only_if_the_engine_says_what_led_to_them() {
    let game = fresh("silent");
    let now = at("2026-11-06T12:00:00Z");
    let silent = Engine::open(game::rules(&game), open(&server().url(), options(&game).events(true))).unwrap();
    silent.submit_ndjson(&xp("e1", "ana", 10, now), now);
    assert_eq!(shown("events", &game), 0, "it does not record");
    let unasked = Engine::open(game::rules(&game), open(&server().url(), options(&game))).unwrap().recording();
    unasked.submit_ndjson(&xp("e2", "ana", 10, now), now);
    assert_eq!(shown("events", &game), 0, "the store was not asked");
    let both =
        Engine::open(game::rules(&game), open(&server().url(), options(&game).events(true))).unwrap().recording();
    both.submit_ndjson(&xp("e3", "ana", 10, now), now);
    assert_eq!(shown("events", &game), 1);
    let order = Command::adjust(EventId::new("o1").unwrap(), player("ana"), now, 5, "a present").unwrap();
    assert_eq!(both.submit(&order).code(), "applied");
    assert_eq!(shown("events", &game), 1, "orders are no events");
    for engine in [&silent, &unasked, &both] {
        assert_eq!(engine.record(&player("ana")).unwrap().unwrap().xp(), 35, "nothing else differs");
    }
}

/// The columns for people hold whatever an event may hold.
#[test]
fn nothing_that_an_event_may_hold_keeps_it_from_being_written() {
    let game = fresh("texts");
    let text = game::rules_text(&game).replace(
        "\"said\": {",
        "\"shot\": { \"fields\": { \"speed\": { \"type\": \"decimal\" }, \"words\": { \"type\": \"array\", \"items\": { \"type\": \"text\", \"maxBytes\": 64 } } } }, \"said\": {",
    );
    let store = open(&server().url(), options(&game).events(true));
    let engine = Engine::open(Rules::from_json(&text).unwrap(), store).unwrap().recording();
    let now = at("2026-11-06T12:00:00Z");
    let texts = ["\0", "\u{1}\u{7f}", "\\u0000", "\\", "'\"$$", "\u{feff}\u{10ffff}\u{fffe}", ""];
    for (number, text) in texts.iter().enumerate() {
        let said =
            EventBuilder::new("said", "ana", now).id(&format!("s{number}")).field("text", *text).field("deltaXp", 1);
        assert_eq!(engine.submit_ndjson(&said.body(), now)[0].code(), "applied", "{text:?}");
        let mut shot = Vec::new();
        for speed in ["0.000000000000000001", "-9007199254740991", "9007199254740991", "-0.5", "1e-5"] {
            let words = serde_json::to_string(&[text]).unwrap();
            let id = format!("shot-{number}-{}", shot.len());
            shot.push(id.clone());
            let line = format!(
                "{{\"id\":\"{id}\",\"type\":\"shot\",\"playerId\":\"~!\",\"ts\":{},\"payload\":{{\"speed\":{speed},\"words\":{words}}}}}",
                now.as_unix_seconds()
            );
            let code = engine.submit_ndjson(line.as_bytes(), now)[0].code().to_owned();
            assert!(!code.starts_with("store_"), "{speed} {text:?}: {code}");
        }
    }
    let commands = format!("SELECT sum(commands) FROM liveops.player_progress WHERE game = '{game}'");
    assert_eq!(shown("events", &game).to_string(), server().sql(&commands).unwrap(), "each that was taken is there");
}

#[test]
fn an_erasure_reaches_everything_that_people_read() {
    let game = fresh("erased");
    let engine = played(&game);
    close(&engine);
    let before = VIEWS.map(|view| shown(view, &game));
    assert_eq!(before, [4, 7, 1, 4, 6]);
    let erase = Command::erase(EventId::new("gone").unwrap(), player("bo"), at("2026-12-01T02:00:00Z"));
    assert_eq!(engine.submit(&erase).code(), "applied");
    for view in VIEWS {
        let left = server()
            .sql(&format!("SELECT count(*) FROM liveops.{view} WHERE game = '{game}' AND player = 'bo'"))
            .unwrap();
        assert_eq!(left, "0", "{view}");
    }
    assert_eq!(VIEWS.map(|view| shown(view, &game)), [3, 6, 0, 3, 4], "and nobody else");
    // Paid again, or by a process that had read the board before: nobody comes back.
    close(&engine);
    let key = BoardKey {
        board: BoardId::new("xp").unwrap(),
        period: engine.rules().calendar().period(Window::Seasonal, at("2026-11-06T12:00:00Z")).unwrap(),
    };
    let row = Row { rank: 1, owner: player("bo"), score: 120, subscore: 0, reached_at: at("2026-11-06T12:00:00Z") };
    engine.store().note_final(&key, std::slice::from_ref(&row)).unwrap();
    server()
        .sql(&format!("DELETE FROM liveops.snapshot WHERE game = (SELECT id FROM liveops.game WHERE name = '{game}')"))
        .unwrap();
    engine.store().note_final(&key, &[row]).unwrap();
    assert_eq!(shown("leaderboard_snapshots", &game), 0, "also where none are written yet");
}

#[test]
fn several_processes_that_pay_write_how_it_ended_once() {
    let game = fresh("podium");
    let now = at("2026-11-06T12:00:00Z");
    let engines: Vec<_> = (0..3).map(|_| game::engine(&server().url(), &game)).collect();
    let lines: Vec<u8> = (0..50).flat_map(|n| xp("e1", &format!("p{n:02}"), 100 + n, now)).collect();
    assert!(engines[0].submit_ndjson(&lines, now).iter().all(|outcome| outcome.code() == "applied"));
    let december = at("2026-12-01T02:00:00Z");
    engines[0].advance_far(december).unwrap();
    std::thread::scope(|scope| {
        for engine in &engines {
            scope.spawn(move || engine.pay_closed(None, december).unwrap());
        }
    });
    let sql = format!(
        "SELECT count(*), count(DISTINCT rank), min(score), max(score) FROM liveops.leaderboard_snapshots WHERE game = '{game}' AND span = 'seasonal'"
    );
    assert_eq!(server().sql(&sql).unwrap(), "50|50|100|149");
    // What happens to a player later does not change how it ended.
    let hide = Command::set_visibility(EventId::new("hide").unwrap(), player("p49"), december, true);
    assert_eq!(engines[1].submit(&hide).code(), "applied");
    engines[2].pay_closed(None, december).unwrap();
    assert_eq!(server().sql(&sql).unwrap(), "50|50|100|149");
}

/// The queries for operators in `docs/durability.md` are SQL, too.
#[test]
fn the_operators_queries_run() {
    let blocks =
        include_str!("../../../../docs/durability.md").split("# PostgreSQL").nth(1).unwrap().split("```sql\n").skip(1);
    let queries: Vec<_> = blocks.filter_map(|rest| Some(rest.split_once("```")?.0)).collect();
    assert!(!queries.is_empty());
    for sql in queries {
        server().sql(sql).unwrap();
    }
}
