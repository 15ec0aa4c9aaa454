//! `kill -9` at any moment.

use std::time::Duration;

use liveops_bench::Random;

use crate::child::Acknowledgements;
use crate::{Home, assert_sound, child, game, open, play};

const CYCLES: usize = 40;
const AFTER_MICROS_MAX: u64 = 60_000;

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
            while Acknowledgements::count(&folder) == 0 && writer.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        std::thread::sleep(Duration::from_micros(random.below(AFTER_MICROS_MAX)));
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
    assert!(acknowledged_in_all > 2 * CYCLES, "children were killed before they did anything: {acknowledged_in_all} steps");
}
