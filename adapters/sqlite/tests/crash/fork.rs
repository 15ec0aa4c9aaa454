//! A fork: the child may neither use the store nor harm it.

use std::path::Path;

use crate::{Home, child, game, open, play};

#[test]
fn after_a_fork_the_child_is_refused_and_the_parent_goes_on() {
    let home = Home::new("fork");
    child::run(&mut child::command("fork", &home.0));
    let engine = play(open(&home.0.join("game.db"), true).unwrap());
    assert_eq!(game::steps_taken(&engine, 20..=20).unwrap(), Some(20));
}

pub(crate) fn child(folder: &Path) {
    let engine = play(open(&folder.join("game.db"), true).unwrap());
    game::steps()[..10].iter().for_each(|step| game::take(&engine, step).unwrap());
    // SAFETY: the child does no more than is written here, and ends without returning into this thread's frames.
    let process = unsafe { libc::fork() };
    if process == 0 {
        let refused = game::take(&engine, &game::steps()[10]) == Err("forked".to_owned());
        let unread = engine.digest().is_err();
        // Closing it here must not write the log back under the parent, nor drop its locks.
        drop(engine);
        // SAFETY: ends the process at once.
        unsafe { libc::_exit(i32::from(!(refused && unread))) };
    }
    let mut status = 0;
    // SAFETY: waits for the child made above and writes to a number of ours.
    assert_eq!(unsafe { libc::waitpid(process, &raw mut status, 0) }, process);
    assert_eq!(status, 0, "the child was not refused");
    assert!(open(&folder.join("game.db"), true).is_err(), "the file is in use still");
    game::steps()[10..20].iter().for_each(|step| game::take(&engine, step).unwrap());
}
