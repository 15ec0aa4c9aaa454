//! A new file: the process killed, the power lost, or the operation failing, at every single operation.

use std::path::Path;

use liveops_bench::Random;

use crate::child::Acknowledgements;
use crate::disk::{Control, Dial, Disk};
use crate::states::{Loss, read_log};
use crate::{Home, child, game, open, play, power};

/// Opening and so many steps.
const STEPS: usize = 3;
/// States of a power loss at each operation, beside that of a kill.
const STATES_EACH: usize = 3;

#[test]
fn a_crash_at_any_operation_of_making_a_file_leaves_one_that_opens() {
    let home = Home::new("creation");
    let disk = Disk::new(&home.0, true);
    let mut command = child::command("play", disk.folder());
    child::run(disk.under(command.env("FIRST", "0").env("END", STEPS.to_string())));
    let log = read_log(disk.log(), disk.folder());
    let mut random = Random::new(game::SEED);
    let mut states = 0;
    power::each_state(&log, &mut random, |at, folder, acknowledged, random| {
        let losses =
            std::iter::once(Loss::Nothing).chain([Loss::Everything]).chain((0..STATES_EACH).map(|_| Loss::Any(512)));
        for loss in losses {
            let state = folder.state(loss, random);
            power::opened(
                &home.0.join("state"),
                &state,
                acknowledged,
                true,
                &format!("before operation {at}, {loss:?}"),
            );
            states += 1;
        }
    });
    println!("seed {}, {} operations, {states} states", game::SEED, log.len());
    assert!(log.len() > 15, "making a file is more than {} operations", log.len());
}

#[test]
fn a_failure_of_any_operation_of_making_a_file_is_mended_by_opening_again() {
    let home = Home::new("creation-fails");
    let disk = Disk::new(&home.0, false);
    child::run(disk.under(&mut child::command("creation", disk.folder())));
    println!("{} opened after a failure", Acknowledgements::count(disk.folder()));
    assert!(Acknowledgements::count(disk.folder()) > 20);
}

pub(crate) fn child(folder: &Path) {
    let control = Control::of_this_process();
    let mut acknowledgements = Acknowledgements::to(folder);
    for errno in [libc::EIO, libc::ENOSPC] {
        for number in 1.. {
            let path = folder.join(format!("{errno}-{number}.db"));
            let before = control.get(Dial::Operations);
            control.set(Dial::FailsWith, i64::from(errno));
            control.set(Dial::Fails, before + number);
            // With a step, so that the header and the first commit are among what fails. What fails says so, or nothing was lost by it.
            let taken = open(&path, true)
                .ok()
                .and_then(|store| liveops_core::Engine::open(game::rules(), store).ok())
                .is_some_and(|engine| {
                    let taken = game::take(&engine, &game::steps()[0]).is_ok();
                    drop(engine);
                    taken
                });
            let reached = control.get(Dial::Operations) - before;
            control.set(Dial::Fails, -1);
            let engine =
                play(open(&path, true).unwrap_or_else(|error| panic!("errno {errno}, operation {number}: {error:?}")));
            let found = game::steps_taken(&engine, usize::from(taken)..=1).unwrap();
            assert!(found.is_some(), "errno {errno}, operation {number}: a step was taken: {taken}");
            game::take(&engine, &game::steps()[0]).unwrap();
            assert_eq!(game::steps_taken(&engine, 1..=1).unwrap(), Some(1));
            acknowledgements.add();
            if reached < number {
                break;
            }
        }
    }
}
