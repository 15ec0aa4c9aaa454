//! HMAC-SHA256 against the vectors of [Wycheproof](https://github.com/C2SP/wycheproof): keys of 16, 32 and 65 bytes,
//! bodies of many lengths, and tags with bits changed.
//!
//! We take whole tags only. Half of the vectors are tags cut to 16 bytes: their bytes must be how ours begins, where the
//! vector is valid, and every one of them must be refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use liveops_core::hash::hex;
use liveops_core::signing::{Headers, Scheme, Secret, Verifier, hmac_sha256_hex, verify_hmac_sha256_hex};
use liveops_core::{Code, Timestamp};
use wycheproof::TestResult;
use wycheproof::mac::{TestName, TestSet};

#[test]
fn hmac_sha256() {
    let (mut whole, mut cut, mut invalid) = (0, 0, 0);
    for group in TestSet::load(TestName::HmacSha256).unwrap().test_groups {
        for test in group.tests {
            let name = format!("case {} of {}-bit tags: {}", test.tc_id, group.tag_size, test.comment);
            let (key, body, tag) = (&test.key, &test.msg, hex(&test.tag));
            let valid = match test.result {
                TestResult::Valid => true,
                TestResult::Invalid => false,
                TestResult::Acceptable => panic!("{name}: of a MAC there are only right and wrong ones"),
            };
            let is_whole = group.tag_size == 256;
            assert_eq!(tag.len() * 4, group.tag_size, "{name}");
            assert_eq!(hmac_sha256_hex(key, body).starts_with(&tag), valid, "{name}");
            assert_eq!(verify_hmac_sha256_hex(key, body, &tag), valid && is_whole, "{name}");

            let verifier = Verifier::new(Secret::short(key).unwrap()).unwrap().scheme(Scheme::LegacyBody);
            let headers = Headers::from_pairs([("X-Signature", &*tag)]);
            let code = verifier.verify(&headers, body, Timestamp::MIN).err().map(|error| error.code());
            let wanted = match (is_whole, valid) {
                (true, true) => None,
                (true, false) => Some(Code::SignatureMismatch),
                (false, _) => Some(Code::MalformedHeader),
            };
            assert_eq!(code, wanted, "{name}");
            *if valid && is_whole {
                &mut whole
            } else if valid {
                &mut cut
            } else {
                &mut invalid
            } += 1;
        }
    }
    assert_eq!((whole, cut, invalid), (33, 33, 108), "every vector was run");
}
