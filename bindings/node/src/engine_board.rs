//! Boards of the engine: read, archived and paid.

use liveops_core::engine::Board;
use liveops_core::{MemoryStore, Period, Timestamp};
use napi::Env;
use napi_derive::napi;

use crate::archive::{Archive, Archived, Names};
use crate::engine::{Engine, player_id};
use crate::failure::{OrThrow as _, Result, text};
use crate::memory::tell;
use crate::payout::Payout;
use crate::rows::{Rows, cursor, page, rows};
use crate::rules::integer;
use crate::window::When;

#[napi]
impl Engine {
    /// Throws if there is no such board.
    #[napi]
    pub fn has_board(&self, board: String) -> Result<()> {
        self.board(&board).map(|_| ())
    }

    /// A period, as JSON.
    #[napi]
    pub fn board_period(&self, board: String, when: When) -> Result<String> {
        self.read(&board, &when, |_, period| text(&period))
    }

    /// Where a period is in its life.
    #[napi]
    pub fn board_state(&self, board: String, when: When) -> Result<String> {
        self.read(&board, &when, |board, period| text(&board.state(period, when.now()).or_throw()?))
    }

    /// Some rows.
    #[napi]
    pub fn board_page(&self, board: String, when: When, offset: u32, limit: u32) -> Result<Rows> {
        self.read(&board, &when, |board, period| {
            rows(&board.of(period).page(offset as usize, limit as usize).or_throw()?)
        })
    }

    /// Rows behind a cursor.
    #[napi]
    pub fn board_page_after(&self, board: String, when: When, after: Option<String>, limit: u32) -> Result<Rows> {
        let after = cursor(after)?;
        self.read(&board, &when, |board, period| {
            page(&board.of(period).page_after(after.as_ref(), limit as usize).or_throw()?)
        })
    }

    /// Rows with a score from one through another.
    #[napi]
    pub fn board_by_score_range(
        &self,
        board: String,
        when: When,
        least: i64,
        most: i64,
        offset: u32,
        limit: u32,
    ) -> Result<Rows> {
        self.read(&board, &when, |board, period| {
            rows(&board.of(period).by_score_range(least..=most, offset as usize, limit as usize).or_throw()?)
        })
    }

    /// A player's rank.
    #[napi]
    pub fn board_rank(&self, board: String, when: When, player: String) -> Result<Option<i64>> {
        let player = player_id(&player)?;
        self.read(&board, &when, |board, period| Ok(board.of(period).rank(&player).or_throw()?.map(integer)))
    }

    /// How many of the others a player is ahead of, in hundredths of a percent.
    #[napi]
    pub fn board_percentile(&self, board: String, when: When, player: String) -> Result<Option<u32>> {
        let player = player_id(&player)?;
        self.read(&board, &when, |board, period| board.of(period).percentile(&player).or_throw())
    }

    /// Rows around a player.
    #[napi]
    pub fn board_around(&self, board: String, when: When, player: String, each_side: u32) -> Result<Rows> {
        let player = player_id(&player)?;
        self.read(&board, &when, |board, period| {
            rows(&board.of(period).around(&player, each_side as usize).or_throw()?)
        })
    }

    /// Rows of some players.
    #[napi]
    pub fn board_by_owners(&self, board: String, when: When, players: Vec<String>) -> Result<Rows> {
        let players = players.iter().map(|player| player_id(player)).collect::<Result<Vec<_>>>()?;
        self.read(&board, &when, |board, period| rows(&board.of(period).by_owners(&players).or_throw()?))
    }

    /// How many are strictly better than a score.
    #[napi]
    pub fn board_count_above(&self, board: String, when: When, score: i64) -> Result<i64> {
        self.read(&board, &when, |board, period| Ok(integer(board.of(period).count_above(score).or_throw()?)))
    }

    /// How many stand on the board.
    #[napi]
    pub fn board_len(&self, board: String, when: When) -> Result<i64> {
        self.read(&board, &when, |board, period| Ok(integer(board.of(period).len().or_throw()?)))
    }

    /// Both halves of a finished period's archive.
    #[napi]
    pub fn board_archive(&self, board: String, when: When) -> Result<Archived> {
        self.read(&board, &when, |board, period| {
            let (archive, names) = board.archive(period, when.now()).or_throw()?;
            Ok(Archived::new(Archive(archive), Names(names)))
        })
    }

    /// Who gets what for a finished period, and the commands that give it.
    #[napi]
    pub fn payout(&self, board: String, when: When) -> Result<Payout> {
        let period = self.read(&board, &when, |_, period| Ok(period))?;
        self.0.payout(&board, period, when.now()).map(Payout).or_throw()
    }

    /// The same from an archive.
    #[napi]
    pub fn payout_archived(&self, archive: &Archive, names: &Names, now: i64) -> Result<Payout> {
        self.0.payout_archived(&archive.0, &names.0, Timestamp::from_unix_millis(now)).map(Payout).or_throw()
    }

    /// Pays every board that closed since a mark; what came of it, as JSON.
    #[napi]
    pub fn pay_closed(&self, env: &Env, mark: Option<i64>, now: i64) -> Result<String> {
        let mark = mark.map(Timestamp::from_unix_millis);
        let run = self.0.pay_closed(mark, Timestamp::from_unix_millis(now));
        tell(env)?;
        text(&run.or_throw()?)
    }

    fn board(&self, board: &str) -> Result<Board<'_, MemoryStore>> {
        self.0.board(board).or_throw()
    }

    /// Reads a board in a period.
    fn read<T>(
        &self,
        board: &str,
        when: &When,
        read: impl FnOnce(&Board<'_, MemoryStore>, Period) -> Result<T>,
    ) -> Result<T> {
        let board = self.board(board)?;
        let period = when.period(|window, earlier| match earlier {
            0 => board.period(window, when.now()),
            earlier => board.earlier(window, earlier, when.now()),
        })?;
        read(&board, period)
    }
}
