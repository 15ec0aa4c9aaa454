//! One line of a season, as a server received it: `{"receivedMs": ..., "headers": {...}, "body": "..."}`.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, Read as _};

use liveops_core::Timestamp;
use serde::Deserialize;

/// Longest line that is read, in bytes: the largest body the door takes, escaped at its worst, and then some.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// A request and when it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// By the receiver's clock.
    pub received_at: Timestamp,
    /// Names and values, as sent.
    pub headers: Vec<(String, String)>,
    /// The bytes that were signed; text, because a line of JSON holds nothing else.
    pub body: String,
}

/// Why a line is no request. It never stops a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenLine(String);

impl fmt::Display for BrokenLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    received_ms: i64,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Line {
    /// Reads one line of JSON. Other members than the three are ignored.
    pub fn parse(text: &[u8]) -> Result<Self, BrokenLine> {
        let wire: Wire = serde_json::from_slice(text).map_err(|error| {
            // There is but one line in it: only the column is news.
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            BrokenLine(format!("{message} (column {})", error.column()))
        })?;
        let received_at = Timestamp::from_unix_millis(wire.received_ms);
        Ok(Self { received_at, headers: wire.headers.into_iter().collect(), body: wire.body })
    }

    /// The headers as the door takes them.
    pub fn header_pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// As it is read back, without an end of line.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        write!(f, "{{\"receivedMs\":{},\"headers\":{{", self.received_at.as_unix_millis())?;
        for (at, (name, value)) in self.headers.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{}:{}", quoted(name), quoted(value))?;
        }
        write!(f, "}},\"body\":{}}}", quoted(&self.body))
    }
}

/// The lines of a source, one at a time, however many there are.
#[derive(Debug)]
pub struct Lines<R> {
    source: R,
    text: Vec<u8>,
    number: u64,
    bytes: u64,
}

impl<R: BufRead> Lines<R> {
    /// Of a file, or of standard input.
    pub const fn new(source: R) -> Self {
        Self { source, text: Vec::new(), number: 0, bytes: 0 }
    }

    /// The number of the line read last, from 1.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Bytes read so far.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads on; of a line that is too long no more than its start is kept.
    fn read(&mut self) -> io::Result<bool> {
        self.text.clear();
        let mut start = self.source.by_ref().take(LINE_BYTES_MAX as u64);
        let mut len = start.read_until(b'\n', &mut self.text)?;
        if len == LINE_BYTES_MAX && !self.text.ends_with(b"\n") {
            len += self.source.skip_until(b'\n')?;
        }
        self.bytes += len as u64;
        self.number += u64::from(len > 0);
        Ok(len > 0)
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Result<Line, BrokenLine>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.read() {
            Ok(true) => Some(Ok(Line::parse(self.text.trim_ascii_end()))),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let headers = vec![("a".to_owned(), "\r\n\"é".to_owned()), ("b".to_owned(), String::new())];
        let line = Line { received_at: Timestamp::from_unix_millis(7), headers, body: "{\"\\u0061\":\u{1}}\n".into() };
        let text = line.to_string();
        assert!(!text.contains('\n'));
        assert_eq!(Line::parse(text.as_bytes()), Ok(line));
    }

    #[test]
    fn a_broken_line_says_why_and_the_next_one_is_read() {
        let good = r#"{"receivedMs":1,"headers":{},"body":""}"#;
        let long = "x".repeat(LINE_BYTES_MAX + 10);
        let text = format!("{good}\n{{\"receivedMs\":1\nnull\n\n{long}\n{{\"receivedMs\":1,\"headers\":{{}}}}\n{good}");
        let mut lines = Lines::new(text.as_bytes());
        let read: Vec<_> = lines.by_ref().map(|line| line.unwrap().map_err(|broken| broken.to_string())).collect();
        assert_eq!((lines.number(), lines.bytes()), (7, text.len() as u64));
        assert!(read[0].is_ok() && read[6].is_ok());
        assert_eq!(read[5].as_ref().unwrap_err(), "missing field `body` (column 29)");
        assert!(read[1..6].iter().all(Result::is_err), "{read:?}");
    }
}
