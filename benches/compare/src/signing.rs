//! `signing.verify.*`: a message of 256 bytes, its headers picked out of a request, read and verified.

use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use liveops_compare::measure::{Row, by_turns};
use liveops_core::signing::{Headers, Key, KeyRing, Secret, Signer, Verifier};
use liveops_core::{Id, Timestamp};
use sha2::Sha256;

const SECRET: [u8; 32] = [7; 32];
const BODY_BYTES: usize = 256;
const MESSAGES: usize = 1_000;
const REPEATS: usize = 10;
const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// A request as a server has it: the headers that matter among others.
struct Message {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Message {
    fn headers(&self) -> Headers<'_> {
        Headers::from_pairs(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

fn messages(signer: &Signer) -> Result<Vec<Message>, String> {
    let message = |number: usize| {
        let body: Vec<u8> = (b' '..=b'~').cycle().skip(number).take(BODY_BYTES).collect();
        let headers = signer.sign(&format!("msg_{number:020}"), &body, NOW).map_err(|error| error.to_string())?;
        let around = [("host", "game.example"), ("content-type", "application/json"), ("content-length", "256")];
        let headers =
            around.into_iter().chain(headers.pairs()).map(|(name, value)| (name.into(), value.into())).collect();
        Ok(Message { headers, body })
    };
    (0..MESSAGES).map(message).collect()
}

/// What a careful program does that keys `hmac` for each message: the same headers, read as strictly, the same crates,
/// and the message's id to tell retries by.
fn verify_fresh(headers: &Headers<'_>, body: &[u8]) -> Option<String> {
    let id = headers.webhook_id().ok()??;
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=64).contains(&id.len()).then_some(())?;
    id.bytes().all(is_id).then_some(())?;
    let timestamp = headers.webhook_timestamp().ok()??;
    (timestamp.len() <= 12 && !timestamp.starts_with('0') && timestamp.bytes().all(|byte| byte.is_ascii_digit()))
        .then_some(())?;
    let seconds: i64 = timestamp.parse().ok()?;
    ((NOW.as_unix_seconds() - seconds).abs() <= 300).then_some(())?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&SECRET).ok()?;
    for piece in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(piece);
    }
    let mut signatures = headers.webhook_signature().ok()??.split(' ').filter_map(|part| part.strip_prefix("v1,"));
    signatures.find_map(|signature| {
        let mut tag = [0; 33];
        let len = STANDARD.decode_slice(signature, &mut tag).ok()?;
        let tag = tag.get(..len)?;
        // The crate compares in constant time.
        mac.clone().verify_slice(tag).ok().map(|()| id.to_owned())
    })
}

fn timed(messages: &[Message], verify: impl Fn(&Headers<'_>, &[u8]) -> bool) -> Result<(), String> {
    for _ in 0..REPEATS {
        for message in messages {
            if !verify(&message.headers(), &message.body) {
                return Err("a good message was refused".to_owned());
            }
        }
    }
    Ok(())
}

fn row(name: &'static str, signer: &Signer, verifier: &Verifier) -> Result<Row, String> {
    let messages = messages(signer)?;
    let each = |nanos: f64| nanos / (MESSAGES * REPEATS) as f64;
    let row = by_turns(
        |stopwatch| {
            let mut done = Ok(());
            let nanos = stopwatch.time(|| {
                done = timed(&messages, |headers, body| black_box(&verifier.verify(headers, body, NOW)).is_ok());
            });
            done.map(|()| each(nanos))
        },
        |stopwatch| {
            let mut done = Ok(());
            let nanos = stopwatch
                .time(|| done = timed(&messages, |headers, body| black_box(&verify_fresh(headers, body)).is_some()));
            done.map(|()| each(nanos))
        },
    )?;
    Ok(Row { name, ..row })
}

/// One secret, keyed once, against keying `hmac` for each message.
pub(crate) fn verify_fresh_row() -> Result<Row, String> {
    let secret = Secret::generate(SECRET);
    let (signer, verifier) = (Signer::new(&secret), Verifier::new(&secret));
    let told = |error: liveops_core::signing::SignatureError| error.to_string();
    row("signing.verify.fresh", &signer.map_err(told)?, &verifier.map_err(told)?)
}

/// The same with a ring of a hundred keys of which each message names the one that signed it.
pub(crate) fn verify_ring_row() -> Result<Row, String> {
    let key = |number: u8| {
        let secret = Secret::generate(if number == 99 { SECRET } else { [number; 32] });
        let id = Id::new(&format!("key-{number}")).map_err(|error| error.to_string())?;
        Ok(Key::new(id, &secret).not_before(Timestamp::from_unix_seconds(number.into())))
    };
    let keys: Vec<_> = (0..100).map(key).collect::<Result<_, String>>()?;
    let ring = KeyRing::new(keys).map_err(|error| error.to_string())?;
    let row = row("signing.verify.ring", &Signer::with_ring(ring.clone()), &Verifier::with_ring(ring))?;
    Ok(Row { for_the_record: true, ..row })
}
