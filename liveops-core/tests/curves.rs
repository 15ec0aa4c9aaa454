//! Thousands of random curves, level by level, against rational numbers of any size by a crate of others.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that fails names its seed")]

mod common;

use common::Rng;
use liveops_core::Rules;
use liveops_core::limits::{INTEGER_MAX, LEVELS_MAX, MIGRATIONS_MAX};
use liveops_core::progress::{CurveError, LevelCurve, Levels, Rounding};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive as _;

const SEEDS: std::ops::Range<u64> = 1..7;
const CURVES: usize = 1_000;
const ROUNDINGS: [Rounding; 3] = [Rounding::Floor, Rounding::Ceil, Rounding::Nearest];

/// A curve, and what its level's value is by the formula; a piece of a whole has its own roundings.
struct Drawn {
    curve: LevelCurve,
    value: Box<dyn Fn(u32, Rounding) -> BigInt>,
}

fn big(value: i128) -> BigRational {
    BigRational::from_integer(value.into())
}

fn round(value: &BigRational, rounding: Rounding) -> BigInt {
    match rounding {
        Rounding::Floor => value.floor().to_integer(),
        Rounding::Ceil => value.ceil().to_integer(),
        Rounding::Nearest => (value + BigRational::new(1.into(), 2.into())).floor().to_integer(),
    }
}

/// A decimal or a fraction, as text and as a number.
fn ratio(rng: &mut Rng, whole_max: u64, negative: bool) -> (String, BigRational) {
    let sign = if negative && rng.below(3) == 0 { "-" } else { "" };
    let (text, value) = if rng.below(2) == 0 {
        let (numerator, denominator) = (rng.below(whole_max * 20), 1 + rng.below(40));
        (format!("{numerator}/{denominator}"), BigRational::new(numerator.into(), denominator.into()))
    } else {
        let digits = usize::try_from(rng.below(10)).unwrap();
        let (whole, scale) = (rng.below(whole_max), 10_u64.pow(u32::try_from(digits).unwrap()));
        let fraction = rng.below(scale);
        let text = if digits == 0 { whole.to_string() } else { format!("{whole}.{fraction:0digits$}") };
        (text, big(whole.into()) + BigRational::new(fraction.into(), scale.into()))
    };
    (format!("{sign}{text}"), if sign.is_empty() { value } else { -value })
}

fn polynomial(rng: &mut Rng) -> (Vec<String>, impl Fn(u32) -> BigRational + use<>) {
    let drawn: Vec<_> = (0..=rng.below(5)).map(|_| ratio(rng, 30, true)).collect();
    let (texts, values): (Vec<_>, Vec<_>) = drawn.into_iter().unzip();
    let at = move |level: u32| {
        let level = big(level.into());
        values.iter().rev().fold(big(0), |sum, value| sum * &level + value)
    };
    (texts, at)
}

fn formula(rng: &mut Rng) -> Drawn {
    match rng.below(4) {
        0 => {
            let (base, step) = (1 + rng.below(1_000), rng.below(1_000));
            let value = move |level: u32, _| BigInt::from(base) + BigInt::from(step) * (level - 1);
            Drawn { curve: LevelCurve::linear(base, step), value: Box::new(value) }
        }
        1 => {
            let base = 1 + rng.below(2_000);
            let (text, growth) = loop {
                let drawn = ratio(rng, 2, false);
                if drawn.1 > big(0) {
                    break drawn;
                }
            };
            let value = move |level: u32, rounding| {
                round(&(big(base.into()) * growth.pow((level - 1).cast_signed())), rounding)
            };
            Drawn { curve: LevelCurve::exponential(base, &text).unwrap(), value: Box::new(value) }
        }
        2 => {
            let (texts, at) = polynomial(rng);
            let texts: Vec<_> = texts.iter().map(String::as_str).collect();
            let value = move |level, rounding| round(&at(level), rounding);
            Drawn { curve: LevelCurve::polynomial(&texts).unwrap(), value: Box::new(value) }
        }
        _ => {
            let ((texts, at), (factors, factor)) = (polynomial(rng), polynomial(rng));
            let inner = *rng.of(&ROUNDINGS);
            let [texts, factors] = [&texts, &factors].map(|t| t.iter().map(String::as_str).collect::<Vec<_>>());
            let curve = LevelCurve::polynomial(&texts).unwrap().times(&factors, inner).unwrap();
            let value = move |level, rounding| {
                let factor = BigRational::from_integer(round(&factor(level), inner));
                round(&(at(level) * factor), rounding)
            };
            Drawn { curve, value: Box::new(value) }
        }
    }
}

/// What each level starts at, as far as the formula leads to a curve; and the first fault.
fn model(values: impl Iterator<Item = BigInt>, cumulative: bool) -> (Vec<u64>, Option<CurveError>) {
    let mut starts = vec![0_u64];
    for value in values {
        let level = u32::try_from(starts.len()).unwrap();
        let last = BigInt::from(*starts.last().unwrap());
        let total = if cumulative { value } else { &last + value };
        if total <= last {
            return (starts, Some(CurveError::CostTooSmall { level }));
        }
        match total.to_u64().filter(|total| *total <= INTEGER_MAX.unsigned_abs()) {
            Some(total) => starts.push(total),
            None => return (starts, Some(CurveError::TotalTooLarge { level })),
        }
    }
    (starts, None)
}

fn assert_same(levels: Result<Levels, CurveError>, starts: &[u64], fault: Option<CurveError>, about: &LevelCurve) {
    match (levels, fault) {
        (Ok(levels), None) => {
            assert_eq!(levels.totals().collect::<Vec<_>>(), starts, "{about:?}");
            for (level, start) in (1..).zip(starts) {
                let around = [start.saturating_sub(1), *start, start + 1].map(|xp| levels.level_at(xp));
                let cost = levels.cost(level);
                let above = level + u32::from(cost == 1);
                assert_eq!(around, [(level - 1).max(1), level, above], "level {level} of {about:?}");
                assert_eq!(levels.progress(*start).to_next, (cost > 0).then_some(cost));
            }
        }
        (Err(found), Some(wanted)) => assert_eq!(found, wanted, "{about:?}"),
        (found, wanted) => panic!("{found:?}, not {wanted:?}: {about:?}"),
    }
}

#[test]
fn no_cell_of_any_curve_is_inexact() {
    for seed in SEEDS {
        println!("seed {seed}");
        let mut rng = Rng(seed);
        let (mut cells, mut faults) = (0, 0);
        for _ in 0..CURVES {
            let Drawn { curve, value } = formula(&mut rng);
            let (rounding, cumulative) = (*rng.of(&ROUNDINGS), rng.below(2) == 0);
            let max_level = 2 + u32::try_from(rng.below(60)).unwrap();
            let curve = curve.rounding(rounding).max_level(max_level);
            let curve = if cumulative { curve.cumulative() } else { curve };
            let levels = if cumulative { 2..=max_level } else { 1..=max_level - 1 };
            let (starts, fault) = model(levels.map(|level| value(level, rounding)), cumulative);
            cells += starts.len();
            faults += usize::from(fault.is_some());
            assert_same(curve.compile(), &starts, fault, &curve);
        }
        assert!(cells > 10_000 && faults > 50, "{cells} cells, {faults} faults");
    }
}

#[test]
fn pieces_are_the_formulas_they_are_made_of() {
    for seed in SEEDS {
        println!("seed {seed}");
        let mut rng = Rng(seed ^ 0x9ece);
        let mut whole = 0;
        for _ in 0..CURVES / 4 {
            let cumulative = rng.below(2) == 0;
            let outer = *rng.of(&ROUNDINGS);
            let (mut from, mut pieces, mut values) = (1, Vec::new(), Vec::new());
            let mut parts = Vec::new();
            for _ in 0..=rng.below(4) {
                let drawn = formula(&mut rng);
                let own = (rng.below(2) == 0).then(|| *rng.of(&ROUNDINGS));
                let curve = own.map_or_else(|| drawn.curve.clone(), |own| drawn.curve.clone().rounding(own));
                pieces.push((from, curve));
                parts.push((from, drawn.value, own.unwrap_or(outer)));
                from += 1 + u32::try_from(rng.below(12)).unwrap();
            }
            let max_level = from + 1;
            let first = if cumulative { 2 } else { 1 };
            let last = if cumulative { max_level } else { max_level - 1 };
            for level in first..=last {
                let (from, value, rounding) = parts.iter().rev().find(|(from, ..)| *from <= level).unwrap();
                // Totals are those of the level itself, costs of the piece's own levels.
                let own = if cumulative { level } else { level - from + 1 };
                values.push(value(own, *rounding));
            }
            let curve = LevelCurve::piecewise(pieces).rounding(outer).max_level(max_level);
            let curve = if cumulative { curve.cumulative() } else { curve };
            let (starts, fault) = model(values.into_iter(), cumulative);
            whole += usize::from(fault.is_none());
            assert_same(curve.compile(), &starts, fault, &curve);
        }
        assert!(whole > 20, "{whole} curves without a fault");
    }
}

#[test]
fn the_longest_curves_are_exact() {
    for (curve, value) in [
        (LevelCurve::exponential(1_000_000, "1.0001").unwrap(), {
            let growth = BigRational::new(10_001.into(), 10_000.into());
            Box::new(move |level: u32| {
                round(&(big(1_000_000) * growth.pow((level - 1).cast_signed())), Rounding::Floor)
            }) as Box<dyn Fn(u32) -> BigInt>
        }),
        (
            LevelCurve::polynomial(&["7/3", "1/9", "1/7000"]).unwrap(),
            Box::new(|level: u32| {
                let term = |n: i128, d: i128| BigRational::new(n.into(), d.into());
                let l = i128::from(level);
                round(&(term(7, 3) + term(l, 9) + term(l * l, 7_000)), Rounding::Floor)
            }),
        ),
    ] {
        let levels = curve.max_level(LEVELS_MAX).compile().unwrap();
        for level in [1, 2, 3, 100, 5_000, 9_998, 9_999] {
            assert_eq!(BigInt::from(levels.cost(level)), value(level), "level {level}");
        }
    }
}

/// Rules of a few kilobytes that lead on from as many of the longest curves as they may.
fn rules_of(curve: impl Fn(usize) -> String) -> Rules {
    let earlier = (1..=MIGRATIONS_MAX)
        .map(|at| format!(r#"{{ "from": {}, "policy": "keepTotalXp", "levelRewards": "skip" }}"#, curve(at)));
    let earlier: Vec<_> = earlier.collect();
    let text = format!(
        r#"{{ "version": 1, "game": "g", "progress": {{ "curve": {}, "migrations": [{}] }} }}"#,
        curve(0),
        earlier.join(",")
    );
    Rules::from_json(&text).unwrap()
}

/// Such a document took seconds, optimised: powers of 300,000 bits were worked out for each level. What keeps it short is tested
/// beside the powers.
#[test]
fn short_documents_of_many_long_curves_are_read() {
    let powers = rules_of(|at| {
        format!(
            r#"{{ "kind": "exponential", "base": 1000000000, "growth": "1.00000000{}", "maxLevel": {} }}"#,
            1 + at % 9,
            LEVELS_MAX as usize - at
        )
    });
    assert_eq!(powers.progression().levels.max_level(), LEVELS_MAX);
    // Sixteen coefficients without a common factor below the slash.
    let coefficients = |at: usize| {
        let each = (0..16).map(|nth| format!(r#""{}/{}""#, u64::from(nth == 1), 999_980_000 + 13 * at + 61 * nth));
        each.collect::<Vec<_>>().join(",")
    };
    let sums = rules_of(|at| {
        let all = coefficients(at);
        format!(
            r#"{{ "kind": "polynomial", "coefficients": ["{}", "1", {}], "times": {{ "coefficients": ["1", {}] }}, "maxLevel": {LEVELS_MAX} }}"#,
            at,
            &all[all.match_indices(',').nth(1).unwrap().0 + 1..],
            &all[all.find(',').unwrap() + 1..]
        )
    });
    assert_eq!(sums.progression().levels.max_level(), LEVELS_MAX);
}
