use serde_json::json;

use super::*;
use crate::limits::{BODY_BYTES_MAX, ISSUES_MAX};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_794_009_600);

const LINE: &str = r#"{"id":"evt_00000000000000000042","type":"progression","playerId":"player_0000004242","ts":1794009600,"payload":{"deltaXp":1200,"activity":"dungeon_crawl","zone":"emberfall_caverns_lower_reaches_of_the_deep"}}"#;

/// The built-in types and one with every kind of field, once for each way with unknown ones.
fn schemas() -> Schemas {
    let mut schemas = Schemas::builtin();
    let fields = || {
        vec![
            Field::optional("int", FieldKind::Int { min: -5, max: 5 }).unwrap(),
            Field::optional("uint", FieldKind::Uint { min: 2, max: INTEGER_MAX }).unwrap(),
            Field::optional("decimal", FieldKind::Decimal).unwrap(),
            Field::optional("bool", FieldKind::Bool).unwrap(),
            Field::optional("id", FieldKind::Id).unwrap(),
            Field::optional("text", FieldKind::Text { min_bytes: 2, max_bytes: 6 }).unwrap(),
            Field::optional("enum", FieldKind::Enum(vec![Id::new("a").unwrap(), Id::new("b").unwrap()])).unwrap(),
            Field::optional("array", FieldKind::Array(Box::new(FieldKind::Uint { min: 0, max: 9 }), 3)).unwrap(),
        ]
    };
    for (name, unknown_fields) in
        [("deny", UnknownFields::Deny), ("ignore", UnknownFields::Ignore), ("keep", UnknownFields::Keep)]
    {
        schemas.define(name, EventSchema { unknown_fields, fields: fields() }).unwrap();
    }
    schemas
}

fn parser() -> Parser {
    Parser::new(schemas(), TimeLimits::default())
}

fn parse(body: &[u8]) -> Result<Parsed, ValidationError> {
    parser().parse(body, NOW)
}

fn body(kind: &str, payload: &str) -> String {
    format!(r#"{{"type":"{kind}","playerId":"p","ts":1794009600,"payload":{payload}}}"#)
}

fn issues(body: &[u8]) -> Vec<(&'static str, String)> {
    parse(body).unwrap_err().issues().iter().map(|issue| (issue.code.as_str(), issue.path.clone())).collect()
}

#[track_caller]
fn refused(body: &str, wanted: &[(&str, &str)]) {
    let found = issues(body.as_bytes());
    assert!(found.iter().map(|(code, path)| (*code, path.as_str())).eq(wanted.iter().copied()), "{body}\n{found:?}");
}

#[track_caller]
fn field(payload: &str, name: &str) -> FieldValue {
    parse(body("deny", payload).as_bytes()).unwrap().payload.get(name).unwrap().clone()
}

#[test]
fn a_sound_body_is_read() {
    let parsed = parse(LINE.as_bytes()).unwrap();
    assert_eq!(parsed.id, Some(EventId::new("evt_00000000000000000042").unwrap()));
    assert_eq!((parsed.player.as_str(), parsed.ts, parsed.kind.as_str()), ("player_0000004242", NOW, "progression"));
    assert_eq!(parsed.payload.int("deltaXp"), Some(1200));
    assert_eq!(parsed.payload.id("activity").unwrap().as_str(), "dungeon_crawl");
    let event = parsed.clone().into_event(parsed.id.unwrap());
    assert_eq!(serde_json::to_string(&event).unwrap(), LINE);

    // The order of the sender does not matter, nor do escapes.
    let other = r#" { "payload" : { "zone": "emberfall_caverns_lower_reaches_of_the_deep", "\u0061ctivity":
        "dungeon\u005fcrawl", "deltaXp": 1200 }, "ts": 1794009600, "playerId": "player_0000004242",
        "type": "progression", "id": "evt_00000000000000000042" } "#;
    let other = parse(other.as_bytes()).unwrap();
    assert_eq!(other.clone().into_event(other.id.unwrap()), event);
    assert_eq!(parse(body("progression", r#"{"deltaXp":0}"#).as_bytes()).unwrap().id, None);
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    for (text, code, path) in [
        ("", "syntax", ""),
        ("{", "syntax", ""),
        ("nul", "syntax", ""),
        ("{'a':1}", "syntax", ""),
        (r#"{"a":1,}"#, "syntax", ""),
        (r#"{"a":[1,]}"#, "syntax", "/a/1"),
        (r#"{"a":01}"#, "syntax", "/a"),
        (r#"{"a":1e400}"#, "syntax", "/a"),
        (r#"{"a":-1e400}"#, "syntax", "/a"),
        (r#"{"a":NaN}"#, "syntax", "/a"),
        (r#"{"a":"\ud800"}"#, "syntax", "/a"),
        (r#"{"a":"\udc00\ud800"}"#, "syntax", "/a"),
        (r#"{"\ud800":1}"#, "syntax", ""),
        ("{\"a\":\"\n\"}", "syntax", "/a"),
        ("\u{feff}{}", "syntax", ""),
        (r#"{"a":1} x"#, "trailing_data", ""),
        ("{}{}", "trailing_data", ""),
        (r#"{"a":1,"b":2,"\u0061":1}"#, "duplicate_key", "/a"),
        (r#"{"payload":{"x/~":[0,{"b":1,"b":2}]}}"#, "duplicate_key", "/payload/x~1~0/1/b"),
    ] {
        refused(text, &[(code, path)]);
    }
    assert_eq!(issues(b"{\"a\":\"\xff\"}"), [("invalid_utf8", String::new())]);
    assert_eq!(issues(b"{\"a\":\"\xed\xa0\x80\"}"), [("invalid_utf8", String::new())]);
    // In what is kept as text, read at once or only after its type.
    for bad in [&b"aa\xff"[..], b"aa\xc3", b"\xed\xa0\x80"] {
        let payload = [&b"\"payload\":{\"text\":\""[..], bad, b"\"}"].concat();
        let members = [&br#""type":"deny""#[..], br#""playerId":"p""#, br#""ts":1794009600"#, &payload[..]];
        for at in 0..members.len() {
            let mut members = members;
            members.rotate_left(at);
            let text = [&b"{"[..], &members.join(&b","[..]), b"}"].concat();
            assert_eq!(issues(&text), [("invalid_utf8", String::new())], "{}", String::from_utf8_lossy(&text));
        }
    }
    let error = parse(b"{\n \"a\": tru }").unwrap_err();
    assert!(error.issues()[0].message.ends_with("(line 2, column 10)"), "{error}");
}

#[test]
fn size_and_depth_are_bounded() {
    for (len, wanted) in [(BODY_BYTES_MAX - 1, None), (BODY_BYTES_MAX, None), (BODY_BYTES_MAX + 1, Some(65_536))] {
        let mut text = body("progression", r#"{"deltaXp":1}"#);
        text.push_str(&" ".repeat(len - text.len()));
        let limit = parse(text.as_bytes()).err().map(|e| (e.code(), e.issues()[0].limit.unwrap()));
        assert_eq!(limit, wanted.map(|limit| (Code::TooLarge, limit)));
    }
    for (arrays, wanted) in [(6, None), (7, Some("/payload/x/0/0/0/0/0/0"))] {
        let nested = body("ignore", &format!(r#"{{"x":{}{}}}"#, "[".repeat(arrays), "]".repeat(arrays)));
        let error = parse(nested.as_bytes()).err();
        assert_eq!(error.as_ref().map(|e| e.issues()[0].path.as_str()), wanted);
        assert!(error.is_none_or(|e| e.code() == Code::TooDeep && e.issues()[0].limit == Some(8)));
    }
    refused(&"[".repeat(BODY_BYTES_MAX), &[("too_deep", "/0/0/0/0/0/0/0/0")]);
    refused(&"{\"\":".repeat(BODY_BYTES_MAX / 5), &[("too_deep", "////////")]);
}

#[test]
fn the_envelope_is_checked() {
    for text in ["null", "true", "1", "1.5", "\"x\"", "[]"] {
        refused(text, &[("wrong_type", "")]);
    }
    let all = [("missing", "/type"), ("missing", "/playerId"), ("missing", "/ts"), ("missing", "/payload")];
    refused("{}", &all);
    refused(
        r#"{"id":null,"type":1,"playerId":"","ts":"now","payload":[],"extra":1}"#,
        &[
            ("wrong_type", "/id"),
            ("wrong_type", "/type"),
            ("too_short", "/playerId"),
            ("wrong_type", "/ts"),
            ("wrong_type", "/payload"),
            ("unknown_field", "/extra"),
        ],
    );
    let long = "x".repeat(65);
    refused(
        &format!(r#"{{"id":"{long}","type":"x","playerId":"é","ts":1794009600,"payload":{{"a":1}}}}"#),
        &[("too_long", "/id"), ("unknown_type", "/type"), ("invalid_format", "/playerId")],
    );
    // Unknown fields of the body are refused whatever the type says.
    refused(r#"{"type":"ignore","playerId":"p","ts":1794009600,"payload":{},"v":2}"#, &[("unknown_field", "/v")]);
}

#[test]
fn time_is_whole_seconds_near_the_arrival() {
    let at = |ts: &str| format!(r#"{{"type":"deny","playerId":"p","ts":{ts},"payload":{{}}}}"#);
    for good in ["1793923200", "1794009900"] {
        assert!(parse(at(good).as_bytes()).is_ok(), "{good}");
    }
    for (ts, code) in [
        ("1793923199", "too_old"),
        ("0", "too_old"),
        ("-1", "too_old"),
        ("1794009901", "too_far_in_future"),
        ("100000000000", "too_far_in_future"),
        ("100000000001", "out_of_range"),
        ("1794009600000", "out_of_range"),
        ("99999999999999999999999", "out_of_range"),
        ("-9223372036854775808", "out_of_range"),
        ("1794009600.0", "not_integer"),
        ("1.7940096e9", "not_integer"),
        ("-0", "not_integer"),
        ("true", "wrong_type"),
        ("null", "wrong_type"),
    ] {
        refused(&at(ts), &[(code, "/ts")]);
    }
    let millis = parse(at("1794009600000").as_bytes()).unwrap_err();
    assert!(millis.issues()[0].message.contains("seconds expected"));
    assert_eq!(parse(at("1").as_bytes()).unwrap_err().issues()[0].limit, Some(86_400));
    // Arrivals at the edge of time are no reason to panic.
    for now in [Timestamp::MIN, Timestamp::MAX] {
        assert!(parser().parse(at("0").as_bytes(), now).is_err());
    }
}

#[test]
fn every_kind_of_field_is_checked() {
    for (payload, code, path, limit) in [
        (r#"{"int":-6}"#, "out_of_range", "int", Some(-5)),
        (r#"{"int":6}"#, "out_of_range", "int", Some(5)),
        (r#"{"int":18446744073709551616}"#, "out_of_range", "int", Some(INTEGER_MAX)),
        (r#"{"int":1e300}"#, "out_of_range", "int", Some(INTEGER_MAX)),
        (r#"{"int":1.0}"#, "not_integer", "int", None),
        (r#"{"int":1e3}"#, "not_integer", "int", None),
        (r#"{"int":-0}"#, "not_integer", "int", None),
        (r#"{"int":"1"}"#, "wrong_type", "int", None),
        (r#"{"int":null}"#, "wrong_type", "int", None),
        (r#"{"uint":1}"#, "out_of_range", "uint", Some(2)),
        (r#"{"uint":9007199254740992}"#, "out_of_range", "uint", Some(INTEGER_MAX)),
        (r#"{"decimal":9007199254740992}"#, "out_of_range", "decimal", Some(INTEGER_MAX)),
        (r#"{"decimal":1e-31}"#, "out_of_range", "decimal", Some(INTEGER_MAX)),
        (r#"{"decimal":"1.5"}"#, "wrong_type", "decimal", None),
        (r#"{"bool":1}"#, "wrong_type", "bool", None),
        (r#"{"id":"a b"}"#, "invalid_format", "id", None),
        (r#"{"id":""}"#, "too_short", "id", Some(1)),
        (r#"{"id":7}"#, "wrong_type", "id", None),
        (r#"{"text":"é"}"#, "", "text", None),
        (r#"{"text":"x"}"#, "too_short", "text", Some(2)),
        (r#"{"text":"éééé"}"#, "too_long", "text", Some(6)),
        (r#"{"text":[]}"#, "wrong_type", "text", None),
        (r#"{"enum":"c"}"#, "invalid_format", "enum", None),
        (r#"{"enum":0}"#, "wrong_type", "enum", None),
        (r#"{"array":[1,2,3,4]}"#, "too_long", "array", Some(3)),
        (r#"{"array":[1,10]}"#, "out_of_range", "array/1", Some(9)),
        (r#"{"array":[[]]}"#, "wrong_type", "array/0", None),
        (r#"{"array":{}}"#, "wrong_type", "array", None),
        (r#"{"other":1}"#, "unknown_field", "other", None),
    ] {
        let found = parse(body("deny", payload).as_bytes()).err();
        let found = found.map(|e| (e.issues()[0].code.as_str(), e.issues()[0].path.clone(), e.issues()[0].limit));
        let wanted = (!code.is_empty()).then(|| (code, format!("/payload/{path}"), limit));
        assert_eq!(found, wanted, "{payload}");
    }
    refused(&body("boss_kill", "{}"), &[("missing", "/payload/bossId"), ("missing", "/payload/durationMs")]);
    refused(&body("boss_kill", r#"{"bossId":"h","durationMs":0}"#), &[("out_of_range", "/payload/durationMs")]);
    refused(&body("progression", r#"{"deltaXp":1000001}"#), &[("out_of_range", "/payload/deltaXp")]);

    assert_eq!(field(r#"{"int":-5}"#, "int"), FieldValue::Int(-5));
    assert_eq!(field(r#"{"uint":9007199254740991}"#, "uint"), FieldValue::Int(INTEGER_MAX));
    assert_eq!(field(r#"{"enum":"\u0062"}"#, "enum"), FieldValue::Id(Id::new("b").unwrap()));
    assert_eq!(field(r#"{"text":"\ud83d\ude00\u0000"}"#, "text"), FieldValue::Text("😀\0".into()));
    let array = FieldValue::Array([FieldValue::Int(1), FieldValue::Int(2)].into());
    assert_eq!(field(r#"{"array":[1,2]}"#, "array"), array);
    for (text, mantissa, scale) in [
        ("1.50", 15, 1),
        ("1e3", 1000, 0),
        ("-0", 0, 0),
        ("-0.0", 0, 0),
        ("0.30000000000000004", 30_000_000_000_000_004, 17),
        ("-1.25e-7", -125, 9),
        ("9007199254740991", INTEGER_MAX, 0),
    ] {
        let value = FieldValue::Decimal(Decimal::new(mantissa, scale).unwrap());
        assert_eq!(field(&format!(r#"{{"decimal":{text}}}"#), "decimal"), value, "{text}");
    }
}

#[test]
fn unknown_fields_are_ignored_or_kept_as_the_schema_says() {
    let payload = r#"{"z":[1,true],"o":{"deep":[null]},"int":1,"b.c":1.5,"a":"x y"}"#;
    let ignored = parse(body("ignore", payload).as_bytes()).unwrap();
    assert_eq!(serde_json::to_value(&ignored.payload).unwrap(), json!({"int": 1}));
    refused(&body("keep", payload), &[("wrong_type", "/payload/o")]);
    refused(
        &body("keep", r#"{"a b":1,"n":null,"l":[[1],9007199254740992],"int":9}"#),
        &[
            ("out_of_range", "/payload/int"),
            ("invalid_format", "/payload/a b"),
            ("wrong_type", "/payload/n"),
            ("wrong_type", "/payload/l/0"),
            ("out_of_range", "/payload/l/1"),
        ],
    );
    let kept = parse(body("keep", &payload.replace(r#""o":{"deep":[null]},"#, "")).as_bytes()).unwrap();
    let wanted = r#"{"int":1,"a":"x y","b.c":1.5,"z":[1,true]}"#;
    assert_eq!(serde_json::to_string(&kept.payload).unwrap(), wanted, "fields first, then by name");
    let many: Vec<_> = (0..65).map(|i| format!(r#""f{i}":1"#)).collect();
    refused(&body("keep", &format!("{{{}}}", many.join(","))), &[("too_long", "/payload")]);
    assert!(parse(body("keep", &format!("{{{}}}", many[1..].join(","))).as_bytes()).is_ok());
    assert!(parse(body("keep", &format!(r#"{{"t":"{}"}}"#, "x".repeat(1025))).as_bytes()).is_err());
}

#[test]
fn refusals_are_bounded_and_never_echo_values() {
    let many: Vec<_> = (0..100).map(|i| format!(r#""f{i}":"hunter2""#)).collect();
    let text = body("deny", &format!("{{{}}}", many.join(",")));
    let error = parse(text.as_bytes()).unwrap_err();
    assert_eq!(error.issues().len(), ISSUES_MAX);
    assert_eq!(error.to_string(), "unknown_field at /payload/f0: the event type has no such field (and 31 more)");
    assert!(!serde_json::to_string(&error).unwrap().contains("hunter2"));
    let first = parser().with_mode(IssueMode::First).parse(text.as_bytes(), NOW).unwrap_err();
    assert_eq!(first.issues(), &error.issues()[..1]);

    let key = format!(r"a\nb\u2028{}", "é".repeat(100));
    let error = parse(body("deny", &format!(r#"{{"{key}":1,"":2}}"#)).as_bytes()).unwrap_err();
    let [long, empty] = error.issues() else { panic!("{error}") };
    assert!(long.path.starts_with("/payload/a\\u000ab\\u2028é") && long.path.ends_with("é…"), "{}", long.path);
    assert_eq!(empty.path, "/payload/");

    let error = parse(body("deny", r#"{"int":77}"#).as_bytes()).unwrap_err();
    let wanted = json!({"issues": [
        {"code": "out_of_range", "path": "/payload/int", "message": "at most 5", "limit": 5}]});
    assert_eq!(serde_json::to_value(&error).unwrap(), wanted);
}

#[test]
fn schemas_are_sound_or_refused() {
    let mut schemas = Schemas::builtin();
    for bad in ["", "A", "1a", "_a", "a-b", "é", &"a".repeat(49)] {
        assert!(schemas.define(bad, EventSchema::default()).is_err(), "{bad}");
    }
    for good in ["a", "a.b_9", &"a".repeat(48)] {
        assert!(schemas.define(good, EventSchema::default()).is_ok(), "{good}");
        assert_eq!(schemas.get(good), Some(&EventSchema::default()));
    }
    let array = |kind, len| FieldKind::Array(Box::new(kind), len);
    for bad in [
        FieldKind::Int { min: 1, max: 0 },
        FieldKind::Int { min: -INTEGER_MAX - 1, max: 0 },
        FieldKind::Int { min: 0, max: INTEGER_MAX + 1 },
        FieldKind::Uint { min: -1, max: 0 },
        FieldKind::Text { min_bytes: 2, max_bytes: 1 },
        FieldKind::Text { min_bytes: 0, max_bytes: 1025 },
        FieldKind::Enum(vec![]),
        FieldKind::Enum(vec![Id::new("a").unwrap(), Id::new("a").unwrap()]),
        array(FieldKind::Bool, 65),
        array(array(FieldKind::Bool, 1), 1),
        array(FieldKind::Enum(vec![]), 1),
    ] {
        let fields = vec![Field::optional("a/b", bad).unwrap()];
        let error = schemas.define("a", EventSchema { fields, ..EventSchema::default() }).unwrap_err();
        assert_eq!((error.path.as_str(), error.code()), ("/fields/a~1b", Code::RulesInvalid));
    }
    // In JSON such a name is never written as it is.
    for name in ["a\"b", "a\\b"] {
        let fields = vec![Field::optional(name, FieldKind::Bool).unwrap()];
        assert!(schemas.define("a", EventSchema { fields, ..EventSchema::default() }).is_err(), "{name}");
    }
    let field = Field::optional("a", FieldKind::Bool).unwrap();
    let fields = vec![field.clone(), field];
    assert!(schemas.define("a", EventSchema { fields, ..EventSchema::default() }).is_err(), "twice");
    let fields = (0..65).map(|i| Field::optional(&format!("f{i}"), FieldKind::Bool).unwrap()).collect();
    assert!(schemas.define("a", EventSchema { fields, ..EventSchema::default() }).is_err(), "too many");

    let guide = Parser::new(Schemas::guide(), TimeLimits::default());
    for name in ["progression", "boss_kill", "drop_claimed"] {
        assert_eq!(Schemas::builtin().get(name).map(|schema| schema.unknown_fields), Some(UnknownFields::Deny));
        assert!(guide.parse(body(name, r#"{"deltaXp":5,"activity":"raid"}"#).as_bytes(), NOW).is_ok());
        assert!(guide.parse(body(name, r#"{"deltaXp":5,"zone":"z"}"#).as_bytes(), NOW).is_err());
    }
}

#[test]
fn payloads_have_one_stable_form() {
    let fields = r#"{"int":-5,"decimal":-1.25,"bool":true,"id":"i","text":"éé","enum":"a","array":[1,2]}"#;
    let parsed = parse(body("deny", fields).as_bytes()).unwrap();
    let event = parsed.into_event(EventId::new("e").unwrap());
    let bytes = event.to_bytes();
    let wanted = "6500700080c0f0b4b66864656e790007696e740000096465636\
                  96d616c0004f90102626f6f6c000101696400026900746578740003\
                  04c3a9c3a9656e756d0002610061727261790005020002000\
                  4";
    assert_eq!(crate::hash::hex(&bytes), wanted);
    let mut rest = &bytes[..];
    assert_eq!(Event::take(&mut rest).as_ref(), Some(&event));
    assert!(rest.is_empty());
    assert!((0..bytes.len()).all(|cut| Event::take(&mut &bytes[..cut]).is_none()));

    for (bad, why) in [
        (&b"\x02a\0\x00\x00a\0\x00\x00"[..], "a name twice"),
        (b"\x01a\0\x04\x14\x00\x01", "no kind takes this many bytes"),
        (b"\x01a\0\x04\x14\x01", "ten tenths are not in lowest terms"),
        (b"\x01a\0\x05\x01\x05\x00", "an array in an array"),
        (b"\x41", "too many fields"),
    ] {
        let mut rest = bad;
        assert!(Payload::take(&mut rest).is_none() || !rest.is_empty(), "{why}");
    }
    let int = FieldValue::Int(INTEGER_MAX + 1);
    assert!(Payload::new(vec![(Id::new("a").unwrap(), int)]).is_err());
    assert!(size_of::<FieldValue>() <= 32);
}

/// `SplitMix64` (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A body that is often sound.
    fn body(&mut self) -> String {
        let mut members = Vec::new();
        for (name, values) in [
            ("int", &["0", "-5", "5", "6", "1.0", "-0"][..]),
            ("uint", &["2", "9007199254740991", "9007199254740992", "18446744073709551615", "1e19"]),
            ("decimal", &["1.5", "-0.0", "3", "0.1e-3", "123456789.123456789", "1e15", "1E+2", "0.30000000000000004"]),
            ("bool", &["true", "false"]),
            ("id", &["\"a\"", "\"\\u0061\\/b\"", "\"a b\"", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""]),
            ("text", &["\"\\ud83d\\ude00\"", "\"é\\n\"", "\"\\ud800\"", "\"\"", "\"é\"", "\"aé\""]),
            ("enum", &["\"a\"", "\"b\""]),
            ("array", &["[]", "[1]", "[1,2,3]", "[ 1 , 2 ]", "[1,]"]),
            ("x", &["null", "{}", "[[[]]]", "{\"a\":{\"a\":1}}", "1"]),
            ("\\u0069nt", &["1"]),
        ] {
            let rare = matches!(name, "x" | "\\u0069nt");
            if self.below(if rare { 8 } else { 2 }) == 0 {
                let value = if self.below(3) > 0 { values[0] } else { self.pick(values) };
                members.push(format!("\"{name}\":{value}"));
            }
        }
        let at = self.below(members.len() + 1);
        members.rotate_left(at);
        body(self.pick(&["deny", "ignore", "keep"]), &format!("{{{}}}", members.join(",")))
    }

    fn mutate(&mut self, text: &mut Vec<u8>) {
        const BYTES: &[u8] = b"{}[]:,\"\\0123456789.eE+-u trufalsn\n\x00\x1f\x7f\xc3\xa9\xff\xef\xbb\xbf";
        for _ in 0..self.below(4) {
            let (at, byte) = (self.below(text.len()), BYTES[self.below(BYTES.len())]);
            match self.below(4) {
                0 => text[at] = byte,
                1 => text.insert(at, byte),
                2 if text.len() > 1 => _ = text.remove(at),
                _ => {
                    let end = (at + self.below(12)).min(text.len());
                    let copy = text[at..end].to_vec();
                    text.splice(at..at, copy);
                }
            }
        }
    }
}

#[test]
fn what_is_accepted_serde_json_reads_to_the_same_values() {
    let (seed, parser) = (0x5eed, parser());
    let mut random = Random(seed);
    let mut accepted = 0;
    for round in 0..20_000 {
        let mut text = random.body().into_bytes();
        random.mutate(&mut text);
        let shown = || format!("seed {seed:#x}, round {round}: {}", String::from_utf8_lossy(&text));
        let theirs = serde_json::from_slice::<serde_json::Value>(&text);
        match parser.parse(&text, NOW) {
            Ok(ours) => {
                accepted += 1;
                let theirs = theirs.unwrap_or_else(|_| panic!("{}", shown()));
                for (name, value) in ours.payload.iter() {
                    let (ours, theirs) = (serde_json::to_value(value).unwrap(), &theirs["payload"][name.as_str()]);
                    // A decimal that is whole, like 1e2 or -0.0, is written back as an integer.
                    let same = ours == *theirs || ours.as_f64().is_some_and(|ours| theirs.as_f64() == Some(ours));
                    assert!(same, "{}", shown());
                }
                assert_eq!(theirs["playerId"], ours.player.as_str());
                let event = ours.into_event(EventId::new("e").unwrap());
                assert_eq!(Event::take(&mut &event.to_bytes()[..]).as_ref(), Some(&event), "{}", shown());
                let again = parser.parse(serde_json::to_string(&event).unwrap().as_bytes(), NOW).unwrap();
                assert_eq!(again.into_event(EventId::new("e").unwrap()), event, "{}", shown());
            }
            Err(error) => {
                assert!((1..=ISSUES_MAX).contains(&error.issues().len()), "{}", shown());
                let first = parser.clone().with_mode(IssueMode::First).parse(&text, NOW).unwrap_err();
                assert_eq!(first.issues(), &error.issues()[..1], "{}", shown());
            }
        }
    }
    assert!(accepted > 1000, "{accepted} accepted");
}

fn scanned(body: &[u8], parser: &Parser) -> Option<Parsed> {
    let mut fields = Vec::new();
    let scanned = scan::event(parser.schemas(), TimeLimits::default(), body, NOW, &mut fields);
    scanned.map(|scanned| scanned.into_parsed(fields))
}

#[test]
fn the_quick_pass_takes_what_is_common() {
    let parser = parser();
    let texts = [
        LINE,
        &LINE.replace(':', " : ").replace(',', " ,\n\t"),
        &body("deny", "{}"),
        &body("deny", r#"{"int":-5,"uint":9007199254740,"bool":true,"id":"a","text":"é\u007f","enum":"b"}"#)
            .replace("\\u007f", "\u{7f}"),
        // As senders write it who sort their keys.
        r#"{"id":"e","payload":{"activity":"}{","deltaXp":0,"zone":"z"},"playerId":"p","ts":1794009600,"type":"progression"}"#,
        &body(
            "keep",
            r#"{"text":"aa","id":"0123456789012345678901234567890123456789012345678901234567890123","int":0}"#,
        ),
    ];
    for text in texts {
        let quick = scanned(text.as_bytes(), &parser).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(Ok(quick), parser.parse_plainly(text.as_bytes(), NOW), "{text}");
    }
}

#[test]
fn what_the_quick_pass_takes_the_plain_reader_takes() {
    let (seed, parser) = (0xd00d, parser());
    let mut random = Random(seed);
    let mut taken = 0;
    for round in 0..50_000 {
        let whole = random.body();
        // Members in any order, with and without an id; two of three times a type whose values are all common.
        let payload = whole.split_once("\"payload\":").map(|(_, rest)| &rest[..rest.len() - 1]).unwrap();
        let common = r#"{"deltaXp":7,"activity":"a","zone":"b"}"#;
        let (kind, payload) = random.pick(&[("deny", payload), ("progression", common), ("progression", common)]);
        let (kind, payload) = (format!("\"type\":\"{kind}\""), format!("\"payload\":{payload}"));
        let mut members = [&*kind, "\"playerId\":\"p\"", "\"ts\":1794009600", &*payload, "\"id\":\"e\""];
        let members = &mut members[..4 + random.below(2)];
        let at = random.below(members.len());
        members.rotate_left(at);
        let mut text = format!("{{{}}}", members.join(",")).into_bytes();
        random.mutate(&mut text);
        let shown = || format!("seed {seed:#x}, round {round}: {}", String::from_utf8_lossy(&text));
        let plain = parser.parse_plainly(&text, NOW);
        if let Some(quick) = scanned(&text, &parser) {
            taken += 1;
            assert_eq!(Ok(quick), plain, "{}", shown());
        }
        assert_eq!(parser.validate(&text, NOW), plain.map(drop), "{}", shown());
    }
    assert!(taken > 5000, "{taken} taken");
}
