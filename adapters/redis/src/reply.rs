//! Values of answers as what they are to be.

use redis::Value;

use crate::error::Fault;
use crate::keys;

/// The bytes, or that there are none.
pub(crate) fn bytes(value: Value) -> Result<Option<Vec<u8>>, Fault> {
    match value {
        Value::Nil => Ok(None),
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Ok(Some(text.into_bytes())),
        Value::Okay => Ok(Some(b"OK".to_vec())),
        Value::Int(number) => Ok(Some(number.to_string().into_bytes())),
        _ => Err(Fault::Strange),
    }
}

/// The values of a list; of none, none.
pub(crate) fn list(value: Value) -> Result<Vec<Value>, Fault> {
    match value {
        Value::Array(all) | Value::Set(all) => Ok(all),
        Value::Map(pairs) => Ok(pairs.into_iter().flat_map(|(name, value)| [name, value]).collect()),
        Value::Nil => Ok(Vec::new()),
        _ => Err(Fault::Strange),
    }
}

/// The bytes of a list.
pub(crate) fn list_of_bytes(value: Value) -> Result<Vec<Option<Vec<u8>>>, Fault> {
    list(value)?.into_iter().map(bytes).collect()
}

/// So many of them.
pub(crate) fn fields<const N: usize>(value: Value) -> Result<[Option<Vec<u8>>; N], Fault> {
    list_of_bytes(value)?.try_into().map_err(|_| Fault::Strange)
}

/// A field's name and its value.
pub(crate) type Field = (Vec<u8>, Vec<u8>);

/// The bytes of a list in pairs.
pub(crate) fn pairs(value: Value) -> Result<Vec<Field>, Fault> {
    let all = list_of_bytes(value)?;
    let mut pairs = Vec::with_capacity(all.len() / 2);
    let mut all = all.into_iter().flatten();
    while let Some(name) = all.next() {
        pairs.push((name, all.next().ok_or(Fault::Strange)?));
    }
    Ok(pairs)
}

/// The number.
pub(crate) fn number(value: Value) -> Result<u64, Fault> {
    let digits = bytes(value)?.ok_or(Fault::Strange)?;
    keys::cursor_of(&digits).ok_or(Fault::Strange)
}

/// Entries of a stream, each with its cursor, its first field's name and value: the notice.
pub(crate) fn entries(value: Value) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::new();
    for entry in list(value)? {
        let mut parts = list(entry)?.into_iter();
        let (Some(id), Some(fields)) = (parts.next(), parts.next()) else { return Err(Fault::Strange) };
        let cursor = bytes(id)?.and_then(|id| keys::cursor_of_entry(&id).ok()).ok_or(Fault::Strange)?;
        let mut fields = list(fields)?.into_iter().skip(1);
        let notice = fields.next().map(bytes).transpose()?.flatten().ok_or(Fault::Strange)?;
        entries.push(Entry { cursor, notice });
    }
    Ok(entries)
}

/// One entry of an outbox.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) cursor: u64,
    pub(crate) notice: Vec<u8>,
}
