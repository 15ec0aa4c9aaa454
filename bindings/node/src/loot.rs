//! Loot tables, used alone.

use liveops_core::reward::{Entry, Item, Pity, Roll};
use liveops_core::{Code, Id, PlayerId};
use napi_derive::napi;
use serde_json::json;

use crate::failure::{OrThrow as _, Result, text};
use crate::receipt::{digest, one};

/// A weighted table.
#[napi]
#[derive(Debug)]
pub struct Loot(pub(crate) liveops_core::reward::Loot);

/// One possible outcome.
#[napi(object)]
#[derive(Debug)]
pub struct EntryOptions {
    /// Its name.
    pub name: String,
    /// Its part of the sum of all weights.
    pub weight: i64,
    /// What it gives.
    pub items: Vec<ItemOptions>,
}

/// An amount of something.
#[napi(object)]
#[derive(Debug)]
pub struct ItemOptions {
    /// What sort of thing.
    pub kind: String,
    /// Which.
    pub id: String,
    /// How much.
    pub amount: i64,
}

/// Hard pity.
#[napi(object)]
#[derive(Debug)]
pub struct PityOptions {
    /// For this entry.
    pub entry: String,
    /// The how-manieth roll without it gives it.
    pub guaranteed_at: u32,
}

/// Which roll: whose, on what, and after what.
#[napi(object)]
#[derive(Debug)]
pub struct RollOptions {
    /// The table's name.
    pub table: String,
    /// Who rolls.
    pub player: String,
    /// The player's number of the roll on this table.
    pub nonce: i64,
    /// Rolls in a row without the entry that pity is for.
    pub misses: u32,
}

impl RollOptions {
    fn read(&self) -> Result<(Id, PlayerId)> {
        Ok((Id::new(&self.table).or_throw()?, PlayerId::new(&self.player).or_throw()?))
    }
}

fn items(given: &[ItemOptions]) -> Result<Vec<Item>> {
    let item = |item: &ItemOptions| {
        let (kind, id) = (Id::new(&item.kind).or_throw()?, Id::new(&item.id).or_throw()?);
        Item::new(kind, id, item.amount.unsigned_abs()).or_throw()
    };
    given.iter().map(item).collect()
}

/// A seed has 32 bytes.
pub(crate) fn seed_of(bytes: &[u8]) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| Code::InvalidArgument).or_throw()
}

#[napi]
impl Loot {
    /// Of entries.
    #[napi(constructor)]
    pub fn new(entries: Vec<EntryOptions>, guaranteed: Vec<ItemOptions>, pity: Option<PityOptions>) -> Result<Self> {
        let entry = |entry: &EntryOptions| {
            let name = Id::new(&entry.name).or_throw()?;
            Ok(Entry { name, weight: entry.weight.unsigned_abs(), items: items(&entry.items)? })
        };
        let entries = entries.iter().map(entry).collect::<Result<_>>()?;
        let pity = match pity {
            Some(PityOptions { entry, guaranteed_at }) => {
                Some(Pity { entry: Id::new(&entry).or_throw()?, guaranteed_at })
            }
            None => None,
        };
        liveops_core::reward::Loot::new(entries, items(&guaranteed)?, pity).map(Self).or_throw()
    }

    /// One roll, as JSON.
    #[napi]
    pub fn roll(&self, seed: &[u8], roll: RollOptions) -> Result<String> {
        let (table, player) = roll.read()?;
        text(&self.0.roll(&seed_of(seed)?, &table, &player, roll.nonce.unsigned_abs(), roll.misses))
    }

    /// Whether the seed is the one committed to, and gives an entry with so many misses after it.
    #[napi]
    pub fn verify_roll(
        &self,
        seed: &[u8],
        commitment: String,
        roll: RollOptions,
        entry: String,
        misses_after: u32,
    ) -> Result<bool> {
        let (table, player) = roll.read()?;
        let rolled = Roll { entry: Id::new(&entry).or_throw()?, nonce: roll.nonce.unsigned_abs(), misses_after };
        let (seed, commitment) = (seed_of(seed)?, digest(&commitment)?);
        Ok(self.0.verify_roll(&seed, commitment, &table, &player, roll.misses, &rolled))
    }

    /// Whether a receipt holds a roll of this table, gives what the roll gives, and the seed is the one committed to.
    #[napi]
    pub fn verify_receipt(&self, seed: &[u8], commitment: String, player: String, receipt: &[u8]) -> Result<bool> {
        let (seed, commitment) = (seed_of(seed)?, digest(&commitment)?);
        let player = PlayerId::new(&player).or_throw()?;
        Ok(self.0.verify_receipt(&seed, commitment, &player, &one(receipt)?))
    }

    /// The odds of every entry, as JSON.
    #[napi]
    pub fn odds(&self) -> Result<String> {
        text(&self.0.odds())
    }

    /// How many rolls until an entry comes, on average, as a decimal; none if it never does.
    #[napi]
    pub fn expected_rolls(&self, entry: String) -> Option<String> {
        self.0.expected_rolls(&Id::new(&entry).ok()?).map(|rolls| rolls.to_string())
    }

    /// What an entry gives, as JSON; none if there is no such entry.
    #[napi]
    pub fn items(&self, entry: String) -> Result<Option<String>> {
        let entry = Id::new(&entry).ok();
        entry.and_then(|entry| self.0.items(&entry)).as_ref().map(text).transpose()
    }

    /// Entries, guaranteed items and pity, as JSON.
    #[napi]
    pub fn describe(&self) -> String {
        json!({ "entries": self.0.entries(), "guaranteed": self.0.guaranteed(), "pity": self.0.pity() }).to_string()
    }
}

/// What to publish before the first roll, in hex.
#[napi]
pub fn seed_commitment(seed: &[u8]) -> Result<String> {
    Ok(liveops_core::reward::seed_commitment(&seed_of(seed)?).to_hex())
}
