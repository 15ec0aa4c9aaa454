//! The types of event that a rule can meet, by what it asks of their fields.
//!
//! What the fields of an event can never be is refused where the rules are read: a rule that waits for it would never act.

use std::collections::BTreeMap;

use super::document::Read;
use super::reader::{Node, RulesError};
use super::select::{Selector, Wanted};
use crate::error::Code;
use crate::event::{EventSchema, FieldKind, Schemas, UnknownFields};
use crate::id::Id;
use crate::limits::INTEGER_MAX;

/// What names in the rules may refer to: types of event, and by the name of a field what it holds in each of them.
pub(super) struct Names<'a> {
    types: Vec<(&'a Id, &'a EventSchema)>,
    fields: BTreeMap<&'a Id, Vec<(usize, &'a FieldKind)>>,
}

/// The types of event that a rule can meet: fewer with each thing it asks of them.
#[derive(Clone)]
pub(super) struct Met<'a> {
    names: &'a Names<'a>,
    /// By the place of the type.
    left: Vec<bool>,
}

impl<'a> Names<'a> {
    pub(super) fn new(schemas: &'a Schemas) -> Self {
        let types: Vec<_> = schemas.iter().collect();
        let mut fields: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (place, (_, schema)) in types.iter().enumerate() {
            for field in &schema.fields {
                fields.entry(&field.name).or_default().push((place, &field.kind));
            }
        }
        Self { types, fields }
    }

    pub(super) fn event_type(&self, node: &Node<'_>) -> Read<Id> {
        let kind = node.id()?;
        if !self.types.iter().any(|(known, _)| **known == kind) {
            return Err(node.error(Code::UnknownType, "the rules know no such event type"));
        }
        Ok(kind)
    }

    /// The event types of a rule about one of them, or about any.
    pub(super) fn met(&self, on: Option<&Id>) -> Met<'_> {
        let left = self.types.iter().map(|(kind, _)| on.is_none_or(|on| on == *kind)).collect();
        Met { names: self, left }
    }

    /// Those of a selection.
    pub(super) fn met_by(&self, select: &Selector) -> Met<'_> {
        let mut met = self.met(select.on.as_ref());
        for (field, wanted) in &select.wanted {
            met.leave(field, |kind| wanted.excluded_by(kind), wanted.can_be_kept());
        }
        met
    }

    /// Whether a field can be below zero on an event type that a selection can meet.
    pub(super) fn can_be_negative(&self, field: &Id, select: &Selector) -> bool {
        self.met_by(select).kinds(field).any(|kind| matches!(kind, FieldKind::Int { min: ..0, .. }))
    }
}

impl<'a> Met<'a> {
    pub(super) fn types(&self) -> impl Iterator<Item = (&'a Id, &'a EventSchema)> {
        self.names.types.iter().zip(&self.left).filter(|(_, left)| **left).map(|(known, _)| *known)
    }

    /// Leaves the types whose field can be what is asked for; refused if none can, with what the first one holds.
    pub(super) fn ask(&mut self, field: &Id, wanted: &Wanted, node: &Node<'_>) -> Read<()> {
        let excluded = self.leave(field, |kind| wanted.excluded_by(kind), wanted.can_be_kept());
        self.unless_none(field, excluded, node)
    }

    /// The same for a boss, drop or activity.
    pub(super) fn ask_name(&mut self, field: &Id, node: &Node<'_>) -> Read<Id> {
        let name = node.id()?;
        self.ask_key(field, &name, node)?;
        Ok(name)
    }

    /// The same for one that is the key under which a node stands. Fields that name something hold ids, which neither a text
    /// nor a kept field does.
    pub(super) fn ask_key(&mut self, field: &Id, name: &Id, node: &Node<'_>) -> Read<()> {
        let wanted = Wanted::Text(name.to_string());
        let is_text = |kind: &FieldKind| matches!(kind, FieldKind::Text { .. });
        let excluded_by = |kind: &FieldKind| wanted.excluded_by(kind).or(is_text(kind).then_some(Code::WrongType));
        let excluded = self.leave(field, excluded_by, false);
        self.unless_none(field, excluded, node)
    }

    /// Refuses a field that holds anything but whole numbers; returns their least and greatest.
    pub(super) fn whole_numbers(&self, field: &Id, node: &Node<'_>) -> Read<(i64, i64)> {
        let is_kept = self.types().any(|(_, schema)| schema.unknown_fields == UnknownFields::Keep);
        if !self.names.fields.contains_key(field) || (self.kinds(field).next().is_none() && !is_kept) {
            return Err(unknown(node));
        }
        let mut range = (INTEGER_MAX, -INTEGER_MAX);
        for kind in self.kinds(field) {
            let (FieldKind::Int { min, max } | FieldKind::Uint { min, max }) = kind else {
                return Err(node.error(Code::NotInteger, "a field of whole numbers expected"));
            };
            range = (range.0.min(*min), range.1.max(*max));
        }
        Ok(range)
    }

    /// What a field holds, on every type that knows it.
    fn kinds(&self, field: &Id) -> impl Iterator<Item = &'a FieldKind> {
        let known = self.names.fields.get(field).into_iter().flatten();
        known.filter(|(place, _)| self.left.get(*place) == Some(&true)).map(|(_, kind)| *kind)
    }

    /// Takes away the types on which nothing can be so; returns why the first of them is one. Types that do not know the field
    /// stay if they may keep it.
    fn leave(
        &mut self,
        field: &Id,
        excluded_by: impl Fn(&FieldKind) -> Option<Code>,
        can_be_kept: bool,
    ) -> Option<(Code, &'a FieldKind)> {
        let keeps = |schema: &EventSchema| can_be_kept && schema.unknown_fields == UnknownFields::Keep;
        let types = self.names.types.iter().zip(&self.left);
        let mut left: Vec<_> = types.map(|((_, schema), left)| *left && keeps(schema)).collect();
        let mut excluded = None;
        for (place, kind) in self.names.fields.get(field).into_iter().flatten() {
            let (Some(was), Some(left)) = (self.left.get(*place), left.get_mut(*place)) else { continue };
            let found = if *was { excluded_by(kind) } else { None };
            *left = *was && found.is_none();
            excluded = excluded.or(found.map(|issue| (issue, *kind)));
        }
        self.left = left;
        excluded
    }

    /// A field that no type knows is refused although some may keep it: it is more likely misspelt.
    fn unless_none(&self, field: &Id, excluded: Option<(Code, &FieldKind)>, node: &Node<'_>) -> Read<()> {
        match excluded {
            _ if self.left.contains(&true) && self.names.fields.contains_key(field) => Ok(()),
            Some((issue, kind)) => Err(node.error(issue, holds(kind))),
            None => Err(unknown(node)),
        }
    }
}

fn unknown(node: &Node<'_>) -> RulesError {
    node.error(Code::UnknownField, "no event type that the rule can meet has such a field")
}

/// What a field can be.
fn holds(kind: &FieldKind) -> String {
    match kind {
        FieldKind::Int { min, max } | FieldKind::Uint { min, max } => {
            format!("the field holds whole numbers, {min} to {max}, without quotes")
        }
        FieldKind::Bool => "the field holds true or false, without quotes".to_owned(),
        FieldKind::Id => "the field holds ids: texts of 1 to 64 visible ASCII bytes".to_owned(),
        FieldKind::Text { min_bytes, max_bytes } => {
            format!(
                "the field holds texts of {min_bytes} to {max_bytes} bytes; what names a boss or drop is an id or an enum"
            )
        }
        FieldKind::Enum(values) => {
            let values: Vec<_> = values.iter().map(Id::as_str).collect();
            format!("the field holds one of {}", values.join(", "))
        }
        FieldKind::Decimal => "the field holds decimals, which rules cannot ask for".to_owned(),
        FieldKind::Array(..) => "the field holds arrays, which rules cannot ask for".to_owned(),
    }
}
