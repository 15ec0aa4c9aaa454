//! Receipts: their ids, their chain and their signatures.

use liveops_core::hash::Digest;
use liveops_core::limits::LIST_LEN_MAX;
use liveops_core::record::{ReceiptName, sign_receipt as sign, verify_receipt as verify_tag};
use liveops_core::reward::{
    BrokenLink, Receipt, ReceiptError, receipt_id as id_of, receipts_from_json, verify_chain as verify,
};
use liveops_core::signing::KeyTag;
use liveops_core::{Id, PlayerId};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyString, PyTuple};

use crate::arguments::{Bytes, Int, Listed, When, each, player};
use crate::errors::Fallible as _;
use crate::results::plain;
use crate::rules::digest;
use crate::signing::{Key, required, ring};

/// Checks a player's receipts, oldest first, against the hash of the newest, as `Engine.chain_head` gives it. None if the
/// chain holds, else the number of the last receipt before the break.
///
/// Receipts are a list of `Receipt` or of their dicts, or a JSON array of them as `str` or UTF-8 `bytes`. The oldest may have
/// been trimmed. Raises `ValidationError` for what are no receipts. Other threads of Python run meanwhile.
#[pyfunction]
pub(crate) fn verify_chain(py: Python<'_>, receipts: Receipts, head: &str) -> PyResult<Option<u64>> {
    let head = digest(py, head)?;
    let checked = py.detach(|| receipts.parse().map(|receipts| verify(&receipts, head)));
    Ok(checked.or_raise(py)?.err().map(|BrokenLink { number }| number))
}

/// Names a reward by what it is given for, 64 hex digits: the same for the same reward, whenever it is computed. `game` as
/// in the rules; `scope` is a `Scope`, or its dict. `index` tells apart what one reward gives several of in one scope.
///
/// >>> receipt_id("emberfall", "ana", "level-gold", Scope(level=2))
/// 'a76289df63fa4752f272b4e4ca2735d9f99b3958396cf8e46ec2b43d6bd98edc'
#[pyfunction]
#[pyo3(
    signature = (game, player_id, reward, scope, index=Int(0)),
    text_signature = "(game, player_id, reward, scope, index=0)"
)]
pub(crate) fn receipt_id(
    py: Python<'_>,
    game: &str,
    player_id: &str,
    reward: &str,
    scope: &Bound<'_, PyAny>,
    index: Int<u32>,
) -> PyResult<String> {
    let (owner, reward): (PlayerId, _) = (player(py, player_id)?, Id::new(reward).or_raise(py)?);
    // The core reads scopes as parts of receipts.
    let (scope, digest) = (dumps(&wire(scope, "a Scope is meant, or its dict")?)?, Digest::default());
    let receipt = format!(
        r#"[{{"number":1,"id":"{digest}","reward":"r","scope":{scope},"items":[],
            "cause":{{"origin":"event","id":"e"}},"ts":0,"rules":"{digest}","previous":"{digest}"}}]"#
    );
    let receipt = only(receipt.as_bytes()).or_raise(py)?;
    Ok(id_of(game, &owner, &reward, &receipt.scope, index.0).to_hex())
}

/// Signs a receipt, for whoever shows it to others, with the newest of the keys that were valid at the receipt's own time:
/// `v1,<64 hex digits>,<key id>`. Its state does not count: it changes, and the signature holds. Raises `SignatureError`
/// with `unknown_key` if no key was valid then.
///
/// >>> receipt = Receipt.from_dict({
/// ...     "number": 1, "id": "00" * 32, "reward": "gold", "scope": {"level": 2}, "items": [],
/// ...     "cause": {"origin": "event", "id": "e1"}, "ts": 1794052800000, "rules": "07" * 32, "previous": "00" * 32,
/// ... })
/// >>> keys = [Key("2026", Secret.generate())]
/// >>> tag = sign_receipt(receipt, keys)
/// >>> verify_receipt(receipt, tag, keys)
#[pyfunction]
pub(crate) fn sign_receipt(py: Python<'_>, receipt: OneReceipt, keys: Listed<Py<Key>>) -> PyResult<String> {
    let ring = required(py, ring(py, None, Some(keys))?)?;
    Ok(sign(&ring, &receipt.0).or_raise(py)?.to_string())
}

/// Checks a receipt's signature. Raises `SignatureError`: `unknown_key` if the keys have none of the name, or it was not valid
/// at the receipt's time; `signature_mismatch`; `malformed_header` for what is no signature.
#[pyfunction]
pub(crate) fn verify_receipt(py: Python<'_>, receipt: OneReceipt, tag: &str, keys: Listed<Py<Key>>) -> PyResult<()> {
    let tag: KeyTag = tag.parse().or_raise(py)?;
    let ring = required(py, ring(py, None, Some(keys))?)?;
    verify_tag(&ring, &receipt.0, &tag).or_raise(py)
}

/// What the next receipt points back to, 64 hex digits; for `Receipt.hash`.
#[pyfunction]
pub(crate) fn receipt_hash(receipt: OneReceipt) -> String {
    receipt.0.hash().to_hex()
}

/// Where it stands at a time; for `Receipt.state_at`.
#[pyfunction]
pub(crate) fn receipt_state_at(py: Python<'_>, receipt: OneReceipt, now: When) -> PyResult<Bound<'_, PyAny>> {
    plain(py, &receipt.0.state_at(now.0))
}

/// Names one receipt: whatever has its number and id, a dict of them, or a tuple.
pub(crate) struct Named(pub(crate) ReceiptName);

impl<'py> FromPyObject<'_, 'py> for Named {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = value.py();
        let wrong = |_| PyTypeError::new_err("a Receipt is meant, its dict, or a tuple of its number and id");
        let (number, id) = if let Ok(pair) = value.cast::<PyTuple>() {
            pair.extract().map_err(wrong)?
        } else {
            let is_dict = value.is_instance_of::<PyDict>();
            let part = |name| if is_dict { value.get_item(name) } else { value.getattr(name) };
            let [number, id] = [intern!(py, "number"), intern!(py, "id")].map(|name| part(name).map_err(wrong));
            (number?, id?)
        };
        let Int(number) = number.extract::<Int<u64>>()?;
        Ok(Self(ReceiptName { number, id: digest(py, id.extract()?)? }))
    }
}

/// Receipts as their JSON, not yet read.
pub(crate) enum Receipts {
    Text(PyBackedStr),
    Bytes(PyBackedBytes),
}

impl<'py> FromPyObject<'_, 'py> for Receipts {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if value.is_instance_of::<PyString>() {
            return value.extract().map(Self::Text);
        }
        let is_bytes = value.is_instance_of::<PyBytes>()
            || value.is_instance_of::<PyByteArray>()
            || value.is_instance_of::<PyMemoryView>();
        if is_bytes {
            return Ok(Self::Bytes(value.extract::<Bytes<'_>>()?.backed()));
        }
        let wires = each(&value, LIST_LEN_MAX, |receipt| receipt_wire(&receipt))?;
        dumps(&wires.into_pyobject(value.py())?).map(Self::Text)
    }
}

impl Receipts {
    fn parse(&self) -> Result<Vec<Receipt>, ReceiptError> {
        match self {
            Self::Text(text) => receipts_from_json(text.as_bytes()),
            Self::Bytes(bytes) => receipts_from_json(bytes),
        }
    }
}

/// A `Receipt`, or its dict.
pub(crate) struct OneReceipt(pub(crate) Receipt);

impl<'py> FromPyObject<'_, 'py> for OneReceipt {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let text = dumps(&receipt_wire(&value)?)?;
        only(format!("[{text}]").as_bytes()).or_raise(value.py()).map(Self)
    }
}

fn receipt_wire<'py>(receipt: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    wire(receipt, "a Receipt is meant, or its dict")
}

/// The dict of a result, or one that is such a dict already.
fn wire<'py>(value: &Bound<'py, PyAny>, advice: &'static str) -> PyResult<Bound<'py, PyAny>> {
    if value.is_instance_of::<PyDict>() {
        return Ok(value.clone());
    }
    let to_dict = value.getattr(intern!(value.py(), "to_dict")).map_err(|_| PyTypeError::new_err(advice))?;
    to_dict.call0()
}

fn dumps(value: &Bound<'_, PyAny>) -> PyResult<PyBackedStr> {
    static DUMPS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    DUMPS.import(value.py(), "json", "dumps")?.call1((value,))?.extract()
}

/// Of a list of one, with places as if it stood alone.
fn only(json: &[u8]) -> Result<Receipt, ReceiptError> {
    let alone = |error: ReceiptError| {
        let path = error.path.strip_prefix("/0").unwrap_or(&error.path).to_owned();
        ReceiptError { path, ..error }
    };
    Ok(receipts_from_json(json).map_err(alone)?.swap_remove(0))
}
