//! What one caller at a time may rely on.

use super::sample::{
    NOW, advance, applied, command_id, commit, horizon, load, parts, payment, player, present, progression, rules,
    season, set, xp,
};
use crate::engine::Engine;
use crate::id::Origin;
use crate::memory::MemoryStore;
use crate::record::{ChangeSet, Horizon, Key, Player, Record, StoredOutcome};
use crate::store::{Scan as _, Store};

pub(super) fn load_answers_every_key_in_order(store: &dyn Store) {
    assert!(present(store, &[]).is_empty(), "loading nothing loads nothing");
    let [outcome, ..] = parts("a", 1);
    assert_eq!(present(store, &[Key::Player(player("a")), outcome]), [false; 2]);
    applied(store, set("a", 0));
    let keys = ["b", "a", "b", "a"].map(|name| Key::Player(player(name)));
    assert_eq!(present(store, &keys), [false, true, false, true], "in order, repeats included");
}

pub(super) fn all_parts_are_written(store: &dyn Store) {
    applied(store, set("a", 0));
    applied(store, set("a", 1));
    assert_eq!(xp(store, "a"), 2, "the record is replaced");
    for number in [1, 2] {
        assert_eq!(present(store, &parts("a", number)), [true; 3], "every part can be read back");
    }
}

/// The same season over this store and the reference store.
pub(super) fn records_come_back_unchanged(store: &dyn Store) {
    let (here, reference) = (Engine::new(rules(), store), Engine::new(rules(), MemoryStore::new()));
    for chunk in season().chunks(50) {
        let codes =
            |outcomes: Vec<crate::plan::Outcome>| outcomes.iter().map(crate::plan::Outcome::code).collect::<Vec<_>>();
        assert_eq!(codes(here.submit_batch(chunk)), codes(reference.submit_batch(chunk)), "the same outcomes");
    }
    let records = reference.store().scan(None, usize::MAX).expect("scan");
    let (keys, wanted): (Vec<Key>, Vec<Record>) = records.into_iter().filter(|(key, _)| key.player().is_some()).unzip();
    for ((key, wanted), answer) in keys.iter().zip(wanted).zip(load(store, &keys)) {
        assert_eq!(answer, Some(wanted), "{key:?} comes back as it was written");
    }
}

/// Ids hold any visible character; a store encodes them so that none ends, joins or matches another's key.
pub(super) fn no_id_reaches_another_s_records(store: &dyn Store) {
    let long = "x".repeat(64);
    let names = ["a", "A", "a~", "a:1", "a/1", "a%", "_", "*", "a'", "\"", "\\", "a%00", "{a}", &long[..63], &long];
    for name in names {
        assert!(!present(store, &[Key::Player(player(name))])[0], "{name:?} is met for the first time");
        let mut first = set(name, 0);
        first.outcomes[0].0 = command_id(u64::MAX);
        applied(store, first);
    }
    for name in names {
        let mut second = set(name, 1);
        // The same name in the operator's name space.
        let operator = crate::id::CommandId { origin: Origin::Operator, ..command_id(u64::MAX) };
        second.outcomes[0].0 = operator.clone();
        let wanted = [StoredOutcome { fingerprint: 1, ..second.outcomes[0].1.clone() }, second.outcomes[0].1.clone()];
        applied(store, second);
        let keys = [command_id(u64::MAX), operator].map(|id| Key::Outcome(player(name), id));
        for (answer, wanted) in load(store, &keys).into_iter().zip(wanted) {
            let Some(Record::Outcome(found)) = answer else { panic!("{name:?}: an outcome is missing") };
            assert_eq!(found.fingerprint, wanted.fingerprint, "{name:?}: each origin has its own outcomes");
        }
    }
    assert!(names.iter().all(|name| xp(store, name) == 2), "each player has their own record");
}

pub(super) fn a_stale_set_writes_nothing(store: &dyn Store) {
    applied(store, set("a", 0));
    for stale in [0, 7] {
        assert_eq!(commit(store, vec![ChangeSet { expected: stale, ..set("a", 8) }]), [false], "stale conflicts");
    }
    assert_eq!(xp(store, "a"), 1, "a conflict leaves the player");
    assert_eq!(present(store, &parts("a", 9)), [false; 3], "a conflict writes no part");
    let forgets = ChangeSet { expected: 0, forget: true, removed: parts("a", 1).to_vec(), ..set("a", 8) };
    assert_eq!(commit(store, vec![forgets]), [false], "stale conflicts");
    assert_eq!(present(store, &parts("a", 1)), [true; 3], "a conflict removes nothing");
}

pub(super) fn a_conflict_does_not_stop_the_batch(store: &dyn Store) {
    assert_eq!(commit(store, vec![set("a", 0), set("b", 9), set("c", 0)]), [true, false, true]);
    assert_eq!(["a", "b", "c"].map(|name| xp(store, name)), [1, 0, 1]);
}

pub(super) fn removed_records_are_gone(store: &dyn Store) {
    for version in 0..3 {
        applied(store, set("a", version));
        applied(store, set("b", version));
    }
    let [_, receipt, suspicion] = parts("a", 1);
    let [_, _, own] = parts("a", 4);
    applied(store, ChangeSet { removed: vec![receipt.clone(), suspicion.clone(), own.clone()], ..set("a", 3) });
    assert_eq!(present(store, &[receipt, suspicion, own]), [false; 3], "what was removed, last of all, is gone");
    assert!(present(store, &parts("a", 1))[0], "no other record of the player goes");
    assert_eq!(present(store, &parts("a", 2)), [true; 3], "no other record of the player goes");
    assert_eq!(present(store, &parts("b", 1)), [true; 3], "no other player's record goes");
}

pub(super) fn one_player_is_forgotten(store: &dyn Store) {
    for name in ["a", "a~", "b"] {
        applied(store, set(name, 0));
    }
    applied(store, ChangeSet { forget: true, ..set("a", 1) });
    assert_eq!(present(store, &parts("a", 1)), [false; 3], "nothing from before is left");
    assert_eq!(present(store, &parts("a", 2)), [true; 3], "what the set itself writes stays");
    assert_eq!(xp(store, "a"), 2);
    for name in ["a~", "b"] {
        assert_eq!(present(store, &parts(name, 1)), [true; 3], "no other player is touched");
    }
}

pub(super) fn the_horizon_only_rises(store: &dyn Store) {
    applied(store, set("a", 0));
    for (to, wanted) in [
        (horizon(10, -10), horizon(10, -10)),
        (horizon(5, -20), horizon(10, -10)),
        (horizon(5, 0), horizon(10, 0)),
        (horizon(11, -1), horizon(11, 0)),
    ] {
        assert_eq!(advance(store, to), wanted, "each mark rises and never falls");
        assert_eq!(load(store, &[Key::Horizon]), [Some(Record::Horizon(wanted))], "and can be read");
    }
}

pub(super) fn a_closed_period_is_not_written(store: &dyn Store) {
    let closing = |expected| ChangeSet { closes_at: NOW.plus_millis(10), ..set("a", expected) };
    advance(store, horizon(9, -99));
    assert_eq!(commit(store, vec![closing(0)]), [true], "still open");
    advance(store, horizon(10, -99));
    assert_eq!(commit(store, vec![closing(1)]), [false], "a period closed since the decision");
    assert_eq!(commit(store, vec![set("a", 1)]), [true], "a run that counts in no such period is not held up");
}

pub(super) fn forgotten_commands_are_not_written(store: &dyn Store) {
    advance(store, horizon(0, 0));
    assert_eq!(commit(store, vec![set("a", 0)]), [true], "at the mark");
    advance(store, horizon(0, 1));
    assert_eq!(commit(store, vec![set("a", 1)]), [false], "the outcome of an earlier copy may be gone");
    assert_eq!(present(store, &parts("a", 2)), [false; 3], "and nothing is written");
}

pub(super) fn advance_drops_old_outcomes_alone(store: &dyn Store) {
    applied(store, set("a", 0));
    let mut newer = set("a", 1);
    newer.outcomes[0].1.ts = NOW.plus_millis(1);
    applied(store, newer);
    advance(store, horizon(99, 0));
    assert_eq!(present(store, &parts("a", 1)), [true; 3], "an outcome at the mark is kept");
    advance(store, horizon(99, 1));
    assert_eq!(present(store, &parts("a", 1)), [false, true, true], "an outcome before the mark goes, nothing else");
    assert_eq!(present(store, &parts("a", 2)), [true; 3], "a newer outcome is kept");
    assert_eq!(xp(store, "a"), 2, "time changes no player");
}

pub(super) fn advance_drops_idle_marks_alone(store: &dyn Store) {
    let mark = |version| Player { version, newest_ts: NOW, erased_through: Some(NOW), ..Player::default() };
    let erase = |name, record: Player| {
        applied(store, set(name, 0));
        let (receipts, suspicions) = (Vec::new(), Vec::new());
        applied(store, ChangeSet { forget: true, record: record.into(), receipts, suspicions, ..set(name, 1) });
    };
    erase("idle", mark(2));
    erase("again", Player { xp: 5, ..mark(2) });
    erase("later", Player { erased_through: Some(NOW.plus_millis(5)), ..mark(2) });
    let keys = ["idle", "again", "later"].map(|name| Key::Player(player(name)));
    advance(store, horizon(99, 0));
    assert_eq!(present(store, &keys), [true; 3], "a mark at the horizon is needed");
    advance(store, horizon(99, 1));
    assert_eq!(present(store, &keys), [false, true, true], "a mark that nobody needs goes, nobody else does");
    let anew = ChangeSet { oldest_ts: NOW.plus_millis(1), ..set("idle", 0) };
    assert_eq!(commit(store, vec![anew]), [true], "who comes again is new");
}

/// A payment is for a period that may have closed long before the horizon forgot: its receipt bears that time, its outcome
/// does not, and its mark stays.
pub(super) fn an_old_payment_is_written_and_remembered(store: &dyn Store) {
    const DAY: i64 = crate::time::DAY_MILLIS;
    let pay = payment("a", NOW.plus_millis(40 * DAY));
    let step = |store: &dyn Store, days: i64| {
        let now = NOW.plus_millis(days * DAY);
        advance(store, Horizon { now, forgotten_before: now.minus_millis(DAY) });
    };
    let reference = MemoryStore::new();
    for store in [store, &reference] {
        Engine::new(rules(), store).submit(&progression("e", "a", 0, 5));
        step(store, 40);
    }
    let engine = Engine::new(rules(), store);
    assert_eq!(engine.submit(&pay).code(), "applied", "however old its receipt is");
    let receipts = |days: i64| {
        step(store, days);
        engine.submit(&pay).into_effect().expect("a payment made is replayed").receipts.len()
    };
    assert_eq!((receipts(40), receipts(41)), (1, 1), "the outcome is kept from when it was made");

    Engine::new(rules(), &reference).submit(&pay);
    let keys = [Key::Player(player("a")), Key::Outcome(player("a"), pay.id.clone()), Key::Receipt(player("a"), 1)];
    assert_eq!(load(store, &keys), load(&reference, &keys), "what a payment writes comes back as it was written");
    assert_eq!(receipts(42), 0, "the outcome goes, the mark stays");
}
