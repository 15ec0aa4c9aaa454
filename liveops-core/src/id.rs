//! Identifiers: distinct types, validated once.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::error::{Code, Error};
use crate::limits::ID_BYTES_MAX;

/// Ids up to this length live inside the value; longer ones are shared behind a pointer.
const INLINE_BYTES: usize = 22;
/// The same of names of events, most of which are UUIDs: each is new, and seldom copied.
const EVENT_INLINE_BYTES: usize = 38;

/// 1 to 64 visible ASCII bytes (0x21..=0x7e). 24 bytes in memory; cloning does not allocate.
///
/// Names whatever has no type of its own: an item, a boss, an activity, a field.
///
/// ```
/// use liveops_core::Id;
///
/// assert_eq!(Id::new("hydra")?.as_str(), "hydra");
/// assert!(Id::new("no spaces").is_err());
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(Repr<INLINE_BYTES>);

/// The text of an id, inside the value up to `N` bytes.
#[derive(Clone)]
pub(crate) enum Repr<const N: usize> {
    Inline(Inline<N>),
    Shared(Arc<str>),
}

/// Aligned and with a length of two bytes, so that a copy takes few and whole words: whoever reads what was written byte
/// by byte has to wait. What tells an inline id from a shared one is a length that does not exist.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Inline<const N: usize> {
    len: Len,
    /// Zero behind the id.
    bytes: [u8; N],
}

#[derive(Clone, Copy)]
#[repr(u16)]
#[rustfmt::skip]
enum Len {
    L0, L1, L2, L3, L4, L5, L6, L7, L8, L9, L10, L11, L12, L13, L14, L15, L16, L17, L18, L19, L20, L21, L22, L23, L24, L25, L26,
    L27, L28, L29, L30, L31, L32, L33, L34, L35, L36, L37, L38,
}

impl Len {
    #[rustfmt::skip]
    const ALL: [Self; EVENT_INLINE_BYTES + 1] = [
        Self::L0, Self::L1, Self::L2, Self::L3, Self::L4, Self::L5, Self::L6, Self::L7, Self::L8, Self::L9, Self::L10,
        Self::L11, Self::L12, Self::L13, Self::L14, Self::L15, Self::L16, Self::L17, Self::L18, Self::L19, Self::L20,
        Self::L21, Self::L22, Self::L23, Self::L24, Self::L25, Self::L26, Self::L27, Self::L28, Self::L29, Self::L30,
        Self::L31, Self::L32, Self::L33, Self::L34, Self::L35, Self::L36, Self::L37, Self::L38,
    ];
}

impl Id {
    /// Parses an identifier: `id_invalid` unless it has 1 to 64 bytes, all of them visible ASCII.
    pub fn new(text: &str) -> Result<Self, Error> {
        Repr::new(text).map(Self)
    }

    /// The start of a text, up to `len`, which is known to be 1 to 64 visible ASCII bytes. What lies behind it, whatever it is, is copied
    /// too and then wiped: a copy of a fixed size is several times as fast as one of any.
    #[expect(clippy::inline_always, reason = "an id that is made where it is to stay costs half of one that is moved")]
    #[inline(always)]
    pub(crate) fn of_visible(text: &[u8], len: usize) -> Self {
        Self(Repr::of_visible(text, len))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The text's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// How many bytes it has.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            Repr::Inline(id) => id.len as usize,
            Repr::Shared(text) => text.len(),
        }
    }

    /// Whether a text begins with it.
    #[inline]
    pub(crate) fn begins(&self, text: &[u8]) -> bool {
        if let Repr::Inline(Inline { len, bytes }) = &self.0
            && let (Some(known), Some(window)) = (bytes.first_chunk(), text.first_chunk())
            && *len as u32 <= 8
        {
            // No id is empty.
            let other = u64::from_le_bytes(*known) ^ u64::from_le_bytes(*window);
            return other << (64 - 8 * (*len as u32)) == 0;
        }
        text.starts_with(self.as_bytes())
    }

    #[inline]
    pub(crate) const fn repr(&self) -> &Repr<INLINE_BYTES> {
        &self.0
    }
}

impl<const N: usize> Repr<N> {
    #[inline]
    const fn repr(&self) -> &Self {
        self
    }

    fn new(text: &str) -> Result<Self, Error> {
        let bytes = text.as_bytes();
        // Without an early exit many bytes are looked at together.
        let visible = || bytes.iter().fold(true, |ok, byte| ok & byte.is_ascii_graphic());
        if bytes.is_empty() || bytes.len() > ID_BYTES_MAX || !visible() {
            return Err(Code::IdInvalid.into());
        }
        Ok(Self::inline(bytes).map_or_else(|| Self::Shared(text.into()), Self::Inline))
    }

    #[expect(clippy::inline_always, reason = "an id that is made where it is to stay costs half of one that is moved")]
    #[inline(always)]
    fn of_visible(text: &[u8], len: usize) -> Self {
        if len <= N
            && let (Some(inline_len), Some(window)) = (Len::ALL.get(len), text.first_chunk::<N>())
        {
            let mut bytes = *window;
            for (at, byte) in bytes.iter_mut().enumerate() {
                *byte = if at < len { *byte } else { 0 };
            }
            return Self::Inline(Inline { len: *inline_len, bytes });
        }
        Self::of_visible_rarely(text.get(..len).unwrap_or_default())
    }

    #[inline(never)]
    fn of_visible_rarely(text: &[u8]) -> Self {
        let shared = || Self::Shared(std::str::from_utf8(text).unwrap_or_default().into());
        Self::inline(text).map_or_else(shared, Self::Inline)
    }

    fn inline(text: &[u8]) -> Option<Inline<N>> {
        let mut inline = Inline { len: *Len::ALL.get(text.len())?, bytes: [0; N] };
        inline.bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(inline)
    }

    /// The same id where another length is inside the value.
    fn resized<const M: usize>(self) -> Repr<M> {
        if let Some(inline) = Repr::inline(self.as_bytes()) {
            return Repr::Inline(inline);
        }
        match self {
            Self::Inline(_) => Repr::Shared(self.as_str().into()),
            Self::Shared(text) => Repr::Shared(text),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            // Checked to be ASCII when it was made.
            Self::Inline(_) => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Self::Shared(text) => text,
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Inline(id) => &id.bytes[..id.len as usize],
            Self::Shared(text) => text.as_bytes(),
        }
    }

    /// The bytes of one inside the value, with zeros behind them, and how many they are.
    #[inline]
    pub(crate) const fn as_inline(&self) -> Option<(&[u8; N], usize)> {
        match self {
            Self::Inline(id) => Some((&id.bytes, id.len as usize)),
            Self::Shared(_) => None,
        }
    }

    /// Appends the bytes and a zero. Copies of a fixed size are several times as fast as those of any.
    #[inline]
    pub(crate) fn put_with_zero(&self, out: &mut Vec<u8>) {
        match self {
            Self::Inline(id) => {
                let end = out.len() + id.len as usize;
                out.extend_from_slice(&id.bytes);
                // What lies behind the id is zero already.
                out.push(0);
                out.truncate(end + 1);
            }
            Self::Shared(text) => {
                out.extend_from_slice(text.as_bytes());
                out.push(0);
            }
        }
    }
}

/// The first bytes of an id as numbers, the first byte at the top, with zeros behind a short one: they sort as ids do. Only ids that are longer
/// can differ where these are equal.
pub(crate) type Lead = [u64; 3];

/// Their order.
#[inline]
pub(crate) fn cmp_leads(a: &Lead, b: &Lead) -> Ordering {
    // Word by word, which takes half of what lists of any length do.
    if a[0] != b[0] {
        return a[0].cmp(&b[0]);
    }
    if a[1] != b[1] {
        return a[1].cmp(&b[1]);
    }
    a[2].cmp(&b[2])
}

/// Bytes of an id that are in its [`Lead`].
pub(crate) const LEAD_BYTES: usize = 8 * 3;

impl<const N: usize> PartialEq for Repr<N> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            // Unused bytes are zero, and no id contains one: equal arrays are equal ids.
            (Self::Inline(a), Self::Inline(b)) => a.bytes == b.bytes,
            _ => self.as_bytes() == other.as_bytes(),
        }
    }
}

impl<const N: usize> Eq for Repr<N> {}

/// Byte by byte.
impl<const N: usize> Ord for Repr<N> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Inline(a), Self::Inline(b)) => a.bytes.cmp(&b.bytes),
            _ => self.as_bytes().cmp(other.as_bytes()),
        }
    }
}

impl<const N: usize> PartialOrd for Repr<N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// As `[u8]` hashes, so that maps can be asked with the bytes.
impl<const N: usize> Hash for Repr<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl Borrow<[u8]> for Id {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl<const N: usize> fmt::Display for Repr<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Repr<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<const N: usize> serde::Serialize for Repr<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl serde::Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::str::FromStr for Id {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl PartialEq<str> for Id {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

macro_rules! named_id {
    ($($(#[$doc:meta])* $name:ident of $text:ty, $len:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name($text);

        impl $name {
            /// Parses it: 1 to 64 visible ASCII bytes, else `id_invalid`.
            pub fn new(text: &str) -> Result<Self, Error> {
                <$text>::new(text).map(Self)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// The text's bytes.
            pub fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }

            #[inline]
            pub(crate) const fn repr(&self) -> &Repr<{ $len }> {
                self.0.repr()
            }
        }

        impl Borrow<[u8]> for $name {
            fn borrow(&self) -> &[u8] {
                self.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                Self::new(text)
            }
        }
    )+};
}

named_id! {
    /// A player.
    PlayerId of Id, INLINE_BYTES;
    /// A leaderboard, whatever the window.
    BoardId of Id, INLINE_BYTES;
    /// The sender's name for one event or command, unique per player and origin.
    EventId of Repr<EVENT_INLINE_BYTES>, EVENT_INLINE_BYTES;
}

macro_rules! from_id {
    ($($name:ident)+) => {$(
        impl From<Id> for $name {
            fn from(id: Id) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Id {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

from_id! { PlayerId BoardId }

impl From<Id> for EventId {
    fn from(id: Id) -> Self {
        Self(id.0.resized())
    }
}

impl From<EventId> for Id {
    fn from(id: EventId) -> Self {
        Self(id.0.resized())
    }
}

impl EventId {
    /// See [`Id::of_visible`].
    #[expect(clippy::inline_always, reason = "an id that is made where it is to stay costs half of one that is moved")]
    #[inline(always)]
    pub(crate) fn of_visible(text: &[u8], len: usize) -> Self {
        Self(Repr::of_visible(text, len))
    }
}

impl PlayerId {
    /// How it begins.
    #[inline]
    pub(crate) fn lead(&self) -> Lead {
        let mut window = [0; LEAD_BYTES];
        match &self.0.0 {
            // What lies behind the id is zero already.
            Repr::Inline(id) => window[..INLINE_BYTES].copy_from_slice(&id.bytes),
            Repr::Shared(text) => {
                let len = text.len().min(LEAD_BYTES);
                window[..len].copy_from_slice(&text.as_bytes()[..len]);
            }
        }
        let (words, _) = window.as_chunks::<8>();
        [0, 1, 2].map(|at| u64::from_be_bytes(words[at]))
    }
}

/// Who names a command. Two name spaces, so that no event can take the id of an operator's command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// Whoever sent the event.
    Event,
    /// The game's operator.
    Operator,
}

/// Name of a command, unique per player.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct CommandId {
    /// Whose name space.
    pub origin: Origin,
    /// The name.
    pub id: EventId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_bytes_are_checked() {
        for good in ["a", "~!", &"x".repeat(22), &"x".repeat(23), &"x".repeat(64)] {
            assert_eq!(Id::new(good).unwrap().as_str(), good);
        }
        for bad in ["", " ", "a b", "a\n", "a\0", "é", "a\u{7f}", &"x".repeat(65)] {
            assert_eq!(Id::new(bad).unwrap_err().code(), Code::IdInvalid, "{bad:?}");
        }
    }

    #[test]
    fn order_is_that_of_bytes_across_both_forms() {
        let texts = ["a", "a!", "ab", &"b".repeat(22), &"b".repeat(23), &"b".repeat(24), "c"];
        let ids: Vec<_> = texts.iter().map(|t| Id::new(t).unwrap()).collect();
        for (i, a) in ids.iter().enumerate() {
            for (j, b) in ids.iter().enumerate() {
                assert_eq!(a.cmp(b), texts[i].as_bytes().cmp(texts[j].as_bytes()));
                assert_eq!(a == b, i == j);
            }
        }
        assert_eq!((size_of::<Id>(), size_of::<EventId>()), (24, 40));
    }

    #[test]
    fn names_of_events_are_in_the_order_of_bytes_across_both_forms() {
        let mut texts = Vec::new();
        for len in 37..=40 {
            texts.extend(["a", "b"].map(|last| format!("{}{last}", "b".repeat(len - 1))));
            texts.push(format!("a{}", "b".repeat(len - 1)));
        }
        for a in &texts {
            for b in &texts {
                let ids = [a, b].map(|text| EventId::new(text).unwrap());
                assert_eq!(ids[0].cmp(&ids[1]), a.as_bytes().cmp(b.as_bytes()), "{a} {b}");
                assert_eq!(ids[0] == ids[1], a == b);
            }
        }
    }

    #[test]
    fn names_of_events_are_ids_of_any_length_and_back() {
        for len in 1..=ID_BYTES_MAX {
            let id = Id::new(&"x".repeat(len)).unwrap();
            let event = EventId::new(id.as_str()).unwrap();
            assert_eq!((EventId::from(id.clone()), Id::from(event.clone())), (event.clone(), id.clone()));
            assert_eq!(event, EventId::of_visible(format!("{id}\" and more, which is none of it").as_bytes(), len));
            let (mut a, mut b) = (Vec::new(), Vec::new());
            id.repr().put_with_zero(&mut a);
            event.repr().put_with_zero(&mut b);
            assert_eq!((a.len(), a), (len + 1, b));
        }
    }
}
