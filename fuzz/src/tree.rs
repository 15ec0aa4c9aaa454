//! JSON as `serde_json` reads it, without the two things its own value forgets: members whose key came before, and
//! whether a number was written as an integer.

use std::fmt;

use liveops_core::json::{Decimal, Limits, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

pub(crate) enum Tree {
    Null,
    Bool(bool),
    Integer(i64),
    /// An integer beyond `i64`.
    Large,
    /// A number with a fraction or an exponent, and `-0`.
    Double(f64),
    Text(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Tree {
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Whether a strict reader takes it: no key twice anywhere, nested no deeper than allowed.
    pub(crate) fn is_strict(&self, limits: Limits) -> bool {
        self.depth() <= limits.depth_max && !self.has_key_twice()
    }

    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Array(elements) => 1 + elements.iter().map(Self::depth).max().unwrap_or(0),
            Self::Object(members) => 1 + members.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }

    pub(crate) fn has_key_twice(&self) -> bool {
        match self {
            Self::Array(elements) => elements.iter().any(Self::has_key_twice),
            Self::Object(members) => {
                let mut keys: Vec<_> = members.iter().map(|(key, _)| key).collect();
                keys.sort_unstable();
                keys.windows(2).any(|pair| pair[0] == pair[1]) || members.iter().any(|(_, v)| v.has_key_twice())
            }
            _ => false,
        }
    }

    pub(crate) fn members(&self) -> Option<&[(String, Self)]> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.members()?.iter().find_map(|(name, value)| (name == key).then_some(value))
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The value at a JSON Pointer.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Self> {
        let mut segments = pointer.split('/');
        segments.next().filter(|before| before.is_empty())?;
        segments.try_fold(self, |value, segment| {
            let key = segment.replace("~1", "/").replace("~0", "~");
            match value {
                Self::Array(elements) => elements.get(key.parse::<usize>().ok()?),
                _ => value.get(&key),
            }
        })
    }

    /// Whether our reader read the same.
    pub(crate) fn is(&self, ours: &Value<'_>) -> bool {
        match (self, ours) {
            (Self::Null, Value::Null) | (Self::Large, Value::BigInteger) => true,
            (Self::Bool(a), Value::Bool(b)) => a == b,
            (Self::Integer(a), Value::Integer(b)) => a == b,
            (Self::Double(a), Value::BigInteger) => a.abs() >= 2_f64.powi(63),
            (Self::Double(a), Value::Decimal(b)) => b.parse() == Ok(*a) && a.abs() < 2_f64.powi(63),
            (Self::Text(a), Value::String(b)) => a == b,
            (Self::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is(b)),
            (Self::Object(a), Value::Object(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|((a, x), (b, y))| a == b && x.is(y))
            }
            _ => false,
        }
    }

    /// The number as a decimal within the library's bounds.
    pub(crate) fn decimal(&self) -> Option<Decimal> {
        match self {
            Self::Integer(value) => Decimal::new(*value, 0),
            // Without exponent, in the fewest digits that read back to it.
            Self::Double(value) => Decimal::parse(&value.to_string()),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
                Ok(Tree::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
                Ok(Tree::Integer(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
                Ok(i64::try_from(value).map_or(Tree::Large, Tree::Integer))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
                Ok(Tree::Double(value))
            }

            fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
                Ok(Tree::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<Tree, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = source.next_element()? {
                    elements.push(element);
                }
                Ok(Tree::Array(elements))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<Tree, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = source.next_entry()? {
                    members.push(member);
                }
                Ok(Tree::Object(members))
            }
        }

        source.deserialize_any(Reader)
    }
}

/// Whether a text is a JSON Pointer (RFC 6901) that can stand on a line.
pub(crate) fn is_pointer(text: &str) -> bool {
    let escapes_whole = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    (text.is_empty() || text.starts_with('/')) && escapes_whole && !text.chars().any(char::is_control)
}

/// Whether a pointer names its keys as they are: long ones are cut, and characters that garble a line are written
/// otherwise.
pub(crate) fn is_literal(pointer: &str) -> bool {
    !pointer.contains(['\\', '…'])
}
