//! What boosts leave over of single events, kept until it makes a whole point of experience.

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::boost::Factor;
use crate::codec::{Stable, fields};
use crate::error::{Code, Error};
use crate::limits::{INTEGER_MAX, REMAINDERS_MAX};

/// What a factor has left over of experience that it multiplied: less than 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remainder {
    factor: Factor,
    rest: u64,
}

impl Remainder {
    /// What was left over of a factor, a reduced fraction such as `5/4`: so many parts of what stands below its slash.
    ///
    /// `invalid_format` for a text of any other form, `out_of_range` where the fraction or the rest is none that boosts leave.
    pub fn new(factor: &str, rest: u64) -> Result<Self, Error> {
        let whole = |text: &str| text.parse::<u128>().ok().filter(|number| number.to_string() == text);
        let (numerator, denominator) = factor.split_once('/').ok_or(Code::InvalidFormat)?;
        let numerator = whole(numerator).ok_or(Code::InvalidFormat)?;
        let denominator = u64::try_from(whole(denominator).ok_or(Code::InvalidFormat)?).unwrap_or(0);
        if denominator == 0 {
            return Err(Code::OutOfRange.into());
        }
        let remainder = Self { factor: Factor::reduced(numerator, denominator), rest };
        let same = remainder.factor.denominator == denominator;
        if same && remainder.is_sound() { Ok(remainder) } else { Err(Code::OutOfRange.into()) }
    }

    /// The factor, as a reduced fraction.
    pub fn factor(&self) -> String {
        let Factor { whole, part, denominator } = self.factor;
        format!("{}/{denominator}", u128::from(whole) * u128::from(denominator) + u128::from(part))
    }

    /// How many parts of what stands below the factor's slash are left over.
    pub const fn rest(&self) -> u64 {
        self.rest
    }

    /// Whether boosts can have left it.
    fn is_sound(&self) -> bool {
        let Factor { whole, part, denominator } = self.factor;
        let max = INTEGER_MAX.unsigned_abs();
        whole <= max
            && denominator <= max
            && (1..denominator).contains(&part)
            && (1..denominator).contains(&self.rest)
            && Factor::reduced(part.into(), denominator).denominator == denominator
    }
}

/// The fractions that boosts have left over of one player's experience, for each of the last [`REMAINDERS_MAX`] factors apart:
/// they are added when the factor is in force again. What several boosts make together is one factor.
///
/// ```
/// use liveops_core::progress::{Asked, Boost, LevelCurve, Progression, Ratio, Remainders};
/// use liveops_core::{Id, Timestamp};
///
/// let (from, until) = (Timestamp::from_unix_seconds(0), Timestamp::from_unix_seconds(9));
/// let boost = Boost { id: Id::new("quarter-more")?, from, until, factor: Ratio::parse("1.25")? };
/// let levels = LevelCurve::table(vec![100]).compile()?;
/// let progression = Progression { boosts: vec![boost], ..Progression::new(levels) };
///
/// let mut remainders = Remainders::default();
/// let mut kill = || progression.settle(0, 0, Asked { gains: 3, losses: 0 }, &mut remainders, from);
/// assert_eq!([kill()?.granted, kill()?.granted, kill()?.granted, kill()?.granted], [3, 4, 4, 4]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remainders(Vec<Remainder>);

impl Remainders {
    /// Nothing.
    pub(crate) const NONE: Self = Self(Vec::new());

    /// Those of before, in their order. `too_long` for more than [`REMAINDERS_MAX`], `invalid_argument` for two of one factor.
    pub fn new(remainders: impl IntoIterator<Item = Remainder>) -> Result<Self, Error> {
        let mut kept = Vec::new();
        for remainder in remainders {
            if kept.len() == REMAINDERS_MAX {
                return Err(Code::TooLong.into());
            }
            kept.push(remainder);
        }
        let kept = Self(kept);
        if kept.is_sound() { Ok(kept) } else { Err(Code::InvalidArgument.into()) }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them, the one that changed last at the end.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Remainder> {
        self.0.iter()
    }

    /// Parts that a factor has left over.
    pub(super) fn of(&self, factor: Factor) -> u64 {
        self.0.iter().find(|known| known.factor == factor).map_or(0, |known| known.rest)
    }

    /// Replaces them, and lets go of the oldest beyond the number that is kept.
    pub(super) fn keep(&mut self, factor: Factor, rest: u64) {
        self.0.retain(|known| known.factor != factor);
        if rest > 0 {
            self.0.push(Remainder { factor, rest });
            let surplus = self.0.len().saturating_sub(REMAINDERS_MAX);
            self.0.drain(..surplus);
        }
    }

    /// Whether decisions can have led here.
    pub(crate) fn is_sound(&self) -> bool {
        let once = |(at, one): (usize, &Remainder)| !self.0[..at].iter().any(|known| known.factor == one.factor);
        self.0.len() <= REMAINDERS_MAX && self.0.iter().all(Remainder::is_sound) && self.0.iter().enumerate().all(once)
    }
}

impl Serialize for Remainder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Remainder", 2)?;
        object.serialize_field("factor", &self.factor())?;
        object.serialize_field("rest", &self.rest)?;
        object.end()
    }
}

impl Serialize for Remainders {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

fields!(Remainder { factor, rest });

impl Stable for Remainders {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Stable::take(from).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;
    use num_rational::BigRational;
    use proptest::prelude::*;

    use super::*;
    use crate::id::Id;
    use crate::progress::{Asked, AtMaxLevel, Boost, LevelCurve, Progression, Ratio, Stacking};
    use crate::time::Timestamp;

    fn boost(from: i64, until: i64, factor: &str) -> Boost {
        let [from, until] = [from, until].map(Timestamp::from_unix_seconds);
        Boost { id: Id::new("boost").unwrap(), from, until, factor: Ratio::parse(factor).unwrap() }
    }

    fn progression(boosts: Vec<Boost>, stacking: Stacking) -> Progression {
        Progression { boosts, stacking, ..Progression::new(LevelCurve::table(vec![100, 200]).compile().unwrap()) }
    }

    /// What so many events of so much at one time are granted.
    fn granted(rules: &Progression, remainders: &mut Remainders, times: u64, gains: u64, seconds: i64) -> Vec<u64> {
        let ts = Timestamp::from_unix_seconds(seconds);
        (0..times).map(|_| rules.settle(0, 0, Asked { gains, losses: 0 }, remainders, ts).unwrap().granted).collect()
    }

    #[test]
    fn nothing_is_lost_between_events() {
        let rules = progression(vec![boost(0, 9, "1.25")], Stacking::Multiply);
        let mut remainders = Remainders::default();
        assert_eq!(granted(&rules, &mut remainders, 100, 3, 0).iter().sum::<u64>(), 375);
        assert!(remainders.is_empty(), "no more than there has to be");
        let brake = progression(vec![boost(0, 9, "0.5")], Stacking::Multiply);
        assert_eq!(granted(&brake, &mut remainders, 6, 1, 0), [0, 1, 0, 1, 0, 1]);
        let third = progression(vec![boost(0, 9, "4/3")], Stacking::Multiply);
        assert_eq!(granted(&third, &mut remainders, 3, 1, 0), [1, 1, 2]);
        assert_eq!(granted(&rules, &mut remainders, 3, 0, 0), [0; 3], "what is worth nothing collects nothing");
    }

    #[test]
    fn what_boosts_make_together_has_one_remainder() {
        // 3/2 * 5/6 is 5/4 too.
        let rules =
            progression(vec![boost(0, 9, "1.25"), boost(9, 18, "1.5"), boost(9, 18, "5/6")], Stacking::Multiply);
        let mut remainders = Remainders::default();
        assert_eq!(granted(&rules, &mut remainders, 2, 3, 0), [3, 4]);
        assert_eq!(granted(&rules, &mut remainders, 2, 3, 9), [4, 4]);
        granted(&rules, &mut remainders, 1, 3, 0);
        let json = serde_json::to_string(&remainders).unwrap();
        assert_eq!(json, r#"[{"factor":"5/4","rest":3}]"#);
        let bytes = remainders.to_bytes();
        assert_eq!(bytes, [1, 1, 1, 4, 3], "five bytes");
        assert_eq!(Remainders::take(&mut &bytes[..]), Some(remainders));
    }

    #[test]
    fn the_last_four_are_kept() {
        let factors = ["3/2", "4/3", "5/4", "6/5", "7/6"];
        let boosts = factors.iter().zip(0..).map(|(factor, at)| boost(at, at + 1, factor)).collect();
        let rules = progression(boosts, Stacking::Multiply);
        let mut remainders = Remainders::default();
        let kept = |remainders: &Remainders| remainders.iter().map(Remainder::factor).collect::<Vec<_>>();
        for at in [0, 1, 2, 3, 0] {
            granted(&rules, &mut remainders, 1, 1, at);
        }
        assert_eq!(kept(&remainders), factors[1..4], "half and half are one");
        granted(&rules, &mut remainders, 1, 1, 0);
        granted(&rules, &mut remainders, 1, 1, 4);
        assert_eq!(kept(&remainders), ["5/4", "6/5", "3/2", "7/6"]);
        assert_eq!(Remainders::new(remainders.iter().copied()), Ok(remainders));
    }

    #[test]
    fn refused_or_too_fine_changes_nothing() {
        let mut rules = progression(vec![boost(0, 9, "1.5")], Stacking::Multiply);
        let mut remainders = Remainders::default();
        granted(&rules, &mut remainders, 1, 1, 0);
        let before = remainders.clone();
        let ts = Timestamp::from_unix_seconds(0);
        let mut settle = |rules: &Progression, total, gains, losses| {
            rules.settle(total, 0, Asked { gains, losses }, &mut remainders, ts).map(|grant| grant.granted)
        };
        assert_eq!(settle(&rules, INTEGER_MAX.unsigned_abs(), 1, 0), Err(Code::ScoreOverflow.into()));
        assert_eq!(settle(&rules, 0, 1, 1), Err(Code::InvalidArgument.into()));
        rules.boosts = [boost(0, 9, "1.000000001"), boost(0, 9, "0.999999999")].to_vec();
        assert_eq!(rules.stacking.too_fine(&rules.boosts), Some(0));
        assert_eq!(settle(&rules, 0, 1, 0), Err(Code::OutOfRange.into()));
        rules.stacking = Stacking::Add;
        assert_eq!((rules.stacking.too_fine(&rules.boosts), settle(&rules, 0, 1, 0)), (None, Ok(1)));
        assert_eq!(remainders, before);
    }

    #[test]
    fn those_that_boosts_do_not_leave_are_refused() {
        let code = |factor: &str, rest| Remainder::new(factor, rest).map(|one| one.factor()).map_err(|e| e.code());
        assert_eq!(code("5/4", 3), Ok("5/4".to_owned()));
        assert_eq!(code("1/9007199254740991", 9_007_199_254_740_990), Ok("1/9007199254740991".to_owned()));
        for bad in ["", "5", "5/", "/4", "05/4", "+5/4", "1.25/1", "5/4/3", " 5/4"] {
            assert_eq!(code(bad, 1), Err(Code::InvalidFormat), "{bad:?}");
        }
        for (bad, rest) in [
            ("5/4", 0),
            ("5/4", 4),
            ("10/8", 1),
            ("5/0", 1),
            ("5/1", 0),
            ("1/9007199254740992", 1),
            ("1/18446744073709551616", 1),
            ("18014398509481985/2", 1),
            ("340282366920938463463374607431768211455/2", 1),
        ] {
            assert_eq!(code(bad, rest), Err(Code::OutOfRange), "{bad} {rest}");
        }
        let one = Remainder::new("5/4", 1).unwrap();
        assert_eq!(Remainders::new([one, one]), Err(Code::InvalidArgument.into()));
        let five = (2..7).map(|d| Remainder::new(&format!("{}/{d}", d + 1), 1).unwrap());
        assert_eq!(Remainders::new(five), Err(Code::TooLong.into()));
    }

    fn exact(factor: Ratio) -> BigRational {
        BigRational::new(factor.numerator().into(), factor.denominator().into())
    }

    /// What boosts make together, in plain fractions.
    fn together(rules: &Progression, ts: Timestamp) -> BigRational {
        let one = BigRational::from_integer(BigInt::from(1));
        let active = rules.boosts.iter().filter(|boost| boost.is_active(ts)).map(|boost| exact(boost.factor));
        match rules.stacking {
            Stacking::Multiply => active.fold(one, |product, factor| product * factor),
            Stacking::Add => active
                .fold(one.clone(), |sum, factor| sum + factor - one.clone())
                .max(BigRational::from_integer(BigInt::from(0))),
            Stacking::Highest => active.max().unwrap_or(one),
        }
    }

    proptest! {
        /// For each factor apart, whatever comes in between, what was boosted and what should have been are less than 1 apart.
        #[test]
        fn sums_differ_from_exact_products_by_less_than_one(
            first in ("[0-9]\\.[0-9]{0,4}[1-9]|[1-9]/[1-9]", "[0-9]\\.[0-9]{0,4}[1-9]|[1-9]{2}/[1-9]{2}"),
            stack in 0_usize..3, cap in prop::option::of(0_u64..1_000), discard: bool,
            events in prop::collection::vec((0_i64..4, prop_oneof![0_u64..10, 0_u64..1_000_000]), 1..200),
        ) {
            // At 0 the first, at 1 both, at 2 the second, at 3 none: so many factors are kept apart.
            let boosts = vec![boost(0, 2, &first.0), boost(1, 3, &first.1)];
            let mut rules = progression(boosts, [Stacking::Multiply, Stacking::Add, Stacking::Highest][stack]);
            rules.daily_xp_cap = cap;
            rules.at_max_level = if discard { AtMaxLevel::Discard } else { AtMaxLevel::Bank };
            prop_assert_eq!(rules.stacking.too_fine(&rules.boosts), None);
            let mut remainders = Remainders::default();
            let mut sums: Vec<(BigRational, u64, u64)> = Vec::new();
            for (seconds, gains) in events {
                let ts = Timestamp::from_unix_seconds(seconds);
                let grant = rules.settle(0, 0, Asked { gains, losses: 0 }, &mut remainders, ts).unwrap();
                let boosted = grant.requested.checked_add_signed(grant.boost).unwrap();
                let factor = together(&rules, ts);
                let at = sums.iter().position(|(known, ..)| *known == factor).unwrap_or_else(|| {
                    sums.push((factor, 0, 0));
                    sums.len() - 1
                });
                sums[at].1 += gains;
                sums[at].2 += boosted;
                prop_assert!(remainders.is_sound());
                for (factor, gains, boosted) in &sums {
                    let [gains, boosted] = [gains, boosted].map(|sum| BigRational::from_integer(BigInt::from(*sum)));
                    let (whole, exact) = (boosted, gains * factor);
                    prop_assert_eq!(whole, exact.floor(), "the whole part of it, and so less than 1 apart");
                }
            }
        }
    }
}
