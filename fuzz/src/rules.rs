//! Rules documents: what is read is read to the same hash in any order of its members and can be played by; what is
//! refused is refused at a place that is there.

use liveops_core::rules::WarningCode;
use liveops_core::testing::EventBuilder;
use liveops_core::window::Window;
use liveops_core::{Code, Engine, MemoryStore, Rules, Timestamp};

use super::tree::{Tree, is_literal, is_pointer};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_794_009_600);

pub fn check(bytes: &[u8]) {
    match Rules::from_slice(bytes) {
        Ok(rules) => {
            let sorted: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            let again = Rules::from_json(&sorted.to_string()).unwrap();
            assert_eq!(again.hash(), rules.hash(), "the order of members counts");
            assert_eq!(again.boards().len(), rules.boards().len());
            let warnings = rules.warnings();
            assert_eq!(warnings, again.warnings(), "the order of members counts");
            // Names of up to 64 bytes are never cut.
            let is_there = |path: &str| !is_literal(path) || sorted.pointer(path).is_some();
            assert!(warnings.iter().all(|warning| is_there(&warning.path)), "{warnings:?}");
            play(rules);
        }
        Err(error) => {
            assert_eq!(error.code(), Code::RulesInvalid);
            assert!(is_pointer(&error.path) && !error.message.is_empty(), "{error}");
            let Some(document) = Tree::read(bytes).filter(|_| is_literal(&error.path)) else { return };
            // What is missing is not there, and it may also be one of several that would do, at their object.
            let is_there = document.at(&error.path).is_some();
            assert!(is_there || error.issue == Code::Missing, "no such place: {error}");
        }
    }
}

/// A few events of two days, and what people read after them.
fn play(rules: Rules) {
    let engine = Engine::new(rules, MemoryStore::new());
    let rules = engine.rules();
    let lines = [
        EventBuilder::progression("ana", 1_000_000, NOW),
        EventBuilder::boss_kill("ana", "hydra", 1, NOW).field("deltaXp", 5),
        EventBuilder::new("drop_claimed", "bo", NOW).field("dropId", "d").field("itemId", "i").field("quantity", 1),
    ];
    for day in 0..2 {
        let now = NOW.plus_millis(day * 86_400_000);
        let lines = (0..).zip(&lines).map(|(n, line)| line.clone().id(&format!("{day}-{n}")).body());
        engine.submit_ndjson(&lines.collect::<Vec<_>>().join(&b'\n'), now);
        engine.advance(now.plus_millis(1)).unwrap();
    }
    let unfed = |board: &str| {
        let path = format!("/boards/{}/value", board.replace('~', "~0").replace('/', "~1"));
        rules.warnings().iter().any(|warning| warning.path == path && warning.code == WarningCode::Unfed)
    };
    for rule in rules.boards().iter().filter(|rule| unfed(rule.board.as_str())) {
        let board = engine.board(rule.board.as_str()).unwrap();
        let rows = |window: &(Window, u32)| board.top(window.0, 1, NOW).map_or(0, |rows| rows.len());
        assert_eq!(rule.windows.iter().map(rows).sum::<usize>(), 0, "{} counts something", rule.board);
    }
    for level in [1, 2, rules.progression().levels.max_level()] {
        let total = rules.progression().levels.total(level);
        assert!(rules.progression().levels.level_at(total) >= level);
    }
    for window in Window::ALL {
        for millis in [i64::MIN, -1, 0, NOW.as_unix_millis(), i64::MAX] {
            let at = Timestamp::from_unix_millis(millis);
            if let Some(period) = rules.calendar().period(*window, at) {
                let (start, end) = (rules.calendar().start(period), rules.calendar().end(period));
                assert!(
                    start <= at && (at < end || end == Timestamp::MAX),
                    "{window:?} {at:?} lies outside its period"
                );
            }
        }
    }
    assert_eq!(MemoryStore::restore(&engine.store().snapshot()).unwrap().digest(), engine.store().digest());
}
