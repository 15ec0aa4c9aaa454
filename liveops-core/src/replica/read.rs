//! Reading boards.

use super::Replica;
use crate::board::{Name, View};
use crate::error::{StoreError, StoreErrorKind};
use crate::id::PlayerId;
use crate::store::{BoardAnswer, BoardRead, Reading};

impl Replica {
    /// Answers many questions, in order, as [`Boards::read`](crate::store::Boards::read).
    pub fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
        reads.iter().map(|read| self.answer(read)).collect()
    }

    fn answer(&self, BoardRead { key, sort, ranking, what }: &BoardRead) -> Result<BoardAnswer, StoreError> {
        let board = self.shelf.open(key, *sort)?;
        let name = Name { board: Some(&key.board), period: Some(key.period), sort: Some(*sort) };
        match board {
            Some(board) => answer(View::new(Some(&board.ranks()), &self.players, *ranking, name), what),
            None => answer(View::new(None, &self.players, *ranking, name), what),
        }
    }
}

fn answer(view: View<'_>, what: &Reading) -> Result<BoardAnswer, StoreError> {
    Ok(match what {
        Reading::Page { offset, limit } => BoardAnswer::Rows(view.page(*offset, *limit)),
        Reading::PageAfter { cursor, limit } => {
            let page = view.page_after(cursor.as_ref(), *limit);
            BoardAnswer::Page(page.map_err(|error| StoreError::with_source(StoreErrorKind::Misconfigured, error))?)
        }
        Reading::ByScoreRange { scores, offset, limit } => {
            BoardAnswer::Rows(view.by_score_range(scores.clone(), *offset, *limit))
        }
        Reading::Percentile(player) => BoardAnswer::Percentile(view.percentile(player.as_str())),
        Reading::Rank(player) => BoardAnswer::Rank(view.rank(player.as_str())),
        Reading::Around { player, each_side } => BoardAnswer::Rows(view.around(player.as_str(), *each_side)),
        Reading::ByOwners(players) => BoardAnswer::Rows(view.by_owners(players.iter().map(PlayerId::as_str))),
        Reading::CountAbove { score } => BoardAnswer::Count(view.count_above(*score)),
        Reading::Len => BoardAnswer::Count(view.len()),
    })
}
