//! Columns of numbers: memory, which is read where it is (`array.array`, numpy's arrays, `memoryview`), or lists.

use std::ffi::CStr;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

use liveops_core::error::Code;
use liveops_core::limits::LIST_LEN_MAX;
use pyo3::buffer::{ElementType, PyBuffer, PyUntypedBuffer};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyIterator, PyList, PyMemoryView, PyString, PyType};

use crate::arguments::{Int, Number, too_long};
use crate::errors::{in_batch, is_argument_error};

/// Floats, or integers that stand for floats.
pub(crate) enum Floats {
    Doubles(InPlace<AtomicU64>),
    Longs(InPlace<AtomicU64>),
    List(Vec<f64>),
}

/// Integers: in memory signed of 64 bits, or unsigned of 32.
pub(crate) enum Integers {
    Longs(InPlace<AtomicU64>),
    Shorts(InPlace<AtomicU32>),
    List(Vec<i64>),
}

impl<'py> FromPyObject<'_, 'py> for Floats {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let Some(memory) = memory(&value)? else {
            return list(&value, |Number(number)| number).map(Self::List);
        };
        match ElementType::from_format(memory.format()) {
            ElementType::Float { bytes: 8 } => match InPlace::new(memory) {
                Ok(doubles) => Ok(Self::Doubles(doubles)),
                Err(memory) => copied(&value, &memory, f64::from_ne_bytes).map(Self::List),
            },
            ElementType::SignedInteger { bytes: 8 } => match InPlace::new(memory) {
                Ok(longs) => Ok(Self::Longs(longs)),
                Err(memory) => copied(&value, &memory, |bytes| float(i64::from_ne_bytes(bytes))).map(Self::List),
            },
            _ => Err(PyTypeError::new_err("memory of floats or signed integers of 64 bits is meant")),
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for Integers {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let Some(memory) = memory(&value)? else {
            return list(&value, |Int(number)| number).map(Self::List);
        };
        match ElementType::from_format(memory.format()) {
            ElementType::SignedInteger { bytes: 8 } => match InPlace::new(memory) {
                Ok(longs) => Ok(Self::Longs(longs)),
                Err(memory) => copied(&value, &memory, i64::from_ne_bytes).map(Self::List),
            },
            ElementType::UnsignedInteger { bytes: 4 } => match InPlace::new(memory) {
                Ok(shorts) => Ok(Self::Shorts(shorts)),
                Err(memory) => copied(&value, &memory, |bytes| u32::from_ne_bytes(bytes).into()).map(Self::List),
            },
            _ => Err(PyTypeError::new_err("memory of integers is meant: signed of 64 bits, or unsigned of 32")),
        }
    }
}

/// The numbers of a column. Threads that do without the interpreter's lock may write into memory meanwhile: each number is
/// read at once, whatever it is by then.
pub(crate) enum Cells<'a, T> {
    Doubles(&'a [AtomicU64]),
    Longs(&'a [AtomicU64]),
    Shorts(&'a [AtomicU32]),
    /// Of a list, or of memory that had to be copied.
    Plain(&'a [T]),
}

impl Floats {
    pub(crate) fn cells(&self) -> Cells<'_, f64> {
        match self {
            Self::Doubles(doubles) => Cells::Doubles(doubles.cells()),
            Self::Longs(longs) => Cells::Longs(longs.cells()),
            Self::List(list) => Cells::Plain(list),
        }
    }
}

impl Integers {
    pub(crate) fn cells(&self) -> Cells<'_, i64> {
        match self {
            Self::Longs(longs) => Cells::Longs(longs.cells()),
            Self::Shorts(shorts) => Cells::Shorts(shorts.cells()),
            Self::List(list) => Cells::Plain(list),
        }
    }
}

impl<T> Cells<'_, T> {
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

/// The atomic integers, of which any bits are one.
pub(crate) trait Atomic {}

impl Atomic for AtomicU64 {}

impl Atomic for AtomicU32 {}

/// Memory whose numbers, as large as such an integer, can be read where they are: without gaps, aligned, and in the byte
/// order of this machine.
pub(crate) struct InPlace<A> {
    start: NonNull<A>,
    memory: PyUntypedBuffer,
}

impl<A: Atomic> InPlace<A> {
    /// The memory again if it has to be copied.
    fn new(memory: PyUntypedBuffer) -> Result<Self, PyUntypedBuffer> {
        let start = NonNull::new(memory.buf_ptr().cast::<A>()).filter(|start| start.is_aligned());
        let is_whole = memory.is_c_contiguous() && memory.item_size() == size_of::<A>();
        match start.filter(|_| is_whole && !is_foreign(memory.format())) {
            Some(start) => Ok(Self { start, memory }),
            None => Err(memory),
        }
    }

    fn cells(&self) -> &[A] {
        // SAFETY: the buffer says that so many numbers of this size begin here, without gaps, and that they stay for as
        // long as it is not released, which the slice does not outlive. Whoever else writes there meanwhile (a thread
        // without the interpreter's lock may) is no trouble for what is atomic; it is only ever read, relaxed and at most 8
        // bytes at once, which read-only memory allows too.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.memory.item_count()) }
    }
}

/// Whether numbers of this format have the other byte order. `PyBuffer` is no help: pyo3 0.30 holds `>` for the order of a
/// machine whose is `<`.
fn is_foreign(format: &CStr) -> bool {
    match format.to_bytes().first() {
        Some(b'<') => cfg!(target_endian = "big"),
        Some(b'>' | b'!') => cfg!(target_endian = "little"),
        _ => false,
    }
}

/// Each number of memory that cannot be read where it is.
fn copied<T, const N: usize>(
    value: &Bound<'_, PyAny>,
    memory: &PyUntypedBuffer,
    number: impl Fn([u8; N]) -> T,
) -> PyResult<Vec<T>> {
    let copy = PyMemoryView::from(value)?.call_method0("tobytes")?.cast_into::<PyBytes>()?;
    let is_foreign = is_foreign(memory.format());
    let native = |bytes: &[u8; N]| {
        let mut bytes = *bytes;
        if is_foreign {
            bytes.reverse();
        }
        number(bytes)
    };
    Ok(copy.as_bytes().as_chunks().0.iter().map(native).collect())
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
fn memory(value: &Bound<'_, PyAny>) -> PyResult<Option<PyUntypedBuffer>> {
    if value.is_instance_of::<PyList>() {
        return Ok(None);
    }
    match PyUntypedBuffer::get(value) {
        Ok(memory) if memory.dimensions() != 1 => Err(PyTypeError::new_err("a column has one dimension")),
        Ok(memory) if memory.item_count() > 0 => Ok(Some(memory)),
        _ => Ok(None),
    }
}

/// Each number of whatever gives them one by one. One that is too large is a refused value, which has an index; what is no
/// number is a mistake of the program.
fn list<'py, N, T>(value: &Bound<'py, PyAny>, number: impl Fn(N) -> T) -> PyResult<Vec<T>>
where
    N: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    let py = value.py();
    if value.len().is_ok_and(|len| len > LIST_LEN_MAX) {
        return Err(too_long(py, LIST_LEN_MAX));
    }
    let mut numbers = Vec::new();
    for (index, item) in items(value)?.enumerate() {
        if index == LIST_LEN_MAX {
            return Err(too_long(py, LIST_LEN_MAX));
        }
        match item?.extract::<N>() {
            Ok(read) => numbers.push(number(read)),
            Err(error) if is_argument_error(py, &error) => return Err(in_batch(py, index, Code::OutOfRange)),
            Err(error) => return Err(error),
        }
    }
    Ok(numbers)
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
