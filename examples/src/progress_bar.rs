//! A bar for work that takes a while, drawn on a terminal only.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

/// Shorter work needs no bar.
const SILENT: Duration = Duration::from_secs(1);
/// Between two drawings.
const PAUSE: Duration = Duration::from_millis(100);
const WIDTH: u64 = 40;

/// A bar on standard error.
#[derive(Debug)]
pub struct ProgressBar {
    total_bytes: Option<u64>,
    is_terminal: bool,
    drawn_at: Option<Duration>,
}

impl ProgressBar {
    /// For so many bytes, if that is known.
    pub fn new(total_bytes: Option<u64>) -> Self {
        Self { total_bytes, is_terminal: io::stderr().is_terminal(), drawn_at: None }
    }

    /// Draws, if it is time to.
    pub fn at(&mut self, elapsed: Duration, bytes: u64, lines: u64) {
        let due = self.drawn_at.map_or(SILENT, |drawn_at| drawn_at + PAUSE);
        if self.is_terminal && elapsed >= due {
            self.drawn_at = Some(elapsed);
            say(&format!("\r{}", bar(self.total_bytes, bytes, lines)));
        }
    }

    /// Takes the bar away: before something else is written, and at the end.
    pub fn clear(&self) {
        if self.drawn_at.is_some() {
            say(&format!("\r{:78}\r", ""));
        }
    }
}

fn say(text: &str) {
    let mut stderr = io::stderr();
    // A bar that cannot be drawn is no reason to stop.
    _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

fn bar(total: Option<u64>, bytes: u64, lines: u64) -> String {
    let Some(total) = total.filter(|total| *total > 0) else { return format!("{lines} lines") };
    let done = |of: u64| bytes.min(total).saturating_mul(of) / total;
    let filled = usize::try_from(done(WIDTH)).unwrap_or_default();
    let empty = usize::try_from(WIDTH).unwrap_or_default() - filled;
    format!("[{}{}] {:3} %  {lines} lines", "#".repeat(filled), ".".repeat(empty), done(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_long_as_the_work_done() {
        assert_eq!(bar(Some(200), 100, 7), format!("[{}{}]  50 %  7 lines", "#".repeat(20), ".".repeat(20)));
        assert_eq!(bar(Some(200), 900, 7), format!("[{}] 100 %  7 lines", "#".repeat(40)));
        assert_eq!((bar(None, 9, 7), bar(Some(0), 9, 7)), ("7 lines".to_owned(), "7 lines".to_owned()));
    }
}
