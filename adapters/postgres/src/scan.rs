//! Reading records in the order of keys.

use liveops_core::error::StoreError;
use liveops_core::record::{Kind, Record};
use liveops_core::{CommandId, EventId, Key, Origin, PlayerId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::Inner;
use crate::columns::origin;
use crate::error::{Fault, corrupt};
use crate::load::record_of;
use crate::session::Session;

const SCAN: &str = include_str!("sql/scan.sql");
/// Behind every id: they are visible ASCII.
const END: &str = "\u{7f}";
/// Records of one statement.
pub(crate) const PAGE_RECORDS: usize = 4_096;

/// Which records are met, in the order of keys.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Walk<'w> {
    /// Of one kind, or of all.
    pub(crate) kind: Option<Kind>,
    /// Those behind a key.
    pub(crate) after: Option<&'w Key>,
    /// Those of one player.
    pub(crate) only: Option<&'w PlayerId>,
}

impl Walk<'_> {
    /// The next page of it: keys, and the bytes of their records.
    pub(crate) async fn page(self, session: &mut Session, game: i32, limit: usize) -> Result<Vec<(Key, Row)>, Fault> {
        let own_key = self.only.map(|player| Key::Player(player.clone()));
        // Before the first record of the only player, unless it goes on behind that.
        let after = self.after.filter(|after| own_key.as_ref().is_none_or(|own| *after >= own));
        let through = self.only.map_or(END, PlayerId::as_str);
        let start = after.and_then(Key::player).or(self.only).map_or("", PlayerId::as_str);
        let met = after.and_then(Key::kind);
        let wants = |kind: Kind| self.kind.is_none_or(|wanted| wanted == kind);
        // Behind what, of a kind's records of the first player: nothing, all, or those up to the key.
        let outcomes = match (after, met) {
            (Some(Key::Outcome(_, id)), _) => (origin(id.origin), id.id.as_str()),
            (_, Some(Kind::Receipt | Kind::Suspicion)) => (i16::MAX, ""),
            _ => (-1, ""),
        };
        let numbered = |kind: Kind| match after {
            Some(Key::Receipt(_, n) | Key::Suspicion(_, n)) if met == Some(kind) => {
                i64::try_from(*n).unwrap_or(i64::MAX)
            }
            _ if met > Some(kind) => i64::MAX,
            _ => -1,
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values: [&(dyn ToSql + Sync); 16] = [
            &game,
            &through,
            &wants(Kind::Player),
            &start,
            &met.is_none(),
            &wants(Kind::Outcome),
            &start,
            &outcomes.0,
            &outcomes.1,
            &wants(Kind::Receipt),
            &start,
            &numbered(Kind::Receipt),
            &wants(Kind::Suspicion),
            &start,
            &numbered(Kind::Suspicion),
            &limit,
        ];
        let rows = session.query(SCAN, &values).await?;
        rows.into_iter().map(|row| Ok((key_of(&row)?, row))).collect()
    }
}

/// The bytes of a row's record.
pub(crate) fn bytes_of(row: &Row) -> &[u8] {
    row.get(5)
}

fn key_of(row: &Row) -> Result<Key, StoreError> {
    let player = PlayerId::new(row.get(0)).map_err(|_| corrupt())?;
    let number = || u64::try_from(row.get::<_, i64>(4)).map_err(|_| corrupt());
    Ok(match row.get::<_, i16>(1) {
        0 => Key::Player(player),
        1 => {
            let origin = if row.get::<_, i16>(2) == 0 { Origin::Event } else { Origin::Operator };
            Key::Outcome(player, CommandId { origin, id: EventId::new(row.get(3)).map_err(|_| corrupt())? })
        }
        2 => Key::Receipt(player, number()?),
        _ => Key::Suspicion(player, number()?),
    })
}

impl Inner {
    /// Records, at most so many.
    pub(crate) async fn scan_page(&self, walk: Walk<'_>, limit: usize) -> Result<Vec<(Key, Record)>, StoreError> {
        let mut records = Vec::with_capacity(limit.min(PAGE_RECORDS));
        let mut last: Option<Key> = None;
        while records.len() < limit {
            let mut session = self.session().await?;
            let wanted = (limit - records.len()).min(PAGE_RECORDS);
            let walk = Walk { after: last.as_ref().or(walk.after), ..walk };
            let page = walk.page(&mut session, self.game, wanted).await;
            session.done();
            let page = page.map_err(Fault::reading)?;
            let is_end = page.len() < wanted;
            for (key, row) in page {
                let record = record_of(&key, bytes_of(&row))?;
                records.push((key, record));
            }
            if is_end {
                break;
            }
            last = records.last().map(|(key, _)| key.clone());
        }
        Ok(records)
    }
}
