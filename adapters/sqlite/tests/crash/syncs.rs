//! Syncs that fail: what they should have made safe may be lost, and no later sync tells.

use std::path::Path;

use liveops_bench::Random;
use liveops_core::Engine;
use liveops_core::store::FullStore;

use crate::child::Acknowledgements;
use crate::disk::{Control, Dial, Disk};
use crate::states::{Loss, What, read_log};
use crate::{Home, child, game, open, play, power};

/// Each in a game of its own, which goes on after the failure, opened anew.
const FAILURES: usize = 16;
const STATES_EACH: u64 = 2;
const STEPS_AFTER: usize = 10;

#[test]
fn a_failed_sync_leaves_a_doubt_and_loses_nothing_that_was_acknowledged() {
    let home = Home::new("syncs");
    let mut random = Random::new(game::SEED);
    let (mut in_doubt, mut states) = (0, 0);
    for number in 1..=FAILURES {
        let home = home.0.join(number.to_string());
        std::fs::create_dir(&home).unwrap();
        let disk = Disk::new(&home, true);
        let play = || child::run(disk.under(child::command("syncs", disk.folder()).env("NUMBER", number.to_string())));
        play();
        in_doubt += usize::from(disk.control().get(Dial::SyncFails) < 0);
        // In doubt, the process has ended without closing anything; another goes on.
        if disk.control().get(Dial::SyncFails) == LEFT {
            play();
        }
        let log = read_log(disk.log(), disk.folder());
        let failed = log.iter().position(|done| done.what == What::SyncFailed).expect("a sync failed");
        power::each_state(&log, &mut random, |at, folder, acknowledged, random| {
            // More of them close to the failure.
            if at > failed && random.below((at - failed) as u64) < STATES_EACH {
                let loss = Loss::draw(random);
                let place = format!("sync {number} failed, before operation {at}, {loss:?}");
                power::opened(&home.join("state"), &folder.state(loss, random), acknowledged, true, &place);
                states += 1;
            }
        });
    }
    let seed = game::SEED;
    println!(
        "seed {seed}; {FAILURES} syncs failed, {in_doubt} of them in a commit or while the log was written back; {states} states"
    );
    assert!(in_doubt > FAILURES / 2 && states > 2 * FAILURES);
}

/// In the dial when the failure was told: to a process that opens its store anew, or to one that ends.
const OPENED_ANEW: i64 = -1;
const LEFT: i64 = -2;

/// Lets one sync fail. A doubt poisons the store until it is opened anew: by this process or, every other time, by the next.
pub(crate) fn child(folder: &Path) {
    let control = Control::of_this_process();
    let path = folder.join("game.db");
    let number = child::setting("NUMBER");
    let goes_on = control.get(Dial::SyncFails) == LEFT;
    let mut taken = Acknowledgements::count(folder);
    let mut acknowledgements = Acknowledgements::to(folder);
    let mut engine = play(open(&path, true).unwrap());
    if goes_on {
        taken = caught_up(&engine, taken, &mut acknowledgements);
    } else {
        // Spread over the first steps, the writing back of the log included.
        control.set(Dial::SyncFails, control.get(Dial::Syncs) + 2 * number as i64);
    }
    while taken < 2 * number + STEPS_AFTER {
        let Err(code) = game::take(&engine, &game::steps()[taken]) else {
            taken += 1;
            acknowledgements.add();
            continue;
        };
        // In a commit, or while the log was written back after the one before: then nothing of this step was written.
        let stops = ["store_outcome_unknown", "store_unavailable"].contains(&code.as_str());
        assert!(stops && !goes_on, "{code}");
        let again = game::take(&engine, &game::steps()[taken]);
        assert_eq!(again, Err("store_unavailable".to_owned()), "no second sync on what is in doubt");
        if number.is_multiple_of(2) {
            control.set(Dial::SyncFails, LEFT);
            std::process::exit(0);
        }
        control.set(Dial::SyncFails, OPENED_ANEW);
        drop(engine);
        engine = play(open(&path, true).unwrap());
        taken = caught_up(&engine, taken, &mut acknowledgements);
    }
}

/// What was in doubt is there or not; what is there counts from now on.
fn caught_up<S: FullStore>(engine: &Engine<S>, taken: usize, acknowledgements: &mut Acknowledgements) -> usize {
    let found = game::steps_taken(engine, taken..=taken + 1).unwrap().expect("all that was acknowledged, or one more");
    (taken..found).for_each(|_| acknowledgements.add());
    found
}
