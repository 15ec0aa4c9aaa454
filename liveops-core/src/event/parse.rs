//! From bytes to an event.

use std::borrow::Cow;
use std::sync::Arc;

use super::issue::{Issues, Place, ValidationError};
use super::scan;
use super::schema::{EventSchema, FieldKind, Schemas, UnknownFields};
use super::{Event, FieldValue, Payload, Room, TimeLimits};
use crate::error::Code;
use crate::id::{EventId, Id, PlayerId};
use crate::json::{self, Decimal, Value};
use crate::limits::{ARRAY_LEN_MAX, FIELDS_MAX, ID_BYTES_MAX, INTEGER_MAX, TEXT_BYTES_MAX};
use crate::time::Timestamp;

/// Largest `ts`, and the negative of the smallest: the year 5138 in seconds, 1973 in milliseconds.
pub(super) const SECONDS_MAX: i64 = 100_000_000_000;

/// Turns bodies into events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parser {
    schemas: Arc<Schemas>,
    time_limits: TimeLimits,
    mode: IssueMode,
}

/// How much a refusal says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IssueMode {
    /// Every issue, up to 32.
    #[default]
    All,
    /// The first issue.
    First,
}

/// What a body says. Its id may be missing where a header names the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The body's own id.
    pub id: Option<EventId>,
    /// Whose event it is.
    pub player: PlayerId,
    /// When it happened.
    pub ts: Timestamp,
    /// Name of its type.
    pub kind: Id,
    /// What happened.
    pub payload: Payload,
}

impl Parsed {
    /// The event under the id that was settled for it.
    pub fn into_event(self, id: EventId) -> Event {
        Event { id, player: self.player, ts: self.ts, kind: self.kind, payload: self.payload }
    }
}

impl Parser {
    /// With the types and times that are let in; reports every issue.
    pub fn new(schemas: impl Into<Arc<Schemas>>, time_limits: TimeLimits) -> Self {
        Self { schemas: schemas.into(), time_limits, mode: IssueMode::All }
    }

    /// Says how much a refusal reports.
    #[must_use]
    pub const fn with_mode(mut self, mode: IssueMode) -> Self {
        self.mode = mode;
        self
    }

    /// The types.
    pub fn schemas(&self) -> &Schemas {
        &self.schemas
    }

    /// Reads one event that arrived at a time.
    pub fn parse(&self, body: &[u8], received_at: Timestamp) -> Result<Parsed, ValidationError> {
        self.parse_within(body, received_at, Room::default())
    }

    /// The same with memory that another event had.
    pub(crate) fn parse_within(
        &self,
        body: &[u8],
        received_at: Timestamp,
        Room(mut fields): Room,
    ) -> Result<Parsed, ValidationError> {
        match scan::event(&self.schemas, self.time_limits, body, received_at, &mut fields) {
            Some(scanned) => Ok(scanned.into_parsed(fields)),
            None => self.parse_plainly(body, received_at),
        }
    }

    /// Whether a body is an event, without making one.
    pub fn validate(&self, body: &[u8], received_at: Timestamp) -> Result<(), ValidationError> {
        match scan::event(&self.schemas, self.time_limits, body, received_at, &mut scan::Unread) {
            Some(_) => Ok(()),
            None => self.parse_plainly(body, received_at).map(drop),
        }
    }

    /// The same answer from the plain reader alone, which knows everything and takes its time.
    pub(super) fn parse_plainly(&self, body: &[u8], received_at: Timestamp) -> Result<Parsed, ValidationError> {
        let body = json::parse(body, json::Limits::EVENT)?;
        let mut issues = match self.mode {
            IssueMode::All => Issues::all(),
            IssueMode::First => Issues::first(),
        };
        match self.read(&body, received_at, &mut issues) {
            Some(parsed) if issues.is_empty() => Ok(parsed),
            _ => Err(issues.into_error()),
        }
    }

    /// Checks everything, in the order of the wire form; `None` only after an issue.
    fn read(&self, body: &Value<'_>, received_at: Timestamp, issues: &mut Issues) -> Option<Parsed> {
        let Some(members) = body.as_object() else {
            issues.push(Code::WrongType, Place::ROOT, "an event is an object");
            return None;
        };
        let id = find(members, "id").map(|value| read_id(value, Place::top("id"), issues));
        let schema = demand(members, "type", issues).and_then(|value| self.read_type(value, issues));
        let player = demand(members, "playerId", issues).and_then(|v| read_id(v, Place::top("playerId"), issues));
        let ts = demand(members, "ts", issues).and_then(|value| self.read_ts(value, received_at, issues));
        let payload = demand(members, "payload", issues).and_then(|value| {
            let Some(members) = value.as_object() else {
                issues.push(Code::WrongType, Place::top("payload"), "a payload is an object");
                return None;
            };
            // Without a type there is nothing to compare the fields with.
            schema.map(|(_, schema)| read_payload(members, schema, issues))
        });
        if members.len() > 4 + usize::from(id.is_some()) || !issues.is_empty() {
            for (key, _) in members.iter().filter(|(key, _)| !is_top_level(key)) {
                issues.push(Code::UnknownField, Place::top(key), "an event has no such field");
            }
        }
        let kind = schema.map(|(name, _)| name.clone())?;
        let id = match id {
            Some(id) => Some(id?.into()),
            None => None,
        };
        Some(Parsed { id, player: player?.into(), ts: ts?, kind, payload: payload? })
    }

    fn read_type(&self, value: &Value<'_>, issues: &mut Issues) -> Option<&(Id, EventSchema)> {
        let place = Place::top("type");
        let name = read_str(value, place, issues)?;
        let found = self.schemas.find(name.as_bytes());
        if found.is_none() {
            issues.push(Code::UnknownType, place, "the rules know no such event type");
        }
        found
    }

    fn read_ts(&self, value: &Value<'_>, received_at: Timestamp, issues: &mut Issues) -> Option<Timestamp> {
        let place = Place::top("ts");
        let seconds = match value {
            Value::Integer(seconds) if (-SECONDS_MAX..=SECONDS_MAX).contains(seconds) => *seconds,
            Value::Integer(_) | Value::BigInteger => {
                let message = "seconds expected: whole Unix seconds, not milliseconds";
                issues.push_limit(Code::OutOfRange, place, message, SECONDS_MAX);
                return None;
            }
            Value::Decimal(_) => {
                issues.push(Code::NotInteger, place, "whole Unix seconds are meant, without fraction or exponent");
                return None;
            }
            _ => {
                issues.push(Code::WrongType, place, "a number is meant: whole Unix seconds");
                return None;
            }
        };
        let ts = Timestamp::from_unix_seconds(seconds);
        match self.time_limits.check(ts, received_at) {
            Ok(()) => Some(ts),
            Err(Code::TooOld) => {
                let limit = self.time_limits.past_millis_max / 1000;
                issues.push_limit(Code::TooOld, place, format!("at most {limit} s before it arrives"), limit);
                None
            }
            Err(code) => {
                let limit = self.time_limits.future_millis_max / 1000;
                issues.push_limit(code, place, format!("at most {limit} s after it arrives"), limit);
                None
            }
        }
    }
}

type Member<'v> = (Cow<'v, str>, Value<'v>);

fn is_top_level(key: &str) -> bool {
    matches!(key, "id" | "type" | "playerId" | "ts" | "payload")
}

fn find<'m, 'v>(members: &'m [Member<'v>], name: &str) -> Option<&'m Value<'v>> {
    members.iter().find_map(|(key, value)| (key == name).then_some(value))
}

fn demand<'m, 'v>(members: &'m [Member<'v>], name: &str, issues: &mut Issues) -> Option<&'m Value<'v>> {
    let value = find(members, name);
    if value.is_none() {
        issues.push(Code::Missing, Place::top(name), "the field is required");
    }
    value
}

/// What could be read; complete if no issue was pushed.
fn read_payload(members: &[Member<'_>], schema: &EventSchema, issues: &mut Issues) -> Payload {
    let mut fields = Vec::with_capacity(members.len().min(FIELDS_MAX));
    let mut known = 0;
    for field in &schema.fields {
        let (name, place) = (field.name.as_bytes(), Place::field(&field.name));
        match members.iter().find(|(key, _)| key.as_bytes() == name) {
            Some((_, value)) => {
                known += 1;
                if let Some(value) = read_value(value, &field.kind, place, issues) {
                    fields.push((field.name.clone(), value));
                }
            }
            None if field.required => issues.push(Code::Missing, place, "the field is required"),
            None => {}
        }
    }
    // Keys are unique, so as many known ones as there are members means that none is unknown.
    if known < members.len() {
        let unknown = members.iter().filter(|(key, _)| schema.field(key).is_none());
        match schema.unknown_fields {
            UnknownFields::Deny => {
                for (key, _) in unknown {
                    issues.push(Code::UnknownField, Place::key(key), "the event type has no such field");
                }
            }
            UnknownFields::Ignore => {}
            UnknownFields::Keep if members.len() > FIELDS_MAX => {
                issues.push_limit(Code::TooLong, Place::top("payload"), "too many fields to keep", number(FIELDS_MAX));
            }
            UnknownFields::Keep => {
                let mut kept: Vec<_> = unknown.filter_map(|(key, value)| keep(key, value, issues)).collect();
                kept.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
                fields.append(&mut kept);
            }
        }
    }
    Payload { fields }
}

/// A field that no schema describes; `None` only after an issue.
fn keep(key: &str, value: &Value<'_>, issues: &mut Issues) -> Option<(Id, FieldValue)> {
    let place = Place::key(key);
    let Ok(name) = Id::new(key) else {
        issues.push(Code::InvalidFormat, place, "the name of a kept field is 1 to 64 visible ASCII bytes");
        return None;
    };
    let value = match value {
        Value::Array(elements) => read_array(elements, None, ARRAY_LEN_MAX, place, issues),
        scalar => keep_scalar(scalar, place, issues),
    };
    Some((name, value?))
}

/// A value of whatever kind it has by itself; `None` only after an issue. Whole numbers are integers, however written.
fn keep_scalar(value: &Value<'_>, place: Place<'_>, issues: &mut Issues) -> Option<FieldValue> {
    match read_scalar(value, natural_kind(value, place, issues)?, place, issues)? {
        FieldValue::Decimal(whole) if whole.scale() == 0 => Some(FieldValue::Int(whole.mantissa())),
        other => Some(other),
    }
}

/// The kind that a value has by itself; `None` only after an issue.
fn natural_kind(value: &Value<'_>, place: Place<'_>, issues: &mut Issues) -> Option<&'static FieldKind> {
    match value {
        Value::Bool(_) => Some(&FieldKind::Bool),
        Value::Integer(_) | Value::BigInteger => Some(&FieldKind::Int { min: -INTEGER_MAX, max: INTEGER_MAX }),
        Value::Decimal(_) => Some(&FieldKind::Decimal),
        Value::String(_) => Some(&FieldKind::Text { min_bytes: 0, max_bytes: TEXT_BYTES_MAX }),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            issues.push(Code::WrongType, place, "only numbers, booleans, texts and arrays of these are kept");
            None
        }
    }
}

/// A value of a kind; `None` only after an issue.
fn read_value(value: &Value<'_>, kind: &FieldKind, place: Place<'_>, issues: &mut Issues) -> Option<FieldValue> {
    match (kind, value) {
        (FieldKind::Array(kind, len_max), Value::Array(elements)) => {
            read_array(elements, Some(kind), *len_max, place, issues)
        }
        _ => read_scalar(value, kind, place, issues),
    }
}

/// An array of a kind, or of whatever can be kept; `None` only after an issue.
fn read_array(
    elements: &[Value<'_>],
    kind: Option<&FieldKind>,
    len_max: usize,
    place: Place<'_>,
    issues: &mut Issues,
) -> Option<FieldValue> {
    if elements.len() > len_max {
        issues.push_limit(Code::TooLong, place, format!("at most {len_max} elements"), number(len_max));
        return None;
    }
    let mut read = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        let place = place.element(index);
        read.extend(match kind {
            Some(kind) => read_scalar(element, kind, place, issues),
            None => keep_scalar(element, place, issues),
        });
    }
    (read.len() == elements.len()).then(|| FieldValue::Array(read.into()))
}

/// A value that is no array; `None` only after an issue.
fn read_scalar(value: &Value<'_>, kind: &FieldKind, place: Place<'_>, issues: &mut Issues) -> Option<FieldValue> {
    match kind {
        FieldKind::Int { min, max } | FieldKind::Uint { min, max } => {
            read_int(value, *min, *max, place, issues).map(FieldValue::Int)
        }
        FieldKind::Id => read_id(value, place, issues).map(FieldValue::Id),
        FieldKind::Decimal => read_decimal(value, place, issues).map(FieldValue::Decimal),
        FieldKind::Text { min_bytes, max_bytes } => {
            let text = read_str(value, place, issues)?;
            let fits = fits(text, *min_bytes, *max_bytes, place, issues);
            fits.then(|| FieldValue::Text(Arc::from(text)))
        }
        FieldKind::Enum(allowed) => {
            let text = read_str(value, place, issues)?;
            let found = allowed.iter().find(|id| *id == text);
            if found.is_none() {
                issues.push(Code::InvalidFormat, place, "not one of the texts that the field allows");
            }
            found.cloned().map(FieldValue::Id)
        }
        FieldKind::Bool => {
            let Value::Bool(value) = value else {
                issues.push(Code::WrongType, place, "true or false is meant");
                return None;
            };
            Some(FieldValue::Bool(*value))
        }
        FieldKind::Array(..) => {
            issues.push(Code::WrongType, place, "an array is meant");
            None
        }
    }
}

fn read_int(value: &Value<'_>, min: i64, max: i64, place: Place<'_>, issues: &mut Issues) -> Option<i64> {
    match value {
        Value::Integer(value) if (min..=max).contains(value) => return Some(*value),
        Value::Integer(value) if *value < min => {
            issues.push_limit(Code::OutOfRange, place, format!("at least {min}"), min);
        }
        Value::Integer(_) => issues.push_limit(Code::OutOfRange, place, format!("at most {max}"), max),
        Value::BigInteger => issues.push_limit(Code::OutOfRange, place, "beyond 2^53 - 1", INTEGER_MAX),
        Value::Decimal(_) => issues.push(Code::NotInteger, place, "an integer is meant, without fraction or exponent"),
        _ => issues.push(Code::WrongType, place, "an integer is meant"),
    }
    None
}

fn read_decimal(value: &Value<'_>, place: Place<'_>, issues: &mut Issues) -> Option<Decimal> {
    let decimal = match value {
        Value::Integer(value) => Decimal::new(*value, 0),
        Value::Decimal(text) => Decimal::parse(text),
        Value::BigInteger => None,
        _ => {
            issues.push(Code::WrongType, place, "a number is meant");
            return None;
        }
    };
    if decimal.is_none() {
        let message = format!("within 2^53 - 1 and at most {} digits after the point", Decimal::SCALE_MAX);
        issues.push_limit(Code::OutOfRange, place, message, INTEGER_MAX);
    }
    decimal
}

fn read_str<'v>(value: &'v Value<'_>, place: Place<'_>, issues: &mut Issues) -> Option<&'v str> {
    let text = value.as_str();
    if text.is_none() {
        issues.push(Code::WrongType, place, "a text is meant");
    }
    text
}

fn read_id(value: &Value<'_>, place: Place<'_>, issues: &mut Issues) -> Option<Id> {
    let text = read_str(value, place, issues)?;
    let id = Id::new(text).ok();
    if id.is_none() && fits(text, 1, ID_BYTES_MAX, place, issues) {
        issues.push(Code::InvalidFormat, place, "an id has visible ASCII characters only");
    }
    id
}

fn fits(text: &str, min: usize, max: usize, place: Place<'_>, issues: &mut Issues) -> bool {
    if text.len() < min {
        issues.push_limit(Code::TooShort, place, format!("at least {min} bytes"), number(min));
    } else if text.len() > max {
        issues.push_limit(Code::TooLong, place, format!("at most {max} bytes"), number(max));
    }
    (min..=max).contains(&text.len())
}

fn number(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
