//! Enumerating records. The index has players in order; what one player has is put in order here.

use std::sync::Arc;

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::id::PlayerId;
use liveops_core::record::{Horizon, Key, Kind, Record};
use redis::Cmd;

use crate::error::Fault;
use crate::inner::Inner;
use crate::keys::{self, DIGITS, Part};
use crate::link::Ask;
use crate::load::{FIELDS_MAX, record_of};
use crate::reply::{self, Field};

/// Players that are looked at in one round trip, at most.
const PLAYERS_MAX: usize = 256;
/// A player with more fields than this is read a page at a time.
const GIANT_FIELDS: u64 = 2_000;
/// Fields that are read in one round trip, more or less.
const FIELDS_A_TRIP: u64 = 10_000;
/// How often a giant is read again that was written to meanwhile, where it has to be of one moment.
const MOMENTS_MAX: usize = 5;

/// Everything that a player with many records has, in order.
#[derive(Clone, Debug)]
pub(crate) struct Giant {
    player: PlayerId,
    version: Vec<u8>,
    keys: Arc<Vec<Key>>,
}

/// What is walked over.
#[derive(Clone, Copy)]
pub(crate) struct Walk<'w> {
    pub(crate) kind: Option<Kind>,
    pub(crate) after: Option<&'w Key>,
    pub(crate) limit: usize,
    pub(crate) horizon: Horizon,
}

impl Walk<'_> {
    fn takes(&self, key: &Key) -> bool {
        keys::is_wanted(self.kind, key) && self.after.is_none_or(|after| key > after)
    }
}

impl Inner {
    pub(crate) async fn scan(
        &self,
        partition: u16,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        let part = self.layout.part(partition)?;
        let mut all = Vec::new();
        let players = PLAYERS_MAX.min(limit);
        let mut from = after.and_then(Key::player).map_or_else(|| "-".to_owned(), |player| format!("[{player}"));
        let mut walk = None;
        while all.len() < limit {
            let asks = [Self::ask_horizon(part), Self::ask(part, index(part, &from, players))];
            let [meta, found]: [_; 2] =
                self.link.all(&asks).await.try_into().map_err(|_| Fault::Strange.of_reading())?;
            let horizon = self.horizon(meta)?;
            let walk = *walk.get_or_insert(Walk { kind, after, limit, horizon });
            let found = players_of(found.and_then(reply::list_of_bytes).map_err(|fault| fault.of_reading())?)?;
            self.add_players(&found, walk, &mut all).await?;
            let Some(last) = found.last().filter(|_| found.len() == players) else { break };
            from = format!("({last}");
        }
        all.truncate(limit);
        Ok(all)
    }

    pub(crate) async fn scan_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        let part = self.layout.part(self.layout.partition_of(player))?;
        let horizon = self.horizon(self.link.one(Self::ask_horizon(part)).await)?;
        let mut all = Vec::new();
        self.add_players(std::slice::from_ref(player), Walk { kind, after, limit, horizon }, &mut all).await?;
        all.truncate(limit);
        Ok(all)
    }

    /// Adds the records of players, who are in order, until there are as many as are wanted.
    pub(crate) async fn add_players(
        &self,
        players: &[PlayerId],
        walk: Walk<'_>,
        all: &mut Vec<(Key, Record)>,
    ) -> Result<(), StoreError> {
        if walk.kind == Some(Kind::Player) {
            return self.add_player_records(players, walk, all).await;
        }
        let lens = self.of_each(players, |key| command("HLEN", key)).await;
        let lens: Vec<u64> = lens
            .into_iter()
            .map(|answer| answer.and_then(reply::number).map_err(|fault| fault.of_reading()))
            .collect::<Result<_, _>>()?;
        let mut at = 0;
        while at < players.len() && all.len() < walk.limit {
            if lens[at] > GIANT_FIELDS {
                self.add_giant(&players[at], walk, all).await?;
                at += 1;
                continue;
            }
            let mut fields = 0;
            let small = lens[at..].iter().take_while(|len| {
                fields += **len;
                **len <= GIANT_FIELDS && (fields <= FIELDS_A_TRIP || fields == **len)
            });
            let run = &players[at..at + small.count().max(1)];
            at += run.len();
            let found = self.of_each(run, |key| command("HGETALL", key)).await;
            for (player, answer) in run.iter().zip(found) {
                let fields = answer.and_then(reply::pairs).map_err(|fault| fault.of_reading())?;
                add_fields(player, fields, walk, all)?;
                if all.len() >= walk.limit {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Players' own records alone, which boards are built of.
    async fn add_player_records(
        &self,
        players: &[PlayerId],
        walk: Walk<'_>,
        all: &mut Vec<(Key, Record)>,
    ) -> Result<(), StoreError> {
        let wanted: Vec<PlayerId> =
            players.iter().filter(|player| walk.takes(&Key::Player((*player).clone()))).cloned().collect();
        let found = self
            .of_each(&wanted, |key| {
                let mut command = command("HGET", key);
                command.arg("p");
                command
            })
            .await;
        for (player, answer) in wanted.into_iter().zip(found) {
            let Some(value) = answer.and_then(reply::bytes).map_err(|fault| fault.of_reading())? else { continue };
            let key = Key::Player(player);
            let Some(record) = record_of(&key, &value, walk.horizon)? else { continue };
            if is_idle_mark(&record, walk.horizon) {
                let Some(player) = key.player() else { continue };
                let found = self.of_each(std::slice::from_ref(player), |key| command("HGETALL", key)).await;
                let fields = found.into_iter().next().unwrap_or(Err(Fault::Strange)).and_then(reply::pairs);
                if !has_outcome(&fields.map_err(|fault| fault.of_reading())?, walk.horizon)? {
                    continue;
                }
            }
            all.push((key, record));
        }
        Ok(())
    }

    /// A page of a player with many records. Where all are wanted, they are of one moment.
    async fn add_giant(
        &self,
        player: &PlayerId,
        walk: Walk<'_>,
        all: &mut Vec<(Key, Record)>,
    ) -> Result<(), StoreError> {
        let (before, is_whole) = (all.len(), walk.limit == usize::MAX);
        for _ in 0..MOMENTS_MAX {
            let giant = self.giant(player).await?;
            all.truncate(before);
            let wanted: Vec<&Key> = giant.keys.iter().filter(|key| walk.takes(key)).collect();
            for page in wanted.chunks(FIELDS_MAX.min(walk.limit.max(1))) {
                if all.len() >= walk.limit {
                    break;
                }
                self.add_page(player, page, walk, all).await?;
            }
            if !is_whole || self.version(player).await? == giant.version {
                return Ok(());
            }
        }
        Err(StoreError::with_source(StoreErrorKind::Unavailable, "a player is written to all the while"))
    }

    async fn add_page(
        &self,
        player: &PlayerId,
        page: &[&Key],
        walk: Walk<'_>,
        all: &mut Vec<(Key, Record)>,
    ) -> Result<(), StoreError> {
        let found = self
            .of_each(std::slice::from_ref(player), |key| {
                let mut command = command("HMGET", key);
                for field in page.iter().filter_map(|key| keys::field_of(key)) {
                    command.arg(field);
                }
                command
            })
            .await;
        let values = found.into_iter().next().unwrap_or(Err(Fault::Strange)).and_then(reply::list_of_bytes);
        for (key, value) in page.iter().zip(values.map_err(|fault| fault.of_reading())?) {
            let Some(value) = value else { continue };
            if let Some(record) = record_of(key, &value, walk.horizon)? {
                all.push(((*key).clone(), record));
            }
        }
        Ok(())
    }

    /// The names of everything that a giant has, remembered for as long as nobody writes to it.
    async fn giant(&self, player: &PlayerId) -> Result<Giant, StoreError> {
        let version = self.version(player).await?;
        let known = self.giant.lock().clone().filter(|giant| giant.player == *player && giant.version == version);
        if let Some(giant) = known {
            return Ok(giant);
        }
        let mut keys = Vec::new();
        let mut cursor = b"0".to_vec();
        loop {
            let found = self
                .of_each(std::slice::from_ref(player), |key| {
                    let mut command = command("HSCAN", key);
                    command.arg(&cursor).arg("COUNT").arg(FIELDS_MAX);
                    command
                })
                .await;
            let found = found.into_iter().next().unwrap_or(Err(Fault::Strange)).and_then(reply::list);
            let found: [_; 2] = found
                .and_then(|found| found.try_into().map_err(|_| Fault::Strange))
                .map_err(|fault| fault.of_reading())?;
            let [next, fields] = found;
            let fields = reply::pairs(fields).map_err(|fault| fault.of_reading())?;
            for (field, _) in fields {
                keys.extend(keys::key_of(player, &field)?);
            }
            cursor = reply::bytes(next).map_err(|fault| fault.of_reading())?.unwrap_or_default();
            if cursor == b"0" || cursor.is_empty() {
                break;
            }
        }
        keys.sort();
        keys.dedup();
        let giant = Giant { player: player.clone(), version, keys: keys.into() };
        *self.giant.lock() = Some(giant.clone());
        Ok(giant)
    }

    async fn version(&self, player: &PlayerId) -> Result<Vec<u8>, StoreError> {
        let found = self
            .of_each(std::slice::from_ref(player), |key| {
                let mut command = command("HGET", key);
                command.arg("v");
                command
            })
            .await;
        let found = found.into_iter().next().unwrap_or(Err(Fault::Strange)).and_then(reply::bytes);
        Ok(found.map_err(|fault| fault.of_reading())?.unwrap_or_default())
    }

    /// A command for each player's key.
    async fn of_each(&self, players: &[PlayerId], command: impl Fn(&str) -> Cmd) -> Vec<Result<redis::Value, Fault>> {
        let parts = self.layout.parts();
        let asks: Vec<Ask> = players
            .iter()
            .map(|player| {
                let part = &parts[usize::from(self.layout.partition_of(player))];
                Self::ask(part, command(&part.player(player)))
            })
            .collect();
        self.link.all(&asks).await
    }
}

fn command(name: &str, key: &str) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(key);
    command
}

/// Players from here on, in order.
pub(crate) fn index(part: &Part, from: &str, limit: usize) -> Cmd {
    let mut command = command("ZRANGEBYLEX", &part.index);
    command.arg(from).arg("+").arg("LIMIT").arg(0).arg(limit);
    command
}

pub(crate) fn players_of(found: Vec<Option<Vec<u8>>>) -> Result<Vec<PlayerId>, StoreError> {
    let player = |id: Vec<u8>| {
        let id = std::str::from_utf8(&id).ok().and_then(|id| PlayerId::new(id).ok());
        id.ok_or_else(|| StoreErrorKind::Corrupt.into())
    };
    found.into_iter().flatten().map(player).collect()
}

/// Adds what a player has, in order; nothing of nobody.
fn add_fields(
    player: &PlayerId,
    fields: Vec<Field>,
    walk: Walk<'_>,
    all: &mut Vec<(Key, Record)>,
) -> Result<(), StoreError> {
    let mut found = Vec::new();
    let may_be_nobody = walk.kind.is_none() && !has_outcome(&fields, walk.horizon)?;
    for (field, value) in fields {
        let Some(key) = keys::key_of(player, &field)? else { continue };
        if keys::is_wanted(walk.kind, &key) && (may_be_nobody || walk.takes(&key)) {
            found.push((key, value));
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (key, value) in found {
        let Some(record) = record_of(&key, &value, walk.horizon)? else { continue };
        if may_be_nobody && is_idle_mark(&record, walk.horizon) {
            return Ok(());
        }
        if walk.takes(&key) {
            all.push((key, record));
        }
    }
    Ok(())
}

fn is_idle_mark(record: &Record, horizon: Horizon) -> bool {
    matches!(record, Record::Player(player) if player.is_idle_mark(horizon))
}

/// Whether one of the outcomes is not forgotten.
fn has_outcome(fields: &[Field], horizon: Horizon) -> Result<bool, StoreErrorKind> {
    for (field, value) in fields {
        if field.first() == Some(&b'o') {
            let ts = value.get(..DIGITS).ok_or(StoreErrorKind::Corrupt)?;
            if keys::time_of(ts)? >= horizon.forgotten_before {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
