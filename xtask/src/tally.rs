//! Counts of tests, read from what each runner prints.

use std::ops::AddAssign;

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl Tally {
    /// From `cargo test`: the sum of all `test result: ok. 12 passed; 0 failed; ...` lines.
    pub(crate) fn of_cargo(output: &str) -> Self {
        let mut sum = Self::default();
        for line in output.lines().filter(|line| line.starts_with("test result:")) {
            sum += Self { passed: before(line, "passed"), failed: before(line, "failed") };
        }
        sum
    }

    /// From `pytest`: the last line that ends in a duration, `3 failed, 88 passed, 1 error in 3.21s`.
    pub(crate) fn of_pytest(output: &str) -> Self {
        let summary = |line: &&str| line.contains(" in ") && line.trim_matches(['=', ' ', ')']).contains('s');
        let counts = |line: &str| Self {
            passed: before(line, "passed"),
            failed: before(line, "failed") + before(line, "error") + before(line, "errors"),
        };
        output.lines().rev().filter(summary).map(counts).find(|tally| *tally != Self::default()).unwrap_or_default()
    }

    /// From `node --test` with the `spec` or `tap` reporter: `pass 90`, `fail 0` and `cancelled 0` after a sign.
    pub(crate) fn of_node(output: &str) -> Self {
        let mut sum = Self::default();
        for line in output.lines() {
            let mut words = line.split_whitespace();
            let (Some("ℹ" | "#"), Some(what), Some(count), None) =
                (words.next(), words.next(), words.next(), words.next())
            else {
                continue;
            };
            let count = count.parse().unwrap_or(0);
            match what {
                "pass" => sum.passed += count,
                "fail" | "cancelled" => sum.failed += count,
                _ => {}
            }
        }
        sum
    }
}

/// The number in front of a word, without the colours and signs around either.
fn before(line: &str, word: &str) -> u64 {
    let mut previous = 0;
    for piece in line.split(|c: char| !c.is_ascii_alphanumeric()).filter(|piece| !piece.is_empty()) {
        if piece == word {
            return previous;
        }
        previous = piece.parse().unwrap_or(0);
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_is_summed_over_targets() {
        let output = "running 3 tests\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; \
                      finished in 0.00s\n\ntest result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured\n";
        assert_eq!(Tally::of_cargo(output), Tally { passed: 8, failed: 2 });
    }

    #[test]
    fn pytest_in_its_quiet_and_its_framed_form() {
        assert_eq!(Tally::of_pytest("....\n88 passed in 3.21s\n"), Tally { passed: 88, failed: 0 });
        let framed = "FAILED tests/a.py::b in 3s\n==== 1 failed, 86 passed, 2 errors in 61.00s (0:01:01) ====\n";
        assert_eq!(Tally::of_pytest(framed), Tally { passed: 86, failed: 3 });
        assert_eq!(Tally::of_pytest("no tests ran in 0.01s\n"), Tally::default());
    }

    #[test]
    fn node_in_both_reporters() {
        assert_eq!(
            Tally::of_node("✔ a (1ms)\nℹ tests 3\nℹ pass 2\nℹ fail 1\nℹ cancelled 0\n"),
            Tally { passed: 2, failed: 1 }
        );
        assert_eq!(Tally::of_node("# tests 3\n# pass 3\n# fail 0\n# pass it on now\n"), Tally { passed: 3, failed: 0 });
    }
}
