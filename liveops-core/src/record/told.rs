//! What a board's replica is told.

use super::BoardKey;
use crate::board::Standing;
use crate::id::PlayerId;

/// One player as the boards show the player. It has stable bytes, for streams between processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Stands on these boards and on no others. Older versions than the last one told change nothing.
    Stands {
        /// Who.
        player: PlayerId,
        /// Of the player's record.
        version: u64,
        /// By board and period; empty for one who is hidden.
        shown: Vec<(BoardKey, Standing)>,
    },
    /// Is nobody any more; may begin again at version 1.
    Gone {
        /// Who.
        player: PlayerId,
    },
}
