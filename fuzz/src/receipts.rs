//! Receipts and signatures from elsewhere: what is read is what would be written, and nothing that is read can break a check.

use liveops_core::hash::Digest;
use liveops_core::reward::{receipts_from_json, verify_chain};
use liveops_core::signing::KeyTag;
use liveops_core::{Code, Timestamp};

pub fn check(bytes: &[u8]) {
    match receipts_from_json(bytes) {
        Ok(receipts) => {
            let written = serde_json::to_vec(&receipts).unwrap();
            assert_eq!(receipts_from_json(&written).as_ref(), Ok(&receipts));
            for receipt in &receipts {
                _ = receipt.state_at(Timestamp::MAX);
            }
            let head = receipts.last().map(liveops_core::Receipt::hash).unwrap_or_default();
            // Whatever is wrong in between, a chain of one is whole under its own hash, if its number says so.
            let chained = verify_chain(&receipts, head);
            assert!(verify_chain(&receipts, Digest([0xa5; 32])).is_err(), "under any head");
            if let [only] = &receipts[..] {
                let first = only.number == 1;
                let sound = only.number > 0 && first == (only.previous == Digest::default());
                assert_eq!(chained.is_ok(), sound);
            }
        }
        Err(error) => assert!(error.code() != Code::StoreCorrupt && !error.to_string().is_empty()),
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        match text.parse::<KeyTag>() {
            Ok(tag) => assert_eq!(tag.to_string(), text),
            Err(error) => assert_eq!(error.code(), Code::MalformedHeader),
        }
    }
}
