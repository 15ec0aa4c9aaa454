//! Finished periods: bytes that never change and name nobody, and beside them the names, which can be forgotten.

use std::sync::Arc;

use super::payout::tiers_by_row;
use super::{Award, Order, Ranking, Row, Score, Sort, Tiers};
use crate::codec::{Seal, Stable, fields};
use crate::error::{Code, Error, StoreError};
use crate::hash::Digest;
use crate::id::{BoardId, PlayerId};
use crate::time::Timestamp;
use crate::window::{Calendar, Period};

const ARCHIVE: Seal = Seal { head: b"liveops archive\0", version: 1 };
const NAMES: Seal = Seal { head: b"liveops names\0\0\0", version: 1 };

/// What an archive is of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Heading {
    /// Which board.
    pub board: BoardId,
    /// Which period.
    pub period: Period,
    /// The period's name for people, as [`Calendar::label`] gave it.
    pub label: Arc<str>,
    /// The first moment.
    pub start: Timestamp,
    /// The first moment after it.
    pub end: Timestamp,
    /// From when on it took no more events.
    pub closed_at: Timestamp,
    /// How entries sort.
    pub sort: Sort,
    /// How ranks are counted.
    pub ranking: Ranking,
}

fields!(Heading { board, period, label, start, end, closed_at, sort, ranking });

impl Heading {
    /// The heading of a period that is closed at `now`.
    ///
    /// Errors: `period_open`, always so for all time.
    pub fn new(
        board: BoardId,
        period: Period,
        calendar: &Calendar,
        sort: Sort,
        ranking: Ranking,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let (start, end, closed_at) = (calendar.start(period), calendar.end(period), calendar.closes_at(period));
        if closed_at > now || closed_at == Timestamp::MAX {
            return Err(Code::PeriodOpen.into());
        }
        let label = calendar.label(period).into();
        Ok(Self { board, period, label, start, end, closed_at, sort, ranking })
    }
}

/// One line of an archive. Whose it is, only [`Names`] know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchivedRow {
    /// From 1.
    pub rank: u64,
    /// Score and subscore.
    pub score: Score,
    /// When the score was reached.
    pub reached_at: Timestamp,
}

fields!(ArchivedRow { rank, score, reached_at });

/// A finished period of one board: who came where, without saying who.
///
/// The bytes depend on nothing but the standings and never change. An owner in them is a place, counted from 0; whose
/// place it is stands in [`Names`], which are kept beside the archive and from which a player is removed when erased.
/// Ranks stay as archived, whoever is forgotten or hidden later.
///
/// # Bytes
///
/// `"liveops archive" 0`, the version 1, then as [`crate::codec`] writes them: board, period (window, index), label,
/// start, end, closing, order and ties, ranking, the number of rows, and of each row rank, score, subscore and
/// `reached_at`; at the end SHA-256 over all of it.
///
/// ```
/// use liveops_core::board::{Archive, Heading, Leaderboard, Names, Operator, Order, Ranking, Sort};
/// use liveops_core::window::{Calendar, Window};
/// use liveops_core::{BoardId, PlayerId, Timestamp};
///
/// let mut board = Leaderboard::new(Order::Desc, Operator::Incr);
/// board.submit("ana", 120)?;
/// board.submit("bo", 90)?;
///
/// let (calendar, now) = (Calendar::utc(), Timestamp::from_rfc3339("2026-11-09T00:00:00Z").unwrap());
/// let week = calendar.period(Window::Weekly, now.minus_millis(1)).unwrap();
/// let heading = Heading::new(BoardId::new("xp")?, week, &calendar, Sort::default(), Ranking::Ordinal, now)?;
/// let (archive, mut names) = Archive::new(heading, &board.page(0, usize::MAX))?;
/// let bytes = archive.to_bytes();
///
/// let bo = PlayerId::new("bo")?;
/// assert_eq!(archive.heading().label.as_ref(), "2026-W45");
/// assert_eq!(archive.read(&names)?.rank_of(&bo), Some(2));
///
/// names.forget(&PlayerId::new("ana")?); // part of erasing a player
/// let view = archive.read(&names)?;
/// assert_eq!((view.len(), view.page(0, 10)[0].rank), (1, 2), "the archived rank stays");
/// assert_eq!(Archive::from_bytes(&bytes)?, archive);
/// assert_eq!(Names::from_bytes(&names.to_bytes())?, names);
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    heading: Heading,
    rows: Vec<ArchivedRow>,
    checksum: Digest,
}

impl Archive {
    /// Archives a finished board. `rows` are all of it, best first, as a page without an end gives them: whoever is
    /// hidden is not among them and never will be.
    ///
    /// Errors: `invalid_argument` for rows that are not a whole board in its order, or have an owner twice, and
    /// `score_overflow` for scores beyond ±(2^53 - 1).
    pub fn new(heading: Heading, rows: &[Row]) -> Result<(Self, Names), Error> {
        let owners = rows.iter().map(|row| Some(row.owner.clone())).collect();
        let rows: Vec<_> = rows
            .iter()
            .map(|row| ArchivedRow {
                rank: row.rank,
                score: Score { score: row.score, subscore: row.subscore },
                reached_at: row.reached_at,
            })
            .collect();
        if !is_whole(&heading, &rows) {
            return Err(Code::InvalidArgument.into());
        }
        are_exact(&rows)?;
        let mut archive = Self { heading, rows, checksum: Digest::default() };
        archive.checksum = Seal::name(&archive.to_bytes());
        let names = Names::of(archive.checksum, owners).ok_or(Code::InvalidArgument)?;
        Ok((archive, names))
    }

    /// What it is of.
    pub const fn heading(&self) -> &Heading {
        &self.heading
    }

    /// Names this archive by its content: the checksum at the end of its bytes.
    pub const fn checksum(&self) -> Digest {
        self.checksum
    }

    /// How many owners were archived.
    pub fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Whether nobody was.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Every row, best first, without names: those of players who are forgotten or hidden too.
    pub fn rows(&self) -> &[ArchivedRow] {
        &self.rows
    }

    /// The archive with its names.
    ///
    /// Errors: `invalid_argument` for the names of another archive.
    pub fn read<'a>(&'a self, names: &'a Names) -> Result<ArchiveView<'a>, Error> {
        if names.archive != self.checksum || names.owners.len() != self.rows.len() {
            return Err(Code::InvalidArgument.into());
        }
        let shown = (0..).zip(&names.owners).filter_map(|(place, owner)| owner.as_ref().map(|_| place)).collect();
        Ok(ArchiveView { archive: self, names, shown })
    }

    /// The bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        ARCHIVE.close(|out| {
            self.heading.put(out);
            self.rows.put(out);
        })
    }

    /// The archive of these bytes: `store_corrupt` for bytes that [`Self::to_bytes`] never makes, `score_overflow` for
    /// scores beyond ±(2^53 - 1), which earlier versions took, `record_too_new` for a later version's.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut content = ARCHIVE.open(bytes).map_err(StoreError::from)?;
        let corrupt = Code::StoreCorrupt;
        let heading = Heading::take(&mut content).ok_or(corrupt)?;
        let rows = Vec::take(&mut content).ok_or(corrupt)?;
        if !content.is_empty() || !is_whole(&heading, &rows) {
            return Err(corrupt.into());
        }
        are_exact(&rows)?;
        Ok(Self { heading, rows, checksum: Seal::name(bytes) })
    }
}

/// Whose the places of one [`Archive`] are. Personal data: keep them where [`Self::forget`] can reach them, and nowhere
/// else.
///
/// # Bytes
///
/// `"liveops names" 0 0 0`, the version 1, the archive's checksum, the number of places, and of each place 0, or 1 and the
/// player's id; at the end SHA-256 over all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    archive: Digest,
    /// By place; `None` is forgotten.
    owners: Vec<Option<PlayerId>>,
    /// The places of those who are known, by player.
    by_owner: Vec<u32>,
}

impl Names {
    /// `None` for a player in two places, and for more places than there can be.
    fn of(archive: Digest, owners: Vec<Option<PlayerId>>) -> Option<Self> {
        let places = u32::try_from(owners.len()).ok()?;
        let owner = |place: &u32| owners[*place as usize].as_ref();
        let mut by_owner: Vec<_> = (0..places).filter(|place| owner(place).is_some()).collect();
        by_owner.sort_unstable_by(|a, b| owner(a).cmp(&owner(b)));
        let distinct = by_owner.is_sorted_by(|a, b| owner(a) < owner(b));
        distinct.then_some(Self { archive, owners, by_owner })
    }

    /// The checksum of the archive that they belong to.
    pub const fn archive(&self) -> Digest {
        self.archive
    }

    /// How many players are known.
    pub fn len(&self) -> u64 {
        self.by_owner.len() as u64
    }

    /// Whether nobody is.
    pub fn is_empty(&self) -> bool {
        self.by_owner.is_empty()
    }

    /// Forgets a player for good; whether the player was known. To be called for every kept archive when a player is
    /// erased, and the bytes to be stored in place of those of before.
    pub fn forget(&mut self, player: &PlayerId) -> bool {
        let Ok(at) = self.find(player) else { return false };
        let place = self.by_owner.remove(at);
        self.owners[place as usize] = None;
        true
    }

    /// The place of a player, from 0.
    pub fn place_of(&self, player: &PlayerId) -> Option<u32> {
        self.find(player).ok().map(|at| self.by_owner[at])
    }

    fn find(&self, player: &PlayerId) -> Result<usize, usize> {
        self.by_owner.binary_search_by(|place| self.owners[*place as usize].as_ref().cmp(&Some(player)))
    }

    /// The bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        NAMES.close(|out| {
            self.archive.put(out);
            self.owners.put(out);
        })
    }

    /// The names of these bytes: `store_corrupt` for bytes that [`Self::to_bytes`] never makes, `record_too_new` for a
    /// later version's.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut content = NAMES.open(bytes).map_err(StoreError::from)?;
        let read = |content: &mut &[u8]| Some((Digest::take(content)?, Vec::take(content)?));
        let (archive, owners) = read(&mut content).ok_or(Code::StoreCorrupt)?;
        let names = Self::of(archive, owners).filter(|_| content.is_empty());
        Ok(names.ok_or(Code::StoreCorrupt)?)
    }
}

/// An archive as readers see it: without those who are forgotten, nor those whom [`Self::hiding`] leaves out. Offsets and
/// lengths count who is left; ranks are those of the archive.
#[derive(Clone, Debug)]
pub struct ArchiveView<'a> {
    archive: &'a Archive,
    names: &'a Names,
    /// Places that are shown, best first.
    shown: Vec<u32>,
}

impl ArchiveView<'_> {
    /// Leaves out more players, such as those hidden since.
    #[must_use]
    pub fn hiding(mut self, hidden: impl Fn(&PlayerId) -> bool) -> Self {
        let names = self.names;
        self.shown.retain(|place| names.owners[*place as usize].as_ref().is_some_and(|owner| !hidden(owner)));
        self
    }

    /// How many are shown.
    pub fn len(&self) -> u64 {
        self.shown.len() as u64
    }

    /// Whether nobody is.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// `offset..offset + limit`, best first.
    pub fn page(&self, offset: usize, limit: usize) -> Vec<Row> {
        let places = self.shown.get(offset..).unwrap_or_default();
        places.iter().take(limit).filter_map(|place| self.row(*place)).collect()
    }

    /// Everyone who is shown, best first.
    pub fn iter(&self) -> impl Iterator<Item = Row> {
        self.shown.iter().filter_map(|place| self.row(*place))
    }

    /// The rank of a player, from 1, as archived.
    pub fn rank_of(&self, player: &PlayerId) -> Option<u64> {
        let at = self.position(player)?;
        self.archive.rows.get(self.shown[at] as usize).map(|row| row.rank)
    }

    /// The player's row with up to `each_side` rows above and below.
    pub fn around(&self, player: &PlayerId, each_side: usize) -> Vec<Row> {
        let Some(at) = self.position(player) else { return Vec::new() };
        let first = at.saturating_sub(each_side);
        self.page(first, (at - first).saturating_add(1).saturating_add(each_side))
    }

    /// Who gets what: what [`super::awards`] gives for the board that was archived, less those who are not shown. Nobody
    /// moves up into their ranks, and they still count among the owners of a percentage.
    pub fn awards(&self, tiers: &Tiers) -> Vec<Award> {
        let ranks = self.archive.rows.iter().map(|row| row.rank);
        let mut shown = self.shown.iter().copied().peekable();
        (0..)
            .zip(tiers_by_row(ranks, tiers))
            .filter_map(|(place, tier)| {
                let row = shown.next_if_eq(&place).and_then(|place| self.row(place))?;
                Some(Award::new(row, tier?))
            })
            .collect()
    }

    fn position(&self, player: &PlayerId) -> Option<usize> {
        self.shown.binary_search(&self.names.place_of(player)?).ok()
    }

    fn row(&self, place: u32) -> Option<Row> {
        let ArchivedRow { rank, score: Score { score, subscore }, reached_at } =
            *self.archive.rows.get(place as usize)?;
        let owner = self.names.owners.get(place as usize)?.clone()?;
        Some(Row { rank, owner, score, subscore, reached_at })
    }
}

/// Whether these are all rows of a board in its order, with ranks as its ranking counts them.
fn is_whole(heading: &Heading, rows: &[ArchivedRow]) -> bool {
    let Heading { sort: Sort { order, .. }, ranking, .. } = heading;
    let key = |row: &ArchivedRow| Order::key(*order, row.score);
    let mut above: Option<&ArchivedRow> = None;
    (1..).zip(rows).all(|(place, row)| {
        let rank = match (above, ranking) {
            (Some(above), Ranking::Competition | Ranking::Dense) if key(above) == key(row) => above.rank,
            (Some(above), Ranking::Dense) => above.rank.saturating_add(1),
            _ => place,
        };
        let in_order = above.is_none_or(|above| key(above) <= key(row));
        above = Some(row);
        in_order && row.rank == rank
    })
}

fn are_exact(rows: &[ArchivedRow]) -> Result<(), Code> {
    if rows.iter().all(|row| row.score.is_exact()) { Ok(()) } else { Err(Code::ScoreOverflow) }
}

#[cfg(test)]
mod tests {
    use super::super::{Cut, Leaderboard, Operator, Percent, Ties, awards};
    use super::*;
    use crate::hash::{hex, unhex};
    use crate::id::Id;
    use crate::limits::INTEGER_MAX;
    use crate::window::Window;

    const RANKINGS: [Ranking; 3] = [Ranking::Ordinal, Ranking::Competition, Ranking::Dense];

    fn at(text: &str) -> Timestamp {
        Timestamp::from_rfc3339(text).unwrap()
    }

    fn player(text: &str) -> PlayerId {
        PlayerId::new(text).unwrap()
    }

    fn heading(order: Order, ranking: Ranking) -> Heading {
        let calendar = Calendar::utc().grace_seconds(3600).unwrap();
        let week = calendar.period(Window::Weekly, at("2026-11-07T00:00:00Z")).unwrap();
        let sort = Sort { order, ties: Ties::FirstToReach };
        Heading::new(BoardId::new("xp").unwrap(), week, &calendar, sort, ranking, at("2026-11-09T01:00:00Z")).unwrap()
    }

    /// Nine owners, some of them equal.
    fn rows(order: Order, ranking: Ranking) -> Vec<Row> {
        let mut board = Leaderboard::new(order, Operator::Set).ranking(ranking);
        for n in 0..9_i64 {
            let score = Score { score: n / 3 * 10, subscore: i64::from(n == 4) };
            board.submit_at(&format!("p{}", n * 7 % 9), score, Timestamp::from_unix_millis(n)).unwrap();
        }
        board.page(0, usize::MAX)
    }

    fn archive(ranking: Ranking) -> (Archive, Names) {
        Archive::new(heading(Order::Desc, ranking), &rows(Order::Desc, ranking)).unwrap()
    }

    /// Neither from rows nor from bytes of before, when a board took 64 bits.
    #[test]
    fn larger_scores_are_told() {
        for (score, subscore) in [(INTEGER_MAX + 1, 0), (0, -INTEGER_MAX - 1)] {
            let heading = heading(Order::Desc, Ranking::Ordinal);
            let row = ArchivedRow { rank: 1, score: Score { score, subscore }, reached_at: Timestamp::default() };
            let old = Archive { heading: heading.clone(), rows: vec![row], checksum: Digest::default() }.to_bytes();
            assert_eq!(Archive::from_bytes(&old).unwrap_err().code(), Code::ScoreOverflow);
            let rows = [Row { rank: 1, owner: player("ana"), score, subscore, reached_at: row.reached_at }];
            assert_eq!(Archive::new(heading, &rows).unwrap_err().code(), Code::ScoreOverflow);
        }
    }

    #[test]
    fn an_archive_reads_as_the_board_it_was_made_of() {
        for ranking in RANKINGS {
            for order in [Order::Desc, Order::Asc] {
                let rows = rows(order, ranking);
                let (archive, names) = Archive::new(heading(order, ranking), &rows).unwrap();
                let view = archive.read(&names).unwrap();
                assert_eq!((archive.len(), names.len(), view.len()), (9, 9, 9));
                assert_eq!(view.iter().collect::<Vec<_>>(), rows);
                assert_eq!(view.page(0, usize::MAX), rows);
                assert_eq!(view.page(7, 5), rows[7..]);
                assert_eq!(view.page(usize::MAX, usize::MAX), []);
                for (place, row) in rows.iter().enumerate() {
                    assert_eq!(view.rank_of(&row.owner), Some(row.rank));
                    assert_eq!(names.place_of(&row.owner).map(|place| place as usize), Some(place));
                    for n in [0, 2, usize::MAX] {
                        let wanted = place.saturating_sub(n)..place.saturating_add(n).saturating_add(1).min(9);
                        assert_eq!(view.around(&row.owner, n), rows[wanted]);
                    }
                }
                assert_eq!((view.rank_of(&player("x")), view.around(&player("x"), 3)), (None, vec![]));
            }
        }
    }

    #[test]
    fn who_is_forgotten_or_hidden_is_left_out_and_nobody_moves() {
        let (archive, mut names) = archive(Ranking::Ordinal);
        let (bytes, rows) = (archive.to_bytes(), rows(Order::Desc, Ranking::Ordinal));
        let (first, fifth) = (&rows[0].owner, &rows[4].owner);
        assert!(names.forget(first) && !names.forget(first) && !names.forget(&player("x")));
        let view = archive.read(&names).unwrap().hiding(|owner| owner == fifth);
        let ranks: Vec<_> = view.iter().map(|row| row.rank).collect();
        assert_eq!(ranks, [2, 3, 4, 6, 7, 8, 9]);
        assert_eq!((view.len(), view.rank_of(first), view.rank_of(fifth)), (7, None, None));
        assert_eq!(view.page(1, 2).iter().map(|row| row.rank).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(view.around(&rows[3].owner, 1).iter().map(|row| row.rank).collect::<Vec<_>>(), [3, 4, 6]);
        assert_eq!(archive.rows().len(), 9, "the archive itself still counts them");
        assert_eq!(archive.to_bytes(), bytes);
        assert!(!hex(&names.to_bytes()).contains(&hex(first.as_bytes())), "nothing of the name is left");
        assert!(!hex(&bytes).contains(&hex(fifth.as_bytes())), "an archive never held one");
        assert_eq!(Names::from_bytes(&names.to_bytes()).unwrap(), names);
    }

    #[test]
    fn an_archive_pays_what_its_board_paid() {
        let percent = |text| Cut::Percent(Percent::parse(text).unwrap());
        for ranking in RANKINGS {
            for cuts in [
                vec![Cut::Ranks { from: 1, through: 2 }, Cut::Ranks { from: 4, through: 4 }, percent("80")],
                vec![percent("1"), percent("33.33"), Cut::Ranks { from: 3, through: 9 }],
            ] {
                let names = ["a", "b", "c"].map(|name| Id::new(name).unwrap());
                let tiers = Tiers::new(names.into_iter().zip(cuts)).unwrap();
                let wanted = awards(&rows(Order::Desc, ranking), &tiers);
                let (archive, names) = archive(ranking);
                let archive = Archive::from_bytes(&archive.to_bytes()).unwrap();
                let view = archive.read(&names).unwrap();
                assert!(wanted.len() > 3);
                assert_eq!(view.awards(&tiers), wanted);
                let gone = &wanted[1].owner;
                let mut fewer = wanted.clone();
                fewer.remove(1);
                assert_eq!(view.hiding(|owner| owner == gone).awards(&tiers), fewer, "nobody moves up");
            }
        }
    }

    #[test]
    fn an_open_period_is_not_archived() {
        let calendar = Calendar::utc().grace_seconds(3600).unwrap();
        let make = |window, now: &str| {
            let period = calendar.period(window, at("2026-11-07T00:00:00Z")).unwrap();
            let board = BoardId::new("xp").unwrap();
            Heading::new(board, period, &calendar, Sort::default(), Ranking::Ordinal, at(now)).map_err(|e| e.code())
        };
        assert_eq!(make(Window::Weekly, "2026-11-09T00:59:59Z"), Err(Code::PeriodOpen), "in its grace");
        let heading = make(Window::Weekly, "2026-11-09T01:00:00Z").unwrap();
        assert_eq!((heading.label.as_ref(), heading.start), ("2026-W45", at("2026-11-02T00:00:00Z")));
        assert_eq!((heading.end, heading.closed_at), (at("2026-11-09T00:00:00Z"), at("2026-11-09T01:00:00Z")));
        assert_eq!(make(Window::AllTime, "9999-11-09T01:00:00Z"), Err(Code::PeriodOpen), "for ever");
    }

    #[test]
    fn what_is_no_whole_board_is_refused() {
        let code = |rows: &[Row], ranking| {
            Archive::new(heading(Order::Desc, ranking), rows).map(|_| ()).map_err(|error| error.code())
        };
        for ranking in RANKINGS {
            let good = rows(Order::Desc, ranking);
            assert_eq!((code(&good, ranking), code(&[], ranking)), (Ok(()), Ok(())));
            let changed = |change: &dyn Fn(&mut Vec<Row>)| {
                let mut rows = good.clone();
                change(&mut rows);
                code(&rows, ranking)
            };
            let wrong = Err(Code::InvalidArgument);
            // Under `Dense` those who are left of a tie are a board of their own.
            assert_eq!(code(&good[1..], ranking), if ranking == Ranking::Dense { Ok(()) } else { wrong });
            assert_eq!(changed(&|rows| rows.reverse()), wrong);
            assert_eq!(changed(&|rows| rows[5].rank += 1), wrong);
            assert_eq!(changed(&|rows| rows[3].score = 99), wrong, "the order");
            assert_eq!(changed(&|rows| rows[8].owner = rows[0].owner.clone()), wrong, "an owner twice");
        }
    }

    #[test]
    fn names_belong_to_one_archive() {
        let (ordinal, of_ordinal) = archive(Ranking::Ordinal);
        let (dense, of_dense) = archive(Ranking::Dense);
        assert_eq!(of_ordinal.archive(), ordinal.checksum());
        assert!(dense.read(&of_dense).is_ok());
        assert_eq!(dense.read(&of_ordinal).unwrap_err().code(), Code::InvalidArgument);
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_refused() {
        let (archive, mut names) = archive(Ranking::Competition);
        names.forget(&player("p3"));
        let refused = |bytes: &[u8]| {
            let codes = [Archive::from_bytes(bytes).unwrap_err(), Names::from_bytes(bytes).unwrap_err()];
            codes.map(|error| error.code())
        };
        for (bytes, version_at) in [(archive.to_bytes(), 16), (names.to_bytes(), 16)] {
            for cut in 0..bytes.len() {
                assert_eq!(refused(&bytes[..cut]), [Code::StoreCorrupt; 2], "cut at {cut}");
                for bit in 0..8 {
                    let mut flipped = bytes.clone();
                    flipped[cut] ^= 1 << bit;
                    let codes = refused(&flipped);
                    assert!(cut == version_at || codes == [Code::StoreCorrupt; 2], "bit {bit} of byte {cut}");
                }
            }
            assert_eq!(refused(&[&bytes[..], &[0]].concat()), [Code::StoreCorrupt; 2], "and more");
            let mut newer = bytes.clone();
            newer[version_at] = 2;
            assert!(refused(&newer).contains(&Code::RecordTooNew));
        }
        assert_eq!(refused(&[]), [Code::StoreCorrupt; 2]);
    }

    /// What [`Seal`] makes of a head, a version and a content.
    fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
        Digest::of(&[&bytes]).put(&mut bytes);
        bytes
    }

    /// Someone who can calculate a checksum still cannot make nonsense of it.
    #[test]
    fn sealed_nonsense_is_refused() {
        let (archive, names) = archive(Ranking::Ordinal);
        for bytes in [archive.to_bytes(), names.to_bytes()] {
            let content = &bytes[..bytes.len() - 32];
            for cut in 0..content.len() {
                let sealed = seal(content[..cut].to_vec());
                assert!(Archive::from_bytes(&sealed).is_err() && Names::from_bytes(&sealed).is_err(), "cut at {cut}");
                for byte in [0, 1, 0x7f, 0xff] {
                    let mut other = content.to_vec();
                    other[cut] = byte;
                    // Whatever is accepted comes back as the same bytes.
                    let sealed = seal(other);
                    if let Ok(archive) = Archive::from_bytes(&sealed) {
                        assert_eq!(archive.to_bytes(), sealed);
                    }
                    if let Ok(names) = Names::from_bytes(&sealed) {
                        assert_eq!(names.to_bytes(), sealed);
                    }
                }
            }
        }
        let mut swapped = archive;
        swapped.rows.swap(0, 8);
        assert_eq!(Archive::from_bytes(&swapped.to_bytes()).unwrap_err().code(), Code::StoreCorrupt, "another order");
        let mut twice = names;
        twice.owners[0] = twice.owners[1].clone();
        assert_eq!(Names::from_bytes(&twice.to_bytes()).unwrap_err().code(), Code::StoreCorrupt, "a player twice");
    }

    /// They must stay readable for ever.
    const ARCHIVE: &str = "6c6976656f70732061726368697665000178700001ac2e08323032362d5734358090f298b36880a0d6d9b76880da8dddb768000001020128000c0128000e3ce080326a45d0b290354bff76e88ef5bab1d4d362e91ef590724e86f53eedba";
    const NAMES: &str = "6c6976656f7073206e616d6573000000013ce080326a45d0b290354bff76e88ef5bab1d4d362e91ef590724e86f53eedba020170360001703400852143fad318e9dcff447f52229bc20780e376e350ad01b187afd4f526dff120";

    #[test]
    fn bytes_are_pinned() {
        let rows: Vec<_> = rows(Order::Desc, Ranking::Competition).into_iter().take(2).collect();
        let (archive, names) = Archive::new(heading(Order::Desc, Ranking::Competition), &rows).unwrap();
        for (bytes, wanted) in [(archive.to_bytes(), ARCHIVE), (names.to_bytes(), NAMES)] {
            assert_eq!(hex(&bytes), wanted);
        }
        assert_eq!(Archive::from_bytes(&unhex(ARCHIVE).unwrap()).unwrap(), archive);
        assert_eq!(Names::from_bytes(&unhex(NAMES).unwrap()).unwrap(), names);
    }
}
