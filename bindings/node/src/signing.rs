//! Secrets, keys, signing and verifying.

use liveops_core::signing::{Headers, Key, Scheme, Verified};
use liveops_core::{Code, Id, PlayerId, Timestamp};
use napi::bindgen_prelude::Uint8ArraySlice;
use napi_derive::napi;
use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::{Failure as _, OrThrow as _, Result, text};

/// A shared secret.
#[napi]
#[derive(Debug)]
pub struct Secret(liveops_core::signing::Secret);

#[napi]
impl Secret {
    /// From `whsec_<base64>`.
    #[napi(factory)]
    pub fn parse(text: String) -> Result<Self> {
        liveops_core::signing::Secret::parse(&text).map(Self).or_throw()
    }

    /// From 24 to 64 bytes.
    #[napi(factory)]
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        liveops_core::signing::Secret::from_bytes(bytes).map(Self).or_throw()
    }

    /// From 1 to 4096 bytes that are already in use.
    #[napi(factory)]
    pub fn short(bytes: &[u8]) -> Result<Self> {
        liveops_core::signing::Secret::short(bytes).map(Self).or_throw()
    }

    /// `whsec_<base64>`.
    #[napi]
    pub fn to_whsec(&self) -> String {
        self.0.to_whsec()
    }
}

/// Keys in use, or one secret without a name.
#[napi]
#[derive(Debug)]
pub struct KeyRing(Keys);

#[derive(Debug)]
enum Keys {
    Single(liveops_core::signing::Secret),
    Named(Vec<Key>),
}

#[napi]
impl KeyRing {
    /// Of one secret.
    #[napi(factory)]
    pub fn single(secret: &Secret) -> Self {
        Self(Keys::Single(secret.0.clone()))
    }

    /// Of keys that are still to be added.
    #[napi(factory)]
    pub fn named() -> Self {
        Self(Keys::Named(Vec::new()))
    }

    /// Adds a key.
    #[napi]
    pub fn add(
        &mut self,
        id: String,
        secret: &Secret,
        not_before: Option<i64>,
        not_after: Option<i64>,
        player: Option<String>,
    ) -> Result<()> {
        let mut key = Key::new(Id::new(&id).or_throw()?, &secret.0);
        if let Some(time) = not_before {
            key = key.not_before(Timestamp::from_unix_millis(time));
        }
        if let Some(time) = not_after {
            key = key.not_after(Timestamp::from_unix_millis(time));
        }
        if let Some(player) = player {
            key = key.for_player(PlayerId::new(&player).or_throw()?);
        }
        match &mut self.0 {
            Keys::Named(keys) => keys.push(key),
            Keys::Single(_) => return Err(Code::InvalidArgument).or_throw(),
        }
        Ok(())
    }

    pub(crate) fn ring(&self) -> Result<liveops_core::signing::KeyRing> {
        match &self.0 {
            Keys::Single(secret) => Ok(secret.into()),
            Keys::Named(keys) => liveops_core::signing::KeyRing::new(keys.iter().cloned()).or_throw(),
        }
    }
}

/// A scheme by its name.
pub(crate) fn scheme_of(name: &str) -> Result<Scheme> {
    Ok(match name {
        "standard" => Scheme::Standard,
        "legacyBody" => Scheme::LegacyBody,
        "legacyBodyTimestamp" => Scheme::LegacyBodyTimestamp,
        _ => return Err(Code::InvalidArgument).or_throw(),
    })
}

/// The known headers out of names and values in turn.
pub(crate) fn headers_of(flat: &[String]) -> Headers<'_> {
    let (pairs, _) = flat.as_chunks::<2>();
    Headers::from_pairs(pairs.iter().map(|[name, value]| (name.as_str(), value.as_str())))
}

/// Tells whether messages come from someone who has a secret.
#[napi]
#[derive(Debug)]
pub struct Verifier(liveops_core::signing::Verifier);

#[napi]
impl Verifier {
    /// With a ring; a tolerance in seconds, and the longest body in bytes.
    #[napi(constructor)]
    pub fn new(ring: &KeyRing, scheme: String, tolerance: Option<i64>, body_bytes_max: Option<i64>) -> Result<Self> {
        let mut verifier = liveops_core::signing::Verifier::with_ring(ring.ring()?).scheme(scheme_of(&scheme)?);
        if let Some(seconds) = tolerance {
            verifier = verifier.tolerance_seconds(seconds);
        }
        if let Some(bytes) = body_bytes_max {
            verifier = verifier.body_bytes_max(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        Ok(Self(verifier))
    }

    /// What was verified, as JSON.
    #[napi]
    pub fn verify(&self, headers: Vec<String>, body: &[u8], now: i64) -> Result<String> {
        text(&self.0.verify(&headers_of(&headers), body, Timestamp::from_unix_millis(now)).or_throw()?)
    }

    /// Many messages: of each what was verified or what is wrong, as a JSON array of `{ verified }` and `{ refused }`.
    #[napi]
    pub fn verify_batch(
        &self,
        headers: Vec<Vec<String>>,
        bodies: Vec<Uint8ArraySlice<'_>>,
        now: i64,
    ) -> Result<String> {
        let headers: Vec<_> = headers.iter().map(|flat| headers_of(flat)).collect();
        let messages = headers.iter().zip(bodies.iter().map(AsRef::as_ref));
        let answers = self.0.verify_batch(messages, Timestamp::from_unix_millis(now)).into_iter();
        let told = answers.map(|answer| match answer {
            Ok(verified) => Answer::Verified(verified),
            Err(error) => Answer::Refused(error.describe()),
        });
        text(&told.collect::<Vec<_>>())
    }
}

/// What became of one message of a batch.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Answer {
    Verified(Verified),
    Refused(Value),
}

/// Signs messages.
#[napi]
#[derive(Debug)]
pub struct Signer(liveops_core::signing::Signer);

#[napi]
impl Signer {
    /// With the newest valid key of a ring.
    #[napi(constructor)]
    pub fn new(ring: &KeyRing, scheme: String) -> Result<Self> {
        Ok(Self(liveops_core::signing::Signer::with_ring(ring.ring()?).scheme(scheme_of(&scheme)?)))
    }

    /// Names and values of the headers, as a JSON object.
    #[napi]
    pub fn sign(&self, id: String, body: &[u8], now: i64) -> Result<String> {
        let signed = self.0.sign(&id, body, Timestamp::from_unix_millis(now)).or_throw()?;
        let headers: serde_json::Map<_, _> =
            signed.pairs().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        text(&headers)
    }
}

/// HMAC-SHA256 in hex.
#[napi]
pub fn hmac_sha256_hex(secret: &[u8], data: &[u8]) -> String {
    liveops_core::signing::hmac_sha256_hex(secret, data)
}

/// Whether a MAC is right, compared in constant time.
#[napi]
pub fn verify_hmac_sha256_hex(secret: &[u8], data: &[u8], mac: String) -> bool {
    liveops_core::signing::verify_hmac_sha256_hex(secret, data, &mac)
}
