//! Receipts read from the JSON that they are written as, by whoever checks a chain elsewhere.

use super::{Item, Receipt, ReceiptState, RollProof, Scope};
use crate::error::{Code, Error};
use crate::hash::{Digest, unhex};
use crate::id::{BoardId, CommandId, EventId, Id, Origin};
use crate::json::{self, Limits, Value, push_index, push_segment};
use crate::limits::{INTEGER_MAX, RECEIPTS_JSON_BYTES_MAX};
use crate::time::Timestamp;
use crate::window::{Period, Window};

/// Deepest: the list, a receipt, its scope, an event in it.
const DEPTH_MAX: usize = 4;

/// Why text is no receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code} at {}: {message}", if path.is_empty() { "the document" } else { path })]
pub struct ReceiptError {
    /// The stable code: that of a JSON fault, `missing`, `wrong_type`, `out_of_range`, `invalid_format` or `id_invalid`.
    pub code: Code,
    /// Where: a JSON Pointer (RFC 6901), empty for the whole.
    pub path: String,
    /// What would be right.
    pub message: String,
}

impl ReceiptError {
    /// The stable code.
    pub const fn code(&self) -> Code {
        self.code
    }
}

impl From<ReceiptError> for Error {
    fn from(error: ReceiptError) -> Self {
        Self::with_source(error.code, error)
    }
}

type Read<T> = Result<T, ReceiptError>;

/// Reads receipts from a JSON array, as their serialized form has them; other members are ignored. What was read is
/// checked by [`super::verify_chain`], and not before.
///
/// ```
/// use liveops_core::reward::{receipts_from_json, verify_chain};
/// use liveops_core::testing::EventBuilder;
/// use liveops_core::{Engine, MemoryStore, PlayerId, Rules, Timestamp};
///
/// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall",
///     "progress": { "curve": { "kind": "linear", "base": 100, "step": 0, "maxLevel": 9 } },
///     "rewards": { "level-gold": { "on": { "everyLevels": 1 },
///         "grant": { "kind": "currency", "id": "gold", "amount": 100 } } } }"#)?;
/// let engine = Engine::new(rules, MemoryStore::new());
/// let (ana, now) = (PlayerId::new("ana")?, Timestamp::from_unix_seconds(1_794_052_800));
/// engine.submit_ndjson(&EventBuilder::progression("ana", 320, now).id("e1").body(), now);
///
/// let sent = serde_json::to_vec(&engine.receipts(&ana)?)?;
/// let receipts = receipts_from_json(&sent)?;
/// assert_eq!(receipts.len(), 3);
/// assert_eq!(verify_chain(&receipts, engine.record(&ana)?.unwrap().chain_head), Ok(()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn receipts_from_json(bytes: &[u8]) -> Result<Vec<Receipt>, ReceiptError> {
    let limits = Limits { bytes_max: RECEIPTS_JSON_BYTES_MAX, depth_max: DEPTH_MAX + 1 };
    let document = json::parse(bytes, limits).map_err(|e| ReceiptError {
        code: e.code,
        path: e.path.clone(),
        message: e.to_string(),
    })?;
    let root = Node { value: &document, path: String::new() };
    root.elements()?.iter().map(Node::receipt).collect()
}

/// A value and where it stands.
struct Node<'v> {
    value: &'v Value<'v>,
    path: String,
}

impl<'v> Node<'v> {
    fn error(&self, code: Code, message: &str) -> ReceiptError {
        ReceiptError { code, path: self.path.clone(), message: message.to_owned() }
    }

    fn get(&self, key: &str) -> Read<Option<Self>> {
        if self.value.as_object().is_none() {
            return Err(self.error(Code::WrongType, "an object expected"));
        }
        let mut path = self.path.clone();
        push_segment(&mut path, key);
        let found = self.value.get(key).filter(|value| !matches!(value, Value::Null));
        Ok(found.map(|value| Self { value, path }))
    }

    fn need(&self, key: &str) -> Read<Self> {
        let mut missing = self.error(Code::Missing, "it is required");
        push_segment(&mut missing.path, key);
        self.get(key)?.ok_or(missing)
    }

    fn elements(&self) -> Read<Vec<Self>> {
        let elements = self.value.as_array().ok_or_else(|| self.error(Code::WrongType, "an array expected"))?;
        let child = |(at, value)| {
            let mut path = self.path.clone();
            push_index(&mut path, at);
            Self { value, path }
        };
        Ok(elements.iter().enumerate().map(child).collect())
    }

    fn text(&self) -> Read<&'v str> {
        if let Value::String(text) = self.value {
            return Ok(text);
        }
        Err(self.error(Code::WrongType, "a text expected"))
    }

    fn int(&self) -> Read<i64> {
        match self.value {
            Value::Integer(value) if value.unsigned_abs() <= INTEGER_MAX.unsigned_abs() => Ok(*value),
            Value::Integer(_) | Value::BigInteger => Err(self.error(Code::OutOfRange, "at most 2^53 - 1 expected")),
            _ => Err(self.error(Code::WrongType, "a whole number expected")),
        }
    }

    fn uint(&self) -> Read<u64> {
        let positive = self.int().map(u64::try_from)?;
        positive.map_err(|_| self.error(Code::OutOfRange, "0 or more expected"))
    }

    fn time(&self) -> Read<Timestamp> {
        self.int().map(Timestamp::from_unix_millis)
    }

    fn id(&self) -> Read<Id> {
        Id::new(self.text()?).map_err(|e| self.error(e.code(), "1 to 64 visible ASCII bytes expected"))
    }

    fn digest(&self) -> Read<Digest> {
        let bytes = unhex(self.text()?).and_then(|bytes| bytes.try_into().ok()).map(Digest);
        bytes.ok_or_else(|| self.error(Code::InvalidFormat, "64 hex digits expected"))
    }

    fn receipt(&self) -> Read<Receipt> {
        let cause = self.need("cause")?;
        let origin = cause.need("origin")?;
        let origin = match origin.text()? {
            "event" => Origin::Event,
            "operator" => Origin::Operator,
            _ => return Err(origin.error(Code::InvalidFormat, "event or operator expected")),
        };
        let state = match self.get("state")? {
            None => ReceiptState::Issued,
            Some(state) => match state.text()? {
                "issued" => ReceiptState::Issued,
                // What has expired is stored as what could be claimed.
                "claimable" | "expired" => ReceiptState::Claimable,
                "claimed" => ReceiptState::Claimed,
                "revoked" => ReceiptState::Revoked,
                _ => return Err(state.error(Code::InvalidFormat, "no such state")),
            },
        };
        Ok(Receipt {
            number: self.need("number")?.uint()?,
            id: self.need("id")?.digest()?,
            reward: self.need("reward")?.id()?,
            scope: self.need("scope")?.scope()?,
            items: self.need("items")?.elements()?.iter().map(Node::item).collect::<Read<_>>()?,
            cause: CommandId { origin, id: EventId::from(cause.need("id")?.id()?) },
            ts: self.need("ts")?.time()?,
            rules: self.need("rules")?.digest()?,
            previous: self.need("previous")?.digest()?,
            claim_until: self.get("claimUntil")?.map(|node| node.time()).transpose()?,
            roll: self.get("roll")?.map(|node| node.roll()).transpose()?.map(Box::new),
            state,
            settled_at: self.get("settledAt")?.map(|node| node.time()).transpose()?,
        })
    }

    fn roll(&self) -> Read<RollProof> {
        let misses = self.need("misses")?;
        let wrong = |_| misses.error(Code::OutOfRange, "fewer misses expected");
        Ok(RollProof {
            table: self.need("table")?.id()?,
            entry: self.need("entry")?.id()?,
            nonce: self.need("nonce")?.uint()?,
            misses: u32::try_from(misses.uint()?).map_err(wrong)?,
        })
    }

    fn scope(&self) -> Read<Scope> {
        if let Some(level) = self.get("level")? {
            let number = u32::try_from(level.uint()?);
            return number.map(Scope::Level).map_err(|_| level.error(Code::OutOfRange, "a level expected"));
        }
        if let Some(event) = self.get("event")? {
            return Ok(Scope::Event { id: EventId::from(event.need("id")?.id()?), ts: event.need("ts")?.time()? });
        }
        if let Some(payout) = self.get("payout")? {
            let window = payout.need("window")?;
            let unknown = || window.error(Code::UnknownWindow, "no such window");
            let window = Window::from_text(window.text()?).ok_or_else(unknown)?;
            let period = Period { window, index: payout.need("index")?.int()? };
            let board = BoardId::from(payout.need("board")?.id()?);
            return Ok(Scope::Payout { board, period, tier: payout.need("tier")?.id()? });
        }
        if let Some(streak) = self.get("streak")? {
            return Ok(Scope::Streak { streak: streak.need("streak")?.id()?, day: streak.need("day")?.int()? });
        }
        if let Some(overflow) = self.get("overflow")? {
            return Ok(Scope::Overflow { units: overflow.need("units")?.uint()? });
        }
        if let Some(revoke) = self.get("revoke")? {
            let (number, receipt) = (revoke.need("number")?.uint()?, revoke.need("receipt")?.digest()?);
            return Ok(Scope::Revoke { number, receipt });
        }
        Err(self.error(Code::InvalidFormat, "level, event, payout, streak, overflow or revoke expected"))
    }

    fn item(&self) -> Read<Item> {
        let (kind, id) = (self.need("kind")?.id()?, self.need("id")?.id()?);
        let node = self.need("amount")?;
        let amount = node.int()?;
        let item = Item::new(kind, id, amount.unsigned_abs());
        let wrong = |e: Error| ReceiptError {
            code: e.code(),
            path: node.path.clone(),
            message: format!("an amount up to {INTEGER_MAX}, and not 0, expected"),
        };
        item.map(|item| if amount < 0 { item.negated() } else { item }).map_err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(scope: Scope, amount: i64, state: ReceiptState) -> Receipt {
        let id = |text| Id::new(text).unwrap();
        let item = Item::new(id("currency"), id("gold"), amount.unsigned_abs()).unwrap();
        Receipt {
            number: 3,
            id: Digest([1; 32]),
            reward: id("gold"),
            scope,
            items: vec![if amount < 0 { item.negated() } else { item }],
            cause: CommandId { origin: Origin::Operator, id: EventId::new("o1").unwrap() },
            ts: Timestamp::from_unix_millis(-5),
            rules: Digest([2; 32]),
            previous: Digest([3; 32]),
            roll: (amount == 4)
                .then(|| RollProof { table: id("chest"), entry: id("horn"), nonce: 1 << 50, misses: 7 }.into()),
            claim_until: (state != ReceiptState::Issued).then(|| Timestamp::from_unix_millis(9)),
            state,
            settled_at: (state == ReceiptState::Claimed).then(|| Timestamp::from_unix_millis(8)),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let id = |text| Id::new(text).unwrap();
        let period = Period { window: Window::AllTime, index: -1 };
        let scopes = [
            Scope::Level(7),
            Scope::Event { id: EventId::new("e1").unwrap(), ts: Timestamp::from_unix_millis(1) },
            Scope::Payout { board: BoardId::new("xp").unwrap(), period, tier: id("top") },
            Scope::Streak { streak: id("login"), day: -2 },
            Scope::Overflow { units: 12 },
            Scope::Revoke { number: 1, receipt: Digest([9; 32]) },
        ];
        let mut receipts: Vec<_> =
            scopes.into_iter().map(|scope| receipt(scope, INTEGER_MAX, ReceiptState::Issued)).collect();
        receipts.push(receipt(Scope::Level(2), -4, ReceiptState::Claimable));
        receipts.push(receipt(Scope::Level(2), 4, ReceiptState::Claimed));
        receipts.push(receipt(Scope::Level(2), 4, ReceiptState::Revoked));
        let json = serde_json::to_vec(&receipts).unwrap();
        assert_eq!(receipts_from_json(&json), Ok(receipts));
        assert_eq!(receipts_from_json(b"[]"), Ok(vec![]));
    }

    #[test]
    fn other_text_is_refused_with_its_path() {
        let plain = serde_json::to_value([receipt(Scope::Level(2), 4, ReceiptState::Issued)]).unwrap();
        for (pointer, value, code) in [
            ("/0/number", serde_json::json!(-1), Code::OutOfRange),
            ("/0/number", serde_json::json!(1_u64 << 53), Code::OutOfRange),
            ("/0/number", serde_json::json!("1"), Code::WrongType),
            ("/0/id", serde_json::json!("00"), Code::InvalidFormat),
            ("/0/reward", serde_json::json!(""), Code::IdInvalid),
            ("/0/scope", serde_json::json!({"moon": 1}), Code::InvalidFormat),
            ("/0/scope/level", serde_json::json!(1_i64 << 40), Code::OutOfRange),
            ("/0/items/0/amount", serde_json::json!(0), Code::OutOfRange),
            ("/0/items", serde_json::json!({}), Code::WrongType),
            ("/0/cause/origin", serde_json::json!("player"), Code::InvalidFormat),
            ("/0/state", serde_json::json!("lost"), Code::InvalidFormat),
            ("/0/ts", serde_json::json!(1.5), Code::WrongType),
            ("/0/previous", serde_json::json!(null), Code::Missing),
            ("/0", serde_json::json!(7), Code::WrongType),
        ] {
            let mut bad = plain.clone();
            *bad.pointer_mut(pointer).unwrap() = value;
            let error = receipts_from_json(&serde_json::to_vec(&bad).unwrap()).unwrap_err();
            assert_eq!((error.code, error.path.as_str()), (code, pointer));
        }
        assert_eq!(receipts_from_json(b"{}").unwrap_err().code, Code::WrongType);
        assert_eq!(receipts_from_json(b"[").unwrap_err().code, Code::Syntax);
    }
}
