//! HMAC-SHA256 (RFC 2104, FIPS 198-1).

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

use crate::hash::hex;

/// HMAC-SHA256 of data under a secret of any length, as 64 lower-case hex digits.
///
/// ```
/// use liveops_core::signing::{hmac_sha256_hex, verify_hmac_sha256_hex};
///
/// let mac = hmac_sha256_hex(b"secret123", b"hello world");
/// assert!(mac.starts_with("57938295") && mac.ends_with("42646"));
/// assert!(verify_hmac_sha256_hex(b"secret123", b"hello world", &mac));
/// ```
pub fn hmac_sha256_hex(secret: &[u8], data: &[u8]) -> String {
    hex(&mac(secret, data).0)
}

/// Whether `mac` is [`hmac_sha256_hex`] of the data, in hex digits of either case. Compared in constant time.
#[must_use]
pub fn verify_hmac_sha256_hex(secret: &[u8], data: &[u8], mac: &str) -> bool {
    Tag::from_hex(mac).is_some_and(|tag| self::mac(secret, data).is_any_of(tag, &[]))
}

fn mac(secret: &[u8], data: &[u8]) -> Tag {
    match Hmac::<Sha256>::new_from_slice(secret) {
        Ok(hmac) => Tag(hmac.chain_update(data).finalize().into_bytes().into()),
        Err(_) => unreachable!("HMAC takes keys of any length (RFC 2104, section 3)"),
    }
}

/// A MAC. No `PartialEq`: comparing must take the same time whatever the bytes.
#[derive(Clone, Copy)]
pub(super) struct Tag(pub(super) [u8; 32]);

impl Tag {
    pub(super) fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 {
            return None;
        }
        crate::hash::unhex(text)?.try_into().ok().map(Self)
    }

    /// Takes the same time whichever it is, and whatever the bytes.
    pub(super) fn is_any_of(&self, tag: Self, more: &[Self]) -> bool {
        more.iter().fold(self.ct_eq(tag), |any, tag| any | self.ct_eq(*tag)).into()
    }

    /// By words of 64 bits, whose differences are put together before anything is asked of them: as constant as by bytes,
    /// and many times as fast.
    fn ct_eq(&self, other: Self) -> Choice {
        let ((ours, _), (theirs, _)) = (self.0.as_chunks(), other.0.as_chunks());
        let words = ours.iter().zip(theirs).map(|(a, b)| u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b));
        words.fold(0, std::ops::BitOr::bitor).ct_eq(&0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::unhex;

    #[test]
    fn rfc_4231() {
        // Case 5 checks a truncated output, which we do not have.
        let long = "aa".repeat(131);
        let cases = [
            ("0b".repeat(20), b"Hi There".to_vec(), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                "4a656665".into(),
                b"what do ya want for nothing?".to_vec(),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            ("aa".repeat(20), vec![0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (
                "0102030405060708090a0b0c0d0e0f10111213141516171819".into(),
                vec![0xcd; 50],
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            ),
            (
                long.clone(),
                b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                long,
                b"This is a test using a larger than block-size key and a larger than block-size data. The key \
                  needs to be hashed before being used by the HMAC algorithm."
                    .to_vec(),
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ];
        for (key, data, mac) in cases {
            let key = unhex(&key).unwrap();
            assert_eq!(hmac_sha256_hex(&key, &data), mac);
            assert!(verify_hmac_sha256_hex(&key, &data, mac));
            assert!(verify_hmac_sha256_hex(&key, &data, &mac.to_uppercase()));
        }
    }

    #[test]
    fn values_the_original_guide_meant() {
        let hello = hmac_sha256_hex(b"secret123", b"hello world");
        assert!(hello.starts_with("57938295") && hello.ends_with("42646"), "{hello}");
        let empty = hmac_sha256_hex(b"secret123", b"");
        assert!(empty.starts_with("0f4b2586") && empty.ends_with("4053d"), "{empty}");
    }

    #[test]
    fn only_the_whole_mac_passes() {
        let mac = hmac_sha256_hex(b"", b"x");
        assert!(verify_hmac_sha256_hex(b"", b"x", &mac));
        for bad in ["", &mac[1..], &format!("{mac}00"), &mac.replace(&mac[..1], "g"), &format!(" {}", &mac[1..])] {
            assert!(!verify_hmac_sha256_hex(b"", b"x", bad), "{bad}");
        }
        for at in 0..64 {
            let mut other = mac.clone().into_bytes();
            other[at] = if other[at] == b'0' { b'1' } else { b'0' };
            assert!(!verify_hmac_sha256_hex(b"", b"x", std::str::from_utf8(&other).unwrap()), "digit {at}");
        }
    }
}
