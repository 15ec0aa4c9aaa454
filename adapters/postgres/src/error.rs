//! What PostgreSQL and the network say, as a store says it. Never their texts: those hold ids, rows, addresses and passwords.

use std::error::Error as _;
use std::fmt;
use std::io;

use liveops_core::error::{StoreError, StoreErrorKind};
use tokio_postgres::error::Severity;

/// How a statement failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The server refused it, and says why in five characters.
    Refused {
        code: String,
        /// The session ended with it.
        is_fatal: bool,
    },
    /// No answer came in time.
    TimedOut,
    /// The connection is gone.
    Lost,
    /// Nothing was sent.
    Store(StoreError),
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(refusal) => Self::Refused {
                code: refusal.code().code().to_owned(),
                is_fatal: !matches!(refusal.parsed_severity(), Some(Severity::Error)),
            },
            None => Self::Lost,
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<StoreErrorKind> for Fault {
    fn from(kind: StoreErrorKind) -> Self {
        Self::Store(kind.into())
    }
}

/// What stands in a column is not what is written there.
pub(crate) fn corrupt() -> StoreError {
    StoreErrorKind::Corrupt.into()
}

/// The set-up is wrong, and what would be right.
pub(crate) fn misconfigured(wanted: &'static str) -> StoreError {
    StoreError::with_source(StoreErrorKind::Misconfigured, Said(wanted.to_owned()))
}

/// Nothing was written, and why.
pub(crate) fn unavailable(why: &'static str) -> StoreError {
    StoreError::with_source(StoreErrorKind::Unavailable, Said(why.to_owned()))
}

impl Fault {
    /// Of a statement that only reads, and of one in a transaction that was not committed.
    pub(crate) fn reading(self) -> StoreError {
        self.into_error(StoreErrorKind::Unavailable)
    }

    /// Of a statement that may have written.
    pub(crate) fn writing(self) -> StoreError {
        self.into_error(StoreErrorKind::OutcomeUnknown)
    }

    /// Whether the same statement may fare better at once: it was rolled back for another's sake.
    pub(crate) fn is_rolled_back(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "40001" || code == "40P01")
    }

    /// Whether it comes of what one player's rows hold.
    pub(crate) fn is_of_data(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if kind_of(code) == Some(StoreErrorKind::Corrupt))
    }

    fn into_error(self, unknown: StoreErrorKind) -> StoreError {
        match self {
            Self::Refused { code, .. } => {
                StoreError::with_source(kind_of(&code).unwrap_or(unknown), Said(format!("SQLSTATE {code}")))
            }
            Self::TimedOut => StoreError::with_source(unknown, Said("no answer in time".to_owned())),
            Self::Lost => StoreError::with_source(unknown, Said("the connection was lost".to_owned())),
            Self::Store(error) => error,
        }
    }
}

/// What could not be connected to. Nothing was sent.
pub(crate) fn connecting(error: &tokio_postgres::Error) -> StoreError {
    if let Some(code) = error.code() {
        let kind = kind_of(code.code()).unwrap_or(StoreErrorKind::Unavailable);
        return StoreError::with_source(kind, Said(format!("SQLSTATE {}", code.code())));
    }
    let said = error.to_string();
    if said.starts_with("error performing TLS handshake") && !is_of_network(error) {
        return misconfigured("a server whose TLS certificate can be verified: name its authority, or sslmode=disable");
    }
    if said.starts_with("invalid configuration") || said.starts_with("authentication error") {
        return misconfigured("an address with everything that the server asks for");
    }
    unavailable("no connection")
}

/// Whether the connection broke, and was not refused.
fn is_of_network(error: &tokio_postgres::Error) -> bool {
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(error) = source.downcast_ref::<io::Error>() {
            return error.kind() != io::ErrorKind::InvalidData && error.kind() != io::ErrorKind::InvalidInput;
        }
        next = source.source();
    }
    false
}

/// What a code says for certain; `None` where nobody knows what became of the statement.
fn kind_of(code: &str) -> Option<StoreErrorKind> {
    Some(match code {
        "53100" => StoreErrorKind::Full,
        "25006" | "55P03" | "57014" => StoreErrorKind::Unavailable,
        "XX001" | "XX002" => StoreErrorKind::Corrupt,
        _ => match code.get(..2)? {
            "40" | "53" => StoreErrorKind::Unavailable,
            "22" | "23" => StoreErrorKind::Corrupt,
            "26" | "28" | "3D" | "3F" | "42" => StoreErrorKind::Misconfigured,
            _ => return None,
        },
    })
}

/// A text that is safe to log.
#[derive(Debug)]
struct Said(String);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Said {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_what_became_of_a_commit() {
        use StoreErrorKind::{Corrupt, Full, Misconfigured, OutcomeUnknown, Unavailable};
        for (code, wanted) in [
            ("40001", Unavailable),
            ("40P01", Unavailable),
            ("53100", Full),
            ("53300", Unavailable),
            ("25006", Unavailable),
            ("55P03", Unavailable),
            ("57014", Unavailable),
            ("57P01", OutcomeUnknown),
            ("08006", OutcomeUnknown),
            ("XX000", OutcomeUnknown),
            ("XX001", Corrupt),
            ("23505", Corrupt),
            ("22P05", Corrupt),
            ("28P01", Misconfigured),
            ("3D000", Misconfigured),
            ("42501", Misconfigured),
            ("", OutcomeUnknown),
        ] {
            let fault = || Fault::Refused { code: code.to_owned(), is_fatal: false };
            assert_eq!(fault().writing().kind, wanted, "{code}");
            let read = if wanted == OutcomeUnknown { Unavailable } else { wanted };
            assert_eq!(fault().reading().kind, read, "{code}");
        }
        assert_eq!(Fault::TimedOut.writing().kind, OutcomeUnknown);
        assert_eq!(Fault::Lost.writing().kind, OutcomeUnknown);
        assert_eq!(Fault::Lost.reading().kind, Unavailable);
    }
}
