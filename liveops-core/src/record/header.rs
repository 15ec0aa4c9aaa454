//! What a store's records are of.

use crate::board::{Operator, Sort};
use crate::id::BoardId;
use crate::window::Calendar;

/// What a store keeps beside its records and outside its digest, so that no rules are put in force that they do not fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Which game's; `None` before anything was written.
    pub game: Option<String>,
    /// How time is cut for the boards; `None` before there is a board.
    pub calendar: Option<Calendar>,
    /// Boards that records have entries of, by name: until rules list one among `retiredBoards`.
    pub boards: Vec<(BoardId, BoardHeader)>,
}

/// What entries of a board were made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoardHeader {
    /// How values count.
    pub operator: Operator,
    /// How entries sort.
    pub sort: Sort,
}
