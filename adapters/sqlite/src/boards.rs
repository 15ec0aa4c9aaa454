//! What a round tells the boards.

use liveops_core::record::{ChangeSet, Told};
use liveops_core::{PlayerId, Replica};

/// What was written, in order.
#[derive(Debug, Default)]
pub(crate) struct News<'b> {
    committed: Vec<&'b ChangeSet>,
    /// Who was removed, and before which of the change sets.
    gone: Vec<(usize, PlayerId)>,
}

impl<'b> News<'b> {
    pub(crate) fn committed(&mut self, changes: &'b ChangeSet) {
        self.committed.push(changes);
    }

    /// Whoever comes next under the name is somebody else.
    pub(crate) fn gone(&mut self, player: PlayerId) {
        self.gone.push((self.committed.len(), player));
    }

    /// How many change sets were written.
    pub(crate) fn len(&self) -> usize {
        self.committed.len()
    }

    pub(crate) fn tell(self, boards: &Replica) {
        let mut told = 0;
        for (before, player) in self.gone {
            boards.committed(&self.committed[told..before]);
            boards.tell([Told::Gone { player }]);
            told = before;
        }
        boards.committed(&self.committed[told..]);
    }
}
