//! Strict JSON (RFC 8259) for events and rules: what two readers could understand differently is refused.
//!
//! The tokenizer is `serde_json`'s; this module adds what it lets pass (duplicate keys, depth, size) and says where
//! the fault is. Binary floating point appears here only, on its way into text or a [`Decimal`].

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use crate::error::Code;
use crate::limits::{BODY_BYTES_MAX, INTEGER_MAX, JSON_DEPTH_MAX, RULES_BYTES_MAX, RULES_DEPTH_MAX};

/// Size and depth up to which a document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest document, in bytes.
    pub bytes_max: usize,
    /// Deepest nesting of arrays and objects, the outermost being 1; at most 126.
    pub depth_max: usize,
}

impl Limits {
    /// For the body of an event.
    pub const EVENT: Self = Self { bytes_max: BODY_BYTES_MAX, depth_max: JSON_DEPTH_MAX };
    /// For a rules document.
    pub const RULES: Self = Self { bytes_max: RULES_BYTES_MAX, depth_max: RULES_DEPTH_MAX };
}

/// A JSON value. Text without escapes is borrowed from the document; members keep the document's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number written without fraction or exponent, except `-0`.
    Integer(i64),
    /// A number beyond `i64`, however written: every double that large is whole.
    BigInteger,
    /// Any other number, also `1.0`, `1e3` and `-0`: the shortest decimal text of the double it reads to.
    Decimal(Box<str>),
    /// A text, unescaped.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Self>),
    /// An object; no two members have the same key.
    Object(Vec<(Cow<'a, str>, Self)>),
}

impl<'a> Value<'a> {
    /// The member of an object; `None` if there is none or this is no object.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_object()?.iter().find_map(|(name, value)| (name == key).then_some(value))
    }

    /// The members, if this is an object.
    pub fn as_object(&self) -> Option<&[(Cow<'a, str>, Self)]> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(elements) = self { Some(elements) } else { None }
    }

    /// The text, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }
}

/// Why a document was not read: `too_large`, `invalid_utf8`, `too_deep`, `duplicate_key`, `trailing_data` or
/// `syntax` (everything else, also a byte order mark and lone surrogates).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {line}, column {column})")]
pub struct SyntaxError {
    /// The stable code.
    pub code: Code,
    /// Where: JSON Pointer (RFC 6901) of the value that could not be read, empty for the outermost.
    pub path: String,
    /// What is wrong, without any value of the document.
    pub message: String,
    /// The limit that was passed, if one was.
    pub limit: Option<usize>,
    /// Line at which reading stopped, from 1.
    pub line: usize,
    /// Column at which reading stopped, in bytes, from 1; 0 before the first byte of a line.
    pub column: usize,
    /// The same place in bytes from the beginning, from 0: never beyond the end.
    pub offset: usize,
}

/// Reads a document.
///
/// ```
/// use liveops_core::Code;
/// use liveops_core::json::{Limits, Value, parse};
///
/// let value = parse(br#"{"a": [1, "x"]}"#, Limits::EVENT).unwrap();
/// assert_eq!(value.get("a"), Some(&Value::Array(vec![Value::Integer(1), Value::String("x".into())])));
///
/// let twice = parse(br#"{"a": {"b": 1, "\u0062": 2}}"#, Limits::EVENT).unwrap_err();
/// assert_eq!((twice.code, twice.path.as_str()), (Code::DuplicateKey, "/a/b"));
/// ```
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Value<'_>, SyntaxError> {
    let refuse = |code, message: &str, limit, (line, column)| {
        let offset = offset_of(bytes, line, column);
        Err(SyntaxError { code, path: String::new(), message: message.into(), limit, line, column, offset })
    };
    if bytes.len() > limits.bytes_max {
        return refuse(Code::TooLarge, "the document is too long", Some(limits.bytes_max), (1, 0));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            return refuse(Code::InvalidUtf8, "the document is not UTF-8", None, end_of(valid));
        }
    };
    if text.starts_with('\u{feff}') {
        return refuse(Code::Syntax, "the document begins with a byte order mark", None, (1, 1));
    }
    let mut trace = Trace::default();
    // serde_json stops at 127 with an error that cannot be told from others; stop before it does.
    let depth_left = limits.depth_max.min(126);
    let mut source = serde_json::Deserializer::from_str(text);
    match (Reader { trace: &mut trace, depth_left, capacity: MEMBERS_EXPECTED }).deserialize(&mut source) {
        Ok(value) => match source.end() {
            Ok(()) => Ok(value),
            Err(error) => {
                let at = (error.line(), error.column());
                refuse(Code::TrailingData, "something follows the JSON value", None, at)
            }
        },
        Err(error) => Err(trace.explain(&error, limits, bytes)),
    }
}

/// Appends one segment of a JSON Pointer. Keys may be a stranger's text: at most 64 bytes of it, control characters
/// as `\u001f`, `~` and `/` as RFC 6901 says.
pub fn push_segment(path: &mut String, key: &str) {
    const BYTES_MAX: usize = 64;
    const ELLIPSIS: char = '…';
    path.push('/');
    let fits = key.len() <= BYTES_MAX;
    let room = if fits { BYTES_MAX } else { BYTES_MAX - ELLIPSIS.len_utf8() };
    for (_, c) in key.char_indices().take_while(|(at, c)| at + c.len_utf8() <= room) {
        match c {
            '~' => path.push_str("~0"),
            '/' => path.push_str("~1"),
            // Line separators and marks that turn the direction of text would garble a log line as well.
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => push_escape(path, c),
            c if c.is_control() => push_escape(path, c),
            c => path.push(c),
        }
    }
    if !fits {
        path.push(ELLIPSIS);
    }
}

/// A decimal number: mantissa / 10^scale, in lowest terms. At most ±(2^53 - 1), at most 30 digits after the point.
///
/// ```
/// use liveops_core::json::Decimal;
///
/// let d = Decimal::parse("12.50").unwrap();
/// assert_eq!((d.mantissa(), d.scale()), (125, 1));
/// assert_eq!((Decimal::parse("1e16"), Decimal::parse("1e-31"), Decimal::parse("x")), (None, None, None));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    mantissa: i64,
    scale: u8,
}

impl Decimal {
    /// Most digits after the point.
    pub const SCALE_MAX: u8 = 30;

    /// Brings a fraction into lowest terms; `None` if it is out of range.
    pub const fn new(mut mantissa: i64, mut scale: u8) -> Option<Self> {
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        if scale > Self::SCALE_MAX {
            return None;
        }
        let in_range = match 10_u128.pow(scale as u32).checked_mul(INTEGER_MAX.unsigned_abs() as u128) {
            Some(most) => mantissa.unsigned_abs() as u128 <= most,
            None => true,
        };
        if in_range { Some(Self { mantissa, scale }) } else { None }
    }

    /// Reads digits with an optional sign, fraction and exponent, exactly; `None` if that fails or is out of range.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let (negative, digits) = whole.strip_prefix('-').map_or((false, whole), |digits| (true, digits));
        let mut mantissa = 0_i64;
        for digit in digits.bytes().chain(fraction.bytes()) {
            let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
            mantissa = mantissa.checked_mul(10)?.checked_add(digit)?;
        }
        if digits.is_empty() || number.ends_with('.') {
            return None;
        }
        let mut scale = i64::try_from(fraction.len()).ok()?.checked_sub(exponent.parse().ok()?)?;
        while scale < 0 && mantissa != 0 {
            mantissa = mantissa.checked_mul(10)?;
            scale += 1;
        }
        Self::new(if negative { -mantissa } else { mantissa }, u8::try_from(scale.max(0)).ok()?)
    }

    /// The number without its point.
    pub const fn mantissa(self) -> i64 {
        self.mantissa
    }

    /// Digits after the point.
    pub const fn scale(self) -> u8 {
        self.scale
    }
}

/// Without exponent.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::from(self.scale);
        let digits = format!("{:0>1$}", self.mantissa.unsigned_abs(), scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let point = if scale > 0 { "." } else { "" };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

/// A number: an integer if it is whole, else the nearest double, which formats print back as the same decimal.
impl serde::Serialize for Decimal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.scale == 0 {
            return serializer.serialize_i64(self.mantissa);
        }
        match self.to_string().parse::<f64>() {
            Ok(double) => serializer.serialize_f64(double),
            Err(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}

/// Up to this many keys are compared one by one; more are sorted once.
const KEYS_COMPARED: usize = 16;

/// Room made for the outermost object, of which there is only one: an event has five members.
const MEMBERS_EXPECTED: usize = 8;

/// What `serde_json` does not keep of an error: our code, and the way back up to the root.
#[derive(Default)]
struct Trace {
    code: Option<(Code, &'static str)>,
    /// Innermost first.
    path: Vec<Segment>,
}

enum Segment {
    Key(String),
    Index(usize),
}

impl Trace {
    #[cold]
    fn fail<E: serde::de::Error>(&mut self, code: Code, message: &'static str) -> E {
        self.code = Some((code, message));
        E::custom(message)
    }

    #[cold]
    fn under_key<E>(&mut self, key: &str, error: E) -> E {
        self.path.push(Segment::Key(key.into()));
        error
    }

    #[cold]
    fn under_index<E>(&mut self, index: usize, error: E) -> E {
        self.path.push(Segment::Index(index));
        error
    }

    fn explain(self, error: &serde_json::Error, limits: Limits, bytes: &[u8]) -> SyntaxError {
        let mut path = String::new();
        for segment in self.path.iter().rev() {
            match segment {
                Segment::Key(key) => push_segment(&mut path, key),
                Segment::Index(index) => push_index(&mut path, *index),
            }
        }
        let (line, column) = (error.line(), error.column());
        let (code, message) = self.code.map_or_else(
            || {
                // Its messages are fixed texts and name no value; the place is said by us.
                let message = error.to_string();
                let place = format!(" at line {line} column {column}");
                (Code::Syntax, message.strip_suffix(&place).unwrap_or(&message).to_owned())
            },
            |(code, message)| (code, message.to_owned()),
        );
        let limit = (code == Code::TooDeep).then_some(limits.depth_max);
        SyntaxError { code, path, message, limit, line, column, offset: offset_of(bytes, line, column) }
    }
}

/// Reads one value.
struct Reader<'t> {
    trace: &'t mut Trace,
    depth_left: usize,
    /// Members to make room for at once.
    capacity: usize,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value<'de>;

    #[inline]
    fn deserialize<D: serde::Deserializer<'de>>(self, source: D) -> Result<Value<'de>, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    #[inline]
    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Integer(value))
    }

    #[inline]
    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(i64::try_from(value).map_or(Value::BigInteger, Value::Integer))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value<'de>, E> {
        const BEYOND_I64: f64 = 9_223_372_036_854_775_808.0;
        if !value.is_finite() {
            Err(E::custom("number out of range"))
        } else if value.abs() >= BEYOND_I64 {
            Ok(Value::BigInteger)
        } else {
            Ok(Value::Decimal(format!("{value:?}").into()))
        }
    }

    #[inline]
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Owned(text.into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<Value<'de>, A::Error> {
        let Some(depth_left) = self.depth_left.checked_sub(1) else {
            return Err(self.trace.fail(Code::TooDeep, "arrays and objects are nested too deep"));
        };
        let mut elements = Vec::new();
        loop {
            match source.next_element_seed(Reader { trace: self.trace, depth_left, capacity: 0 }) {
                Ok(Some(element)) => elements.push(element),
                Ok(None) => return Ok(Value::Array(elements)),
                Err(error) => return Err(self.trace.under_index(elements.len(), error)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<Value<'de>, A::Error> {
        let Some(depth_left) = self.depth_left.checked_sub(1) else {
            return Err(self.trace.fail(Code::TooDeep, "arrays and objects are nested too deep"));
        };
        let mut members: Vec<(Cow<'de, str>, Value<'de>)> = Vec::with_capacity(self.capacity);
        while let Some(key) = source.next_key_seed(Key)? {
            if members.len() < KEYS_COMPARED && members.iter().any(|(other, _)| *other == key) {
                return Err(self.duplicate(&key));
            }
            match source.next_value_seed(Reader { trace: self.trace, depth_left, capacity: 0 }) {
                Ok(value) => members.push((key, value)),
                Err(error) => return Err(self.trace.under_key(&key, error)),
            }
        }
        match duplicate_of(&members) {
            Some(key) => Err(self.duplicate(key)),
            None => Ok(Value::Object(members)),
        }
    }
}

impl Reader<'_> {
    #[cold]
    fn duplicate<E: serde::de::Error>(self, key: &str) -> E {
        let error = self.trace.fail(Code::DuplicateKey, "the object has this key twice");
        self.trace.under_key(key, error)
    }
}

/// Reads a key.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    #[inline]
    fn deserialize<D: serde::Deserializer<'de>>(self, source: D) -> Result<Cow<'de, str>, D::Error> {
        source.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    #[inline]
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.into()))
    }
}

/// The first key of a large object that stands there a second time.
fn duplicate_of<'m>(members: &'m [(Cow<'_, str>, Value<'_>)]) -> Option<&'m str> {
    if members.len() <= KEYS_COMPARED {
        return None;
    }
    let mut keys: Vec<(&str, usize)> = members.iter().enumerate().map(|(at, (key, _))| (&**key, at)).collect();
    keys.sort_unstable();
    keys.windows(2)
        .filter_map(|pair| if let [a, b] = pair { (a.0 == b.0).then_some(*b) } else { None })
        .min_by_key(|(_, at)| *at)
        .map(|(key, _)| key)
}

/// What a line and a column are in bytes from the beginning.
fn offset_of(bytes: &[u8], line: usize, column: usize) -> usize {
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let line_start = line.checked_sub(2).map_or(0, |nth| ends.take(nth + 1).last().unwrap_or(0));
    (line_start + column.saturating_sub(1)).min(bytes.len())
}

/// Line and column after some bytes.
fn end_of(bytes: &[u8]) -> (usize, usize) {
    let line_starts = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    (bytes.split(|b| *b == b'\n').count(), bytes.len() - line_starts + 1)
}

fn push_escape(path: &mut String, c: char) {
    // Writing to a string cannot fail.
    _ = write!(path, "\\u{:04x}", u32::from(c));
}

/// Appends the position in an array to a JSON Pointer.
pub fn push_index(path: &mut String, index: usize) {
    // Writing to a string cannot fail.
    _ = write!(path, "/{index}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Limits = Limits { bytes_max: 1 << 20, depth_max: 200 };

    fn same(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
        match (ours, theirs) {
            (Value::Null, serde_json::Value::Null) => true,
            (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
            (Value::Integer(a), serde_json::Value::Number(b)) => b.as_i64() == Some(*a),
            (Value::BigInteger, serde_json::Value::Number(b)) => b.as_i64().is_none(),
            (Value::Decimal(a), serde_json::Value::Number(b)) => b.is_f64() && a.parse::<f64>().ok() == b.as_f64(),
            (Value::String(a), serde_json::Value::String(b)) => a == b,
            (Value::Array(a), serde_json::Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (Value::Object(a), serde_json::Value::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(key, a)| b.get(&**key).is_some_and(|b| same(a, b)))
            }
            _ => false,
        }
    }

    #[test]
    fn values_are_those_of_serde_json() {
        for text in [
            "null",
            " [true, false, 0, -1, 9223372036854775807, -9223372036854775808, 9223372036854775808] ",
            "[18446744073709551615, 18446744073709551616, -9223372036854775809, 1e300, 9.3e18]",
            "[1.0, 1e3, -0, -0.0, 0.1, 5e-324, 0.30000000000000004, 123456789012345678.5, 1.2]",
            r#"{"b": "\u0061\ud83d\ude00\"\\\/\n", "a": {"": ""}, "é": []}"#,
        ] {
            let ours = parse(text.as_bytes(), WIDE).unwrap();
            assert!(same(&ours, &serde_json::from_str(text).unwrap()), "{text}: {ours:?}");
        }
        assert_eq!(parse(b"1.20", WIDE), Ok(Value::Decimal("1.2".into())));
        assert!(matches!(parse(br#""plain""#, WIDE), Ok(Value::String(Cow::Borrowed("plain")))));
    }

    #[test]
    fn nesting_stops_before_the_tokenizer_does() {
        for (depth, wanted) in [(126, None), (127, Some(Code::TooDeep)), (100_000, Some(Code::TooDeep))] {
            let text = "[".repeat(depth) + &"]".repeat(depth);
            assert_eq!(parse(text.as_bytes(), WIDE).err().map(|e| e.code), wanted, "{depth}");
        }
    }

    #[test]
    fn duplicates_are_found_however_many_keys() {
        for len in [1, 2, 15, 16, 17, 18, 40, 1000] {
            let keys: Vec<_> = (0..len).map(|i| format!("\"k{i}\":0")).collect();
            let text = format!("{{{}}}", keys.join(","));
            assert!(parse(text.as_bytes(), WIDE).is_ok(), "{len}");
            for (twice, at) in [(0, len), (len - 1, len), (len / 2, len / 2)] {
                let mut keys = keys.clone();
                keys.insert(at, format!("\"\\u006b{twice}\":[]"));
                let error = parse(format!("[{{{}}}]", keys.join(",")).as_bytes(), WIDE).unwrap_err();
                assert_eq!((error.code, error.path), (Code::DuplicateKey, format!("/0/k{twice}")), "{len}");
            }
        }
    }

    #[test]
    fn errors_say_where() {
        let error = parse(b"{\"a\":\n [1, tru]}", WIDE).unwrap_err();
        assert_eq!((error.code, error.path.as_str(), error.line), (Code::Syntax, "/a/1", 2));
        let error = parse(b"{}\n\xff", WIDE).unwrap_err();
        assert_eq!((error.code, error.line, error.column), (Code::InvalidUtf8, 2, 1));
        let error = parse(b"{} x", WIDE).unwrap_err();
        assert_eq!((error.code, error.line, error.column), (Code::TrailingData, 1, 4));
        for (text, offset) in
            [(&b"{\"a\":\n [1, tru]}"[..], 14), (b"{} x", 3), (b"{}\n\n\xff", 4), (b"", 0), (b"\n\n[", 2)]
        {
            assert_eq!(parse(text, WIDE).unwrap_err().offset, offset, "{}", String::from_utf8_lossy(text));
        }
        let mut path = String::new();
        push_segment(&mut path, &("~/\u{1}".to_owned() + &"x".repeat(62)));
        assert_eq!(path, format!("/~0~1\\u0001{}…", "x".repeat(58)));
    }

    #[test]
    fn decimals_are_exact_and_print_back() {
        for (text, shown) in [("12.50", "12.5"), ("-0.001", "-0.001"), ("1e3", "1000"), ("-0.0", "0"), ("0e99", "0")] {
            let decimal = Decimal::parse(text).unwrap();
            assert_eq!(decimal.to_string(), shown);
            assert_eq!(Decimal::parse(shown), Some(decimal));
        }
        for bad in ["", "-", "1.", ".5", "1e", "+1", "1e99", "0x1", "1 ", "9007199254740991.5", "9007199254740992"] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
        assert_eq!(
            serde_json::to_string(&Decimal::parse("0.30000000000000004").unwrap()).unwrap(),
            "0.30000000000000004"
        );
        assert_eq!(Decimal::new(i64::MIN, 0), None);
    }
}
