//! The grammar that every rule shares: which events (`on`, `where`), and which number of them (`value`, `amount`).

use super::document::Read;
use super::names::{Met, Names};
use super::reader::{Fields, Node};
use crate::error::Code;
use crate::event::{FieldKind, FieldValue, Payload};
use crate::id::Id;
use crate::json::Value;
use crate::limits::{FIELDS_MAX, INTEGER_MAX, TEXT_BYTES_MAX};

/// Which events a rule is about: `on` is a type, `where` asks fields for equality.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    pub(super) on: Option<Id>,
    /// By the order of the fields.
    pub(super) wanted: Vec<(Id, Wanted)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Int(i64),
    Bool(bool),
    Text(String),
}

impl Selector {
    /// Whether the rule is about this event.
    pub fn matches(&self, kind: &Id, payload: &Payload) -> bool {
        self.is_on(kind) && self.finds(payload)
    }

    /// Whether it can be about events of a type.
    pub(super) fn is_on(&self, kind: &Id) -> bool {
        self.on.as_ref().is_none_or(|on| on == kind)
    }

    /// Whether the payload has all that is asked for.
    #[inline]
    pub(super) fn finds(&self, payload: &Payload) -> bool {
        self.wanted.is_empty() || self.finds_all(payload)
    }

    fn finds_all(&self, payload: &Payload) -> bool {
        self.wanted.iter().all(|(field, wanted)| payload.get(field.as_str()).is_some_and(|v| wanted.equals(v)))
    }

    /// Whether an event of both would have two values in one field.
    pub(super) fn rules_out(&self, other: &Self) -> bool {
        let differs = |(field, wanted): &(Id, Wanted)| {
            let place = other.wanted.binary_search_by(|(known, _)| known.cmp(field));
            place.is_ok_and(|at| other.wanted[at].1 != *wanted)
        };
        self.wanted.iter().any(differs)
    }

    /// Whether an event of it can have a name in a field that holds names.
    pub(super) fn can_name(&self, field: &str, name: &Id) -> bool {
        let other = |wanted: &Wanted| !matches!(wanted, Wanted::Text(text) if *name == **text);
        !self.wanted.iter().any(|(known, wanted)| *known == *field && other(wanted))
    }

    /// Refuses what `where` asks to be something else.
    pub(super) fn agrees(&self, field: &Id, wanted: &Wanted, node: &Node<'_>) -> Read<()> {
        if self.wanted.iter().any(|(known, other)| known == field && other != wanted) {
            let message = format!("`where` asks for another `{field}`");
            return Err(node.error(Code::InvalidArgument, message));
        }
        Ok(())
    }
}

/// `on` and `where`.
pub(super) fn select<'a>(fields: &mut Fields<'_>, names: &'a Names<'a>) -> Read<(Selector, Met<'a>)> {
    let on = fields.get("on").map(|node| names.event_type(&node)).transpose()?;
    let mut met = names.met(on.as_ref());
    let wanted = wanted(fields, &mut met)?;
    Ok((Selector { on, wanted }, met))
}

/// `where`: what fields of the event must be equal to.
pub(super) fn wanted(fields: &mut Fields<'_>, met: &mut Met<'_>) -> Read<Vec<(Id, Wanted)>> {
    let mut wanted = Vec::new();
    if let Some(node) = fields.get("where") {
        for (field, node) in node.named(FIELDS_MAX)? {
            let value = match node.value() {
                Value::Integer(value) => Wanted::Int(*value),
                Value::Bool(value) => Wanted::Bool(*value),
                Value::String(text) => Wanted::Text(text.to_string()),
                Value::BigInteger => return Err(node.error(Code::OutOfRange, "whole numbers lie within 2^53 - 1")),
                _ => return Err(node.error(Code::WrongType, "a text, a whole number, true or false expected")),
            };
            met.ask(&field, &value, &node)?;
            wanted.push((field, value));
        }
    }
    Ok(wanted)
}

/// `value` or `amount`: an integer, `{"field": ...}`, or the name of a kind of XP where that is known.
pub(super) fn amount(node: &Node<'_>, met: &Met<'_>, xp_is_known: bool) -> Read<Amount> {
    match node.value() {
        Value::Integer(_) => node.int(-INTEGER_MAX, INTEGER_MAX).map(Amount::Fixed),
        Value::String(_) if xp_is_known => node
            .word(&[("requestedXp", 0), ("grantedXp", 1)])
            .map(|which| if which == 0 { Amount::RequestedXp } else { Amount::GrantedXp }),
        Value::Object(_) => {
            let mut fields = node.fields()?;
            let field = fields.need("field")?;
            let name = field.id()?;
            met.whole_numbers(&name, &field)?;
            fields.end()?;
            Ok(Amount::Field(name))
        }
        Value::Decimal(_) => Err(node.error(Code::NotInteger, "a whole number expected")),
        _ => Err(node.error(Code::WrongType, "a whole number, {\"field\": ...} or a kind of XP expected")),
    }
}

impl Wanted {
    /// Why no event can have this in a field of a kind.
    pub(super) fn excluded_by(&self, kind: &FieldKind) -> Option<Code> {
        match (kind, self) {
            (FieldKind::Int { min, max } | FieldKind::Uint { min, max }, Self::Int(value)) => {
                (!(min..=max).contains(&value)).then_some(Code::OutOfRange)
            }
            (FieldKind::Bool, Self::Bool(_)) => None,
            (FieldKind::Id, Self::Text(text)) => Id::new(text).is_err().then_some(Code::IdInvalid),
            (FieldKind::Text { min_bytes, .. }, Self::Text(text)) if text.len() < *min_bytes => Some(Code::TooShort),
            (FieldKind::Text { max_bytes, .. }, Self::Text(text)) => (text.len() > *max_bytes).then_some(Code::TooLong),
            (FieldKind::Enum(values), Self::Text(text)) => {
                (!values.iter().any(|value| *value == **text)).then_some(Code::InvalidFormat)
            }
            // Decimals and arrays are never equal to what can be asked.
            _ => Some(Code::WrongType),
        }
    }

    /// Whether it can be in a field that no schema describes.
    pub(super) fn can_be_kept(&self) -> bool {
        match self {
            Self::Int(value) => (-INTEGER_MAX..=INTEGER_MAX).contains(value),
            Self::Bool(_) => true,
            Self::Text(text) => text.len() <= TEXT_BYTES_MAX,
        }
    }

    fn equals(&self, value: &FieldValue) -> bool {
        match (self, value) {
            (Self::Int(wanted), FieldValue::Int(value)) => wanted == value,
            (Self::Bool(wanted), FieldValue::Bool(value)) => wanted == value,
            (Self::Text(wanted), FieldValue::Id(value)) => value == wanted.as_str(),
            (Self::Text(wanted), FieldValue::Text(value)) => **value == **wanted,
            _ => false,
        }
    }
}

/// A number that a rule takes from an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Amount {
    /// Always the same.
    Fixed(i64),
    /// A field of the event; events without it do not count.
    Field(Id),
    /// XP that the event asks for, before boosts and caps; what it takes is no part of it.
    RequestedXp,
    /// XP that the event is granted, on a board that adds up less what it takes.
    GrantedXp,
}

impl Amount {
    /// The number, given the two kinds of XP. Events worth no XP have none of either kind: they do not count on a board
    /// of XP, nor teach a detector of XP.
    #[inline]
    pub fn of(&self, payload: &Payload, requested_xp: i64, granted_xp: i64) -> Option<i64> {
        match self {
            Self::Fixed(amount) => Some(*amount),
            Self::Field(field) => payload.int_of(field),
            Self::RequestedXp => Some(requested_xp).filter(|xp| *xp != 0),
            Self::GrantedXp => Some(granted_xp).filter(|xp| *xp != 0),
        }
    }
}
