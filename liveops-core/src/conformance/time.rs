//! What holds as time goes on: the horizon, what is forgotten, and what was decided before that.

use super::sample::{
    NOW, advance, applied, commit, erased, erasure, horizon, load, operator, parts, payment, player, present,
    progression, rules, set, under, xp,
};
use crate::engine::Engine;
use crate::memory::MemoryStore;
use crate::plan::Plan;
use crate::record::{Action, ChangeSet, Horizon, Key, Player, Record};
use crate::store::Store;
use crate::time::{DAY_MILLIS, Timestamp};

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
    let forgotten = NOW.plus_millis(-99);
    let closing = |expected| ChangeSet { closes_at: NOW.plus_millis(10), ..under(forgotten, set("a", expected)) };
    advance(store, horizon(9, -99));
    assert_eq!(commit(store, vec![closing(0)]), [true], "still open");
    advance(store, horizon(10, -99));
    assert_eq!(commit(store, vec![closing(1)]), [false], "a period closed since the decision");
    let other = under(forgotten, set("a", 1));
    assert_eq!(commit(store, vec![other]), [true], "a run that counts in no such period is not held up");
}

pub(super) fn a_decision_of_before_is_not_written(store: &dyn Store) {
    advance(store, horizon(0, 0));
    assert_eq!(commit(store, vec![set("a", 0)]), [false], "more is forgotten than when it was decided");
    assert_eq!(present(store, &parts("a", 1)), [false; 3], "and nothing is written");
    assert_eq!(commit(store, vec![under(NOW, set("a", 0))]), [true], "as much as then");
    advance(store, horizon(0, 1));
    let of_now = under(NOW.plus_millis(1), set("b", 0));
    let sets = vec![under(NOW, set("a", 1)), of_now, under(NOW.plus_millis(2), set("c", 0))];
    assert_eq!(commit(store, sets), [false, true, false], "neither less nor more");
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

/// Players of whom only the mark of an erasure is left, by name, and one whose outcome outlives it: what [`advance`] makes of
/// them, here and wherever records are met.
pub(super) fn erase_some<S: Store + ?Sized>(store: &S) {
    let with = |name: &str, record: Player| {
        applied(store, set(name, 0));
        applied(store, ChangeSet { record: record.into(), ..erasure(name, 1) });
    };
    with("idle", *erased(2, NOW));
    with("again", Player { xp: 5, ..*erased(2, NOW) });
    with("later", *erased(2, NOW.plus_millis(5)));
    applied(store, set("busy", 0));
    let mut busy = erasure("busy", 1);
    busy.outcomes[0].1.ts = NOW.plus_millis(50);
    applied(store, busy);
}

pub(super) fn a_mark_that_nobody_needs_is_nobody(store: &dyn Store) {
    erase_some(store);
    let keys = ["idle", "again", "later", "busy"].map(|name| Key::Player(player(name)));
    advance(store, horizon(99, 0));
    assert_eq!(present(store, &keys), [true; 4], "a mark at the horizon is needed");
    advance(store, horizon(99, 1));
    assert_eq!(present(store, &keys), [false, true, true, true], "a mark that nobody needs is nobody, nobody else is");
    let anew = |name, expected, millis| commit(store, vec![under(NOW.plus_millis(millis), set(name, expected))]);
    assert_eq!(anew("idle", 2, 1), [false], "nobody has no version");
    assert_eq!(anew("idle", 0, 1), [true], "who comes again is new");
    advance(store, horizon(99, 50));
    assert!(present(store, &[keys[3].clone()])[0], "a mark stays for as long as an outcome");
    assert_eq!(anew("busy", 0, 50), [false], "and so does its version");
    advance(store, horizon(99, 51));
    assert_eq!(present(store, &keys), [true, true, false, false], "then it is nobody as well");
    assert_eq!(anew("busy", 0, 51), [true], "who comes again is new");
}

/// Somebody erased is hidden and shown again, which leaves no trace but the outcomes of that.
pub(super) fn a_mark_stays_beside_newer_outcomes(store: &dyn Store) {
    let engine = Engine::new(rules(), store);
    let steps = [
        (0, Action::Erase),
        (20, Action::SetVisibility { hidden: true }),
        (40, Action::SetVisibility { hidden: false }),
    ];
    engine.submit(&progression("first", "a", 0, 5));
    for (millis, action) in steps {
        let outcome = engine.submit(&operator(&format!("at-{millis}"), "a", millis, action));
        assert_eq!(outcome.code(), "applied");
    }
    let key = [Key::Player(player("a"))];
    let Some(Some(Record::Player(left))) = load(store, &key).pop() else { panic!("nobody there") };
    assert!(left.idle_mark().is_some(), "nothing is left but the mark");
    for (forgotten, there) in [(1, true), (21, true), (40, true), (41, false)] {
        advance(store, horizon(99, forgotten));
        assert_eq!(present(store, &key), [there], "a mark stays for as long as its newest outcome: {forgotten}");
    }
    assert_eq!(commit(store, vec![under(NOW.plus_millis(41), set("a", 0))]), [true], "who comes again is new");
}

/// A commit that was held up on its way, while its player was erased, forgotten and began again under the very version that it
/// expects.
pub(super) fn a_stalled_commit_brings_nothing_back(store: &dyn Store) {
    let rules = rules();
    let engine = Engine::new(rules.clone(), store);
    assert_eq!(engine.submit(&progression("first", "a", 0, 4_000)).code(), "applied");
    let late = progression("late", "a", 1, 20);
    let mut plan = Plan::new(&rules, [&late]);
    let keys = plan.keys(1);
    let stalled = plan.decide(store.load(&keys));

    assert_eq!(engine.submit(&operator("erase", "a", 2, Action::Erase)).code(), "applied");
    // No period closes meanwhile.
    advance(store, horizon(3, 3));
    assert_eq!(present(store, &[Key::Player(player("a"))]), [false], "the mark went");
    assert_eq!(engine.submit(&progression("anew", "a", 4, 1)).code(), "applied");

    plan.resolve(store.commit(stalled));
    assert_eq!(xp(store, "a"), 1, "what was erased stays erased");
    while let keys @ [_, ..] = &plan.keys(1)[..] {
        let batch = plan.decide(store.load(keys));
        plan.resolve(store.commit(batch));
    }
    assert_eq!(plan.finish()[0].code(), "too_old", "decided anew, it is too old");
    assert_eq!(xp(store, "a"), 1, "what was erased stays erased");
}

/// Four writers count in a period; once an advance past its closing has returned, nobody writes into it any more.
pub(super) fn nothing_is_written_once_a_period_has_closed(store: &dyn Store) {
    const WRITERS: [&str; 4] = ["a", "b", "c", "d"];
    let forgotten = NOW.plus_millis(-99);
    advance(store, horizon(0, -99));
    let mut versions = [0; 4];
    for round in 1..=20 {
        let closes_at = NOW.plus_millis(round);
        let first = versions;
        let writers = WRITERS.into_iter().zip(first);
        let (then, written) = std::thread::scope(|scope| {
            let write = |name: &'static str, mut version: u64| {
                move || {
                    while commit(store, vec![ChangeSet { closes_at, ..under(forgotten, set(name, version)) }])[0] {
                        version += 1;
                    }
                    version
                }
            };
            let writers: Vec<_> = writers.map(|(name, version)| scope.spawn(write(name, version))).collect();
            while WRITERS.iter().zip(first).any(|(name, before)| xp(store, name) == before) {
                std::thread::yield_now();
            }
            advance(store, Horizon { now: closes_at, forgotten_before: forgotten });
            let then = WRITERS.map(|name| xp(store, name));
            (then, writers.into_iter().map(|writer| writer.join().expect("a writer")).collect::<Vec<_>>())
        });
        assert_eq!(then[..], written[..], "nothing is written once advance has returned, and nothing is lost");
        versions = then;
    }
}

/// A payment is for a period that may have closed long before the horizon forgot: its receipt bears that time, its outcome
/// does not, and its mark stays.
pub(super) fn an_old_payment_is_written_and_remembered(store: &dyn Store) {
    let pay = payment("a", NOW.plus_millis(40 * DAY_MILLIS));
    let step = |store: &dyn Store, days: i64| {
        let now: Timestamp = NOW.plus_millis(days * DAY_MILLIS);
        advance(store, Horizon { now, forgotten_before: now.minus_millis(DAY_MILLIS) });
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
        engine.submit(&pay).into_effect().expect("a payment made is replayed").receipts().len()
    };
    assert_eq!((receipts(40), receipts(41)), (1, 1), "the outcome is kept from when it was made");

    Engine::new(rules(), &reference).submit(&pay);
    let keys = [Key::Player(player("a")), Key::Outcome(player("a"), pay.id.clone()), Key::Receipt(player("a"), 1)];
    assert_eq!(load(store, &keys), load(&reference, &keys), "what a payment writes comes back as it was written");
    assert_eq!(receipts(42), 0, "the outcome goes, the mark stays");
}
