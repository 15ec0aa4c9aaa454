//! Where a page ended, so that the next begins behind it whatever has happened since.

use std::fmt;
use std::str::FromStr;

use super::{Place, Sort};
use crate::codec::Stable;
use crate::error::{Code, Error};
use crate::hash::{hex, short, unhex};
use crate::id::{BoardId, PlayerId};
use crate::window::Period;

/// The end of a page, as a text to hand out: the next page begins with whoever stands behind it by then. Nobody who
/// stays put is shown twice or skipped, however many others move; an offset cannot promise that.
///
/// The text names the owner and the score of the page's last row. It is no secret and not signed: one that was changed
/// is a place to begin at like any other, or `cursor_invalid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Of the board and period.
    tag: u64,
    pub(super) place: Place,
    pub(super) owner: PlayerId,
}

impl Stable for Cursor {
    fn put(&self, out: &mut Vec<u8>) {
        self.tag.put(out);
        self.place.iter().for_each(|part| part.put(out));
        self.owner.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let tag = u64::take(from)?;
        let place = [i64::take(from)?, i64::take(from)?, i64::take(from)?];
        Some(Self { tag, place, owner: PlayerId::take(from)? })
    }
}

impl Cursor {
    /// Behind this row of the board of that tag.
    pub(super) const fn new(tag: u64, place: Place, owner: PlayerId) -> Self {
        Self { tag, place, owner }
    }

    /// `cursor_invalid` for a cursor of another board, period or sort.
    pub(crate) fn check_board(&self, board: &BoardId, period: Period, sort: Sort) -> Result<(), Error> {
        self.check(tag(Some(board), Some(period), sort))
    }

    /// The same with the tag of those three.
    pub(super) fn check(&self, tag: u64) -> Result<(), Error> {
        if self.tag == tag { Ok(()) } else { Err(Code::CursorInvalid.into()) }
    }
}

/// Names a board, its period and what it sorts by.
pub(super) fn tag(board: Option<&BoardId>, period: Option<Period>, sort: Sort) -> u64 {
    let mut bytes = Vec::new();
    board.cloned().put(&mut bytes);
    period.put(&mut bytes);
    sort.put(&mut bytes);
    short(&bytes)
}

/// Hex digits.
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.to_bytes()))
    }
}

/// `cursor_invalid` for anything that no page ended with.
impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = unhex(text).ok_or(Code::CursorInvalid)?;
        let mut rest = &bytes[..];
        let cursor = Self::take(&mut rest).filter(|_| rest.is_empty());
        Ok(cursor.ok_or(Code::CursorInvalid)?)
    }
}

impl serde::Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_text() {
        let cursor = Cursor::new(u64::MAX, [i64::MIN, 0, 5], PlayerId::new("ana").unwrap());
        assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        let text = cursor.to_string();
        for bad in ["", "zz", &text[1..], &text[..text.len() - 2], &format!("{text}00")] {
            assert_eq!(bad.parse::<Cursor>().unwrap_err().code(), Code::CursorInvalid, "{bad}");
        }
        assert!(cursor.check(1).is_err());
    }
}
