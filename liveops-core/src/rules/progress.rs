//! The grammar of `progress`: curves, experience, boosts, streaks, and how to leave earlier curves.

use std::num::NonZeroU64;

use super::document::{Read, bounded, name};
use super::names::Names;
use super::reader::{Fields, Node, RulesError};
use super::reward::{Bundles, items};
use super::select::{amount, select};
use super::{Amount, MigrationRule, OverflowRule, Selector, StreakRule};
use crate::error::Code;
use crate::limits::{
    BOOSTS_MAX, COEFFICIENTS_MAX, INTEGER_MAX, LEVELS_MAX, MIGRATIONS_MAX, MISSED_DAYS_MAX, STREAKS_MAX,
};
use crate::progress::{
    AtMaxLevel, Boost, Floor, Keep, LevelCurve, Levels, MigrationPolicy, Progression, Ratio, Rounding, Stacking,
};
use crate::record::CurveMark;

const XP_RULES_MAX: usize = 256;
const PIECES_MAX: usize = 128;

/// What `progress` says.
pub(super) struct Progress {
    pub(super) progression: Progression,
    pub(super) xp: Vec<(Selector, Amount)>,
    pub(super) streaks: Vec<StreakRule>,
    pub(super) overflow: Option<OverflowRule>,
    pub(super) migrations: Vec<MigrationRule>,
    pub(super) mark: Option<CurveMark>,
}

pub(super) fn read(node: Option<Node<'_>>, names: &Names<'_>, bundles: &Bundles) -> Read<Progress> {
    // Without rules for XP, every event gives what it asks for.
    let delta_xp = || vec![(Selector::default(), Amount::Field(name("deltaXp")))];
    let Some(node) = node else {
        need_floor(&delta_xp(), names)?;
        let one_level = LevelCurve::linear(INTEGER_MAX.unsigned_abs(), 0).max_level(2).compile();
        let levels =
            one_level.map_err(|e| RulesError { path: String::new(), issue: e.code(), message: e.to_string() })?;
        let (streaks, migrations) = (Vec::new(), Vec::new());
        return Ok(Progress {
            progression: Progression::new(levels),
            xp: delta_xp(),
            streaks,
            overflow: None,
            migrations,
            mark: None,
        });
    };
    let mut fields = node.fields()?;
    let mut progression = Progression::new(curve(&fields.need("curve")?)?);
    let mut overflow = None;
    if let Some(node) = fields.get("atMaxLevel") {
        (progression.at_max_level, overflow) = at_max_level(&node, bundles)?;
    }
    progression.daily_xp_cap = fields.get("dailyXpCap").map(|node| node.uint(0)).transpose()?;
    let boosts = fields.get("boosts").map_or_else(|| Ok(Vec::new()), |node| bounded(&node, BOOSTS_MAX))?;
    progression.boosts = boosts.iter().map(boost).collect::<Read<_>>()?;
    if let Some(node) = fields.get("boostStacking") {
        progression.stacking =
            node.word(&[("multiply", Stacking::Multiply), ("add", Stacking::Add), ("highest", Stacking::Highest)])?;
    }
    if let Some(node) = progression.stacking.too_fine(&progression.boosts).and_then(|at| boosts.get(at)) {
        let message = format!(
            "with the boosts that hold when this one begins, the common denominator passes {INTEGER_MAX}: write fewer digits"
        );
        return Err(node.fields()?.need("factor")?.error(Code::OutOfRange, message));
    }
    let xp = match fields.get("xp") {
        Some(node) => bounded(&node, XP_RULES_MAX)?.iter().map(|node| xp_rule(node, names)).collect::<Read<_>>()?,
        None => delta_xp(),
    };
    progression.floor =
        fields.get("floor").map(|node| node.word(&[("level", Floor::Level), ("zero", Floor::Zero)])).transpose()?;
    if progression.floor.is_none() {
        need_floor(&xp, names)?;
    }
    let mut streaks = Vec::new();
    for (name, node) in fields.get("streaks").map_or_else(|| Ok(Vec::new()), |node| node.named(STREAKS_MAX))? {
        let mut fields = node.fields()?;
        let (select, _) = select(&mut fields, names)?;
        let missed_days_max = fields.get("missedDaysMax").map_or(Ok(0), |node| node.u32(0, MISSED_DAYS_MAX))?;
        fields.end()?;
        streaks.push(StreakRule { name, select, missed_days_max });
    }
    let migrations = match fields.get("migrations") {
        Some(node) => migrations(&node, &progression.levels)?,
        None => Vec::new(),
    };
    fields.end()?;
    let mark = Some(CurveMark::of(&progression.levels));
    Ok(Progress { progression, xp, streaks, overflow, migrations, mark })
}

fn at_max_level(node: &Node<'_>, bundles: &Bundles) -> Read<(AtMaxLevel, Option<OverflowRule>)> {
    if node.value().as_str().is_some() {
        let word = node.word(&[("bank", AtMaxLevel::Bank), ("discard", AtMaxLevel::Discard)])?;
        return Ok((word, None));
    }
    let mut fields = node.fields()?;
    let convert = fields.need("convert")?;
    fields.end()?;
    let mut fields = convert.fields()?;
    let reward = fields.need("reward")?.id()?;
    let every = NonZeroU64::new(fields.need("every")?.uint(1)?).unwrap_or(NonZeroU64::MIN);
    let items = items(&fields.need("grant")?, bundles)?;
    fields.end()?;
    Ok((AtMaxLevel::Convert, Some(OverflowRule { reward, every, items })))
}

fn boost(node: &Node<'_>) -> Read<Boost> {
    let mut fields = node.fields()?;
    let id = fields.need("id")?.id()?;
    let from = fields.need("from")?.time()?;
    let until_node = fields.need("until")?;
    let until = until_node.time()?;
    if until <= from {
        return Err(until_node.error(Code::OutOfRange, "a boost ends after it begins"));
    }
    let factor_node = fields.need("factor")?;
    let wrong = "a positive decimal such as \"1.2\", or a fraction such as \"4/3\", expected";
    let factor = Ratio::parse(factor_node.decimal()?).map_err(|e| factor_node.error(e.code(), wrong))?;
    fields.end()?;
    Ok(Boost { id, from, until, factor })
}

fn xp_rule(node: &Node<'_>, names: &Names<'_>) -> Read<(Selector, Amount)> {
    let mut fields = node.fields()?;
    let (select, met) = select(&mut fields, names)?;
    let amount = amount(&fields.need("amount")?, &met, false)?;
    fields.end()?;
    Ok((select, amount))
}

/// Rules that can take XP say how far: those that do not say it were written when nothing was ever taken.
fn need_floor(xp: &[(Selector, Amount)], names: &Names<'_>) -> Read<()> {
    let negative = |(select, amount): &(Selector, Amount)| match amount {
        Amount::Fixed(amount) => *amount < 0,
        Amount::Field(field) => names.can_be_negative(field, select),
        Amount::RequestedXp | Amount::GrantedXp => false,
    };
    let Some(at) = xp.iter().position(negative) else { return Ok(()) };
    let message = format!(
        "\"level\" or \"zero\": the amount of XP rule {at} can be negative, and how far it may take is not said (a field \
         with a \"min\" of 0 takes nothing)"
    );
    Err(RulesError { path: "/progress/floor".to_owned(), issue: Code::Missing, message })
}

/// Earlier curves, oldest first: each says how players leave it for the next, the last for the curve in force.
fn migrations(node: &Node<'_>, current: &Levels) -> Read<Vec<MigrationRule>> {
    let nodes = bounded(node, MIGRATIONS_MAX)?;
    let mut rules: Vec<MigrationRule> = Vec::with_capacity(nodes.len());
    for node in &nodes {
        let mut fields = node.fields()?;
        let from = curve(&fields.need("from")?)?;
        let keep = fields.need("policy")?.word(&[
            ("keepTotalXp", Keep::TotalXp),
            ("keepLevelAndFraction", Keep::LevelAndFraction),
            ("keepEffort", Keep::Effort),
        ])?;
        let never_lose_a_level = fields.get("neverLoseALevel").map_or(Ok(false), |node| node.bool())?;
        // Nobody should find out afterwards what a change of curve has minted.
        let skip_rewards = fields.need("levelRewards")?.word(&[("grant", false), ("skip", true)])?;
        fields.end()?;
        let policy = MigrationPolicy { keep, never_lose_a_level, skip_rewards };
        rules.push(MigrationRule { mark: CurveMark::of(&from), from, policy });
    }
    let next = rules.iter().skip(1).map(|rule| &rule.from).chain([current]);
    let stuck = rules.iter().zip(next).position(|(rule, next)| rule.from == *next);
    match stuck.and_then(|at| nodes.get(at)) {
        Some(node) => Err(node.error(Code::InvalidFormat, "the curve that follows is the same: leave this one out")),
        None => Ok(rules),
    }
}

fn curve(node: &Node<'_>) -> Read<Levels> {
    let (curve, table) = written(node)?;
    curve.compile().map_err(|e| match (&table, e.level()) {
        // The very number of the table that is at fault.
        (Some(table), Some(level)) => table.error(level, e.code(), &e),
        _ => node.error(e.code(), e),
    })
}

/// A curve as it is written, and if it is one, its table.
pub(super) fn written<'v>(node: &Node<'v>) -> Read<(LevelCurve, Option<Table<'v>>)> {
    let mut fields = node.fields()?;
    let max_level = fields.get("maxLevel").map(|node| node.u32(1, LEVELS_MAX)).transpose()?;
    let cumulative = fields.get("cumulative").map_or(Ok(false), |node| node.bool())?;
    let (mut curve, table) = curve_shape(&mut fields, cumulative, 0)?;
    fields.end()?;
    if let Some(max_level) = max_level {
        curve = curve.max_level(max_level);
    }
    if cumulative || table.as_ref().is_some_and(|table| table.totals) {
        curve = curve.cumulative();
    }
    Ok((curve, table))
}

/// Where the numbers of a table stand.
pub(super) struct Table<'v> {
    node: Node<'v>,
    totals: bool,
}

impl Table<'_> {
    fn error(&self, level: u32, issue: Code, message: impl std::fmt::Display) -> RulesError {
        let at = if self.totals { level } else { level - 1 };
        let mut error = self.node.error(issue, message);
        error.path = format!("{}/{at}", error.path);
        error
    }
}

/// A shape, and if it is one, its table. `cumulative` is what the whole is said to be.
fn curve_shape<'v>(fields: &mut Fields<'v>, cumulative: bool, depth: u8) -> Read<(LevelCurve, Option<Table<'v>>)> {
    let kind = fields.need("kind")?;
    let shape = kind.word(&[
        ("table", "table"),
        ("linear", "linear"),
        ("polynomial", "polynomial"),
        ("exponential", "exponential"),
        ("piecewise", "piecewise"),
    ])?;
    let mut table = None;
    let curve = match shape {
        "table" => {
            let (node, totals) = match fields.get("totals") {
                // In a piece, the whole says what they are.
                Some(node) if depth > 0 && !cumulative => {
                    return Err(node.error(Code::UnknownField, "the whole curve is not cumulative: give \"costs\""));
                }
                Some(node) => (node, true),
                None if cumulative => {
                    return Err(fields.need("totals").err().unwrap_or_else(|| kind.error(Code::Missing, "")));
                }
                None => (fields.need("costs")?, false),
            };
            let least = i64::from(!totals);
            let values = bounded(&node, LEVELS_MAX as usize)?.iter().map(|n| n.uint(least)).collect::<Read<_>>()?;
            table = Some(Table { node, totals });
            LevelCurve::table(values)
        }
        "linear" => LevelCurve::linear(fields.need("base")?.uint(1)?, fields.need("step")?.uint(0)?),
        "polynomial" => polynomial(fields)?,
        "exponential" => {
            let base = fields.need("base")?.uint(1)?;
            let growth = fields.need("growth")?;
            LevelCurve::exponential(base, growth.decimal()?).map_err(|e| growth.error(e.code(), e))?
        }
        _ if depth > 0 => return Err(kind.error(Code::TooDeep, "a piece is not made of pieces")),
        _ => {
            let mut pieces = Vec::new();
            for node in bounded(&fields.need("pieces")?, PIECES_MAX)? {
                let mut fields = node.fields()?;
                let from_level = fields.need("fromLevel")?.u32(1, LEVELS_MAX)?;
                let (piece, _) = curve_shape(&mut fields, cumulative, depth + 1)?;
                fields.end()?;
                pieces.push((from_level, piece));
            }
            LevelCurve::piecewise(pieces)
        }
    };
    Ok((
        match fields.get("rounding") {
            Some(node) => curve.rounding(rounding(&node)?),
            None => curve,
        },
        table,
    ))
}

fn polynomial(fields: &mut Fields<'_>) -> Read<LevelCurve> {
    let node = fields.need("coefficients")?;
    let curve = LevelCurve::polynomial(&coefficients(&node)?).map_err(|e| node.error(e.code(), e))?;
    let Some(node) = fields.get("times") else { return Ok(curve) };
    let mut fields = node.fields()?;
    let factor = fields.need("coefficients")?;
    let inner = fields.get("rounding").map_or(Ok(Rounding::Floor), |node| rounding(&node))?;
    fields.end()?;
    curve.times(&coefficients(&factor)?, inner).map_err(|e| factor.error(e.code(), e))
}

fn coefficients<'v>(node: &Node<'v>) -> Read<Vec<&'v str>> {
    bounded(node, COEFFICIENTS_MAX)?.iter().map(Node::decimal).collect()
}

fn rounding(node: &Node<'_>) -> Read<Rounding> {
    node.word(&[("floor", Rounding::Floor), ("ceil", Rounding::Ceil), ("nearest", Rounding::Nearest)])
}
