//! The boards of the periods that run, and who was first in those that closed.

use std::fmt::Write as _;

use liveops_core::board::{Operator, Order, Row};
use liveops_core::rules::{Amount, BoardRule};
use liveops_core::{Boards, Engine, Error, Rules, Timestamp, Window};

use super::layout::{heading, side_by_side, signed};
use crate::replay::Closing;

/// Rows of each board.
const TOP: usize = 10;
/// Boards beside each other, and how wide each is.
const ABREAST: usize = 3;
const BOARD_WIDTH: usize = 33;
/// Closed periods of one window that are listed.
const CLOSED_MAX: usize = 12;

/// The top ten of every board in every window.
pub(super) fn running<S: Boards>(out: &mut String, engine: &Engine<S>, now: Timestamp) -> Result<(), Error> {
    let rules = engine.rules();
    for rule in rules.boards() {
        heading(out, &format!("Board {}", rule.board), &described(rule));
        let board = engine.board(rule.board.as_str())?;
        let mut tables = Vec::new();
        for (window, _) in &rule.windows {
            // Between two seasons there is none.
            let Ok(period) = board.period(*window, now) else { continue };
            let mut table = vec![
                format!("  {window} {}", rules.calendar().label(period)).replace("allTime all-time", "all time"),
                format!("  {} ranked", signed(i64::try_from(board.of(period).len()?).unwrap_or(i64::MAX))),
            ];
            table.extend(board.top(*window, TOP, now)?.iter().map(line));
            tables.push(table);
        }
        for (at, tables) in tables.chunks(ABREAST).enumerate() {
            if at > 0 {
                out.push('\n');
            }
            side_by_side(out, tables, BOARD_WIDTH);
        }
    }
    Ok(())
}

fn described(rule: &BoardRule) -> String {
    let value = match &rule.value {
        Amount::Fixed(amount) => format!("{amount} an event"),
        Amount::Field(field) => field.to_string(),
        Amount::RequestedXp => "XP asked for".to_owned(),
        Amount::GrantedXp => "XP granted".to_owned(),
        _ => "score".to_owned(),
    };
    let operator = match rule.operator {
        Operator::Incr => "sum of",
        Operator::Best => "best",
        Operator::Set => "latest",
        _ => "less",
    };
    let order = if rule.sort.order == Order::Desc { "highest first" } else { "lowest first" };
    format!("{operator} {value}, {order}")
}

fn line(row: &Row) -> String {
    // A long name is cut before a number is.
    let score = signed(row.score);
    let room = (BOARD_WIDTH - 9).saturating_sub(score.len());
    let name: String = row.owner.as_str().chars().take(room).collect();
    format!("{:>4}. {name:<room$} {score}", row.rank)
}

/// Periods that closed, window by window, with who was first on each board.
pub(super) fn closed(out: &mut String, rules: &Rules, closings: &[Closing]) {
    heading(out, "Closed", "periods that ended in this run, with who was first");
    if closings.is_empty() {
        out.push_str("  none\n");
    }
    for window in Window::ALL {
        let periods: Vec<_> = closings.iter().filter(|closing| closing.period.window == *window).collect();
        let earlier = periods.len().saturating_sub(CLOSED_MAX);
        if earlier > 0 {
            // Writing to a text cannot fail.
            _ = writeln!(out, "  {window:<9}{earlier} earlier ones");
        }
        for Closing { at, period, winners } in periods.into_iter().skip(earlier) {
            let winners = winners.iter().map(|(board, player, score)| format!("{board}: {player} {}", signed(*score)));
            let winners = winners.collect::<Vec<_>>().join(" | ");
            let at = at.to_string().get(5..16).unwrap_or_default().replace('T', " ");
            let label = rules.calendar().label(*period);
            let row = format!("  {window:<9}{label:<11} closed {at}  {winners}");
            _ = writeln!(out, "{}", row.trim_end());
        }
    }
}
