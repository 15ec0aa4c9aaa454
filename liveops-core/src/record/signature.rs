//! Receipts that can be shown to others: signed by a key ring.

use crate::reward::Receipt;
use crate::signing::{KeyRing, KeyTag, SignatureError};

const DOMAIN: &[u8] = b"liveops/receipt-signature/v1\0";

/// Signs a receipt with the key that was the newest at the receipt's own time: HMAC-SHA256 over
/// `"liveops/receipt-signature/v1" 0` and the receipt's hash. The signature is kept beside the receipt, by whoever shows it.
///
/// It says nothing of the receipt's state, which changes while the signature holds: whoever is shown a signed receipt knows
/// that it was made, not that it was claimed, or not taken back since.
///
/// Errors: `unknown_key` if no key was valid then.
///
/// ```
/// use liveops_core::record::{sign_receipt, verify_receipt};
/// use liveops_core::signing::{Key, KeyRing, Secret};
/// use liveops_core::testing::EventBuilder;
/// use liveops_core::{Engine, Id, MemoryStore, PlayerId, Rules, Timestamp};
///
/// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall",
///     "progress": { "curve": { "kind": "linear", "base": 100, "step": 0, "maxLevel": 9 } },
///     "rewards": { "level-gold": { "on": { "everyLevels": 1 },
///         "grant": { "kind": "currency", "id": "gold", "amount": 100 } } } }"#)?;
/// let engine = Engine::new(rules, MemoryStore::new());
/// let now = Timestamp::from_unix_seconds(1_794_052_800);
/// engine.submit_ndjson(&EventBuilder::progression("ana", 120, now).id("e1").body(), now);
/// let receipt = engine.receipts(&PlayerId::new("ana")?)?.remove(0);
///
/// let ring = KeyRing::new([Key::new(Id::new("2026")?, &Secret::generate([7; 32]))])?;
/// let tag = sign_receipt(&ring, &receipt)?;
/// assert_eq!(verify_receipt(&ring, &receipt, &tag.to_string().parse()?), Ok(()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sign_receipt(ring: &KeyRing, receipt: &Receipt) -> Result<KeyTag, SignatureError> {
    ring.tag(&message(receipt), receipt.ts)
}

/// Checks a receipt's signature.
///
/// Errors: `unknown_key` if the ring does not have the key, or it was not valid at the receipt's time; `signature_mismatch`.
pub fn verify_receipt(ring: &KeyRing, receipt: &Receipt, tag: &KeyTag) -> Result<(), SignatureError> {
    ring.check_tag(&message(receipt), tag, receipt.ts)
}

fn message(receipt: &Receipt) -> Vec<u8> {
    [DOMAIN, &receipt.hash().0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::hash::Digest;
    use crate::id::{CommandId, EventId, Id, Origin};
    use crate::reward::{ReceiptState, Scope};
    use crate::signing::{Key, Secret};
    use crate::time::Timestamp;

    fn receipt() -> Receipt {
        Receipt {
            number: 1,
            id: Digest([1; 32]),
            reward: Id::new("gold").unwrap(),
            scope: Scope::Level(2),
            items: vec![],
            cause: CommandId { origin: Origin::Event, id: EventId::new("e1").unwrap() },
            ts: Timestamp::from_unix_millis(5_000),
            rules: Digest([7; 32]),
            previous: Digest::default(),
            claim_until: None,
            roll: None,
            state: ReceiptState::Issued,
            settled_at: None,
        }
    }

    fn key(name: &str, byte: u8) -> Key {
        Key::new(Id::new(name).unwrap(), &Secret::generate([byte; 32]))
    }

    #[test]
    fn the_key_of_the_receipt_s_own_time_signs_it() {
        let change = Timestamp::from_unix_millis(4_000);
        let ring = KeyRing::new([key("old", 1).not_after(change), key("new", 2).not_before(change)]).unwrap();
        let tag = sign_receipt(&ring, &receipt()).unwrap();
        assert_eq!(tag.key().as_str(), "new");
        assert_eq!(verify_receipt(&ring, &receipt(), &tag), Ok(()));
        let before = Receipt { ts: change.minus_millis(1), ..receipt() };
        assert_eq!(sign_receipt(&ring, &before).unwrap().key().as_str(), "old");
        let code = |result: Result<(), SignatureError>| result.unwrap_err().code();
        assert_eq!(code(verify_receipt(&ring, &before, &tag)), Code::UnknownKey, "not valid then");
        let revoked = Receipt { state: ReceiptState::Revoked, settled_at: Some(change), ..receipt() };
        assert_eq!(verify_receipt(&ring, &revoked, &tag), Ok(()), "states change");
        let more = Receipt { number: 2, ..receipt() };
        assert_eq!(code(verify_receipt(&ring, &more, &tag)), Code::SignatureMismatch);
        let other = KeyRing::new([key("new", 3)]).unwrap();
        assert_eq!(code(verify_receipt(&other, &receipt(), &tag)), Code::SignatureMismatch);
        let stranger = KeyRing::new([key("newer", 2)]).unwrap();
        assert_eq!(code(verify_receipt(&stranger, &receipt(), &tag)), Code::UnknownKey);
    }
}
