//! What a fork must not use: its locks may be held for ever there, and its counts would drift apart.

use liveops_core::Error;
use liveops_core::error::Code;
use pyo3::prelude::*;

use crate::errors::Fallible as _;

/// Something of the process that made it.
pub(crate) struct Owned<T> {
    value: T,
    process: u32,
}

impl<T> Owned<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value, process: std::process::id() }
    }

    /// `ForkedError` in a process that did not make it.
    pub(crate) fn get(&self, py: Python<'_>) -> PyResult<&T> {
        self.core().or_raise(py)
    }

    /// The same without the interpreter's lock.
    pub(crate) fn core(&self) -> Result<&T, Error> {
        if self.process == std::process::id() { Ok(&self.value) } else { Err(Code::Forked.into()) }
    }
}
