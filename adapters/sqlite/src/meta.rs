//! What the file says of itself: the game, the horizon, the header, the feed's setting and where its entries begin.

use liveops_core::Timestamp;
use liveops_core::error::StoreErrorKind;
use liveops_core::record::{Header, Horizon};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::Fault;
use crate::proof::Name;

/// Of which game the records are.
pub(crate) const GAME: &str = "game";
/// What [`liveops_core::Store::header`] answers, once there is something to answer.
pub(crate) const HEADER: &str = "header";
/// How many entries the feed may hold; without it there is no feed.
pub(crate) const FEED_LEN_MAX: &str = "feed_len_max";
/// Entries through this cursor are gone, or were never written.
pub(crate) const FEED_FROM: &str = "feed_from";
/// There in a backup until it is opened.
pub(crate) const IS_COPY: &str = "is_copy";
const NOW: &str = "now";
const FORGOTTEN_BEFORE: &str = "forgotten_before";

/// The value under a key.
pub(crate) fn get(conn: &Connection, key: &str) -> Result<Option<Value>, Fault> {
    let mut select = conn.prepare_cached("SELECT value, proof FROM meta WHERE key=?1")?;
    let found = select.query_row([key], |row| Ok((row.get::<_, Value>(0)?, row.get::<_, Vec<u8>>(1)?))).optional()?;
    let Some((value, proof)) = found else { return Ok(None) };
    if proof == Name::meta(key).proof(&bytes(&value)) { Ok(Some(value)) } else { Err(StoreErrorKind::Corrupt.into()) }
}

/// Sets it.
pub(crate) fn set(conn: &Connection, key: &str, value: impl Into<Value>) -> Result<(), Fault> {
    let value = value.into();
    let proof = Name::meta(key).proof(&bytes(&value));
    conn.prepare_cached("INSERT OR REPLACE INTO meta(key, value, proof) VALUES (?1, ?2, ?3)")?
        .execute(params![key, value, proof])?;
    Ok(())
}

/// A number under a key.
pub(crate) fn number(conn: &Connection, key: &str) -> Result<Option<i64>, Fault> {
    match get(conn, key)? {
        None => Ok(None),
        Some(Value::Integer(number)) => Ok(Some(number)),
        Some(_) => Err(StoreErrorKind::Corrupt.into()),
    }
}

/// A count under a key.
pub(crate) fn count(conn: &Connection, key: &str) -> Result<Option<u64>, Fault> {
    let number = number(conn, key)?;
    number.map(|number| u64::try_from(number).map_err(|_| StoreErrorKind::Corrupt.into())).transpose()
}

/// Sets it.
pub(crate) fn set_count(conn: &Connection, key: &str, count: u64) -> Result<(), Fault> {
    set(conn, key, i64::try_from(count).unwrap_or(i64::MAX))
}

/// How far the store has been moved in time.
pub(crate) fn horizon(conn: &Connection) -> Result<Horizon, Fault> {
    let before = Horizon::default();
    let time = |key, before| Ok::<_, Fault>(number(conn, key)?.map_or(before, Timestamp::from_unix_millis));
    Ok(Horizon { now: time(NOW, before.now)?, forgotten_before: time(FORGOTTEN_BEFORE, before.forgotten_before)? })
}

/// Moves it.
pub(crate) fn set_horizon(conn: &Connection, horizon: Horizon) -> Result<(), Fault> {
    set(conn, NOW, horizon.now.as_unix_millis())?;
    set(conn, FORGOTTEN_BEFORE, horizon.forgotten_before.as_unix_millis())
}

/// What the records are of.
pub(crate) fn header(conn: &Connection) -> Result<Header, Fault> {
    match get(conn, HEADER)? {
        None => Ok(Header::default()),
        Some(Value::Blob(bytes)) => Ok(Header::decode(&bytes)?),
        Some(_) => Err(StoreErrorKind::Corrupt.into()),
    }
}

/// A value with its type, as it is proved.
fn bytes(value: &Value) -> Vec<u8> {
    let (kind, bytes): (u8, Vec<u8>) = match ValueRef::from(value) {
        ValueRef::Null => (0, Vec::new()),
        ValueRef::Integer(number) => (1, number.to_be_bytes().to_vec()),
        ValueRef::Real(number) => (2, number.to_be_bytes().to_vec()),
        ValueRef::Text(text) => (3, text.to_vec()),
        ValueRef::Blob(blob) => (4, blob.to_vec()),
    };
    let mut all = vec![kind];
    all.extend(bytes);
    all
}
