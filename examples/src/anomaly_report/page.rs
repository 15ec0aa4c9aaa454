//! The report as one HTML page that needs nothing else.

use std::fmt::Write as _;

use liveops_core::Timestamp;
use liveops_core::anomaly::FamilyDetector;

use super::{Flagged, Report, chart};

/// Players who are shown with their evidence.
const SHOWN_MAX: usize = 100;
/// Alerts that are shown of each.
const ALERTS_SHOWN: usize = 5;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:760px;margin:2em auto;padding:0 1em;color:#222}\
h1,h2,h3{line-height:1.2}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3em .6em;border-bottom:1px solid #ddd;vertical-align:top}\
svg{max-width:100%;height:auto;background:#f6f6f4}.under{fill:#8aa}.over{fill:#c33}.limit{stroke:#c33;stroke-dasharray:4 3}polyline{fill:none;stroke:#246}\
.small{color:#666;font-size:.9em}";

/// The page.
pub fn html(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Who stands out</title><style>{STYLE}</style></head><body>"
    );
    summary(&mut page, report);
    for detector in FamilyDetector::ALL.into_iter().filter(|detector| *detector != FamilyDetector::DropRate) {
        section(&mut page, report, detector);
    }
    people(&mut page, report);
    page += "</body></html>\n";
    page
}

fn summary(page: &mut String, report: &Report) {
    let (lines, unread) = report.lines;
    let (from, until) = report.span_ms;
    let allowed = report.budget * count(report.players);
    _ = write!(
        page,
        "<h1>Who stands out</h1><p>{lines} lines from {} to {}, {} players. {unread} lines were no events that can be judged.</p>\
         <p><b>{} players stand out.</b> A number is held against a player only when honest players hardly ever reach it; some honest \
         player may all the same. Look at the evidence before you act: nobody has been punished by this page.</p>",
        day(from),
        day(until),
        report.players,
        report.flagged.len(),
    );
    let source = if report.is_calibrated {
        "Thresholds were chosen from these players."
    } else {
        "There are too few players (under 200) to choose thresholds from; these are the library's."
    };
    _ = write!(
        page,
        "<p>Budget: of {} players, {allowed:.1} may be flagged by chance. {} were flagged, so about {:.0} of them for a reason. {source}</p>",
        report.players,
        report.flagged.len(),
        (count(report.flagged.len()) - allowed).max(0.0),
    );
}

fn section(page: &mut String, report: &Report, detector: FamilyDetector) {
    let (title, words) = explained(detector);
    let threshold = report.thresholds.of(detector);
    let (highest, most) = (&report.highest[detector.place()], &report.most[detector.place()]);
    let (from, until) = report.span_ms;
    let slices = i64::try_from(highest.len().max(1)).unwrap_or(1);
    let hint = |place: usize, value: f64| {
        let at = from + (until - from) / slices * i64::try_from(place).unwrap_or_default();
        format!("{}: {value:.1}", day(at))
    };
    _ = write!(
        page,
        "<h2>{title}</h2><p>{words}</p><h3>The highest score over time</h3>{}<p class=\"small\">Each bar is a slice of time; the dashed \
         line is the threshold, {threshold:.1}. Red is above it.</p><h3>How many players reach which score</h3>{}<p class=\"small\">From 0 \
         on the left to {:.1} on the right; a bar twice as high stands for many times as many players. {} of {} are above the threshold.</p>",
        chart::bars(highest, threshold, hint),
        chart::distribution(most, threshold),
        most.iter().copied().fold(threshold * 1.3, f64::max),
        most.iter().filter(|score| **score > threshold).count(),
        most.len(),
    );
}

fn people(page: &mut String, report: &Report) {
    *page += "<h2>The players</h2><table><tr><th>player</th><th>why</th><th>score over time</th></tr>";
    for Flagged { player, alerts, more, curve } in report.flagged.iter().take(SHOWN_MAX) {
        _ = write!(page, "<tr><td>{}</td><td>", escaped(player));
        for (at_ms, detector, sentence) in alerts.iter().take(ALERTS_SHOWN) {
            _ = write!(page, "<p>{} <b>{}</b>: {}</p>", day(*at_ms), explained(*detector).0, escaped(sentence));
        }
        let rest = alerts.len().saturating_sub(ALERTS_SHOWN) + more;
        if rest > 0 {
            _ = write!(page, "<p class=\"small\">and {rest} more</p>");
        }
        _ = write!(page, "</td><td>{}</td></tr>", chart::curve(curve));
    }
    *page += "</table>";
    if report.flagged.len() > SHOWN_MAX {
        _ = write!(page, "<p>and {} more players</p>", report.flagged.len() - SHOWN_MAX);
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

fn day(at_ms: i64) -> String {
    Timestamp::from_unix_millis(at_ms).to_string()
}

/// Names come from outside and may look like markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[expect(clippy::cast_precision_loss, reason = "players")]
fn count(n: usize) -> f64 {
    n as f64
}
