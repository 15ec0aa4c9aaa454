//! What a store's records are of.

use std::sync::Arc;

use crate::board::{Operator, Sort};
use crate::codec::{Form, Stable, fields};
use crate::error::StoreErrorKind;
use crate::id::BoardId;
use crate::limits::HEADER_BOARDS_MAX;
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

const FORM: Form = Form(1);

impl Header {
    /// The stable bytes: a byte for the version of their form, then the content.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        FORM.begin(&mut out);
        self.put(&mut out);
        out
    }

    /// The header behind stable bytes; [`StoreErrorKind::TooNew`] for a later version's, else [`StoreErrorKind::Corrupt`] for bytes
    /// that [`Self::encode`] never makes.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreErrorKind> {
        FORM.decode(bytes, |from| Self::take(from).ok_or(StoreErrorKind::Corrupt))
    }

    /// Whether each board stands once, in order, and there are not too many.
    fn is_sound(&self) -> bool {
        self.boards.is_sorted_by(|(a, _), (b, _)| a < b)
            && self.retired.is_sorted_by(|a, b| (&a.board, a.sort) < (&b.board, b.sort))
            && self.boards.len() + self.retired.len() <= HEADER_BOARDS_MAX
    }
}

impl Stable for Header {
    fn put(&self, out: &mut Vec<u8>) {
        self.game.as_deref().map(Arc::<str>::from).put(out);
        self.calendar.put(out);
        self.boards.put(out);
        self.retired.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let game = <Option<Arc<str>> as Stable>::take(from)?.map(|game| game.to_string());
        let header =
            Self { game, calendar: Stable::take(from)?, boards: Stable::take(from)?, retired: Stable::take(from)? };
        header.is_sound().then_some(header)
    }
}

fields!(BoardHeader { operator, sort });
fields!(Retired { board, sort, operator });
