//! A disk that is full, at any byte.

use std::path::Path;

use liveops_bench::Random;

use crate::child::Acknowledgements;
use crate::disk::{Control, Dial, Disk};
use crate::{Home, assert_sound, child, game, open, play};

const ROUNDS: usize = 30;
const ROOM_MAX: u64 = 60_000;

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let home = Home::new("full");
    let disk = Disk::new(&home.0, false);
    child::run(disk.under(&mut child::command("full", disk.folder())));
    assert_eq!(Acknowledgements::count(disk.folder()), ROUNDS, "every round came upon a full disk");
}

/// Plays until the disk is full; what is there can be read, and with room again the game goes on without being opened anew.
pub(crate) fn child(folder: &Path) {
    let mut random = Random::new(game::SEED);
    let control = Control::of_this_process();
    let path = folder.join("game.db");
    let mut acknowledgements = Acknowledgements::to(folder);
    let mut engine = play(open(&path, true).unwrap());
    let mut taken = 0;
    for round in 0..ROUNDS {
        control.set(Dial::FreeBytes, random.below(ROOM_MAX) as i64);
        let code = loop {
            match game::take(&engine, &game::steps()[taken]) {
                Ok(()) => taken += 1,
                Err(code) => break code,
            }
        };
        assert_eq!(code, "store_full", "round {round}, seed {}", game::SEED);
        assert_eq!(
            game::steps_taken(&engine, taken..=taken).unwrap(),
            Some(taken),
            "reads go on, and show what was acknowledged"
        );
        assert_eq!(game::take(&engine, &game::steps()[taken]), Err("store_full".to_owned()), "it is full still");
        if round % 3 == 0 {
            // Opened while the disk is full or afterwards: the same.
            drop(engine);
            let reopened = open(&path, true);
            control.set(Dial::FreeBytes, -1);
            engine = play(reopened.or_else(|_| open(&path, true)).unwrap());
            assert_eq!(game::steps_taken(&engine, taken..=taken).unwrap(), Some(taken));
        }
        control.set(Dial::FreeBytes, -1);
        game::take(&engine, &game::steps()[taken]).unwrap();
        taken += 1;
        acknowledgements.add();
    }
    assert_eq!(game::steps_taken(&engine, taken..=taken).unwrap(), Some(taken));
    assert_sound(engine.store());
}
