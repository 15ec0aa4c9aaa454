//! What one caller at a time may rely on.

use super::sample::{
    applied, command_id, commit, load, operator, parts, player, present, progression, rules, season, set, xp,
};
use crate::engine::Engine;
use crate::error::StoreErrorKind;
use crate::hash::Digest;
use crate::id::Origin;
use crate::limits::{HEADER_RULES_MAX, RUN_LEN_MAX};
use crate::memory::MemoryStore;
use crate::plan::Outcome;
use crate::record::{Action, ChangeSet, Header, Key, Kind, Record, StoredOutcome};
use crate::store::{Scan, Store, records};

pub(super) fn load_answers_every_key_in_order(store: &dyn Store) {
    assert!(present(store, &[]).is_empty(), "loading nothing loads nothing");
    let [outcome, ..] = parts("a", 1);
    assert_eq!(present(store, &[Key::Player(player("a")), outcome]), [false; 2]);
    applied(store, set("a", 0));
    let keys = ["b", "a", "b", "a"].map(|name| Key::Player(player(name)));
    assert_eq!(present(store, &keys), [false, true, false, true], "in order, repeats included");
    let highest = [Key::Receipt(player("a"), u64::MAX), Key::Suspicion(player("a"), u64::MAX)];
    assert_eq!(present(store, &highest), [false; 2], "no number is too high to be absent");
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
        let codes = |outcomes: Vec<Outcome>| outcomes.iter().map(Outcome::code).collect::<Vec<_>>();
        assert_eq!(codes(here.submit_batch(chunk)), codes(reference.submit_batch(chunk)), "the same outcomes");
    }
    let all: Result<Vec<(Key, Record)>, _> = records(reference.store(), None, 100).collect();
    let (keys, wanted): (Vec<Key>, Vec<Record>) = all.expect("scan").into_iter().unzip();
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

/// More commands of one player than a run holds, and more players than a round: no command is left behind.
pub(super) fn a_plan_is_taken_to_its_end(store: &dyn Store) {
    let players = store.round_players();
    assert!(players > 0, "a round has at least one player");
    let mut commands: Vec<_> = (0..3 * RUN_LEN_MAX).map(|n| progression(&format!("e{n}"), "a", 0, 1)).collect();
    commands.extend((0..players.min(300)).map(|n| progression("e", &format!("p{n}"), 0, 1)));
    let outcomes = Engine::new(rules(), store).submit_batch(&commands);
    assert!(outcomes.iter().all(|outcome| outcome.code() == "applied"), "every command of a plan has its outcome");
    assert_eq!(xp(store, "a"), 3 * RUN_LEN_MAX as u64);
}

pub(super) fn the_header_is_compared_and_set(store: &dyn Store) {
    let named = |name: &str| Header { game: Some(name.to_owned()), ..Header::default() };
    let header = || store.header().expect("header");
    let replace = |expected: &Header, new: &Header| store.replace_header(expected, new).expect("replace_header");
    assert_eq!(header(), Header::default(), "nothing is there before anything was written");
    assert!(!replace(&named("a"), &named("b")), "another is expected than is there");
    assert_eq!(header(), Header::default(), "then nothing is written");
    assert!(replace(&Header::default(), &named("a")));
    assert_eq!(header(), named("a"), "what was set is there");
    assert!(!replace(&Header::default(), &named("b")), "another is expected than is there");
    assert_eq!(header(), named("a"), "then nothing is written");

    // That of rules with boards, which many were put in force before, as it was written.
    let mut full = rules().fit(&named("conformance"), None).expect("rules fit the header of their own game");
    full.rules.extend((1..HEADER_RULES_MAX).map(|n| Digest::of(&[&n.to_be_bytes()])));
    assert!(replace(&named("a"), &full));
    applied(store, set("a", 0));
    assert_eq!(header(), full, "every part of it comes back");
}

/// A record that cannot be read, for a reason, fails its own key and its own player. And it is left as it is.
pub(super) fn one_bad_record_fails_its_own_player<S: Store + Scan>(
    store: &S,
    damage: &dyn Fn(&S, &Key),
    why: StoreErrorKind,
) {
    for name in ["a", "b", "c"] {
        applied(store, set(name, 0));
    }
    let [outcome, receipt, suspicion] = parts("c", 1);
    let bad = [Key::Player(player("b")), outcome.clone()];
    for key in &bad {
        damage(store, key);
    }

    let keys = ["a", "b", "c"].map(|name| Key::Player(player(name)));
    let keys = [&[Key::Horizon], &keys[..], &[outcome, receipt, suspicion]].concat();
    let answers = store.load(&keys);
    assert_eq!(answers.len(), keys.len(), "load answers every key");
    for (key, answer) in keys.iter().zip(answers) {
        match answer {
            Err(error) if bad.contains(key) => assert_eq!(error.kind, why, "{key:?} says why"),
            Err(error) => panic!("{key:?} fails for another's fault: {error}"),
            Ok(_) => assert!(!bad.contains(key), "{key:?} makes no sense, and is answered"),
        }
    }

    let commands = ["a", "b", "c"].map(|name| progression("e", name, 0, 5));
    let commands = [&commands[..], &[operator("erase", "b", 0, Action::Erase)]].concat();
    let outcomes = Engine::new(rules(), store).submit_batch(&commands);
    let codes: Vec<_> = outcomes.iter().map(Outcome::code).collect();
    assert_eq!(codes, ["applied", why.code().as_str(), "applied", why.code().as_str()], "one player fails");
    let left = store.load(&bad).into_iter().map(|answer| answer.map_err(|error| error.kind));
    assert!(left.into_iter().all(|answer| answer == Err(why)), "and nothing is written over what cannot be read");

    for kind in [Kind::Player, Kind::Outcome] {
        let error = records(store, Some(kind), 2).find_map(Result::err).expect("a walk says that it cannot go on");
        assert_eq!(error.kind, why, "a walk says why");
    }
    let found: Result<Vec<_>, _> = records(store, Some(Kind::Receipt), 2).collect();
    assert!(found.is_ok(), "a walk over records of another kind does not meet it");
}
