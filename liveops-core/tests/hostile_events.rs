//! Bodies that two readers could understand differently, and bodies that are a burden to read. Each case says what the
//! refusal is called and which place it names.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use liveops_core::event::{IssueMode, Parsed, Parser, ValidationError};
use liveops_core::intake::Intake;
use liveops_core::limits::{BODY_BYTES_MAX, ISSUES_MAX};
use liveops_core::signing::{Headers, Secret};
use liveops_core::{Code, Rules, Timestamp};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_794_009_600);

/// Types without limits of their own: `strict` denies unknown fields, `loose` ignores them, `keep` keeps them; `needs`
/// has two fields that must be there.
fn rules() -> Rules {
    let fields = r#""fields": { "n": { "type": "int" }, "d": { "type": "decimal" }, "t": { "type": "text" },
        "i": { "type": "id" }, "a": { "type": "array", "items": { "type": "int" } } }"#;
    Rules::from_json(&format!(
        r#"{{ "version": 1, "game": "g", "events": {{
            "strict": {{ {fields} }},
            "loose": {{ "unknownFields": "ignore", {fields} }},
            "keep": {{ "unknownFields": "keep", {fields} }},
            "needs": {{ "fields": {{ "n": {{ "type": "int", "required": true }}, "o": {{ "type": "int" }},
                "p": {{ "type": "int", "required": true }} }} }} }} }}"#
    ))
    .unwrap()
}

fn parser() -> Parser {
    rules().door().parser()
}

fn body(kind: &str, payload: &str) -> String {
    format!(r#"{{"id":"e","type":"{kind}","playerId":"p","ts":1794009600,"payload":{payload}}}"#)
}

/// What both modes, and the check that makes no event, agree on.
#[track_caller]
fn parse(parser: &Parser, body: &[u8]) -> Result<Parsed, ValidationError> {
    let all = parser.parse(body, NOW);
    let first = parser.clone().with_mode(IssueMode::First).parse(body, NOW);
    assert_eq!(parser.validate(body, NOW).as_ref().err(), all.as_ref().err());
    match (&all, &first) {
        (Ok(all), Ok(first)) => assert_eq!(all, first),
        (Err(all), Err(first)) => {
            assert!((1..=ISSUES_MAX).contains(&all.issues().len()), "{} issues", all.issues().len());
            assert_eq!(all.issues()[..1], *first.issues());
        }
        _ => panic!("{all:?} but {first:?}"),
    }
    all
}

/// What is sent, and the first issue: its code and its path; no code for what is taken.
type Case<'a> = (&'a str, &'a str, &'a str);

#[track_caller]
fn check<'a, B: AsRef<[u8]> + 'a>(cases: impl IntoIterator<Item = (B, &'a str, &'a str)>) {
    let parser = parser();
    for (body, code, path) in cases {
        let body = body.as_ref();
        let found = parse(&parser, body).err();
        let found = found.as_ref().map_or(("", ""), |error| (error.code().as_str(), &*error.issues()[0].path));
        let shown = String::from_utf8_lossy(&body[..body.len().min(300)]);
        assert_eq!(found, (code, path), "{shown}");
    }
}

/// Payloads of a type.
#[track_caller]
fn check_payloads(kind: &str, cases: &[Case<'_>]) {
    check(cases.iter().map(|(payload, code, path)| (body(kind, payload), *code, *path)));
}

#[test]
fn keys_twice_at_any_depth() {
    check_payloads(
        "loose",
        &[
            (r#"{"n":1,"n":1}"#, "duplicate_key", "/payload/n"),
            (r#"{"n":1,"n":2}"#, "duplicate_key", "/payload/n"),
            (r#"{"n":1,"\u006e":1}"#, "duplicate_key", "/payload/n"),
            (r#"{"\u006E":1,"\u006e":1}"#, "duplicate_key", "/payload/n"),
            (r#"{"x/y":1,"x\/y":1}"#, "duplicate_key", "/payload/x~1y"),
            (r#"{"é":1,"\u00e9":1}"#, "duplicate_key", "/payload/é"),
            (r#"{"😀":1,"\ud83d\ude00":1}"#, "duplicate_key", "/payload/😀"),
            (r#"{"":1,"":1}"#, "duplicate_key", "/payload/"),
            (r#"{"o":{"a":1,"a":1}}"#, "duplicate_key", "/payload/o/a"),
            (r#"{"o":[0,{"p":[{"a":1,"b":2,"a":3}]}]}"#, "duplicate_key", "/payload/o/1/p/0/a"),
            (r#"{"o":{"a":{"a":{"a":{"a":{"a":1,"a":2}}}}}}"#, "duplicate_key", "/payload/o/a/a/a/a/a"),
            // These are different keys: case counts, and composed characters are not normalised.
            (r#"{"a":[],"A":1}"#, "", ""),
            (r#"{"\u00e9":1,"e\u0301":1}"#, "", ""),
            (r#"{"o":{"a":1},"p":{"a":1}}"#, "", ""),
        ],
    );
    check([
        (r#"{"type":"loose","type":"strict"}"#.to_owned(), "duplicate_key", "/type"),
        (body("loose", "{}").replace("{\"id\"", "{\"\\u0069d\":\"f\",\"id\""), "duplicate_key", "/id"),
        (body("loose", "{}").replace('}', ",\"payload\":{}}"), "syntax", "/payload"),
        (body("loose", "{\"n\":1},\"payload\":{\"n\":1}"), "duplicate_key", "/payload"),
    ]);
    // Whichever member it is, in a body that is sound otherwise.
    let whole = body("strict", r#"{"n":1}"#);
    for (key, value) in
        [("id", "\"e\""), ("type", "\"strict\""), ("playerId", "\"p\""), ("ts", "1794009600"), ("payload", "{}")]
    {
        let path = format!("/{key}");
        let again = format!(",\"{key}\":{value}}}");
        check([(whole[..whole.len() - 1].to_owned() + &again, "duplicate_key", &*path)]);
        check([(format!("{{\"{key}\":{value},{}", &whole[1..]), "duplicate_key", &*path)]);
    }
    // However many keys lie between them.
    for len in [1, 15, 16, 17, 100, 1000] {
        let keys: Vec<_> = (0..len).map(|n| format!("\"k{n}\":0")).collect();
        let twice = format!("{{{},\"k0\":0}}", keys.join(","));
        check([(body("loose", &twice), "duplicate_key", "/payload/k0")]);
        check([(body("loose", &format!("{{{}}}", keys.join(","))), "", "")]);
    }
}

#[test]
fn numbers_that_readers_disagree_about() {
    check_payloads(
        "strict",
        &[
            (r#"{"n":9007199254740991}"#, "", ""),
            (r#"{"n":-9007199254740991}"#, "", ""),
            (r#"{"n":9007199254740992}"#, "out_of_range", "/payload/n"),
            (r#"{"n":9007199254740993}"#, "out_of_range", "/payload/n"),
            (r#"{"n":-9007199254740992}"#, "out_of_range", "/payload/n"),
            (r#"{"n":9223372036854775807}"#, "out_of_range", "/payload/n"),
            (r#"{"n":9223372036854775808}"#, "out_of_range", "/payload/n"),
            (r#"{"n":-9223372036854775808}"#, "out_of_range", "/payload/n"),
            (r#"{"n":-9223372036854775809}"#, "out_of_range", "/payload/n"),
            (r#"{"n":18446744073709551615}"#, "out_of_range", "/payload/n"),
            (r#"{"n":18446744073709551616}"#, "out_of_range", "/payload/n"),
            (r#"{"n":1e300}"#, "out_of_range", "/payload/n"),
            (r#"{"n":1e400}"#, "syntax", "/payload/n"),
            (r#"{"n":-1e400}"#, "syntax", "/payload/n"),
            (r#"{"n":1e99999999999999999999}"#, "syntax", "/payload/n"),
            (r#"{"n":1e-99999999999999999999}"#, "not_integer", "/payload/n"),
            (r#"{"n":150.0}"#, "not_integer", "/payload/n"),
            (r#"{"n":1e2}"#, "not_integer", "/payload/n"),
            (r#"{"n":1E+2}"#, "not_integer", "/payload/n"),
            (r#"{"n":0.1e1}"#, "not_integer", "/payload/n"),
            (r#"{"n":-0}"#, "not_integer", "/payload/n"),
            (r#"{"n":-0.0}"#, "not_integer", "/payload/n"),
            (r#"{"n":0}"#, "", ""),
            (r#"{"n":"1"}"#, "wrong_type", "/payload/n"),
            (r#"{"n":NaN}"#, "syntax", "/payload/n"),
            (r#"{"n":nan}"#, "syntax", "/payload/n"),
            (r#"{"n":Infinity}"#, "syntax", "/payload/n"),
            (r#"{"n":-Infinity}"#, "syntax", "/payload/n"),
            (r#"{"n":+1}"#, "syntax", "/payload/n"),
            (r#"{"n":01}"#, "syntax", "/payload/n"),
            (r#"{"n":-01}"#, "syntax", "/payload/n"),
            (r#"{"n":--1}"#, "syntax", "/payload/n"),
            (r#"{"n":1.}"#, "syntax", "/payload/n"),
            (r#"{"n":.5}"#, "syntax", "/payload/n"),
            (r#"{"n":1e}"#, "syntax", "/payload/n"),
            (r#"{"n":1_000}"#, "syntax", "/payload"),
            (r#"{"n":0x10}"#, "syntax", "/payload"),
            (r#"{"n":1n}"#, "syntax", "/payload"),
            (r#"{"n":１}"#, "syntax", "/payload/n"),
            (r#"{"d":9007199254740991.5}"#, "out_of_range", "/payload/d"),
            (r#"{"d":1e-31}"#, "out_of_range", "/payload/d"),
            (r#"{"d":1e-30}"#, "", ""),
            (r#"{"d":1e400}"#, "syntax", "/payload/d"),
            (r#"{"d":5e-324}"#, "out_of_range", "/payload/d"),
            (r#"{"d":-0}"#, "", ""),
            (r#"{"a":[1,2,1e2]}"#, "not_integer", "/payload/a/2"),
            (r#"{"a":[9007199254740992]}"#, "out_of_range", "/payload/a/0"),
        ],
    );
    let digits = "9".repeat(60_000);
    check([
        (body("strict", &format!(r#"{{"n":{digits}}}"#)), "syntax", "/payload/n"),
        (body("strict", &format!(r#"{{"n":0.{digits}}}"#)), "not_integer", "/payload/n"),
        (body("strict", &format!(r#"{{"n":1e-{digits}}}"#)), "not_integer", "/payload/n"),
        (body("strict", "{}").replace("1794009600", "1794009600.0"), "not_integer", "/ts"),
        (body("strict", "{}").replace("1794009600", "1.7940096e9"), "not_integer", "/ts"),
        (body("strict", "{}").replace("1794009600", "1794009600000"), "out_of_range", "/ts"),
        (body("strict", "{}").replace("1794009600", "-9223372036854775808"), "out_of_range", "/ts"),
        (body("strict", "{}").replace("1794009600", "9223372036854775807"), "out_of_range", "/ts"),
        (body("strict", "{}").replace("1794009600", "-0"), "not_integer", "/ts"),
    ]);
}

#[test]
fn nesting() {
    let nested = |open: &str, close: &str, times: usize| format!("{}1{}", open.repeat(times), close.repeat(times));
    let of = |open, close, times| body("loose", &format!(r#"{{"x":{}}}"#, nested(open, close, times)));
    let at = |segment: &str, times| format!("/payload/x{}", segment.repeat(times));
    check([
        (of("[", "]", 6), "", ""),
        (of("{\"a\":", "}", 6), "", ""),
        (of("[", "]", 7), "too_deep", &*at("/0", 6)),
        (of("{\"a\":", "}", 7), "too_deep", &*at("/a", 6)),
        (of("[", "]", 500), "too_deep", &*at("/0", 6)),
        ("[".repeat(BODY_BYTES_MAX), "too_deep", "/0/0/0/0/0/0/0/0"),
        ("{\"a\":".repeat(BODY_BYTES_MAX / 5), "too_deep", "/a/a/a/a/a/a/a/a"),
        ("[{\"a\":".repeat(BODY_BYTES_MAX / 6), "too_deep", "/0/a/0/a/0/a/0/a"),
        ("]".repeat(BODY_BYTES_MAX), "syntax", ""),
        // A text is no nesting, whatever stands in it.
        (body("strict", &format!(r#"{{"t":"{}"}}"#, "[".repeat(1000))), "", ""),
    ]);
}

#[test]
fn texts_that_are_none() {
    check_payloads(
        "strict",
        &[
            (r#"{"t":"\ud83d\ude00"}"#, "", ""),
            (r#"{"t":"\ud800"}"#, "syntax", "/payload/t"),
            (r#"{"t":"\udc00"}"#, "syntax", "/payload/t"),
            (r#"{"t":"\ud800\ud800"}"#, "syntax", "/payload/t"),
            (r#"{"t":"\udc00\ud800"}"#, "syntax", "/payload/t"),
            (r#"{"t":"\ud800x"}"#, "syntax", "/payload/t"),
            (r#"{"t":"\ud83d\n\ude00"}"#, "syntax", "/payload/t"),
            (r#"{"\ud800":1}"#, "syntax", "/payload"),
            (r#"{"t":"\u00"}"#, "syntax", "/payload/t"),
            (r#"{"t":"\u00zz"}"#, "syntax", "/payload/t"),
            (r#"{"t":"\x41"}"#, "syntax", "/payload/t"),
            (r#"{"t":"\'"}"#, "syntax", "/payload/t"),
            (r#"{"t":"\0"}"#, "syntax", "/payload/t"),
            (r#"{"t":"\u0000"}"#, "", ""),
            (r#"{"i":"\u0000"}"#, "invalid_format", "/payload/i"),
            (r#"{"i":"a\u0000"}"#, "invalid_format", "/payload/i"),
            (r#"{"i":"\u0061"}"#, "", ""),
            (r#"{"i":"a "}"#, "invalid_format", "/payload/i"),
            (r#"{"i":"\u200b"}"#, "invalid_format", "/payload/i"),
            ("{\"i\":\"\u{7f}\"}", "invalid_format", "/payload/i"),
            ("{\"i\":\"0123456\u{7f}\"}", "invalid_format", "/payload/i"),
            ("{\"i\":\"01234567\u{7f}9012345\"}", "invalid_format", "/payload/i"),
            (r#"{"i":"а"}"#, "invalid_format", "/payload/i"),
            (r#"{"i":""}"#, "too_short", "/payload/i"),
            ("{\"t\":\"\0\"}", "syntax", "/payload/t"),
            ("{\"t\":\"\u{1f}\"}", "syntax", "/payload/t"),
            ("{\"t\":\"\n\"}", "syntax", "/payload/t"),
            ("{\"t\":\"\u{7f}\u{2028}\u{feff}\"}", "", ""),
            (r#"{"t":'x'}"#, "syntax", "/payload/t"),
            (r#"{t:"x"}"#, "syntax", "/payload"),
            (r#"{"t":"x"#, "syntax", "/payload/t"),
        ],
    );
    // Bytes that are no UTF-8: alone, cut short, longer than need be, surrogates, beyond the last character.
    for bytes in [
        &b"\xff"[..],
        b"\x80",
        b"\xc3",
        b"\xc3(",
        b"\xe2\x82",
        b"\xc0\x80",
        b"\xc1\xa1",
        b"\xe0\x80\xaf",
        b"\xed\xa0\x80",
        b"\xed\xa0\xbd\xed\xb8\x80",
        b"\xf4\x90\x80\x80",
        b"\xf0\x9f\x98",
        b"\xf8\x88\x80\x80\x80",
    ] {
        let [before, after] = [r#"{"t":""#, r#""}"#].map(str::as_bytes);
        let payload = [before, bytes, after].concat();
        let whole = body("strict", "#");
        let (head, tail) = whole.split_once('#').unwrap();
        check([([head.as_bytes(), &payload, tail.as_bytes()].concat(), "invalid_utf8", "")]);
        check([([head.as_bytes(), b"{}", tail.as_bytes(), bytes].concat(), "invalid_utf8", "")]);
    }
    let id = |len: usize| format!(r#"{{"i":"{}"}}"#, "a".repeat(len));
    check([
        (body("strict", &id(64)), "", ""),
        (body("strict", &id(65)), "too_long", "/payload/i"),
        (body("strict", &id(60_000)), "too_long", "/payload/i"),
        (body("strict", &id(1 << 20)), "too_large", ""),
        (body("strict", "{}").replace("\"p\"", &format!("\"{}\"", "a".repeat(60_000))), "too_long", "/playerId"),
        (body("strict", "{}").replace("\"e\"", &format!("\"{}\"", "a".repeat(1 << 20))), "too_large", ""),
        (body("strict", &format!(r#"{{"t":"{}"}}"#, "é".repeat(513))), "too_long", "/payload/t"),
        (
            body("strict", &format!(r#"{{"{}":1}}"#, "a".repeat(60_000))),
            "unknown_field",
            &format!("/payload/{}…", "a".repeat(61)),
        ),
    ]);
}

#[test]
fn what_stands_around_the_event() {
    let sound = body("strict", "{}");
    let utf16: Vec<u8> = sound.encode_utf16().flat_map(u16::to_le_bytes).collect();
    check([
        (sound.as_bytes(), "", ""),
        (&*utf16, "syntax", ""),
        (&*[b"\xff\xfe", &*utf16].concat(), "invalid_utf8", ""),
    ]);
    for (before, after, code) in [
        (" \t\r\n", " \t\r\n", ""),
        ("\u{feff}", "", "syntax"),
        ("", "\u{feff}", "trailing_data"),
        ("\0", "", "syntax"),
        ("", "\0", "trailing_data"),
        ("\u{b}", "", "syntax"),
        ("", "\u{b}", "trailing_data"),
        ("\u{a0}", "", "syntax"),
        ("", "\u{2028}", "trailing_data"),
        ("", "x", "trailing_data"),
        ("", ",", "trailing_data"),
        ("", "}", "trailing_data"),
        ("", "null", "trailing_data"),
        ("", "{}", "trailing_data"),
        ("", "\n{}", "trailing_data"),
        ("// ", "", "syntax"),
        ("/* */", "", "syntax"),
        ("", "// ", "trailing_data"),
        (")]}',\n", "", "syntax"),
        ("data: ", "", "syntax"),
        ("[", "]", "wrong_type"),
        ("[", "", "syntax"),
        ("\"", "\"", "trailing_data"),
    ] {
        let path = if (before, after) == ("[", "") { "/1" } else { "" };
        check([(format!("{before}{sound}{after}"), code, path)]);
    }
    for other in ["null", "true", "1", "1.5", "1e99", "\"x\"", "[]", "[{}]"] {
        check([(other, "wrong_type", "")]);
    }
    check([
        ("{}", "missing", "/type"),
        ("", "syntax", ""),
        (" ", "syntax", ""),
        ("nul", "syntax", ""),
        ("nulll", "trailing_data", ""),
    ]);
}

#[test]
fn what_must_be_there() {
    check_payloads(
        "needs",
        &[
            (r#"{"n":1,"p":1}"#, "", ""),
            (r#"{"p":1,"o":1,"n":1}"#, "", ""),
            ("{}", "missing", "/payload/n"),
            (r#"{"o":1}"#, "missing", "/payload/n"),
            (r#"{"p":1}"#, "missing", "/payload/n"),
            (r#"{"n":1}"#, "missing", "/payload/p"),
            (r#"{"o":1,"n":1}"#, "missing", "/payload/p"),
            (r#"{"N":1,"p":1}"#, "missing", "/payload/n"),
            (r#"{"n":null,"p":1}"#, "wrong_type", "/payload/n"),
        ],
    );
    let whole = body("needs", r#"{"n":1,"p":1}"#);
    for (member, path) in [
        (r#""type":"needs","#, "/type"),
        (r#""playerId":"p","#, "/playerId"),
        (r#""ts":1794009600,"#, "/ts"),
        (r#","payload":{"n":1,"p":1}"#, "/payload"),
    ] {
        check([(whole.replace(member, ""), "missing", path)]);
    }
    check([(whole.replace(r#""id":"e","#, ""), "", "")]);
}

#[test]
fn names_that_mean_something_elsewhere() {
    for name in
        ["__proto__", "constructor", "toString", "hasOwnProperty", "length", "__class__", "$ref", "id", "ts", "payload"]
    {
        let payload = format!(r#"{{"{name}":1}}"#);
        check([(body("strict", &payload), "unknown_field", &*format!("/payload/{name}"))]);
        let kept = parse(&parser(), body("keep", &payload).as_bytes()).unwrap();
        assert_eq!((kept.payload.iter().len(), kept.payload.int(name)), (1, Some(1)));
        for kind in [name, "PROGRESSION", "progression ", "strict\\u0000", ""] {
            check([(body(kind, "{}"), "unknown_type", "/type")]);
        }
    }
    check([
        (body("strict", "{}").replace("\"id\"", "\"ID\""), "unknown_field", "/ID"),
        (body("strict", "{}").replace("playerId", "player_id"), "missing", "/playerId"),
        (body("strict", "{}").replace("\"p\"", "\"../x\""), "", ""),
        (body("strict", "{}").replace("\"p\"", "[\"p\"]"), "wrong_type", "/playerId"),
        (body("strict", "{}").replace("\"e\"", "null"), "wrong_type", "/id"),
    ]);
}

/// A body of exactly the largest size: as many parts as there is room for, between two texts. And how many.
fn fill(kind: &str, part: impl Fn(usize) -> String, [before, after]: [&str; 2]) -> (String, usize) {
    let mut room = BODY_BYTES_MAX - body(kind, &[before, after].concat()).len();
    let mut parts = Vec::new();
    while let Some(left) = room.checked_sub(part(parts.len()).len() + 1) {
        parts.push(part(parts.len()));
        room = left;
    }
    let text = body(kind, &[before, &*parts.join(","), after].concat());
    (padded(text, BODY_BYTES_MAX), parts.len())
}

fn padded(text: String, len: usize) -> String {
    let spaces = " ".repeat(len - text.len());
    text + &spaces
}

/// Bodies of the largest size that make a reader work as much as one can. What they cost is bounded by what comes out:
/// at most 32 issues of bounded length, and a payload of what the schema has.
#[test]
fn the_largest_bodies() {
    let object = ["{", "}"];
    let keys = |n: usize| format!("\"k{n:x}\":0");
    let values = |_: usize| "-1e1".to_owned();
    let parser = parser();
    let issues = |text: &str| {
        let error = parse(&parser, text.as_bytes()).unwrap_err();
        let told = serde_json::to_string(&error).unwrap();
        assert!(told.len() < 32 * 1024, "{} bytes to tell {}", told.len(), error);
        (error.code(), error.issues().len())
    };

    let (many_keys, count) = fill("loose", keys, object);
    assert!(count > 6000, "{count}");
    assert_eq!(parse(&parser, many_keys.as_bytes()).unwrap().payload.iter().len(), 0);
    assert_eq!(issues(&many_keys.replace("loose", "keep")), (Code::TooLong, 1));
    let (denied, _) = fill("strict", keys, object);
    assert_eq!(issues(&denied), (Code::UnknownField, ISSUES_MAX));

    // The second of two keys comes last.
    let (twice, _) = fill("loose", keys, ["{\"n\":1,", ",\"n\":1}"]);
    assert_eq!(issues(&twice), (Code::DuplicateKey, 1));
    // Keys that begin alike, so that comparing them takes long.
    let alike = |n: usize| format!("\"{}{n:x}\":0", "a".repeat(200));
    let (long_keys, _) = fill("strict", alike, object);
    assert_eq!(issues(&long_keys), (Code::UnknownField, ISSUES_MAX));
    // Keys of which every character is told in six.
    let garbling = |n: usize| format!("\"{}{n:x}\":0", "\u{2028}".repeat(21));
    let (garbled, _) = fill("strict", garbling, object);
    assert_eq!(issues(&garbled), (Code::UnknownField, ISSUES_MAX));

    let (long_array, count) = fill("strict", values, ["{\"a\":[", "]}"]);
    assert!(count > 12_000, "{count}");
    assert_eq!(issues(&long_array), (Code::TooLong, 1));
    let (wrong_elements, _) = fill("loose", values, ["{\"x\":[", "]}"]);
    assert_eq!(parse(&parser, wrong_elements.as_bytes()).unwrap().payload.iter().len(), 0);
    let full_array = body("strict", &format!("{{\"a\":[{}]}}", ["true"; 64].join(",")));
    assert_eq!(issues(&full_array), (Code::WrongType, ISSUES_MAX));

    // As deep as may be, again and again.
    let (bushes, count) = fill("loose", |n| format!("\"k{n:x}\":[[[[[[]]]]]]"), object);
    assert!(count > 3000, "{count}");
    assert_eq!(parse(&parser, bushes.as_bytes()).unwrap().payload.iter().len(), 0);

    // One text of nothing but escapes.
    let (escapes, _) = fill("strict", |_| "\"\\ud83d\\ude00\"".to_owned(), ["{\"a\":[", "]}"]);
    assert_eq!(issues(&escapes), (Code::TooLong, 1));
    let text = body("strict", &format!("{{\"t\":\"{}\"}}", "\\u0000".repeat(10_000)));
    assert_eq!(issues(&text), (Code::TooLong, 1));
}

/// A byte too many is not looked at, nor is its signature: the size comes first.
#[test]
fn a_body_too_large_comes_no_further_than_the_door() {
    let rules = rules();
    let trusted = Intake::builder(rules.door()).trusted().build().unwrap();
    let signed = Intake::builder(rules.door()).secret(&Secret::generate([7; 32])).unwrap().build().unwrap();
    let padded = |len: usize| padded(body("strict", "{}"), len);
    assert!(trusted.admit(&Headers::default(), padded(BODY_BYTES_MAX).as_bytes(), NOW).is_ok());
    for text in [padded(BODY_BYTES_MAX + 1), padded(1 << 20), "[".repeat(1 << 20), "\0".repeat(1 << 20)] {
        for intake in [&trusted, &signed] {
            let refusal = intake.admit(&Headers::default(), text.as_bytes(), NOW).unwrap_err();
            assert_eq!((refusal.code(), refusal.http_status()), (Code::TooLarge, 413));
        }
        check([(text, "too_large", "")]);
    }
    let unsigned = signed.admit(&Headers::default(), b"{", NOW).unwrap_err();
    assert_eq!(unsigned.code(), Code::MissingHeader, "nobody learns what is wrong with a body that is not signed");
}

/// What was sent may be a secret of its sender: it is not in what is said about it.
#[test]
fn no_refusal_echoes_a_value() {
    let parser = parser();
    for value in
        ["\"hunter2\"", "\"hunter2 \"", "[\"hunter2\"]", "{\"a\":\"hunter2\"}", "\"hunter2", "hunter2", "20202020.5"]
    {
        for text in [
            body("strict", &format!("{{\"n\":{value},\"i\":{value},\"a\":{value},\"x\":{value}}}")),
            body("strict", "{}").replace("\"p\"", value),
            body("strict", "{}").replace("\"e\"", value),
            body("strict", "{}").replace("\"strict\"", value),
            body("strict", "{}").replace("1794009600", value),
            body("strict", value),
            value.to_owned(),
        ] {
            if let Err(error) = parse(&parser, text.as_bytes()) {
                let told = format!("{error} {error:?} {}", serde_json::to_string(&error).unwrap());
                assert!(!told.contains("hunter2") && !told.contains("20202020"), "{told}");
            }
        }
    }
}
