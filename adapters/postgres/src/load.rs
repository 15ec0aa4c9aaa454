//! Reading records by key: one statement, at one moment.

use std::sync::LazyLock;

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{Horizon, Record};
use liveops_core::store::Loaded;
use liveops_core::{Key, Timestamp};
use tokio_postgres::Row;

use crate::Inner;
use crate::columns::origin;
use crate::error::{Fault, corrupt, misconfigured};

const LOAD: &str = include_str!("sql/load.sql");
/// Of players and outcomes, which is what most rounds ask for.
static LOAD_FEW: LazyLock<String> = LazyLock::new(|| LOAD.split("-- More:").next().unwrap_or(LOAD).to_owned());
/// Keys of one statement. Players come before what belongs to them, so that several statements read them first, too.
const KEYS_MAX: usize = 16_384;

/// Keys by kind, each with its place.
#[derive(Default)]
struct Asked<'k> {
    player: (Vec<&'k str>, Vec<i32>),
    outcome: (Vec<&'k str>, Vec<i16>, Vec<&'k str>, Vec<i32>),
    receipt: (Vec<&'k str>, Vec<i64>, Vec<i32>),
    suspicion: (Vec<&'k str>, Vec<i64>, Vec<i32>),
}

impl<'k> Asked<'k> {
    fn of(keys: &'k [Key]) -> Self {
        let mut asked = Self::default();
        for (at, key) in (0..).zip(keys) {
            match key {
                Key::Player(player) => {
                    asked.player.0.push(player.as_str());
                    asked.player.1.push(at);
                }
                Key::Outcome(player, id) => {
                    asked.outcome.0.push(player.as_str());
                    asked.outcome.1.push(origin(id.origin));
                    asked.outcome.2.push(id.id.as_str());
                    asked.outcome.3.push(at);
                }
                Key::Receipt(player, n) | Key::Suspicion(player, n) => {
                    let is_receipt = matches!(key, Key::Receipt(..));
                    let numbered = if is_receipt { &mut asked.receipt } else { &mut asked.suspicion };
                    // No row has a number that is too large for one.
                    if let Ok(n) = i64::try_from(*n) {
                        numbered.0.push(player.as_str());
                        numbered.1.push(n);
                        numbered.2.push(at);
                    }
                }
                _ => {}
            }
        }
        asked
    }
}

impl Inner {
    /// Answers every key.
    pub(crate) async fn load_keys(&self, keys: &[Key]) -> Vec<Loaded> {
        let mut answers = Vec::with_capacity(keys.len());
        for some in keys.chunks(KEYS_MAX) {
            match self.load_some(some).await {
                Ok(some) => answers.extend(some),
                Err(error) if error.kind == StoreErrorKind::Corrupt => answers.extend(self.load_each(some).await),
                Err(error) => answers.extend(some.iter().map(|_| Err(error.clone()))),
            }
        }
        answers
    }

    /// Player by player: the server cannot read somebody's row, and answers nobody who is asked for together with it.
    async fn load_each(&self, keys: &[Key]) -> Vec<Loaded> {
        let mut answers = Vec::with_capacity(keys.len());
        for own in keys.chunk_by(|a, b| a.player() == b.player()) {
            match self.load_some(own).await {
                Ok(own) => answers.extend(own),
                Err(error) => answers.extend(own.iter().map(|_| Err(error.clone()))),
            }
        }
        answers
    }

    async fn load_some(&self, keys: &[Key]) -> Result<Vec<Loaded>, StoreError> {
        let Asked { player: p, outcome: o, receipt: r, suspicion: s } = Asked::of(keys);
        let mut session = self.session().await?;
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 13] =
            [&self.game, &p.0, &p.1, &o.0, &o.1, &o.2, &o.3, &r.0, &r.1, &r.2, &s.0, &s.1, &s.2];
        let is_few = r.2.is_empty() && s.2.is_empty();
        let rows =
            if is_few { session.query(&LOAD_FEW, &values[..7]).await } else { session.query(LOAD, &values).await };
        session.done();
        let mut horizon = None;
        let mut answers: Vec<Loaded> = keys.iter().map(|_| Ok(None)).collect();
        for row in rows.map_err(Fault::reading)? {
            match usize::try_from(row.get::<_, i32>(0)) {
                Err(_) => horizon = Some(horizon_of(&row, 2)),
                Ok(at) => {
                    if let (Some(key), Some(answer)) = (keys.get(at), answers.get_mut(at)) {
                        *answer = record_of(key, row.get(1)).map(Some).map_err(StoreError::from);
                    }
                }
            }
        }
        let horizon = horizon.ok_or_else(|| misconfigured("the game's rows in the database"))?;
        for (key, answer) in keys.iter().zip(&mut answers) {
            if *key == Key::Horizon {
                *answer = Ok(Some(Record::Horizon(horizon)));
            }
        }
        Ok(answers)
    }

    /// How far the store is.
    pub(crate) async fn horizon(&self) -> Result<Horizon, StoreError> {
        match self.load_some(&[Key::Horizon]).await?.pop() {
            Some(Ok(Some(Record::Horizon(horizon)))) => Ok(horizon),
            _ => Err(corrupt()),
        }
    }
}

/// Two columns from there on.
pub(crate) fn horizon_of(row: &Row, at: usize) -> Horizon {
    let time = |at| Timestamp::from_unix_millis(row.get(at));
    Horizon { now: time(at), forgotten_before: time(at + 1) }
}

/// A record that is of the kind that its key says.
pub(crate) fn record_of(key: &Key, bytes: &[u8]) -> Result<Record, StoreErrorKind> {
    let record = Record::decode(bytes)?;
    let is_of_kind = matches!(
        (key, &record),
        (Key::Player(_), Record::Player(_))
            | (Key::Outcome(..), Record::Outcome(_))
            | (Key::Receipt(..), Record::Receipt(_))
            | (Key::Suspicion(..), Record::Suspicion(_))
    );
    if is_of_kind { Ok(record) } else { Err(StoreErrorKind::Corrupt) }
}
