//! Names of commands as the log has them: a canonical UUID takes 16 bytes instead of 36.

use crate::hash;
use crate::id::{CommandId, EventId, Origin};
use crate::limits::ID_BYTES_MAX;

const UUID_LEN: usize = 36;
/// Bytes of the name of a UUID.
pub(super) const UUID_NAME: usize = 17;
/// Behind which digits of a UUID's text a hyphen stands.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
/// Set in the first byte where a UUID follows; the bit below is the origin's.
const IS_UUID: u8 = 2;

/// A byte that says what it is, then 16 bytes, or a length and as many.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Name {
    bytes: [u8; 2 + ID_BYTES_MAX],
    len: u8,
}

impl Name {
    #[inline]
    pub(in super::super) fn of(id: &CommandId) -> Self {
        let text = id.id.as_bytes();
        let origin = match id.origin {
            Origin::Event => 0,
            Origin::Operator => 1,
        };
        let mut bytes = [0; 2 + ID_BYTES_MAX];
        if let Some(uuid) = uuid_of(text) {
            bytes[0] = origin | IS_UUID;
            bytes[1..UUID_NAME].copy_from_slice(&uuid);
            return Self { bytes, len: UUID_NAME as u8 };
        }
        // An id has at most 64 bytes.
        let len = text.len().min(ID_BYTES_MAX);
        bytes[0] = origin;
        bytes[1] = len as u8;
        bytes[2..2 + len].copy_from_slice(&text[..len]);
        Self { bytes, len: 2 + len as u8 }
    }

    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    #[inline]
    pub(in super::super) fn hash(&self, key: &hash::Key) -> u64 {
        hash::keyed(key, self.as_bytes())
    }

    /// How many bytes a name takes that begins with this.
    #[inline]
    pub(super) fn len_at(bytes: &[u8]) -> Option<usize> {
        let [kind, second, ..] = *bytes else { return None };
        Some(if kind & IS_UUID == 0 { 2 + usize::from(second) } else { UUID_NAME })
    }

    /// The name behind its bytes; `None` for others.
    pub(super) fn read(bytes: &[u8]) -> Option<CommandId> {
        let (kind, rest) = bytes.split_first()?;
        let origin = if kind & 1 == 0 { Origin::Event } else { Origin::Operator };
        if kind & IS_UUID == 0 {
            let (_, text) = rest.split_first()?;
            return Some(CommandId { origin, id: EventId::new(std::str::from_utf8(text).ok()?).ok()? });
        }
        let mut text = [b'-'; UUID_LEN];
        let mut at = 0;
        for byte in rest {
            at += usize::from(HYPHENS.contains(&at));
            for digit in [byte >> 4, byte & 15] {
                *text.get_mut(at)? = b"0123456789abcdef"[usize::from(digit)];
                at += 1;
            }
        }
        Some(CommandId { origin, id: EventId::new(std::str::from_utf8(&text).ok()?).ok()? })
    }
}

/// The bytes of a UUID in its canonical form (RFC 9562), in lower case. Without an early exit many digits are looked at together.
#[inline]
fn uuid_of(text: &[u8]) -> Option<[u8; 16]> {
    let text: &[u8; UUID_LEN] = text.try_into().ok()?;
    if HYPHENS.iter().any(|at| text[*at] != b'-') {
        return None;
    }
    let mut digits = [0; 32];
    digits[..8].copy_from_slice(&text[..8]);
    digits[8..12].copy_from_slice(&text[9..13]);
    digits[12..16].copy_from_slice(&text[14..18]);
    digits[16..20].copy_from_slice(&text[19..23]);
    digits[20..].copy_from_slice(&text[24..]);
    let mut wrong = 0;
    for digit in &mut digits {
        // Letters have a bit that digits have not, and their low half is 9 less than what they are worth.
        let letter = *digit >> 6 & 1;
        let worth = (*digit & 15) + letter + (letter << 3);
        // What they are worth is written again: only the right bytes come out the same.
        let again = worth + b'0' + if worth > 9 { b'a' - b'0' - 10 } else { 0 };
        wrong |= again ^ *digit | worth & 0xf0;
        *digit = worth;
    }
    (wrong == 0).then(|| std::array::from_fn(|at| digits[2 * at] << 4 | digits[2 * at + 1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_back_and_no_two_are_one() {
        let texts = [
            "a",
            &"x".repeat(64),
            "018f3c1e-9a2b-7c4d-8e5f-0123456789ab",
            "018f3c1e-9a2b-7c4d-8e5f-0123456789aB",
            "018f3c1e-9a2b-7c4d-8e5f-0123456789ag",
            "018f3c1e-9a2b-7c4d-8e5f0-123456789ab",
            "018f3c1e-9a2b-7c4d-8e5f-0123456789a-",
            "018f3c1e9a2b7c4d8e5f0123456789ab0000",
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "................",
        ];
        let mut seen = std::collections::BTreeSet::new();
        for origin in [Origin::Event, Origin::Operator] {
            for text in texts {
                let id = CommandId { origin, id: EventId::new(text).unwrap() };
                let name = Name::of(&id);
                assert_eq!(Name::read(name.as_bytes()), Some(id));
                let longer = [name.as_bytes(), &[9, 9, 9]].concat();
                assert_eq!(Name::len_at(&longer), Some(name.as_bytes().len()));
                assert!(seen.insert(name.as_bytes().to_vec()), "{text}");
            }
        }
        let uuid = CommandId { origin: Origin::Event, id: EventId::new(texts[2]).unwrap() };
        assert_eq!(Name::of(&uuid).as_bytes().len(), 17);
        assert_eq!(uuid_of(texts[2].as_bytes()).unwrap()[..5], [0x01, 0x8f, 0x3c, 0x1e, 0x9a]);
    }

    #[test]
    fn only_digits_are_digits() {
        for byte in 0..=255_u8 {
            let worth = char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
            for at in (0..UUID_LEN).filter(|at| !HYPHENS.contains(at)) {
                let mut text = *b"0123abcf-4567-89de-f012-3456789abcde";
                text[at] = byte;
                let uuid = uuid_of(&text);
                assert_eq!(uuid.is_some(), worth.is_some(), "{byte} at {at}");
                let Some(uuid) = uuid else { continue };
                let plain = String::from_utf8(text.to_vec()).unwrap().replace('-', "");
                assert_eq!(hash::hex(&uuid), plain);
            }
        }
    }
}
