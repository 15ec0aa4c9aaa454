//! Boards by calendar, used alone.

use liveops_core::board::{Operator, Order, Score, View};
use liveops_core::{Code, Period, Timestamp, Window};
use napi::Env;
use napi::bindgen_prelude::{Float64Array, Uint8Array};
use napi_derive::napi;

use crate::archive::{Archive, ArchiveView, Archived, Names};
use crate::board::{Batch, BoardOptions, hash_key, pair};
use crate::failure::{OrThrow as _, Result, text};
use crate::memory::tell;
use crate::payout::{TierOptions, awarded, tiers};
use crate::rows::{Rows, cursor, page, rows};
use crate::rules::integer;
use crate::window::{Calendar, Closings, When, window_of};

/// One ranked set for each period of each window.
#[napi]
#[derive(Debug)]
pub struct WindowedLeaderboard(liveops_core::board::WindowedLeaderboard);

/// Time of the event and of its coming in.
#[napi(object)]
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Of the event.
    pub ts: i64,
    /// Of its coming in.
    pub now: i64,
}

#[napi]
impl WindowedLeaderboard {
    /// An empty board by a calendar.
    #[napi(constructor)]
    pub fn new(options: BoardOptions, calendar: &Calendar, windows: Vec<String>, keep: Vec<u32>) -> Result<Self> {
        let settings = options.read()?;
        let (sort, calendar) = (settings.sort, calendar.calendar.clone());
        let board = liveops_core::board::WindowedLeaderboard::new(sort.order, settings.operator, calendar);
        let board = board.ties(sort.ties).ranking(settings.ranking);
        let mut board = settings.name.iter().fold(board, |board, name| board.named(name.clone()));
        for (window, keep) in windows.iter().zip(keep) {
            board = board.window(window_of(window)?, keep);
        }
        Ok(Self(board.hash_key(hash_key()).with_capacity(options.capacity as usize)))
    }

    /// Lets go of what it holds.
    #[napi]
    pub fn close(&mut self) {
        let (order, operator) = (Order::Desc, Operator::Incr);
        self.0 =
            liveops_core::board::WindowedLeaderboard::new(order, operator, liveops_core::window::Calendar::default());
    }

    /// The same with what a snapshot holds.
    #[napi(factory)]
    pub fn restore(
        options: BoardOptions,
        calendar: &Calendar,
        windows: Vec<String>,
        keep: Vec<u32>,
        bytes: &[u8],
    ) -> Result<Self> {
        Self::new(options, calendar, windows, keep)?.0.restored(bytes).map(Self).or_throw()
    }

    /// Every period as bytes.
    #[napi]
    pub fn snapshot(&self) -> Uint8Array {
        Uint8Array::from(self.0.snapshot())
    }

    /// The name, if it has one.
    #[napi(getter)]
    pub fn name(&self) -> Option<String> {
        self.0.settings().name.as_ref().map(ToString::to_string)
    }

    /// Owners with an entry in any kept period, and hidden ones.
    #[napi(getter)]
    pub fn owners(&self) -> i64 {
        integer(self.0.owners() as u64)
    }

    /// Takes one value into every window or into none; the periods it was too late for, as JSON.
    #[napi]
    pub fn submit(&mut self, env: &Env, owner: String, score: i64, subscore: i64, times: Times) -> Result<String> {
        let (value, [ts, now]) = (Score { score, subscore }, times.read());
        let late = self.0.submit(&owner, value, ts, now).or_throw()?;
        tell(env)?;
        text(&late)
    }

    /// Takes many values of one time, or none; the periods they were too late for, as JSON.
    #[napi]
    pub fn submit_batch(
        &mut self,
        env: &Env,
        owners: String,
        scores: Float64Array,
        subscores: Option<Float64Array>,
        times: Times,
    ) -> Result<String> {
        let (batch, [ts, now]) = (Batch::new(&owners, &scores, subscores.as_deref()), times.read());
        let late = self.0.submit_batch(batch.values(), ts, now).or_throw()?;
        tell(env)?;
        text(&late)
    }

    /// Removes an owner from every period and from archives.
    #[napi]
    pub fn remove(&mut self, owner: String) -> bool {
        self.0.remove(&owner)
    }

    /// Takes an owner off every period.
    #[napi]
    pub fn hide(&mut self, owner: String) -> bool {
        self.0.hide(&owner)
    }

    /// Shows an owner again.
    #[napi]
    pub fn unhide(&mut self, owner: String) -> bool {
        self.0.unhide(&owner)
    }

    /// Forgets periods that are dropped.
    #[napi]
    pub fn advance(&mut self, now: i64) {
        self.0.advance(Timestamp::from_unix_millis(now));
    }
}

impl Times {
    fn read(self) -> [Timestamp; 2] {
        [self.ts, self.now].map(Timestamp::from_unix_millis)
    }
}

/// Reading.
#[napi]
impl WindowedLeaderboard {
    /// A period, as JSON.
    #[napi]
    pub fn period(&self, when: When) -> Result<String> {
        text(&self.period_of(&when)?)
    }

    /// Where a period is in its life.
    #[napi]
    pub fn state(&self, when: When) -> Result<String> {
        text(&self.0.state(self.period_of(&when)?, when.now()).or_throw()?)
    }

    /// Closings of the board's windows, to be taken piece by piece.
    #[napi]
    pub fn closings(&self, after: i64, through: i64) -> Closings {
        let windows: Vec<_> = self.0.windows().iter().map(|(window, _)| *window).collect();
        Closings::new(self.0.calendar().clone(), &windows, after, through)
    }

    /// Score and subscore, hidden or not.
    #[napi]
    pub fn score(&self, when: When, owner: String) -> Result<Option<Vec<f64>>> {
        pair(self.view(&when)?.score(&owner))
    }

    /// Rank from 1.
    #[napi]
    pub fn rank(&self, when: When, owner: String) -> Result<Option<i64>> {
        Ok(self.view(&when)?.rank(&owner).map(integer))
    }

    /// Some rows.
    #[napi]
    pub fn page(&self, when: When, offset: u32, limit: u32) -> Result<Rows> {
        rows(&self.view(&when)?.page(offset as usize, limit as usize))
    }

    /// Rows behind a cursor.
    #[napi]
    pub fn page_after(&self, when: When, after: Option<String>, limit: u32) -> Result<Rows> {
        page(&self.view(&when)?.page_after(cursor(after)?.as_ref(), limit as usize).or_throw()?)
    }

    /// Rows around an owner.
    #[napi]
    pub fn around(&self, when: When, owner: String, each_side: u32) -> Result<Rows> {
        rows(&self.view(&when)?.around(&owner, each_side as usize))
    }

    /// Rows of some owners.
    #[napi]
    pub fn by_owners(&self, when: When, owners: Vec<String>) -> Result<Rows> {
        rows(&self.view(&when)?.by_owners(owners.iter().map(String::as_str)))
    }

    /// Rows with a score from one through another.
    #[napi]
    pub fn by_score_range(&self, when: When, least: i64, most: i64, offset: u32, limit: u32) -> Result<Rows> {
        rows(&self.view(&when)?.by_score_range(least..=most, offset as usize, limit as usize))
    }

    /// How many are strictly better than a score.
    #[napi]
    pub fn count_above(&self, when: When, score: i64) -> Result<i64> {
        Ok(integer(self.view(&when)?.count_above(score)))
    }

    /// How many of the others an owner is ahead of, in hundredths of a percent.
    #[napi]
    pub fn percentile(&self, when: When, owner: String) -> Result<Option<u32>> {
        Ok(self.view(&when)?.percentile(&owner))
    }

    /// How many are shown.
    #[napi]
    pub fn length(&self, when: When) -> Result<i64> {
        Ok(integer(self.view(&when)?.len()))
    }

    fn period_of(&self, when: &When) -> Result<Period> {
        when.period(|window: Window, earlier| {
            let current = self.0.current(window, when.now())?;
            Ok(Period { index: current.index.saturating_sub(earlier.into()), ..current })
        })
    }

    fn view(&self, when: &When) -> Result<View<'_>> {
        self.0.view_of(self.period_of(when)?, when.now()).or_throw()
    }
}

/// Closing.
#[napi]
impl WindowedLeaderboard {
    /// Turns a sealed period into an archive; both halves of it.
    #[napi]
    pub fn archive(&mut self, when: When) -> Result<Archived> {
        let period = self.period_of(&when)?;
        self.0.archive(period, when.now()).or_throw()?;
        let (archive, names) = self.0.archive_of(period).ok_or(Code::UnknownPeriod).or_throw()?;
        Ok(Archived::new(Archive(archive.clone()), Names(names.clone())))
    }

    /// An archived period as it is shown now.
    #[napi]
    pub fn archived(&self, when: When) -> Result<ArchiveView> {
        let period = self.period_of(&when)?;
        let view = self.0.archived(period, when.now()).or_throw()?;
        // An archive that can be read is there.
        let (archive, names) = self.0.archive_of(period).ok_or(Code::UnknownPeriod).or_throw()?;
        Ok(ArchiveView::new(&view, archive.clone(), names.clone()))
    }

    /// Who gets what for a period, as JSON.
    #[napi]
    pub fn payout(&self, when: When, given: Vec<TierOptions>) -> Result<String> {
        awarded(&self.0.payout(self.period_of(&when)?, &tiers(given)?, when.now()).or_throw()?)
    }
}
