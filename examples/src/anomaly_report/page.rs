//! The report as one HTML page that needs nothing else.

use std::fmt::Write as _;

use liveops_core::Timestamp;
use liveops_core::anomaly::FamilyDetector;

use super::{Alert, Flagged, Report, figures};
use crate::drawing::html::escape;
use crate::drawing::{self, grid, section};

/// Players who are shown with their evidence.
const SHOWN_MAX: usize = 100;

/// The page.
pub fn html(report: &Report) -> String {
    let mut page = drawing::begin("Who stands out");
    summary(&mut page, report);
    people(&mut page, report);
    for detector in FamilyDetector::ALL.into_iter().filter(|detector| *detector != FamilyDetector::DropRate) {
        let (title, words) = explained(detector);
        let ids = ["time", "players"].map(|kind| format!("{kind}-{}", detector.place()));
        section(&mut page, title, words);
        grid(&mut page, &figures::detector(report, detector, &ids));
        page += "</section>\n";
    }
    page + drawing::END
}

fn summary(page: &mut String, report: &Report) {
    let (lines, unread) = report.lines;
    let (from, until) = report.span_ms;
    let allowed = report.budget * count(report.players);
    let standing_out = match report.flagged.len() {
        0 => "Nobody stands out".to_owned(),
        1 => "One player stands out".to_owned(),
        n => format!("{n} players stand out"),
    };
    _ = write!(
        page,
        "<header><h1>Who stands out</h1></header>\n<p class=\"lead\">{lines} lines from {} to {}, {} players. {unread} lines were no events that can be judged.</p>\n\
         <p class=\"lead\"><b>{standing_out}.</b> A number is held against a player only when honest players hardly ever reach it; some honest \
         player may all the same. Look at the evidence before you act: nobody has been punished by this page.</p>",
        moment(from),
        moment(until),
        report.players,
    );
    let source = if report.is_calibrated {
        "Thresholds were chosen from these players."
    } else {
        "There are too few players (under 200) to choose thresholds from; these are the library's."
    };
    _ = write!(
        page,
        "<p class=\"lead\">If all {} players were honest, about {allowed:.1} of them would be expected here by chance. {source}</p>",
        report.players,
    );
}

fn people(page: &mut String, report: &Report) {
    if report.flagged.is_empty() {
        return;
    }
    section(page, "The players", "Those with most alerts first.");
    *page += "<div class=\"grid\">\n";
    for (flagged, n) in report.flagged.iter().take(SHOWN_MAX).zip(1..) {
        _ = writeln!(page, "<article><h3>{}</h3>", escape(&flagged.player));
        lines(page, flagged);
        if let Some(first) = flagged.alerts.first() {
            figures::player(flagged, explained(first.detector).0, &format!("player-{n}")).write(page);
        }
        *page += "</article>\n";
    }
    *page += "</div>\n";
    if report.flagged.len() > SHOWN_MAX {
        _ = writeln!(page, "<p>and {} more players</p>", report.flagged.len() - SHOWN_MAX);
    }
    *page += "</section>\n";
}

/// One for each detector and subject: what follows the first alert of them differs in numbers alone.
fn lines(page: &mut String, flagged: &Flagged) {
    let mut lines: Vec<(&Alert, i64, usize)> = Vec::new();
    for alert in &flagged.alerts {
        let is_same =
            |line: &&mut (&Alert, i64, usize)| (line.0.detector, &line.0.subject) == (alert.detector, &alert.subject);
        match lines.iter_mut().find(is_same) {
            Some(line) => (line.1, line.2) = (alert.at_ms, line.2 + 1),
            None => lines.push((alert, alert.at_ms, 1)),
        }
    }
    for (Alert { at_ms, detector, sentence, .. }, last, times) in lines {
        let (first, title, sentence) = (moment(*at_ms), explained(*detector).0, escape(sentence));
        _ = match times {
            1 => writeln!(page, "<p>{first} <b>{title}</b>: {sentence}</p>"),
            _ => writeln!(page, "<p>{first} to {} <b>{title}</b>, {times} times, first: {sentence}</p>", moment(last)),
        };
    }
    if flagged.more > 0 {
        _ = writeln!(page, "<p class=\"note\">and {} more</p>", flagged.more);
    }
}

/// A title, and what is looked for.
const fn explained(detector: FamilyDetector) -> (&'static str, &'static str) {
    match detector {
        FamilyDetector::Robust => (
            "Too much at once",
            "Amounts far above what this player usually gets, several times in a short while. One jackpot is not enough.",
        ),
        FamilyDetector::Drift => {
            ("Rising too far", "Amounts that have risen further above the player's own past than honest players rise.")
        }
        FamilyDetector::DropRate => ("Too lucky", "Drops more often than the published odds make believable."),
        FamilyDetector::TimeFloor => ("Too fast", "Bosses killed faster than the fastest players make believable."),
        _ => (
            "Too regular",
            "The time from one event to the next varies less than people's does, for long and with few breaks: a program.",
        ),
    }
}

/// A minute, as people write it.
pub(super) fn moment(at_ms: i64) -> String {
    // 2026-11-07 12:00 UTC, of 2026-11-07T12:00:00Z.
    let text = Timestamp::from_unix_millis(at_ms).to_string();
    text.get(..16).map_or_else(|| text.clone(), |minute| format!("{} UTC", minute.replace('T', " ")))
}

#[expect(clippy::cast_precision_loss, reason = "players")]
fn count(n: usize) -> f64 {
    n as f64
}
