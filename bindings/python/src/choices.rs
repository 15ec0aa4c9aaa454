//! How the core's choices are written in rules, in JSON and here.

use liveops_core::board::{Operator, Order, Ranking, Ties};
use liveops_core::error::Code;
use liveops_core::progress::{AtMaxLevel, Floor, Keep, Rounding, Stacking};
use pyo3::prelude::*;

use crate::errors::argument;

const ORDERS: &[(&str, Order)] = &[("desc", Order::Desc), ("asc", Order::Asc)];
const OPERATORS: &[(&str, Operator)] =
    &[("incr", Operator::Incr), ("best", Operator::Best), ("set", Operator::Set), ("decr", Operator::Decr)];
const TIES: &[(&str, Ties)] =
    &[("firstToReach", Ties::FirstToReach), ("lastToReach", Ties::LastToReach), ("ownerId", Ties::OwnerId)];
const RANKINGS: &[(&str, Ranking)] =
    &[("ordinal", Ranking::Ordinal), ("competition", Ranking::Competition), ("dense", Ranking::Dense)];
const AT_MAX_LEVEL: &[(&str, AtMaxLevel)] =
    &[("bank", AtMaxLevel::Bank), ("discard", AtMaxLevel::Discard), ("convert", AtMaxLevel::Convert)];
const STACKINGS: &[(&str, Stacking)] =
    &[("multiply", Stacking::Multiply), ("add", Stacking::Add), ("highest", Stacking::Highest)];
const FLOORS: &[(&str, Floor)] = &[("level", Floor::Level), ("zero", Floor::Zero)];
const ROUNDINGS: &[(&str, Rounding)] =
    &[("floor", Rounding::Floor), ("ceil", Rounding::Ceil), ("nearest", Rounding::Nearest)];
const KEEPS: &[(&str, Keep)] =
    &[("keepTotalXp", Keep::TotalXp), ("keepLevelAndFraction", Keep::LevelAndFraction), ("keepEffort", Keep::Effort)];

pub(crate) fn order(order: Order) -> &'static str {
    name(ORDERS, order)
}

pub(crate) fn operator(operator: Operator) -> &'static str {
    name(OPERATORS, operator)
}

pub(crate) fn ties(ties: Ties) -> &'static str {
    name(TIES, ties)
}

pub(crate) fn ranking(ranking: Ranking) -> &'static str {
    name(RANKINGS, ranking)
}

pub(crate) fn at_max_level(choice: AtMaxLevel) -> &'static str {
    name(AT_MAX_LEVEL, choice)
}

pub(crate) fn stacking(stacking: Stacking) -> &'static str {
    name(STACKINGS, stacking)
}

pub(crate) fn floor(floor: Floor) -> &'static str {
    name(FLOORS, floor)
}

pub(crate) fn keep(keep: Keep) -> &'static str {
    name(KEEPS, keep)
}

pub(crate) fn to_order(py: Python<'_>, text: &str) -> PyResult<Order> {
    value(py, ORDERS, text)
}

pub(crate) fn to_operator(py: Python<'_>, text: &str) -> PyResult<Operator> {
    value(py, OPERATORS, text)
}

pub(crate) fn to_ties(py: Python<'_>, text: &str) -> PyResult<Ties> {
    value(py, TIES, text)
}

pub(crate) fn to_ranking(py: Python<'_>, text: &str) -> PyResult<Ranking> {
    value(py, RANKINGS, text)
}

pub(crate) fn to_at_max_level(py: Python<'_>, text: &str) -> PyResult<AtMaxLevel> {
    value(py, AT_MAX_LEVEL, text)
}

pub(crate) fn to_stacking(py: Python<'_>, text: &str) -> PyResult<Stacking> {
    value(py, STACKINGS, text)
}

pub(crate) fn to_floor(py: Python<'_>, text: &str) -> PyResult<Floor> {
    value(py, FLOORS, text)
}

pub(crate) fn to_rounding(py: Python<'_>, text: &str) -> PyResult<Rounding> {
    value(py, ROUNDINGS, text)
}

pub(crate) fn to_keep(py: Python<'_>, text: &str) -> PyResult<Keep> {
    value(py, KEEPS, text)
}

fn name<T: Copy + PartialEq>(all: &[(&'static str, T)], value: T) -> &'static str {
    all.iter().find(|(_, known)| *known == value).map_or("unknown", |(name, _)| name)
}

fn value<T: Copy>(py: Python<'_>, all: &[(&str, T)], text: &str) -> PyResult<T> {
    all.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
        argument(py, Code::InvalidArgument, &format!("one of {} is meant", names.join(", ")))
    })
}
