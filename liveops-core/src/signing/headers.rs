//! The headers of a signed message, picked out of a request.

use super::SignatureError;
use crate::error::Code;

/// The headers that matter to us, picked out of a request once.
///
/// Names in any case; unknown names are ignored. A known name that comes twice is an error when it is read, because
/// two readers could choose differently.
///
/// ```
/// use liveops_core::signing::Headers;
///
/// let headers = Headers::from_pairs([("Webhook-Id", "evt_1"), ("Host", "example.com")]);
/// assert_eq!(headers.webhook_id()?, Some("evt_1"));
/// assert_eq!(headers.idempotency_key()?, None);
/// # Ok::<(), liveops_core::signing::SignatureError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a>([Found<'a>; NAMES.len()]);

#[derive(Clone, Copy, Debug, Default)]
enum Found<'a> {
    #[default]
    Never,
    Once(&'a str),
    Again,
}

pub(super) const WEBHOOK_ID: usize = 0;
pub(super) const WEBHOOK_TIMESTAMP: usize = 1;
pub(super) const WEBHOOK_SIGNATURE: usize = 2;
const WEBHOOK_KEY_ID: usize = 3;
pub(super) const X_SIGNATURE: usize = 4;
pub(super) const X_TIMESTAMP: usize = 5;
const IDEMPOTENCY_KEY: usize = 6;
const X_REQUEST_ID: usize = 7;

const NAMES: [&str; 8] = [
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "webhook-key-id",
    "x-signature",
    "x-timestamp",
    "idempotency-key",
    "x-request-id",
];

impl<'a> Headers<'a> {
    /// Picks the known headers out of all names and values.
    pub fn from_pairs<'n>(pairs: impl IntoIterator<Item = (&'n str, &'a str)>) -> Self {
        let mut headers = Self::default();
        for (name, value) in pairs {
            for (known, found) in NAMES.iter().zip(&mut headers.0) {
                if name.eq_ignore_ascii_case(known) {
                    *found = match found {
                        Found::Never => Found::Once(value),
                        Found::Once(_) | Found::Again => Found::Again,
                    };
                }
            }
        }
        headers
    }

    /// `webhook-id`: the message's name under [`super::Scheme::Standard`].
    pub fn webhook_id(&self) -> Result<Option<&'a str>, SignatureError> {
        self.read::<WEBHOOK_ID>()
    }

    /// `webhook-timestamp`: when it was signed, in Unix seconds.
    pub fn webhook_timestamp(&self) -> Result<Option<&'a str>, SignatureError> {
        self.read::<WEBHOOK_TIMESTAMP>()
    }

    /// `webhook-signature`: one or more signatures.
    pub fn webhook_signature(&self) -> Result<Option<&'a str>, SignatureError> {
        self.read::<WEBHOOK_SIGNATURE>()
    }

    /// `webhook-key-id`: which key signed it.
    pub fn webhook_key_id(&self) -> Result<Option<&'a str>, SignatureError> {
        self.read::<WEBHOOK_KEY_ID>()
    }

    /// `x-signature`: the signature of both legacy schemes.
    pub fn x_signature(&self) -> Result<Option<&'a str>, SignatureError> {
        self.read::<X_SIGNATURE>()
    }

    /// `x-timestamp`: when it was signed under [`super::Scheme::LegacyBodyTimestamp`], in Unix seconds.
    pub fn x_timestamp(&self) -> Result<Option<&'a str>, SignatureError> {
        self.read::<X_TIMESTAMP>()
    }

    /// `idempotency-key`: the event's name if neither body nor signature names it. Never signed.
    pub fn idempotency_key(&self) -> Result<Option<&'a str>, SignatureError> {
        self.read::<IDEMPOTENCY_KEY>()
    }

    /// `x-request-id`: for logs. Never signed.
    pub fn x_request_id(&self) -> Result<Option<&'a str>, SignatureError> {
        self.read::<X_REQUEST_ID>()
    }

    /// A header of [`NAMES`] that must be there. Inline, so that what is found stays in registers.
    #[inline]
    pub(super) fn required<const N: usize>(&self) -> Result<&'a str, SignatureError> {
        match self.0[N] {
            Found::Once(value) => Ok(value),
            Found::Never => Err(SignatureError::new(Code::MissingHeader, format!("{} is missing", NAMES[N]))),
            Found::Again => Err(twice(NAMES[N])),
        }
    }

    #[inline]
    fn read<const N: usize>(&self) -> Result<Option<&'a str>, SignatureError> {
        match self.0[N] {
            Found::Never => Ok(None),
            Found::Once(value) => Ok(Some(value)),
            Found::Again => Err(twice(NAMES[N])),
        }
    }
}

#[cold]
fn twice(name: &str) -> SignatureError {
    SignatureError::new(Code::MalformedHeader, format!("{name} comes twice"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_case_and_never_twice() {
        let headers = Headers::from_pairs([
            ("WEBHOOK-ID", "a"),
            ("webhook-timestamp", "b"),
            ("webhook-signature", "c"),
            ("Webhook-Key-Id", "d"),
            ("X-Signature", "e"),
            ("x-timestamp", "f"),
            ("idempotency-key", "g"),
            ("X-Request-ID", "h"),
            ("webhook-idd", "i"),
        ]);
        let read = [
            headers.webhook_id(),
            headers.webhook_timestamp(),
            headers.webhook_signature(),
            headers.webhook_key_id(),
            headers.x_signature(),
            headers.x_timestamp(),
            headers.idempotency_key(),
            headers.x_request_id(),
        ];
        assert_eq!(read.map(|r| r.unwrap().unwrap()), ["a", "b", "c", "d", "e", "f", "g", "h"]);

        let twice = Headers::from_pairs([("x-request-id", "a"), ("X-Request-Id", "a"), ("x-request-id", "a")]);
        assert_eq!(twice.x_request_id().unwrap_err().code(), Code::MalformedHeader);
        assert_eq!(twice.webhook_id(), Ok(None));
    }
}
