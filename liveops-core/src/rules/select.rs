//! The grammar that every rule shares: which events (`on`, `where`), and which number of them (`value`, `amount`).

use crate::event::{FieldValue, Payload};
use crate::id::Id;

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
}

impl Wanted {
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
