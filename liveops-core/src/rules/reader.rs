//! A JSON value with its path, read into what the rules mean; every error names the path.

use std::borrow::Cow;
use std::fmt;

use super::Result;
use crate::error::Code;
use crate::hash::Digest;
use crate::id::Id;
use crate::json::{Value, push_segment};
use crate::limits::INTEGER_MAX;
use crate::time::Timestamp;

/// What is wrong with a rules document. The code is always `rules_invalid`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} at {}: {issue}: {message}", Code::RulesInvalid, if path.is_empty() { "the document" } else { path })]
pub struct RulesError {
    /// Where: a JSON Pointer (RFC 6901), empty for the document itself.
    pub path: String,
    /// What kind of fault.
    pub issue: Code,
    /// What would be right.
    pub message: String,
}

impl RulesError {
    /// `rules_invalid`.
    pub const fn code(&self) -> Code {
        Code::RulesInvalid
    }
}

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Node<'v> {
    value: &'v Value<'v>,
    pub(super) path: String,
}

/// An object whose members are taken one by one; what is left at the end is unknown.
pub(super) struct Fields<'v> {
    members: &'v [(Cow<'v, str>, Value<'v>)],
    path: String,
    known: Vec<&'static str>,
}

impl<'v> Node<'v> {
    pub(super) const fn root(value: &'v Value<'v>) -> Self {
        Self { value, path: String::new() }
    }

    pub(super) fn error(&self, issue: Code, message: impl fmt::Display) -> RulesError {
        RulesError { path: self.path.clone(), issue, message: message.to_string() }
    }

    fn wrong(&self, wanted: &str) -> RulesError {
        self.error(Code::WrongType, format_args!("{wanted} expected"))
    }

    fn child(&self, key: &str, value: &'v Value<'v>) -> Self {
        let mut path = self.path.clone();
        push_segment(&mut path, key);
        Self { value, path }
    }

    pub(super) fn fields(&self) -> Result<Fields<'v>, RulesError> {
        let members = self.value.as_object().ok_or_else(|| self.wrong("an object"))?;
        Ok(Fields { members, path: self.path.clone(), known: Vec::new() })
    }

    /// The members of an object whose keys are names.
    pub(super) fn named(&self, len_max: usize) -> Result<Vec<(Id, Self)>, RulesError> {
        let members = self.value.as_object().ok_or_else(|| self.wrong("an object"))?;
        if members.len() > len_max {
            return Err(self.error(Code::TooLong, format_args!("at most {len_max}")));
        }
        let mut all = Vec::with_capacity(members.len());
        for (key, value) in members {
            let node = self.child(key, value);
            let id = Id::new(key).map_err(|_| node.error(Code::IdInvalid, "a name is 1 to 64 visible ASCII bytes"))?;
            all.push((id, node));
        }
        all.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(all)
    }

    pub(super) fn elements(&self) -> Result<Vec<Self>, RulesError> {
        let elements = self.value.as_array().ok_or_else(|| self.wrong("an array"))?;
        Ok(elements.iter().enumerate().map(|(at, value)| self.child(&at.to_string(), value)).collect())
    }

    pub(super) const fn value(&self) -> &'v Value<'v> {
        self.value
    }

    pub(super) fn text(&self) -> Result<&'v str, RulesError> {
        self.value.as_str().ok_or_else(|| self.wrong("a text"))
    }

    pub(super) fn id(&self) -> Result<Id, RulesError> {
        let text = self.text()?;
        Id::new(text).map_err(|_| self.error(Code::IdInvalid, "1 to 64 visible ASCII bytes expected"))
    }

    pub(super) fn bool(&self) -> Result<bool, RulesError> {
        if let Value::Bool(value) = self.value { Ok(*value) } else { Err(self.wrong("true or false")) }
    }

    pub(super) fn int(&self, min: i64, max: i64) -> Result<i64, RulesError> {
        match self.value {
            Value::Integer(value) if (min..=max).contains(value) => Ok(*value),
            Value::Integer(_) | Value::BigInteger => {
                Err(self.error(Code::OutOfRange, format_args!("{min} to {max} expected")))
            }
            Value::Decimal(_) => Err(self.error(Code::NotInteger, "a whole number expected")),
            _ => Err(self.wrong("a whole number")),
        }
    }

    pub(super) fn uint(&self, min: i64) -> Result<u64, RulesError> {
        self.int(min.max(0), INTEGER_MAX).map(i64::unsigned_abs)
    }

    pub(super) fn u32(&self, min: u32, max: u32) -> Result<u32, RulesError> {
        // Between two u32, it is one.
        self.int(min.into(), max.into()).map(|value| u32::try_from(value).unwrap_or(max))
    }

    /// A decimal, written as a text so that it is exact.
    pub(super) fn decimal(&self) -> Result<&'v str, RulesError> {
        match self.value {
            Value::String(text) => Ok(text),
            Value::Decimal(text) => Err(self.error(Code::NotInteger, format_args!("write \"{text}\""))),
            Value::Integer(value) => Err(self.error(Code::WrongType, format_args!("write \"{value}\""))),
            _ => Err(self.wrong("a decimal in quotes, such as \"1.2\",")),
        }
    }

    pub(super) fn time(&self) -> Result<Timestamp, RulesError> {
        let form = || self.error(Code::InvalidFormat, "a time is written YYYY-MM-DDTHH:MM:SSZ");
        Timestamp::from_rfc3339(self.text()?).ok_or_else(form)
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, RulesError> {
        let text = self.text()?;
        words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.error(Code::InvalidFormat, format_args!("one of {} expected", known.join(", ")))
        })
    }
}

impl<'v> Fields<'v> {
    /// A member that may be missing.
    pub(super) fn get(&mut self, key: &'static str) -> Option<Node<'v>> {
        self.known.push(key);
        let (_, value) = self.members.iter().find(|(name, _)| name == key)?;
        let mut path = self.path.clone();
        push_segment(&mut path, key);
        Some(Node { value, path })
    }

    /// A member that must be there.
    pub(super) fn need(&mut self, key: &'static str) -> Result<Node<'v>, RulesError> {
        let missing = || {
            let mut path = self.path.clone();
            push_segment(&mut path, key);
            RulesError { path, issue: Code::Missing, message: "it is required".into() }
        };
        let missing = missing();
        self.get(key).ok_or(missing)
    }

    /// Refuses members that nobody took.
    pub(super) fn end(self) -> Result<(), RulesError> {
        let Some((key, _)) = self.members.iter().find(|(key, _)| !self.known.contains(&key.as_ref())) else {
            return Ok(());
        };
        let mut path = self.path;
        push_segment(&mut path, key);
        let message = format!("known here: {}", self.known.join(", "));
        Err(RulesError { path, issue: Code::UnknownField, message })
    }
}

/// Every leaf by its path, in one written form; empty objects and arrays are leaves.
pub(super) fn leaves(value: &Value<'_>, path: &mut String, out: &mut std::collections::BTreeMap<String, String>) {
    let mut below = |key: &str, value: &Value<'_>| {
        let len = path.len();
        push_segment(path, key);
        leaves(value, path, out);
        path.truncate(len);
    };
    let leaf = match value {
        Value::Object(members) if !members.is_empty() => {
            return members.iter().for_each(|(key, value)| below(key, value));
        }
        Value::Array(elements) if !elements.is_empty() => {
            return (0_usize..).zip(elements).for_each(|(at, value)| below(&at.to_string(), value));
        }
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::BigInteger => "a large number".to_owned(),
        Value::Decimal(text) => text.to_string(),
        // As JSON: what `Debug` escapes depends on the compiler's Unicode tables, and these texts are hashed.
        Value::String(text) => serde_json::Value::from(&**text).to_string(),
    };
    out.insert(path.clone(), leaf);
}

/// Over the leaves in the order of their paths, without the door: the order in which the document gives its members does not
/// matter.
pub(super) fn hash(leaves: &std::collections::BTreeMap<String, String>) -> Digest {
    let mut bytes = Vec::new();
    for (path, leaf) in leaves.iter().filter(|(path, _)| !is_outside(path)) {
        for text in [path, leaf] {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    Digest::of(&[b"liveops rules v1\0", &bytes])
}

fn is_outside(path: &str) -> bool {
    path == "/door" || path.starts_with("/door/")
}
