//! `kill -9` at any moment.

use std::path::Path;
use std::time::Duration;

use liveops_bench::Random;

use crate::child::Acknowledgements;
use crate::{Home, assert_sound, child, game, open, play};

const CYCLES: usize = 40;
/// How many steps a child takes before it is killed, and how much later that is.
const STEPS_MAX: u64 = 24;
const AFTER_MICROS_MAX: u64 = 4_000;
/// When a child is killed that is only starting.
const STARTING_MICROS_MAX: u64 = 60_000;

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let home = Home::new("kill");
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut random = Random::new(seed);
    let (mut taken, mut acknowledged_in_all, mut in_flight) = (0, 0, 0);
    let mut folder = home.0.join("0");
    std::fs::create_dir(&folder).unwrap();
    for cycle in 0..CYCLES {
        if taken == game::STEPS {
            // The game is over; another begins.
            folder = home.0.join(cycle.to_string());
            std::fs::create_dir(&folder).unwrap();
            taken = 0;
        }
        drop(std::fs::remove_file(folder.join(child::ACKNOWLEDGEMENTS)));
        let mut command = child::command("play", &folder);
        let mut writer = command.env("FIRST", taken.to_string()).env("END", game::STEPS.to_string()).spawn().unwrap();
        // Three of four are killed while they write, the others as they start.
        if random.below(4) > 0 {
            let steps = 1 + random.below(STEPS_MAX) as usize;
            while Acknowledgements::count(&folder) < steps && writer.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_micros(200));
            }
            std::thread::sleep(Duration::from_micros(random.below(AFTER_MICROS_MAX)));
        } else {
            std::thread::sleep(Duration::from_micros(random.below(STARTING_MICROS_MAX)));
        }
        child::kill(writer);

        let acknowledged = Acknowledgements::count(&folder);
        acknowledged_in_all += acknowledged;
        let least = taken + acknowledged;
        let engine = play(open(&folder.join("game.db"), true).unwrap());
        let found = game::steps_taken(&engine, least..=least + 1).unwrap();
        let found = found.unwrap_or_else(|| panic!("cycle {cycle}: neither {least} steps nor one more"));
        game::assert_replayed(&engine, found);
        in_flight += found - least;
        taken = found;
    }
    assert_sound(&open(&folder.join("game.db"), true).unwrap());
    println!("{CYCLES} kills, {acknowledged_in_all} steps acknowledged, the one in flight was there {in_flight} times");
    assert!(acknowledged_in_all > CYCLES, "children were killed before they did anything: {acknowledged_in_all} steps");
}

const GROUP_CYCLES: usize = 12;
const CALLERS: usize = 8;

/// Callers who are written in groups are each acknowledged for themselves.
#[test]
fn of_many_callers_none_loses_what_it_was_told() {
    let home = Home::new("kill-many");
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut random = Random::new(seed);
    let folders: Vec<_> = (0..CALLERS).map(|caller| home.0.join(format!("caller-{caller}"))).collect();
    for folder in &folders {
        std::fs::create_dir(folder).unwrap();
    }
    let count = || folders.iter().map(|folder| Acknowledgements::count(folder)).collect::<Vec<_>>();
    for cycle in 0..GROUP_CYCLES {
        let before = count();
        let mut writers = child::command("many", &home.0).spawn().unwrap();
        while count() == before && writers.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(random.below(AFTER_MICROS_MAX)));
        child::kill(writers);
        let engine = play(open(&home.0.join("game.db"), true).unwrap());
        for (caller, folder) in folders.iter().enumerate() {
            let (acknowledged, found) =
                (Acknowledgements::count(folder) as u64, game::own_taken(&engine, &format!("caller-{caller}")));
            assert!(
                (acknowledged..=acknowledged + 1).contains(&found),
                "cycle {cycle}, caller {caller}: {found} of {acknowledged}"
            );
            // What was in flight counts from now on.
            (acknowledged..found).for_each(|_| Acknowledgements::to(folder).add());
        }
    }
    let acknowledged: usize = count().iter().sum();
    println!("{GROUP_CYCLES} kills, {acknowledged} steps of {CALLERS} callers");
    assert!(
        acknowledged > GROUP_CYCLES * CALLERS,
        "children were killed before they did anything: {acknowledged} steps"
    );
}

/// Callers that write at once, until they are killed.
pub(crate) fn child(folder: &Path) {
    let engine = play(open(&folder.join("game.db"), true).unwrap());
    let caller = |caller: usize| {
        let engine = &engine;
        move || {
            let who = format!("caller-{caller}");
            let mut acknowledgements = Acknowledgements::to(&folder.join(&who));
            for number in game::own_taken(engine, &who).. {
                game::take_own(engine, &who, number).unwrap();
                acknowledgements.add();
            }
        }
    };
    std::thread::scope(|scope| (0..CALLERS).for_each(|number| drop(scope.spawn(caller(number)))));
}
