//! Signed messages, held against a plain reading of the three schemes: exactly what has the right form, time and
//! signature is believed, and not with another byte in it.
//!
//! The input is a message as on a wire: lines `name: value`, an empty line, the body. Nobody guesses a MAC, so `{v1 a}`
//! in a value stands for the right Standard signature under the key `a`, `{body a}` and `{dated a}` for the legacy ones.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liveops_core::hash::unhex;
use liveops_core::intake::Intake;
use liveops_core::limits::BODY_BYTES_MAX;
use liveops_core::signing::{
    Headers, Key, KeyRing, Scheme, Secret, SignatureError, Verified, Verifier, hmac_sha256_hex,
};
use liveops_core::{Code, EventId, Id, PlayerId, Rules, Timestamp};

const NOW: i64 = 1_794_052_800;
const TOLERANCE: i64 = 300;

/// Name, bytes, and whether it is valid now. The first is also used alone, without a name.
const KEYS: [(&str, [u8; 32], bool); 3] = [("a", [1; 32], true), ("old", [2; 32], false), ("ana", [3; 32], true)];

struct Reader {
    scheme: Scheme,
    has_ring: bool,
    verifier: Verifier,
}

static READERS: LazyLock<Vec<Reader>> = LazyLock::new(|| {
    let ring = KEYS.map(|(id, secret, is_valid)| {
        let key = Key::new(Id::new(id).unwrap(), &Secret::generate(secret));
        let key = if is_valid { key } else { key.not_after(Timestamp::from_unix_seconds(NOW - 1)) };
        if id == "ana" { key.for_player(PlayerId::new(id).unwrap()) } else { key }
    });
    let ring = KeyRing::new(ring).unwrap();
    let alone = KeyRing::from(&Secret::generate(KEYS[0].1));
    [Scheme::Standard, Scheme::LegacyBody, Scheme::LegacyBodyTimestamp]
        .into_iter()
        .flat_map(|scheme| [(scheme, false), (scheme, true)])
        .map(|(scheme, has_ring)| {
            let keys = if has_ring { ring.clone() } else { alone.clone() };
            Reader { scheme, has_ring, verifier: Verifier::with_ring(keys).scheme(scheme) }
        })
        .collect()
});

pub fn check(bytes: &[u8]) {
    let Some(message) = Message::read(bytes) else { return };
    for reader in &*READERS {
        let verify = |message: &Message| message.verify(&reader.verifier, NOW);
        let wanted = message.right_key(reader);
        match verify(&message) {
            Ok(verified) => {
                assert!(wanted.is_some(), "believed: {verified:?}");
                let by = verified.key_id().map(Id::as_str);
                assert_eq!(by, wanted.filter(|_| reader.has_ring));
                assert_eq!(verified.player().map(PlayerId::as_str), by.filter(|by| *by == "ana"));
                let named = (reader.scheme == Scheme::Standard).then(|| message.values("webhook-id")[0]);
                assert_eq!(verified.message_id().map(EventId::as_str), named);
                assert_eq!(verify(&message), Ok(verified.clone()));
                assert_eq!(
                    message.verify_twice_at_once(&reader.verifier),
                    [Ok(verified.clone()), Ok(verified.clone())]
                );
                assert_eq!(verify(&message.in_another_order()), Ok(verified));
                assert_eq!(code(verify(&message.with_another_body())), Code::SignatureMismatch);
                assert_eq!(code(verify(&message.with_a_header_twice(reader.scheme))), Code::MalformedHeader);
                message.is_dated(reader);
            }
            Err(error) => {
                assert_eq!(wanted, None, "not believed: {error}");
                let is_too_large = message.body.len() > BODY_BYTES_MAX;
                assert_eq!(error.code().http_status(), if is_too_large { 413 } else { 401 }, "{error}");
            }
        }
    }
    message.names_an_event();
}

fn code(result: Result<Verified, SignatureError>) -> Code {
    result.map_or_else(|error| error.code(), |verified| panic!("believed: {verified:?}"))
}

#[derive(Clone)]
struct Message {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Message {
    /// `None` for names and values that are no UTF-8: such cannot be headers here.
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(2).position(|pair| pair == b"\n\n");
        let (head, body) = end.map_or((bytes, &[][..]), |end| (&bytes[..end], &bytes[end + 2..]));
        let lines = std::str::from_utf8(head).ok()?.split('\n');
        let pairs = lines.filter_map(|line| line.split_once(':'));
        let headers = pairs.map(|(name, value)| (name.to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned()));
        let mut message = Self { headers: headers.collect(), body: body.to_owned() };
        let filled: Vec<_> = message.headers.iter().map(|(_, value)| message.filled(value)).collect();
        message.headers.iter_mut().zip(filled).for_each(|(header, value)| header.1 = value);
        Some(message)
    }

    /// The value with signatures where it asks for them.
    fn filled(&self, value: &str) -> String {
        KEYS.iter().fold(value.to_owned(), |value, (name, key, _)| {
            [("v1", Scheme::Standard), ("body", Scheme::LegacyBody), ("dated", Scheme::LegacyBodyTimestamp)]
                .into_iter()
                .fold(value, |value, (sort, scheme)| {
                    let mark = format!("{{{sort} {name}}}");
                    if value.contains(&mark) { value.replace(&mark, &self.mac(scheme, key)) } else { value }
                })
        })
    }

    /// The right signature, in base64 or hex.
    fn mac(&self, scheme: Scheme, key: &[u8]) -> String {
        let first = |name| self.values(name).first().copied().unwrap_or_default().as_bytes();
        match scheme {
            Scheme::LegacyBody => hmac_sha256_hex(key, &self.body),
            Scheme::LegacyBodyTimestamp => {
                hmac_sha256_hex(key, &[&self.body, &b"."[..], first("x-timestamp")].concat())
            }
            _ => {
                let signed = [first("webhook-id"), b".", first("webhook-timestamp"), b".", &self.body].concat();
                STANDARD.encode(unhex(&hmac_sha256_hex(key, &signed)).unwrap())
            }
        }
    }

    fn values(&self, name: &str) -> Vec<&str> {
        let same = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.headers.iter().filter(same).map(|(_, value)| value.as_str()).collect()
    }

    fn verify(&self, verifier: &Verifier, now: i64) -> Result<Verified, SignatureError> {
        let pairs = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        verifier.verify(&Headers::from_pairs(pairs), &self.body, Timestamp::from_unix_seconds(now))
    }

    fn verify_twice_at_once(&self, verifier: &Verifier) -> Vec<Result<Verified, SignatureError>> {
        let pairs = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers = Headers::from_pairs(pairs);
        verifier.verify_batch([(&headers, &self.body[..]); 2], Timestamp::from_unix_seconds(NOW))
    }

    /// The key that signed it, if all is well.
    fn right_key(&self, reader: &Reader) -> Option<&'static str> {
        if self.body.len() > BODY_BYTES_MAX {
            return None;
        }
        let key_id = match self.values("webhook-key-id")[..] {
            [] => None,
            [id] if is_id(id) => Some(id),
            _ => return None,
        };
        let tags = match reader.scheme {
            Scheme::Standard => self.standard_tags()?,
            Scheme::LegacyBody => self.legacy_tags()?,
            _ => {
                is_current(&self.values("x-timestamp")).then_some(())?;
                self.legacy_tags()?
            }
        };
        let is_tried = |name: &str, is_valid: bool| match key_id {
            _ if !reader.has_ring => name == KEYS[0].0,
            Some(id) => is_valid && name == id,
            None => is_valid,
        };
        let keys = KEYS.iter().filter(|(name, _, is_valid)| is_tried(name, *is_valid));
        let mut right = keys.filter(|(_, key, _)| tags.contains(&self.mac(reader.scheme, key)));
        right.next().map(|(name, ..)| *name)
    }

    fn standard_tags(&self) -> Option<Vec<String>> {
        let [id] = self.values("webhook-id")[..] else { return None };
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        ((1..=64).contains(&id.len()) && id.bytes().all(is_word)).then_some(())?;
        is_current(&self.values("webhook-timestamp")).then_some(())?;
        let [list] = self.values("webhook-signature")[..] else { return None };
        let parts: Vec<_> = list.split(' ').collect();
        (list.len() <= 4096 && parts.len() <= 16).then_some(())?;
        let mut tags = Vec::new();
        for part in parts {
            let (version, tag) = part.split_once(',')?;
            let is_version = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_alphanumeric());
            (is_version && !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_graphic())).then_some(())?;
            if version == "v1" {
                let bytes = STANDARD.decode(tag).ok().filter(|bytes| bytes.len() == 32)?;
                assert_eq!(STANDARD.encode(bytes), tag);
                tags.push(tag.to_owned());
            }
        }
        Some(tags)
    }

    fn legacy_tags(&self) -> Option<Vec<String>> {
        let [tag] = self.values("x-signature")[..] else { return None };
        let is_hex = tag.len() == 64 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| vec![tag.to_ascii_lowercase()])
    }

    fn in_another_order(&self) -> Self {
        let headers = self.headers.iter().rev().map(|(name, value)| (name.to_ascii_uppercase(), value.clone()));
        Self { headers: headers.collect(), ..self.clone() }
    }

    fn with_another_body(&self) -> Self {
        Self { body: [&self.body[..], &[0]].concat(), ..self.clone() }
    }

    fn with_a_header_twice(&self, scheme: Scheme) -> Self {
        let name = if scheme == Scheme::Standard { "webhook-signature" } else { "x-signature" };
        let again = (name.to_owned(), self.values(name)[0].to_owned());
        Self { headers: [&self.headers[..], &[again]].concat(), ..self.clone() }
    }

    /// What was believed now is not believed at all times, where the scheme has a time.
    fn is_dated(&self, reader: &Reader) {
        let beyond = TOLERANCE * 2 + 1;
        let wanted = |too| if reader.scheme == Scheme::LegacyBody { None } else { Some(too) };
        for (now, too) in [(NOW + beyond, Code::TimestampTooOld), (NOW - beyond, Code::TimestampTooNew)] {
            let code = self.verify(&reader.verifier, now).err().map(|error| error.code());
            assert_eq!(code, wanted(too), "at {now}");
        }
    }

    /// The headers that name an event, where the caller vouches for them: they must agree.
    fn names_an_event(&self) {
        static INTAKE: LazyLock<Intake> = LazyLock::new(|| {
            let rules = Rules::from_json(r#"{ "version": 1, "game": "fuzz" }"#).unwrap();
            Intake::builder(rules.door()).trusted().no_quotas().build().unwrap()
        });
        let body = format!(r#"{{"type":"progression","playerId":"ana","ts":{NOW},"payload":{{"deltaXp":1}}}}"#);
        let named = ["webhook-id", "idempotency-key"].map(|name| self.values(name)).concat();
        let wanted = match named[..] {
            [a] if is_id(a) => Some(a),
            [a, b] if is_id(a) && (b == a || b == quoted(a)) && self.values("webhook-id").len() == 1 => Some(a),
            _ => None,
        };
        let pairs = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let admitted = INTAKE.admit(&Headers::from_pairs(pairs), body.as_bytes(), Timestamp::from_unix_seconds(NOW));
        assert_eq!(admitted.as_ref().ok().map(|event| event.id.id.as_str()), wanted, "{admitted:?}");
    }
}

/// As the IETF's draft of `Idempotency-Key` writes it.
fn quoted(id: &str) -> String {
    format!("\"{}\"", id.replace('\\', r"\\").replace('"', "\\\""))
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// One time, in the one way to write it, and not far from now.
fn is_current(times: &[&str]) -> bool {
    let &[text] = times else { return false };
    let seconds = text.parse::<i64>().ok().filter(|seconds| seconds.to_string() == text);
    seconds.is_some_and(|seconds| {
        (1..=999_999_999_999).contains(&seconds) && (NOW - TOLERANCE..=NOW + TOLERANCE).contains(&seconds)
    })
}
