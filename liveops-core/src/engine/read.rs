//! Reading one player.

use serde::Serialize;

use super::pages::{PAGE_RECORDS, ScanCursor, ScanPage};
use super::{AsyncEngine, Engine, ready};
use crate::error::{Code, Error, StoreError, StoreErrorKind};
use crate::id::{CommandId, PlayerId};
use crate::limits::PAGE_LEN_MAX;
use crate::record::{Key, Kind, Player, Receipt, Record, StoredOutcome, Suspicion};
use crate::reward::ReceiptState;
use crate::rules::PlayerView;
use crate::store::{AsyncScan, AsyncStore, Scan, Store};
use crate::time::Timestamp;

/// Keys that are loaded together.
const LOAD_KEYS: usize = 1_000;

/// Everything stored about one player.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlayerExport {
    /// Who.
    pub player_id: PlayerId,
    /// The player's state.
    pub record: Option<Player>,
    /// Kept receipts, oldest first.
    pub receipts: Vec<Receipt>,
    /// Kept suspicions, oldest first.
    pub suspicions: Vec<Numbered>,
    /// First outcomes kept for retries, by name.
    pub outcomes: Vec<NamedOutcome>,
}

/// A part of what is stored about one player, and where the next begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlayerExportPage {
    /// What is in this part.
    #[serde(flatten)]
    pub part: PlayerExport,
    /// Where the next part begins; `None` at the end.
    pub next: Option<ScanCursor>,
}

/// A suspicion and its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Numbered {
    /// What a review names.
    pub number: u64,
    /// The suspicion.
    #[serde(flatten)]
    pub suspicion: Suspicion,
}

/// A first outcome and the command it is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedOutcome {
    /// The command.
    pub id: CommandId,
    /// What it did.
    #[serde(flatten)]
    pub outcome: StoredOutcome,
}

impl<S: AsyncStore> AsyncEngine<S> {
    /// See [`Engine::player`].
    pub async fn player(&self, player: &PlayerId) -> Result<Option<PlayerView>, Error> {
        let record = self.record(player).await?;
        Ok(record.filter(|record| !record.is_gone()).map(|record| self.rules().view(player, &record)))
    }

    /// See [`Engine::record`].
    pub async fn record(&self, player: &PlayerId) -> Result<Option<Player>, Error> {
        match load(&self.store, &[Key::Player(player.clone())]).await?.pop() {
            Some(Some(Record::Player(record))) => Ok(Some(*record)),
            Some(None) => Ok(None),
            _ => Err(misconfigured()),
        }
    }

    /// See [`Engine::receipts`].
    pub async fn receipts(&self, player: &PlayerId) -> Result<Vec<Receipt>, Error> {
        let Some(record) = self.record(player).await? else { return Ok(Vec::new()) };
        let numbers: Vec<_> = (record.receipts_from.max(1)..=record.receipts).collect();
        self.receipts_of(player, &numbers).await
    }

    /// See [`Engine::receipts_page`].
    pub async fn receipts_page(
        &self,
        player: &PlayerId,
        after: Option<&ScanCursor>,
        limit: usize,
    ) -> Result<ScanPage<Receipt>, Error> {
        let after = match after.map(|cursor| cursor.key(Kind::Receipt)).transpose()? {
            Some(Key::Receipt(of, number)) if of == player => *number,
            Some(_) => return Err(Code::CursorInvalid.into()),
            None => 0,
        };
        let Some(record) = self.record(player).await? else { return Ok(ScanPage { items: Vec::new(), next: None }) };
        let first = record.receipts_from.max(1).max(after.saturating_add(1));
        let numbers: Vec<_> = (first..=record.receipts).take(limit.clamp(1, PAGE_LEN_MAX)).collect();
        let last = numbers.last().copied().filter(|last| *last < record.receipts);
        let next = last.map(|last| ScanCursor::new(0, Key::Receipt(player.clone(), last)));
        Ok(ScanPage { items: self.receipts_of(player, &numbers).await?, next })
    }

    /// See [`Engine::claimable`].
    pub async fn claimable(&self, player: &PlayerId, now: Timestamp) -> Result<Vec<Receipt>, Error> {
        let Some(record) = self.record(player).await? else { return Ok(Vec::new()) };
        let numbers: Vec<_> = record.rare().claimable.iter().map(|(number, _)| *number).collect();
        let mut receipts = self.receipts_of(player, &numbers).await?;
        receipts.retain(|receipt| receipt.state_at(now) == ReceiptState::Claimable);
        Ok(receipts)
    }

    /// Those of some numbers that are there.
    async fn receipts_of(&self, player: &PlayerId, numbers: &[u64]) -> Result<Vec<Receipt>, Error> {
        let mut receipts = Vec::with_capacity(numbers.len());
        for numbers in numbers.chunks(LOAD_KEYS) {
            let keys: Vec<_> = numbers.iter().map(|number| Key::Receipt(player.clone(), *number)).collect();
            receipts.extend(load(&self.store, &keys).await?.into_iter().filter_map(|answer| match answer {
                Some(Record::Receipt(receipt)) => Some(*receipt),
                _ => None,
            }));
        }
        Ok(receipts)
    }

    /// See [`Engine::suspicions_of`].
    pub async fn suspicions_of(&self, player: &PlayerId) -> Result<Vec<(u64, Suspicion)>, Error> {
        let Some(record) = self.record(player).await? else { return Ok(Vec::new()) };
        let keys: Vec<_> = record.rare().suspicions.iter().map(|(n, _)| Key::Suspicion(player.clone(), *n)).collect();
        let suspicions = load(&self.store, &keys).await?.into_iter().zip(&record.rare().suspicions);
        Ok(suspicions
            .filter_map(|(answer, (n, _))| match answer {
                Some(Record::Suspicion(suspicion)) => Some((*n, *suspicion)),
                _ => None,
            })
            .collect())
    }
}

impl<S: AsyncStore + AsyncScan> AsyncEngine<S> {
    /// See [`Engine::export_player`].
    pub async fn export_player(&self, player: &PlayerId) -> Result<PlayerExport, Error> {
        let PlayerExportPage { part: mut whole, mut next } =
            self.export_player_page(player, None, PAGE_RECORDS).await?;
        while next.is_some() {
            let page = self.export_player_page(player, next.as_ref(), PAGE_RECORDS).await?;
            whole.add(page.part);
            next = page.next;
        }
        Ok(whole)
    }

    /// See [`Engine::export_player_page`].
    pub async fn export_player_page(
        &self,
        player: &PlayerId,
        after: Option<&ScanCursor>,
        limit: usize,
    ) -> Result<PlayerExportPage, Error> {
        let after = after.map(|cursor| cursor.key_of(player)).transpose()?;
        let page = self.store.scan_player(player, None, after, limit.clamp(1, PAGE_LEN_MAX)).await?;
        let next = page.last().map(|(last, _)| ScanCursor::new(0, last.clone()));
        let mut part = PlayerExport::new(player.clone());
        for (key, record) in page {
            match (key, record) {
                (_, Record::Player(record)) => part.record = Some(*record),
                (_, Record::Receipt(receipt)) => part.receipts.push(*receipt),
                (Key::Suspicion(_, number), Record::Suspicion(suspicion)) => {
                    part.suspicions.push(Numbered { number, suspicion: *suspicion });
                }
                (Key::Outcome(_, id), Record::Outcome(outcome)) => {
                    part.outcomes.push(NamedOutcome { id, outcome: *outcome });
                }
                _ => {}
            }
        }
        Ok(PlayerExportPage { part, next })
    }
}

impl PlayerExport {
    const fn new(player_id: PlayerId) -> Self {
        Self { player_id, record: None, receipts: Vec::new(), suspicions: Vec::new(), outcomes: Vec::new() }
    }

    fn add(&mut self, next: Self) {
        self.record = next.record.or_else(|| self.record.take());
        self.receipts.extend(next.receipts);
        self.suspicions.extend(next.suspicions);
        self.outcomes.extend(next.outcomes);
    }
}

impl<S: Store> Engine<S> {
    /// One player, as callers read it; `None` for one who never did anything or was erased.
    pub fn player(&self, player: &PlayerId) -> Result<Option<PlayerView>, Error> {
        ready(self.0.player(player))
    }

    /// A player's record.
    pub fn record(&self, player: &PlayerId) -> Result<Option<Player>, Error> {
        ready(self.0.record(player))
    }

    /// A player's kept receipts, oldest first.
    pub fn receipts(&self, player: &PlayerId) -> Result<Vec<Receipt>, Error> {
        ready(self.0.receipts(player))
    }

    /// The next of a player's kept receipts, oldest first, at most `limit`, 1 to 100,000.
    ///
    /// Errors: `cursor_invalid` for a cursor of another listing or player.
    pub fn receipts_page(
        &self,
        player: &PlayerId,
        after: Option<&ScanCursor>,
        limit: usize,
    ) -> Result<ScanPage<Receipt>, Error> {
        ready(self.0.receipts_page(player, after, limit))
    }

    /// A player's receipts that can be claimed at a time, oldest first: also those that are kept for that alone, when others of
    /// their age are no longer.
    pub fn claimable(&self, player: &PlayerId, now: Timestamp) -> Result<Vec<Receipt>, Error> {
        ready(self.0.claimable(player, now))
    }

    /// A player's kept suspicions with their numbers, oldest first.
    pub fn suspicions_of(&self, player: &PlayerId) -> Result<Vec<(u64, Suspicion)>, Error> {
        ready(self.0.suspicions_of(player))
    }
}

impl<S: Store + Scan> Engine<S> {
    /// Everything stored about one player: what a request for a copy of personal data asks for.
    pub fn export_player(&self, player: &PlayerId) -> Result<PlayerExport, Error> {
        ready(self.0.export_player(player))
    }

    /// The next part of it, of at most `limit` records, 1 to 100,000, and fewer at times: for a player of whom much is kept. What is
    /// written between two pages may or may not be met.
    ///
    /// Errors: `cursor_invalid` for a cursor of another listing or player.
    pub fn export_player_page(
        &self,
        player: &PlayerId,
        after: Option<&ScanCursor>,
        limit: usize,
    ) -> Result<PlayerExportPage, Error> {
        ready(self.0.export_player_page(player, after, limit))
    }
}

/// Every answer, in order, or the first error among them.
pub(super) async fn load<S: AsyncStore>(store: &S, keys: &[Key]) -> Result<Vec<Option<Record>>, Error> {
    let answers = store.load(keys).await;
    if answers.len() < keys.len() {
        return Err(StoreError::new(StoreErrorKind::Unavailable).into());
    }
    Ok(answers.into_iter().collect::<Result<_, _>>()?)
}

/// A store answered what was not asked.
pub(super) fn misconfigured() -> Error {
    StoreError::new(StoreErrorKind::Misconfigured).into()
}
