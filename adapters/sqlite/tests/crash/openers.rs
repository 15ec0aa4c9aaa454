//! Who opens: one at a time.

use std::path::Path;

use liveops_core::error::StoreErrorKind;

use crate::child::Acknowledgements;
use crate::{Home, child, game, open, play};

const PROCESSES: usize = 4;
const THREADS: usize = 5;
const ATTEMPTS: usize = 500;

/// 10,000 in all, in threads and processes, at a file that is not there at first. Whoever wins takes the next step of the game.
#[test]
fn of_ten_thousand_racing_openers_one_wins_at_a_time() {
    let home = Home::new("openers");
    let children: Vec<_> = (0..PROCESSES).map(|_| child::command("open", &home.0).spawn().unwrap()).collect();
    for child in children {
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let wins = Acknowledgements::count(&home.0);
    println!("{} openers, {wins} of them won", PROCESSES * THREADS * ATTEMPTS);
    assert!((PROCESSES..PROCESSES * THREADS * ATTEMPTS).contains(&wins), "no race: {wins} won");
    let engine = play(open(&home.0.join("game.db"), true).unwrap());
    assert_eq!(game::own_taken(&engine, "winner"), wins as u64, "what each winner did is there");
}

pub(crate) fn child(folder: &Path) {
    let racer = || {
        let mut acknowledgements = Acknowledgements::to(folder);
        for _ in 0..ATTEMPTS {
            match open(&folder.join("game.db"), true) {
                Ok(store) => {
                    // Whoever else were in here would find the mark.
                    let mark = folder.join("inside");
                    std::fs::File::create_new(&mark).expect("two have it open");
                    let engine = play(store);
                    let number = game::own_taken(&engine, "winner");
                    game::take_own(&engine, "winner", number).unwrap();
                    acknowledgements.add();
                    std::fs::remove_file(&mark).unwrap();
                }
                Err(error) => assert_eq!(error.kind, StoreErrorKind::InUse, "{error:?}"),
            }
        }
    };
    std::thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(racer))));
}

#[test]
fn a_process_opens_a_file_once_by_whatever_name() {
    let home = Home::new("names");
    let path = home.0.join("game.db");
    let engine = play(open(&path, true).unwrap());
    let link = home.0.join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let around = home.0.join("..").join(home.0.file_name().unwrap()).join("game.db");
    for name in [&path, &link, &around] {
        assert_eq!(open(name, true).map(drop).unwrap_err().kind, StoreErrorKind::InUse);
    }
    game::take(&engine, &game::steps()[0]).unwrap();
    drop(engine);
    let engine = play(open(&link, true).unwrap());
    assert_eq!(game::steps_taken(&engine, 1..=1).unwrap(), Some(1));
}
