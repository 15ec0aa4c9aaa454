//! The parser of events, held against `serde_json` and a plain reading of the schemas: it takes exactly the bodies that
//! are sound, reads them to the same values, and what it makes of them can be written and read again.

use std::sync::LazyLock;

use liveops_core::codec::Stable as _;
use liveops_core::event::{
    Event, EventSchema, FieldKind, FieldValue, IssueMode, Parsed, Parser, Schemas, UnknownFields, ValidationError,
};
use liveops_core::json::{Decimal, Limits};
use liveops_core::limits::{
    ARRAY_LEN_MAX, BATCH_ERRORS_MAX, BODY_BYTES_MAX, FIELDS_MAX, ID_BYTES_MAX, INTEGER_MAX, ISSUES_MAX, TEXT_BYTES_MAX,
};
use liveops_core::{Code, EventId, Rules, Timestamp};

use super::tree::{Tree, is_literal, is_pointer};

/// 2026-11-07T00:00:00Z
const NOW: i64 = 1_794_009_600;
const PAST: i64 = 86_400;
const FUTURE: i64 = 300;

/// The built-in types, and one with every kind of field for each way with unknown ones.
static PARSER: LazyLock<Parser> = LazyLock::new(|| {
    let fields = r#""fields": {
        "int": { "type": "int", "min": -5, "max": 5 }, "uint": { "type": "uint", "min": 2 },
        "decimal": { "type": "decimal" }, "bool": { "type": "bool" }, "id": { "type": "id" },
        "text": { "type": "text", "minBytes": 2, "maxBytes": 6 }, "enum": { "type": "enum", "values": ["a", "b"] },
        "array": { "type": "array", "items": { "type": "uint", "max": 9 }, "maxLen": 3 },
        "texts": { "type": "array", "items": { "type": "text" } } }"#;
    let types = ["deny", "ignore", "keep"].map(|way| format!(r#""{way}": {{ "unknownFields": "{way}", {fields} }}"#));
    let rules = format!(r#"{{ "version": 1, "game": "fuzz", "events": {{ {} }} }}"#, types.join(","));
    Rules::from_json(&rules).unwrap().door().parser()
});

pub fn check(body: &[u8]) {
    alone(body);
    in_lines(body);
}

fn alone(body: &[u8]) {
    let tree = Tree::read(body).filter(|_| body.len() <= BODY_BYTES_MAX);
    let strict = tree.as_ref().filter(|tree| tree.is_strict(Limits::EVENT));
    let sound = strict.is_some_and(|tree| is_sound(tree, PARSER.schemas()));
    let parsed = PARSER.parse(body, Timestamp::from_unix_seconds(NOW));
    let validated = PARSER.validate(body, Timestamp::from_unix_seconds(NOW));
    assert_eq!(validated.as_ref().err(), parsed.as_ref().err());
    match parsed {
        Ok(parsed) => {
            assert!(sound, "taken: {parsed:?}");
            is_what_was_sent(&parsed, &tree.unwrap());
            is_the_same_in_another_order(&parsed, body);
            comes_back(parsed);
        }
        Err(error) => {
            assert!(!sound, "refused: {error}");
            tells(&error, strict);
            let first = PARSER.clone().with_mode(IssueMode::First).parse(body, Timestamp::from_unix_seconds(NOW));
            assert_eq!(first.map_err(|first| first.issues().to_vec()), Err(error.issues()[..1].to_vec()));
        }
    }
}

/// A batch is its lines, each by itself.
fn in_lines(bytes: &[u8]) {
    let now = Timestamp::from_unix_seconds(NOW);
    let report = PARSER.validate_batch(bytes, now);
    let lines = bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|byte| *byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).filter(|_| !matches!(bytes, b"" | b"\n"));
    let refused = (1..).zip(lines.clone()).filter_map(|(at, line)| Some((at, PARSER.validate(line, now).err()?)));
    let refused: Vec<_> = refused.collect();
    assert_eq!((report.accepted, report.refused), (lines.count() - refused.len(), refused.len()));
    let told = report.errors.into_iter().map(|error| (error.line, error.error));
    assert!(told.eq(refused.into_iter().take(BATCH_ERRORS_MAX)));
}

/// What the documentation says of a body, without a thought for speed or for what to say.
fn is_sound(body: &Tree, schemas: &Schemas) -> bool {
    let schema = body.get("type").and_then(Tree::text).and_then(|name| schemas.get(name));
    let is_known = |key: &str| ["id", "type", "playerId", "ts", "payload"].contains(&key);
    body.members().is_some_and(|members| members.iter().all(|(key, _)| is_known(key)))
        && body.get("id").is_none_or(is_id)
        && body.get("playerId").is_some_and(is_id)
        && matches!(body.get("ts"), Some(Tree::Integer(ts)) if (NOW - PAST..=NOW + FUTURE).contains(ts))
        && schema.is_some_and(|schema| body.get("payload").is_some_and(|payload| fits(payload, schema)))
}

fn fits(payload: &Tree, schema: &EventSchema) -> bool {
    let Some(members) = payload.members() else { return false };
    let unknown: Vec<_> = members.iter().filter(|(key, _)| schema.field(key).is_none()).collect();
    let unknown_fits = match schema.unknown_fields {
        UnknownFields::Deny => unknown.is_empty(),
        UnknownFields::Ignore => true,
        UnknownFields::Keep => {
            let can_be_kept = |(key, value): &&(String, Tree)| is_id(&Tree::Text(key.clone())) && keeps(value);
            unknown.is_empty() || members.len() <= FIELDS_MAX && unknown.iter().all(can_be_kept)
        }
    };
    let known_fit = schema.fields.iter().all(|field| match payload.get(field.name.as_str()) {
        Some(value) => is_of(value, &field.kind),
        None => !field.required,
    });
    unknown_fits && known_fit
}

fn is_of(value: &Tree, kind: &FieldKind) -> bool {
    match (kind, value) {
        (FieldKind::Int { min, max } | FieldKind::Uint { min, max }, Tree::Integer(n)) => (min..=max).contains(&n),
        (FieldKind::Decimal, _) => value.decimal().is_some(),
        (FieldKind::Bool, Tree::Bool(_)) => true,
        (FieldKind::Id, _) => is_id(value),
        (FieldKind::Text { min_bytes, max_bytes }, Tree::Text(t)) => (min_bytes..=max_bytes).contains(&&t.len()),
        (FieldKind::Enum(texts), Tree::Text(text)) => texts.iter().any(|allowed| allowed == text.as_str()),
        (FieldKind::Array(kind, len_max), Tree::Array(all)) => {
            all.len() <= *len_max && all.iter().all(|element| is_of(element, kind))
        }
        _ => false,
    }
}

/// Whether a field without schema can be kept.
fn keeps(value: &Tree) -> bool {
    let keeps_scalar = |value: &Tree| match value {
        Tree::Bool(_) => true,
        Tree::Integer(n) => n.unsigned_abs() <= INTEGER_MAX.unsigned_abs(),
        Tree::Double(_) => value.decimal().is_some(),
        Tree::Text(text) => text.len() <= TEXT_BYTES_MAX,
        _ => false,
    };
    match value {
        Tree::Array(elements) => elements.len() <= ARRAY_LEN_MAX && elements.iter().all(keeps_scalar),
        scalar => keeps_scalar(scalar),
    }
}

fn is_id(value: &Tree) -> bool {
    value.text().is_some_and(|text| {
        (1..=ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| (0x21..=0x7e).contains(&byte))
    })
}

/// Nothing changed, nothing added, nothing left out but what the schema ignores.
fn is_what_was_sent(parsed: &Parsed, body: &Tree) {
    let text = |key: &str| body.get(key).and_then(Tree::text);
    assert_eq!(parsed.id.as_ref().map(EventId::as_str), text("id"));
    assert_eq!(Some(parsed.kind.as_str()), text("type"));
    assert_eq!(Some(parsed.player.as_str()), text("playerId"));
    assert!(matches!(body.get("ts"), Some(Tree::Integer(ts)) if parsed.ts == Timestamp::from_unix_seconds(*ts)));
    let payload = body.get("payload").unwrap();
    for (name, value) in parsed.payload.iter() {
        let sent = payload.get(name.as_str());
        assert!(sent.is_some_and(|sent| is_same(value, sent)), "{name} was sent as something else than {value:?}");
    }
    let schema = PARSER.schemas().get(parsed.kind.as_str()).unwrap();
    let counts = |key: &str| schema.unknown_fields == UnknownFields::Keep || schema.field(key).is_some();
    let sent = payload.members().unwrap().iter().filter(|(key, _)| counts(key)).count();
    assert_eq!(parsed.payload.iter().len(), sent, "some field was left out");
}

fn is_same(value: &FieldValue, sent: &Tree) -> bool {
    match (value, sent) {
        (FieldValue::Int(a), Tree::Integer(b)) => a == b,
        // Where a number is kept that no schema describes, a whole one is an integer, however written.
        (FieldValue::Int(a), Tree::Double(_)) => sent.decimal() == Decimal::new(*a, 0),
        (FieldValue::Decimal(a), _) => sent.decimal() == Some(*a),
        (FieldValue::Bool(a), Tree::Bool(b)) => a == b,
        (FieldValue::Id(a), Tree::Text(b)) => a == b.as_str(),
        (FieldValue::Text(a), Tree::Text(b)) => **a == **b,
        (FieldValue::Array(a), Tree::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        _ => false,
    }
}

/// `serde_json` sorts members by their keys.
fn is_the_same_in_another_order(parsed: &Parsed, body: &[u8]) {
    let sorted = serde_json::from_slice::<serde_json::Value>(body).unwrap().to_string();
    // Written out, 1e15 is longer than it came.
    if sorted.len() <= BODY_BYTES_MAX {
        assert_eq!(PARSER.parse(sorted.as_bytes(), Timestamp::from_unix_seconds(NOW)).as_ref(), Ok(parsed));
    }
}

/// Through JSON and through its stable bytes.
fn comes_back(parsed: Parsed) {
    let id = parsed.id.clone().unwrap_or_else(|| EventId::new("e").unwrap());
    let event = parsed.into_event(id);
    let bytes = event.to_bytes();
    let mut rest = &bytes[..];
    assert_eq!(Event::take(&mut rest).as_ref(), Some(&event));
    assert!(rest.is_empty());
    let json = serde_json::to_vec(&event).unwrap();
    if json.len() <= BODY_BYTES_MAX {
        let again = PARSER.parse(&json, Timestamp::from_unix_seconds(NOW));
        assert_eq!(again.map(|again| again.into_event(event.id.clone())), Ok(event));
    }
}

/// A refusal names up to 32 faults, each where it is.
fn tells(error: &ValidationError, strict: Option<&Tree>) {
    assert!((1..=ISSUES_MAX).contains(&error.issues().len()));
    assert_eq!(error.code(), error.issues()[0].code);
    let of_json =
        [Code::Syntax, Code::InvalidUtf8, Code::TooLarge, Code::TooDeep, Code::DuplicateKey, Code::TrailingData];
    for issue in error.issues() {
        assert!(is_pointer(&issue.path) && !issue.message.is_empty(), "{issue}");
        assert_eq!(of_json.contains(&issue.code), strict.is_none(), "{issue}");
        if let Some(body) = strict.filter(|_| is_literal(&issue.path)) {
            assert_eq!(body.at(&issue.path).is_none(), issue.code == Code::Missing, "{issue}");
        }
    }
}
