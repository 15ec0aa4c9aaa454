//! Messages made to be believed: every header missing, twice, empty and huge, lists with junk in them, times and ids in
//! forms that other readers take for the right ones, secrets that are none. Each case says what the refusal is called.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liveops_core::hash::unhex;
use liveops_core::signing::{
    Headers, Key, KeyRing, Scheme, Secret, SignatureError, Signer, Verified, Verifier, hmac_sha256_hex,
};
use liveops_core::{Code, Id, Timestamp};

const SECRET: [u8; 32] = [7; 32];
const ID: &str = "msg_1";
const SECONDS: i64 = 1_780_000_000;
const TIME: &str = "1780000000";
const BODY: &str = r#"{"type":"progression","n":9}"#;
/// Base64 of 32 bytes that are no MAC of anything here.
const OTHER: &str = "AgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICE=";

const HUGE: usize = 1 << 20;

type Pairs<'s, 'v> = &'s [(&'v str, &'v str)];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn verifier(scheme: Scheme) -> Verifier {
    Verifier::new(Secret::generate(SECRET)).unwrap().scheme(scheme)
}

/// The right Standard signature of these three, whatever they are.
fn signature(id: &str, time: &str, body: &str) -> String {
    STANDARD.encode(unhex(&hmac_sha256_hex(&SECRET, format!("{id}.{time}.{body}").as_bytes())).unwrap())
}

/// Headers with a right signature over what they say, whatever that is.
fn signed<'a>(id: &'a str, time: &'a str, signature: &'a str) -> [(&'static str, &'a str); 3] {
    [("webhook-id", id), ("webhook-timestamp", time), ("webhook-signature", signature)]
}

/// A right message under a scheme.
fn right(scheme: Scheme) -> Vec<(String, String)> {
    let headers = match scheme {
        Scheme::LegacyBody => vec![("x-signature", hmac_sha256_hex(&SECRET, BODY.as_bytes()))],
        Scheme::LegacyBodyTimestamp => vec![
            ("x-signature", hmac_sha256_hex(&SECRET, format!("{BODY}.{TIME}").as_bytes())),
            ("x-timestamp", TIME.to_owned()),
        ],
        _ => vec![
            ("webhook-id", ID.to_owned()),
            ("webhook-timestamp", TIME.to_owned()),
            ("webhook-signature", format!("v1,{}", signature(ID, TIME, BODY))),
        ],
    };
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn verify<'n, 'v>(
    verifier: &Verifier,
    headers: impl IntoIterator<Item = (&'n str, &'v str)>,
) -> Result<Verified, SignatureError> {
    verifier.verify(&Headers::from_pairs(headers), BODY.as_bytes(), at(SECONDS))
}

fn code(result: Result<Verified, SignatureError>) -> Option<Code> {
    result.err().map(|error| error.code())
}

#[test]
fn each_header_missing_twice_empty_and_huge() {
    let huge = "a".repeat(HUGE);
    for scheme in [Scheme::Standard, Scheme::LegacyBody, Scheme::LegacyBodyTimestamp] {
        let (verifier, message) = (verifier(scheme), right(scheme));
        let pairs = || message.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        assert_eq!(code(verify(&verifier, pairs())), None, "{scheme:?}");
        let shouted: Vec<_> = message.iter().map(|(name, _)| name.to_uppercase()).collect();
        for ((name, value), shouted) in message.iter().zip(&shouted) {
            let without = || pairs().filter(|(known, _)| known != name);
            assert_eq!(code(verify(&verifier, without())), Some(Code::MissingHeader), "{scheme:?}, {name}");
            let malformed: [(&str, Pairs<'_, '_>); 7] = [
                ("empty", &[(name, "")]),
                ("huge", &[(name, &huge)]),
                ("twice the same", &[(name, value), (name, value)]),
                ("twice in other case", &[(name, value), (shouted, value)]),
                ("right, then empty", &[(name, value), (name, "")]),
                ("wrong, then right", &[(name, "x"), (name, value)]),
                ("three times", &[(name, value), (name, value), (name, value)]),
            ];
            for (case, instead) in malformed {
                let headers = without().chain(instead.iter().copied());
                assert_eq!(code(verify(&verifier, headers)), Some(Code::MalformedHeader), "{scheme:?}, {name} {case}");
            }
        }
        for (case, value) in [("empty", ""), ("huge", huge.as_str()), ("with a space", "a b"), ("not ASCII", "é")] {
            let headers = pairs().chain([("webhook-key-id", value)]);
            assert_eq!(code(verify(&verifier, headers)), Some(Code::MalformedHeader), "{scheme:?}, key id {case}");
        }
        let keys = pairs().chain([("webhook-key-id", "k"), ("webhook-key-id", "k")]);
        assert_eq!(code(verify(&verifier, keys)), Some(Code::MalformedHeader), "{scheme:?}, key id twice");
        // Headers that no scheme signs are no business of the signature.
        let unsigned = [("x-request-id", huge.as_str()), ("x-request-id", ""), ("idempotency-key", ""), ("", "")];
        assert_eq!(code(verify(&verifier, pairs().chain(unsigned))), None, "{scheme:?}");
    }
}

/// What stands in `webhook-signature`; `{right}` and `{other}` are base64 of 32 bytes.
#[test]
fn signature_lists() {
    let right = signature(ID, TIME, BODY);
    let url_safe = right.replace('+', "-").replace('/', "_");
    assert_ne!(url_safe, right, "the signature has a character that the two alphabets write differently");
    let long = |len: usize| format!("v1,{right} v2,{}", "a".repeat(len - right.len() - 7));
    let seventeen = vec!["v1,{other}"; 16].join(" ") + " v1,{right}";
    let sixteen = vec!["v1,{other}"; 15].join(" ") + " v1,{right}";
    let believed: &[&str] = &[
        "v1,{right}",
        "v1,{other} v1,{right}",
        "v1,{right} v1,{other}",
        "v1,{right} v1,{right}",
        "v1a,zzz v2,!,!, v1,{right}",
        &sixteen,
        &long(4096),
    ];
    let mismatched: &[&str] = &["v1,{other}", "v1,{other} v2,{right}", "v1a,{right} v1,{other}"];
    let malformed: &[&str] = &[
        "{right}",
        "v1",
        "v1,",
        ",{right}",
        "v1 ,{right}",
        "v1, {right}",
        "v1,,{right}",
        "v1;{right}",
        "v1={right}",
        "V1,{right}",
        "v1a,{right}",
        "v2,{right}",
        "v01,{right}",
        "v1\0,{right}",
        // Junk before, after and between.
        " v1,{right}",
        "v1,{right} ",
        "v1,{right}\n",
        "\tv1,{right}",
        "v1,{right}\tv1,{right}",
        "v1,{other}  v1,{right}",
        "v1,{other},v1,{right}",
        "v1,{other}, v1,{right}",
        "junk v1,{right}",
        "v1,{right} junk",
        "v1,{right} v1,",
        "v1,{right} ,",
        "v1,{right} v1,junk",
        "v1,{right}junk",
        "v1,junk{right}",
        "v1,{right} v2,é",
        "é,x v1,{right}",
        "\u{a0}v1,{right}",
        "v1,{right}\u{2003}v1,{right}",
        "v1,{right}\0",
        // Base64 of something else, or of the right thing in another way.
        "v1,{right}=",
        "v1,eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eA==",
        "v1,eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4",
        "v1,AgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICF=",
        "v1,AgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICE",
        &format!("v1,{url_safe}"),
        &format!("v1,{}", right.trim_end_matches('=')),
        &seventeen,
        &long(4097),
        &"v1,{other} ".repeat(HUGE / 50),
        &" ".repeat(HUGE),
    ];
    let verifier = verifier(Scheme::Standard);
    for (lists, wanted) in
        [(believed, None), (mismatched, Some(Code::SignatureMismatch)), (malformed, Some(Code::MalformedHeader))]
    {
        for list in lists {
            let list = list.replace("{right}", &right).replace("{other}", OTHER);
            assert_eq!(
                code(verify(&verifier, signed(ID, TIME, &list))),
                wanted,
                "{:?}",
                list.get(..200).unwrap_or(&list)
            );
        }
    }
    assert_eq!((long(4096).len(), long(4097).len()), (4096, 4097));
}

/// All signed rightly: it is the form that is refused. Readers that go by way of a float or a lenient integer take
/// several of these for one time and so for one message.
#[test]
fn times_in_other_forms() {
    for time in [
        "1_780_000_000",
        " 1780000000",
        "1780000000 ",
        "+1780000000",
        "-1780000000",
        "01780000000",
        "1780000000.0",
        "1780000000.",
        "1.78e9",
        "178e7",
        "0x6a18a400",
        "1,780,000,000",
        "1780000000\n",
        "1780000000\0",
        "١٧٨٠٠٠٠٠٠٠",
        "１７８０００００００",
        "1780000000000",
        "0",
        "00",
        "-0",
        "-1",
        "-9223372036854775808",
        "9223372036854775807",
        "9223372036854775808",
        "99999999999999999999999999",
        "NaN",
        "Infinity",
        "now",
        "2026-05-28T20:26:40Z",
    ] {
        for now in [at(SECONDS), Timestamp::MIN, Timestamp::MAX] {
            let list = format!("v1,{}", signature(ID, time, BODY));
            let headers = Headers::from_pairs(signed(ID, time, &list));
            let result = verifier(Scheme::Standard).verify(&headers, BODY.as_bytes(), now);
            assert_eq!(code(result), Some(Code::MalformedHeader), "{time:?}");

            let mac = hmac_sha256_hex(&SECRET, format!("{BODY}.{time}").as_bytes());
            let headers = Headers::from_pairs([("x-signature", &*mac), ("x-timestamp", time)]);
            let result = verifier(Scheme::LegacyBodyTimestamp).verify(&headers, BODY.as_bytes(), now);
            assert_eq!(code(result), Some(Code::MalformedHeader), "legacy {time:?}");
        }
    }
}

/// `id.time.body` is one text; cut elsewhere it is another message with the same signature.
#[test]
fn what_was_signed_can_be_cut_in_one_way_only() {
    let body = format!("1780000001.{BODY}");
    let list = format!("v1,{}", signature(ID, TIME, &body));
    let verify = |id: &str, time: &str, body: &str| {
        let headers = signed(id, time, &list);
        code(verifier(Scheme::Standard).verify(&Headers::from_pairs(headers), body.as_bytes(), at(SECONDS)))
    };
    assert_eq!(verify(ID, TIME, &body), None);
    for (id, time, body) in [
        ("msg_1.1780000000", "1780000001", BODY),
        ("msg_1.1", "780000000", &*body),
        ("msg_1.", TIME, &*body),
        ("msg_1", ".1780000000", &*body),
        ("msg_1.1780000000", "", &*body),
        ("", "msg_1.1780000000", &*body),
        ("msg_1", "1780000000.1780000001", BODY),
    ] {
        assert_eq!(verify(id, time, body), Some(Code::MalformedHeader), "{id:?} {time:?}");
    }
    for (id, time, body) in [("msg_", "1780000000", &*body), (ID, "1780000001", BODY), ("msg_11", "780000000", &*body)]
    {
        let code = verify(id, time, body);
        assert!(matches!(code, Some(Code::SignatureMismatch | Code::TimestampTooOld)), "{id:?} {time:?}: {code:?}");
    }
}

#[test]
fn ids_of_other_forms() {
    let long = "a".repeat(65);
    for id in
        ["", " ", "a.b", "a b", " a", "a\n", "a\0", "a/b", "a:b", "a+b", "a=", "é", "ａ", "../../etc/passwd", &long]
    {
        let list = format!("v1,{}", signature(id, TIME, BODY));
        let result = verify(&verifier(Scheme::Standard), signed(id, TIME, &list));
        assert_eq!(code(result), Some(Code::MalformedHeader), "{id:?}");
        let signer = Signer::new(Secret::generate(SECRET)).unwrap();
        let refused = signer.sign(id, BODY.as_bytes(), at(SECONDS)).map_err(|error| error.code());
        assert_eq!(refused, Err(Code::InvalidArgument), "{id:?}");
    }
}

#[test]
fn clocks_apart() {
    let old = Some(Code::TimestampTooOld);
    let new = Some(Code::TimestampTooNew);
    let (min, max) = (i64::MIN, i64::MAX);
    for (tolerance, now_ms, wanted) in [
        (300, 1_780_000_000_000, None),
        (300, 1_780_000_300_000, None),
        (300, 1_780_000_300_999, None),
        (300, 1_780_000_301_000, old),
        (300, 1_779_999_700_000, None),
        (300, 1_779_999_699_999, new),
        (0, 1_780_000_000_000, None),
        (0, 1_780_000_000_999, None),
        (0, 1_780_000_001_000, old),
        (0, 1_779_999_999_999, new),
        (min, 1_780_000_000_000, None),
        (min, 1_780_000_001_000, old),
        (max, 0, None),
        (max, min, None),
        (max, max, None),
        (300, min, new),
        (300, max, old),
        (300, 0, new),
    ] {
        for scheme in [Scheme::Standard, Scheme::LegacyBodyTimestamp] {
            let verifier = verifier(scheme).tolerance_seconds(tolerance);
            let message = right(scheme);
            let headers = Headers::from_pairs(message.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            let result = verifier.verify(&headers, BODY.as_bytes(), Timestamp::from_unix_millis(now_ms));
            assert_eq!(code(result), wanted, "{scheme:?}, tolerance {tolerance} s, at {now_ms} ms");
        }
    }
}

#[test]
fn secrets_that_are_none() {
    let of = |len: usize| format!("whsec_{}", STANDARD.encode(vec![7; len]));
    let good = of(32);
    for (case, text) in [
        ("nothing", String::new()),
        ("a prefix alone", "whsec_".into()),
        ("a space", " ".into()),
        ("one byte", of(1)),
        ("23 bytes", of(23)),
        ("65 bytes", of(65)),
        ("a megabyte", of(HUGE)),
        ("no prefix", good.replace("whsec_", "")),
        ("the prefix twice", good.replace("whsec_", "whsec_whsec_")),
        ("another prefix", good.replace("whsec_", "whpk_")),
        ("capitals", good.replace("whsec_", "WHSEC_")),
        ("no padding", good.replace('=', "")),
        ("too much padding", format!("{good}=")),
        ("a bit behind the last byte", good.replace("c=", "d=")),
        ("the alphabet of URLs", format!("whsec_{}", STANDARD.encode([0xfb; 24]).replace('+', "-"))),
        ("a space before", format!(" {good}")),
        ("a line break behind", format!("{good}\n")),
        ("a space between", good.replacen("Bw", "Bw ", 1)),
        ("a zero byte", good.replacen("Bw", "B\0", 1)),
        ("hex", format!("whsec_{}", "07".repeat(32) + "!")),
        ("not ASCII", "whsec_ééééééééééééééééééé".into()),
    ] {
        assert_ne!(text, good, "{case}");
        let refused = [
            Secret::parse(&text).map(drop),
            Verifier::new(text.as_str()).map(drop),
            Signer::new(text.as_str()).map(drop),
        ];
        for result in refused {
            assert_eq!(result.map_err(|error| error.code()), Err(Code::SecretInvalid), "{case}");
        }
    }
    assert!(Secret::parse(&of(24)).is_ok() && Secret::parse(&of(64)).is_ok());
    for bytes in [&[][..], &[7; 23], &[7; 65]] {
        assert_eq!(Secret::from_bytes(bytes).map(drop).map_err(|e| e.code()), Err(Code::SecretInvalid));
    }
    for bytes in [&[][..], &[7; 4097]] {
        assert_eq!(Secret::short(bytes).map(drop).map_err(|e| e.code()), Err(Code::SecretInvalid));
    }
}

/// However many keys there are, a stranger's message costs 16 MACs and no more: a key behind those is not tried unless
/// the message names it.
#[test]
fn a_ring_of_ten_thousand_keys() {
    let secret = |n: u32| {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        Secret::generate(bytes)
    };
    let key = |n: u32| Key::new(Id::new(&n.to_string()).unwrap(), &secret(n)).not_before(at(n.into()));
    let verifier = Verifier::with_ring(KeyRing::new((0..10_000).map(key)).unwrap());
    for (n, is_tried) in [(9_999, true), (9_984, true), (9_983, false), (5_000, false), (0, false)] {
        let message = Signer::new(secret(n)).unwrap().sign(ID, BODY.as_bytes(), at(SECONDS)).unwrap();
        let wanted = (!is_tried).then_some(Code::SignatureMismatch);
        assert_eq!(code(verify(&verifier, message.pairs())), wanted, "key {n}");
        let name = n.to_string();
        let named = verify(&verifier, message.pairs().chain([("webhook-key-id", &*name)]));
        assert_eq!(named.unwrap().key_id().map(Id::as_str), Some(&*name));
        let misnamed = verify(&verifier, message.pairs().chain([("webhook-key-id", "1")]));
        assert_eq!(code(misnamed), Some(Code::SignatureMismatch), "key {n}");
        let unknown = verify(&verifier, message.pairs().chain([("webhook-key-id", "10000")]));
        assert_eq!(code(unknown), Some(Code::UnknownKey), "key {n}");
    }
}
