//! Errors: a listed set of codes that bindings and HTTP layers can rely on, and why a store failed.

use std::fmt;
use std::sync::Arc;

macro_rules! codes {
    ($($group:literal { $($name:ident = $text:literal, $status:literal, $doc:literal;)+ })+) => {
        /// Stable code of an error: the same text in Rust, Python, Node and HTTP. It never changes once released.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[doc = $doc] $name,)+)+ }

        impl Code {
            /// Every code, grouped by who can do something about it.
            pub const GROUPS: &'static [(&'static str, &'static [Self])] = &[$(($group, &[$(Self::$name,)+]),)+];

            /// The stable text.
            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$name => $text,)+)+ }
            }

            /// The HTTP status that a server in front should answer with.
            pub const fn http_status(self) -> u16 {
                match self { $($(Self::$name => $status,)+)+ }
            }

            /// One sentence for people.
            pub const fn description(self) -> &'static str {
                match self { $($(Self::$name => $doc,)+)+ }
            }
        }
    };
}

codes! {
    "Event: the sender can mend the body" {
        Syntax = "syntax", 400, "The body is not JSON.";
        InvalidUtf8 = "invalid_utf8", 400, "The body is not UTF-8.";
        TooLarge = "too_large", 413, "The body is longer than the limit.";
        TooDeep = "too_deep", 400, "The JSON is nested deeper than the limit.";
        DuplicateKey = "duplicate_key", 400, "An object has the same key twice.";
        UnknownField = "unknown_field", 400, "The event type has no such field.";
        Missing = "missing", 400, "A required field is missing.";
        WrongType = "wrong_type", 400, "A field has a value of another JSON type.";
        NotInteger = "not_integer", 400, "A number is not an integer where one is meant.";
        OutOfRange = "out_of_range", 400, "A number is outside its range.";
        TooShort = "too_short", 400, "A text or array is shorter than its limit.";
        TooLong = "too_long", 400, "A text or array is longer than its limit.";
        InvalidFormat = "invalid_format", 400, "A text has another form than its field asks for.";
        UnknownType = "unknown_type", 400, "The rules know no such event type.";
        TrailingData = "trailing_data", 400, "Something follows the JSON value.";
        TooOld = "too_old", 400, "The command's time is so old that its first outcome may be forgotten.";
        TooFarInFuture = "too_far_in_future", 400, "The command's time lies too far ahead of its arrival.";
        IdInvalid = "id_invalid", 400, "An identifier is not 1 to 64 visible ASCII bytes.";
        MissingEventId = "missing_event_id", 400, "Neither the body nor a header names the event.";
        EventIdMismatch = "event_id_mismatch", 400, "Body and header name the event differently.";
        EventIdReused = "event_id_reused", 409, "The id was used before with other content.";
    }
    "Signature: the sender can mend the headers or the secret" {
        MissingHeader = "missing_header", 401, "A signature header is missing.";
        MalformedHeader = "malformed_header", 401, "A signature header has a wrong form.";
        TimestampTooOld = "timestamp_too_old", 401, "The message was signed too long ago.";
        TimestampTooNew = "timestamp_too_new", 401, "The message was signed too far in the future.";
        UnknownKey = "unknown_key", 401, "No valid key has this id.";
        KeyPlayerMismatch = "key_player_mismatch", 401, "The key belongs to another player.";
        SignatureMismatch = "signature_mismatch", 401, "No signature matches the message.";
        SecretInvalid = "secret_invalid", 500, "A secret is too short, too long or not base64.";
    }
    "Quota: the sender can wait" {
        RateLimited = "rate_limited", 429, "More than the quota allows; try again later.";
        LimiterFull = "limiter_full", 429, "The limiter holds as many keys as it may.";
    }
    "Decision: the game's state says no" {
        ScoreOverflow = "score_overflow", 422, "A score or total would leave the integers that every language holds exactly.";
        PlayerErased = "player_erased", 410, "The command is not newer than the player's erasure.";
        SuspicionUnknown = "suspicion_unknown", 404, "The player has no such suspicion.";
        HoldsFull = "holds_full", 409, "The event would be held, and as many as are kept wait for a review; review some first.";
        SuspicionSettled = "suspicion_settled", 409, "The suspicion was released or confirmed before.";
        StandingUnknown = "standing_unknown", 404, "The player has no entry in this period of the board.";
        PlayerHidden = "player_hidden", 409, "The player is hidden and cannot be paid; show the player first.";
        ReceiptUnknown = "receipt_unknown", 404, "The player has no such receipt, or it is no longer kept.";
        ReceiptSettled = "receipt_settled", 409, "The receipt was given at once, or was revoked before.";
        ClaimExpired = "claim_expired", 410, "The time to claim the reward is over.";
        CurveChanged = "curve_changed", 409, "The rules have another level curve than the one the migration leads to.";
        PeriodOpen = "period_open", 409, "The period still takes events; advance past its closing first.";
    }
    "Reading: the caller asked for what is not there" {
        UnknownBoard = "unknown_board", 404, "The rules know no such board.";
        UnknownWindow = "unknown_window", 400, "The board has no such window.";
        UnknownPeriod = "unknown_period", 404, "The window has no such period: none runs between two seasons, and an archived one is kept as an archive alone.";
        PeriodDropped = "period_dropped", 410, "The period is no longer kept; an archive that was made of it still is.";
        CursorInvalid = "cursor_invalid", 400, "The cursor is of another board or period, or no cursor at all.";
        UnknownPayout = "unknown_payout", 404, "The rules pay nothing for this window of the board.";
    }
    "Set-up: the operator can mend the configuration" {
        RulesInvalid = "rules_invalid", 500, "The rules document is wrong at the path given.";
        BoardIncompatible = "board_incompatible", 409, "New rules change the operator, order or calendar of a live board.";
        SnapshotCorrupt = "snapshot_corrupt", 500, "The bytes are no snapshot of this kind, or were changed since.";
        InvalidArgument = "invalid_argument", 500, "An argument is outside what the call allows.";
        ClockUnit = "clock_unit", 500, "The time is not in milliseconds, by the store's horizon, its newest event or the clock.";
        ClockJump = "clock_jump", 409, "The time lies more than 31 days past the store's horizon, or past the clock; say that it is meant, if it is.";
        CurveUnknown = "curve_unknown", 503, "The player stands on a level curve that the rules do not lead on from; list it in their migrations.";
        WouldBlock = "would_block", 500, "The call would block the thread that runs others' tasks; use the asynchronous form.";
        Forked = "forked", 500, "The engine was made before a fork; make it in the process that uses it.";
        Closed = "closed", 500, "The object was closed, and holds nothing any more.";
    }
    "Store: may pass, or needs the operator" {
        Contended = "contended", 503, "Concurrent writers kept winning; nothing of this run was applied.";
        NotAttempted = "not_attempted", 503, "An earlier command of the player in the same batch failed; this one was not tried.";
        StoreUnavailable = "store_unavailable", 503, "The store cannot be reached; nothing was written.";
        StoreOutcomeUnknown = "store_outcome_unknown", 503, "The store did not say whether it wrote; send the command again.";
        StoreFull = "store_full", 503, "The store is full; nothing was written.";
        FeedFull = "feed_full", 503, "The feed is full until it is acknowledged; nothing was written.";
        FeedGap = "feed_gap", 410, "The feed no longer has what follows the cursor, or never did; begin anew from the records.";
        StoreInUse = "store_in_use", 503, "Another process, or another store of this one, has the store open.";
        StoreCorrupt = "store_corrupt", 500, "Stored bytes make no sense; nothing was written.";
        RecordTooNew = "record_too_new", 500, "A record was written by a newer version; nothing was written.";
        StoreMisconfigured = "store_misconfigured", 500, "The store breaks its contract or is set up wrongly.";
    }
}

impl Code {
    /// Every code.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::GROUPS.iter().flat_map(|(_, codes)| codes.iter().copied())
    }

    /// The code of a stable text.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::all().find(|code| code.as_str() == text)
    }

    /// Whether the same command may fare better later.
    pub const fn is_transient(self) -> bool {
        matches!(self.http_status(), 429 | 503)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What went wrong, with the code to act on and the cause to log.
#[derive(Clone, Debug)]
pub struct Error {
    code: Code,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error with no cause.
    pub const fn new(code: Code) -> Self {
        Self { code, source: None }
    }

    /// An error and its cause.
    pub fn with_source(code: Code, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { code, source: Some(Arc::new(source)) }
    }

    /// The stable code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// Whether the same command may fare better later.
    pub const fn is_transient(&self) -> bool {
        self.code.is_transient()
    }

    /// The HTTP status that a server in front should answer with.
    pub const fn http_status(&self) -> u16 {
        self.code.http_status()
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

/// By code; causes are for logs.
impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.code.description())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}

/// What kind of failure a store reports. With every kind but [`Self::OutcomeUnknown`] the store vouches that nothing
/// was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Nothing was written; try again.
    Unavailable,
    /// It may or may not have been written.
    OutcomeUnknown,
    /// Nothing was written; there is no room.
    Full,
    /// Nothing was written; the feed waits to be acknowledged.
    FeedFull,
    /// What is stored makes no sense; nothing was written.
    Corrupt,
    /// What is stored was written by a newer version; nothing was written.
    TooNew,
    /// The store is set up wrongly; nothing was written.
    Misconfigured,
    /// Somebody else has it open; nothing was written.
    InUse,
    /// It was opened before a fork; nothing was written.
    Forked,
    /// The call would block a thread that may not be blocked; nothing was written.
    WouldBlock,
    /// The feed has not what was asked for.
    FeedGap,
    /// The records are of boards that count or sort otherwise; nothing was written.
    BoardIncompatible,
}

impl StoreErrorKind {
    /// The code that callers see.
    pub const fn code(self) -> Code {
        match self {
            Self::Unavailable => Code::StoreUnavailable,
            Self::OutcomeUnknown => Code::StoreOutcomeUnknown,
            Self::Full => Code::StoreFull,
            Self::FeedFull => Code::FeedFull,
            Self::Corrupt => Code::StoreCorrupt,
            Self::TooNew => Code::RecordTooNew,
            Self::Misconfigured => Code::StoreMisconfigured,
            Self::InUse => Code::StoreInUse,
            Self::Forked => Code::Forked,
            Self::WouldBlock => Code::WouldBlock,
            Self::FeedGap => Code::FeedGap,
            Self::BoardIncompatible => Code::BoardIncompatible,
        }
    }
}

/// Why a store failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}: {}", kind.code(), kind.code().description())]
pub struct StoreError {
    /// What to do about it.
    pub kind: StoreErrorKind,
    /// What to log.
    pub source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// A failure with no further cause.
    pub const fn new(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// A failure and its cause.
    pub fn with_source(kind: StoreErrorKind, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind, source: Some(source.into().into()) }
    }
}

impl From<StoreErrorKind> for StoreError {
    fn from(kind: StoreErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::with_source(error.kind.code(), error)
    }
}

/// The page `docs/errors.md`, so that it can be compared with what is there.
pub fn reference() -> String {
    use fmt::Write as _;
    let mut page = String::from(
        "# Errors\n\nGenerated from `liveops-core/src/error.rs` by `cargo xtask fix`. A code means the same in Rust \
         (`error.code()`), Python (`error.code`), Node (`error.code`) and HTTP problem documents. A transient error \
         (429, 503) may go away: send the same command again with the same id.\n",
    );
    for (group, codes) in Code::GROUPS {
        // Writing to a string cannot fail.
        _ = write!(page, "\n## {group}\n\n| code | HTTP | meaning |\n|---|---|---|\n");
        for code in *codes {
            _ = writeln!(page, "| `{code}` | {} | {} |", code.http_status(), code.description());
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_snake_case() {
        let all: Vec<_> = Code::all().map(Code::as_str).collect();
        let unique: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(unique.len(), all.len());
        assert!(all.iter().all(|c| c.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'8')));
        assert!(Code::all().all(|c| Code::from_text(c.as_str()) == Some(c)));
    }

    #[test]
    fn the_reference_page_is_up_to_date() {
        let page = include_str!("../../docs/errors.md");
        assert_eq!(page, reference(), "run `cargo xtask fix`");
    }
}
