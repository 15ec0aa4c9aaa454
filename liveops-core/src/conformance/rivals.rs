//! What several writers at once may rely on.

use super::sample::{applied, command_id, commit, load, player, progression, rules, set, xp};
use crate::engine::Engine;
use crate::plan::{Outcome, Plan};
use crate::record::{Header, Key, Record};
use crate::store::Store;

pub(super) fn one_writer_wins(store: &dyn Store) {
    for version in 0..20 {
        let applied = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..8).map(|_| scope.spawn(|| commit(store, vec![set("a", version)])[0])).collect();
            writers.into_iter().map(|writer| writer.join().expect("a writer")).filter(|applied| *applied).count()
        });
        assert_eq!(applied, 1, "of many writers over one version exactly one wins");
    }
}

pub(super) fn one_header_wins(store: &dyn Store) {
    let named = |name: String| Header { game: Some(name), ..Header::default() };
    let mut before = Header::default();
    for round in 0..20 {
        let replace = |writer: u32| {
            let new = named(format!("{round}-{writer}"));
            store.replace_header(&before, &new).expect("replace_header").then_some(new)
        };
        let won: Vec<Header> = std::thread::scope(|scope| {
            let replace = &replace;
            let writers: Vec<_> = (0..8).map(|writer| scope.spawn(move || replace(writer))).collect();
            writers.into_iter().filter_map(|writer| writer.join().expect("a writer")).collect()
        });
        assert_eq!(won.len(), 1, "of many writers over one header exactly one wins");
        before = store.header().expect("header");
        assert_eq!(won[0], before, "and what it wrote is there");
    }
}

/// A rival comes between load and commit, with another command of the player first and then with one of ours.
pub(super) fn a_writer_in_between_is_noticed(store: &dyn Store) {
    let rules = rules();
    let two = [progression("one", "a", 0, 1), progression("two", "a", 0, 20)];
    let rivals = [progression("rival", "a", 0, 300), two[1].clone()];
    let mut plan = Plan::new(&rules, &two);
    for round in 0.. {
        let keys = plan.keys(store.round_players());
        if keys.is_empty() {
            break;
        }
        let loaded = store.load(&keys);
        if let Some(rival) = rivals.get(round) {
            Engine::new(rules.clone(), store).submit(rival);
        }
        let batch = plan.decide(loaded);
        plan.resolve(store.commit(batch));
    }
    let outcomes = plan.finish();
    assert!(
        matches!(&outcomes[..], [Outcome::Applied(_), Outcome::Replayed(_)]),
        "the whole run is decided again on what the rival left: {outcomes:?}"
    );
    assert_eq!(xp(store, "a"), 321, "each command counts once");
}

pub(super) fn no_player_is_newer_than_their_records(store: &dyn Store) {
    const WRITES: u64 = 48;
    for name in (0..8).map(|n| format!("p{n}")) {
        let outcomes = (1..=WRITES).map(|n| Key::Outcome(player(&name), command_id(n)));
        let keys: Vec<_> = [Key::Player(player(&name))].into_iter().chain(outcomes).collect();
        std::thread::scope(|scope| {
            scope.spawn(|| (0..WRITES).for_each(|version| applied(store, set(&name, version))));
            loop {
                let answers = load(store, &keys);
                let Some(Record::Player(player)) = &answers[0] else { continue };
                let known = answers[1..].iter().filter(|answer| answer.is_some()).count() as u64;
                assert!(known >= player.version, "a load showed version {} and {known} outcomes", player.version);
                if player.version == WRITES {
                    break;
                }
            }
        });
    }
}

/// An outcome that is read before a rival commits it, with the player read after it, would apply the command twice.
pub(super) fn rivals_apply_a_command_once(store: &dyn Store) {
    const COMMANDS: i64 = 24;
    let commands: Vec<_> = (0..COMMANDS).map(|n| progression(&format!("e{n}"), "a", n, 1)).collect();
    let engine = Engine::new(rules(), store);
    let applied: usize = std::thread::scope(|scope| {
        let submit = || {
            let tries = commands.iter().map(|command| {
                loop {
                    match engine.submit(command) {
                        Outcome::Applied(_) => return 1,
                        Outcome::Replayed(_) => return 0,
                        // Contended: the others are at it.
                        Outcome::Refused(error) if error.is_transient() => {}
                        other => panic!("{other:?}"),
                    }
                }
            });
            tries.sum::<usize>()
        };
        let rivals: Vec<_> = (0..4).map(|_| scope.spawn(submit)).collect();
        rivals.into_iter().map(|rival| rival.join().expect("a rival")).sum()
    });
    assert_eq!(applied, commands.len(), "each command is applied by one rival and replayed to the others");
    assert_eq!(xp(store, "a"), COMMANDS.unsigned_abs(), "each command counts once");
}
