//! The grammar that every rule shares: which events (`on`, `where`), and which number of them (`value`, `amount`).
//!
//! What the fields of an event can never be is refused where the rules are read: a rule that waits for it would never act.

use super::document::Read;
use super::reader::{Fields, Node};
use crate::error::Code;
use crate::event::{EventSchema, FieldKind, FieldValue, Payload, Schemas, UnknownFields};
use crate::id::Id;
use crate::json::Value;
use crate::limits::{FIELDS_MAX, INTEGER_MAX, TEXT_BYTES_MAX};

/// Which events a rule is about: `on` is a type, `where` asks fields for equality.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    pub(super) on: Option<Id>,
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
        self.on.as_ref().is_none_or(|on| on == kind)
            && self.wanted.iter().all(|(field, wanted)| payload.get(field.as_str()).is_some_and(|v| wanted.equals(v)))
    }

    /// Whether an event of a type can be one of them.
    pub(super) fn can_meet(&self, kind: &Id, schema: &EventSchema) -> bool {
        let can_be = |(field, wanted): &(Id, Wanted)| match schema.field(field.as_str()) {
            Some(field) => wanted.excluded_by(&field.kind).is_none(),
            None => wanted.can_be_kept() && schema.unknown_fields == UnknownFields::Keep,
        };
        self.on.as_ref().is_none_or(|on| on == kind) && self.wanted.iter().all(can_be)
    }

    /// Whether an event of both would have two values in one field.
    pub(super) fn rules_out(&self, other: &Self) -> bool {
        let differs = |(field, wanted): &(Id, Wanted)| other.wanted.iter().any(|(f, w)| f == field && w != wanted);
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

/// What names in the rules may refer to.
pub(super) struct Names<'a> {
    pub(super) schemas: &'a Schemas,
}

/// The types of event that a rule can meet: fewer with each thing it asks of them, and never none.
#[derive(Clone)]
pub(super) struct Met<'a>(Vec<(&'a Id, &'a EventSchema)>);

/// `on` and `where`.
pub(super) fn select<'a>(fields: &mut Fields<'_>, names: &Names<'a>) -> Read<(Selector, Met<'a>)> {
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

impl<'a> Names<'a> {
    pub(super) fn event_type(&self, node: &Node<'_>) -> Read<Id> {
        let kind = node.id()?;
        if self.schemas.get(kind.as_str()).is_none() {
            return Err(node.error(Code::UnknownType, "the rules know no such event type"));
        }
        Ok(kind)
    }

    /// Whether a field can be below zero on an event type that a selection can meet.
    pub(super) fn can_be_negative(&self, field: &Id, select: &Selector) -> bool {
        let mut schemas = self.schemas.iter().filter(|(kind, schema)| select.can_meet(kind, schema));
        schemas.any(|(_, schema)| {
            let kind = schema.field(field.as_str()).map(|field| &field.kind);
            matches!(kind, Some(FieldKind::Int { min: ..0, .. }))
        })
    }

    /// The event types of a rule about one of them, or about any.
    pub(super) fn met(&self, on: Option<&Id>) -> Met<'a> {
        Met(self.schemas.iter().filter(|(kind, _)| on.is_none_or(|on| on == *kind)).collect())
    }
}

impl Met<'_> {
    /// Leaves the types whose field can be what is asked for; refused if none can, with what the first one expects.
    pub(super) fn ask(&mut self, field: &Id, wanted: &Wanted, node: &Node<'_>) -> Read<()> {
        self.leave(field, node, |kind| wanted.excluded_by(kind), wanted.can_be_kept())
    }

    /// The same for a boss, drop or activity. Fields that name one hold ids, which a kept field never does.
    pub(super) fn ask_name(&mut self, field: &Id, node: &Node<'_>) -> Read<Id> {
        let name = node.id()?;
        self.ask_key(field, &name, node)?;
        Ok(name)
    }

    /// The same for a name that is the key under which a node stands.
    pub(super) fn ask_key(&mut self, field: &Id, name: &Id, node: &Node<'_>) -> Read<()> {
        let wanted = Wanted::Text(name.to_string());
        let excluded_by = |kind: &FieldKind| match kind {
            FieldKind::Text { .. } => {
                Some((Code::WrongType, format!("`{field}` of the events is a text: declare it as an id or an enum")))
            }
            _ => wanted.excluded_by(kind),
        };
        self.leave(field, node, excluded_by, false)
    }

    fn leave(
        &mut self,
        field: &Id,
        node: &Node<'_>,
        excluded_by: impl Fn(&FieldKind) -> Option<(Code, String)>,
        can_be_kept: bool,
    ) -> Read<()> {
        self.kinds(field, node)?;
        let mut excluded = None;
        self.0.retain(|(_, schema)| match schema.field(field.as_str()) {
            Some(known) => {
                let found = excluded_by(&known.kind);
                let can_be = found.is_none();
                excluded = excluded.take().or(found);
                can_be
            }
            None => can_be_kept && schema.unknown_fields == UnknownFields::Keep,
        });
        match excluded {
            Some((issue, message)) if self.0.is_empty() => Err(node.error(issue, message)),
            _ => Ok(()),
        }
    }

    /// Refuses a field that holds anything but whole numbers; returns their least and greatest.
    pub(super) fn whole_numbers(&self, field: &Id, node: &Node<'_>) -> Read<(i64, i64)> {
        let mut range = (INTEGER_MAX, -INTEGER_MAX);
        for kind in self.kinds(field, node)? {
            let (FieldKind::Int { min, max } | FieldKind::Uint { min, max }) = kind else {
                return Err(node.error(Code::NotInteger, "a field of whole numbers expected"));
            };
            range = (range.0.min(*min), range.1.max(*max));
        }
        Ok(range)
    }

    /// What a field holds, on every type that knows it; refused if none does.
    fn kinds(&self, field: &Id, node: &Node<'_>) -> Read<Vec<&FieldKind>> {
        let kinds: Vec<_> =
            self.0.iter().filter_map(|(_, schema)| schema.field(field.as_str()).map(|field| &field.kind)).collect();
        if kinds.is_empty() {
            return Err(node.error(Code::UnknownField, "no event type that the rule can meet has such a field"));
        }
        Ok(kinds)
    }
}

impl Wanted {
    /// Why no event can have this in a field of a kind: what kind of fault, and what would be right.
    pub(super) fn excluded_by(&self, kind: &FieldKind) -> Option<(Code, String)> {
        let wrong = |expected: &str| Some((Code::WrongType, expected.to_owned()));
        match (kind, self) {
            (FieldKind::Int { min, max } | FieldKind::Uint { min, max }, Self::Int(value)) => {
                let message =
                    || (Code::OutOfRange, format!("{min} to {max} expected: the field holds no other number"));
                (!(min..=max).contains(&value)).then(message)
            }
            (FieldKind::Bool, Self::Bool(_)) => None,
            (FieldKind::Id, Self::Text(text)) => Id::new(text)
                .is_err()
                .then(|| (Code::IdInvalid, "1 to 64 visible ASCII bytes expected: the field holds ids".to_owned())),
            (FieldKind::Text { min_bytes, .. }, Self::Text(text)) if text.len() < *min_bytes => {
                Some((Code::TooShort, format!("at least {min_bytes} bytes expected: the field holds no shorter text")))
            }
            (FieldKind::Text { max_bytes, .. }, Self::Text(text)) => (text.len() > *max_bytes).then(|| {
                (Code::TooLong, format!("at most {max_bytes} bytes expected: the field holds no longer text"))
            }),
            (FieldKind::Enum(values), Self::Text(text)) => (!values.iter().any(|value| *value == **text)).then(|| {
                let values: Vec<_> = values.iter().map(Id::as_str).collect();
                (Code::InvalidFormat, format!("one of {} expected", values.join(", ")))
            }),
            (FieldKind::Int { .. } | FieldKind::Uint { .. }, _) => wrong("a whole number expected, without quotes"),
            (FieldKind::Bool, _) => wrong("true or false expected, without quotes"),
            (FieldKind::Id | FieldKind::Text { .. } | FieldKind::Enum(_), _) => wrong("a text expected, in quotes"),
            (FieldKind::Decimal, _) => wrong("the field holds decimals, which rules cannot ask for"),
            (FieldKind::Array(..), _) => wrong("the field holds arrays, which rules cannot ask for"),
        }
    }

    /// Whether it can be in a field that no schema describes.
    fn can_be_kept(&self) -> bool {
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
    pub fn of(&self, payload: &Payload, requested_xp: i64, granted_xp: i64) -> Option<i64> {
        match self {
            Self::Fixed(amount) => Some(*amount),
            Self::Field(field) => payload.int(field.as_str()),
            Self::RequestedXp => Some(requested_xp).filter(|xp| *xp != 0),
            Self::GrantedXp => Some(granted_xp).filter(|xp| *xp != 0),
        }
    }
}
