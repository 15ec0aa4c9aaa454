//! Who of a finished board gets what: tiers by rank or by percentage, and one award for each owner who reaches one.

use std::fmt;

use serde::Serialize;

use super::Row;
use crate::error::{Code, Error};
use crate::id::{Id, PlayerId};
use crate::limits::{INTEGER_MAX, TIERS_MAX};

/// Hundredths of a percent in all.
const WHOLE: u16 = 10_000;

/// A share of a board's owners: 0.01 % to 100 %, in whole hundredths of a percent.
///
/// ```
/// use liveops_core::board::Percent;
///
/// let percent = Percent::parse("2.5")?;
/// assert_eq!((percent.hundredths(), percent.to_string().as_str()), (250, "2.5"));
/// assert_eq!([1, 40, 41, 100].map(|owners| percent.places(owners)), [1, 1, 2, 3]);
/// assert!(Percent::parse("0").is_err() && Percent::parse("100.01").is_err());
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u16);

impl Percent {
    /// From hundredths of a percent, 1 to 10,000; else `out_of_range`.
    pub fn from_hundredths(hundredths: u32) -> Result<Self, Error> {
        let known = u16::try_from(hundredths).ok().filter(|hundredths| (1..=WHOLE).contains(hundredths));
        Ok(Self(known.ok_or(Code::OutOfRange)?))
    }

    /// Parses digits with, after a point, one or two more: `invalid_format` for any other form, `out_of_range` for 0 and
    /// beyond 100.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let superfluous_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || superfluous_zero || !digits(whole) || !digits(fraction) {
            return Err(Code::InvalidFormat.into());
        }
        let tens = match fraction.len() {
            1 => 10,
            2 => 1,
            _ => return Err(Code::InvalidFormat.into()),
        };
        // All digits: only their number can be too large.
        let number = |text: &str| text.parse::<u32>().map_err(|_| Code::OutOfRange);
        let hundredths = number(whole)?.checked_mul(100).and_then(|n| n.checked_add(number(fraction).ok()? * tens));
        Self::from_hundredths(hundredths.ok_or(Code::OutOfRange)?)
    }

    /// The share in hundredths of a percent.
    pub const fn hundredths(self) -> u32 {
        self.0 as u32
    }

    /// How many of so many owners it takes, rounded up: at least one, if there is one.
    pub fn places(self, owners: u64) -> u64 {
        let share = (u128::from(owners) * u128::from(self.0)).div_ceil(u128::from(WHOLE));
        // No more than there are.
        u64::try_from(share).unwrap_or(owners)
    }
}

/// The shortest decimal: `10`, `2.5`, `0.01`.
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match rest {
            0 => write!(f, "{whole}"),
            _ if rest.is_multiple_of(10) => write!(f, "{whole}.{}", rest / 10),
            _ => write!(f, "{whole}.{rest:02}"),
        }
    }
}

/// What part of a board a tier is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cut {
    /// Ranks, from 1, both ends included.
    Ranks {
        /// The best.
        from: u64,
        /// The last.
        through: u64,
    },
    /// The best so many percent of the owners who are shown.
    Percent(Percent),
}

/// A part of a board with a name, such as `gold`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Its name.
    pub name: Id,
    /// Whom it is for.
    pub cut: Cut,
}

/// Tiers in the order in which they are looked at: an owner gets the first one that fits, and no other. So tiers may
/// overlap: ranks 1 to 3, then the best ten percent.
///
/// **Ranks are those of the board's ranking**, and who shares a rank shares a tier. Under `Ordinal` nobody does. Under
/// `Competition` and `Dense` a tie across a cut is paid the better tier, all of it: of three who share rank 3, ranks 1
/// to 3 pay all three, and the next tier begins with whoever comes behind them.
///
/// **A percentage counts owners**, not ranks, and rounds up: 1 % of 1, of 99 and of 100 owners is one, of 101 two. An
/// owner is within it if the first of those who share the owner's rank is. (Under `Dense` a hundred owners may have ten
/// ranks; ten percent of them are still about ten owners, not all.)
///
/// ```
/// use liveops_core::board::{Cut, Leaderboard, Operator, Order, Percent, Tiers, awards};
/// use liveops_core::Id;
///
/// let mut board = Leaderboard::new(Order::Desc, Operator::Incr);
/// for (owner, score) in [("ana", 50), ("bo", 40), ("cy", 30), ("dee", 20), ("eli", 10)] {
///     board.submit(owner, score)?;
/// }
/// let tiers = Tiers::new([
///     (Id::new("gold")?, Cut::Ranks { from: 1, through: 1 }),
///     (Id::new("top-half")?, Cut::Percent(Percent::parse("50")?)),
/// ])?;
/// let paid: Vec<_> = awards(&board.page(0, usize::MAX), &tiers)
///     .into_iter()
///     .map(|award| format!("{} {}", award.owner, award.tier))
///     .collect();
/// assert_eq!(paid, ["ana gold", "bo top-half", "cy top-half"]);
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tiers(Vec<Tier>);

/// Why a list is not tiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tier {at}: {fault}")]
pub struct TiersError {
    /// The tier at fault, counted from 0.
    pub at: usize,
    /// What is wrong with it.
    pub fault: TierFault,
}

/// What is wrong with a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TierFault {
    /// There is none.
    #[error("at least one tier")]
    None,
    /// There are more than [`TIERS_MAX`].
    #[error("at most {TIERS_MAX} tiers")]
    TooMany,
    /// Its name is another's.
    #[error("tiers have different names")]
    DuplicateName,
    /// Its ranks begin before 1, end before they begin, or go beyond 2^53 - 1.
    #[error("ranks go from 1 upwards, the best first")]
    Ranks,
    /// Whoever could get it gets one before it.
    #[error("nobody can get it: tiers before it take all of it")]
    Unreachable,
}

impl TiersError {
    /// `invalid_argument`.
    pub const fn code(&self) -> Code {
        Code::InvalidArgument
    }
}

impl From<TiersError> for Error {
    fn from(error: TiersError) -> Self {
        Self::with_source(error.code(), error)
    }
}

impl Tiers {
    /// Tiers of these names and cuts. Refused are an empty list, two of one name, ranks that are none, and a tier that
    /// no board could ever pay because those before it take all of it.
    pub fn new(tiers: impl IntoIterator<Item = (Id, Cut)>) -> Result<Self, TiersError> {
        let mut all: Vec<Tier> = Vec::new();
        for (at, (name, cut)) in tiers.into_iter().enumerate() {
            let fault = if at == TIERS_MAX {
                Some(TierFault::TooMany)
            } else if all.iter().any(|tier| tier.name == name) {
                Some(TierFault::DuplicateName)
            } else {
                cut.fault(&all)
            };
            if let Some(fault) = fault {
                return Err(TiersError { at, fault });
            }
            all.push(Tier { name, cut });
        }
        if all.is_empty() { Err(TiersError { at: 0, fault: TierFault::None }) } else { Ok(Self(all)) }
    }

    /// In the order in which they are looked at.
    pub fn iter(&self) -> impl Iterator<Item = &Tier> {
        self.0.iter()
    }

    /// The tier of a rank whose first owner stands at `place`, among so many owners.
    fn of(&self, rank: u64, place: u64, owners: u64) -> Option<&Tier> {
        self.0.iter().find(|tier| match tier.cut {
            Cut::Ranks { from, through } => (from..=through).contains(&rank),
            Cut::Percent(percent) => place <= percent.places(owners),
        })
    }
}

impl Cut {
    /// What is wrong with it behind those before.
    fn fault(&self, before: &[Tier]) -> Option<TierFault> {
        let percent =
            before.iter().filter_map(|tier| if let Cut::Percent(p) = tier.cut { Some(p) } else { None }).max();
        let reachable = match *self {
            Self::Ranks { from, through } => {
                if from == 0 || through < from || through > INTEGER_MAX.unsigned_abs() {
                    return Some(TierFault::Ranks);
                }
                let left = last_left(from, through, before);
                // Any percentage takes the first rank, and all of them take everybody.
                left.is_some_and(|rank| percent.is_none_or(|percent| rank > 1 && percent.0 < WHOLE))
            }
            // On a board that is long enough, ranks end before any percentage.
            Self::Percent(own) => percent.is_none_or(|percent| own > percent),
        };
        (!reachable).then_some(TierFault::Unreachable)
    }
}

/// The last of these ranks that no tier of ranks takes.
fn last_left(from: u64, through: u64, before: &[Tier]) -> Option<u64> {
    let taken_by = |rank: u64| {
        before.iter().find_map(|tier| match tier.cut {
            Cut::Ranks { from, through } if (from..=through).contains(&rank) => Some(from),
            _ => None,
        })
    };
    let mut rank = through;
    while let Some(first) = taken_by(rank) {
        // A tier begins at rank 1 or later.
        rank = first - 1;
        if rank < from {
            return None;
        }
    }
    Some(rank)
}

/// What one owner gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Award {
    /// Who.
    #[serde(rename = "playerId")]
    pub owner: PlayerId,
    /// The rank that it is for.
    pub rank: u64,
    /// The tier.
    pub tier: Id,
    /// The score.
    pub score: i64,
    /// The subscore.
    pub subscore: i64,
}

impl Award {
    pub(super) fn new(row: Row, tier: &Tier) -> Self {
        let Row { rank, owner, score, subscore, .. } = row;
        Self { owner, rank, tier: tier.name.clone(), score, subscore }
    }
}

/// Who gets what, best first. `rows` are the whole board, best first, with ranks as its ranking counts them; who is not
/// among them, such as a hidden player, does not count among the owners either.
pub fn awards(rows: &[Row], tiers: &Tiers) -> Vec<Award> {
    let won = tiers_by_row(rows.iter().map(|row| row.rank), tiers);
    rows.iter().zip(won).filter_map(|(row, tier)| Some(Award::new(row.clone(), tier?))).collect()
}

/// The tier of each row of a whole board.
pub(super) fn tiers_by_row(
    ranks: impl ExactSizeIterator<Item = u64>,
    tiers: &Tiers,
) -> impl Iterator<Item = Option<&Tier>> {
    let owners = ranks.len() as u64;
    // The rank met last, and the first place that has it. No rank is 0.
    let mut shared = (0, 0);
    (1..).zip(ranks).map(move |(place, rank)| {
        if rank != shared.0 {
            shared = (rank, place);
        }
        tiers.of(rank, shared.1, owners)
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Leaderboard, Operator, Order, Ranking};
    use super::*;

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    fn ranks(from: u64, through: u64) -> Cut {
        Cut::Ranks { from, through }
    }

    fn percent(text: &str) -> Cut {
        Cut::Percent(Percent::parse(text).unwrap())
    }

    /// Tiers called a, b, c.
    fn tiers(cuts: &[Cut]) -> Result<Tiers, TiersError> {
        Tiers::new(('a'..='z').map(|name| id(&name.to_string())).zip(cuts.iter().copied()))
    }

    /// The tiers of a board of these scores, one letter an owner, `.` for none.
    fn paid(scores: &[i64], ranking: Ranking, cuts: &[Cut]) -> String {
        let mut board = Leaderboard::new(Order::Desc, Operator::Set).ranking(ranking);
        for (n, score) in scores.iter().enumerate() {
            board.submit(&format!("p{n}"), *score).unwrap();
        }
        let rows = board.page(0, usize::MAX);
        let awards = awards(&rows, &tiers(cuts).unwrap());
        let mut left = awards.iter().peekable();
        let paid = rows.iter().map(|row| match left.next_if(|award| award.owner == row.owner) {
            Some(award) => {
                assert_eq!((award.rank, award.score, award.subscore), (row.rank, row.score, row.subscore));
                award.tier.as_str()
            }
            None => ".",
        });
        paid.collect()
    }

    #[test]
    fn the_first_tier_that_fits_wins() {
        let scores = [90, 80, 70, 60, 50, 40, 30, 20, 10, 0];
        assert_eq!(paid(&scores, Ranking::Ordinal, &[ranks(1, 2), ranks(3, 4)]), "aabb......");
        assert_eq!(paid(&scores, Ranking::Ordinal, &[ranks(1, 2), percent("40")]), "aabb......");
        assert_eq!(paid(&scores, Ranking::Ordinal, &[percent("10"), ranks(1, 3)]), "abb.......");
        assert_eq!(paid(&scores, Ranking::Ordinal, &[ranks(2, 2), ranks(1, 3)]), "bab.......");
        assert_eq!(paid(&scores, Ranking::Ordinal, &[ranks(11, 20)]), "..........");
        assert_eq!(paid(&[], Ranking::Ordinal, &[percent("100")]), "");
    }

    #[test]
    fn a_percentage_rounds_up() {
        let one_percent = Percent::parse("1").unwrap();
        assert_eq!([0, 1, 99, 100, 101, 200, 201].map(|owners| one_percent.places(owners)), [0, 1, 1, 1, 2, 2, 3]);
        for hundredths in [1, 33, 5_000, 9_999, 10_000] {
            let percent = Percent::from_hundredths(hundredths).unwrap();
            for owners in 0..500_u64 {
                // The smallest number that is not less than the share.
                let share = owners * u64::from(hundredths);
                let wanted = (0..=owners).find(|places| places * 10_000 >= share).unwrap();
                assert_eq!(percent.places(owners), wanted, "{percent} % of {owners}");
            }
            assert!(percent.places(u64::MAX) >= u64::MAX / 10_000);
        }
        assert_eq!(Percent::parse("100").unwrap().places(u64::MAX), u64::MAX);
    }

    #[test]
    fn a_tie_across_a_cut_is_paid_the_better_tier() {
        // Ordinal 1 2 3 4 5 6, Competition 1 2 2 2 5 6, Dense 1 2 2 2 3 4.
        let scores = [90, 80, 80, 80, 70, 60];
        let cuts = [ranks(1, 2), ranks(3, 5)];
        assert_eq!(paid(&scores, Ranking::Ordinal, &cuts), "aabbb.");
        assert_eq!(paid(&scores, Ranking::Competition, &cuts), "aaaab.");
        assert_eq!(paid(&scores, Ranking::Dense, &cuts), "aaaabb");
        // A third of six are two places, and three share the second.
        assert_eq!(paid(&scores, Ranking::Ordinal, &[percent("33.33")]), "aa....");
        assert_eq!(paid(&scores, Ranking::Competition, &[percent("33.33")]), "aaaa..");
        assert_eq!(paid(&scores, Ranking::Dense, &[percent("33.33")]), "aaaa..");
    }

    #[test]
    fn a_percentage_counts_owners_under_dense_ranks_too() {
        // A hundred owners with ten scores: ten ranks.
        let scores: Vec<i64> = (0..100).map(|n| -(n / 10)).collect();
        let top = |ranking| paid(&scores, ranking, &[percent("15")]).matches('a').count();
        assert_eq!([Ranking::Ordinal, Ranking::Competition, Ranking::Dense].map(top), [15, 20, 20]);
    }

    #[test]
    fn percentages_have_one_form() {
        for (text, hundredths, shown) in
            [("1", 100, "1"), ("2.5", 250, "2.5"), ("2.50", 250, "2.5"), ("0.01", 1, "0.01"), ("100.00", 10_000, "100")]
        {
            let percent = Percent::parse(text).unwrap();
            assert_eq!((percent.hundredths(), percent.to_string().as_str()), (hundredths, shown));
            assert_eq!(Percent::parse(shown).unwrap(), percent);
        }
        for bad in ["", ".", "1.", ".5", "01", "+1", "-1", "1.005", "1.2.3", "1e1", " 1", "1 %", "١"] {
            assert_eq!(Percent::parse(bad).unwrap_err().code(), Code::InvalidFormat, "{bad:?}");
        }
        for bad in ["0", "0.00", "100.01", "101", "42949672", "4294967295", "99999999999999999999"] {
            assert_eq!(Percent::parse(bad).unwrap_err().code(), Code::OutOfRange, "{bad:?}");
        }
    }

    #[test]
    fn what_can_never_be_paid_is_refused() {
        let fault = |cuts: &[Cut]| tiers(cuts).unwrap_err();
        let unreachable = TierFault::Unreachable;
        for (cuts, at, wanted) in [
            (&[][..], 0, TierFault::None),
            (&[ranks(0, 3)], 0, TierFault::Ranks),
            (&[ranks(1, 1), ranks(3, 2)], 1, TierFault::Ranks),
            (&[ranks(1, 1 << 53)], 0, TierFault::Ranks),
            (&[ranks(1, 3), ranks(2, 3)], 1, unreachable),
            (&[ranks(1, 2), ranks(4, 5), ranks(3, 3), ranks(2, 5)], 3, unreachable),
            (&[percent("10"), percent("5")], 1, unreachable),
            (&[percent("10"), percent("10")], 1, unreachable),
            (&[percent("1"), ranks(1, 1)], 1, unreachable),
            (&[percent("100"), ranks(5, 9)], 1, unreachable),
        ] {
            assert_eq!(fault(cuts), TiersError { at, fault: wanted }, "{cuts:?}");
        }
        for cuts in [
            &[ranks(1, 3), ranks(3, 4)][..],
            &[ranks(2, 2), ranks(1, 3)],
            &[ranks(1, 1), percent("0.01")],
            &[percent("5"), percent("10")],
            &[percent("10"), ranks(1, 3)],
        ] {
            assert!(tiers(cuts).is_ok(), "{cuts:?}");
        }
        let twice = Tiers::new([(id("gold"), ranks(1, 1)), (id("gold"), ranks(2, 2))]);
        assert_eq!(twice, Err(TiersError { at: 1, fault: TierFault::DuplicateName }));
        let many = |n: u64| Tiers::new((1..=n).map(|rank| (id(&format!("t{rank}")), ranks(rank, rank))));
        assert!(many(TIERS_MAX as u64).is_ok());
        assert_eq!(many(TIERS_MAX as u64 + 1), Err(TiersError { at: TIERS_MAX, fault: TierFault::TooMany }));
        assert_eq!(Error::from(fault(&[])).code(), Code::InvalidArgument);
    }

    /// A naive model: each tier in its turn picks from those who have none, by places counted one by one.
    #[test]
    fn awards_are_the_model_s() {
        let mut seed = 7_u64;
        let mut below = |n: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % n
        };
        for round in 0..300 {
            let len = below(40);
            let scores: Vec<i64> = (0..len).map(|_| i64::try_from(below(12)).unwrap()).collect();
            let ranking = [Ranking::Ordinal, Ranking::Competition, Ranking::Dense][usize::try_from(below(3)).unwrap()];
            let cuts: Vec<Cut> = (0..=below(4))
                .map(|_| match below(2) {
                    0 => {
                        let from = below(20) + 1;
                        ranks(from, from + below(6))
                    }
                    _ => Cut::Percent(Percent::from_hundredths(u32::try_from(below(10_000) + 1).unwrap()).unwrap()),
                })
                .collect();
            if tiers(&cuts).is_err() {
                continue;
            }
            let mut sorted = scores.clone();
            sorted.sort_unstable_by_key(|score| -score);
            let mut wanted = vec!['.'; sorted.len()];
            for (name, cut) in ('a'..).zip(&cuts) {
                for (at, score) in sorted.iter().enumerate() {
                    let better = sorted.iter().filter(|other| *other > score).count();
                    let mut distinct: Vec<_> = sorted.iter().filter(|other| *other > score).collect();
                    distinct.dedup();
                    let (rank, place) = match ranking {
                        Ranking::Ordinal => (at + 1, at + 1),
                        Ranking::Competition => (better + 1, better + 1),
                        Ranking::Dense => (distinct.len() + 1, better + 1),
                    };
                    let fits = match cut {
                        Cut::Ranks { from, through } => (*from..=*through).contains(&(rank as u64)),
                        // One place less would be less than the share.
                        Cut::Percent(p) => (place as u64 - 1) * 10_000 < len * u64::from(p.hundredths()),
                    };
                    if fits && wanted[at] == '.' {
                        wanted[at] = name;
                    }
                }
            }
            let wanted: String = wanted.into_iter().collect();
            assert_eq!(paid(&scores, ranking, &cuts), wanted, "round {round}: {scores:?} {ranking:?} {cuts:?}");
        }
    }
}
