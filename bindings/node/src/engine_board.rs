//! Boards of the engine: read, archived and paid. Reading asks memory alone, whatever the store.

use std::sync::Arc;

use liveops_core::engine::{Board, Standings};
use liveops_core::store::FullStore;
use liveops_core::{Period, Timestamp};
use napi::Env;
use napi_derive::napi;

use crate::archive::{Archive, Archived, Names};
use crate::engine::{Engine, player_id};
use crate::failure::{OrThrow as _, Result, text};
use crate::payout::Payout;
use crate::rows::{Rows, cursor, page, rows};
use crate::rules::integer;
use crate::verb::Answer;
use crate::window::{When, window_of};

type Store = Arc<dyn FullStore>;

/// A board in a period.
#[napi(object)]
#[derive(Debug)]
pub struct Place {
    /// The board's name.
    pub board: String,
    /// The window.
    pub window: String,
    /// The period's index.
    pub index: i64,
}

#[napi]
impl Engine {
    /// How a board counts and sorts, as JSON.
    #[napi]
    pub fn board_rule(&self, board: String) -> Result<String> {
        self.read(|core| {
            let board = core.board(&board).or_throw()?;
            let rule = board.rule();
            let windows: Vec<_> = rule.windows.iter().map(|(window, _)| window).collect();
            text(&serde_json::json!({ "operator": rule.operator, "order": rule.sort.order, "ties": rule.sort.ties,
                "ranking": rule.ranking, "windows": windows }))
        })
    }

    /// A period, as JSON.
    #[napi]
    pub fn board_period(&self, board: String, when: When) -> Result<String> {
        self.read(|core| text(&period(&core.board(&board).or_throw()?, &when)?))
    }

    /// Where a period is in its life.
    #[napi]
    pub fn board_state(&self, board: String, when: When) -> Result<String> {
        self.read(|core| {
            let board = core.board(&board).or_throw()?;
            text(&board.state(period(&board, &when)?, when.now()).or_throw()?)
        })
    }

    /// The best: what is asked most, so without a place in between.
    #[napi]
    pub fn top(&self, board: String, when: When, limit: u32) -> Result<Rows> {
        self.read(|core| {
            let board = core.board(&board).or_throw()?;
            rows(&board.of(period(&board, &when)?).top(limit as usize).or_throw()?)
        })
    }

    /// Some rows.
    #[napi]
    pub fn page(&self, place: Place, offset: u32, limit: u32) -> Result<Rows> {
        self.standings(&place, |board| rows(&board.page(offset as usize, limit as usize).or_throw()?))
    }

    /// Rows behind a cursor.
    #[napi]
    pub fn page_after(&self, place: Place, after: Option<String>, limit: u32) -> Result<Rows> {
        let after = cursor(after)?;
        self.standings(&place, |board| page(&board.page_after(after.as_ref(), limit as usize).or_throw()?))
    }

    /// Rows with a score from one through another.
    #[napi]
    pub fn by_score_range(&self, place: Place, least: i64, most: i64, offset: u32, limit: u32) -> Result<Rows> {
        self.standings(&place, |board| {
            rows(&board.by_score_range(least..=most, offset as usize, limit as usize).or_throw()?)
        })
    }

    /// A player's rank.
    #[napi]
    pub fn rank(&self, place: Place, player: String) -> Result<Option<i64>> {
        let player = player_id(&player)?;
        self.standings(&place, |board| Ok(board.rank(&player).or_throw()?.map(integer)))
    }

    /// How many of the others a player is ahead of, in hundredths of a percent.
    #[napi]
    pub fn percentile(&self, place: Place, player: String) -> Result<Option<u32>> {
        let player = player_id(&player)?;
        self.standings(&place, |board| board.percentile(&player).or_throw())
    }

    /// Rows around a player.
    #[napi]
    pub fn around(&self, place: Place, player: String, each_side: u32) -> Result<Rows> {
        let player = player_id(&player)?;
        self.standings(&place, |board| rows(&board.around(&player, each_side as usize).or_throw()?))
    }

    /// Rows of some players.
    #[napi]
    pub fn by_owners(&self, place: Place, players: Vec<String>) -> Result<Rows> {
        let players = players.iter().map(|player| player_id(player)).collect::<Result<Vec<_>>>()?;
        self.standings(&place, |board| rows(&board.by_owners(&players).or_throw()?))
    }

    /// How many are strictly better than a score.
    #[napi]
    pub fn count_above(&self, place: Place, score: i64) -> Result<i64> {
        self.standings(&place, |board| Ok(integer(board.count_above(score).or_throw()?)))
    }

    /// How many stand on the board.
    #[napi]
    pub fn length(&self, place: Place) -> Result<i64> {
        self.standings(&place, |board| Ok(integer(board.len().or_throw()?)))
    }

    /// Both halves of a finished period's archive.
    #[napi]
    pub fn archive(&self, env: Env, later: bool, board: String, when: When) -> Result<Answer<Archived>> {
        self.verb(env, "archive", later, move |core| {
            let board = core.board(&board).or_throw()?;
            let (archive, names) = board.archive(period(&board, &when)?, when.now()).or_throw()?;
            Ok(Archived::new(Archive(archive), Names(names)))
        })
    }

    /// Who gets what for a finished period, and the commands that give it.
    #[napi]
    pub fn payout(&self, env: Env, later: bool, board: String, when: When) -> Result<Answer<Payout>> {
        self.verb(env, "payout", later, move |core| {
            let period = period(&core.board(&board).or_throw()?, &when)?;
            core.payout(&board, period, when.now()).map(Payout).or_throw()
        })
    }

    /// The same from an archive.
    #[napi]
    pub fn payout_archived(
        &self,
        env: Env,
        later: bool,
        archive: &Archive,
        names: &Names,
        now: i64,
    ) -> Result<Answer<Payout>> {
        let (archive, names) = (archive.0.clone(), names.0.clone());
        self.verb(env, "payoutArchived", later, move |core| {
            core.payout_archived(&archive, &names, Timestamp::from_unix_millis(now)).map(Payout).or_throw()
        })
    }

    /// Pays every board that closed since a mark; what came of it, as JSON.
    #[napi]
    pub fn pay_closed(&self, env: Env, later: bool, mark: Option<i64>, now: i64) -> Result<Answer<String>> {
        self.verb(env, "payClosed", later, move |core| {
            let mark = mark.map(Timestamp::from_unix_millis);
            text(&core.pay_closed(mark, Timestamp::from_unix_millis(now)).or_throw()?)
        })
    }

    fn standings<T>(&self, place: &Place, read: impl FnOnce(&Standings<'_, Store>) -> Result<T>) -> Result<T> {
        let period = Period { window: window_of(&place.window)?, index: place.index };
        self.read(|core| read(&core.board(&place.board).or_throw()?.of(period)))
    }
}

fn period(board: &Board<'_, Store>, when: &When) -> Result<Period> {
    when.period(|window, earlier| match earlier {
        0 => board.period(window, when.now()),
        earlier => board.earlier(window, earlier, when.now()),
    })
}
