//! The door.

use std::sync::Arc;

use liveops_core::error::Code;
use liveops_core::event::IssueMode;
use liveops_core::intake::{self, Intake as Core};
use liveops_core::shared;
use liveops_core::signing::Trusted;
use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyBool, PyList, PyTuple};

use crate::arguments::{Bytes, HeaderPairs, Int, Listed, instant, player};
use crate::command::Command;
use crate::errors::{Fallible as _, Raise as _, argument, fail};
use crate::process::Owned;
use crate::quota::RateLimiter;
use crate::rules::Rules;
use crate::signing::{AnySecret, Key, ring, scheme, tolerance};

/// Lets events in: size, signature, quota and parsing in one call. Each step is optional.
///
/// `secret` or `keys` verify; a secret given from Python is a copy, and the original cannot be wiped (see `Secret`).
/// `trusted=True` says that the caller knows otherwise who is calling. With a legacy scheme `allow_unsigned_id` takes the event's
/// id from a header that is not signed. `quotas=False` takes no notice of the rules' quotas; a `RateLimiter` counts them, in its
/// capacity, in place of the intake's own; `quota_share` is among how many processes requests are spread, each of which lets its
/// share of every quota through. `first_issue=True` says no more than the first issue of a body.
///
/// >>> rules = Rules.from_json('{"version": 1, "game": "emberfall"}')
/// >>> secret = generate_secret()
/// >>> intake = Intake(rules, secret=secret)
/// >>> body = b'{"type": "progression", "playerId": "ana", "ts": 1794052800, "payload": {"deltaXp": 120}}'
/// >>> headers = Signer(secret).sign("evt_1", body, now_ms=1794052800000)
/// >>> intake.admit(headers, body, now_ms=1794052800000)
/// Command(type='progression', id='evt_1', player_id='ana')
/// >>> unsigned, other = intake.admit_batch([({}, body), (headers, b"{}")], now_ms=1794052800000)
/// >>> unsigned.code, other.code, other.http_status
/// ('missing_header', 'signature_mismatch', 401)
#[pyclass(module = "liveops", frozen)]
pub(crate) struct Intake(Owned<Core>);

#[pymethods]
impl Intake {
    #[new]
    #[pyo3(
        signature = (rules, *, secret=None, keys=None, scheme="standard", tolerance_seconds=Int(300), trusted=false,
                     allow_unsigned_id=false, quotas=Quotas::Own, quota_share=Int(1), first_issue=false),
        text_signature = "(rules, *, secret=None, keys=None, scheme='standard', tolerance_seconds=300, trusted=False, \
                          allow_unsigned_id=False, quotas=..., quota_share=1, first_issue=False)"
    )]
    #[expect(clippy::too_many_arguments, reason = "keywords")]
    fn new(
        py: Python<'_>,
        rules: &Rules,
        secret: Option<AnySecret>,
        keys: Option<Listed<Py<Key>>>,
        scheme: &str,
        tolerance_seconds: Int<i64>,
        trusted: bool,
        allow_unsigned_id: bool,
        quotas: Quotas,
        quota_share: Int<u32>,
        first_issue: bool,
    ) -> PyResult<Self> {
        let builder = Core::builder(rules.0.door()).scheme(self::scheme(py, scheme)?);
        let builder = builder.tolerance_seconds(tolerance(py, tolerance_seconds)?);
        let builder = match (ring(py, secret, keys)?, trusted) {
            (Some(ring), false) => builder.key_ring(ring),
            (None, true) => builder.trusted(),
            (Some(_), true) => {
                let advice = "give a secret or keys, or trusted=True, not both";
                return Err(argument(py, Code::InvalidArgument, advice));
            }
            // Which the core refuses.
            (None, false) => builder,
        };
        let builder = if allow_unsigned_id { builder.allow_unsigned_id() } else { builder };
        let builder = match quotas {
            Quotas::Own => builder,
            Quotas::None => builder.no_quotas(),
            Quotas::Shared(limiter) => builder.quota_store(limiter),
        };
        if quota_share.0 == 0 {
            return Err(fail(py, Code::OutOfRange));
        }
        let builder = builder.quota_share(quota_share.0);
        let builder = if first_issue { builder.issue_mode(IssueMode::First) } else { builder };
        Ok(Self(Owned::new(builder.build().or_raise(py)?)))
    }

    /// Checks size, signature, body and quotas and stamps what comes through with now. Raises `Refusal`.
    ///
    /// `headers`: a mapping or pairs. `address`: the sender's, for quotas per address, which are asked first. For a sender whom the
    /// caller knows by other means no signature is asked for: `trusted_player`, who speaks for this player only, as a game client's
    /// session does, or `trusted=True`, for whoever may speak for all. A `trusted_player` of None is a `TypeError`.
    #[pyo3(signature = (headers, body, *, address=None, trusted=false, trusted_player=Session::Unknown, now_ms=None,
                        now=None))]
    #[expect(clippy::too_many_arguments, reason = "keywords")]
    fn admit(
        &self,
        py: Python<'_>,
        headers: HeaderPairs,
        body: Bytes<'_>,
        address: Option<PyBackedStr>,
        trusted: bool,
        trusted_player: Session,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Command> {
        let (core, now) = (self.0.get(py)?, instant(py, now_ms, now)?);
        let request = Request::new(py, headers, body, address, trusted, trusted_player)?;
        let admitted = core.admit_request(&request.core(), now).or_raise(py)?;
        Ok(Command(admitted.into_command()))
    }

    /// Many requests at one time, each by itself and in order: one answer for each, the `Command`, or the `Refusal` that
    /// `admit` would raise. A request is a `Request`, `(headers, body)` or `(headers, body, address)`. Other threads of
    /// Python run meanwhile.
    #[pyo3(signature = (requests, *, now_ms=None, now=None))]
    fn admit_batch<'py>(
        &self,
        py: Python<'py>,
        requests: &Bound<'py, PyAny>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let (core, now) = (self.0.get(py)?, instant(py, now_ms, now)?);
        let Listed(given) = requests.extract::<Listed<Given>>()?;
        let requests: Vec<_> = given.iter().map(|given| given.get().core()).collect();
        let answers = py.detach(|| core.admit_batch(&requests, now));
        let answer = |answer: Result<intake::Admitted, intake::Refusal>| match answer {
            Ok(admitted) => Command(admitted.into_command()).into_bound_py_any(py),
            Err(refusal) => Ok(refusal.raise(py).into_value(py).into_bound(py).into_any()),
        };
        PyList::new(py, answers.into_iter().map(answer).collect::<PyResult<Vec<_>>>()?)
    }

    /// Tells the intake that the rules were replaced.
    fn replace(&self, py: Python<'_>, rules: &Rules) -> PyResult<()> {
        self.0.get(py)?.replace(&rules.0.door());
        Ok(())
    }
}

/// A request to the door, for `Intake.admit_batch`; the arguments are those of `Intake.admit`.
///
/// >>> body = b'{"id": "e", "type": "progression", "playerId": "ana", "ts": 1794052800, "payload": {"deltaXp": 1}}'
/// >>> intake = Intake(Rules.from_json('{"version": 1, "game": "emberfall"}'), secret=generate_secret())
/// >>> sessions = (Request({}, body, trusted_player=name) for name in ("ana", "bo"))
/// >>> admitted, refused = intake.admit_batch(sessions, now_ms=1794052800000)
/// >>> admitted.player_id, refused.code
/// ('ana', 'key_player_mismatch')
#[pyclass(module = "liveops", frozen)]
pub(crate) struct Request {
    headers: HeaderPairs,
    body: PyBackedBytes,
    address: Option<PyBackedStr>,
    trusted: Option<Trusted>,
}

#[pymethods]
impl Request {
    #[new]
    #[pyo3(signature = (headers, body, *, address=None, trusted=false, trusted_player=Session::Unknown))]
    fn new(
        py: Python<'_>,
        headers: HeaderPairs,
        body: Bytes<'_>,
        address: Option<PyBackedStr>,
        trusted: bool,
        trusted_player: Session,
    ) -> PyResult<Self> {
        let trusted = match (trusted, trusted_player) {
            (false, Session::Unknown) => None,
            (true, Session::Unknown) => Some(Trusted::for_all()),
            (false, Session::Of(id)) => Some(Trusted::player(player(py, &id)?)),
            (true, Session::Of(_)) => return Err(PyTypeError::new_err("give trusted or trusted_player, not both")),
        };
        Ok(Self { headers, body: body.backed(), address, trusted })
    }

    /// Without anything that was sent.
    #[expect(clippy::unused_self, reason = "a method of Python")]
    fn __repr__(&self) -> &'static str {
        "Request(..)"
    }
}

impl Request {
    fn core(&self) -> intake::Request<'_> {
        let request = intake::Request::new(self.headers.read(), &self.body);
        let request = match &self.address {
            Some(address) => request.from_address(address),
            None => request,
        };
        match &self.trusted {
            Some(trusted) => request.from_sender(trusted.clone()),
            None => request,
        }
    }
}

/// Whose session a request comes from. None is no answer: a session that has lost its player must not become one that may
/// speak for all.
enum Session {
    Unknown,
    Of(PyBackedStr),
}

impl FromPyObject<'_, '_> for Session {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if value.is_none() {
            return Err(PyTypeError::new_err("trusted_player is a str: leave it out where no player is known"));
        }
        value.extract().map(Self::Of)
    }
}

/// A request of a batch.
enum Given {
    Whole(Py<Request>),
    Parts(Request),
}

impl<'py> FromPyObject<'_, 'py> for Given {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(request) = value.cast::<Request>() {
            return Ok(Self::Whole(request.to_owned().unbind()));
        }
        let (headers, body, address) = match value.cast::<PyTuple>().map(|tuple| tuple.len()) {
            Ok(2) => {
                let (headers, body) = value.extract()?;
                (headers, body, None)
            }
            Ok(3) => value.extract()?,
            _ => return Err(PyTypeError::new_err("a Request, (headers, body) or (headers, body, address) is meant")),
        };
        Request::new(value.py(), headers, body, address, false, Session::Unknown).map(Self::Parts)
    }
}

impl Given {
    fn get(&self) -> &Request {
        match self {
            Self::Whole(request) => request.get(),
            Self::Parts(request) => request,
        }
    }
}

/// Who counts the rules' quotas.
enum Quotas {
    Own,
    None,
    Shared(Arc<shared::RateLimiter>),
}

impl<'py> FromPyObject<'_, 'py> for Quotas {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(limiter) = value.cast::<RateLimiter>() {
            return Ok(Self::Shared(Arc::clone(limiter.get().get(value.py())?)));
        }
        match value.cast::<PyBool>() {
            Ok(own) => Ok(if own.is_true() { Self::Own } else { Self::None }),
            Err(_) => Err(PyTypeError::new_err("quotas are True, False or a RateLimiter")),
        }
    }
}
