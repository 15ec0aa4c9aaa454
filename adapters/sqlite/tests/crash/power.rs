//! Power losses at any moment.

use std::collections::BTreeMap;
use std::path::Path;

use liveops_bench::Random;

use crate::disk::Disk;
use crate::states::{Folder, Loss, Operation, What, read_log, write};
use crate::{Home, child, game, open, play};

const STEPS: usize = 150;
const SESSIONS: usize = 10;
const FULL_STATES: usize = 400;
const NORMAL_STATES: usize = 150;

#[test]
fn a_power_loss_takes_nothing_that_was_acknowledged() {
    let home = Home::new("power-full");
    let found = states_found(&home.0, FULL_STATES, true);
    for (acknowledged, steps) in &found {
        assert!(
            (*acknowledged..=acknowledged + 1).contains(steps),
            "{steps} steps are there, {acknowledged} were acknowledged"
        );
    }
    let one_more = found.iter().filter(|(acknowledged, steps)| steps > acknowledged).count();
    println!("{} states, the step in flight was there in {one_more}", found.len());
    assert!(found.len() > FULL_STATES / 2 && one_more > 0 && one_more < found.len(), "these states show little");
}

/// The generator can fail: a store that does not wait for the disk loses acknowledged steps, though never part of one.
#[test]
fn without_waiting_for_the_disk_a_power_loss_takes_whole_steps() {
    let home = Home::new("power-normal");
    let found = states_found(&home.0, NORMAL_STATES, false);
    let lost = found.iter().filter(|(acknowledged, steps)| steps < acknowledged).count();
    println!("{} states, in {lost} acknowledged steps were lost", found.len());
    assert!(lost > found.len() / 10, "states that lose nothing show nothing: {lost} of {}", found.len());
}

/// Plays on a disk that is watched, and opens what power losses would leave: of each state how many steps had been acknowledged, and how many
/// are there. A state that is no whole number of steps fails.
fn states_found(home: &Path, len: usize, full: bool) -> Vec<(usize, usize)> {
    let disk = Disk::new(home, true);
    // Several processes, of which every other one ends with its store open: the next one finds a log to recover.
    for first in (0..STEPS).step_by(STEPS / SESSIONS) {
        let mut command = child::command("play", disk.folder());
        command.env("FIRST", first.to_string()).env("END", (first + STEPS / SESSIONS).to_string());
        if !full {
            command.env("NORMAL", "1");
        }
        if first % 2 == 0 {
            command.env("ABRUPT", "1");
        }
        child::run(disk.under(&mut command));
    }
    let log = read_log(disk.log(), disk.folder());
    let mut random = Random::new(game::SEED);
    println!(
        "seed {}, {} operations, {} syncs",
        game::SEED,
        log.len(),
        log.iter().filter(|done| done.what == What::Sync).count()
    );
    let points = points(&log, len, &mut random);
    let mut found = Vec::new();
    each_state(&log, &mut random, |at, state, acknowledged, random| {
        if points.contains(&at) {
            let loss = Loss::draw(random);
            found.push(opened(
                &home.join("state"),
                &state.state(loss, random),
                acknowledged,
                full,
                &format!("before operation {at}, {loss:?}"),
            ));
        }
    });
    found
}

/// Half of them anywhere, half where it matters most: before a sync and after an acknowledgement.
fn points(log: &[Operation], len: usize, random: &mut Random) -> std::collections::BTreeSet<usize> {
    let special: Vec<usize> = (0..log.len())
        .filter(|at| log[*at].what == What::Sync || (*at > 0 && is_acknowledgement(&log[at - 1])))
        .collect();
    (0..len)
        .map(|n| {
            if n % 2 == 0 {
                random.below(log.len() as u64) as usize
            } else {
                special[random.below(special.len() as u64) as usize]
            }
        })
        .collect()
}

pub(crate) fn is_acknowledgement(operation: &Operation) -> bool {
    operation.name == child::ACKNOWLEDGEMENTS && matches!(operation.what, What::Write { .. })
}

/// Goes through a log: each time the place, what the folder is before the operation there, and how many steps were acknowledged.
pub(crate) fn each_state(
    log: &[Operation],
    random: &mut Random,
    mut each: impl FnMut(usize, &Folder, usize, &mut Random),
) {
    let (mut folder, mut acknowledged) = (Folder::default(), 0);
    for (at, operation) in log.iter().enumerate() {
        each(at, &folder, acknowledged, random);
        if operation.name == child::ACKNOWLEDGEMENTS {
            acknowledged += usize::from(is_acknowledgement(operation));
        } else {
            folder.apply(operation, random);
        }
    }
    each(log.len(), &folder, acknowledged, random);
}

/// Opens a state: how many steps were acknowledged, and how many are there.
pub(crate) fn opened(
    folder: &Path,
    state: &BTreeMap<String, Vec<u8>>,
    acknowledged: usize,
    full: bool,
    place: &str,
) -> (usize, usize) {
    write(state, folder);
    let store = open(&folder.join("game.db"), full).unwrap_or_else(|error| panic!("{place}: does not open: {error:?}"));
    let engine = play(store);
    let candidates = if full { acknowledged..=acknowledged + 1 } else { 0..=acknowledged + 1 };
    let steps = game::steps_taken(&engine, candidates).unwrap_or_else(|code| panic!("{place}: {code}"));
    let steps =
        steps.unwrap_or_else(|| panic!("{place}: a state of no number of steps; {acknowledged} were acknowledged"));
    if steps == acknowledged {
        game::assert_replayed(&engine, steps);
    }
    (acknowledged, steps)
}
