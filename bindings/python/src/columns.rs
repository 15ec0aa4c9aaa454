//! Columns of numbers: memory, which is read where it is (`array.array`, numpy's arrays, `memoryview`), or lists.

use std::borrow::Cow;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

use pyo3::buffer::{Element, PyBuffer, PyUntypedBuffer};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyIterator, PyString, PyType};

use crate::arguments::{Int, Number};

/// Floats, or integers that stand for floats.
pub(crate) enum Floats {
    Memory(PyUntypedBuffer),
    List(Vec<f64>),
}

/// Integers: in memory signed of 64 bits, or unsigned of 32.
pub(crate) enum Integers {
    Memory(PyUntypedBuffer),
    List(Vec<i64>),
}

impl<'py> FromPyObject<'_, 'py> for Floats {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Some(memory) = memory(&value)? {
            return Ok(Self::Memory(memory));
        }
        let numbers = items(&value)?.map(|item| item?.extract::<Number>().map(|Number(number)| number));
        numbers.collect::<PyResult<_>>().map(Self::List)
    }
}

impl<'py> FromPyObject<'_, 'py> for Integers {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Some(memory) = memory(&value)? {
            return Ok(Self::Memory(memory));
        }
        let numbers = items(&value)?.map(|item| item?.extract::<Int<i64>>().map(|Int(number)| number));
        numbers.collect::<PyResult<_>>().map(Self::List)
    }
}

/// The numbers of a column. Threads that do without the interpreter's lock may write into memory meanwhile: each number is
/// read at once, whatever it is by then.
#[derive(Clone)]
pub(crate) enum Cells<'a, T: Clone> {
    Doubles(&'a [AtomicU64]),
    Longs(&'a [AtomicU64]),
    Shorts(&'a [AtomicU32]),
    /// Of a list, or of memory with gaps.
    Plain(Cow<'a, [T]>),
}

impl Floats {
    pub(crate) fn cells(&self, py: Python<'_>) -> PyResult<Cells<'_, f64>> {
        let memory = match self {
            Self::List(list) => return Ok(Cells::Plain(list.into())),
            Self::Memory(memory) => memory,
        };
        if let Ok(doubles) = memory.as_typed::<f64>() {
            return in_place(py, doubles, Cells::Doubles, |number| number);
        }
        match memory.as_typed::<i64>() {
            Ok(longs) => in_place(py, longs, Cells::Longs, float),
            Err(_) => Err(PyTypeError::new_err("memory of floats or signed integers of 64 bits is meant")),
        }
    }
}

impl Integers {
    pub(crate) fn cells(&self, py: Python<'_>) -> PyResult<Cells<'_, i64>> {
        let memory = match self {
            Self::List(list) => return Ok(Cells::Plain(list.into())),
            Self::Memory(memory) => memory,
        };
        if let Ok(longs) = memory.as_typed::<i64>() {
            return in_place(py, longs, Cells::Longs, |number| number);
        }
        match memory.as_typed::<u32>() {
            Ok(shorts) => in_place(py, shorts, Cells::Shorts, i64::from),
            Err(_) => Err(PyTypeError::new_err("memory of integers is meant: signed of 64 bits, or unsigned of 32")),
        }
    }
}

impl<T: Clone> Cells<'_, T> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Doubles(cells) | Self::Longs(cells) => cells.len(),
            Self::Shorts(cells) => cells.len(),
            Self::Plain(cells) => cells.len(),
        }
    }
}

impl Cells<'_, f64> {
    pub(crate) fn float(&self, index: usize) -> Option<f64> {
        match self {
            Self::Doubles(cells) => cells.get(index).map(|cell| f64::from_bits(cell.load(Relaxed))),
            Self::Longs(cells) => cells.get(index).map(|cell| float(cell.load(Relaxed).cast_signed())),
            Self::Shorts(cells) => cells.get(index).map(|cell| cell.load(Relaxed).into()),
            Self::Plain(cells) => cells.get(index).copied(),
        }
    }
}

impl Cells<'_, i64> {
    pub(crate) fn integer(&self, index: usize) -> Option<i64> {
        match self {
            // No column of integers is made of these.
            Self::Doubles(_) => None,
            Self::Longs(cells) => cells.get(index).map(|cell| cell.load(Relaxed).cast_signed()),
            Self::Shorts(cells) => cells.get(index).map(|cell| cell.load(Relaxed).into()),
            Self::Plain(cells) => cells.get(index).copied(),
        }
    }
}

/// The atomic integer of a number's size.
trait Atomic: Element {
    type Atom;
}

impl Atomic for f64 {
    type Atom = AtomicU64;
}

impl Atomic for i64 {
    type Atom = AtomicU64;
}

impl Atomic for u32 {
    type Atom = AtomicU32;
}

/// Where it is; copied if there are gaps in it.
fn in_place<'a, M: Atomic, T: Clone>(
    py: Python<'_>,
    buffer: &'a PyBuffer<M>,
    cells: impl FnOnce(&'a [M::Atom]) -> Cells<'a, T>,
    convert: impl Fn(M) -> T,
) -> PyResult<Cells<'a, T>> {
    match buffer.as_slice_ptr().map(NonNull::cast::<M::Atom>).filter(|start| start.is_aligned()) {
        // SAFETY: the buffer says that so many numbers of this size begin here, without gaps, and that they stay for as
        // long as it is not released, which `'a` does not outlive. Whoever else writes there meanwhile (a thread without the
        // interpreter's lock may) is no trouble for what is atomic; it is only ever read, relaxed and at most 8 bytes
        // at once, which read-only memory allows too.
        Some(start) => Ok(cells(unsafe { NonNull::slice_from_raw_parts(start, buffer.item_count()).as_ref() })),
        None => Ok(Cells::Plain(buffer.to_vec(py)?.into_iter().map(convert).collect())),
    }
}

/// An `array('d')` of these numbers, which numpy takes as it is.
pub(crate) fn doubles<'py>(py: Python<'py>, numbers: &[f64]) -> PyResult<Bound<'py, PyAny>> {
    static ARRAY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let one = PyBytes::new(py, &[0; size_of::<f64>()]);
    let array = ARRAY.import(py, "array", "array")?.call1(("d", one))?.mul(numbers.len())?;
    // What is empty may lie anywhere, and is no buffer of floats then.
    if !numbers.is_empty() {
        PyBuffer::<f64>::get(&array)?.copy_from_slice(py, numbers)?;
    }
    Ok(array)
}

/// The memory of whatever shows it; none of a list, nor of what is empty, which may lie anywhere.
pub(crate) fn memory(value: &Bound<'_, PyAny>) -> PyResult<Option<PyUntypedBuffer>> {
    match PyUntypedBuffer::get(value) {
        Ok(memory) if memory.dimensions() != 1 => Err(PyTypeError::new_err("a column has one dimension")),
        Ok(memory) if memory.item_count() > 0 => Ok(Some(memory)),
        _ => Ok(None),
    }
}

fn items<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyIterator>> {
    if value.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err("a column of numbers is meant, not a str"));
    }
    value.try_iter()
}

#[expect(clippy::cast_precision_loss, reason = "rounded to the nearest, as Python's float() does")]
const fn float(number: i64) -> f64 {
    number as f64
}
