//! Tags for what is no message: made and checked by a key ring.

use std::fmt;
use std::str::FromStr;

use super::mac::Tag;
use super::{KeyRing, SignatureError};
use crate::error::Code;
use crate::hash::hex;
use crate::id::Id;
use crate::time::Timestamp;

/// A MAC, and the name of the key that made it. Written `v1,<64 hex digits>,<key>`.
///
/// ```
/// use liveops_core::signing::{Key, KeyRing, KeyTag, Secret};
/// use liveops_core::{Id, Timestamp};
///
/// let ring = KeyRing::new([Key::new(Id::new("2026")?, &Secret::generate([7; 32]))])?;
/// let now = Timestamp::from_unix_seconds(1_794_052_800);
/// let written = ring.tag(b"anything", now)?.to_string();
/// assert!(written.starts_with("v1,") && written.ends_with(",2026"));
///
/// let read: KeyTag = written.parse()?;
/// assert_eq!(ring.check_tag(b"anything", &read, now), Ok(()));
/// assert!(ring.check_tag(b"anything else", &read, now).is_err());
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Clone)]
pub struct KeyTag {
    key: Id,
    tag: Tag,
}

impl KeyTag {
    /// Which key made it.
    pub const fn key(&self) -> &Id {
        &self.key
    }
}

impl KeyRing {
    /// HMAC-SHA256 of bytes under the newest key that is valid at a time. Bytes of different kinds must begin differently:
    /// a tag says nothing of what it is for.
    ///
    /// Errors: `unknown_key` if no key is valid then, or the ring is a single secret without a name.
    pub fn tag(&self, bytes: &[u8], at: Timestamp) -> Result<KeyTag, SignatureError> {
        let key = self.newest(at)?;
        let nameless = || SignatureError::new(Code::UnknownKey, "the key has no name to be found by");
        let id = key.id.clone().ok_or_else(nameless)?;
        Ok(KeyTag { key: id, tag: key.keyed.mac(&[bytes]) })
    }

    /// Checks a tag with the key that it names, which must be valid at that time. Compared in constant time.
    ///
    /// Errors: `unknown_key`, `signature_mismatch`.
    pub fn check_tag(&self, bytes: &[u8], tag: &KeyTag, at: Timestamp) -> Result<(), SignatureError> {
        let mut keys = self.candidates(Some(tag.key.as_str()), at)?;
        let right =
            keys.any(|key| key.id.as_ref() == Some(&tag.key) && key.keyed.mac(&[bytes]).is_any_of(tag.tag, &[]));
        let wrong = || SignatureError::new(Code::SignatureMismatch, "the tag is not that of these bytes");
        if right { Ok(()) } else { Err(wrong()) }
    }
}

impl fmt::Display for KeyTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v1,{},{}", hex(&self.tag.0), self.key)
    }
}

/// As errors say nothing of signatures: the name of the key alone.
impl fmt::Debug for KeyTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyTag").field("key", &self.key).finish_non_exhaustive()
    }
}

impl FromStr for KeyTag {
    type Err = SignatureError;

    /// Errors: `malformed_header`.
    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let parts = || {
            let (tag, key) = text.strip_prefix("v1,")?.split_once(',')?;
            // One form only: what hex in capitals says is said by this too.
            let lower = !tag.bytes().any(|byte| byte.is_ascii_uppercase());
            Some(Self { key: Id::new(key).ok()?, tag: Tag::from_hex(tag).filter(|_| lower)? })
        };
        let malformed =
            || SignatureError::new(Code::MalformedHeader, "v1, then 64 hex digits, a comma and the key's id");
        parts().ok_or_else(malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::{Key, Secret, hmac_sha256_hex};

    #[test]
    fn it_is_the_plain_hmac_and_has_one_form() {
        let secret = Secret::generate([9; 32]);
        let ring = KeyRing::new([Key::new(Id::new("a,b").unwrap(), &secret)]).unwrap();
        let now = Timestamp::from_unix_seconds(0);
        let written = ring.tag(b"bytes", now).unwrap().to_string();
        let mac = hmac_sha256_hex(secret.as_bytes(), b"bytes");
        assert_eq!(written, format!("v1,{mac},a,b"));
        assert_eq!(written.parse::<KeyTag>().unwrap().to_string(), written);
        for bad in [
            "",
            "v1,",
            &written[3..],
            &written[..67],
            &written[..68],
            &written.replace("v1", "v2"),
            &format!("v1,{},a", mac.to_uppercase().replace(|c: char| c.is_ascii_digit(), "A")),
            &format!("v1,{mac}0,a"),
            &format!("v1,{mac},ä"),
        ] {
            assert_eq!(bad.parse::<KeyTag>().unwrap_err().code(), Code::MalformedHeader, "{bad}");
        }
        assert!(!format!("{:?}", ring.tag(b"bytes", now)).contains(&mac));
    }

    #[test]
    fn a_secret_without_a_name_tags_nothing() {
        let ring = KeyRing::from(&Secret::generate([9; 32]));
        let now = Timestamp::from_unix_seconds(0);
        assert_eq!(ring.tag(b"", now).unwrap_err().code(), Code::UnknownKey);
        let named = KeyRing::new([Key::new(Id::new("a").unwrap(), &Secret::generate([9; 32]))]).unwrap();
        let tag = named.tag(b"", now).unwrap();
        assert_eq!(ring.check_tag(b"", &tag, now).unwrap_err().code(), Code::SignatureMismatch);
    }
}
