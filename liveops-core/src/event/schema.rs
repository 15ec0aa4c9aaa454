//! Types of events: which fields, of which kind, within which ranges.

use crate::error::Code;
use crate::id::Id;
use crate::json::push_segment;
use crate::limits::{ARRAY_LEN_MAX, DELTA_XP_MAX, FIELDS_MAX, INTEGER_MAX, TEXT_BYTES_MAX};

/// The event types of a game, by name.
///
/// ```
/// use liveops_core::event::{EventSchema, Field, FieldKind, Schemas};
/// use liveops_core::Id;
///
/// let mut schemas = Schemas::builtin();
/// // Tighten a built-in type.
/// let mut progression = schemas.get("progression").unwrap().clone();
/// progression.set(Field::required("deltaXp", FieldKind::Uint { min: 0, max: 5000 })?);
/// schemas.define("progression", progression)?;
/// // Register one more.
/// let rating = Field::required("rating", FieldKind::Uint { min: 0, max: 5000 })?;
/// schemas.define("arena_win", EventSchema { fields: vec![rating], ..EventSchema::default() })?;
/// assert!(schemas.define("Arena", EventSchema::default()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schemas {
    /// In byte order of the names.
    types: Vec<(Id, EventSchema)>,
}

/// What the payload of one event type may hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventSchema {
    /// What happens to other fields.
    pub unknown_fields: UnknownFields,
    /// The fields, in the order in which payloads keep them; at most 64, each name once.
    pub fields: Vec<Field>,
}

/// What happens to fields of a payload that the schema does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownFields {
    /// The event is refused with `unknown_field`.
    #[default]
    Deny,
    /// They are left out.
    Ignore,
    /// They are kept: integers, decimals, booleans, texts and arrays of these, under names that are ids, within the
    /// limits of their kinds and 64 fields in all. Anything else is refused.
    Keep,
}

/// One field of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its key: an id without quotation marks and backslashes.
    pub name: Id,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether an event without it is refused with `missing`.
    pub required: bool,
}

/// What a field holds. All bounds are included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// An integer.
    Int {
        /// Smallest, at least -(2^53 - 1).
        min: i64,
        /// Largest, at most 2^53 - 1.
        max: i64,
    },
    /// An integer that is not negative.
    Uint {
        /// Smallest, at least 0.
        min: i64,
        /// Largest, at most 2^53 - 1.
        max: i64,
    },
    /// A number with a fraction, as [`crate::json::Decimal`] holds it.
    Decimal,
    /// `true` or `false`.
    Bool,
    /// 1 to 64 visible ASCII bytes.
    Id,
    /// Any text.
    Text {
        /// Shortest, in bytes.
        min_bytes: usize,
        /// Longest, in bytes, at most 1024.
        max_bytes: usize,
    },
    /// One of these; at least one, each once.
    Enum(Vec<Id>),
    /// Values of one kind, which is no array; at most as many as the number, which is at most 64.
    Array(Box<Self>, usize),
}

/// Why a schema is not accepted; its code is `rules_invalid`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SchemaError {
    /// Where in the schema: `/fields/<name>` as JSON Pointer, empty for the schema itself or its name.
    pub path: String,
    /// What is wrong, for people.
    pub message: &'static str,
}

impl SchemaError {
    /// The stable code.
    pub const fn code(&self) -> Code {
        Code::RulesInvalid
    }
}

impl Schemas {
    /// `progression`, `boss_kill` and `drop_claimed`.
    pub fn builtin() -> Self {
        let boss_kill = vec![
            field("bossId", FieldKind::Id, true),
            field("durationMs", FieldKind::Uint { min: 1, max: 86_400_000 }, true),
            field("difficulty", FieldKind::Id, false),
            field("partySize", FieldKind::Uint { min: 1, max: 100 }, false),
            field("damage", FieldKind::Uint { min: 0, max: INTEGER_MAX }, false),
            field("deltaXp", DELTA_XP, false),
            field("activity", FieldKind::Id, false),
        ];
        let drop_claimed = vec![
            field("dropId", FieldKind::Id, true),
            field("itemId", FieldKind::Id, true),
            field("quantity", FieldKind::Uint { min: 1, max: 10_000 }, true),
            field("sourceBossId", FieldKind::Id, false),
            field("rarity", FieldKind::Id, false),
            field("deltaXp", DELTA_XP, false),
            field("activity", FieldKind::Id, false),
        ];
        let progression = vec![
            field("deltaXp", DELTA_XP, true),
            field("activity", FieldKind::Id, false),
            field("zone", FieldKind::Id, false),
        ];
        Self::of([("boss_kill", boss_kill), ("drop_claimed", drop_claimed), ("progression", progression)])
    }

    /// As the original guide's load generator sends them: all three built-in types with `deltaXp`, which is required,
    /// and `activity` alone.
    pub fn guide() -> Self {
        Self::of(
            ["boss_kill", "drop_claimed", "progression"]
                .map(|name| (name, vec![field("deltaXp", DELTA_XP, true), field("activity", FieldKind::Id, false)])),
        )
    }

    /// Registers a type or replaces it. Names are `[a-z][a-z0-9_.]{0,47}`.
    pub fn define(&mut self, name: &str, schema: EventSchema) -> Result<(), SchemaError> {
        let refused = |message| SchemaError { path: String::new(), message };
        let name = type_name(name).ok_or_else(|| refused("a type is named [a-z][a-z0-9_.]{0,47}"))?;
        schema.check()?;
        match self.types.binary_search_by(|(other, _)| other.cmp(&name)) {
            Ok(at) => {
                if let Some((_, old)) = self.types.get_mut(at) {
                    *old = schema;
                }
            }
            Err(at) => self.types.insert(at, (name, schema)),
        }
        Ok(())
    }

    /// The schema of a type.
    pub fn get(&self, name: &str) -> Option<&EventSchema> {
        self.find(name.as_bytes()).map(|(_, schema)| schema)
    }

    /// All types, in byte order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Id, &EventSchema)> {
        self.types.iter().map(|(name, schema)| (name, schema))
    }

    pub(super) fn find(&self, name: &[u8]) -> Option<&(Id, EventSchema)> {
        // Of a few types most differ in length already.
        if self.types.len() <= TYPES_COMPARED {
            return self.types.iter().find(|(other, _)| other.as_bytes() == name);
        }
        let at = self.types.binary_search_by(|(other, _)| other.as_bytes().cmp(name)).ok()?;
        self.types.get(at)
    }

    fn of<const N: usize>(types: [(&str, Vec<Option<Field>>); N]) -> Self {
        let mut all = Self::default();
        for (name, fields) in types {
            let fields = fields.into_iter().flatten().collect();
            let defined = all.define(name, EventSchema { fields, ..EventSchema::default() });
            debug_assert_eq!(defined, Ok(()), "a built-in type is sound");
        }
        all
    }
}

impl EventSchema {
    /// The field of a name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| &field.name == name)
    }

    /// Replaces the field of the same name in its place, or adds it at the end.
    pub fn set(&mut self, field: Field) {
        match self.fields.iter_mut().find(|other| other.name == field.name) {
            Some(other) => *other = field,
            None => self.fields.push(field),
        }
    }

    fn check(&self) -> Result<(), SchemaError> {
        let refused = |path, message| Err(SchemaError { path, message });
        if self.fields.len() > FIELDS_MAX {
            return refused("/fields".into(), "a type has at most 64 fields");
        }
        for (at, field) in self.fields.iter().enumerate() {
            let mut path = String::from("/fields");
            push_segment(&mut path, field.name.as_str());
            if self.fields.iter().take(at).any(|other| other.name == field.name) {
                return refused(path, "the field is there twice");
            }
            if field.name.as_bytes().iter().any(|byte| matches!(byte, b'"' | b'\\')) {
                return refused(path, "the name of a field has no quotation mark and no backslash");
            }
            if let Err(message) = field.kind.check() {
                return refused(path, message);
            }
        }
        Ok(())
    }
}

impl Field {
    /// A field that may be left out; `id_invalid` if the name is no id.
    pub fn optional(name: &str, kind: FieldKind) -> Result<Self, crate::error::Error> {
        Ok(Self { name: Id::new(name)?, kind, required: false })
    }

    /// A field that must be there; `id_invalid` if the name is no id.
    pub fn required(name: &str, kind: FieldKind) -> Result<Self, crate::error::Error> {
        Ok(Self { name: Id::new(name)?, kind, required: true })
    }
}

impl FieldKind {
    fn check(&self) -> Result<(), &'static str> {
        let demand = |holds, message| if holds { Ok(()) } else { Err(message) };
        match self {
            Self::Int { min, max } => {
                demand((-INTEGER_MAX..=*max).contains(min), "`min` lies in -(2^53 - 1)..=`max`")?;
                demand(*max <= INTEGER_MAX, "`max` is at most 2^53 - 1")
            }
            Self::Uint { min, max } => {
                demand((0..=*max).contains(min), "`min` lies in 0..=`max`")?;
                demand(*max <= INTEGER_MAX, "`max` is at most 2^53 - 1")
            }
            Self::Text { min_bytes, max_bytes } => {
                demand(min_bytes <= max_bytes, "the shortest text is not longer than the longest")?;
                demand(*max_bytes <= TEXT_BYTES_MAX, "a text has at most 1024 bytes")
            }
            Self::Enum(values) => {
                let unique = values.iter().enumerate().all(|(at, value)| !values.iter().take(at).any(|v| v == value));
                demand(!values.is_empty() && unique, "an enum has at least one value, each once")
            }
            Self::Array(kind, len_max) => {
                demand(!matches!(**kind, Self::Array(..)), "an array holds no arrays")?;
                demand(*len_max <= ARRAY_LEN_MAX, "an array has at most 64 elements")?;
                kind.check()
            }
            Self::Decimal | Self::Bool | Self::Id => Ok(()),
        }
    }
}

/// Up to this many types are compared one by one.
const TYPES_COMPARED: usize = 16;

const DELTA_XP: FieldKind = FieldKind::Uint { min: 0, max: DELTA_XP_MAX };

/// A field of a built-in type; there is one, because the name is an id.
fn field(name: &str, kind: FieldKind, required: bool) -> Option<Field> {
    Id::new(name).ok().map(|name| Field { name, kind, required })
}

fn type_name(name: &str) -> Option<Id> {
    let (first, rest) = name.as_bytes().split_first()?;
    let allowed = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.');
    (first.is_ascii_lowercase() && rest.len() < 48 && rest.iter().all(allowed)).then(|| Id::new(name).ok())?
}
