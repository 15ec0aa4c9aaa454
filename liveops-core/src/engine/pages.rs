//! What is too much for one answer: a page, and where the next begins.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::{AsyncEngine, Engine, ready};
use crate::codec::Stable;
use crate::error::{Code, Error};
use crate::hash::{hex, unhex};
use crate::id::PlayerId;
use crate::limits::PAGE_LEN_MAX;
use crate::record::{Command, Key, Kind, Record, Suspicion};
use crate::rules::PlayerView;
use crate::store::{AsyncScan, AsyncStore, Scan, Store};
use crate::time::Timestamp;

/// Records that whoever walks through all of them reads together.
pub(super) const PAGE_RECORDS: usize = 4096;

/// Where a page of [`Engine::players_page`] and its like ended, as a text to hand out.
///
/// It names a player and is neither secret nor signed: one that was changed is a place to begin at like any other, or
/// `cursor_invalid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanCursor {
    partition: u16,
    /// The last one looked at.
    key: Key,
}

impl ScanCursor {
    /// Behind a record.
    pub(super) const fn new(partition: u16, key: Key) -> Self {
        Self { partition, key }
    }

    /// The record, if it is of that kind.
    pub(super) fn key(&self, kind: Kind) -> Result<&Key, Error> {
        if self.key.kind() == Some(kind) { Ok(&self.key) } else { Err(Code::CursorInvalid.into()) }
    }

    /// The record, if it is that player's.
    pub(super) fn key_of(&self, player: &PlayerId) -> Result<&Key, Error> {
        if self.key.player() == Some(player) { Ok(&self.key) } else { Err(Code::CursorInvalid.into()) }
    }
}

impl Stable for ScanCursor {
    fn put(&self, out: &mut Vec<u8>) {
        self.partition.to_be_bytes().put(out);
        self.key.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let partition = <[u8; 2]>::take(from).map(u16::from_be_bytes)?;
        Some(Self { partition, key: Key::take(from)? })
    }
}

/// Hex digits.
impl fmt::Display for ScanCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.to_bytes()))
    }
}

/// `cursor_invalid` for anything that no page ended with.
impl FromStr for ScanCursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = unhex(text).ok_or(Code::CursorInvalid)?;
        let mut rest = &bytes[..];
        let cursor = Self::take(&mut rest).filter(|_| rest.is_empty());
        Ok(cursor.ok_or(Code::CursorInvalid)?)
    }
}

impl Serialize for ScanCursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A page. It may have fewer items than were asked for, none even, before the end: some of what it looked at may be of no interest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScanPage<T> {
    /// What there is.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<ScanCursor>,
}

impl<T> ScanPage<T> {
    /// The page of what comes of its items.
    pub(super) fn filter_map<U>(self, each: impl FnMut(T) -> Option<U>) -> ScanPage<U> {
        ScanPage { items: self.items.into_iter().filter_map(each).collect(), next: self.next }
    }
}

/// Item after item of page after page; stops after the first error.
///
/// ```
/// use liveops_core::engine::by_page;
/// use liveops_core::testing::EventBuilder;
/// use liveops_core::{Engine, MemoryStore, Rules, Timestamp};
///
/// let engine = Engine::new(Rules::from_json(r#"{ "version": 1, "game": "emberfall" }"#)?, MemoryStore::new());
/// let now = Timestamp::from_unix_seconds(1_794_052_800);
/// for player in ["ana", "bo", "cy"] {
///     engine.submit_ndjson(&EventBuilder::progression(player, 120, now).id("e1").body(), now);
/// }
/// let mut players = Vec::new();
/// for player in by_page(|after| engine.players_page(after, 2)) {
///     players.push(player?.player_id.to_string());
/// }
/// players.sort();
/// assert_eq!(players, ["ana", "bo", "cy"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn by_page<T>(
    mut page: impl FnMut(Option<&ScanCursor>) -> Result<ScanPage<T>, Error>,
) -> impl Iterator<Item = Result<T, Error>> {
    let (mut items, mut after, mut ended) = (Vec::new().into_iter(), None, false);
    std::iter::from_fn(move || {
        loop {
            if let Some(item) = items.next() {
                return Some(Ok(item));
            }
            if ended {
                return None;
            }
            match page(after.as_ref()) {
                Ok(page) => (items, ended, after) = (page.items.into_iter(), page.next.is_none(), page.next),
                Err(error) => {
                    ended = true;
                    return Some(Err(error));
                }
            }
        }
    })
}

impl<S: AsyncStore + AsyncScan> AsyncEngine<S> {
    /// The next records of one kind, partition after partition; at least one is asked for.
    pub(super) async fn page(
        &self,
        kind: Kind,
        after: Option<&ScanCursor>,
        limit: usize,
    ) -> Result<ScanPage<(Key, Record)>, Error> {
        let (limit, partitions) = (limit.clamp(1, PAGE_LEN_MAX), self.store.partitions());
        let (mut partition, mut last) = (0, None);
        if let Some(after) = after {
            (partition, last) = (after.partition, Some(after.key(kind)?.clone()));
            if partition >= partitions {
                return Err(Code::CursorInvalid.into());
            }
        }
        let mut items: Vec<(Key, Record)> = Vec::new();
        while partition < partitions {
            let room = limit.saturating_sub(items.len());
            if let (0, Some(key)) = (room, &last) {
                return Ok(ScanPage { items, next: Some(ScanCursor::new(partition, key.clone())) });
            }
            let found = self.store.scan(partition, Some(kind), last.as_ref(), room).await?;
            last = found.last().map(|(key, _)| key.clone());
            if last.is_none() {
                partition += 1;
            }
            items.extend(found);
        }
        Ok(ScanPage { items, next: None })
    }

    /// See [`Engine::players_page`].
    pub async fn players_page(&self, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage<PlayerView>, Error> {
        let rules = self.rules();
        let view = |(key, record)| match (key, record) {
            (Key::Player(id), Record::Player(player)) if !player.is_gone() => Some(rules.view(&id, &player)),
            _ => None,
        };
        Ok(self.page(Kind::Player, after, limit).await?.filter_map(view))
    }

    /// See [`Engine::players`].
    pub async fn players(&self) -> Result<Vec<PlayerView>, Error> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.players_page(after.as_ref(), PAGE_RECORDS).await?;
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                all.sort_by(|a, b| a.player_id.cmp(&b.player_id));
                return Ok(all);
            }
        }
    }

    /// See [`Engine::suspicions_page`].
    pub async fn suspicions_page(
        &self,
        after: Option<&ScanCursor>,
        limit: usize,
    ) -> Result<ScanPage<(PlayerId, u64, Suspicion)>, Error> {
        let suspicion = |(key, record)| match (key, record) {
            (Key::Suspicion(player, number), Record::Suspicion(suspicion)) => Some((player, number, *suspicion)),
            _ => None,
        };
        Ok(self.page(Kind::Suspicion, after, limit).await?.filter_map(suspicion))
    }

    /// See [`Engine::suspicions`].
    pub async fn suspicions(&self) -> Result<Vec<(PlayerId, u64, Suspicion)>, Error> {
        self.suspicions_where(|_| true).await
    }

    /// Those that matter, by player and number; no others are held in memory for longer than a page.
    pub(super) async fn suspicions_where(
        &self,
        mut matters: impl FnMut(&Suspicion) -> bool + Send,
    ) -> Result<Vec<(PlayerId, u64, Suspicion)>, Error> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.suspicions_page(after.as_ref(), PAGE_RECORDS).await?;
            all.extend(page.items.into_iter().filter(|(_, _, suspicion)| matters(suspicion)));
            after = page.next;
            if after.is_none() {
                // Players of several partitions are met partition by partition.
                all.sort_by(|(a, m, _), (b, n, _)| (a, m).cmp(&(b, n)));
                return Ok(all);
            }
        }
    }

    /// See [`Engine::migrations_page`].
    pub async fn migrations_page(
        &self,
        after: Option<&ScanCursor>,
        limit: usize,
        now: Timestamp,
    ) -> Result<ScanPage<Command>, Error> {
        let rules = self.rules();
        let curve = rules.progression().levels.hash();
        let command = |(key, record)| match (key, record) {
            (Key::Player(id), Record::Player(player)) if rules.is_to_migrate(&player) => {
                Some(Command::migrate(id, curve, player.version, now))
            }
            _ => None,
        };
        Ok(self.page(Kind::Player, after, limit).await?.filter_map(command))
    }

    /// See [`Engine::migrations`].
    pub async fn migrations(&self, now: Timestamp) -> Result<Vec<Command>, Error> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.migrations_page(after.as_ref(), PAGE_RECORDS, now).await?;
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }
}

/// Walking through everybody. A page looks at no more than `limit` records, 1 to 100,000, and holds nobody up; what is written
/// or removed between two pages may or may not be met, everything else is met once. [`by_page`] makes an iterator of any of them.
impl<S: Store + Scan> Engine<S> {
    /// The next players, by the store's order.
    ///
    /// Errors: `cursor_invalid` for a cursor of another listing, or of a store cut into more partitions.
    pub fn players_page(&self, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage<PlayerView>, Error> {
        ready(self.0.players_page(after, limit))
    }

    /// Every player, by id, at once: for few.
    pub fn players(&self) -> Result<Vec<PlayerView>, Error> {
        ready(self.0.players())
    }

    /// The next kept suspicions with their players and numbers, by the store's order.
    ///
    /// Errors: those of [`Self::players_page`].
    pub fn suspicions_page(
        &self,
        after: Option<&ScanCursor>,
        limit: usize,
    ) -> Result<ScanPage<(PlayerId, u64, Suspicion)>, Error> {
        ready(self.0.suspicions_page(after, limit))
    }

    /// Every kept suspicion, by player and number, at once: for few.
    pub fn suspicions(&self) -> Result<Vec<(PlayerId, u64, Suspicion)>, Error> {
        ready(self.0.suspicions())
    }

    /// The next commands of [`Self::migrations`]. To be submitted before or after the next page is asked for: both will do.
    ///
    /// Errors: those of [`Self::players_page`].
    pub fn migrations_page(
        &self,
        after: Option<&ScanCursor>,
        limit: usize,
        now: Timestamp,
    ) -> Result<ScanPage<Command>, Error> {
        ready(self.0.migrations_page(after, limit, now))
    }

    /// One command for each player who is still on another curve than the one in force. Submit them in batches of any
    /// size, and make them again after any trouble: each player is migrated once.
    pub fn migrations(&self, now: Timestamp) -> Result<Vec<Command>, Error> {
        ready(self.0.migrations(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_text_of_one_listing() {
        let ana = PlayerId::new("ana").unwrap();
        let cursor = ScanCursor::new(700, Key::Suspicion(ana.clone(), 1 << 40));
        let text = cursor.to_string();
        assert_eq!(text.parse::<ScanCursor>().unwrap(), cursor);
        for bad in ["", "zz", &text[1..], &text[..text.len() - 2], &format!("{text}00")] {
            assert_eq!(bad.parse::<ScanCursor>().unwrap_err().code(), Code::CursorInvalid, "{bad}");
        }
        assert_eq!(cursor.key(Kind::Suspicion).unwrap(), &cursor.key);
        for other in [Kind::Player, Kind::Receipt] {
            assert_eq!(cursor.key(other).unwrap_err().code(), Code::CursorInvalid);
        }
        assert!(ScanCursor::new(0, Key::Horizon).key(Kind::Player).is_err());
    }
}
