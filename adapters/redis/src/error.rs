//! What servers and the network say, as a store says it. Texts name kind and code alone: what else a server says may hold ids,
//! addresses and passwords.

use std::io;
use std::sync::Arc;

use liveops_core::error::{StoreError, StoreErrorKind};
use redis::{ErrorKind, RedisError};

/// Why there is no answer, or one that says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There is no connection: nothing was sent.
    NotSent(String),
    /// There is none, and will be none until somebody changes the set-up.
    Refused(String),
    /// It was sent, and the answer did not come.
    Lost(String),
    /// The server's own answer, by its code.
    Answer(String),
    /// The answer is of a kind that the command never has.
    Strange,
}

impl Fault {
    /// Why a connection was not made.
    pub(crate) fn of_connecting(error: &RedisError) -> Self {
        let code = || error.code().unwrap_or_default().to_owned();
        match error.kind() {
            ErrorKind::AuthenticationFailed | ErrorKind::InvalidClientConfig | ErrorKind::RESP3NotSupported => {
                Self::Refused(format!("{:?} {}", error.kind(), code()).trim_end().to_owned())
            }
            ErrorKind::Server(_) | ErrorKind::Extension => match kind_of_answer(&code(), false) {
                StoreErrorKind::Misconfigured => Self::Refused(code()),
                _ => Self::NotSent(code()),
            },
            // Of certificates that do not fit, rustls speaks as of bytes that do not.
            ErrorKind::Io if io_kind(error) == Some(io::ErrorKind::InvalidData) => {
                Self::Refused("the TLS handshake failed".to_owned())
            }
            _ => Self::NotSent(text(error)),
        }
    }

    /// Why an answer did not come.
    pub(crate) fn of_asking(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(_) | ErrorKind::Extension => Self::Answer(error.code().unwrap_or_default().to_owned()),
            _ => Self::Lost(text(error)),
        }
    }

    /// The code of the server's answer.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Answer(code) => code,
            _ => "",
        }
    }

    /// Where nothing was to be written, or may be written again.
    pub(crate) fn of_reading(&self) -> StoreError {
        self.error(false)
    }

    /// Where a commit may have been written.
    pub(crate) fn of_writing(&self) -> StoreError {
        self.error(true)
    }

    fn error(&self, writes: bool) -> StoreError {
        let lost = if writes { StoreErrorKind::OutcomeUnknown } else { StoreErrorKind::Unavailable };
        let (kind, text) = match self {
            Self::NotSent(text) => (StoreErrorKind::Unavailable, text.as_str()),
            Self::Refused(text) => (StoreErrorKind::Misconfigured, text.as_str()),
            Self::Lost(text) => (lost, text.as_str()),
            Self::Answer(code) => (kind_of_answer(code, writes), code.as_str()),
            Self::Strange if writes => (StoreErrorKind::OutcomeUnknown, "an answer of another kind"),
            Self::Strange => (StoreErrorKind::Corrupt, "an answer of another kind"),
        };
        StoreError::with_source(kind, text.to_owned())
    }
}

/// What a server's code says of what was asked. A script that was refused at its door, or failed at its first write, wrote nothing.
fn kind_of_answer(code: &str, writes: bool) -> StoreErrorKind {
    match code {
        "OOM" => StoreErrorKind::Full,
        "WRONGTYPE" => StoreErrorKind::Corrupt,
        "LOADING" | "CLUSTERDOWN" | "TRYAGAIN" | "READONLY" | "MASTERDOWN" | "NOREPLICAS" | "MISCONF" | "BUSY"
        | "MOVED" | "ASK" | "NOSCRIPT" => StoreErrorKind::Unavailable,
        "NOAUTH" | "WRONGPASS" | "NOPERM" | "CROSSSLOT" | "NOPROTO" | "DENIED" => StoreErrorKind::Misconfigured,
        _ if writes => StoreErrorKind::OutcomeUnknown,
        // A command that this server does not know, say.
        _ => StoreErrorKind::Misconfigured,
    }
}

fn io_kind(error: &RedisError) -> Option<io::ErrorKind> {
    let source = std::error::Error::source(error)?;
    let shared = source.downcast_ref::<Arc<dyn std::error::Error + Send + Sync>>().map(|shared| &**shared as _);
    shared.unwrap_or(source).downcast_ref::<io::Error>().map(io::Error::kind)
}

fn text(error: &RedisError) -> String {
    let kind = error.kind();
    io_kind(error).map_or_else(|| format!("{kind:?}"), |io| format!("{kind:?} {io:?}"))
}

/// The set-up is wrong, and what would be right.
pub(crate) fn misconfigured(wanted: &'static str) -> StoreError {
    StoreError::with_source(StoreErrorKind::Misconfigured, wanted)
}

/// The partition is not there any more, or is of another store of that name.
pub(crate) fn lost_partition() -> StoreError {
    misconfigured("the partition was lost, or is another store's: it has to be restored")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(line: &str) -> Fault {
        let value = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        Fault::of_asking(&value.extract_error().unwrap_err())
    }

    #[test]
    fn a_server_says_what_is_the_matter() {
        use StoreErrorKind::{Corrupt, Full, Misconfigured, OutcomeUnknown, Unavailable};
        for (line, reading, writing) in [
            ("OOM command not allowed when used memory > 'maxmemory'.", Full, Full),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", Corrupt, Corrupt),
            ("LOADING Redis is loading the dataset in memory", Unavailable, Unavailable),
            ("CLUSTERDOWN Hash slot not served", Unavailable, Unavailable),
            ("TRYAGAIN Multiple keys request during rehashing of slot", Unavailable, Unavailable),
            ("READONLY You can't write against a read only replica.", Unavailable, Unavailable),
            ("MASTERDOWN Link with MASTER is down", Unavailable, Unavailable),
            ("NOREPLICAS Not enough good replicas to write.", Unavailable, Unavailable),
            ("MISCONF Errors writing to the AOF file: No space left on device", Unavailable, Unavailable),
            ("BUSY Redis is busy running a script.", Unavailable, Unavailable),
            ("NOAUTH Authentication required.", Misconfigured, Misconfigured),
            ("NOPERM this user has no permissions", Misconfigured, Misconfigured),
            ("WRONGPASS invalid username-password pair", Misconfigured, Misconfigured),
            ("ERR something else", Misconfigured, OutcomeUnknown),
            ("WHATEVER comes later", Misconfigured, OutcomeUnknown),
        ] {
            let fault = answer(line);
            assert_eq!((fault.of_reading().kind, fault.of_writing().kind), (reading, writing), "{line}");
        }
    }

    #[test]
    fn what_was_not_sent_was_not_written() {
        let io = |kind| RedisError::from(io::Error::new(kind, "secret at 10.0.0.1"));
        for kind in [io::ErrorKind::ConnectionRefused, io::ErrorKind::TimedOut, io::ErrorKind::NotFound] {
            let (before, after) = (Fault::of_connecting(&io(kind)), Fault::of_asking(&io(kind)));
            assert_eq!(before.of_writing().kind, StoreErrorKind::Unavailable);
            assert_eq!(after.of_writing().kind, StoreErrorKind::OutcomeUnknown);
            assert_eq!(after.of_reading().kind, StoreErrorKind::Unavailable);
        }
        let handshake = Fault::of_connecting(&io(io::ErrorKind::InvalidData));
        assert_eq!(handshake.of_writing().kind, StoreErrorKind::Misconfigured);
    }

    #[test]
    fn nothing_of_what_a_server_says_is_passed_on_but_its_code() {
        let fault = answer("WRONGTYPE secret ana 10.0.0.1");
        let error = fault.of_writing();
        assert_eq!(error.source.unwrap().to_string(), "WRONGTYPE");
        let io = RedisError::from(io::Error::new(io::ErrorKind::BrokenPipe, "secret ana"));
        assert_eq!(Fault::of_asking(&io).of_writing().source.unwrap().to_string(), "Io BrokenPipe");
    }
}
