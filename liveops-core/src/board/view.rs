//! Reading one ranked set.

use std::fmt;

use serde::Serialize;

use super::cursor::{self, Cursor};
use super::owners::{Directory, Who};
use super::ranks::{Found, Ranks};
use super::roster::Handle;
use super::tree::Spot;
use super::{Place, Score, Sort};
use crate::error::Error;
use crate::id::{BoardId, PlayerId};
use crate::time::Timestamp;
use crate::window::Period;

/// How equals are numbered. Places in a page are always in full order; ranks say how they are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Ranking {
    /// 1, 2, 3, 4: ties are broken.
    #[default]
    Ordinal,
    /// 1, 2, 2, 4: equal pairs of score and subscore share the better rank.
    Competition,
    /// 1, 2, 2, 3: as many ranks as different pairs. Costs a walk over everybody in front.
    Dense,
}

impl Ranking {
    /// Ranks of rows that are everybody, best first.
    pub(crate) fn number(self, rows: &mut [Row]) {
        let mut before = None;
        for (position, row) in (1..).zip(rows) {
            let place = (row.score, row.subscore);
            row.rank = match before {
                Some((rank, equal)) if self != Self::Ordinal && equal == place => rank,
                Some((rank, _)) if self == Self::Dense => rank + 1,
                _ => position,
            };
            before = Some((row.rank, place));
        }
    }
}

/// One line of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// From 1.
    pub rank: u64,
    /// Whose.
    #[serde(rename = "playerId")]
    pub owner: PlayerId,
    /// The score.
    pub score: i64,
    /// The subscore.
    pub subscore: i64,
    /// When the score was reached.
    pub reached_at: Timestamp,
}

/// `  1. ana 120`.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>4}. {:<24} {:>12}", self.rank, self.owner, self.score)?;
        if self.subscore == 0 { Ok(()) } else { write!(f, " ({})", self.subscore) }
    }
}

/// Scores from one through another; empty if the first is larger.
pub type ScoreRange = std::ops::RangeInclusive<i64>;

/// Some rows, and where the next ones begin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// Best first.
    pub rows: Vec<Row>,
    /// Where the next page begins; `None` behind the last row.
    pub next: Option<Cursor>,
}

/// One board in one period, for reading: everybody who is shown, best first. Owners are named by their text; nobody has
/// a name that is not an id.
#[derive(Clone, Copy, Debug)]
pub struct View<'b> {
    ranks: Option<&'b Ranks>,
    roster: &'b (dyn Directory + Sync),
    ranking: Ranking,
    name: Name<'b>,
}

/// What tells a board from others, for cursors.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Name<'b> {
    pub(crate) board: Option<&'b BoardId>,
    pub(crate) period: Option<Period>,
    /// That of the entries, unless it is given.
    pub(crate) sort: Option<Sort>,
}

impl<'b> View<'b> {
    /// A view of a set, or of an empty one.
    pub(crate) const fn new(
        ranks: Option<&'b Ranks>,
        roster: &'b (dyn Directory + Sync),
        ranking: Ranking,
        name: Name<'b>,
    ) -> Self {
        Self { ranks, roster, ranking, name }
    }

    /// How many are shown.
    pub fn len(&self) -> u64 {
        self.ranks.map_or(0, |ranks| ranks.tree().len())
    }

    /// Whether nobody is shown.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Score and subscore, hidden or not.
    pub fn score(&self, owner: &str) -> Option<Score> {
        let standing = self.ranks?.standing(self.roster.find(owner.as_bytes())?)?;
        Some(standing.score)
    }

    /// Rank from 1 of who is shown.
    pub fn rank(&self, owner: &str) -> Option<u64> {
        let (_, spot, ranks) = self.find(owner)?;
        Some(self.rank_of(spot, ranks))
    }

    /// The row of who is shown.
    pub fn row(&self, owner: &str) -> Option<Row> {
        let (_, spot, ranks) = self.find(owner)?;
        Some(self.row_at(spot, self.rank_of(spot, ranks), ranks))
    }

    /// The best `limit`.
    pub fn top(&self, limit: usize) -> Vec<Row> {
        self.page(0, limit)
    }

    /// `offset..offset + limit`, best first.
    pub fn page(&self, offset: usize, limit: usize) -> Vec<Row> {
        self.rows(offset as u64, limit)
    }

    /// The first `limit`, or those behind a page's end.
    ///
    /// Errors: `cursor_invalid` for a cursor of another board, period or order.
    pub fn page_after(&self, cursor: Option<&Cursor>, limit: usize) -> Result<Page, Error> {
        let entries = self.ranks.filter(|ranks| ranks.entries() > 0);
        let Some(sort) = self.name.sort.or(entries.map(Ranks::sort)) else { return Ok(Page::default()) };
        let tag = cursor::tag(self.name.board, self.name.period, sort);
        cursor.map_or(Ok(()), |cursor| cursor.check(tag))?;
        let Some(ranks) = entries else { return Ok(Page::default()) };
        let first = cursor.map_or(0, |cursor| {
            let tree = ranks.tree();
            let before = tree.count_before(cursor.place, Who::Is(&cursor.owner), self.roster);
            let is_there =
                |spot| tree.place(spot) == cursor.place && self.roster.is(tree.handle(spot), cursor.owner.as_bytes());
            before + u64::from(tree.select(before).is_some_and(is_there))
        });
        let rows = self.rows(first, limit);
        let end = first + rows.len() as u64;
        let next = match rows.last() {
            Some(last) if end < ranks.tree().len() => {
                ranks.tree().select(end - 1).map(|spot| Cursor::new(tag, ranks.tree().place(spot), last.owner.clone()))
            }
            // A page of no rows leads to where it began.
            None if end < ranks.tree().len() => cursor.cloned(),
            _ => None,
        };
        Ok(Page { rows, next })
    }

    /// The owner's row with up to `each_side` rows above and below; at the ends there are fewer. Empty for one who is
    /// not shown.
    pub fn around(&self, owner: &str, each_side: usize) -> Vec<Row> {
        let Some((_, spot, ranks)) = self.find(owner) else { return Vec::new() };
        let at = ranks.tree().rank(spot);
        let first = at.saturating_sub(each_side as u64);
        let above = (at - first) as usize;
        self.rows(first, above.saturating_add(1).saturating_add(each_side))
    }

    /// The shown ones of some owners with their ranks on the whole board, best first and each once: friends, a guild.
    /// The place in the answer is the rank among them.
    pub fn by_owners<'a>(&self, owners: impl IntoIterator<Item = &'a str>) -> Vec<Row> {
        let found = owners.into_iter().filter_map(|owner| self.find(owner));
        let mut found: Vec<_> = found.map(|(_, spot, ranks)| (ranks.tree().rank(spot), spot, ranks)).collect();
        found.sort_unstable_by_key(|(position, ..)| *position);
        found.dedup_by_key(|(position, ..)| *position);
        found.into_iter().map(|(_, spot, ranks)| self.row_at(spot, self.rank_of(spot, ranks), ranks)).collect()
    }

    /// How many are strictly better than a score, whatever their subscores.
    pub fn count_above(&self, score: i64) -> u64 {
        self.ranks.map_or(0, |ranks| ranks.count_above(score))
    }

    /// How many of the others an owner is strictly ahead of, in hundredths of a percent, rounded down: 10,000 is all of
    /// them, and so is being alone. Equal pairs of score and subscore are not ahead of each other.
    pub fn percentile(&self, owner: &str) -> Option<u32> {
        let (_, spot, ranks) = self.find(owner)?;
        let others = ranks.tree().len() - 1;
        let worse = ranks.tree().len() - ranks.count_through(ranks.tree().place(spot));
        Some(if others == 0 { 10_000 } else { (u128::from(worse) * 10_000 / u128::from(others)) as u32 })
    }

    /// Those with a score in the range, best first, without the first `offset` of them.
    pub fn by_score_range(&self, scores: ScoreRange, offset: usize, limit: usize) -> Vec<Row> {
        let (least, most) = scores.into_inner();
        let Some(ranks) = self.ranks.filter(|_| least <= most) else { return Vec::new() };
        let [from, to] = {
            let (a, b) = (ranks.sort().order.key(least.into())[0], ranks.sort().order.key(most.into())[0]);
            [a.min(b), a.max(b)]
        };
        let first = ranks.tree().count_below([from, i64::MIN, i64::MIN]);
        let end = to
            .checked_add(1)
            .map_or_else(|| ranks.tree().len(), |to| ranks.tree().count_below([to, i64::MIN, i64::MIN]));
        let first = first.saturating_add(offset as u64).min(end);
        self.rows(first, limit.min((end - first) as usize))
    }

    /// Everybody, best first.
    pub fn iter(&self) -> impl Iterator<Item = Row> + use<'b> {
        self.rows_from(0)
    }

    fn rows(&self, from: u64, limit: usize) -> Vec<Row> {
        let left = self.len().saturating_sub(from) as usize;
        let mut rows = Vec::with_capacity(limit.min(left));
        let Some(ranks) = self.ranks.filter(|_| self.ranking == Ranking::Ordinal) else {
            rows.extend(self.rows_from(from).take(limit));
            return rows;
        };
        // Leaf by leaf, with nothing to decide in between.
        let mut before = from;
        for run in ranks.tree().runs(from) {
            let len = run.len().min(limit - rows.len());
            let of = |(rank, (handle, place))| self.row_of(handle, place, rank, ranks);
            rows.extend((before + 1..).zip(run.entries().take(len)).map(of));
            before += len as u64;
            if rows.len() >= limit {
                break;
            }
        }
        rows
    }

    fn rows_from(&self, from: u64) -> impl Iterator<Item = Row> + use<'b> {
        let (view, from) = (*self, from.min(self.len()));
        let spots = self.ranks.into_iter().flat_map(move |ranks| ranks.spots(from).map(move |spot| (ranks, spot)));
        let mut before: Option<(u64, Place)> = None;
        (from + 1..).zip(spots).map(move |(position, (ranks, spot))| {
            let place = ranks.tree().place(spot);
            let rank = match before {
                _ if view.ranking == Ranking::Ordinal => position,
                Some((rank, before)) if before[..2] == place[..2] => rank,
                Some((rank, _)) if view.ranking == Ranking::Dense => rank + 1,
                Some(_) => position,
                None => view.rank_of(spot, ranks),
            };
            before = Some((rank, place));
            view.row_of(ranks.tree().handle(spot), place, rank, ranks)
        })
    }

    fn row_at(&self, spot: Spot, rank: u64, ranks: &Ranks) -> Row {
        self.row_of(ranks.tree().handle(spot), ranks.tree().place(spot), rank, ranks)
    }

    #[inline]
    fn row_of(&self, handle: Handle, place: Place, rank: u64, ranks: &Ranks) -> Row {
        let standing = ranks.read(handle, place);
        let Score { score, subscore } = standing.score;
        Row { rank, owner: self.roster.owner(handle), score, subscore, reached_at: standing.reached_at }
    }

    fn rank_of(&self, spot: Spot, ranks: &Ranks) -> u64 {
        1 + match self.ranking {
            Ranking::Ordinal => ranks.tree().rank(spot),
            Ranking::Competition => ranks.count_better(ranks.tree().place(spot)),
            Ranking::Dense => {
                let better = ranks.count_better(ranks.tree().place(spot));
                let pairs = ranks.spots(0).take(better as usize).map(|spot| {
                    let [score, subscore, _] = ranks.tree().place(spot);
                    [score, subscore]
                });
                let mut last = None;
                pairs.filter(|pair| last.replace(*pair) != Some(*pair)).count() as u64
            }
        }
    }

    fn find(&self, owner: &str) -> Option<(Handle, Spot, &'b Ranks)> {
        let (ranks, handle) = (self.ranks?, self.roster.find(owner.as_bytes())?);
        match ranks.find(handle) {
            Found::Shown(spot) => Some((handle, spot, ranks)),
            Found::Aside | Found::Nowhere => None,
        }
    }
}
