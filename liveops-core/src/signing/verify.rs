//! Checking signatures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::headers::{WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP, X_SIGNATURE, X_TIMESTAMP};
use super::mac::Tag;
use super::{Headers, Key, KeyRing, Scheme, Secret, SignatureError, is_message_id};
use crate::error::Code;
use crate::id::{EventId, Id, PlayerId};
use crate::limits::{BODY_BYTES_MAX, SIGNATURE_HEADER_BYTES_MAX, SIGNATURE_TOLERANCE_SECONDS, SIGNATURES_MAX};
use crate::time::Timestamp;

/// Tells whether messages come from someone who has a secret. `Send + Sync`; keyed once, no lock.
#[derive(Clone, Debug)]
pub struct Verifier {
    ring: KeyRing,
    scheme: Scheme,
    tolerance_seconds: i64,
    body_bytes_max: usize,
}

impl Verifier {
    /// With one secret: a [`Secret`], or its text `whsec_<base64>`. Any `webhook-key-id` is fine then.
    pub fn new<S: TryInto<Secret>>(secret: S) -> Result<Self, SignatureError>
    where
        SignatureError: From<S::Error>,
    {
        Ok(Self::with_ring(KeyRing::from(&secret.try_into()?)))
    }

    /// With any valid key of a ring, or the one that `webhook-key-id` names.
    pub fn with_ring(ring: KeyRing) -> Self {
        Self {
            ring,
            scheme: Scheme::Standard,
            tolerance_seconds: SIGNATURE_TOLERANCE_SECONDS,
            body_bytes_max: BODY_BYTES_MAX,
        }
    }

    /// By another scheme than [`Scheme::Standard`].
    #[must_use]
    pub fn scheme(self, scheme: Scheme) -> Self {
        Self { scheme, ..self }
    }

    /// How far the signature's time may lie from the receiver's, both ways: 300 seconds unless said otherwise,
    /// none for a negative number.
    #[must_use]
    pub fn tolerance_seconds(self, seconds: i64) -> Self {
        Self { tolerance_seconds: seconds.max(0), ..self }
    }

    /// Longest body that is looked at, in bytes: 64 KiB unless said otherwise. A MAC costs its sender nothing and us time
    /// for each byte.
    #[must_use]
    pub fn body_bytes_max(self, bytes: usize) -> Self {
        Self { body_bytes_max: bytes, ..self }
    }

    /// Verifies the body as received, byte by byte, at the receiver's time.
    ///
    /// Checks in this order: the size (`too_large`), the form of the headers (`missing_header`, `malformed_header`), the time
    /// (`timestamp_too_old`, `timestamp_too_new`), the key (`unknown_key`) and the signature (`signature_mismatch`).
    pub fn verify(&self, headers: &Headers<'_>, body: &[u8], now: Timestamp) -> Result<Verified, SignatureError> {
        if body.len() > self.body_bytes_max {
            let message = format!("the body has more than {} bytes", self.body_bytes_max);
            return Err(SignatureError::new(Code::TooLarge, message));
        }
        let key_id = headers.webhook_key_id()?;
        if key_id.is_some_and(|text| Id::new(text).is_err()) {
            return Err(malformed("webhook-key-id is not 1 to 64 visible ASCII bytes"));
        }
        match self.scheme {
            Scheme::Standard => {
                let id = headers.required::<WEBHOOK_ID>()?;
                let timestamp = headers.required::<WEBHOOK_TIMESTAMP>()?;
                let signatures = headers.required::<WEBHOOK_SIGNATURE>()?;
                if !is_message_id(id) {
                    return Err(malformed("webhook-id is not [A-Za-z0-9_-]{1,64}"));
                }
                let seconds =
                    parse_seconds(timestamp).ok_or_else(|| malformed("webhook-timestamp is not Unix seconds"))?;
                let signatures = Signatures::parse(signatures)?;
                self.check_time(seconds, now)?;
                let pieces = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
                let key = self.find_key(key_id, now, &pieces, signatures.first, &signatures.more)?;
                Ok(Verified::by(key, Some(Id::of_visible(id.as_bytes(), id.len()).into())))
            }
            Scheme::LegacyBody => {
                let tag = legacy_tag(headers)?;
                Ok(Verified::by(self.find_key(key_id, now, &[body], tag, &[])?, None))
            }
            Scheme::LegacyBodyTimestamp => {
                let tag = legacy_tag(headers)?;
                let timestamp = headers.required::<X_TIMESTAMP>()?;
                let seconds = parse_seconds(timestamp).ok_or_else(|| malformed("x-timestamp is not Unix seconds"))?;
                self.check_time(seconds, now)?;
                let pieces = [body, b".", timestamp.as_bytes()];
                Ok(Verified::by(self.find_key(key_id, now, &pieces, tag, &[])?, None))
            }
        }
    }

    /// Verifies many messages, each by itself: one answer for each, in order.
    ///
    /// ```
    /// use liveops_core::Timestamp;
    /// use liveops_core::signing::{Headers, Secret, Signer, Verifier};
    ///
    /// let (secret, now) = (Secret::generate([7; 32]), Timestamp::from_unix_seconds(1_800_000_000));
    /// let signed = Signer::new(&secret)?.sign("evt_1", b"{}", now)?;
    /// let headers = Headers::from_pairs(signed.pairs());
    /// let answers = Verifier::new(&secret)?.verify_batch([(&headers, &b"{}"[..]), (&headers, b"[]")], now);
    /// assert!(answers[0].is_ok() && answers[1].is_err());
    /// # Ok::<(), liveops_core::signing::SignatureError>(())
    /// ```
    pub fn verify_batch<'m>(
        &self,
        messages: impl IntoIterator<Item = (&'m Headers<'m>, &'m [u8])>,
        now: Timestamp,
    ) -> Vec<Result<Verified, SignatureError>> {
        messages.into_iter().map(|(headers, body)| self.verify(headers, body, now)).collect()
    }

    /// In whole seconds on both sides: what the sender wrote has no more.
    fn check_time(&self, signed: i64, now: Timestamp) -> Result<(), SignatureError> {
        let age = now.as_unix_seconds().saturating_sub(signed);
        let tolerance = self.tolerance_seconds;
        if age > tolerance {
            let message = format!("signed {age} s ago, tolerance {tolerance} s");
            return Err(SignatureError::new(Code::TimestampTooOld, message));
        }
        let lead = age.saturating_neg();
        if lead > tolerance {
            let message = format!("signed {lead} s in the future, tolerance {tolerance} s");
            return Err(SignatureError::new(Code::TimestampTooNew, message));
        }
        Ok(())
    }

    /// The key under which one of the tags is right.
    fn find_key(
        &self,
        id: Option<&str>,
        now: Timestamp,
        pieces: &[&[u8]],
        tag: Tag,
        more: &[Tag],
    ) -> Result<&Key, SignatureError> {
        self.ring
            .candidates(id, now)?
            .find(|key| key.keyed.mac(pieces).is_any_of(tag, more))
            .ok_or_else(|| SignatureError::new(Code::SignatureMismatch, "no signature matches the message"))
    }
}

/// Says that the caller knows the sender by other means than a signature: a session, mutual TLS, the same process.
///
/// ```
/// use liveops_core::PlayerId;
/// use liveops_core::signing::{Trusted, Verified};
///
/// let (ana, bo) = (PlayerId::new("ana")?, PlayerId::new("bo")?);
/// let session = Verified::from(Trusted::player(ana.clone()));
/// assert!(session.check_player(&ana).is_ok() && session.check_player(&bo).is_err());
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    player: Option<PlayerId>,
}

impl Trusted {
    /// Who may speak for every player, as a game server does.
    pub const fn for_all() -> Self {
        Self { player: None }
    }

    /// Who speaks for this player only, as the session of a game client does.
    pub const fn player(player: PlayerId) -> Self {
        Self { player: Some(player) }
    }
}

/// Proof that a message was verified, which only a [`Verifier`] makes, or that the caller vouches for it: [`Trusted`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    message_id: Option<EventId>,
    key_id: Option<Id>,
    player: Option<PlayerId>,
}

impl Verified {
    /// The signed `webhook-id`; none of a legacy signature, which does not cover headers.
    pub const fn message_id(&self) -> Option<&EventId> {
        self.message_id.as_ref()
    }

    /// The key that signed it; none of a single secret without a name.
    pub const fn key_id(&self) -> Option<&Id> {
        self.key_id.as_ref()
    }

    /// The only player this key speaks for; none if it speaks for all.
    pub const fn player(&self) -> Option<&PlayerId> {
        self.player.as_ref()
    }

    /// `key_player_mismatch` if the key is bound to another player. To be called with the player that the message
    /// speaks of.
    pub fn check_player(&self, player: &PlayerId) -> Result<(), SignatureError> {
        match &self.player {
            Some(bound) if bound != player => {
                Err(SignatureError::new(Code::KeyPlayerMismatch, "the key belongs to another player"))
            }
            _ => Ok(()),
        }
    }

    fn by(key: &Key, message_id: Option<EventId>) -> Self {
        Self { message_id, key_id: key.id.clone(), player: key.player.clone() }
    }
}

impl From<Trusted> for Verified {
    fn from(trusted: Trusted) -> Self {
        Self { message_id: None, key_id: None, player: trusted.player }
    }
}

fn malformed(message: &'static str) -> SignatureError {
    SignatureError::new(Code::MalformedHeader, message)
}

/// `[1-9][0-9]{0,11}`: one way to write each second, and no overflow.
fn parse_seconds(text: &str) -> Option<i64> {
    let digits = text.as_bytes();
    if !(1..=12).contains(&digits.len()) || text.starts_with('0') {
        return None;
    }
    digits.iter().try_fold(0, |seconds, digit| digit.is_ascii_digit().then(|| seconds * 10 + i64::from(digit - b'0')))
}

fn legacy_tag(headers: &Headers<'_>) -> Result<Tag, SignatureError> {
    let text = headers.required::<X_SIGNATURE>()?;
    Tag::from_hex(text).ok_or_else(|| malformed("x-signature is not 64 hex digits"))
}

/// The `v1` signatures of one header, of which there is mostly one.
struct Signatures {
    first: Tag,
    more: Vec<Tag>,
}

impl Signatures {
    /// Other versions are skipped, as the standard asks; a message without any `v1` has no signature we could check.
    fn parse(header: &str) -> Result<Self, SignatureError> {
        if header.len() > SIGNATURE_HEADER_BYTES_MAX {
            return Err(malformed("webhook-signature is longer than 4096 bytes"));
        }
        let wrong_tag = || malformed("a v1 signature is not base64 of 32 bytes");
        // Mostly there is one.
        if let Some(signature) = header.strip_prefix("v1,").filter(|signature| signature.len() == TAG_BASE64_BYTES) {
            return Ok(Self { first: parse_base64(signature).ok_or_else(wrong_tag)?, more: Vec::new() });
        }
        let mut found: Option<Self> = None;
        for (count, part) in header.split(' ').enumerate() {
            if count == SIGNATURES_MAX {
                return Err(malformed("webhook-signature has more than 16 signatures"));
            }
            if let Some(signature) = part.strip_prefix("v1,") {
                let tag = parse_base64(signature).ok_or_else(wrong_tag)?;
                match &mut found {
                    Some(found) => found.more.push(tag),
                    None => found = Some(Self { first: tag, more: Vec::new() }),
                }
            } else if !is_signature(part) {
                return Err(malformed("webhook-signature is not <version>,<signature>"));
            }
        }
        found.ok_or_else(|| malformed("webhook-signature has no v1 signature"))
    }
}

/// `<version>,<signature>`, of whatever version.
fn is_signature(part: &str) -> bool {
    part.split_once(',').is_some_and(|(version, signature)| {
        let is_version = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_version && !signature.is_empty() && signature.bytes().all(|byte| byte.is_ascii_graphic())
    })
}

/// Characters of 32 bytes in padded base64.
const TAG_BASE64_BYTES: usize = 44;

/// Exactly 32 bytes in canonical base64: 44 characters, padded, with no bit set behind the last byte.
fn parse_base64(text: &str) -> Option<Tag> {
    // 44 characters can hold 33 bytes.
    let mut bytes = [0; 33];
    if text.len() != TAG_BASE64_BYTES || STANDARD.decode_slice(text, &mut bytes) != Ok(32) {
        return None;
    }
    bytes.first_chunk().map(|tag| Tag(*tag))
}

#[cfg(test)]
mod tests;
