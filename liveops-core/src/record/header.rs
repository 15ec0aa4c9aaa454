//! What a store's records are of.

use std::sync::Arc;

use crate::board::{Operator, Sort};
use crate::codec::{Form, Stable, fields};
use crate::error::StoreErrorKind;
use crate::hash::Digest;
use crate::id::BoardId;
use crate::limits::{HEADER_BOARDS_MAX, HEADER_RULES_MAX};
use crate::window::Calendar;

/// What a store keeps beside its records and outside its digest, so that no rules are put in force that they do not fit:
/// [`crate::Rules::fit`]. It has stable bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Which game's; `None` before anything was written.
    pub game: Option<String>,
    /// How time is cut for the boards; `None` before there is a board.
    pub calendar: Option<Calendar>,
    /// Boards that records have entries of, by name: until rules list one among `retiredBoards`.
    pub boards: Vec<(BoardId, BoardHeader)>,
    /// Boards that were retired, by name and sort. Players who were not written since still have entries of them.
    pub retired: Vec<Retired>,
    /// [What names the rules](crate::Rules::identity) that were put in force over it, each once, the last of them last: at most
    /// [`HEADER_RULES_MAX`].
    pub rules: Vec<Digest>,
}

/// What entries of a board were made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoardHeader {
    /// How values count.
    pub operator: Operator,
    /// How entries sort.
    pub sort: Sort,
}

/// A board that was retired. Its entries say how they sort, but not how they were counted: so the name may come back with another
/// order or other ties, which none of these entries has, and with this one only to go on as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Retired {
    /// Its name.
    pub board: BoardId,
    /// How its entries sort.
    pub sort: Sort,
    /// How their values were counted; `None` once time is cut otherwise for other boards, after which it cannot go on.
    pub operator: Option<Operator>,
}

/// The form without rules, and the one with them.
const FORM_1: Form = Form(1);
const FORM_2: Form = Form(2);

impl Header {
    /// The stable bytes: a byte for the version of their form, then the content. A header is written in the first version that can
    /// say it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.rules.is_empty() { FORM_1 } else { FORM_2 }.begin(&mut out);
        self.game.as_deref().map(Arc::<str>::from).put(&mut out);
        self.calendar.put(&mut out);
        self.boards.put(&mut out);
        self.retired.put(&mut out);
        if !self.rules.is_empty() {
            self.rules.put(&mut out);
        }
        out
    }

    /// The header behind stable bytes; [`StoreErrorKind::TooNew`] for a later version's, else [`StoreErrorKind::Corrupt`] for bytes
    /// that [`Self::encode`] never makes.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreErrorKind> {
        let corrupt = || StoreErrorKind::Corrupt;
        match bytes.first() {
            Some(1) => FORM_1.decode(bytes, |from| Self::take(from).ok_or_else(corrupt)),
            _ => FORM_2.decode(bytes, |from| Self::take_2(from).ok_or_else(corrupt)),
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let game = <Option<Arc<str>> as Stable>::take(from)?.map(|game| game.to_string());
        let (calendar, boards, retired) = (Stable::take(from)?, Stable::take(from)?, Stable::take(from)?);
        let header = Self { game, calendar, boards, retired, rules: Vec::new() };
        header.is_sound().then_some(header)
    }

    fn take_2(from: &mut &[u8]) -> Option<Self> {
        let header = Self::take(from)?;
        let rules: Vec<Digest> = Stable::take(from)?;
        let is_once = |(at, known): (usize, &Digest)| !rules[..at].contains(known);
        let is_sound = (1..=HEADER_RULES_MAX).contains(&rules.len()) && rules.iter().enumerate().all(is_once);
        is_sound.then_some(Self { rules, ..header })
    }

    /// Whether each board stands once, in order, and there are not too many.
    fn is_sound(&self) -> bool {
        self.boards.is_sorted_by(|(a, _), (b, _)| a < b)
            && self.retired.is_sorted_by(|a, b| (&a.board, a.sort) < (&b.board, b.sort))
            && self.boards.len() + self.retired.len() <= HEADER_BOARDS_MAX
    }
}

fields!(BoardHeader { operator, sort });
fields!(Retired { board, sort, operator });
