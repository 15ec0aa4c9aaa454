//! Many bodies at once: newline-delimited JSON.

use super::{Parser, ValidationError};
use crate::limits::BATCH_ERRORS_MAX;
use crate::time::Timestamp;

/// The lines of NDJSON. They end with a newline, before which a carriage return may stand; an empty last line is no line.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    split(body(bytes))
}

/// The same lines in pieces of about so many bytes, each of one line or more, for [`lines_of`].
pub(crate) fn pieces(bytes: &[u8], piece_bytes: usize) -> impl Iterator<Item = &[u8]> {
    let mut rest = body(bytes);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text.get(piece_bytes..).and_then(|behind| Some(piece_bytes + memchr::memchr(b'\n', behind)?));
        let end = end.unwrap_or(text.len());
        rest = text.get(end + 1..);
        text.get(..end)
    })
}

/// The lines of a piece.
pub(crate) fn lines_of(piece: &[u8]) -> impl Iterator<Item = &[u8]> {
    split(Some(piece))
}

/// What stands before the last newline; none if there is no line.
fn body(bytes: &[u8]) -> Option<&[u8]> {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    (!body.is_empty()).then_some(body)
}

fn split(mut rest: Option<&[u8]>) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let text = rest?;
        let (line, behind) = match memchr::memchr(b'\n', text) {
            Some(end) => (text.get(..end)?, text.get(end + 1..)),
            None => (text, None),
        };
        rest = behind;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

/// What [`Parser::validate_batch`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct BatchReport {
    /// Lines that are events.
    pub accepted: usize,
    /// Lines that are not.
    pub refused: usize,
    /// Of the first 1,000 lines that are not, where and why.
    pub errors: Vec<LineError>,
}

/// Why a line is no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("line {line}: {error}")]
pub struct LineError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    #[serde(flatten)]
    pub error: ValidationError,
}

impl Parser {
    /// Checks lines of JSON, one event each, without making events of them.
    ///
    /// ```
    /// use liveops_core::Timestamp;
    /// use liveops_core::event::{Parser, Schemas, TimeLimits};
    ///
    /// let parser = Parser::new(Schemas::builtin(), TimeLimits::default());
    /// let now = Timestamp::from_rfc3339("2026-11-07T00:00:00Z").unwrap();
    /// let lines = br#"{"type":"progression","playerId":"ana","ts":1794009600,"payload":{"deltaXp":120}}
    /// {"type":"progression","playerId":"ana","ts":1794009600,"payload":{"deltaXp":-1}}
    /// "#;
    /// let report = parser.validate_batch(lines, now);
    /// assert_eq!((report.accepted, report.refused, report.errors[0].line), (1, 1, 2));
    /// assert_eq!(report.errors[0].error.issues()[0].path, "/payload/deltaXp");
    /// ```
    pub fn validate_batch(&self, lines: &[u8], received_at: Timestamp) -> BatchReport {
        let mut report = BatchReport::default();
        for (index, line) in self::lines(lines).enumerate() {
            match self.validate(line, received_at) {
                Ok(()) => report.accepted += 1,
                Err(error) => {
                    report.refused += 1;
                    if report.errors.len() < BATCH_ERRORS_MAX {
                        report.errors.push(LineError { line: index + 1, error });
                    }
                }
            }
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_that_a_split_gives() {
        assert_eq!(lines(b"").count() + lines(b"\n").count(), 0);
        for text in ["a", "a\n", "a\nb", "a\r\nb\r\n", "\n\n", "\na", "a\n\n\nb\n", "\r\n", "\ra\n"] {
            let body = text.strip_suffix('\n').unwrap_or(text);
            let split: Vec<_> =
                body.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line).as_bytes()).collect();
            assert_eq!(lines(text.as_bytes()).collect::<Vec<_>>(), split, "{text:?}");
            for piece_bytes in 0..=text.len() {
                let joined: Vec<_> = pieces(text.as_bytes(), piece_bytes).flat_map(lines_of).collect();
                // Nothing but a newline is no line, and neither has a piece.
                assert_eq!(
                    joined,
                    if body.is_empty() { Vec::new() } else { split.clone() },
                    "{text:?} by {piece_bytes}"
                );
            }
        }
    }
}
