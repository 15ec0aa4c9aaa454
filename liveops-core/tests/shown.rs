//! What a decision says of boards: the entries that a board shows otherwise than before, and what becomes of entries when rules no
//! longer have their board. Held against the plain comparison of the records before and after.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::LazyLock;

use liveops_core::board::Standing;
use liveops_core::record::{BoardKey, ChangeSet, Horizon, Player, Run};
use liveops_core::rules::{Decided, Found, Scratch, Stored};
use liveops_core::{BoardId, Command, EventId, Period, PlayerId, Rules, Timestamp, Window};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_794_052_800);
const HOUR: i64 = 3_600_000;

/// Rules that follow one another, there and back: with a board, without it, with it retired, and with another of its name.
static RULES: LazyLock<[Rules; 4]> = LazyLock::new(|| {
    [
        r#""boards": { "xp": { "value": "grantedXp", "keepPeriods": { "daily": 1, "weekly": 1, "allTime": 0 } },
            "kills": { "on": "boss_kill", "value": 1, "keepPeriods": { "daily": 2, "allTime": 0 } } }"#,
        r#""boards": { "kills": { "on": "boss_kill", "value": 1, "keepPeriods": { "daily": 2, "allTime": 0 } } }"#,
        r#""boards": { "kills": { "on": "boss_kill", "value": 1, "keepPeriods": { "daily": 2 } } }, "retiredBoards": ["xp"]"#,
        r#""boards": { "xp": { "value": 1, "order": "asc", "operator": "best", "keepPeriods": { "daily": 1, "allTime": 0 } } }"#,
    ]
    .map(|boards| {
        let progress = r#""progress": { "curve": { "kind": "linear", "base": 100, "step": 0, "maxLevel": 9 } }"#;
        Rules::from_json(&format!(r#"{{ "version": 1, "game": "shown", {progress}, {boards} }}"#)).unwrap()
    })
});

#[derive(Clone, Debug)]
enum Step {
    Xp { xp: i64, hours_ago: i64 },
    Kill { hours_ago: i64 },
    Hide(bool),
    Erase,
}

fn steps() -> impl Strategy<Value = Vec<(Vec<Step>, usize, i64)>> {
    let step = prop_oneof![
        8 => (0_i64..3, 0_i64..40).prop_map(|(xp, hours_ago)| Step::Xp { xp, hours_ago }),
        4 => (0_i64..40).prop_map(|hours_ago| Step::Kill { hours_ago }),
        2 => any::<bool>().prop_map(Step::Hide),
        1 => Just(Step::Erase),
    ];
    // A run, the rules that decide it, and hours that pass before.
    prop::collection::vec((prop::collection::vec(step, 1..6), 0_usize..4, 0_i64..30), 1..12)
}

fn ana() -> PlayerId {
    PlayerId::new("ana").unwrap()
}

fn command(step: &Step, id: &str, now: Timestamp, rules: &Rules) -> Command {
    let event = |kind: &str, hours_ago: i64, payload: String| {
        let ts = now.minus_millis(hours_ago * HOUR).as_unix_seconds();
        let body = format!(r#"{{ "type": "{kind}", "playerId": "ana", "ts": {ts}, "payload": {payload} }}"#);
        // The door takes nothing so old; a decision does not depend on it.
        let parsed = rules.door().parser().parse(body.as_bytes(), now.minus_millis(hours_ago * HOUR)).unwrap();
        Command::event(parsed.into_event(EventId::new(id).unwrap()), now)
    };
    let id = || EventId::new(id).unwrap();
    match step {
        Step::Xp { xp, hours_ago } => event("progression", *hours_ago, format!(r#"{{ "deltaXp": {xp} }}"#)),
        Step::Kill { hours_ago } => {
            event("boss_kill", *hours_ago, r#"{ "bossId": "hydra", "durationMs": 60000 }"#.to_owned())
        }
        Step::Hide(hidden) => Command::set_visibility(id(), ana(), now, *hidden),
        Step::Erase => Command::erase(id(), ana(), now),
    }
}

/// What boards show of a record, by the plain way.
fn shown(player: &Player) -> Vec<(BoardKey, Standing)> {
    if player.hidden { Vec::new() } else { player.standings.to_vec() }
}

fn difference(before: &Player, after: &Player) -> Vec<(BoardKey, Option<Standing>)> {
    let (before, after) = (shown(before), shown(after));
    let find = |of: &[(BoardKey, Standing)], key: &BoardKey| of.iter().find(|(known, _)| known == key).map(|e| e.1);
    let mut keys: Vec<_> = before.iter().chain(&after).map(|(key, _)| key.clone()).collect();
    keys.sort();
    keys.dedup();
    let changed = keys.into_iter().filter(|key| find(&before, key) != find(&after, key));
    changed.map(|key| (key.clone(), find(&after, &key))).collect()
}

/// In memory that decisions before may have used, under whichever rules.
fn decide(
    rules: &Rules,
    run: &[Command],
    horizon: Horizon,
    player: Option<&Player>,
    scratch: &mut Scratch,
) -> Option<ChangeSet> {
    let stored = Stored { player: player.map(|player| Box::new(player.clone())), listed: Vec::new() };
    let commands: Vec<_> = run.iter().collect();
    let found = vec![Found::default(); run.len()];
    match rules.decide(&commands, horizon, stored, found, scratch, |_| ()) {
        Decided::Changes(changes) => Some(changes),
        Decided::Nothing => None,
        Decided::Lacks(keys) => panic!("nothing is listed here: {keys:?}"),
    }
}

proptest! {
    #[test]
    fn a_change_set_says_what_boards_show_otherwise(runs in steps()) {
        let (mut player, mut now, mut scratch) = (None, NOW, Scratch::default());
        for (at, (steps, by, hours)) in runs.iter().enumerate() {
            now = now.plus_millis(hours * HOUR);
            let (rules, horizon) = (&RULES[*by], Horizon { now, forgotten_before: now.minus_millis(24 * HOUR) });
            let commands: Vec<_> =
                steps.iter().enumerate().map(|(n, step)| command(step, &format!("c{at}-{n}"), now, rules)).collect();
            let Some(mut changes) = decide(rules, &commands, horizon, player.as_ref(), &mut scratch) else { continue };
            let nobody = Player::default();
            let before = player.as_ref().unwrap_or(&nobody);
            prop_assert_eq!(&changes.shown, &difference(before, &changes.record));
            prop_assert_eq!(changes.forgotten_before, horizon.forgotten_before);
            let kept = |(key, standing): &(BoardKey, Standing)| match rules.board(&key.board) {
                Some(rule) => standing.sort == rule.sort && rules.keeps(key, now),
                None => !rules.retired_boards().contains(&key.board),
            };
            prop_assert!(changes.record.standings.to_vec().iter().all(kept), "{:?}", changes.record.standings);
            // What these rules do not know, and nobody erased, stays.
            let unknown = |(key, _): &&(BoardKey, Standing)| {
                !changes.forget && !rules.retired_boards().contains(&key.board)
                    && rules.board(&key.board).is_none_or(|rule| rule.keep(key.period.window).is_none())
            };
            for (key, standing) in before.standings.to_vec().iter().filter(unknown) {
                let sorts = rules.board(&key.board).is_none_or(|rule| rule.sort == standing.sort);
                prop_assert_eq!(changes.record.standing(key), Some(*standing).filter(|_| sorts));
            }
            prop_assert_eq!(ChangeSet::decode(&changes.encode()), Ok(changes.clone()));
            changes.run = Some(Box::new(Run { rules: rules.identity(), horizon, commands }));
            prop_assert_eq!(ChangeSet::decode(&changes.encode()), Ok(changes.clone()));
            player = Some(*changes.record);
        }
    }
}

/// The first event under a name that came back begins anew, and so does a payout by it.
#[test]
fn entries_of_a_retired_board_are_not_met_again() {
    let (horizon, mut scratch) = (Horizon::default(), Scratch::default());
    let mut decide = |by: usize, run: &[Command], player: Option<&Player>| {
        decide(&RULES[by], run, horizon, player, &mut scratch).unwrap()
    };
    let xp = |ago| Step::Xp { xp: 7, hours_ago: ago };
    let all_time = Period { window: Window::AllTime, index: 0 };
    let key = BoardKey { board: BoardId::new("xp").unwrap(), period: all_time };
    let first = decide(0, &[command(&xp(0), "e1", NOW, &RULES[0])], None);
    let counted = first.record.standing(&key).unwrap();
    assert_eq!(counted.score, 7.into());
    // Rules without the board let the entry be, as those of a process of before a deployment must.
    let kill = [command(&Step::Kill { hours_ago: 0 }, "e2", NOW, &RULES[1])];
    let without = decide(1, &kill, Some(&first.record));
    assert_eq!(without.record.standing(&key), Some(counted));
    // The other board of the name does not go on from it.
    let other = decide(3, &[command(&xp(0), "e2", NOW, &RULES[3])], Some(&first.record));
    let standing = other.record.standing(&key).unwrap();
    assert_eq!((standing.score, standing.sort), (1.into(), RULES[3].board(&key.board).unwrap().sort));
    assert!(other.shown.contains(&(key.clone(), Some(standing))));
    // Nor does it show it after a write that does not count.
    let hide = [command(&Step::Hide(false), "c1", NOW, &RULES[3])];
    let untouched = decide(3, &hide, Some(&first.record));
    assert_eq!(untouched.record.standing(&key), None);
    // Retired, it goes with the next write.
    let retired = decide(2, &kill, Some(&first.record));
    assert_eq!(retired.record.standing(&key), None);
    assert!(retired.shown.contains(&(key, None)));
}
