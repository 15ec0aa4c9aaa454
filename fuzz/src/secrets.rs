//! Secrets: there is one text for each, and nothing but 24 to 64 bytes behind it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liveops_core::signing::{Headers, Scheme, Secret, Signer, Verifier, hmac_sha256_hex};
use liveops_core::{Code, Timestamp};

pub fn check(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        as_text(text);
    }
    as_bytes(bytes);
}

fn as_text(text: &str) {
    match Secret::parse(text) {
        Ok(secret) => {
            assert_eq!(secret.to_whsec(), text, "a secret has one text");
            assert_eq!(format!("{secret:?}"), "Secret(..)");
            let bytes = STANDARD.decode(&text["whsec_".len()..]).unwrap();
            assert!((24..=64).contains(&bytes.len()), "{} bytes", bytes.len());
            assert_eq!(STANDARD.encode(&bytes), text["whsec_".len()..]);
            signs_as(&secret, &bytes);
            assert!(Verifier::new(text).is_ok() && Signer::new(text).is_ok());
        }
        Err(error) => {
            assert_eq!(error.code(), Code::SecretInvalid);
            assert!(error.message().is_ascii() && error.message().len() < 80, "{error}");
            assert!(Verifier::new(text).is_err() && Signer::new(text).is_err());
        }
    }
}

fn as_bytes(bytes: &[u8]) {
    let whole = Secret::from_bytes(bytes);
    assert_eq!(whole.is_ok(), (24..=64).contains(&bytes.len()));
    if let Ok(secret) = whole {
        let text = secret.to_whsec();
        assert_eq!(Secret::parse(&text).map(|again| again.to_whsec()), Ok(text));
        signs_as(&secret, bytes);
    }
    let short = Secret::short(bytes);
    assert_eq!(short.is_ok(), (1..=4096).contains(&bytes.len()));
    if let Ok(secret) = short {
        signs_as(&secret, bytes);
    }
}

/// A secret signs as its bytes do.
fn signs_as(secret: &Secret, bytes: &[u8]) {
    let mac = hmac_sha256_hex(bytes, b"body");
    let reader = Verifier::new(secret).unwrap().scheme(Scheme::LegacyBody);
    let verified = reader.verify(&Headers::from_pairs([("x-signature", &*mac)]), b"body", Timestamp::MIN);
    assert!(verified.is_ok(), "{verified:?}");
}
