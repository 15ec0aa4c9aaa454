//! What a fleet did, in plain text.

use std::fmt::Write as _;

use liveops_examples::fleet::{Score, Summary};

/// A table of who did how much, and what all agree on.
pub(super) fn render(store: &str, summary: &Summary) -> String {
    let mut out = String::new();
    // Writing to a text cannot fail.
    _ = write(&mut out, store, summary);
    out
}

fn write(out: &mut String, store: &str, summary: &Summary) -> std::fmt::Result {
    let Summary { workers, lines, broken, turned_away, boards, rows, digest } = summary;
    writeln!(out, "\n{} processes over one {store}\n", workers.len())?;
    writeln!(out, "  lines {lines}: {broken} broken, {turned_away} turned away at the door\n")?;
    writeln!(
        out,
        "  {:<8}{:>8}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "worker", "events", "applied", "replayed", "refused", "retries", "advances"
    )?;
    for (name, score) in workers {
        let Score { events, outcomes, retries, advances, .. } = score;
        let count = |codes: &[&str]| codes.iter().filter_map(|code| outcomes.get(*code)).sum::<u64>();
        let (applied, replayed) = (count(&["applied", "held"]), count(&["replayed"]));
        let refused = events - applied - replayed;
        writeln!(out, "  {name:<8}{events:>8}{applied:>10}{replayed:>10}{refused:>10}{retries:>10}{advances:>10}")?;
    }
    let retries: u64 = workers.iter().map(|(_, score)| score.retries).sum();
    writeln!(out, "\n  retries: {retries} events sent again to another worker, each answered as the first time")?;
    let kills: u32 = workers.iter().map(|(_, score)| score.kills).sum();
    if kills > 0 {
        let found: u64 = workers.iter().map(|(_, score)| score.found).sum();
        writeln!(
            out,
            "  kills: {kills} in the middle of a request; {found} of its events were in the store already, and were replayed"
        )?;
    }
    writeln!(out, "  boards: {boards} with {rows} rows, the same in every process")?;
    writeln!(out, "\ndigest {digest}")
}
