//! Memory that plans use one after the other.

use super::Outcome;
use super::in_place::{Prints, Spare};
use super::lanes::Sorted;
use super::packed::Packed;
use crate::limits::WORKSPACE_COMMANDS_MAX;
use crate::record::Command;
use crate::rules::{Found, Scratch};

/// Memory for a plan, and for the next: what one batch took is there for those that follow, and what the rules' calendar said too.
/// Whoever submits much keeps one for each batch that may be on its way at a time.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Empty, but for room.
    commands: Vec<&'static Command>,
    /// Empty, and small.
    pub(super) outcomes: Vec<Outcome>,
    /// Empty, and small.
    pub(super) rows: Packed,
    pub(super) sorted: Sorted,
    pub(super) found: Vec<Found>,
    pub(super) scratch: Scratch,
    pub(super) spare: Spare,
    pub(super) prints: Prints,
}

impl Workspace {
    /// Room for commands.
    pub(super) fn commands<'a>(&mut self) -> Vec<&'a Command> {
        without_its_own(std::mem::take(&mut self.commands))
    }

    /// Takes the room back, unless a batch was so large that keeping it would be a waste.
    pub(super) fn keep(&mut self, commands: Vec<&Command>) {
        if commands.capacity() <= WORKSPACE_COMMANDS_MAX {
            self.commands = without_its_own(commands);
        } else {
            self.sorted = Sorted::default();
            self.prints = Prints::default();
        }
    }
}

/// The memory of a list, for references of another lifetime: the standard library collects in place where sizes are the same.
fn without_its_own<'a>(mut commands: Vec<&Command>) -> Vec<&'a Command> {
    commands.clear();
    commands.into_iter().map_while(|_| None).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EventId, PlayerId};
    use crate::time::Timestamp;

    #[test]
    fn room_stays_and_commands_do_not() {
        let command =
            Command::erase(EventId::new("e").unwrap(), PlayerId::new("ana").unwrap(), Timestamp::from_unix_seconds(1));
        let mut work = Workspace::default();
        let mut commands = work.commands();
        commands.extend(std::iter::repeat_n(&command, 100));
        let room = (commands.as_ptr().addr(), commands.capacity());
        work.keep(commands);
        let commands = work.commands();
        assert!(commands.is_empty());
        assert_eq!((commands.as_ptr().addr(), commands.capacity()), room);
        work.keep(Vec::with_capacity(WORKSPACE_COMMANDS_MAX + 1));
        assert_eq!(work.commands().capacity(), 0);
    }
}
