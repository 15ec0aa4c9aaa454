//! Chains of receipts.

use liveops_core::reward::{receipts_from_json, verify_chain as verify};
use pyo3::prelude::*;

use crate::errors::Fallible as _;
use crate::rules::digest;

/// Checks a player's receipts, oldest first, against the hash of the newest, as `Engine.chain_head` gives it. None if the
/// chain holds, else the number of the last receipt before the break.
#[pyfunction]
pub(crate) fn verify_chain(py: Python<'_>, receipts: Vec<Bound<'_, PyAny>>, head: &str) -> PyResult<Option<u64>> {
    let wire: Vec<_> = receipts.iter().map(|receipt| receipt.call_method0("to_dict")).collect::<PyResult<_>>()?;
    let json: String = py.import("json")?.call_method1("dumps", (wire,))?.extract()?;
    let receipts = receipts_from_json(json.as_bytes()).map_err(liveops_core::Error::from).or_raise(py)?;
    Ok(verify(&receipts, digest(py, head)?).err().map(|broken| broken.number))
}
