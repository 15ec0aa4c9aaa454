//! A game event that every rule may trust: parsed from strict JSON against the schema of its type.
//!
//! ```
//! use liveops_core::event::{Parser, Schemas, TimeLimits};
//! use liveops_core::{Code, EventId, Timestamp};
//!
//! let parser = Parser::new(Schemas::builtin(), TimeLimits::default());
//! let now = Timestamp::from_rfc3339("2026-11-07T00:00:00Z").unwrap();
//! let body = br#"{"type": "progression", "playerId": "ana", "ts": 1794009600, "payload": {"deltaXp": 120}}"#;
//! let event = parser.parse(body, now)?.into_event(EventId::new("evt-1")?);
//! assert_eq!(event.payload.int("deltaXp"), Some(120));
//!
//! let refused = parser.parse(br#"{"type": "progression"}"#, now).unwrap_err();
//! assert_eq!(refused.code(), Code::Missing);
//! assert_eq!(refused.issues()[0].path, "/playerId");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod issue;
mod parse;
mod scan;
mod schema;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap as _, SerializeStruct as _, Serializer};

pub use self::batch::{BatchReport, LineError};
pub(crate) use self::batch::{lines, lines_of, pieces};
pub use self::issue::{Issue, ValidationError};
pub use self::parse::{IssueMode, Parsed, Parser};
pub use self::schema::{EventSchema, Field, FieldKind, SchemaError, Schemas, UnknownFields};
use crate::codec::{Short, Stable, fields};
use crate::error::{Code, Error};
use crate::id::{EventId, Id, PlayerId};
use crate::json::Decimal;
use crate::limits::{
    ARRAY_LEN_MAX, FIELDS_MAX, FUTURE_SECONDS_DEFAULT, INTEGER_MAX, PAST_SECONDS_DEFAULT, TEXT_BYTES_MAX,
};
use crate::time::Timestamp;

/// One event. Serializes in the shape in which it came: `{"id", "type", "playerId", "ts", "payload"}`, `ts` in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The sender's name for it.
    pub id: EventId,
    /// Whose it is.
    pub player: PlayerId,
    /// When it happened; whole seconds if it was parsed.
    pub ts: Timestamp,
    /// Name of its type.
    pub kind: Id,
    /// What happened.
    pub payload: Payload,
}

/// The fields of an event in the order of its schema, followed by kept unknown fields in byte order of their names:
/// the same content is the same payload, however the sender ordered it. Describes itself, so that it can be stored
/// and read under other rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    fields: Vec<(Id, FieldValue)>,
}

/// Empty memory for a payload.
#[derive(Debug, Default)]
pub(crate) struct Room(Vec<(Id, FieldValue)>);

/// Value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldValue {
    /// `int` and `uint`, within ±(2^53 - 1).
    Int(i64),
    /// `bool`
    Bool(bool),
    /// `id` and `enum`
    Id(Id),
    /// `text`, at most 1024 bytes.
    Text(Arc<str>),
    /// `decimal`
    Decimal(Decimal),
    /// `array`, of at most 64 values that are no arrays.
    Array(Arc<[Self]>),
}

impl Payload {
    /// From fields in order; `invalid_argument` if two have the same name or one is beyond the limits of its kind.
    pub fn new(fields: Vec<(Id, FieldValue)>) -> Result<Self, Error> {
        let unique =
            fields.iter().enumerate().all(|(at, (name, _))| fields.iter().skip(at + 1).all(|(n, _)| n != name));
        let valid = unique && fields.len() <= FIELDS_MAX && fields.iter().all(|(_, value)| value.is_valid());
        if valid { Ok(Self { fields }) } else { Err(Code::InvalidArgument.into()) }
    }

    /// The memory of one that nobody needs any more.
    pub(crate) fn into_room(self) -> Room {
        let Self { mut fields } = self;
        fields.clear();
        Room(fields)
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&FieldValue> {
        self.iter().find_map(|(field, value)| (field == name).then_some(value))
    }

    /// The value of an `int` or `uint` field.
    pub fn int(&self, name: &str) -> Option<i64> {
        if let Some(FieldValue::Int(value)) = self.get(name) { Some(*value) } else { None }
    }

    /// [`Self::int`] of a field by its id, which is compared as a whole.
    pub(crate) fn int_of(&self, name: &Id) -> Option<i64> {
        let value = self.iter().find_map(|(field, value)| (field == name).then_some(value));
        if let Some(FieldValue::Int(value)) = value { Some(*value) } else { None }
    }

    /// The value of an `id` or `enum` field.
    pub fn id(&self, name: &str) -> Option<&Id> {
        if let Some(FieldValue::Id(value)) = self.get(name) { Some(value) } else { None }
    }

    /// All fields, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Id, &FieldValue)> {
        self.fields.iter().map(|(name, value)| (name, value))
    }
}

impl FieldValue {
    fn is_valid(&self) -> bool {
        match self {
            Self::Array(elements) => {
                let scalar = |element: &Self| !matches!(element, Self::Array(_)) && element.is_valid();
                elements.len() <= ARRAY_LEN_MAX && elements.iter().all(scalar)
            }
            Self::Int(value) => value.unsigned_abs() <= INTEGER_MAX.unsigned_abs(),
            Self::Text(text) => text.len() <= TEXT_BYTES_MAX,
            Self::Bool(_) | Self::Id(_) | Self::Decimal(_) => true,
        }
    }
}

/// How far a command's time may lie from its arrival.
///
/// ```
/// use liveops_core::event::TimeLimits;
/// use liveops_core::{Code, Timestamp};
///
/// let limits = TimeLimits { past_millis_max: 1000, future_millis_max: 0 };
/// let now = Timestamp::from_unix_seconds(10);
/// assert_eq!(limits.check(Timestamp::from_unix_seconds(9), now), Ok(()));
/// assert_eq!(limits.check(Timestamp::from_unix_seconds(8), now), Err(Code::TooOld));
/// assert_eq!(limits.check(Timestamp::from_unix_seconds(11), now), Err(Code::TooFarInFuture));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    /// Into the past, in milliseconds.
    pub past_millis_max: i64,
    /// Into the future, in milliseconds.
    pub future_millis_max: i64,
}

impl TimeLimits {
    /// Whether a command of that time may come in now; the limits themselves may.
    pub const fn check(self, ts: Timestamp, now: Timestamp) -> Result<(), Code> {
        if ts.as_unix_millis() < now.minus_millis(self.past_millis_max).as_unix_millis() {
            Err(Code::TooOld)
        } else if ts.as_unix_millis() > now.plus_millis(self.future_millis_max).as_unix_millis() {
            Err(Code::TooFarInFuture)
        } else {
            Ok(())
        }
    }
}

/// 24 hours back, 5 minutes ahead.
impl Default for TimeLimits {
    fn default() -> Self {
        Self { past_millis_max: PAST_SECONDS_DEFAULT * 1000, future_millis_max: FUTURE_SECONDS_DEFAULT * 1000 }
    }
}

fields!(Event { id, player, ts, kind, payload });

/// The number of fields, then each name and value. A value is its kind in one byte, then its own bytes.
impl Stable for Payload {
    fn put(&self, out: &mut Vec<u8>) {
        (self.fields.len() as u64).put(out);
        for (name, value) in &self.fields {
            name.put(out);
            value.put(out);
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let field = |from: &mut &[u8]| Some((Id::take(from)?, FieldValue::take(from, true)?));
        Self::new(take_up_to(FIELDS_MAX, from, field)?).ok()
    }
}

impl Payload {
    /// The same bytes, if they are few.
    #[inline]
    pub(crate) fn put_short<const ROOM: usize>(&self, out: &mut Short<ROOM>) {
        out.unsigned(self.fields.len() as u64);
        for (name, value) in &self.fields {
            out.id(name.repr());
            match value {
                FieldValue::Int(value) => {
                    out.bytes([0]);
                    out.signed(*value);
                }
                FieldValue::Bool(value) => out.bytes([1, u8::from(*value)]),
                FieldValue::Id(value) => {
                    out.bytes([2]);
                    out.id(value.repr());
                }
                FieldValue::Text(value) => {
                    out.bytes([3]);
                    out.unsigned(value.len() as u64);
                    out.slice(value.as_bytes());
                }
                FieldValue::Decimal(_) | FieldValue::Array(_) => return out.fail(),
            }
        }
    }
}

impl FieldValue {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Int(value) => {
                out.push(0);
                value.put(out);
            }
            Self::Bool(value) => {
                out.push(1);
                value.put(out);
            }
            Self::Id(value) => {
                out.push(2);
                value.put(out);
            }
            Self::Text(value) => {
                out.push(3);
                value.put(out);
            }
            Self::Decimal(value) => {
                out.push(4);
                value.mantissa().put(out);
                value.scale().put(out);
            }
            Self::Array(elements) => {
                out.push(5);
                (elements.len() as u64).put(out);
                for element in elements.iter() {
                    element.put(out);
                }
            }
        }
    }

    fn take(from: &mut &[u8], array_allowed: bool) -> Option<Self> {
        Some(match u8::take(from)? {
            0 => Self::Int(i64::take(from)?),
            1 => Self::Bool(bool::take(from)?),
            2 => Self::Id(Id::take(from)?),
            3 => Self::Text(Stable::take(from)?),
            4 => {
                let (mantissa, scale) = (i64::take(from)?, u8::take(from)?);
                let value = Decimal::new(mantissa, scale)?;
                // Only lowest terms are ever written.
                (value.scale() == scale).then_some(Self::Decimal(value))?
            }
            5 if array_allowed => {
                let elements = take_up_to(ARRAY_LEN_MAX, from, |from| Self::take(from, false))?;
                Self::Array(elements.into())
            }
            _ => return None,
        })
    }
}

/// A number, at most the largest, and as many values.
fn take_up_to<T>(len_max: usize, from: &mut &[u8], mut take: impl FnMut(&mut &[u8]) -> Option<T>) -> Option<Vec<T>> {
    let len = u64::take(from).filter(|len| *len <= len_max as u64)?;
    (0..len).map(|_| take(from)).collect()
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut event = serializer.serialize_struct("Event", 5)?;
        event.serialize_field("id", &self.id)?;
        event.serialize_field("type", &self.kind)?;
        event.serialize_field("playerId", &self.player)?;
        event.serialize_field("ts", &self.ts.as_unix_seconds())?;
        event.serialize_field("payload", &self.payload)?;
        event.end()
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for FieldValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(value) => value.serialize(serializer),
            Self::Bool(value) => value.serialize(serializer),
            Self::Id(value) => value.serialize(serializer),
            Self::Text(value) => value.serialize(serializer),
            Self::Decimal(value) => value.serialize(serializer),
            Self::Array(elements) => elements.serialize(serializer),
        }
    }
}
