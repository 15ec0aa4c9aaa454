//! The committed season: it is what the generator makes, it holds what it should, and however it is driven, it ends
//! in one state.
#![expect(clippy::unwrap_used, reason = "tests: what fails here should say where")]

use std::collections::BTreeSet;
use std::time::Duration;

use liveops_core::reward::verify_chain;
use liveops_core::signing::Headers;
use liveops_core::store::Ready;
use liveops_core::{AsyncEngine, DECISIONS, Engine, MemoryStore, Outcome, PlayerId, Rules};
use liveops_examples::generate;
use liveops_examples::line::{Line, Lines};
use liveops_examples::replay::{self, Referee, Replay, Tally, Threads};
use liveops_examples::report;

const SEASON: &str = include_str!("../data/season.ndjson");
const RULES: &str = include_str!("../data/rules.json");
const GUIDE_RULES: &str = include_str!("../data/guide-rules.json");
const SECRET: &str = include_str!("../data/secret.txt");
const DIGEST: &str = include_str!("../data/season.digest");

fn rules() -> Rules {
    Rules::from_json(RULES).unwrap()
}

/// What the season ended in under each number of decisions. A change of the digest without a new number would let another
/// process replay what this one recorded, and end elsewhere.
const ENDED_IN: [(u16, &str); 3] = [
    (1, "v1:53c347a3180a731f43ad34dd5af37923e48de14546229bc371042eefe704de15"),
    (2, "v1:77c159f31fe57d211a8edbe5501c7eefef9d48385a661b10ad16ee066bd387ed"),
    // Its rules know every board and window that it has entries of.
    (3, "v1:77c159f31fe57d211a8edbe5501c7eefef9d48385a661b10ad16ee066bd387ed"),
];

#[test]
fn other_decisions_have_another_number() {
    assert_eq!(ENDED_IN.last(), Some(&(DECISIONS, expected())));
    assert!(ENDED_IN.is_sorted_by(|before, after| before.0 < after.0));
}

/// The digest as the file has it, without `digest `.
fn expected() -> &'static str {
    DIGEST.trim().strip_prefix("digest ").unwrap()
}

/// Drives text into an engine, through a door of its own.
fn drive(text: &str, rules: &Rules, engine: &impl Referee, batch_len: usize) -> Tally {
    let intake = replay::door(rules, SECRET).unwrap();
    let mut run = Replay::new(&intake, engine).batch_len(batch_len);
    for line in Lines::new(text.as_bytes()) {
        match line.unwrap() {
            Ok(line) => run.take(&line).unwrap(),
            Err(_) => run.broken(),
        }
    }
    run.finish()
}

#[test]
fn the_committed_season_is_what_the_generator_makes() {
    let made = generate::season(generate::EVENTS_DEFAULT, generate::SEED_DEFAULT, SECRET.trim()).unwrap();
    let (mut made, mut kept) = (made, SEASON.lines());
    for number in 1..=generate::EVENTS_DEFAULT {
        assert_eq!(made.next().as_deref(), kept.next(), "line {number}");
    }
    assert_eq!((made.next(), kept.next()), (None, None));
    assert!(SEASON.ends_with('\n') && SEASON.len() < 3_000_000);
}

#[test]
fn it_holds_what_real_traffic_holds() {
    let engine = Engine::new(rules(), MemoryStore::new());
    let tally = drive(SEASON, &rules(), &engine, replay::BATCH_LEN);
    let codes: BTreeSet<_> = tally.outcomes.keys().copied().collect();
    let wanted = [
        "applied",
        "replayed",
        "held",
        "event_id_reused",
        "event_id_mismatch",
        "too_old",
        "too_far_in_future",
        "signature_mismatch",
        "timestamp_too_old",
        "timestamp_too_new",
        "missing_header",
        "malformed_header",
        "rate_limited",
        "syntax",
        "duplicate_key",
        "too_deep",
        "too_large",
        "not_integer",
        "out_of_range",
        "wrong_type",
        "unknown_field",
        "unknown_type",
        "missing",
        "too_short",
        "too_long",
        "invalid_format",
        "trailing_data",
    ];
    let absent: Vec<_> = wanted.iter().filter(|code| !codes.contains(*code)).collect();
    assert!(absent.is_empty(), "absent: {absent:?}");
    assert_eq!((tally.lines, tally.broken), (5_000, 3));
    assert!(tally.jumps > 0 && tally.late > 0 && tally.xp_boosted > 0 && tally.xp_over_cap > 0);

    let closed: BTreeSet<_> = tally.closings.iter().map(|closing| closing.period.window.as_str()).collect();
    assert!(closed.is_superset(&BTreeSet::from(["daily", "weekly", "seasonal"])), "{closed:?}");
    let detectors: BTreeSet<String> = engine
        .suspicions()
        .unwrap()
        .iter()
        .flat_map(|(_, _, suspicion)| {
            suspicion.verdicts.iter().map(|judgement| judgement.detector.to_string()).collect::<Vec<_>>()
        })
        .collect();
    let known = ["arena-rating", "dungeon-xp", "hydra-floor", "xp"].map(str::to_owned);
    assert_eq!(detectors, BTreeSet::from(known), "every detector minds somebody");
    let kinds = ["progression", "boss_kill", "drop_claimed", "arena_win"];
    assert!(kinds.iter().all(|kind| SEASON.contains(&format!(r#"\"type\":\"{kind}\""#))));
}

/// Whoever replays is told so: the sample's rolls are the same on every machine, since nobody gives them a seed.
#[test]
fn the_documents_of_the_examples_have_nothing_else_to_warn_of() {
    let guide = Rules::from_json(include_str!("../data/guide-rules.json")).unwrap();
    assert_eq!(guide.warnings(), []);
    let warnings = rules().warnings();
    let found: Vec<_> = warnings.iter().map(|warning| (warning.path.as_str(), warning.code.as_str())).collect();
    assert_eq!(found, [("/loot", "foreseeable")]);
    assert_eq!(rules().with_loot_seed([7; 32]).warnings(), []);
}

#[test]
fn the_digest_is_the_one_that_all_languages_end_in() {
    let engine = Engine::new(rules(), MemoryStore::new());
    let tally = drive(SEASON, &rules(), &engine, replay::BATCH_LEN);
    assert_eq!(engine.store().digest(), expected(), "the rules of the game changed? see examples/README.md");
    let report = report::render(&engine, &tally, "the season", Duration::from_secs(1)).unwrap();
    assert!(report.ends_with(&format!("\n{DIGEST}")));
    assert!(report.lines().all(|line| line.chars().count() <= 100 && line == line.trim_end()));
}

#[test]
fn batches_of_any_length_end_in_one_state() {
    for batch_len in [1, 7, 1_000, usize::MAX] {
        let engine = Engine::new(rules(), MemoryStore::new());
        drive(SEASON, &rules(), &engine, batch_len);
        assert_eq!(engine.store().digest(), expected(), "batches of {batch_len}");
    }
}

#[test]
fn the_async_engine_ends_in_the_same_state() {
    for batch_len in [1, 256] {
        let engine = AsyncEngine::new(rules(), Ready(MemoryStore::new()));
        drive(SEASON, &rules(), &engine, batch_len);
        assert_eq!(engine.store().0.digest(), expected());
    }
}

#[test]
fn eight_threads_with_players_of_their_own_end_in_the_same_state() {
    let engine = Engine::new(rules(), MemoryStore::new());
    let threads = drive(SEASON, &rules(), &Threads(&engine, 8), 1_000);
    assert_eq!(engine.store().digest(), expected());
    let one = drive(SEASON, &rules(), &Engine::new(rules(), MemoryStore::new()), 1_000);
    assert_eq!(threads.outcomes, one.outcomes);
}

#[test]
fn a_second_run_changes_nothing() {
    let engine = Engine::new(rules(), MemoryStore::new());
    let first = drive(SEASON, &rules(), &engine, replay::BATCH_LEN);
    let second = drive(SEASON, &rules(), &engine, replay::BATCH_LEN);
    assert_eq!(engine.store().digest(), expected());
    let applied = ["applied", "held"].map(|code| second.outcomes.get(code));
    assert_eq!(applied, [None, None], "all is replayed or refused");
    assert!(second.outcomes["replayed"] > 0 && second.rewards.is_empty());
    // What the door refused, it refuses again.
    for code in ["signature_mismatch", "malformed_header", "rate_limited", "duplicate_key", "out_of_range"] {
        assert_eq!(first.outcomes.get(code), second.outcomes.get(code), "{code}");
    }
}

/// The answer to a retry is the first answer, also in a second run.
#[test]
fn what_is_replayed_is_the_first_outcome() {
    let lines: Vec<Line> = SEASON.lines().filter_map(|text| Line::parse(text.as_bytes()).ok()).collect();
    let last_day = lines.last().unwrap().received_at.minus_millis(20 * 3_600_000);
    let engine = Engine::new(rules(), MemoryStore::new());
    let run = || -> Vec<Outcome> {
        let intake = replay::door(&rules(), SECRET).unwrap();
        let admitted = lines.iter().filter(|line| line.received_at >= last_day).filter_map(|line| {
            intake.admit(&Headers::from_pairs(line.header_pairs()), line.body.as_bytes(), line.received_at).ok()
        });
        admitted.map(|event| engine.submit(&event)).collect()
    };
    let (first, second) = (run(), run());
    assert!(first.len() > 100);
    for (first, second) in first.into_iter().zip(second) {
        match (first, second) {
            (Outcome::Applied(first) | Outcome::Replayed(first), Outcome::Replayed(again)) => assert_eq!(first, again),
            (Outcome::Refused(first), Outcome::Refused(again)) => assert_eq!(first, again),
            (first, second) => panic!("{first:?}, then {second:?}"),
        }
    }
}

/// Cut where an hour ends, since whoever goes on begins with an advance.
#[test]
fn a_snapshot_in_the_middle_changes_nothing() {
    let hour = |line: &str| Line::parse(line.as_bytes()).ok().map(|line| line.received_at.as_unix_millis() / 3_600_000);
    let lines: Vec<&str> = SEASON.lines().collect();
    let cuts: Vec<usize> = (1..lines.len())
        .filter(|at| hour(lines[at - 1]).zip(hour(lines[*at])).is_some_and(|(before, after)| before != after))
        .collect();
    assert!(cuts.len() > 200);
    for cut in cuts.into_iter().step_by(50) {
        let (before, after) = lines.split_at(cut);
        let engine = Engine::new(rules(), MemoryStore::new());
        drive(&before.join("\n"), &rules(), &engine, replay::BATCH_LEN);
        let restored = MemoryStore::restore(&engine.store().snapshot()).unwrap();
        assert_eq!(restored.digest(), engine.store().digest());
        let engine = Engine::open(rules(), restored).unwrap();
        drive(&after.join("\n"), &rules(), &engine, replay::BATCH_LEN);
        assert_eq!(engine.store().digest(), expected(), "cut after line {cut}");
    }
}

/// Cut anywhere: whoever goes on reads the log from its start, and finds the place by the store's horizon.
#[test]
fn an_interrupted_run_is_gone_on_with() {
    let lines: Vec<&str> = SEASON.lines().collect();
    for cut in (137..lines.len()).step_by(811) {
        let engine = Engine::new(rules(), MemoryStore::new());
        drive(&lines[..cut].join("\n"), &rules(), &engine, replay::BATCH_LEN);
        let intake = replay::door(&rules(), SECRET).unwrap();
        let mut run = Replay::new(&intake, &engine).resume().unwrap();
        for line in Lines::new(SEASON.as_bytes()) {
            match line.unwrap() {
                Ok(line) => run.take(&line).unwrap(),
                Err(_) => run.broken(),
            }
        }
        let tally = run.finish();
        assert_eq!(engine.store().digest(), expected(), "cut after line {cut}");
        let resumed = usize::try_from(tally.resumed).unwrap();
        assert!(resumed > 0 && resumed < cut, "went on after line {resumed}, cut after line {cut}");
    }
}

#[test]
fn broken_lines_never_stop_a_run() {
    let mut text = String::from("\n{\nnull\n[]\n\"\"\n\u{0}\n{\"receivedMs\":1e400}\n");
    for (at, line) in SEASON.lines().enumerate() {
        text += line;
        text += if at % 100 == 0 { "\nnot a line\n" } else { "\n" };
    }
    let engine = Engine::new(rules(), MemoryStore::new());
    let tally = drive(&text, &rules(), &engine, replay::BATCH_LEN);
    assert_eq!((tally.lines, tally.broken), (5_000 + 7 + 50, 3 + 7 + 50));
    assert_eq!(engine.store().digest(), expected());
}

#[test]
fn receipts_of_every_player_form_a_chain() {
    let engine = Engine::new(rules(), MemoryStore::new());
    drive(SEASON, &rules(), &engine, replay::BATCH_LEN);
    let now = liveops_core::Timestamp::from_rfc3339("2026-11-10T05:00:00Z").unwrap();
    let everyone = engine.board("xp").unwrap().top(liveops_core::Window::AllTime, 1_000, now).unwrap();
    let players: Vec<PlayerId> = everyone.into_iter().map(|row| row.owner).collect();
    assert!(players.len() > 300);
    for player in players {
        let receipts = engine.receipts(&player).unwrap();
        let record = engine.record(&player).unwrap().unwrap();
        assert_eq!(receipts.len() as u64, record.receipts);
        assert!(verify_chain(&receipts, record.chain_head).is_ok(), "{player}");
    }
}

#[test]
fn the_guides_own_events_run_under_their_preset() {
    let rules = Rules::from_json(GUIDE_RULES).unwrap();
    let text: Vec<String> = generate::guide(3_000, 7, SECRET.trim()).unwrap().collect();
    let engine = Engine::new(rules.clone(), MemoryStore::new());
    let tally = drive(&text.join("\n"), &rules, &engine, replay::BATCH_LEN);
    assert_eq!(tally.outcomes.get("applied"), Some(&3_000), "{:?}", tally.outcomes);
    assert!(tally.rewards.contains_key("level-gold"));
    assert!(!engine.suspicions().unwrap().is_empty(), "one in a hundred asks for far too much");
}
