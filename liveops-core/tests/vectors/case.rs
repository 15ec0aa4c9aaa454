//! One case, and how what is expected is compared with what came.

use liveops_core::hash::unhex;
use liveops_core::{Rules, Timestamp};
use serde_json::{Value, json};

/// One case of a file.
pub(crate) struct Case<'v> {
    kind: &'v str,
    value: &'v Value,
}

impl<'v> Case<'v> {
    pub(crate) fn new(kind: &'v str, value: &'v Value) -> Self {
        Self { kind, value }
    }

    pub(crate) fn name(&self) -> String {
        format!("{}: {}", self.kind, self.text("name"))
    }

    pub(crate) fn get(&self, member: &str) -> Option<&'v Value> {
        self.value.get(member)
    }

    pub(crate) fn need(&self, member: &str) -> &'v Value {
        self.get(member).unwrap_or_else(|| panic!("a case has no `{member}`: {}", self.value))
    }

    pub(crate) fn text(&self, member: &str) -> &'v str {
        text(self.need(member))
    }

    pub(crate) fn expect(&self) -> &'v Value {
        self.need("expect")
    }

    pub(crate) fn time(&self, member: &str) -> Timestamp {
        time(self.need(member))
    }

    pub(crate) fn bytes_of_hex(&self, member: &str) -> Vec<u8> {
        unhex(self.text(member)).unwrap()
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        body(self.value)
    }

    pub(crate) fn rules(&self) -> Rules {
        let default = json!({ "version": 1, "game": "vectors" });
        Rules::from_json(&self.get("rules").unwrap_or(&default).to_string()).unwrap()
    }

    /// Panics, with the place and all that came, where the two differ.
    #[track_caller]
    pub(crate) fn compare(&self, expected: &Value, actual: &Value) {
        if let Some(difference) = difference("", expected, actual) {
            panic!("{}\n{difference}\nall that came: {actual}", self.name());
        }
    }
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text expected, not {value}"))
}

pub(crate) fn time(value: &Value) -> Timestamp {
    Timestamp::from_unix_millis(value.as_i64().unwrap_or_else(|| panic!("milliseconds expected, not {value}")))
}

/// `body` or `bodyHex` of an object.
pub(crate) fn body(of: &Value) -> Vec<u8> {
    match (&of["body"], &of["bodyHex"]) {
        (Value::String(text), Value::Null) => text.clone().into_bytes(),
        (Value::Array(parts), Value::Null) => parts
            .iter()
            .flat_map(|part| match part {
                Value::String(text) => text.clone().into_bytes(),
                part => text(&part[0]).repeat(usize::try_from(part[1].as_u64().unwrap()).unwrap()).into_bytes(),
            })
            .collect(),
        (Value::Null, Value::String(hex)) => unhex(hex).unwrap(),
        _ => panic!("either a body or a bodyHex: {of}"),
    }
}

/// Where two values differ: listed members and whole lists are compared; null also stands for absence.
fn difference(path: &str, expected: &Value, actual: &Value) -> Option<String> {
    match (expected, actual) {
        (Value::Object(members), Value::Object(_)) => members
            .iter()
            .find_map(|(name, expected)| difference(&format!("{path}/{name}"), expected, &actual[name.as_str()])),
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => expected
            .iter()
            .zip(found)
            .enumerate()
            .find_map(|(at, (expected, found))| difference(&format!("{path}/{at}"), expected, found)),
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() && a.as_i64() == b.as_i64() => None,
        (Value::Number(a), Value::Number(b)) if (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64() => None,
        _ if expected == actual => None,
        _ => Some(format!("at {path}\nexpected: {expected}\ncame:     {actual}")),
    }
}
