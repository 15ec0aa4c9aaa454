//! What one entry of a store's outbox says to whoever follows it.

use std::sync::Arc;

use super::{ChangeSet, Horizon, Told};
use crate::codec::{Form, Stable};
use crate::error::StoreErrorKind;
use crate::id::PlayerId;

/// What happened, for boards that are followed from afar. It has stable bytes; what is inside is in its own form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A player stands elsewhere, or is gone.
    Told(Told),
    /// A change set was committed: where a feed is on, which gives it out whole.
    Committed(Arc<ChangeSet>),
    /// The horizon rose to this.
    Advanced(Horizon),
}

const FORM: Form = Form(1);
const TOLD: u8 = 0;
const COMMITTED: u8 = 1;
const ADVANCED: u8 = 2;

impl Notice {
    /// The stable bytes: a byte for the version of their form, one for what it is, then the content.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Told(told) => begin(TOLD, told.encode()),
            Self::Committed(set) => Self::committed(set),
            Self::Advanced(horizon) => begin(ADVANCED, horizon.to_bytes()),
        }
    }

    /// The bytes of what a change set tells of its player.
    pub fn told_of(set: &ChangeSet) -> Vec<u8> {
        begin(TOLD, Told::encode_stands(&set.player, &set.record))
    }

    /// The bytes of a change set as a whole.
    pub fn committed(set: &ChangeSet) -> Vec<u8> {
        let mut out = begin(COMMITTED, []);
        set.encode_into(&mut out);
        out
    }

    /// The bytes of a player being gone.
    pub fn gone(player: &PlayerId) -> Vec<u8> {
        Self::Told(Told::Gone { player: player.clone() }).encode()
    }

    /// What is behind stable bytes; [`StoreErrorKind::TooNew`] for a later version's, or if what is inside is, else
    /// [`StoreErrorKind::Corrupt`] for bytes that [`Self::encode`] never makes.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreErrorKind> {
        FORM.decode(bytes, |from| {
            let what = u8::take(from).ok_or(StoreErrorKind::Corrupt)?;
            // Whatever is inside ends where the bytes do.
            let content = std::mem::take(from);
            Ok(match what {
                TOLD => Self::Told(Told::decode(content)?),
                COMMITTED => Self::Committed(Arc::new(ChangeSet::decode(content)?)),
                ADVANCED => {
                    let mut content = content;
                    let horizon = Horizon::take(&mut content).filter(|_| content.is_empty());
                    Self::Advanced(horizon.ok_or(StoreErrorKind::Corrupt)?)
                }
                _ => return Err(StoreErrorKind::Corrupt),
            })
        })
    }
}

fn begin(what: u8, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    let mut out = Vec::with_capacity(content.len() + 2);
    FORM.begin(&mut out);
    out.push(what);
    out.extend_from_slice(content);
    out
}
