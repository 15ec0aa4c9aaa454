//! Leaderboards by calendar, usable alone.

use std::collections::{BTreeMap, BTreeSet};

use super::owners::Directory as _;
use super::ranks::{Found, Ranks};
use super::roster::{Handle, Roster};
use super::tree::Aim;
use super::view::Name;
use super::{
    Archive, ArchiveView, Award, BatchError, Heading, Names, Operator, Order, Ranking, Row, Score, Settings, Sort,
    Standing, Tiers, Ties, View, awards, snapshot,
};
use crate::codec::Stable as _;
use crate::error::{Code, Error};
use crate::hash::Key;
use crate::id::{BoardId, PlayerId};
use crate::limits::BOARD_CAPACITY_MAX;
use crate::time::Timestamp;
use crate::window::{Calendar, Period, PeriodState, Window};

/// One ranked set for each period of each window: today's, this week's, of all time. A period begins empty; one that is
/// closed takes no more submits and stays readable until it is dropped.
///
/// All periods share one table of owners: a submit looks its owner up once, whatever the number of windows, and counts
/// in all of them or, on an error, in none.
///
/// ```
/// use liveops_core::board::{Operator, Order, WindowedLeaderboard};
/// use liveops_core::window::{Calendar, Window};
/// use liveops_core::Timestamp;
///
/// let mut board = WindowedLeaderboard::new(Order::Desc, Operator::Incr, Calendar::utc())
///     .window(Window::Daily, 2)
///     .window(Window::AllTime, 0);
/// let monday = Timestamp::from_rfc3339("2026-11-09T23:00:00Z").unwrap();
/// let tuesday = Timestamp::from_rfc3339("2026-11-10T01:00:00Z").unwrap();
/// board.submit("ana", 70, monday, monday)?;
/// board.submit("ana", 50, tuesday, tuesday)?;
/// assert_eq!(board.top(Window::Daily, 10, tuesday)?[0].score, 50);
/// assert_eq!(board.top(Window::AllTime, 10, tuesday)?[0].score, 120);
///
/// board.hide("ana"); // from every window, and from those to come
/// assert!(board.view(Window::AllTime, tuesday)?.is_empty());
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct WindowedLeaderboard {
    settings: Settings,
    calendar: Calendar,
    windows: Vec<(Window, u32)>,
    periods: BTreeMap<Period, Ranks>,
    archives: BTreeMap<Period, (Archive, Names)>,
    roster: Roster,
    hidden: BTreeSet<Handle>,
    hash_key: Key,
    capacity: usize,
}

/// What one submit does to one window, before it is done.
#[derive(Clone, Copy)]
struct Step {
    period: Period,
    found: Found,
    before: Option<Standing>,
    after: Standing,
    aim: Option<Aim>,
}

/// Setting up; to be done before the first submit, since what is set starts an empty board.
impl WindowedLeaderboard {
    /// A board without windows; add them with [`Self::window`].
    pub fn new(order: Order, operator: Operator, calendar: Calendar) -> Self {
        let settings = Settings { operator, sort: Sort { order, ties: Ties::default() }, ..Settings::default() };
        Self {
            settings,
            calendar,
            windows: Vec::new(),
            periods: BTreeMap::new(),
            archives: BTreeMap::new(),
            roster: Roster::new([0; 16], 0),
            hidden: BTreeSet::new(),
            hash_key: [0; 16],
            capacity: 0,
        }
    }

    fn emptied(self) -> Self {
        let roster = Roster::new(self.hash_key, self.capacity);
        let (periods, archives) = (BTreeMap::new(), BTreeMap::new());
        Self { periods, archives, roster, hidden: BTreeSet::new(), ..self }
    }

    /// Adds a window of which `keep` closed periods stay readable; at any time.
    #[must_use]
    pub fn window(mut self, window: Window, keep: u32) -> Self {
        self.windows.retain(|(known, _)| *known != window);
        self.windows.push((window, keep));
        self.windows.sort_unstable();
        self
    }

    /// Another rule for ties.
    #[must_use]
    pub fn ties(mut self, ties: Ties) -> Self {
        self.settings.sort.ties = ties;
        self.emptied()
    }

    /// Another way to count ranks; at any time.
    #[must_use]
    pub fn ranking(mut self, ranking: Ranking) -> Self {
        self.settings.ranking = ranking;
        self
    }

    /// A name, by which a cursor and a snapshot know this board from others.
    #[must_use]
    pub fn named(mut self, board: BoardId) -> Self {
        self.settings.name = Some(board);
        self
    }

    /// A hash key that strangers do not know, for owner ids that they choose.
    #[must_use]
    pub fn hash_key(self, hash_key: Key) -> Self {
        Self { hash_key, ..self }.emptied()
    }

    /// Memory for so many owners at once, in the table that all periods share and in each period that begins; at most
    /// [`BOARD_CAPACITY_MAX`].
    #[must_use]
    pub fn with_capacity(self, owners: usize) -> Self {
        Self { capacity: owners.min(BOARD_CAPACITY_MAX), ..self }.emptied()
    }
}

/// Writing.
impl WindowedLeaderboard {
    /// Takes one value of time `ts` that came at `now`, into every window or, on an error, into none. Returns the
    /// periods it was too late for.
    ///
    /// Errors: `id_invalid`, `score_overflow`.
    #[inline]
    pub fn submit(
        &mut self,
        owner: &str,
        value: impl Into<Score>,
        ts: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Period>, Error> {
        self.take(owner, value.into(), ts, now, &mut |_, _, _| ())
    }

    /// Takes many values of time `ts` that came at `now`, each into every window, all of them or, on an error, none; the
    /// error says which one was refused. Returns the periods they were too late for.
    ///
    /// Errors: `id_invalid`, `score_overflow`.
    pub fn submit_batch<V: Into<Score> + Copy>(
        &mut self,
        values: &[(&str, V)],
        ts: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Period>, BatchError> {
        let (mut late, mut done) = (Vec::new(), Vec::with_capacity(values.len()));
        for (index, (owner, value)) in values.iter().enumerate() {
            let note = &mut |handle, period, before| done.push((handle, period, before));
            match self.take(owner, (*value).into(), ts, now, note) {
                Ok(missed) => late = missed,
                Err(error) => {
                    for (handle, period, before) in done.into_iter().rev() {
                        self.put_back(handle, period, before);
                    }
                    return Err(BatchError { index, error });
                }
            }
        }
        Ok(late)
    }

    /// Undoes what a value did to one window.
    fn put_back(&mut self, handle: Handle, period: Period, before: Option<Standing>) {
        let Some(ranks) = self.periods.get_mut(&period) else { return };
        let found = ranks.find(handle);
        ranks.put(handle, found, before, self.hidden.contains(&handle), &self.roster);
        if ranks.entries() == 0 {
            self.periods.remove(&period);
        }
        if before.is_none() {
            self.roster.release(handle);
        }
    }

    /// Takes one value; `note` is told what was there before, window by window.
    #[inline]
    fn take(
        &mut self,
        owner: &str,
        value: Score,
        ts: Timestamp,
        now: Timestamp,
        note: &mut impl FnMut(Handle, Period, Option<Standing>),
    ) -> Result<Vec<Period>, Error> {
        let handle = self.handle(owner)?;
        let taken = self.count(handle, value, ts, now, note);
        if !matches!(&taken, Ok(late) if late.is_empty()) {
            // Refused, or too late for every window: nobody uses a handle that is new.
            self.roster.forget_unused(handle);
        }
        taken
    }

    /// In steps over all windows, each of which asks memory for one thing in every window: so they wait together.
    fn count(
        &mut self,
        handle: Handle,
        value: Score,
        ts: Timestamp,
        now: Timestamp,
        note: &mut impl FnMut(Handle, Period, Option<Standing>),
    ) -> Result<Vec<Period>, Error> {
        let Settings { operator, sort, .. } = self.settings;
        let hidden = !self.hidden.is_empty() && self.hidden.contains(&handle);
        let (mut lanes, mut late) = ([const { None }; Window::ALL.len()], Vec::new());
        for (lane, (window, _)) in lanes.iter_mut().zip(&self.windows) {
            let Some(period) = self.calendar.period(*window, ts) else { continue };
            if self.calendar.closes_at(period) <= now {
                late.push(period);
                continue;
            }
            let ranks = self.periods.get(&period);
            *lane = Some((period, ranks, ranks.map_or(Found::Nowhere, |ranks| ranks.find(handle))));
        }
        let mut steps = [None; Window::ALL.len()];
        for (step, (period, ranks, found)) in steps.iter_mut().zip(lanes.iter().flatten()) {
            let before = ranks.and_then(|ranks| ranks.standing_at(handle, *found));
            let after = operator.apply(before, sort, value, ts, now).map_err(|_| Code::ScoreOverflow)?;
            if before != Some(after) {
                let way = ranks.filter(|_| !hidden).and_then(|r| r.way(handle, *found, &after, &self.roster));
                *step = Some((Step { period: *period, found: *found, before, after, aim: None }, ranks.zip(way)));
            }
        }
        let steps = steps.map(|step| {
            step.map(|(step, target)| {
                let aim = target.map(|(ranks, way)| ranks.aim(way, handle, &step.after, &self.roster));
                Step { aim, ..step }
            })
        });
        for Step { period, found, before, after, aim } in steps.into_iter().flatten() {
            note(handle, period, before);
            if before.is_none() {
                self.roster.retain(handle);
            }
            let ranks = self.periods.entry(period).or_insert_with(|| {
                let mut ranks = Ranks::new(sort, operator == Operator::Set);
                ranks.reserve(self.capacity);
                ranks
            });
            ranks.put_at(handle, found, &after, hidden, aim, &self.roster);
        }
        Ok(late)
    }

    /// Forgets periods that are dropped at `now`, and owners who were on no other; to be called now and then.
    pub fn advance(&mut self, now: Timestamp) {
        let kept = |period: &Period| is_kept(&self.calendar, &self.windows, *period, now);
        self.archives.retain(|period, _| kept(period));
        let gone: Vec<_> = self.periods.keys().filter(|period| !kept(period)).copied().collect();
        for ranks in gone.into_iter().filter_map(|period| self.periods.remove(&period)) {
            for handle in ranks.handles() {
                self.roster.release(handle);
            }
        }
    }

    /// Takes an owner off every period, those to come included; entries stay and take submits. Whether anything changed.
    pub fn hide(&mut self, owner: &str) -> bool {
        let Ok(handle) = self.handle(owner) else { return false };
        let changed = self.hidden.insert(handle);
        if changed {
            self.roster.retain(handle);
            self.set_hidden(handle, true);
        }
        changed
    }

    /// Shows an owner again, everywhere at the exact place of before; whether anything changed.
    pub fn unhide(&mut self, owner: &str) -> bool {
        let Some(handle) = self.roster.find(owner.as_bytes()) else { return false };
        let changed = self.hidden.remove(&handle);
        if changed {
            self.set_hidden(handle, false);
            self.roster.release(handle);
        }
        changed
    }

    /// Removes an owner's entries from every period that is kept, and the name from archives; whether there was any. A
    /// hidden owner stays hidden.
    pub fn remove(&mut self, owner: &str) -> bool {
        let mut removed = false;
        if let Ok(player) = PlayerId::new(owner) {
            for (_, names) in self.archives.values_mut() {
                removed |= names.forget(&player);
            }
        }
        let Some(handle) = self.roster.find(owner.as_bytes()) else { return removed };
        for ranks in self.periods.values_mut() {
            let found = ranks.find(handle);
            if !matches!(found, Found::Nowhere) {
                ranks.put(handle, found, None, false, &self.roster);
                self.roster.release(handle);
                removed = true;
            }
        }
        removed
    }

    /// Turns a sealed period into an archive: bytes that never change, apart from which the owners' names are kept. What
    /// an archive says is read with [`Self::archived`]; who is hidden now is not in it and never will be. Archiving
    /// again gives the same archive.
    ///
    /// Errors: `period_open` for a period that still takes events, `period_dropped` for one that is no longer kept,
    /// `unknown_window`, and `invalid_argument` for a board without a name.
    pub fn archive(&mut self, period: Period, now: Timestamp) -> Result<&Archive, Error> {
        let view = self.view_of(period, now);
        if !self.archives.contains_key(&period) {
            let name = self.settings.name.clone().ok_or(Code::InvalidArgument)?;
            let Settings { sort, ranking, .. } = self.settings;
            let heading = Heading::new(name, period, &self.calendar, sort, ranking, now)?;
            let archive = Archive::new(heading, &view?.page(0, usize::MAX))?;
            self.archives.insert(period, archive);
            for handle in self.periods.remove(&period).iter().flat_map(Ranks::handles) {
                self.roster.release(handle);
            }
        }
        let archive = self.archives.get(&period).ok_or(Code::UnknownPeriod)?;
        Ok(&archive.0)
    }

    fn set_hidden(&mut self, handle: Handle, hidden: bool) {
        for ranks in self.periods.values_mut() {
            ranks.set_hidden(handle, hidden, &self.roster);
        }
    }

    #[inline]
    fn handle(&mut self, owner: &str) -> Result<Handle, Error> {
        match self.roster.find(owner.as_bytes()) {
            Some(handle) => Ok(handle),
            None => Ok(self.roster.intern(&PlayerId::new(owner)?).ok_or(Code::StoreFull)?),
        }
    }
}

/// Reading.
impl WindowedLeaderboard {
    /// The period that is current at `now`, with everything there is to read.
    ///
    /// Errors: `unknown_window` if there is no such window, `unknown_period` between two seasons.
    pub fn view(&self, window: Window, now: Timestamp) -> Result<View<'_>, Error> {
        self.view_of(self.current(window, now)?, now)
    }

    /// Any period that has not been dropped at `now`; one that nobody is in is empty.
    ///
    /// Errors: `unknown_window`; `period_dropped` for a period that is no longer kept; `unknown_period` for one that is kept as an
    /// archive, and for a season that the calendar does not have.
    pub fn view_of(&self, period: Period, now: Timestamp) -> Result<View<'_>, Error> {
        self.check_kept(period, now)?;
        if self.archives.contains_key(&period) {
            return Err(Code::UnknownPeriod.into());
        }
        let (board, sort) = (self.settings.name.as_ref(), Some(self.settings.sort));
        let name = Name { board, period: Some(period), sort };
        Ok(View::new(self.periods.get(&period), &self.roster, self.settings.ranking, name))
    }

    /// The best `limit` of the period that is current at `now`.
    ///
    /// Errors: those of [`Self::view`].
    pub fn top(&self, window: Window, limit: usize, now: Timestamp) -> Result<Vec<Row>, Error> {
        Ok(self.view(window, now)?.top(limit))
    }

    /// `offset..offset + limit` of a period, best first.
    ///
    /// Errors: those of [`Self::view_of`].
    pub fn page(&self, period: Period, offset: usize, limit: usize, now: Timestamp) -> Result<Vec<Row>, Error> {
        Ok(self.view_of(period, now)?.page(offset, limit))
    }

    /// Rank in the period that is current at `now`, from 1.
    pub fn rank(&self, window: Window, owner: &str, now: Timestamp) -> Result<Option<u64>, Error> {
        Ok(self.view(window, now)?.rank(owner))
    }

    /// An archived period that has not been dropped at `now`, without owners who are hidden now.
    ///
    /// Errors: `unknown_window`; `period_dropped`; `unknown_period` for one that was not archived.
    pub fn archived(&self, period: Period, now: Timestamp) -> Result<ArchiveView<'_>, Error> {
        self.check_kept(period, now)?;
        let (archive, names) = self.archives.get(&period).ok_or(Code::UnknownPeriod)?;
        let is_hidden =
            |player: &PlayerId| self.roster.find(player.as_bytes()).is_some_and(|handle| self.hidden.contains(&handle));
        Ok(archive.read(names)?.hiding(is_hidden))
    }

    /// An archive and whose places are in it, to be stored elsewhere for good.
    pub fn archive_of(&self, period: Period) -> Option<(&Archive, &Names)> {
        self.archives.get(&period).map(|(archive, names)| (archive, names))
    }

    /// Who gets what for a sealed or archived period.
    ///
    /// Errors: `period_open` for a period that still takes events, `unknown_window`, `unknown_period`, `period_dropped`.
    pub fn payout(&self, period: Period, tiers: &Tiers, now: Timestamp) -> Result<Vec<Award>, Error> {
        if self.calendar.closes_at(period) > now {
            return Err(Code::PeriodOpen.into());
        }
        if self.archives.contains_key(&period) {
            return Ok(self.archived(period, now)?.awards(tiers));
        }
        Ok(awards(&self.view_of(period, now)?.page(0, usize::MAX), tiers))
    }

    /// The owner's score and subscore in a period, hidden or not.
    pub fn score(&self, period: Period, owner: &str) -> Option<Score> {
        let standing = self.periods.get(&period)?.standing(self.roster.find(owner.as_bytes())?)?;
        Some(standing.score)
    }

    /// The period that is current at `now`.
    ///
    /// Errors: those of [`Self::view`].
    pub fn current(&self, window: Window, now: Timestamp) -> Result<Period, Error> {
        self.keep(window)?;
        Ok(self.calendar.current(window, now).ok_or(Code::UnknownPeriod)?)
    }

    /// Where a period is in its life at `now`.
    ///
    /// Errors: `unknown_window` for a window that the board does not have.
    pub fn state(&self, period: Period, now: Timestamp) -> Result<PeriodState, Error> {
        let keep = self.keep(period.window)?;
        let state = self.calendar.state(period, keep, now);
        let is_archived = state == PeriodState::Sealed && self.archives.contains_key(&period);
        Ok(if is_archived { PeriodState::Archived } else { state })
    }

    fn check_kept(&self, period: Period, now: Timestamp) -> Result<(), Code> {
        self.calendar.check_kept(period, self.keep(period.window)?, now)
    }

    fn keep(&self, window: Window) -> Result<u32, Code> {
        let known = self.windows.iter().find(|(known, _)| *known == window);
        known.map(|(_, keep)| *keep).ok_or(Code::UnknownWindow)
    }

    /// The board's windows, each with the number of closed periods that stay readable.
    pub fn windows(&self) -> &[(Window, u32)] {
        &self.windows
    }

    /// Owners with an entry in any kept period, and hidden ones.
    pub const fn owners(&self) -> usize {
        self.roster.len()
    }

    /// The calendar.
    pub const fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// How the board counts, sorts and ranks.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// Keeping.
impl WindowedLeaderboard {
    /// Every period as bytes that depend on nothing else, with a checksum at the end. The calendar is not in them.
    pub fn snapshot(&self) -> Vec<u8> {
        snapshot::WINDOWED.close(|out| {
            self.settings.put(out);
            snapshot::put_hidden(&self.hidden, &self.roster, out);
            (self.periods.len() as u64).put(out);
            for (period, ranks) in &self.periods {
                period.put(out);
                snapshot::put_ranks(ranks, &self.roster, out);
            }
            (self.archives.len() as u64).put(out);
            for (period, (archive, names)) in &self.archives {
                period.put(out);
                archive.to_bytes().put(out);
                names.to_bytes().put(out);
            }
        })
    }

    /// This board, emptied, with what a snapshot holds. Its windows and calendar are as set up; they have to be those
    /// of the board that was saved, or periods would mean other times.
    ///
    /// Errors: `board_incompatible` for the snapshot of a board that counts or sorts otherwise, has another name or
    /// windows that this one has not, and those of [`Leaderboard::restore`](super::Leaderboard::restore).
    pub fn restored(self, bytes: &[u8]) -> Result<Self, Error> {
        let mut body = snapshot::open(snapshot::WINDOWED, bytes)?;
        let settings = Settings::take(&mut body).ok_or(Code::SnapshotCorrupt)?;
        if !settings.same_entries(&self.settings) {
            return Err(Code::BoardIncompatible.into());
        }
        let mut board = self.emptied();
        board.fill(&mut body)?;
        if !body.is_empty() {
            return Err(Code::SnapshotCorrupt.into());
        }
        let known = |period: &Period| board.windows.iter().any(|(window, _)| *window == period.window);
        if board.periods.keys().chain(board.archives.keys()).all(known) {
            Ok(board)
        } else {
            Err(Code::BoardIncompatible.into())
        }
    }

    fn fill(&mut self, body: &mut &[u8]) -> Result<(), Code> {
        let corrupt = Code::SnapshotCorrupt;
        self.hidden = snapshot::take_hidden(&mut self.roster, body).ok_or(corrupt)?;
        for _ in 0..u64::take(body).ok_or(corrupt)? {
            let period = Period::take(body).ok_or(corrupt)?;
            let mut ranks = Ranks::new(self.settings.sort, self.settings.operator == Operator::Set);
            snapshot::take_ranks(&mut ranks, &mut self.roster, &self.hidden, body)?;
            if self.periods.insert(period, ranks).is_some() {
                return Err(corrupt);
            }
        }
        for _ in 0..u64::take(body).ok_or(corrupt)? {
            let period = Period::take(body).ok_or(corrupt)?;
            let (archive, names) = take_archive(body)?;
            let is_of_period = archive.heading().period == period && archive.read(&names).is_ok();
            let is_known = self.periods.contains_key(&period);
            if !is_of_period || is_known || self.archives.insert(period, (archive, names)).is_some() {
                return Err(corrupt);
            }
        }
        Ok(())
    }
}

fn take_archive(body: &mut &[u8]) -> Result<(Archive, Names), Code> {
    let corrupt = Code::SnapshotCorrupt;
    let archive = Archive::from_bytes(&Vec::<u8>::take(body).ok_or(corrupt)?);
    let names = Names::from_bytes(&Vec::<u8>::take(body).ok_or(corrupt)?);
    let archive = archive.map_err(|error| if error.code() == Code::ScoreOverflow { error.code() } else { corrupt })?;
    Ok((archive, names.map_err(|_| corrupt)?))
}

fn is_kept(calendar: &Calendar, windows: &[(Window, u32)], period: Period, now: Timestamp) -> bool {
    let keep = windows.iter().find(|(window, _)| *window == period.window).map(|(_, keep)| *keep);
    keep.is_some_and(|keep| !calendar.is_dropped(period, keep, now))
}

#[cfg(test)]
mod tests;
