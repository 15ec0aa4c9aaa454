//! Signatures, and the secrets they are made with.

use liveops_core::error::Code;
use liveops_core::signing::{self, KeyRing, Scheme};
use liveops_core::{Id, Timestamp};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arguments::{Bytes, HeaderPairs, Int, Listed, When, instant, player};
use crate::errors::{Fallible as _, Raise as _, argument, fail};
use crate::results::verified;

/// A shared secret of 24 to 64 bytes, written `whsec_<base64>`. Never shown.
///
/// What Python gives is copied. The copy in here is wiped when it is dropped; the str or bytes that it was made from are
/// Python's, stay in memory for as long as Python likes, and cannot be wiped.
///
/// >>> secret = Secret.generate()
/// >>> secret
/// Secret(..)
/// >>> Secret(secret.to_whsec()).to_whsec() == secret.to_whsec()
/// True
#[pyclass(module = "liveops", frozen)]
pub(crate) struct Secret(signing::Secret);

#[pymethods]
impl Secret {
    #[new]
    fn new(py: Python<'_>, whsec: &str) -> PyResult<Self> {
        signing::Secret::parse(whsec).or_raise(py).map(Self)
    }

    /// From 24 to 64 raw bytes.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: Bytes<'_>) -> PyResult<Self> {
        signing::Secret::from_bytes(bytes.as_slice()).or_raise(py).map(Self)
    }

    /// From 1 to 4096 raw bytes: for secrets that are already in use and cannot be changed. A short one can be guessed from
    /// a single signed message.
    #[staticmethod]
    fn short(py: Python<'_>, bytes: Bytes<'_>) -> PyResult<Self> {
        signing::Secret::short(bytes.as_slice()).or_raise(py).map(Self)
    }

    /// A new one, from the system's random generator.
    #[staticmethod]
    fn generate(py: Python<'_>) -> PyResult<Self> {
        let entropy: [u8; 32] = py.import("os")?.call_method1("urandom", (32,))?.extract()?;
        Ok(Self(signing::Secret::generate(entropy)))
    }

    /// `whsec_<base64>`, to hand to the other side. A str of Python, and so never wiped.
    fn to_whsec(&self) -> String {
        self.0.to_whsec()
    }

    #[expect(clippy::unused_self, reason = "a method of Python")]
    fn __repr__(&self) -> &'static str {
        "Secret(..)"
    }
}

/// A new secret, `whsec_<base64>`, from the system's random generator.
#[pyfunction]
pub(crate) fn generate_secret(py: Python<'_>) -> PyResult<String> {
    Secret::generate(py).map(|secret| secret.to_whsec())
}

/// HMAC-SHA256 of data under a secret of any length, as 64 lower-case hex digits.
#[pyfunction]
pub(crate) fn hmac_sha256_hex(secret: Bytes<'_>, data: Bytes<'_>) -> String {
    signing::hmac_sha256_hex(secret.as_slice(), data.as_slice())
}

/// Whether `mac` is `hmac_sha256_hex` of the data. Compared in constant time.
#[pyfunction]
pub(crate) fn verify_hmac_sha256_hex(secret: Bytes<'_>, data: Bytes<'_>, mac: &str) -> bool {
    signing::verify_hmac_sha256_hex(secret.as_slice(), data.as_slice(), mac)
}

/// A secret with a name, dates and perhaps the one player it speaks for. Valid from `not_before` through `not_after`, both
/// inclusive, in Unix milliseconds or as aware datetimes. The secret is copied, as `Secret` says.
///
/// Keys in use go together into a `Verifier`, `Signer` or `Intake` as `keys=`: they sign with the newest valid one and verify with
/// any valid one, or with the one that `webhook-key-id` names.
///
/// >>> change, hour = 1_794_009_600_000, 3_600_000
/// >>> keys = [
/// ...     Key("2025", Secret.generate(), not_after=change + hour),
/// ...     Key("2026", Secret.generate(), not_before=change),
/// ... ]
/// >>> headers = Signer(keys=keys).sign("evt_1", b"{}", now_ms=change)
/// >>> headers.get("webhook-key-id")
/// '2026'
/// >>> Verifier(keys=keys).verify(headers, b"{}", now_ms=change).key_id
/// '2026'
#[pyclass(module = "liveops", frozen)]
pub(crate) struct Key(signing::Key, Id);

#[pymethods]
impl Key {
    #[new]
    #[pyo3(signature = (id, secret, *, not_before=None, not_after=None, player_id=None))]
    fn new(
        py: Python<'_>,
        id: &str,
        secret: AnySecret,
        not_before: Option<When>,
        not_after: Option<When>,
        player_id: Option<&str>,
    ) -> PyResult<Self> {
        let id = Id::new(id).or_raise(py)?;
        let key = signing::Key::new(id.clone(), &secret.0)
            .not_before(not_before.map_or(Timestamp::MIN, |when| when.0))
            .not_after(not_after.map_or(Timestamp::MAX, |when| when.0));
        let key = match player_id {
            Some(bound) => key.for_player(player(py, bound)?),
            None => key,
        };
        Ok(Self(key, id))
    }

    /// Its name.
    #[getter]
    fn id(&self) -> &str {
        self.1.as_str()
    }

    fn __repr__(&self) -> String {
        format!("Key('{}', ..)", self.1)
    }
}

/// `whsec_...` or a `Secret`.
pub(crate) struct AnySecret(signing::Secret);

impl<'a, 'py> FromPyObject<'a, 'py> for AnySecret {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(secret) = value.cast::<Secret>() {
            return Ok(Self(secret.get().0.clone()));
        }
        let Ok(text) = value.extract::<&str>() else {
            return Err(PyTypeError::new_err("a secret is a str, whsec_<base64>, or a Secret"));
        };
        signing::Secret::parse(text).or_raise(value.py()).map(Self)
    }
}

/// One secret, or the keys of a ring; `None` if there is neither.
pub(crate) fn ring(
    py: Python<'_>,
    secret: Option<AnySecret>,
    keys: Option<Listed<Py<Key>>>,
) -> PyResult<Option<KeyRing>> {
    match (secret, keys) {
        (Some(_), Some(_)) => Err(PyTypeError::new_err("give secret or keys, not both")),
        (Some(secret), None) => Ok(Some(KeyRing::from(&secret.0))),
        (None, Some(Listed(keys))) => KeyRing::new(keys.iter().map(|key| key.get().0.clone())).or_raise(py).map(Some),
        (None, None) => Ok(None),
    }
}

/// `standard`, `legacyBody` or `legacyBodyTimestamp`.
pub(crate) fn scheme(py: Python<'_>, name: &str) -> PyResult<Scheme> {
    match name {
        "standard" => Ok(Scheme::Standard),
        "legacyBody" => Ok(Scheme::LegacyBody),
        "legacyBodyTimestamp" => Ok(Scheme::LegacyBodyTimestamp),
        _ => Err(argument(py, Code::InvalidArgument, "a scheme is standard, legacyBody or legacyBodyTimestamp")),
    }
}

pub(crate) fn required(py: Python<'_>, ring: Option<KeyRing>) -> PyResult<KeyRing> {
    ring.ok_or_else(|| fail(py, Code::SecretInvalid))
}

/// Seconds that a signature's time may lie from now.
pub(crate) fn tolerance(py: Python<'_>, seconds: Int<i64>) -> PyResult<i64> {
    if seconds.0 < 0 { Err(argument(py, Code::OutOfRange, "a tolerance is 0 seconds or more")) } else { Ok(seconds.0) }
}

/// Tells whether messages come from someone who has a secret: `whsec_...` or a `Secret`, or `keys`.
///
/// `tolerance_seconds`: how far a signature's time may lie from now, both ways. `body_bytes_max`: the longest body that is
/// looked at. A secret given from Python is a copy, and the original cannot be wiped; see `Secret`.
///
/// >>> secret = generate_secret()
/// >>> headers = Signer(secret).sign("evt_1", b"{}")
/// >>> Verifier(secret).verify(headers, b"{}").message_id
/// 'evt_1'
/// >>> answers = Verifier(secret).verify_batch([(headers, b"{}"), (headers, b"[]")])
/// >>> answers[0].message_id, answers[1].code
/// ('evt_1', 'signature_mismatch')
#[pyclass(module = "liveops", frozen)]
pub(crate) struct Verifier(signing::Verifier);

#[pymethods]
impl Verifier {
    #[new]
    #[pyo3(
        signature = (secret=None, *, keys=None, scheme="standard", tolerance_seconds=Int(300),
                     body_bytes_max=Int(65_536)),
        text_signature = "(secret=None, *, keys=None, scheme='standard', tolerance_seconds=300, body_bytes_max=65536)"
    )]
    fn new(
        py: Python<'_>,
        secret: Option<AnySecret>,
        keys: Option<Listed<Py<Key>>>,
        scheme: &str,
        tolerance_seconds: Int<i64>,
        body_bytes_max: Int<usize>,
    ) -> PyResult<Self> {
        let verifier = signing::Verifier::with_ring(required(py, ring(py, secret, keys)?)?);
        let verifier = verifier.scheme(self::scheme(py, scheme)?).tolerance_seconds(tolerance(py, tolerance_seconds)?);
        Ok(Self(verifier.body_bytes_max(body_bytes_max.0)))
    }

    /// Verifies the body as received, byte by byte. Raises `SignatureError`.
    #[pyo3(signature = (headers, body, *, now_ms=None, now=None))]
    fn verify<'py>(
        &self,
        py: Python<'py>,
        headers: HeaderPairs,
        body: Bytes<'py>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let now = instant(py, now_ms, now)?;
        let found = self.0.verify(&headers.read(), body.as_slice(), now).or_raise(py)?;
        verified(py, &found)
    }

    /// Verifies many messages, each a pair of headers and body, at one time: one answer for each, in order, `Verified` or
    /// the `SignatureError` that `verify` would raise. Other threads of Python run meanwhile.
    #[pyo3(signature = (messages, *, now_ms=None, now=None))]
    fn verify_batch<'py>(
        &self,
        py: Python<'py>,
        messages: &Bound<'py, PyAny>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let now = instant(py, now_ms, now)?;
        let Listed(messages) = messages.extract::<Listed<(HeaderPairs, Bytes<'_>)>>()?;
        let read: Vec<_> = messages.iter().map(|(headers, body)| (headers.read(), body.as_slice())).collect();
        let answers = py.detach(|| self.0.verify_batch(read.iter().map(|(headers, body)| (headers, *body)), now));
        let answer = |answer: Result<signing::Verified, signing::SignatureError>| match answer {
            Ok(found) => verified(py, &found),
            Err(error) => Ok(error.raise(py).into_value(py).into_bound(py).into_any()),
        };
        PyList::new(py, answers.into_iter().map(answer).collect::<PyResult<Vec<_>>>()?)
    }
}

/// Signs messages, with a secret or the newest valid key. A secret given from Python is a copy, and the original cannot be
/// wiped; see `Secret`.
///
/// >>> tuple(Signer(generate_secret()).sign("evt_1", b"{}"))
/// ('webhook-id', 'webhook-timestamp', 'webhook-signature')
#[pyclass(module = "liveops", frozen)]
pub(crate) struct Signer(signing::Signer);

#[pymethods]
impl Signer {
    #[new]
    #[pyo3(signature = (secret=None, *, keys=None, scheme="standard"))]
    fn new(py: Python<'_>, secret: Option<AnySecret>, keys: Option<Listed<Py<Key>>>, scheme: &str) -> PyResult<Self> {
        let signer = signing::Signer::with_ring(required(py, ring(py, secret, keys)?)?);
        Ok(Self(signer.scheme(self::scheme(py, scheme)?)))
    }

    /// The headers to send with a message, by lower-case name. `id` is `[A-Za-z0-9_-]{1,64}`; legacy schemes do not send it.
    #[pyo3(signature = (id, body, *, now_ms=None, now=None))]
    fn sign<'py>(
        &self,
        py: Python<'py>,
        id: &str,
        body: Bytes<'py>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let signed = self.0.sign(id, body.as_slice(), instant(py, now_ms, now)?).or_raise(py)?;
        let headers = PyDict::new(py);
        for (name, value) in signed.pairs() {
            headers.set_item(name, value)?;
        }
        Ok(headers)
    }
}
