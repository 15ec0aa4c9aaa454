//! Names of records.

use std::cmp::Ordering;

use crate::codec::Stable;
use crate::id::{CommandId, PlayerId};

/// Names one record. All keys of a player are neighbours, `Player` first; a store that reads in the order asked
/// thereby reads no player newer than what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Key {
    /// The watermark.
    Horizon,
    /// A player's state.
    Player(PlayerId),
    /// The first outcome of a command.
    Outcome(PlayerId, CommandId),
    /// A link of the player's chain, from 1.
    Receipt(PlayerId, u64),
    /// A suspicious event, by the version of the player that taking it in made.
    Suspicion(PlayerId, u64),
}

/// What a record of a player is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// [`Key::Player`].
    Player,
    /// [`Key::Outcome`].
    Outcome,
    /// [`Key::Receipt`].
    Receipt,
    /// [`Key::Suspicion`].
    Suspicion,
}

impl Key {
    /// What it names; `None` for the horizon.
    pub const fn kind(&self) -> Option<Kind> {
        match self {
            Self::Horizon => None,
            Self::Player(_) => Some(Kind::Player),
            Self::Outcome(..) => Some(Kind::Outcome),
            Self::Receipt(..) => Some(Kind::Receipt),
            Self::Suspicion(..) => Some(Kind::Suspicion),
        }
    }

    /// Whose it is.
    pub const fn player(&self) -> Option<&PlayerId> {
        match self {
            Self::Horizon => None,
            Self::Player(p) | Self::Outcome(p, _) | Self::Receipt(p, _) | Self::Suspicion(p, _) => Some(p),
        }
    }

    const fn parts(&self) -> (Option<&PlayerId>, u8, Option<&CommandId>, u64) {
        let player = self.player();
        match self {
            Self::Horizon | Self::Player(_) => (player, 0, None, 0),
            Self::Outcome(_, id) => (player, 1, Some(id), 0),
            Self::Receipt(_, number) => (player, 2, None, *number),
            Self::Suspicion(_, number) => (player, 3, None, *number),
        }
    }
}

/// As their bytes sort.
impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Numbers are eight big-endian bytes here, so that bytes sort as numbers do.
impl Stable for Key {
    fn put(&self, out: &mut Vec<u8>) {
        let (player, kind, id, number) = self.parts();
        let Some(player) = player else { return out.push(0) };
        out.push(1);
        player.put(out);
        out.push(kind);
        if let Some(id) = id {
            id.put(out);
        } else if kind != 0 {
            number.to_be_bytes().put(out);
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        match u8::take(from)? {
            0 => return Some(Self::Horizon),
            1 => {}
            _ => return None,
        }
        let player = PlayerId::take(from)?;
        let number = |from: &mut &[u8]| <[u8; 8]>::take(from).map(u64::from_be_bytes);
        Some(match u8::take(from)? {
            0 => Self::Player(player),
            1 => Self::Outcome(player, CommandId::take(from)?),
            2 => Self::Receipt(player, number(from)?),
            3 => Self::Suspicion(player, number(from)?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EventId, Origin};

    #[test]
    fn keys_sort_as_their_bytes_and_come_back() {
        let (a, ab) = (PlayerId::new("a").unwrap(), PlayerId::new("a~").unwrap());
        let outcome = |origin, text: &str| CommandId { origin, id: EventId::new(text).unwrap() };
        let mut keys = vec![Key::Horizon];
        for player in [&ab, &a] {
            keys.push(Key::Suspicion(player.clone(), 1 << 40));
            keys.extend([256, 2, 1].map(|n| Key::Receipt(player.clone(), n)));
            for (origin, text) in [(Origin::Operator, "a"), (Origin::Event, "a!"), (Origin::Event, "a")] {
                keys.push(Key::Outcome(player.clone(), outcome(origin, text)));
            }
            keys.push(Key::Player(player.clone()));
        }
        let mut by_bytes = keys.clone();
        by_bytes.sort_by_key(Stable::to_bytes);
        keys.sort();
        assert_eq!(keys, by_bytes);
        for key in &keys {
            let bytes = key.to_bytes();
            let mut rest = &bytes[..];
            assert_eq!(Key::take(&mut rest).as_ref(), Some(key));
            assert!(rest.is_empty());
        }
    }
}
