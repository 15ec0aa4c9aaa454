//! Receipts: named, checked and signed. They come as the JSON that an engine gives, and the core reads them.

use liveops_core::hash::{Digest, unhex};
use liveops_core::record::{ReceiptName, sign_receipt as sign, verify_receipt as verify};
use liveops_core::reward::{Receipt, ReceiptError, receipts_from_json, verify_chain as verify_links};
use liveops_core::signing::KeyTag;
use liveops_core::{Code, Id, PlayerId, Timestamp};
use napi_derive::napi;
use serde_json::{Value, json};

use crate::failure::{OrThrow as _, Result, text};
use crate::rules::integer;
use crate::signing::KeyRing;

/// A hash from its 64 hex digits.
pub(crate) fn digest(hex: &str) -> Result<Digest> {
    let bytes = unhex(hex).and_then(|bytes| bytes.try_into().ok());
    bytes.map(Digest).ok_or(Code::InvalidArgument).or_throw()
}

/// Which receipt is meant.
#[napi(object)]
#[derive(Debug)]
pub struct ReceiptRef {
    /// Its number.
    pub number: i64,
    /// Its id, in hex.
    pub id: String,
}

impl ReceiptRef {
    pub(crate) fn read(&self) -> Result<ReceiptName> {
        Ok(ReceiptName { number: self.number.unsigned_abs(), id: digest(&self.id)? })
    }
}

/// One receipt of a list that has no other.
pub(crate) fn one(json: &[u8]) -> Result<Receipt> {
    let mut receipts = receipts_from_json(json).or_throw()?;
    receipts.pop().ok_or(Code::InvalidArgument).or_throw()
}

/// The id of a reward, in hex; the scope as JSON, in the form that receipts have it in.
#[napi]
pub fn receipt_id(game: String, player: String, reward: String, scope: String, index: u32) -> Result<String> {
    let scope: Value = serde_json::from_str(&scope).map_err(|_| Code::InvalidArgument).or_throw()?;
    // The core reads scopes as parts of receipts.
    let zeros = Digest::default();
    let around = json!([{ "number": 1, "id": zeros, "reward": "r", "scope": scope, "items": [],
        "cause": { "origin": "event", "id": "e" }, "ts": 0, "rules": zeros, "previous": zeros }]);
    let inside = |error: ReceiptError| {
        let path = error.path.strip_prefix("/0/scope").unwrap_or_default().to_owned();
        ReceiptError { path, ..error }
    };
    let receipt = receipts_from_json(around.to_string().as_bytes()).map_err(inside).or_throw()?.pop();
    let scope = receipt.ok_or(Code::InvalidArgument).or_throw()?.scope;
    let (player, reward) = (PlayerId::new(&player).or_throw()?, Id::new(&reward).or_throw()?);
    Ok(liveops_core::reward::receipt_id(&game, &player, &reward, &scope, index).to_hex())
}

/// What the next receipt points back to, in hex.
#[napi]
pub fn receipt_hash(json: &[u8]) -> Result<String> {
    Ok(one(json)?.hash().to_hex())
}

/// Where a receipt stands at a time, as JSON.
#[napi]
pub fn receipt_state(json: &[u8], now: i64) -> Result<String> {
    text(&one(json)?.state_at(Timestamp::from_unix_millis(now)))
}

/// The number of the last receipt before the first broken link; none if the chain holds.
#[napi]
pub fn verify_chain(json: &[u8], head: String) -> Result<Option<i64>> {
    let receipts = receipts_from_json(json).or_throw()?;
    Ok(verify_links(&receipts, digest(&head)?).err().map(|broken| integer(broken.number)))
}

/// A signature, as text.
#[napi]
pub fn sign_receipt(ring: &KeyRing, json: &[u8]) -> Result<String> {
    Ok(sign(&ring.ring()?, &one(json)?).or_throw()?.to_string())
}

/// Checks a signature; the id of the key that made it.
#[napi]
pub fn verify_receipt(ring: &KeyRing, json: &[u8], signature: String) -> Result<String> {
    let tag: KeyTag = signature.parse().or_throw()?;
    verify(&ring.ring()?, &one(json)?, &tag).or_throw()?;
    Ok(tag.key().to_string())
}
