//! The report as one HTML page that needs nothing else.

use std::fmt::Write as _;

use liveops_core::Timestamp;
use liveops_core::anomaly::FamilyDetector;

use super::{Flagged, Report, chart};

/// Players who are shown with their evidence.
const SHOWN_MAX: usize = 100;

/// Colours, letters and tables of the page of curves, in light and dark.
const CURVE_STYLE: &str = include_str!("../curve/page.css");
const STYLE: &str = "main{max-width:60rem}h2{margin-top:2.5rem}h3{margin-top:1rem}svg{background:var(--card);border:1px solid var(--line)}\
rect.under{fill:var(--old)}rect.over{fill:var(--fall)}line.limit{stroke:var(--fall);stroke-dasharray:4 3}polyline{fill:none;stroke:var(--old)}\
.small{color:var(--soft);font-size:.88rem}.axis{display:flex;justify-content:space-between}td svg{min-width:15rem}";

/// The page.
pub fn html(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>Who stands out</title><style>{CURVE_STYLE}{STYLE}</style></head><body><main>"
    );
    summary(&mut page, report);
    people(&mut page, report);
    for detector in FamilyDetector::ALL.into_iter().filter(|detector| *detector != FamilyDetector::DropRate) {
        section(&mut page, report, detector);
    }
    page += "</main></body></html>\n";
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
        "<p>If all {} players were honest, about {allowed:.1} of them would be expected here by chance. {source}</p>",
        report.players,
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
        "<h2>{title}</h2><p>{words}</p><h3>The highest score over time</h3>{}<p class=\"small axis\"><span>{}</span><span>{}</span></p>\
         <p class=\"small\">Each bar is a slice of time; the dashed \
         line is the threshold, {threshold:.1}. Red is above it.</p><h3>How many players reach which score</h3>{}<p class=\"small\">From 0 \
         on the left to {:.1} on the right; a bar twice as high stands for many times as many players. {} of {} are above the threshold.</p>",
        chart::bars(highest, threshold, hint),
        day(from),
        day(until),
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
        // One line for each detector: what follows the first alert of one differs in numbers alone.
        let mut lines: Vec<(FamilyDetector, i64, i64, usize, &str)> = Vec::new();
        for (at_ms, detector, sentence) in alerts {
            match lines.iter_mut().find(|line| line.0 == *detector) {
                Some(line) => (line.2, line.3) = (*at_ms, line.3 + 1),
                None => lines.push((*detector, *at_ms, *at_ms, 1, sentence)),
            }
        }
        for (detector, first, last, times, sentence) in lines {
            let (title, sentence) = (explained(detector).0, escaped(sentence));
            _ = match times {
                1 => write!(page, "<p>{} <b>{title}</b>: {sentence}</p>", day(first)),
                _ => write!(
                    page,
                    "<p>{} to {} <b>{title}</b>, {times} times, first: {sentence}</p>",
                    day(first),
                    day(last)
                ),
            };
        }
        let rest = *more;
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
    // 2026-11-07 12:00 UTC, of 2026-11-07T12:00:00Z.
    let text = Timestamp::from_unix_millis(at_ms).to_string();
    text.get(..16).map_or_else(|| text.clone(), |minute| format!("{} UTC", minute.replace('T', " ")))
}

/// Names come from outside and may look like markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[expect(clippy::cast_precision_loss, reason = "players")]
fn count(n: usize) -> f64 {
    n as f64
}
