//! One pass over a body that is an event without anything unusual, straight into its schema.
//!
//! It knows only what is right. Whatever else it meets (an escape, a fault, a rarer kind of field) it leaves to the
//! plain reader of [`super::parse`], which then decides and explains: so there is one place where strictness is written
//! down, and what this pass takes must be what that reader takes, value by value. `docs/decisions/0011` says why it is
//! here.

use std::ops::Range;

use super::parse::{Parsed, SECONDS_MAX};
use super::schema::{EventSchema, Field, FieldKind, Schemas};
use super::{FieldValue, Payload, TimeLimits};
use crate::id::{EventId, Id};
use crate::limits::{BODY_BYTES_MAX, ID_BYTES_MAX};
use crate::time::Timestamp;

/// What becomes of the values of a payload: fields, or nothing where only whether they are right was asked.
pub(super) trait Collect {
    /// Makes room for so many.
    fn begin(&mut self, fields: usize);

    /// Takes the value of a field. It is made where it is to stay: to move one costs more than to read it.
    fn push(&mut self, field: &Field, value: impl FnOnce() -> FieldValue);

    /// Puts the value taken last behind so many others, as the schema orders them.
    fn settle(&mut self, before: usize);
}

/// 1 to 64 visible ASCII bytes at the start of the rest of the body.
#[derive(Clone, Copy)]
pub(super) struct Visible<'b> {
    rest: &'b [u8],
    len: usize,
}

impl Visible<'_> {
    #[inline]
    fn to_id(self) -> Id {
        Id::of_visible(self.rest, self.len)
    }
}

impl Collect for Vec<(Id, FieldValue)> {
    #[inline]
    fn begin(&mut self, fields: usize) {
        self.reserve(fields.min(FIELDS_EXPECTED));
    }

    #[inline]
    fn push(&mut self, field: &Field, value: impl FnOnce() -> FieldValue) {
        self.push((field.name.clone(), value()));
    }

    #[inline]
    fn settle(&mut self, before: usize) {
        if let Some(behind @ [_, _, ..]) = self.get_mut(before..) {
            behind.rotate_right(1);
        }
    }
}

/// Values that nobody asked for.
pub(super) struct Unread;

impl Collect for Unread {
    #[inline]
    fn begin(&mut self, _: usize) {}

    #[inline]
    fn push(&mut self, _: &Field, _: impl FnOnce() -> FieldValue) {}

    #[inline]
    fn settle(&mut self, _: usize) {}
}

/// Room made for fields at once.
const FIELDS_EXPECTED: usize = 8;

/// An event, its ids still in the body, its fields beside it.
pub(super) struct Scanned<'a> {
    id: Option<Visible<'a>>,
    player: Visible<'a>,
    ts: Timestamp,
    kind: &'a Id,
}

impl Scanned<'_> {
    #[inline]
    pub(super) fn into_parsed(self, fields: Vec<(Id, FieldValue)>) -> Parsed {
        Parsed {
            id: self.id.map(|id| EventId::of_visible(id.rest, id.len)),
            player: self.player.to_id().into(),
            ts: self.ts,
            kind: self.kind.clone(),
            payload: Payload { fields },
        }
    }
}

/// The event, if there is nothing unusual about it; what its fields hold is added to a collection that is empty.
pub(super) fn event<'a>(
    schemas: &'a Schemas,
    limits: TimeLimits,
    body: &'a [u8],
    received_at: Timestamp,
    fields: &mut impl Collect,
) -> Option<Scanned<'a>> {
    if body.len() > BODY_BYTES_MAX {
        return None;
    }
    let mut scanner = Scanner { body, at: 0 };
    let (mut id, mut kind, mut player, mut ts) = (None, None, None, None);
    let mut payload = Part::Missing;
    scanner.expect(b'{')?;
    loop {
        // A member that is there already is a duplicate key.
        match scanner.member()? {
            Member::Id if id.is_none() => id = Some(scanner.id()?),
            Member::Type if kind.is_none() => kind = Some(schemas.find(scanner.text()?)?),
            Member::PlayerId if player.is_none() => player = Some(scanner.id()?),
            Member::Ts if ts.is_none() => ts = Some(scanner.integer().filter(|seconds| seconds.abs() <= SECONDS_MAX)?),
            Member::Payload if matches!(payload, Part::Missing) => {
                payload = match kind {
                    Some((_, schema)) => {
                        scanner.payload(schema, fields)?;
                        Part::Read
                    }
                    None => Part::Skipped(scanner.skip_object()?),
                };
            }
            _ => return None,
        }
        if scanner.is_last()? {
            break;
        }
    }
    scanner.expect_end()?;
    let ((kind, schema), ts) = (kind?, Timestamp::from_unix_seconds(ts?));
    limits.check(ts, received_at).ok()?;
    match payload {
        Part::Read => {}
        Part::Skipped(span) => {
            let mut inner = Scanner { body: body.get(..span.end)?, at: span.start };
            inner.payload(schema, fields)?;
            inner.expect_end()?;
        }
        Part::Missing => return None,
    }
    Some(Scanned { id, player: player?, ts, kind })
}

/// Members of an event.
enum Member {
    Id,
    Type,
    PlayerId,
    Ts,
    Payload,
}

/// What there is of the payload. Some senders sort their keys, and then it comes before the type that says how to read
/// it.
enum Part {
    Missing,
    Skipped(Range<usize>),
    Read,
}

/// Nothing but ASCII passes outside of texts, and of those only what is kept as text is asked whether it is UTF-8.
struct Scanner<'b> {
    body: &'b [u8],
    at: usize,
}

impl<'b> Scanner<'b> {
    #[inline]
    fn rest(&self) -> Option<&'b [u8]> {
        self.body.get(self.at..)
    }

    /// The next byte that is not white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.body.get(self.at)?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    #[inline]
    fn expect(&mut self, wanted: u8) -> Option<()> {
        if self.peek()? != wanted {
            return None;
        }
        self.at += 1;
        Some(())
    }

    fn expect_end(&mut self) -> Option<()> {
        if self.peek().is_none() { Some(()) } else { None }
    }

    /// Whether the object ends here instead of going on with another member.
    #[inline]
    fn is_last(&mut self) -> Option<bool> {
        let last = match self.peek()? {
            b',' => false,
            b'}' => true,
            _ => return None,
        };
        self.at += 1;
        Some(last)
    }

    /// The next member's key with its colon, mostly written without a space between.
    #[inline]
    fn member(&mut self) -> Option<Member> {
        self.peek()?;
        match self.rest()?.get(1)? {
            b'i' if self.take(b"\"id\":") => Some(Member::Id),
            b't' if self.take(b"\"ts\":") => Some(Member::Ts),
            b't' if self.take(b"\"type\":") => Some(Member::Type),
            b'p' if self.take(b"\"playerId\":") => Some(Member::PlayerId),
            b'p' if self.take(b"\"payload\":") => Some(Member::Payload),
            _ => match self.key()? {
                b"id" => Some(Member::Id),
                b"type" => Some(Member::Type),
                b"playerId" => Some(Member::PlayerId),
                b"ts" => Some(Member::Ts),
                b"payload" => Some(Member::Payload),
                _ => None,
            },
        }
    }

    /// The next field's key with its colon, as an index into the schema. Senders mostly keep the order of the schema, so
    /// the search begins at the field that is expected next. No name of a field has a character that JSON escapes.
    #[inline]
    fn field(&mut self, schema: &EventSchema, next: usize) -> Option<usize> {
        self.peek()?;
        if let (Some(expected), Some((b'"', rest))) = (schema.fields.get(next), self.rest()?.split_first()) {
            let len = expected.name.len();
            if expected.name.begins(rest) && rest.get(len..len + 2) == Some(b"\":") {
                self.at += len + 3;
                return Some(next);
            }
        }
        let key = self.key()?;
        schema.fields.iter().position(|field| field.name.as_bytes() == key)
    }

    #[inline]
    fn take(&mut self, written: &[u8]) -> bool {
        let found = self.rest().is_some_and(|rest| rest.starts_with(written));
        self.at += if found { written.len() } else { 0 };
        found
    }

    #[inline]
    fn key(&mut self) -> Option<&'b [u8]> {
        let key = self.text()?;
        self.expect(b':')?;
        Some(key)
    }

    /// A text without escapes.
    #[inline]
    fn text(&mut self) -> Option<&'b [u8]> {
        self.expect(b'"')?;
        let rest = self.rest()?;
        let len = len_until(rest, text_stops);
        self.close(rest, len)?;
        rest.get(..len)
    }

    /// An id, which is made only where it is to stay.
    #[inline]
    fn id(&mut self) -> Option<Visible<'b>> {
        self.expect(b'"')?;
        let rest = self.rest()?;
        let len = len_until(rest, id_stops);
        self.close(rest, len)?;
        (1..=ID_BYTES_MAX).contains(&len).then_some(Visible { rest, len })
    }

    /// Goes behind the quotation mark that must come after so many bytes.
    #[inline]
    fn close(&mut self, rest: &[u8], len: usize) -> Option<()> {
        if *rest.get(len)? != b'"' {
            return None;
        }
        self.at += len + 1;
        Some(())
    }

    /// Up to 15 digits: what is longer may be out of range.
    #[inline]
    fn integer(&mut self) -> Option<i64> {
        const DIGITS_MAX: usize = 15;
        let negative = self.peek()? == b'-';
        let start = self.at + usize::from(negative);
        let digits = self.body.get(start..)?;
        let mut value = 0;
        let mut len = 0;
        for byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            if len == DIGITS_MAX {
                return None;
            }
            value = value * 10 + i64::from(digit);
            len += 1;
        }
        let leading_zero = digits.first() == Some(&b'0') && (len > 1 || negative);
        if len == 0 || leading_zero || matches!(digits.get(len), Some(b'.' | b'e' | b'E')) {
            return None;
        }
        self.at = start + len;
        Some(if negative { -value } else { value })
    }

    fn payload(&mut self, schema: &EventSchema, fields: &mut impl Collect) -> Option<()> {
        self.expect(b'{')?;
        fields.begin(schema.fields.len());
        // One bit for each field of the schema that was there.
        let mut seen = 0_u64;
        let mut next = 0;
        if self.peek()? == b'}' {
            self.at += 1;
        } else {
            loop {
                let index = self.field(schema, next)?;
                let (field, bit) = (schema.fields.get(index)?, 1 << index);
                // A field that is there already is a duplicate key.
                if seen & bit != 0 {
                    return None;
                }
                self.value(field, fields)?;
                if seen > bit {
                    fields.settle((seen & (bit - 1)).count_ones() as usize);
                }
                seen |= bit;
                next = index + 1;
                if self.is_last()? {
                    break;
                }
            }
        }
        let missing = |(index, field): (usize, &Field)| field.required && seen >> index & 1 == 0;
        if schema.fields.iter().enumerate().any(missing) { None } else { Some(()) }
    }

    #[inline]
    fn value(&mut self, field: &Field, fields: &mut impl Collect) -> Option<()> {
        match &field.kind {
            FieldKind::Int { min, max } | FieldKind::Uint { min, max } => {
                let value = self.integer().filter(|value| (*min..=*max).contains(value))?;
                fields.push(field, || FieldValue::Int(value));
            }
            FieldKind::Id => {
                let id = self.id()?;
                fields.push(field, || FieldValue::Id(id.to_id()));
            }
            FieldKind::Enum(allowed) => {
                let text = self.text()?;
                let id = allowed.iter().find(|id| id.as_bytes() == text)?;
                fields.push(field, || FieldValue::Id(id.clone()));
            }
            FieldKind::Text { min_bytes, max_bytes } => {
                let text = self.text().filter(|text| (*min_bytes..=*max_bytes).contains(&text.len()))?;
                let text = std::str::from_utf8(text).ok()?;
                fields.push(field, || FieldValue::Text(text.into()));
            }
            FieldKind::Bool => {
                self.peek()?;
                let value = self.take(b"true");
                if !value && !self.take(b"false") {
                    return None;
                }
                fields.push(field, || FieldValue::Bool(value));
            }
            FieldKind::Decimal | FieldKind::Array(..) => return None,
        }
        Some(())
    }

    /// From `{` to behind its `}`, if nothing in it is nested. What lies between is still to be read.
    fn skip_object(&mut self) -> Option<Range<usize>> {
        self.expect(b'{')?;
        let start = self.at - 1;
        loop {
            match self.peek()? {
                b'"' => _ = self.text()?,
                b'{' | b'[' => return None,
                b'}' => {
                    self.at += 1;
                    return Some(start..self.at);
                }
                _ => self.at += 1,
            }
        }
    }
}

/// How many bytes come before the first stop, eight at a time. `stops` sets the top bit of the lowest byte that is one,
/// and no top bit below it.
#[inline]
fn len_until(bytes: &[u8], stops: impl Fn(u64) -> u64) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let stops = stops(u64::from_le_bytes(*word));
        if stops != 0 {
            return index * 8 + stops.trailing_zeros() as usize / 8;
        }
    }
    let is_plain = |byte: &&u8| stops(u64::from(**byte)) & 0x80 == 0;
    words.len() * 8 + rest.iter().take_while(is_plain).count()
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const TOPS: u64 = ONES << 7;

/// Bytes that are none of a text without escapes: control characters, `"` and `\`. A subtraction borrows only from
/// bytes above one that is found.
#[inline]
const fn text_stops(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    ((quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash) | control) & TOPS
}

/// The same of an id: also the space, and all that is not ASCII, which is why no other byte has its top bit set.
#[inline]
const fn id_stops(word: u64) -> u64 {
    let quote = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    let control = word.wrapping_sub(ONES * 0x21);
    let delete = word.wrapping_add(ONES);
    (quote | backslash | control | delete | word) & TOPS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_are_those_that_a_loop_over_bytes_finds() {
        let is_of_text = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
        let is_of_id = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        for len in 0..20 {
            for at in 0..len {
                for byte in 0..=u8::MAX {
                    // Neighbours that a borrow or a carry would reach.
                    for other in [b'!', b'#', b'[', b'~', b'\\', 0xff] {
                        let mut bytes = vec![b'a'; len];
                        bytes[at] = byte;
                        if let Some(next) = bytes.get_mut(at + 1) {
                            *next = other;
                        }
                        let first = |is_plain: fn(u8) -> bool| bytes.iter().take_while(|byte| is_plain(**byte)).count();
                        assert_eq!(len_until(&bytes, text_stops), first(is_of_text), "{bytes:?}");
                        assert_eq!(len_until(&bytes, id_stops), first(is_of_id), "{bytes:?}");
                    }
                }
            }
        }
    }
}
