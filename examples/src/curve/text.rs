//! The same for a terminal.

use std::fmt::Write as _;

use super::{Change, Document, Study, table};
use crate::drawing::html::Table;
use crate::report::layout::{heading, number};

/// Widest column; what is longer ends a line, where it does no harm.
const CELL_MAX: usize = 24;

/// Plain text: key figures, the table, and what the change does.
pub(super) fn render(study: &Study) -> String {
    let mut out = format!("{}, level curve\n\n", printable(study.first.rules.game()));
    let documents = [&study.first].into_iter().chain(study.change.iter().map(|change| &change.next));
    for document in documents {
        key_figures(&mut out, document);
    }
    heading(&mut out, "Levels", "");
    rows(&mut out, &table::levels(study));
    let last = study.change.as_ref().map_or(&study.first, |change| &change.next);
    if !last.rewards.is_empty() {
        heading(&mut out, "Level rewards", &printable(&last.name));
        rows(&mut out, &table::level_rewards(last));
    }
    if let Some(change) = &study.change {
        effects(&mut out, change);
    }
    out
}

fn key_figures(out: &mut String, document: &Document) {
    let levels = document.levels();
    let (max, total) = (levels.max_level(), levels.total(levels.max_level()));
    // Writing to a text cannot fail.
    _ = write!(
        out,
        "{}: {} levels, {} XP to the top\n  hash {}\n",
        printable(&document.name),
        number(max.into()),
        number(total),
        levels.hash()
    );
}

fn effects(out: &mut String, change: &Change) {
    heading(out, "What the change does", "");
    if change.effects.is_empty() {
        out.push_str("The curve stays the same: nobody is moved.\n");
        return;
    }
    _ = write!(out, "{}\n{}\n", printable(&change.crowd.told), declaration(change));
    for effect in &change.effects {
        let plan = &effect.plan;
        _ = write!(
            out,
            "\n{}: of {} players {} rise, {} stay, {} fall\n  {}\n  levels rewarded by the change: {}; passed over: {}\n",
            effect.title(),
            number(plan.players),
            number(plan.rise),
            number(plan.stay),
            number(plan.fall),
            effect.detail(),
            number(effect.levels_minted()),
            number(effect.levels_skipped())
        );
    }
    let minted = table::minted(change);
    if !minted.rows.is_empty() {
        heading(out, &minted.caption, "");
        rows(out, &minted);
    }
}

/// Whether the new rules say how the old curve is left.
pub(super) fn declaration(change: &Change) -> &'static str {
    if change.effects.iter().any(|effect| effect.is_declared) {
        "The new rules declare how the old curve is left; this is what they would do."
    } else if change.next.has_steps() {
        "The new rules lead on from other curves, not from the old one: as they are, they refuse to change anybody's XP \
         (curve_unknown). These are the policies that \"progress.migrations\" could name for it."
    } else {
        "The new rules do not declare how the old curve is left. As they are, totals stay, as with keepTotalXp; these are \
         the policies that \"progress.migrations\" could name."
    }
}

fn rows(out: &mut String, table: &Table) {
    let all = || [&table.head].into_iter().chain(&table.rows);
    let last = table.head.len().saturating_sub(1);
    let width = |column: usize| {
        let cells = all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        let width = cells.max().unwrap_or(0);
        if column == last { width } else { width.min(CELL_MAX) }
    };
    let widths: Vec<_> = (0..table.head.len()).map(width).collect();
    for row in all() {
        let mut line = String::new();
        for ((cell, width), is_number) in row.iter().zip(&widths).zip(&table.is_number) {
            let cell = printable(cell);
            _ = if *is_number { write!(line, "{cell:>width$}  ") } else { write!(line, "{cell:<width$}  ") };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// What a terminal would act on is shown as a replacement character.
fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_moves_the_cursor() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }
}
