//! Players that a detector minded: why, in words, and by which numbers.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use liveops_core::anomaly::{Action, Direction, Reason, Source, Verdict};
use liveops_core::record::Suspicion;
use liveops_core::{Id, PlayerId};

use super::layout::{heading, number};

/// Players that are listed.
const LISTED_MAX: usize = 30;

/// What one detector minded in one player.
struct Suspect<'a> {
    player: &'a PlayerId,
    detector: &'a Id,
    times: u64,
    /// Of the most striking event.
    worst: Verdict,
    kind: &'a Id,
}

/// Held players first, then by how often.
pub(super) fn write(out: &mut String, suspicions: &[(PlayerId, Suspicion)]) {
    heading(out, "Flagged and held", "for a person to review; nobody is banned");
    let mut suspects: BTreeMap<_, Suspect<'_>> = BTreeMap::new();
    for (player, suspicion) in suspicions {
        for judgement in &suspicion.verdicts {
            let (detector, kind, verdict) = (&judgement.detector, &suspicion.event.kind, judgement.verdict);
            let new = || Suspect { player, detector, times: 0, worst: verdict, kind };
            let suspect = suspects.entry((player, detector)).or_insert_with(new);
            suspect.times += 1;
            if strength(&verdict) > strength(&suspect.worst) {
                (suspect.worst, suspect.kind) = (verdict, kind);
            }
        }
    }
    let players = suspects.keys().map(|(player, _)| player).collect::<std::collections::BTreeSet<_>>().len();
    let held = suspicions.iter().filter(|(_, suspicion)| suspicion.held).count();
    // Writing to a text cannot fail.
    _ = writeln!(
        out,
        "  {} players, {} events: {} flagged, {} held",
        number(players as u64),
        number(suspicions.len() as u64),
        number((suspicions.len() - held) as u64),
        number(held as u64)
    );
    let mut suspects: Vec<_> = suspects.into_values().collect();
    suspects.sort_by_key(|suspect| {
        (suspect.worst.action != Action::Hold, Reverse(suspect.times), suspect.player, suspect.detector)
    });
    for suspect in suspects.iter().take(LISTED_MAX) {
        let action = if suspect.worst.action == Action::Hold { "held" } else { "flagged" };
        let Suspect { player, detector, times, worst, kind } = suspect;
        let times = number(*times);
        _ = writeln!(out, "\n  {player:<22} {action} {times} x by {detector} ({kind})");
        _ = writeln!(out, "    {}\n    {}", worst.reason.describe(), figures(worst));
    }
    if suspects.len() > LISTED_MAX {
        _ = writeln!(out, "\n  and {} more", suspects.len() - LISTED_MAX);
    }
}

/// For a floor, what is further below it; else what is further away.
fn strength(verdict: &Verdict) -> f64 {
    let score = verdict.score.get();
    if verdict.reason == Reason::BelowFloor { -score } else { score }
}

/// The numbers behind a verdict, in the unit of the value.
fn figures(verdict: &Verdict) -> String {
    let (score, threshold) = (verdict.score.get(), verdict.threshold.get());
    let (mean, sd, n) = (verdict.baseline.mean.get(), verdict.baseline.sd.get(), verdict.baseline.n);
    let sign = if verdict.direction == Direction::High { 1.0 } else { -1.0 };
    let from = match verdict.baseline.source {
        Source::Player => format!("from {n} earlier values of the player"),
        Source::Population => format!("from what is known of all players and {n} values of this one"),
        _ => "from the rules".to_owned(),
    };
    match verdict.reason {
        Reason::BelowFloor => format!("{score:.0} ms, where {threshold:.0} is the least."),
        Reason::FarAboveUsual => {
            // This detector works on ln(1 + x).
            let (value, usual) = ((mean + sign * score * sd).exp_m1(), mean.exp_m1());
            format!("{value:.0}, usual {usual:.0}; score {score:.1}, threshold {threshold}; {from}.")
        }
        Reason::ChangeAfterConstancy => format!("Always {mean:.0}; {from}."),
        _ => {
            let value = mean + sign * score * sd;
            format!("{value:.0}, mean {mean:.0}, deviation {sd:.1}; score {score:.1}, threshold {threshold}; {from}.")
        }
    }
}
