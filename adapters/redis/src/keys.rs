//! Names and values as they are stored: for ever. `README.md` lists them for people.

use std::fmt::Write as _;

use liveops_core::error::StoreErrorKind;
use liveops_core::id::{CommandId, EventId, Origin, PlayerId};
use liveops_core::record::{Key, Kind};
use liveops_core::time::Timestamp;

/// Outcomes are listed by quarters of an hour, so that whole lists can be swept.
pub(crate) const BUCKET_MILLIS: i64 = 900_000;
/// Slots of a cluster.
pub(crate) const SLOTS: u16 = 16_384;
/// Bytes of a time or a cursor: all decimal digits of 64 bits, so that they compare as text.
pub(crate) const DIGITS: usize = 20;

/// The keys of one game.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The game's own key.
    pub(crate) global: String,
    pub(crate) global_slot: u16,
    parts: Vec<Part>,
}

/// The keys of one partition. All of them are in one slot.
#[derive(Debug)]
pub(crate) struct Part {
    /// What all of them begin with.
    pub(crate) tag: String,
    pub(crate) slot: u16,
    /// Generation, horizon and marks of the feed; which buckets there are.
    pub(crate) meta: String,
    /// The outbox.
    pub(crate) outbox: String,
    /// Everybody, for scans.
    pub(crate) index: String,
    /// When the marks of erasures are due.
    pub(crate) marks: String,
    /// Consumers of the feed.
    pub(crate) consumers: String,
}

impl Layout {
    pub(crate) fn new(game: &str, partitions: u16) -> Self {
        let game = escaped(game);
        let global = format!("lo:{{{game}}}:g");
        let parts = (0..partitions).map(|at| Part::new(&game, at)).collect();
        Self { global_slot: slot(game.as_bytes()), global, parts }
    }

    pub(crate) fn partitions(&self) -> u16 {
        u16::try_from(self.parts.len()).unwrap_or(u16::MAX)
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Errors: `store_misconfigured` for a partition that there is not.
    pub(crate) fn part(&self, partition: u16) -> Result<&Part, StoreErrorKind> {
        self.parts.get(usize::from(partition)).ok_or(StoreErrorKind::Misconfigured)
    }

    /// Where a player is: FNV-1a of 64 bits, folded.
    pub(crate) fn partition_of(&self, player: &PlayerId) -> u16 {
        let hash = player
            .as_bytes()
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        let folded = (hash ^ (hash >> 32)) % (self.parts.len() as u64).max(1);
        // Less than the number of partitions, which is a u16.
        u16::try_from(folded).unwrap_or(0)
    }
}

impl Part {
    fn new(game: &str, partition: u16) -> Self {
        let tag = format!("{game}:{partition}");
        let slot = slot(tag.as_bytes());
        let tag = format!("lo:{{{tag}}}:");
        let key = |name: &str| format!("{tag}{name}");
        Self { meta: key("m"), outbox: key("f"), index: key("i"), marks: key("e"), consumers: key("c"), slot, tag }
    }

    pub(crate) fn player(&self, player: &PlayerId) -> String {
        format!("{}p:{player}", self.tag)
    }

    /// Outcomes of a quarter of an hour.
    pub(crate) fn bucket(&self, bucket: i64) -> String {
        format!("{}x:{bucket}", self.tag)
    }
}

/// A game's name without what would end a hash tag, or be read as a separator.
fn escaped(game: &str) -> String {
    let mut escaped = String::with_capacity(game.len());
    for byte in game.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            _ = write!(escaped, "%{byte:02x}");
        }
    }
    escaped
}

/// Where a cluster keeps a hash tag: CRC-16/XMODEM.
fn slot(tag: &[u8]) -> u16 {
    let crc = tag.iter().fold(0_u16, |crc, byte| {
        (0..8).fold(
            crc ^ (u16::from(*byte) << 8),
            |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 },
        )
    });
    crc % SLOTS
}

/// Which bucket a time is in.
pub(crate) const fn bucket_of(ts: Timestamp) -> i64 {
    ts.as_unix_millis().div_euclid(BUCKET_MILLIS)
}

/// A time as text that sorts.
pub(crate) fn time_text(ts: Timestamp) -> String {
    cursor_text(ts.as_unix_millis().cast_unsigned() ^ (1 << 63))
}

/// The time behind such text.
pub(crate) fn time_of(text: &[u8]) -> Result<Timestamp, StoreErrorKind> {
    let biased = cursor_of(text).filter(|_| text.len() == DIGITS).ok_or(StoreErrorKind::Corrupt)?;
    Ok(Timestamp::from_unix_millis((biased ^ (1 << 63)).cast_signed()))
}

/// A cursor as text that sorts.
pub(crate) fn cursor_text(cursor: u64) -> String {
    format!("{cursor:020}")
}

/// The number behind digits.
pub(crate) fn cursor_of(digits: &[u8]) -> Option<u64> {
    let is_plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| is_plain)?.parse().ok()
}

/// The cursor of an entry of the outbox: `0-1`, `0-2` and so on.
pub(crate) fn cursor_of_entry(id: &[u8]) -> Result<u64, StoreErrorKind> {
    id.strip_prefix(b"0-").and_then(cursor_of).ok_or(StoreErrorKind::Corrupt)
}

/// The field of a player's hash that holds a record; none of the horizon.
pub(crate) fn field_of(key: &Key) -> Option<Vec<u8>> {
    match key {
        Key::Player(_) => Some(b"p".to_vec()),
        Key::Outcome(_, id) => Some(outcome_field(id)),
        Key::Receipt(_, number) => Some(number_field(b'r', *number)),
        Key::Suspicion(_, number) => Some(number_field(b's', *number)),
        _ => None,
    }
}

pub(crate) fn outcome_field(id: &CommandId) -> Vec<u8> {
    let origin = match id.origin {
        Origin::Event => b'0',
        Origin::Operator => b'1',
    };
    [&[b'o', origin], id.id.as_bytes()].concat()
}

pub(crate) fn number_field(kind: u8, number: u64) -> Vec<u8> {
    let mut field = vec![kind];
    field.extend(number.to_be_bytes());
    field
}

/// What a field holds a record of; `None` for those that hold none.
pub(crate) fn key_of(player: &PlayerId, field: &[u8]) -> Result<Option<Key>, StoreErrorKind> {
    let (kind, rest) = field.split_first().ok_or(StoreErrorKind::Corrupt)?;
    let number = || rest.try_into().map(u64::from_be_bytes).map_err(|_| StoreErrorKind::Corrupt);
    let player = || player.clone();
    Ok(match kind {
        b'v' | b'e' if rest.is_empty() => None,
        b'p' if rest.is_empty() => Some(Key::Player(player())),
        b'o' => {
            let (origin, id) = rest.split_first().ok_or(StoreErrorKind::Corrupt)?;
            let origin = match origin {
                b'0' => Origin::Event,
                b'1' => Origin::Operator,
                _ => return Err(StoreErrorKind::Corrupt),
            };
            let id =
                std::str::from_utf8(id).ok().and_then(|id| EventId::new(id).ok()).ok_or(StoreErrorKind::Corrupt)?;
            Some(Key::Outcome(player(), CommandId { origin, id }))
        }
        b'r' => Some(Key::Receipt(player(), number()?)),
        b's' => Some(Key::Suspicion(player(), number()?)),
        _ => return Err(StoreErrorKind::Corrupt),
    })
}

/// Whether a record of this kind is asked for.
pub(crate) fn is_wanted(kind: Option<Kind>, key: &Key) -> bool {
    kind.is_none() || key.kind() == kind
}

#[cfg(test)]
mod tests {
    use super::*;

    fn player(id: &str) -> PlayerId {
        PlayerId::new(id).unwrap()
    }

    #[test]
    fn names_of_keys_are_for_ever() {
        let layout = Layout::new("ember}fall:1 é%", 64);
        assert_eq!(layout.global, "lo:{ember%7dfall%3a1%20%c3%a9%25}:g");
        let part = layout.part(7).unwrap();
        assert_eq!(part.tag, "lo:{ember%7dfall%3a1%20%c3%a9%25:7}:");
        let keys =
            [&part.meta, &part.outbox, &part.index, &part.marks, &part.consumers].map(|key| &key[part.tag.len()..]);
        assert_eq!(keys, ["m", "f", "i", "e", "c"]);
        assert_eq!(Layout::new("a", 1).part(0).unwrap().player(&player("ana:}1")), "lo:{a:0}:p:ana:}1");
        assert_eq!(Layout::new("a", 1).part(0).unwrap().bucket(-3), "lo:{a:0}:x:-3");
        assert_eq!(Layout::new("a", 1).part(1).unwrap_err(), StoreErrorKind::Misconfigured);
        // The game `a` in one partition is not the game `a:0`.
        assert_ne!(Layout::new("a", 1).parts[0].tag, Layout::new("a:0", 1).global);
    }

    #[test]
    fn players_stay_where_they_are() {
        let at = |partitions, id: &str| Layout::new("a", partitions).partition_of(&player(id));
        assert_eq!(["ana", "bo", "A", "player-1", "~"].map(|id| at(64, id)), [28, 57, 32, 10, 45]);
        assert_eq!(["ana", "bo", "A", "player-1", "~"].map(|id| at(1024, id)), [796, 825, 672, 74, 237]);
        assert_eq!(at(1, "ana"), 0);
    }

    #[test]
    fn slots_are_those_of_a_cluster() {
        // The check value of CRC-16/XMODEM; and what `CLUSTER KEYSLOT` says.
        assert_eq!(slot(b"123456789"), 0x31c3);
        assert_eq!(slot(b"somekey"), 11058);
    }

    #[test]
    fn times_sort_as_text_and_come_back() {
        let golden = [
            (i64::MIN, "00000000000000000000"),
            (-1, "09223372036854775807"),
            (0, "09223372036854775808"),
            (1_796_083_200_000, "09223373832937975808"),
            (i64::MAX, "18446744073709551615"),
        ];
        for (millis, text) in golden {
            let ts = Timestamp::from_unix_millis(millis);
            assert_eq!(time_text(ts), text);
            assert_eq!(time_of(time_text(ts).as_bytes()), Ok(ts));
        }
        for bad in ["", "1", "+9223372036854775808", "99999999999999999999", "0922337203685477580x"] {
            assert_eq!(time_of(bad.as_bytes()), Err(StoreErrorKind::Corrupt), "{bad}");
        }
    }

    #[test]
    fn fields_are_for_ever_and_come_back() {
        let command = |origin| CommandId { origin, id: EventId::new("e-1").unwrap() };
        let ana = || player("ana");
        let golden: [(Key, &[u8]); 5] = [
            (Key::Player(ana()), b"p"),
            (Key::Outcome(ana(), command(Origin::Event)), b"o0e-1"),
            (Key::Outcome(ana(), command(Origin::Operator)), b"o1e-1"),
            (Key::Receipt(ana(), 258), b"r\0\0\0\0\0\0\x01\x02"),
            (Key::Suspicion(ana(), u64::MAX), b"s\xff\xff\xff\xff\xff\xff\xff\xff"),
        ];
        for (key, field) in golden {
            assert_eq!(field_of(&key).unwrap(), field);
            assert_eq!(key_of(&ana(), field), Ok(Some(key)));
        }
        assert_eq!(field_of(&Key::Horizon), None);
        assert_eq!((key_of(&ana(), b"v"), key_of(&ana(), b"e")), (Ok(None), Ok(None)));
        for bad in [&b""[..], b"o", b"o2e", b"o0", b"r1", b"z", b"pp"] {
            assert_eq!(key_of(&ana(), bad), Err(StoreErrorKind::Corrupt), "{bad:?}");
        }
    }

    #[test]
    fn entries_are_numbered_in_one_epoch() {
        assert_eq!(cursor_of_entry(b"0-4294967296"), Ok(1 << 32));
        for bad in [&b"1-1"[..], b"0-", b"0-+1", b"7"] {
            assert_eq!(cursor_of_entry(bad), Err(StoreErrorKind::Corrupt));
        }
    }
}
