//! What the columns of a row say, for look-ups and for people.

use std::fmt::Write as _;

use liveops_core::board::Order;
use liveops_core::record::{Horizon, Player, Settled};
use liveops_core::reward::ReceiptState;
use liveops_core::{CommandId, Origin, Timestamp};

/// A time as it is stored.
pub(crate) const fn millis(ts: Timestamp) -> i64 {
    ts.as_unix_millis()
}

/// A name space of commands as it is stored; rows sort as keys do.
pub(crate) const fn origin(id: &CommandId) -> i64 {
    match id.origin {
        Origin::Event => 0,
        Origin::Operator => 1,
    }
}

/// Whether nothing but the mark of an erasure is left, which some horizon will make due.
pub(crate) fn is_idle(player: &Player) -> bool {
    let end = Horizon { now: Timestamp::MAX, forgotten_before: Timestamp::MAX };
    player.erased_through().is_some() && player.is_idle_mark(end)
}

/// A count as a number of SQLite's.
pub(crate) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A player's entries as JSON: `[[board, span, period, score, subscore, reached, 1 where the lowest is first], ..]`.
pub(crate) fn put_standings(player: &Player, json: &mut String) {
    json.push('[');
    for (board, period, standing) in player.standings() {
        if json.len() > 1 {
            json.push(',');
        }
        let board = board.as_str();
        // Ids are visible ASCII; two of its characters are escaped in JSON.
        json.push_str("[\"");
        if board.contains(['"', '\\']) {
            json.push_str(&board.replace('\\', "\\\\").replace('"', "\\\""));
        } else {
            json.push_str(board);
        }
        let ascending = u8::from(standing.sort.order == Order::Asc);
        let (score, subscore) = (standing.score.score, standing.score.subscore);
        let (span, period, reached) = (period.window.as_str(), period.index, millis(standing.reached_at));
        // Writing to a string cannot fail.
        _ = write!(json, "\",\"{span}\",{period},{score},{subscore},{reached},{ascending}]");
    }
    json.push(']');
}

/// Where a receipt stands, in a word.
pub(crate) const fn state(state: ReceiptState) -> &'static str {
    match state {
        ReceiptState::Issued => "issued",
        ReceiptState::Claimable => "claimable",
        ReceiptState::Claimed => "claimed",
        ReceiptState::Expired => "expired",
        ReceiptState::Revoked => "revoked",
        _ => "",
    }
}

/// Where a suspicion stands, in a word.
pub(crate) const fn settled(settled: Settled) -> &'static str {
    match settled {
        Settled::Open => "open",
        Settled::Released => "released",
        Settled::Confirmed => "confirmed",
    }
}

/// A list as JSON.
pub(crate) fn json<T: serde::Serialize>(list: &[T]) -> String {
    // What core types serialize to is always JSON.
    serde_json::to_string(list).unwrap_or_default()
}
