//! What Python hands in, made into the core's types: strictly, so that no value silently becomes another one.

use std::time::SystemTime;

use liveops_core::board::Cursor;
use liveops_core::error::Code;
use liveops_core::limits::LIST_LEN_MAX;
use liveops_core::signing::Headers;
use liveops_core::{Period, PlayerId, Timestamp, Window};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyFloat, PyInt, PyList, PyMemoryView, PyString, PyTuple, PyType};

use crate::errors::{Fallible as _, argument, fail};

/// An integer: no bool, no float.
#[derive(Clone, Copy, IntoPyObject)]
#[pyo3(transparent)]
pub(crate) struct Int<T>(pub(crate) T);

impl<'a, 'py, T: TryFrom<i64>> FromPyObject<'a, 'py> for Int<T> {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if value.is_instance_of::<PyBool>() {
            return Err(PyTypeError::new_err("an int is meant, not a bool"));
        }
        if value.is_instance_of::<PyFloat>() {
            return Err(PyTypeError::new_err("an int is meant, not a float"));
        }
        // Straight on for what nearly every caller has: a batch asks this of each value.
        if value.is_exact_instance_of::<PyInt>() {
            return narrowed(value.py(), value.extract::<i64>().ok());
        }
        // `__index__`, so that other exact integers (numpy's, say) are welcome.
        let index = value.call_method0(intern!(value.py(), "__index__"));
        let index = index.map_err(|_| PyTypeError::new_err("an int is meant"))?;
        narrowed(value.py(), index.extract::<i64>().ok())
    }
}

fn narrowed<T: TryFrom<i64>>(py: Python<'_>, number: Option<i64>) -> PyResult<Int<T>> {
    number.and_then(|number| T::try_from(number).ok()).map(Int).ok_or_else(|| fail(py, Code::OutOfRange))
}

/// An exact number as the text that the core reads: "1.2" or "4/3", an integer, a `Fraction` or a `Decimal`. No float: 1.2
/// has no exact binary form.
pub(crate) struct Exact(pub(crate) String);

impl<'a, 'py> FromPyObject<'a, 'py> for Exact {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        static FRACTION: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let py = value.py();
        if value.is_instance_of::<PyFloat>() {
            // Of the number itself: numpy's floats are floats that show themselves in another way.
            let advice = format!("a float is not exact: write \"{}\"", PyFloat::new(py, value.extract()?).repr()?);
            return Err(PyTypeError::new_err(advice));
        }
        if let Ok(text) = value.extract::<String>() {
            return Ok(Self(text));
        }
        if value.is_instance(FRACTION.import(py, "fractions", "Fraction")?)? {
            return value.str()?.extract().map(Self);
        }
        if value.is_instance(DECIMAL.import(py, "decimal", "Decimal")?)? {
            // Without an exponent.
            return value.call_method1(intern!(py, "__format__"), ("f",))?.extract().map(Self);
        }
        value.extract::<Int<i64>>().map(|Int(whole)| Self(whole.to_string()))
    }
}

/// A float or an integer, no bool: what detectors observe.
#[derive(Clone, Copy, IntoPyObject)]
#[pyo3(transparent)]
pub(crate) struct Number(pub(crate) f64);

impl<'a, 'py> FromPyObject<'a, 'py> for Number {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if value.is_instance_of::<PyBool>() {
            return Err(PyTypeError::new_err("a number is meant, not a bool"));
        }
        value.extract().map(Self).map_err(|error: PyErr| {
            // An integer beyond all floats.
            let py = value.py();
            if error.is_instance_of::<PyOverflowError>(py) { fail(py, Code::OutOfRange) } else { error }
        })
    }
}

/// What is made of each of a list's values, at most so many. Grows as it reads: by its length, which may be a lie, a list
/// is refused at most.
pub(crate) fn each<'py, T>(
    values: &Bound<'py, PyAny>,
    len_max: usize,
    mut make: impl FnMut(Bound<'py, PyAny>) -> PyResult<T>,
) -> PyResult<Vec<T>> {
    if values.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err("a list is meant, not a str"));
    }
    if values.len().is_ok_and(|len| len > len_max) {
        return Err(too_long(values.py(), len_max));
    }
    let mut list = Vec::new();
    for value in values.try_iter()? {
        if list.len() == len_max {
            return Err(too_long(values.py(), len_max));
        }
        list.push(make(value?)?);
    }
    Ok(list)
}

pub(crate) fn too_long(py: Python<'_>, len_max: usize) -> PyErr {
    argument(py, Code::TooLong, &format!("a list has at most {len_max} values here"))
}

/// A list of values of one type.
pub(crate) struct Listed<T>(pub(crate) Vec<T>);

impl<'py, T: FromPyObjectOwned<'py>> FromPyObject<'_, 'py> for Listed<T> {
    type Error = PyErr;

    fn extract(values: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        each(&values, LIST_LEN_MAX, |value| value.extract::<T>().map_err(Into::into)).map(Self)
    }
}

/// Bytes as they were received: `bytes` without a copy; `bytearray` and `memoryview`, which could change, by copy.
pub(crate) struct Bytes<'py>(Bound<'py, PyBytes>);

impl Bytes<'_> {
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The same for whoever keeps them.
    pub(crate) fn backed(self) -> PyBackedBytes {
        self.0.into()
    }
}

impl<'py> FromPyObject<'_, 'py> for Bytes<'py> {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = value.cast::<PyBytes>() {
            return Ok(Self(bytes.to_owned()));
        }
        if value.is_instance_of::<PyByteArray>() || value.is_instance_of::<PyMemoryView>() {
            let bytes = value.py().get_type::<PyBytes>().call1((value,))?;
            return Ok(Self(bytes.cast_into()?));
        }
        Err(PyTypeError::new_err("bytes are meant, as they were received: a str has lost its encoding"))
    }
}

/// `now_ms=` or `now=`, or else the clock.
pub(crate) fn instant(py: Python<'_>, now_ms: Option<Int<i64>>, now: Option<&Bound<'_, PyAny>>) -> PyResult<Timestamp> {
    match given(now_ms, now)? {
        Some(given) => Ok(given),
        None => clock(py),
    }
}

/// What the clock says: the only place of the module that reads it.
pub(crate) fn clock(py: Python<'_>) -> PyResult<Timestamp> {
    #[expect(clippy::disallowed_methods, reason = "a binding is the edge at which the clock is read")]
    let now = SystemTime::now();
    Timestamp::try_from(now).or_raise(py)
}

/// `now_ms=` or `now=`, for calls that are also made without a time.
pub(crate) fn given(now_ms: Option<Int<i64>>, now: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Timestamp>> {
    match (now_ms, now) {
        (Some(_), Some(_)) => Err(PyTypeError::new_err("give now_ms or now, not both")),
        (Some(Int(millis)), None) => Ok(Some(Timestamp::from_unix_millis(millis))),
        (None, Some(now)) => from_datetime(now).map(Some),
        (None, None) => Ok(None),
    }
}

/// A time that is not now: an integer of Unix milliseconds or an aware datetime.
pub(crate) struct When(pub(crate) Timestamp);

impl<'py> FromPyObject<'_, 'py> for When {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        // Straight on for what is given with every event.
        if !value.is_exact_instance_of::<PyInt>() && value.hasattr(intern!(value.py(), "utcoffset"))? {
            return from_datetime(&value).map(Self);
        }
        value.extract::<Int<i64>>().map(|Int(millis)| Self(Timestamp::from_unix_millis(millis)))
    }
}

fn from_datetime(value: &Bound<'_, PyAny>) -> PyResult<Timestamp> {
    let py = value.py();
    let Ok(offset) = value.call_method0(intern!(py, "utcoffset")) else {
        return Err(PyTypeError::new_err("now is an aware datetime; for milliseconds there is now_ms"));
    };
    if offset.is_none() {
        let advice = "a naive datetime names no instant: give it a time zone, such as datetime.now(timezone.utc)";
        return Err(argument(py, Code::InvalidArgument, advice));
    }
    let time: SystemTime = value.extract().map_err(|_| fail(py, Code::OutOfRange))?;
    Timestamp::try_from(time).or_raise(py)
}

/// `daily`, `weekly`, `monthly`, `seasonal` or `allTime`.
pub(crate) fn window(py: Python<'_>, name: &str) -> PyResult<Window> {
    Window::from_text(name).ok_or_else(|| {
        let names: Vec<_> = Window::ALL.iter().map(|window| window.as_str()).collect();
        argument(py, Code::UnknownWindow, &format!("a window is one of {}", names.join(", ")))
    })
}

/// What a board is read of: a window, whose current period is meant, or one period.
#[derive(Clone, Copy)]
pub(crate) enum Stretch {
    Window(Window),
    Period(Period),
}

impl<'py> FromPyObject<'_, 'py> for Stretch {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match value.cast::<PyString>() {
            Ok(name) => window(value.py(), name.to_str()?).map(Self::Window),
            Err(_) => value.extract().map(|One(period)| Self::Period(period)),
        }
    }
}

/// One period, as `Period` or whatever else has its window and index.
pub(crate) struct One(pub(crate) Period);

impl<'py> FromPyObject<'_, 'py> for One {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = value.py();
        let part = |name| value.getattr(name).map_err(|_| PyTypeError::new_err("a Period is meant"));
        let window = window(py, part(intern!(py, "window"))?.extract()?)?;
        let Int(index) = part(intern!(py, "index"))?.extract::<Int<i64>>()?;
        Ok(Self(Period { window, index }))
    }
}

/// The end of a page, as the text that was handed out.
pub(crate) fn cursor(py: Python<'_>, text: Option<&str>) -> PyResult<Option<Cursor>> {
    text.map(|text| text.parse().or_raise(py)).transpose()
}

/// An owner of boards and records.
pub(crate) fn player(py: Python<'_>, id: &str) -> PyResult<PlayerId> {
    PlayerId::new(id).or_raise(py)
}

/// Names and values of a request, from any mapping or any pairs. What has `items()` is asked for them, which gives
/// repeated headers as often as they came.
pub(crate) struct HeaderPairs(Vec<(PyBackedStr, PyBackedStr)>);

impl<'py> FromPyObject<'_, 'py> for HeaderPairs {
    type Error = PyErr;

    fn extract(headers: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let items = intern!(headers.py(), "items");
        let pairs = if headers.hasattr(items)? { headers.call_method0(items)? } else { headers.to_owned() };
        let read = |pair| {
            let (name, value) = name_and_value(&pair)?;
            Ok((header_text(name)?, header_text(value)?))
        };
        each(&pairs, LIST_LEN_MAX, read).map(Self)
    }
}

impl HeaderPairs {
    /// The headers that matter.
    pub(crate) fn read(&self) -> Headers<'_> {
        Headers::from_pairs(self.0.iter().map(|(name, value)| (&**name, &**value)))
    }
}

/// A tuple, or a list as ASGI allows it. No other sequence: a text of two letters is no header.
fn name_and_value<'py>(pair: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let is_pair = (pair.is_instance_of::<PyTuple>() || pair.is_instance_of::<PyList>()) && pair.len()? == 2;
    if !is_pair {
        return Err(PyTypeError::new_err("headers are a mapping, or pairs of a name and a value"));
    }
    Ok((pair.get_item(0)?, pair.get_item(1)?))
}

/// Servers below the level of frameworks give bytes, which HTTP reads as Latin-1. A text that is no UTF-8 can match nothing,
/// but it must not vanish either.
fn header_text(text: Bound<'_, PyAny>) -> PyResult<PyBackedStr> {
    let py = text.py();
    let text = match text.cast_into::<PyString>() {
        Ok(text) => text,
        Err(other) => {
            let other = other.into_inner();
            let Ok(bytes) = other.cast::<PyBytes>() else {
                return Err(PyTypeError::new_err("names and values of headers are str"));
            };
            let text: String = bytes.as_bytes().iter().map(|byte| char::from(*byte)).collect();
            PyString::new(py, &text)
        }
    };
    PyBackedStr::try_from(text.clone()).or_else(|_| PyBackedStr::try_from(PyString::new(py, &text.to_string_lossy())))
}
