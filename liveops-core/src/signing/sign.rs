//! Making signatures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{KeyRing, Scheme, Secret, SignatureError, is_message_id};
use crate::error::Code;
use crate::hash::hex;
use crate::id::Id;
use crate::time::Timestamp;

/// Signs messages.
#[derive(Clone, Debug)]
pub struct Signer {
    ring: KeyRing,
    scheme: Scheme,
}

impl Signer {
    /// With one secret: a [`Secret`], or its text `whsec_<base64>`.
    pub fn new<S: TryInto<Secret>>(secret: S) -> Result<Self, SignatureError>
    where
        SignatureError: From<S::Error>,
    {
        Ok(Self::with_ring(KeyRing::from(&secret.try_into()?)))
    }

    /// With the newest valid key of a ring, which `webhook-key-id` then names.
    pub fn with_ring(ring: KeyRing) -> Self {
        Self { ring, scheme: Scheme::Standard }
    }

    /// By another scheme than [`Scheme::Standard`].
    #[must_use]
    pub fn scheme(self, scheme: Scheme) -> Self {
        Self { scheme, ..self }
    }

    /// Signs a message. Legacy schemes neither sign nor send the id.
    ///
    /// `invalid_argument` for an id other than `[A-Za-z0-9_-]{1,64}` and for a time before 1970 or beyond twelve
    /// digits of seconds, `unknown_key` when no key is valid.
    pub fn sign(&self, id: &str, body: &[u8], now: Timestamp) -> Result<SignedHeaders, SignatureError> {
        if !is_message_id(id) {
            return Err(SignatureError::new(Code::InvalidArgument, "a message id is [A-Za-z0-9_-]{1,64}"));
        }
        let seconds = now.as_unix_seconds();
        if !(1..=999_999_999_999).contains(&seconds) {
            return Err(SignatureError::new(Code::InvalidArgument, "a signature's time has 1 to 12 digits of seconds"));
        }
        let timestamp = seconds.to_string();
        let key = self.ring.newest(now)?;
        let signature = match self.scheme {
            Scheme::Standard => {
                let tag = key.keyed.mac(&[id.as_bytes(), b".", timestamp.as_bytes(), b".", body]);
                format!("v1,{}", STANDARD.encode(tag.0))
            }
            Scheme::LegacyBody => hex(&key.keyed.mac(&[body]).0),
            Scheme::LegacyBodyTimestamp => hex(&key.keyed.mac(&[body, b".", timestamp.as_bytes()]).0),
        };
        Ok(SignedHeaders { scheme: self.scheme, id: id.to_owned(), timestamp, signature, key_id: key.id.clone() })
    }
}

/// The headers of one signed message.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SignedHeaders {
    /// What [`Self::pairs`] follows.
    pub scheme: Scheme,
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp` or `x-timestamp`: Unix seconds.
    pub timestamp: String,
    /// `webhook-signature` or `x-signature`.
    pub signature: String,
    /// `webhook-key-id`: the key of the ring that signed it.
    pub key_id: Option<Id>,
}

impl SignedHeaders {
    /// Names and values to send: id, timestamp and signature; of legacy schemes only what they have. The key's id
    /// follows if a ring signed it.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let (id, timestamp, signature) = match self.scheme {
            Scheme::Standard => (Some("webhook-id"), Some("webhook-timestamp"), "webhook-signature"),
            Scheme::LegacyBody => (None, None, "x-signature"),
            Scheme::LegacyBodyTimestamp => (None, Some("x-timestamp"), "x-signature"),
        };
        [
            id.map(|name| (name, self.id.as_str())),
            timestamp.map(|name| (name, self.timestamp.as_str())),
            Some((signature, self.signature.as_str())),
            self.key_id.as_ref().map(|key_id| ("webhook-key-id", key_id.as_str())),
        ]
        .into_iter()
        .flatten()
    }
}
