use super::super::{SignedHeaders, Signer, hmac_sha256_hex};
use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const SECONDS: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const OTHER: &str = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn standard<'a>(id: &'a str, timestamp: &'a str, signature: &'a str) -> Headers<'a> {
    Headers::from_pairs([("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", signature)])
}

fn code(result: Result<Verified, SignatureError>) -> Code {
    result.unwrap_err().code()
}

fn key(id: &str, seed: u8) -> Key {
    Key::new(Id::new(id).unwrap(), &Secret::generate([seed; 32]))
}

#[test]
fn the_published_example() {
    let verifier = Verifier::new(SECRET).unwrap();
    let proof = verifier.verify(&standard(ID, "1614265330", SIGNATURE), BODY, at(SECONDS)).unwrap();
    assert_eq!(proof.message_id().unwrap().as_str(), ID);
    assert_eq!((proof.key_id(), proof.player()), (None, None));

    let signed =
        Signer::new(SECRET).unwrap().sign(ID, BODY, Timestamp::from_unix_millis(SECONDS * 1000 + 999)).unwrap();
    let pairs: Vec<_> = signed.pairs().collect();
    let wanted = [("webhook-id", ID), ("webhook-timestamp", "1614265330"), ("webhook-signature", SIGNATURE)];
    assert_eq!(pairs, wanted);
}

#[test]
fn every_flipped_bit_is_refused() {
    let verifier = Verifier::new(SECRET).unwrap().tolerance_seconds(i64::MAX);
    let now = at(SECONDS);
    let flip = |bytes: &[u8], bit: usize| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    };
    for bit in 0..BODY.len() * 8 {
        let result = verifier.verify(&standard(ID, "1614265330", SIGNATURE), &flip(BODY, bit), now);
        assert_eq!(code(result), Code::SignatureMismatch, "bit {bit}");
    }
    let mut checked = 0;
    for (text, part) in [(ID, 0), ("1614265330", 1), (SIGNATURE, 2)] {
        for bit in 0..text.len() * 8 {
            // Bits that make the bytes no text cannot come in as a header.
            let Ok(flipped) = String::from_utf8(flip(text.as_bytes(), bit)) else { continue };
            let mut parts = [ID, "1614265330", SIGNATURE];
            parts[part] = &flipped;
            let code = code(verifier.verify(&standard(parts[0], parts[1], parts[2]), BODY, now));
            assert!(matches!(code, Code::SignatureMismatch | Code::MalformedHeader), "part {part}, bit {bit}: {code}");
            checked += 1;
        }
    }
    assert_eq!(checked, (ID.len() + 10 + SIGNATURE.len()) * 7);
    for cut in [&BODY[..BODY.len() - 1], &[], &[BODY, b"\n"].concat()] {
        assert_eq!(code(verifier.verify(&standard(ID, "1614265330", SIGNATURE), cut, now)), Code::SignatureMismatch);
    }
}

#[test]
fn malformed_headers() {
    fn verify(id: &str, timestamp: &str, signature: &str) -> Result<Verified, SignatureError> {
        Verifier::new(SECRET).unwrap().verify(&standard(id, timestamp, signature), BODY, at(SECONDS))
    }
    let long = "a".repeat(65);
    for id in ["", "a.b", "a b", "ä", "a\0", " a", "msg:1", &long] {
        assert_eq!(code(verify(id, "1614265330", SIGNATURE)), Code::MalformedHeader, "id {id:?}");
    }
    let digits = "1234567890123";
    for time in ["", "0", "01614265330", "+1614265330", "-1", " 1614265330", "1614265330.0", "1e9", "١", digits] {
        assert_eq!(code(verify(ID, time, SIGNATURE)), Code::MalformedHeader, "timestamp {time:?}");
    }
    let mac = &SIGNATURE[3..];
    let seventeen = [OTHER; 17].join(" ");
    let oversized = format!("{SIGNATURE} v2,{}", "a".repeat(4096 - SIGNATURE.len() - 3));
    let bad = [
        "",
        " ",
        mac,
        "v1",
        "v1,",
        ",",
        &format!(",{mac}"),
        &format!("v1;{mac}"),
        &format!("v1 ,{mac}"),
        &format!("V1,{mac}"),
        &format!("v1a,{mac}"),                             // only other versions
        &format!("{SIGNATURE} "),                          // an empty signature at the end
        &format!(" {SIGNATURE}"),                          // and at the start
        &format!("{OTHER}  {SIGNATURE}"),                  // and in between
        &format!("{OTHER},{SIGNATURE}"),                   // a comma where a space should stand
        &format!("{OTHER}\t{SIGNATURE}"),                  // a tab
        &SIGNATURE.replace("OE=", "OF="),                  // a bit behind the last byte
        &SIGNATURE.replace('=', ""),                       // no padding
        &format!("{SIGNATURE}="),                          // too much of it
        &SIGNATURE.replace('+', "-"),                      // the URL alphabet
        "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", // 31 bytes
        "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", // 33 bytes
        &format!("{SIGNATURE} v1,AAAA"),                   // one good, one bad
        &seventeen,
        &oversized,
    ];
    for header in bad {
        assert_eq!(code(verify(ID, "1614265330", header)), Code::MalformedHeader, "{header:?}");
    }
    let sixteen = format!("{} {SIGNATURE}", [OTHER; 15].join(" "));
    let longest = oversized.replacen('a', "", 1);
    assert_eq!(longest.len(), 4096);
    for header in [&sixteen, &longest, &format!("v1a,zzz v2,! {SIGNATURE}"), &format!("{SIGNATURE} {OTHER}")] {
        verify(ID, "1614265330", header).unwrap();
    }
    assert_eq!(code(verify(ID, "1614265330", OTHER)), Code::SignatureMismatch);
}

#[test]
fn missing_and_repeated_headers() {
    let verifier = Verifier::new(SECRET).unwrap();
    let all = [("webhook-id", ID), ("webhook-timestamp", "1614265330"), ("webhook-signature", SIGNATURE)];
    assert_eq!(code(verifier.verify(&Headers::default(), BODY, at(SECONDS))), Code::MissingHeader);
    for (name, value) in all {
        let without = Headers::from_pairs(all.into_iter().filter(|pair| pair.0 != name));
        let error = verifier.verify(&without, BODY, at(SECONDS)).unwrap_err();
        assert_eq!((error.code(), error.message()), (Code::MissingHeader, &*format!("{name} is missing")));
        let twice = Headers::from_pairs(all.into_iter().chain([(name, value)]));
        assert_eq!(code(verifier.verify(&twice, BODY, at(SECONDS))), Code::MalformedHeader);
    }
    for key_id in ["", "a b", &"a".repeat(65)] {
        let headers = Headers::from_pairs(all.into_iter().chain([("webhook-key-id", key_id)]));
        assert_eq!(code(verifier.verify(&headers, BODY, at(SECONDS))), Code::MalformedHeader);
    }
    // A form that is wrong is said before a time that is wrong, and that before a signature that is.
    assert_eq!(code(verifier.verify(&standard(ID, "1", "v1"), BODY, at(SECONDS))), Code::MalformedHeader);
    assert_eq!(code(verifier.verify(&standard(ID, "1", OTHER), BODY, at(SECONDS))), Code::TimestampTooOld);
}

#[test]
fn skew_up_to_the_tolerance() {
    let verifier = Verifier::new(SECRET).unwrap();
    let verify = |verifier: &Verifier, now| verifier.verify(&standard(ID, "1614265330", SIGNATURE), BODY, now);
    for skew in [-300, -1, 0, 1, 300] {
        verify(&verifier, at(SECONDS + skew)).unwrap();
    }
    let old = verify(&verifier, at(SECONDS + 301)).unwrap_err();
    assert_eq!(old.to_string(), "timestamp_too_old: signed 301 s ago, tolerance 300 s");
    let new = verify(&verifier, at(SECONDS - 301)).unwrap_err();
    assert_eq!(new.to_string(), "timestamp_too_new: signed 301 s in the future, tolerance 300 s");

    assert_eq!(code(verify(&verifier, Timestamp::MIN)), Code::TimestampTooNew);
    assert_eq!(code(verify(&verifier, Timestamp::MAX)), Code::TimestampTooOld);
    let strict = verifier.tolerance_seconds(i64::MIN);
    verify(&strict, at(SECONDS)).unwrap();
    assert_eq!(code(verify(&strict, at(SECONDS + 1))), Code::TimestampTooOld);
    let lenient = strict.tolerance_seconds(i64::MAX);
    verify(&lenient, Timestamp::MIN).unwrap();
    verify(&lenient, Timestamp::MAX).unwrap();
}

#[test]
fn keys_come_and_go() {
    let ring = || KeyRing::new([key("new", 2).not_before(at(2000)), key("old", 1).not_after(at(3000))]).unwrap();
    let (signer, verifier) = (Signer::with_ring(ring()), Verifier::with_ring(ring()).tolerance_seconds(i64::MAX));
    let sign = |now| signer.sign("m", BODY, at(now)).unwrap();
    let key_of = |signed: &SignedHeaders| signed.key_id.clone().unwrap().to_string();
    let (old, new) = (sign(1999), sign(2000));
    assert_eq!((key_of(&old), key_of(&new), key_of(&sign(9999))), ("old".into(), "new".into(), "new".into()));

    for named in [true, false] {
        let verify = |signed: &SignedHeaders, now| {
            let pairs = signed.pairs().filter(|(name, _)| named || *name != "webhook-key-id");
            verifier.verify(&Headers::from_pairs(pairs), BODY, at(now)).map(|v| v.key_id().unwrap().to_string())
        };
        assert_eq!(verify(&old, 3000).unwrap(), "old");
        assert_eq!(verify(&new, 2000).unwrap(), "new");
        let refused = if named { Code::UnknownKey } else { Code::SignatureMismatch };
        assert_eq!(verify(&old, 3001).unwrap_err().code(), refused);
        assert_eq!(verify(&new, 1999).unwrap_err().code(), refused);
    }
    let pairs: Vec<_> = new.pairs().filter(|(name, _)| *name != "webhook-key-id").collect();
    let named = |id| Headers::from_pairs(pairs.iter().copied().chain([("webhook-key-id", id)]));
    assert_eq!(code(verifier.verify(&named("old"), BODY, at(2500))), Code::SignatureMismatch);
    assert_eq!(code(verifier.verify(&named("none"), BODY, at(2500))), Code::UnknownKey);
    // A secret without a name does not care what the sender calls it.
    let single = Verifier::new(Secret::generate([2; 32])).unwrap();
    single.verify(&named("any"), BODY, at(2000)).unwrap();

    let expired = KeyRing::new([key("k", 1).not_after(at(10))]).unwrap();
    assert_eq!(Signer::with_ring(expired.clone()).sign("m", BODY, at(11)).unwrap_err().code(), Code::UnknownKey);
    let headers = standard("m", "11", OTHER);
    assert_eq!(code(Verifier::with_ring(expired).verify(&headers, BODY, at(11))), Code::UnknownKey);
}

#[test]
fn rings_that_cannot_be() {
    assert_eq!(KeyRing::new([]).unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(KeyRing::new([key("a", 1), key("a", 2)]).unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(KeyRing::new([key("a", 1), key("b", 1)]).unwrap().len(), 2);
    let printed = format!("{:?}", KeyRing::new([key("a", 1)]).unwrap());
    assert!(printed.contains("Keyed(..)") && !printed.contains("[1"), "{printed}");
}

#[test]
fn a_message_without_key_id_is_tried_with_sixteen_keys() {
    let keys = (0..17_u8).map(|n| key(&n.to_string(), n).not_before(at(i64::from(n))));
    let verifier = Verifier::with_ring(KeyRing::new(keys).unwrap());
    for n in 0..17_u8 {
        let signed = Signer::new(Secret::generate([n; 32])).unwrap().sign("m", BODY, at(100)).unwrap();
        let result = verifier.verify(&Headers::from_pairs(signed.pairs()), BODY, at(100));
        assert_eq!(result.is_ok(), n > 0, "the oldest of 17 is not tried");
        let name = n.to_string();
        let named = signed.pairs().chain([("webhook-key-id", &*name)]);
        verifier.verify(&Headers::from_pairs(named), BODY, at(100)).unwrap();
    }
}

#[test]
fn a_key_of_one_player() {
    let (ana, bo) = (PlayerId::new("ana").unwrap(), PlayerId::new("bo").unwrap());
    let ring = KeyRing::new([key("k", 1).for_player(ana.clone())]).unwrap();
    let signed = Signer::with_ring(ring.clone()).sign("m", BODY, at(100)).unwrap();
    let verified = Verifier::with_ring(ring).verify(&Headers::from_pairs(signed.pairs()), BODY, at(100)).unwrap();
    assert_eq!(verified.check_player(&ana), Ok(()));
    assert_eq!(verified.check_player(&bo).unwrap_err().code(), Code::KeyPlayerMismatch);
    assert_eq!(Verified::from(Trusted::for_all()).check_player(&bo), Ok(()));
}

#[test]
fn legacy_schemes() {
    let secret = Secret::short(b"secret123").unwrap();
    let now = at(SECONDS);
    for scheme in [Scheme::LegacyBody, Scheme::LegacyBodyTimestamp] {
        let verifier = Verifier::new(&secret).unwrap().scheme(scheme);
        let signed = Signer::new(&secret).unwrap().scheme(scheme).sign("m", b"hello world", now).unwrap();
        let proof = verifier.verify(&Headers::from_pairs(signed.pairs()), b"hello world", now).unwrap();
        assert_eq!(proof.message_id(), None, "headers are not signed");
        assert_eq!(code(verifier.verify(&Headers::from_pairs(signed.pairs()), b"hello", now)), Code::SignatureMismatch);
        assert_eq!(code(verifier.verify(&Headers::default(), b"", now)), Code::MissingHeader);
        let short = [("x-signature", "57938295"), ("x-timestamp", "1614265330")];
        assert_eq!(code(verifier.verify(&Headers::from_pairs(short), b"", now)), Code::MalformedHeader);
    }
    let body = hmac_sha256_hex(b"secret123", b"hello world");
    let dated = hmac_sha256_hex(b"secret123", b"hello world.1614265330");
    let verifier = Verifier::new(&secret).unwrap();
    let plain = verifier.clone().scheme(Scheme::LegacyBody);
    plain.verify(&Headers::from_pairs([("X-Signature", &*body)]), b"hello world", Timestamp::MIN).unwrap();
    let verifier = verifier.scheme(Scheme::LegacyBodyTimestamp);
    let headers = Headers::from_pairs([("X-Signature", &*dated), ("X-Timestamp", "1614265330")]);
    verifier.verify(&headers, b"hello world", at(SECONDS + 300)).unwrap();
    assert_eq!(code(verifier.verify(&headers, b"hello world", at(SECONDS + 301))), Code::TimestampTooOld);
    let undated = Headers::from_pairs([("X-Signature", &*dated)]);
    assert_eq!(code(verifier.verify(&undated, b"hello world", now)), Code::MissingHeader);
}

#[test]
fn what_cannot_be_signed() {
    let signer = Signer::new(SECRET).unwrap();
    for (id, now) in [("", 1), ("a.b", 1), ("a", 0), ("a", -1), ("a", 1_000_000_000_000), ("a", i64::MIN)] {
        assert_eq!(signer.sign(id, BODY, at(now)).unwrap_err().code(), Code::InvalidArgument, "{id} {now}");
    }
    signer.sign("a", BODY, at(999_999_999_999)).unwrap();
    assert_eq!(Signer::new("whsec_short").unwrap_err().code(), Code::SecretInvalid);
}

#[test]
fn size_comes_before_everything_else() {
    let secret = Secret::generate([1; 32]);
    let verifier = Verifier::new(&secret).unwrap().body_bytes_max(3);
    let none = Headers::default();
    assert_eq!(verifier.verify(&none, b"four", at(SECONDS)).unwrap_err().code(), Code::TooLarge);
    assert_eq!(verifier.verify(&none, b"two", at(SECONDS)).unwrap_err().code(), Code::MissingHeader);
    let verifier = Verifier::new(&secret).unwrap();
    assert_eq!(
        verifier.verify(&none, &vec![b'a'; BODY_BYTES_MAX], at(SECONDS)).unwrap_err().code(),
        Code::MissingHeader
    );
    assert_eq!(
        verifier.verify(&none, &vec![b'a'; BODY_BYTES_MAX + 1], at(SECONDS)).unwrap_err().code(),
        Code::TooLarge
    );
}

#[test]
fn messages_of_a_batch_stand_by_themselves() {
    let secret = Secret::generate([1; 32]);
    let signer = Signer::new(&secret).unwrap();
    let (one, two) = (signer.sign("m1", b"1", at(SECONDS)).unwrap(), signer.sign("m2", b"2", at(SECONDS)).unwrap());
    let (one, two) = (Headers::from_pairs(one.pairs()), Headers::from_pairs(two.pairs()));
    let verifier = Verifier::new(&secret).unwrap();
    let answers = verifier.verify_batch([(&one, &b"1"[..]), (&two, b"1"), (&two, b"2")], at(SECONDS));
    let ids: Vec<_> =
        answers.iter().map(|a| a.as_ref().ok().and_then(|v| v.message_id()).map(EventId::as_str)).collect();
    assert_eq!(ids, [Some("m1"), None, Some("m2")]);
    assert_eq!(answers[1].as_ref().unwrap_err().code(), Code::SignatureMismatch);
}
