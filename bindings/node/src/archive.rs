//! Finished periods, and whose places are in them.

use std::collections::{HashMap, HashSet};

use liveops_core::board::{ArchivedRow, Heading, Row};
use liveops_core::{BoardId, Code, Period, PlayerId};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use serde_json::json;

use crate::board::Leaderboard;
use crate::failure::{OrThrow as _, Result};
use crate::payout::{TierOptions, awarded, tiers};
use crate::rows::{Rows, exact, rows};
use crate::rules::integer;
use crate::window::{Calendar, When, safe};

/// Who came where, without saying who.
#[napi]
#[derive(Debug)]
pub struct Archive(pub(crate) liveops_core::board::Archive);

/// Whose the places of one archive are.
#[napi]
#[derive(Debug)]
pub struct Names(pub(crate) liveops_core::board::Names);

/// Both halves of an archive; JavaScript takes each of them once.
#[napi]
#[derive(Debug)]
pub struct Archived {
    archive: Option<Archive>,
    names: Option<Names>,
}

#[napi]
impl Archived {
    pub(crate) const fn new(archive: Archive, names: Names) -> Self {
        Self { archive: Some(archive), names: Some(names) }
    }

    /// Who came where.
    #[napi]
    pub fn archive(&mut self) -> Option<Archive> {
        self.archive.take()
    }

    /// Who they are.
    #[napi]
    pub fn names(&mut self) -> Option<Names> {
        self.names.take()
    }
}

#[napi]
impl Archive {
    /// Archives a board used alone as a period of a calendar.
    #[napi]
    pub fn of(leaderboard: &Leaderboard, board: Option<String>, calendar: &Calendar, when: When) -> Result<Archived> {
        let settings = leaderboard.0.settings();
        let board = match board {
            Some(board) => BoardId::new(&board).or_throw()?,
            None => settings.name.clone().ok_or(Code::InvalidArgument).or_throw()?,
        };
        let current = |window, earlier: u32| {
            let current = calendar.calendar.current(window, when.now()).ok_or(Code::UnknownPeriod)?;
            Ok(Period { index: current.index.saturating_sub(earlier.into()), ..current })
        };
        let (period, calendar) = (when.period(current)?, &calendar.calendar);
        let heading = Heading::new(board, period, calendar, settings.sort, settings.ranking, when.now()).or_throw()?;
        let rows = leaderboard.0.page(0, usize::MAX);
        let (archive, names) = liveops_core::board::Archive::new(heading, &rows).or_throw()?;
        Ok(Archived::new(Self(archive), Names(names)))
    }

    /// The archive of these bytes.
    #[napi(factory)]
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        liveops_core::board::Archive::from_bytes(bytes).map(Self).or_throw()
    }

    /// The bytes.
    #[napi]
    pub fn to_bytes(&self) -> Uint8Array {
        Uint8Array::from(self.0.to_bytes())
    }

    /// What it is of, as JSON.
    #[napi]
    pub fn heading(&self) -> String {
        let Heading { board, period, label, start, end, closed_at, sort, ranking, .. } = self.0.heading();
        json!({ "board": board, "window": period.window, "index": period.index, "label": label,
            "start": safe(*start), "end": safe(*end), "closedAt": safe(*closed_at),
            "order": sort.order, "ties": sort.ties, "ranking": ranking })
        .to_string()
    }

    /// Names it by its content, in hex.
    #[napi]
    pub fn checksum(&self) -> String {
        self.0.checksum().to_hex()
    }

    /// How many owners were archived.
    #[napi(getter)]
    pub fn length(&self) -> i64 {
        integer(self.0.len())
    }

    /// Some rows without names: rank, score, subscore and when it was reached of each.
    #[napi]
    pub fn rows(&self, offset: u32, limit: u32) -> Result<Vec<f64>> {
        let rows = self.0.rows().iter().skip(offset as usize).take(limit as usize);
        let numbers = |row: &ArchivedRow| {
            [integer(row.rank), row.score.score, row.score.subscore, row.reached_at.as_unix_millis()]
        };
        rows.flat_map(numbers).map(exact).collect()
    }

    /// The archive with its names, without some more owners.
    #[napi]
    pub fn read(&self, names: &Names, hiding: Vec<String>) -> Result<ArchiveView> {
        let hidden: HashSet<_> = hiding.into_iter().collect();
        let view = self.0.read(&names.0).or_throw()?.hiding(|owner| hidden.contains(owner.as_str()));
        Ok(ArchiveView::new(&view, self.0.clone(), names.0.clone()))
    }
}

#[napi]
impl Names {
    /// The names of these bytes.
    #[napi(factory)]
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        liveops_core::board::Names::from_bytes(bytes).map(Self).or_throw()
    }

    /// The bytes.
    #[napi]
    pub fn to_bytes(&self) -> Uint8Array {
        Uint8Array::from(self.0.to_bytes())
    }

    /// The checksum of the archive that they belong to.
    #[napi]
    pub fn archive(&self) -> String {
        self.0.archive().to_hex()
    }

    /// How many are known.
    #[napi(getter)]
    pub fn length(&self) -> i64 {
        integer(self.0.len())
    }

    /// Forgets one for good.
    #[napi]
    pub fn forget(&mut self, owner: String) -> bool {
        PlayerId::new(&owner).is_ok_and(|owner| self.0.forget(&owner))
    }

    /// The place of one, from 0.
    #[napi]
    pub fn place_of(&self, owner: String) -> Option<u32> {
        self.0.place_of(&PlayerId::new(&owner).ok()?)
    }
}

/// An archive as it was shown when it was read.
#[napi]
#[derive(Debug)]
pub struct ArchiveView {
    archive: liveops_core::board::Archive,
    names: liveops_core::board::Names,
    rows: Vec<Row>,
    /// Where in the rows an owner is.
    by_owner: HashMap<PlayerId, usize>,
}

#[napi]
impl ArchiveView {
    pub(crate) fn new(
        view: &liveops_core::board::ArchiveView<'_>,
        archive: liveops_core::board::Archive,
        names: liveops_core::board::Names,
    ) -> Self {
        let rows: Vec<_> = view.iter().collect();
        let by_owner = rows.iter().enumerate().map(|(at, row)| (row.owner.clone(), at)).collect();
        Self { archive, names, rows, by_owner }
    }

    /// How many are shown.
    #[napi(getter)]
    pub fn length(&self) -> i64 {
        integer(self.rows.len() as u64)
    }

    /// Some rows.
    #[napi]
    pub fn page(&self, offset: u32, limit: u32) -> Result<Rows> {
        let first = (offset as usize).min(self.rows.len());
        let end = first.saturating_add(limit as usize).min(self.rows.len());
        rows(&self.rows[first..end])
    }

    /// The rank of an owner, as archived.
    #[napi]
    pub fn rank(&self, owner: String) -> Option<i64> {
        Some(integer(self.rows[self.position(&owner)?].rank))
    }

    /// Rows around an owner.
    #[napi]
    pub fn around(&self, owner: String, each_side: u32) -> Result<Rows> {
        let Some(at) = self.position(&owner) else { return rows(&[]) };
        let each_side = each_side as usize;
        let end = at.saturating_add(each_side).saturating_add(1).min(self.rows.len());
        rows(&self.rows[at.saturating_sub(each_side)..end])
    }

    /// Who gets what, as JSON.
    #[napi]
    pub fn awards(&self, given: Vec<TierOptions>) -> Result<String> {
        let shown = |owner: &PlayerId| self.by_owner.contains_key(owner);
        let view = self.archive.read(&self.names).or_throw()?.hiding(|owner| !shown(owner));
        awarded(&view.awards(&tiers(given)?))
    }

    fn position(&self, owner: &str) -> Option<usize> {
        self.by_owner.get(&PlayerId::new(owner).ok()?).copied()
    }
}
