//! Chains of receipts.

use liveops_core::error::Code;
use liveops_core::id::{CommandId, EventId, Origin};
use liveops_core::reward::{Item, Receipt, Scope, verify_chain as verify};
use liveops_core::{BoardId, Id, Period, Timestamp};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::{Int, window};
use crate::errors::{Fallible as _, argument};
use crate::rules::digest;

/// Checks a player's receipts, oldest first, against the hash of the newest, as `Engine.chain_head` gives it. None if the
/// chain holds, else the number of the last receipt before the break.
#[pyfunction]
pub(crate) fn verify_chain(py: Python<'_>, receipts: Vec<Bound<'_, PyAny>>, head: &str) -> PyResult<Option<u64>> {
    let read = |receipt: &Bound<'_, PyAny>| {
        let wire = receipt.call_method0("to_dict")?;
        receipt_from(py, wire.cast()?)
    };
    let receipts = receipts.iter().map(read).collect::<PyResult<Vec<_>>>()?;
    Ok(verify(&receipts, digest(py, head)?).err().map(|broken| broken.number))
}

fn receipt_from(py: Python<'_>, wire: &Bound<'_, PyDict>) -> PyResult<Receipt> {
    let cause = member(wire, "cause")?;
    let cause = cause.cast::<PyDict>()?;
    let origin = match text(cause, "origin")?.as_str() {
        "event" => Origin::Event,
        "operator" => Origin::Operator,
        _ => return Err(argument(py, Code::InvalidArgument, "an origin is event or operator")),
    };
    let mut items = Vec::new();
    for item in member(wire, "items")?.try_iter()? {
        let item = item?.cast_into::<PyDict>()?;
        let (kind, id) = (id(py, &item, "kind")?, id(py, &item, "id")?);
        items.push(Item::new(kind, id, member(&item, "amount")?.extract::<Int<u64>>()?.0).or_raise(py)?);
    }
    Ok(Receipt {
        number: member(wire, "number")?.extract::<Int<u64>>()?.0,
        id: digest(py, &text(wire, "id")?)?,
        reward: id(py, wire, "reward")?,
        scope: scope(py, member(wire, "scope")?.cast()?)?,
        items,
        cause: CommandId { origin, id: EventId::new(&text(cause, "id")?).or_raise(py)? },
        ts: time(wire)?,
        rules: digest(py, &text(wire, "rules")?)?,
        previous: digest(py, &text(wire, "previous")?)?,
    })
}

fn scope(py: Python<'_>, wire: &Bound<'_, PyDict>) -> PyResult<Scope> {
    if let Some(level) = wire.get_item("level")? {
        return Ok(Scope::Level(level.extract::<Int<u32>>()?.0));
    }
    if let Some(payout) = wire.get_item("payout")? {
        let payout = payout.cast::<PyDict>()?;
        let window = window(py, &text(payout, "window")?)?;
        let Int(index) = member(payout, "index")?.extract::<Int<i64>>()?;
        let board = BoardId::new(&text(payout, "board")?).or_raise(py)?;
        return Ok(Scope::Payout { board, period: Period { window, index }, tier: id(py, payout, "tier")? });
    }
    let event = member(wire, "event")?;
    let event = event.cast::<PyDict>()?;
    Ok(Scope::Event { id: EventId::new(&text(event, "id")?).or_raise(py)?, ts: time(event)? })
}

fn member<'py>(wire: &Bound<'py, PyDict>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let missing = || argument(wire.py(), Code::Missing, &format!("a receipt has {name}"));
    wire.get_item(name)?.ok_or_else(missing)
}

fn text(wire: &Bound<'_, PyDict>, name: &str) -> PyResult<String> {
    member(wire, name)?.extract()
}

fn id(py: Python<'_>, wire: &Bound<'_, PyDict>, name: &str) -> PyResult<Id> {
    Id::new(&text(wire, name)?).or_raise(py)
}

fn time(wire: &Bound<'_, PyDict>) -> PyResult<Timestamp> {
    Ok(Timestamp::from_unix_millis(member(wire, "ts")?.extract::<Int<i64>>()?.0))
}
