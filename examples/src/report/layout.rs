//! Numbers and columns.

use std::fmt::Write as _;

/// `1,234,567`.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The same with a sign.
pub(crate) fn signed(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", number(value.unsigned_abs()))
}

/// The start of a section.
pub(crate) fn heading(out: &mut String, title: &str, detail: &str) {
    let line = if detail.is_empty() { title.to_owned() } else { format!("{title}, {detail}") };
    // Writing to a text cannot fail.
    _ = write!(out, "\n{line}\n{}\n", "-".repeat(line.chars().count()));
}

/// Cells in so many columns, filled from the top.
pub(super) fn split_columns(out: &mut String, cells: &[String], columns: usize, width: usize) {
    let rows = cells.len().div_ceil(columns.max(1)).max(1);
    let columns: Vec<_> = cells.chunks(rows).map(<[String]>::to_vec).collect();
    side_by_side(out, &columns, width);
}

/// Columns of lines beside each other.
pub(super) fn side_by_side(out: &mut String, columns: &[Vec<String>], width: usize) {
    for row in 0..columns.iter().map(Vec::len).max().unwrap_or_default() {
        let mut line = String::new();
        for column in columns {
            let cell = column.get(row).map(String::as_str).unwrap_or_default();
            // A cell that is too long is shortened, so that the columns hold.
            let cell: String = cell.chars().take(width.saturating_sub(1)).collect();
            _ = write!(line, "{cell:<width$}");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_in_threes() {
        let texts = [0, 12, 123, 1234, 123_456, 1_234_567].map(number);
        assert_eq!(texts, ["0", "12", "123", "1,234", "123,456", "1,234,567"]);
        assert_eq!(signed(-1234), "-1,234");
    }

    #[test]
    fn columns_are_filled_from_the_top_and_hold() {
        let mut out = String::new();
        let cells = ["a", "b", "much too long", "d", "e"].map(str::to_owned);
        split_columns(&mut out, &cells, 2, 6);
        assert_eq!(out, "a     d\nb     e\nmuch\n");
    }
}
