//! Keys with names and dates, and rings of them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::keyed::Keyed;
use super::{Secret, SignatureError};
use crate::error::Code;
use crate::id::{Id, PlayerId};
use crate::limits::SIGNATURE_KEYS_TRIED_MAX;
use crate::time::Timestamp;

/// A secret with a name, dates and perhaps a player.
///
/// ```
/// use liveops_core::signing::{Key, KeyRing, Secret};
/// use liveops_core::{Id, Timestamp};
///
/// let change = Timestamp::from_rfc3339("2026-11-07T00:00:00Z").unwrap();
/// let ring = KeyRing::new([
///     Key::new(Id::new("2025")?, &Secret::generate([1; 32])).not_after(change.plus_millis(3_600_000)),
///     Key::new(Id::new("2026")?, &Secret::generate([2; 32])).not_before(change),
/// ])?;
/// assert_eq!(ring.len(), 2);
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Key {
    /// Of a secret given alone there is no name.
    pub(super) id: Option<Id>,
    pub(super) keyed: Keyed,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    pub(super) player: Option<PlayerId>,
}

impl Key {
    /// A key that is valid at all times and for all players.
    pub fn new(id: Id, secret: &Secret) -> Self {
        Self { id: Some(id), ..Self::unnamed(secret) }
    }

    /// Valid from this time on, inclusive.
    #[must_use]
    pub fn not_before(self, time: Timestamp) -> Self {
        Self { not_before: time, ..self }
    }

    /// Valid up to this time, inclusive.
    #[must_use]
    pub fn not_after(self, time: Timestamp) -> Self {
        Self { not_after: time, ..self }
    }

    /// Speaks for this player only; see [`super::Verified::check_player`].
    #[must_use]
    pub fn for_player(self, player: PlayerId) -> Self {
        Self { player: Some(player), ..self }
    }

    fn unnamed(secret: &Secret) -> Self {
        let keyed = Keyed::new(secret.as_bytes());
        Self { id: None, keyed, not_before: Timestamp::MIN, not_after: Timestamp::MAX, player: None }
    }

    fn is_valid(&self, now: Timestamp) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

/// Keys in use: sign with the newest valid one, verify with any valid one.
///
/// A message that names its key (`webhook-key-id`) is verified with that one alone. One that does not is tried with
/// the newest valid keys, at most 16, so that a ring with a key per player does not make strangers' messages dear.
#[derive(Clone, Debug)]
pub struct KeyRing {
    /// The newest first.
    keys: Vec<Key>,
    by_id: BTreeMap<Id, usize>,
}

impl KeyRing {
    /// From keys in any order; `invalid_argument` when there is none or two have one id. Of keys with the same
    /// [`Key::not_before`], the last given counts as the newest.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Result<Self, SignatureError> {
        let mut keys: Vec<_> = keys.into_iter().collect();
        if keys.is_empty() {
            return Err(SignatureError::new(Code::InvalidArgument, "a key ring needs a key"));
        }
        keys.reverse();
        keys.sort_by_key(|key| Reverse(key.not_before)); // stable
        let mut by_id = BTreeMap::new();
        for (index, id) in keys.iter().enumerate().filter_map(|(index, key)| Some((index, key.id.clone()?))) {
            if by_id.insert(id, index).is_some() {
                return Err(SignatureError::new(Code::InvalidArgument, "two keys of a ring have the same id"));
            }
        }
        Ok(Self { keys, by_id })
    }

    /// Number of keys, valid or not.
    #[expect(clippy::len_without_is_empty, reason = "a ring is never empty")]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// The key to sign with.
    pub(super) fn newest(&self, now: Timestamp) -> Result<&Key, SignatureError> {
        self.keys
            .iter()
            .find(|key| key.is_valid(now))
            .ok_or_else(|| SignatureError::new(Code::UnknownKey, "no key of the ring is valid now"))
    }

    /// The keys to verify with, at least one.
    pub(super) fn candidates(
        &self,
        id: Option<&str>,
        now: Timestamp,
    ) -> Result<impl Iterator<Item = &Key>, SignatureError> {
        let (keys, missing) = match id.filter(|_| !self.is_unnamed()) {
            // The one of this name, as a list of one.
            Some(id) => {
                let index = self.by_id.get(id.as_bytes()).copied();
                let named = index.and_then(|index| self.keys.get(index..=index)).unwrap_or_default();
                (named, "no key with this id is valid now")
            }
            None => (self.keys.as_slice(), "no key of the ring is valid now"),
        };
        let mut valid = keys.iter().filter(move |key| key.is_valid(now)).take(SIGNATURE_KEYS_TRIED_MAX).peekable();
        if valid.peek().is_none() {
            return Err(SignatureError::new(Code::UnknownKey, missing));
        }
        Ok(valid)
    }

    /// A single secret answers to every name: whether it is the right one, the signature tells.
    fn is_unnamed(&self) -> bool {
        self.by_id.is_empty()
    }
}

impl From<&Secret> for KeyRing {
    fn from(secret: &Secret) -> Self {
        Self { keys: vec![Key::unnamed(secret)], by_id: BTreeMap::new() }
    }
}
