//! What a board's replica is told.

use super::{BoardKey, Player, Standings};
use crate::board::Standing;
use crate::codec::{Form, Stable};
use crate::error::StoreErrorKind;
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

impl Told {
    /// Of a player's record.
    pub fn of(id: &PlayerId, record: &Player) -> Self {
        Self::Stands { player: id.clone(), version: record.version, shown: record.shown_anywhere() }
    }

    /// Who.
    pub const fn player(&self) -> &PlayerId {
        match self {
            Self::Stands { player, .. } | Self::Gone { player } => player,
        }
    }

    /// The stable bytes of [`Self::of`] a record.
    pub(super) fn encode_stands(id: &PlayerId, record: &Player) -> Vec<u8> {
        let nowhere = Standings::default();
        let shown = if record.hidden { &nowhere } else { &record.standings };
        let mut out = Vec::new();
        FORM.begin(&mut out);
        put_stands(id, record.version, shown, &mut out);
        out
    }

    /// The stable bytes: a byte for the version of their form, then the content.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        FORM.begin(&mut out);
        self.put(&mut out);
        out
    }

    /// What is behind stable bytes; [`StoreErrorKind::TooNew`] for a later version's, else [`StoreErrorKind::Corrupt`] for bytes
    /// that [`Self::encode`] never makes.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreErrorKind> {
        FORM.decode(bytes, |from| Self::take(from).ok_or(StoreErrorKind::Corrupt))
    }
}

impl Stable for Told {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Gone { player } => {
                out.push(0);
                player.put(out);
            }
            Self::Stands { player, version, shown } => put_stands(player, *version, shown, out),
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::take(from)? {
            0 => Self::Gone { player: Stable::take(from)? },
            1 => {
                let (player, version) = (Stable::take(from)?, Stable::take(from)?);
                let shown: Vec<(BoardKey, Standing)> = Stable::take(from)?;
                Self::Stands { player, version, shown: shown.is_sorted_by(|a, b| a.0 < b.0).then_some(shown)? }
            }
            _ => return None,
        })
    }
}

/// What is shown has the same bytes as a list and as [`Standings`].
fn put_stands(player: &PlayerId, version: u64, shown: &impl Stable, out: &mut Vec<u8>) {
    out.push(1);
    player.put(out);
    version.put(out);
    shown.put(out);
}

const FORM: Form = Form(1);
