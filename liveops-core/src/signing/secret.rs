//! Shared secrets: read, written, wiped, never printed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::SignatureError;
use crate::error::Code;
use crate::limits::{SECRET_BYTES_MAX, SECRET_BYTES_MIN, SECRET_SHORT_BYTES_MAX};

const PREFIX: &str = "whsec_";

/// A shared secret: 24 to 64 bytes, written `whsec_<base64>`. Wiped when dropped, never printed.
///
/// Every error is `secret_invalid`.
///
/// ```
/// use liveops_core::signing::Secret;
///
/// let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// assert_eq!(secret.to_whsec(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// assert!(Secret::from_bytes(b"too short").is_err());
/// # Ok::<(), liveops_core::signing::SignatureError>(())
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Parses `whsec_` and the base64 of 24 to 64 bytes, padded, as RFC 4648 section 4 writes it.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let Some(base64) = text.strip_prefix(PREFIX) else {
            return Err(SignatureError::new(Code::SecretInvalid, "a secret starts with whsec_"));
        };
        // Room for one byte too many: then the length below is refused, not the text.
        let mut bytes = Zeroizing::new([0; SECRET_BYTES_MAX.next_multiple_of(3)]);
        match STANDARD.decode_slice(base64, bytes.as_mut_slice()) {
            Ok(len) => Self::from_bytes(bytes.get(..len).unwrap_or_default()),
            Err(base64::DecodeSliceError::OutputSliceTooSmall) => Err(wrong_length()),
            Err(base64::DecodeSliceError::DecodeError(_)) => {
                Err(SignatureError::new(Code::SecretInvalid, "what follows whsec_ is not canonical base64"))
            }
        }
    }

    /// From 24 to 64 raw bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignatureError> {
        if !(SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&bytes.len()) {
            return Err(wrong_length());
        }
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    /// From 1 to 4096 raw bytes: for secrets that are already in use and cannot be changed. A short one can be
    /// guessed from a single signed message.
    pub fn short(bytes: &[u8]) -> Result<Self, SignatureError> {
        if !(1..=SECRET_SHORT_BYTES_MAX).contains(&bytes.len()) {
            return Err(SignatureError::new(Code::SecretInvalid, "a legacy secret has 1 to 4096 bytes"));
        }
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    /// A new secret from 32 bytes of the system's random generator.
    pub fn generate(entropy: [u8; 32]) -> Self {
        Self(Zeroizing::new(Zeroizing::new(entropy).to_vec()))
    }

    /// `whsec_<base64>`, to hand to the other side. The text is not wiped.
    pub fn to_whsec(&self) -> String {
        // Reserved in one piece, so that growing leaves no copy behind.
        let mut text = String::with_capacity(PREFIX.len() + self.0.len().div_ceil(3) * 4);
        text.push_str(PREFIX);
        STANDARD.encode_string(self.0.as_slice(), &mut text);
        text
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn wrong_length() -> SignatureError {
    SignatureError::new(Code::SecretInvalid, "a secret has 24 to 64 bytes")
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl std::str::FromStr for Secret {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for Secret {
    type Error = SignatureError;

    fn try_from(text: &str) -> Result<Self, SignatureError> {
        Self::parse(text)
    }
}

impl TryFrom<&String> for Secret {
    type Error = SignatureError;

    fn try_from(text: &String) -> Result<Self, SignatureError> {
        Self::parse(text)
    }
}

/// A copy.
impl From<&Self> for Secret {
    fn from(secret: &Self) -> Self {
        secret.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (len, fits, short) in
            [(0, false, false), (1, false, true), (23, false, true), (24, true, true), (64, true, true)]
                .into_iter()
                .chain([(65, false, true), (66, false, true), (67, false, true), (4096, false, true)])
                .chain([(4097, false, false)])
        {
            let bytes = vec![9; len];
            assert_eq!(Secret::from_bytes(&bytes).is_ok(), fits, "{len}");
            assert_eq!(Secret::short(&bytes).is_ok(), short, "{len}");
            let text = Secret(Zeroizing::new(bytes)).to_whsec();
            assert_eq!(Secret::parse(&text).map(|s| s.to_whsec()).ok(), fits.then_some(text), "{len}");
        }
    }

    #[test]
    fn only_canonical_base64() {
        let good = Secret::generate([0xab; 32]).to_whsec();
        assert_eq!(Secret::parse(&good).unwrap().as_bytes(), [0xab; 32]);
        let bad = [
            String::new(),
            "whsec_".into(),
            good.replace("whsec_", ""),
            good.replace("whsec_", "WHSEC_"),
            good.replace('=', ""),
            format!("{good}="),
            format!("{good}\n"),
            format!(" {good}"),
            good.replace("s=", "t="), // the two bits behind the last byte must be zero
            good.replace('q', "-"),
        ];
        for text in bad {
            assert_ne!(text, good);
            assert_eq!(Secret::parse(&text).unwrap_err().code(), Code::SecretInvalid, "{text}");
        }
    }
}
