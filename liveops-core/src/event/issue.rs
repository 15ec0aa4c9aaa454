//! What is wrong with a body, and where.

use std::fmt;

use crate::error::Code;
use crate::id::Id;
use crate::json::{self, SyntaxError};
use crate::limits::ISSUES_MAX;

/// Why a body is not an event: at least one issue and at most 32, in the order of the wire form.
///
/// Serializes as `{"issues": [{"code", "path", "message", "limit"?, "offset"?}]}`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ValidationError {
    /// Never empty.
    issues: Vec<Issue>,
}

/// One thing that the sender can mend. Never contains a value of the body.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Issue {
    /// The stable code.
    pub code: Code,
    /// Where: JSON Pointer (RFC 6901), empty for the whole body. Of an unknown key at most 64 bytes.
    pub path: String,
    /// What is wrong, for people.
    pub message: String,
    /// The limit that was passed: bytes, elements, levels, seconds or the bound of a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// Where reading stopped, in bytes from the beginning of the body, if the body is no JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

impl ValidationError {
    /// The first issue's code.
    pub fn code(&self) -> Code {
        self.issues.first().map_or(Code::Syntax, |issue| issue.code)
    }

    /// All that was found.
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }
}

/// One line: the first issue, and how many more there are.
impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.issues.as_slice() {
            [] => Ok(()),
            [only] => only.fmt(f),
            [first, more @ ..] => write!(f, "{first} (and {} more)", more.len()),
        }
    }
}

impl std::error::Error for ValidationError {}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "{}: {}", self.code, self.message),
            path => write!(f, "{} at {path}: {}", self.code, self.message),
        }
    }
}

impl From<SyntaxError> for ValidationError {
    fn from(error: SyntaxError) -> Self {
        let message = error.to_string();
        let limit = error.limit.and_then(|limit| limit.try_into().ok());
        let offset = error.offset.try_into().ok();
        Self { issues: vec![Issue { code: error.code, path: error.path, message, limit, offset }] }
    }
}

/// A place in the body, made into text only when something is wrong there.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    name: Name<'a>,
    index: Option<usize>,
}

#[derive(Clone, Copy)]
enum Name<'a> {
    Root,
    Top(&'a str),
    Field(&'a Id),
    Key(&'a str),
}

impl<'a> Place<'a> {
    pub(super) const ROOT: Self = Self { name: Name::Root, index: None };

    /// A member of the body.
    pub(super) const fn top(key: &'a str) -> Self {
        Self { name: Name::Top(key), index: None }
    }

    /// A field of the payload.
    pub(super) const fn field(name: &'a Id) -> Self {
        Self { name: Name::Field(name), index: None }
    }

    /// A member of the payload that is no field.
    pub(super) const fn key(key: &'a str) -> Self {
        Self { name: Name::Key(key), index: None }
    }

    pub(super) const fn element(self, index: usize) -> Self {
        Self { name: self.name, index: Some(index) }
    }

    fn pointer(self) -> String {
        let mut path = String::new();
        match self.name {
            Name::Root => {}
            Name::Top(key) => json::push_segment(&mut path, key),
            Name::Field(name) => {
                path.push_str("/payload");
                json::push_segment(&mut path, name.as_str());
            }
            Name::Key(key) => {
                path.push_str("/payload");
                json::push_segment(&mut path, key);
            }
        }
        if let Some(index) = self.index {
            json::push_index(&mut path, index);
        }
        path
    }
}

/// Collects issues up to a number.
pub(super) struct Issues {
    found: Vec<Issue>,
    len_max: usize,
}

impl Issues {
    pub(super) const fn all() -> Self {
        Self { found: Vec::new(), len_max: ISSUES_MAX }
    }

    pub(super) const fn first() -> Self {
        Self { found: Vec::new(), len_max: 1 }
    }

    #[cold]
    pub(super) fn push(&mut self, code: Code, place: Place<'_>, message: impl Into<String>) {
        self.push_issue(code, place, message, None);
    }

    #[cold]
    pub(super) fn push_limit(&mut self, code: Code, place: Place<'_>, message: impl Into<String>, limit: i64) {
        self.push_issue(code, place, message, Some(limit));
    }

    fn push_issue(&mut self, code: Code, place: Place<'_>, message: impl Into<String>, limit: Option<i64>) {
        if self.found.len() < self.len_max {
            self.found.push(Issue { code, path: place.pointer(), message: message.into(), limit, offset: None });
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The issues; the caller has pushed at least one.
    pub(super) fn into_error(self) -> ValidationError {
        debug_assert!(!self.found.is_empty(), "an error says why");
        ValidationError { issues: self.found }
    }
}
