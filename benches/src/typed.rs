//! The events of [`crate::Traffic`] as a type, for a reader without any strictness: what ours is measured beside.

use serde::Deserialize;

/// A progression event.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TypedEvent {
    /// Its name.
    pub id: String,
    /// `progression`.
    pub r#type: String,
    /// Whose it is.
    pub player_id: String,
    /// When it happened, in Unix seconds.
    pub ts: i64,
    /// What happened.
    pub payload: TypedPayload,
}

/// What a progression event says.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TypedPayload {
    /// The XP asked for.
    pub delta_xp: u64,
    /// Doing what.
    pub activity: Option<String>,
    /// Where.
    pub zone: Option<String>,
}
