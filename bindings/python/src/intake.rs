//! The door.

use liveops_core::error::Code;
use liveops_core::intake::{Intake as Core, Request};
use liveops_core::signing::Headers;
use pyo3::prelude::*;

use crate::arguments::{Bytes, HeaderPairs, Int, instant};
use crate::command::Command;
use crate::errors::{Fallible as _, argument};
use crate::process::Owned;
use crate::rules::Rules;
use crate::signing::{AnySecret, Key, ring, scheme};

/// Lets events in: size, signature, quota and parsing in one call.
#[pyclass(module = "liveops", frozen)]
pub(crate) struct Intake(Owned<Core>);

#[pymethods]
impl Intake {
    /// `secret` or `keys` verify; `trusted=True` says that the caller knows otherwise who is calling. `quotas=False`
    /// takes no notice of the rules' quotas.
    #[new]
    #[pyo3(signature = (rules, *, secret=None, keys=None, scheme="standard", tolerance_seconds=Int(300),
                        trusted=false, allow_unsigned_id=false, quotas=true))]
    #[expect(clippy::too_many_arguments, reason = "keywords")]
    fn new(
        py: Python<'_>,
        rules: &Rules,
        secret: Option<AnySecret>,
        keys: Option<Vec<Py<Key>>>,
        scheme: &str,
        tolerance_seconds: Int<i64>,
        trusted: bool,
        allow_unsigned_id: bool,
        quotas: bool,
    ) -> PyResult<Self> {
        let builder = Core::builder(rules.0.door()).scheme(self::scheme(py, scheme)?);
        let builder = builder.tolerance_seconds(tolerance_seconds.0);
        let builder = match (ring(py, secret, keys)?, trusted) {
            (Some(ring), false) => builder.key_ring(ring),
            (None, true) => builder.trusted(),
            _ => {
                let advice = "an intake needs a secret or keys, or else trusted=True";
                return Err(argument(py, Code::InvalidArgument, advice));
            }
        };
        let builder = if allow_unsigned_id { builder.allow_unsigned_id() } else { builder };
        let builder = if quotas { builder } else { builder.no_quotas() };
        Ok(Self(Owned::new(builder.build().or_raise(py)?)))
    }

    /// Checks size, signature, quota and body, in this order, and stamps what comes through with now. Raises `Refusal`.
    /// `headers`: a mapping or pairs. `address`: the sender's, for quotas per address.
    #[pyo3(signature = (headers, body, *, address=None, now_ms=None, now=None))]
    fn admit(
        &self,
        py: Python<'_>,
        headers: HeaderPairs<'_>,
        body: Bytes<'_>,
        address: Option<&str>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Command> {
        let (core, now) = (self.0.get(py)?, instant(py, now_ms, now)?);
        let admit = |headers: &Headers<'_>| {
            let request = Request::new(*headers, body.as_slice());
            core.admit_request(&address.map_or(request.clone(), |address| request.from_address(address)), now)
        };
        let admitted = headers.with(admit).or_raise(py)?;
        Ok(Command(admitted.into_command()))
    }

    /// Tells the intake that the rules were replaced.
    fn replace(&self, py: Python<'_>, rules: &Rules) -> PyResult<()> {
        self.0.get(py)?.replace(&rules.0.door());
        Ok(())
    }
}
