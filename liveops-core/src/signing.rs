//! Who sent these bytes: HMAC-SHA256 signatures after [Standard Webhooks](https://www.standardwebhooks.com) v1, read
//! more strictly than its own libraries do.
//!
//! A [`Signer`] makes the headers, a [`Verifier`] answers with [`Verified`], which nothing else can make except the
//! explicit [`Trusted`]. Both work from one secret or from a [`KeyRing`].
//!
//! A secret inside a game client is public: whoever has the client can sign whatever they like. Sign on servers, or
//! give each player a key of their own ([`Key::for_player`]) and treat what it signs as that player's claim.
//!
//! ```
//! use liveops_core::Timestamp;
//! use liveops_core::signing::{Headers, Secret, Signer, Verifier};
//!
//! let secret = Secret::generate([7; 32]); // 32 bytes from the system's random generator
//! let now = Timestamp::from_unix_seconds(1_800_000_000);
//! let signed = Signer::new(secret.clone())?.sign("evt_1", b"{}", now)?;
//!
//! let verifier = Verifier::new(secret)?;
//! let headers = Headers::from_pairs(signed.pairs());
//! assert_eq!(verifier.verify(&headers, b"{}", now)?.message_id().unwrap().as_str(), "evt_1");
//! assert_eq!(verifier.verify(&headers, b"[]", now).unwrap_err().code().as_str(), "signature_mismatch");
//! # Ok::<(), liveops_core::signing::SignatureError>(())
//! ```

mod headers;
mod keyed;
mod keys;
mod mac;
mod secret;
mod sign;
mod tag;
mod verify;

use std::borrow::Cow;

use crate::error::{Code, Error};

pub use headers::Headers;
pub use keys::{Key, KeyRing};
pub use mac::{hmac_sha256_hex, verify_hmac_sha256_hex};
pub use secret::Secret;
pub use sign::{SignedHeaders, Signer};
pub use tag::KeyTag;
pub use verify::{Trusted, Verified, Verifier};

/// What is signed, and where the signature stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Scheme {
    /// Standard Webhooks v1: `webhook-signature: v1,<base64>` over `id.timestamp.body`.
    #[default]
    Standard,
    /// `x-signature: <hex>` over the body. Nothing dates such a message: it can be sent again for ever, so only the
    /// event id keeps it from counting twice.
    LegacyBody,
    /// `x-signature: <hex>` over `body.timestamp`, with the time in `x-timestamp`.
    LegacyBodyTimestamp,
}

/// Why a message was not signed or not believed. The text never holds a secret, a signature or a header's value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[error("{code}: {message}")]
pub struct SignatureError {
    code: Code,
    message: Cow<'static, str>,
}

impl SignatureError {
    fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
    }

    /// The stable code: `too_large`, `missing_header`, `malformed_header`, `timestamp_too_old`, `timestamp_too_new`,
    /// `unknown_key`, `key_player_mismatch`, `signature_mismatch`; of a set-up, `secret_invalid` or
    /// `invalid_argument`.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What is wrong, for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl From<SignatureError> for Error {
    fn from(error: SignatureError) -> Self {
        error.code.into()
    }
}

impl From<std::convert::Infallible> for SignatureError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// `[A-Za-z0-9_-]{1,64}`: no full stop, so that `id.timestamp.body` can be cut in one way only.
fn is_message_id(text: &str) -> bool {
    (1..=crate::limits::ID_BYTES_MAX).contains(&text.len())
        // Without an early exit many bytes are looked at together.
        && text.bytes().fold(true, |ok, byte| ok & (byte.is_ascii_alphanumeric() | matches!(byte, b'_' | b'-')))
}
