//! Which pictures there are: scores over time, and how many players reach which.

use liveops_core::anomaly::FamilyDetector;

use super::{Flagged, Report, page};
use crate::drawing::Figure;
use crate::drawing::plot::{Axis, Pen, Plot, Scale, Series, short};

/// A score is drawn in tenths, a part of a threshold in hundredths, since pictures have whole numbers.
const TENTHS: f64 = 10.0;
const HUNDREDTHS: f64 = 100.0;
/// Stretches of the scores that say their numbers when pointed at.
const STRETCHES: u32 = 60;

/// Of one detector and all players.
pub(super) fn detector<'a>(report: &Report, detector: FamilyDetector, ids: &'a [String; 2]) -> [Figure<'a>; 2] {
    let threshold = report.thresholds.of(detector);
    [
        highest(report, &report.highest[detector.place()], threshold, &ids[0]),
        reached(&report.most[detector.place()], threshold, &ids[1]),
    ]
}

fn highest<'a>(report: &Report, scores: &[f64], threshold: f64, id: &'a str) -> Figure<'a> {
    let ((from, until), slices) = (report.span_ms, i64::try_from(scores.len().max(1)).unwrap_or(i64::MAX));
    let at = |slice: i64| from + (until - from) / slices * slice;
    let points = (0..).zip(scores).map(|(slice, score)| (minute(at(slice)), drawn(*score, TENTHS)));
    let points: Vec<_> = points.collect();
    let over = points.iter().zip(scores).filter(|(_, score)| **score > threshold).map(|(point, _)| *point).collect();
    let hints = (0..).zip(scores).map(|(slice, score)| {
        let at_ms = at(slice);
        (minute(at_ms), format!("from {}: {score:.1}", page::moment(at_ms)))
    });
    Figure {
        plot: Plot {
            id,
            title: "Highest score of any player".to_owned(),
            description: format!(
                "The highest score in each of {slices} slices of time; the threshold is {threshold:.1}."
            ),
            axis: Axis::Minutes,
            x_label: "month-day or hour, UTC",
            scale: Scale::Linear,
            hints: hints.collect(),
            label: tenths,
            series: vec![
                line("old", points),
                limit([(minute(from), threshold), (minute(until), threshold)].map(|(x, y)| (x, drawn(y, TENTHS)))),
                Series { class: "above", pen: Pen::Dots, points: over },
            ],
        },
        legend: vec![("limit", format!("threshold, {threshold:.1}")), ("above", "above it".to_owned())],
        note: String::new(),
    }
}

/// How many players reach at least a score: it falls from all of them to those who stand out.
fn reached<'a>(most: &[f64], threshold: f64, id: &'a str) -> Figure<'a> {
    let mut sorted: Vec<u32> = most.iter().map(|score| place(*score)).collect();
    sorted.sort_unstable();
    let number = |from: u32| count(sorted.len() - sorted.partition_point(|score| *score < from));
    let (all, above) = (count(sorted.len()), most.iter().filter(|score| **score > threshold).count());
    // A step: those who reach a score are as many until just above it.
    let mut points: Vec<(u32, i64)> = vec![(0, all)];
    for score in &sorted {
        points.extend([(*score, number(*score)), (score.saturating_add(1), number(score.saturating_add(1)))]);
    }
    points.dedup();
    let last = sorted.last().copied().unwrap_or(0).max(place(threshold));
    let width = last.div_ceil(STRETCHES).max(1);
    let hint =
        |part: u32| (part * width, format!("{} players reach {}", number(part * width), tenths((part * width).into())));
    Figure {
        plot: Plot {
            id,
            title: "Players who reach a score, log scale".to_owned(),
            description: format!("{above} of {all} players are above the threshold, {threshold:.1}."),
            axis: Axis::Numbers(tenths),
            x_label: "score",
            scale: Scale::Log,
            hints: (0..=last / width).map(hint).collect(),
            label: short,
            series: vec![line("old", points), limit([(place(threshold), 1), (place(threshold), all)])],
        },
        legend: vec![("limit", format!("threshold, {threshold:.1}"))],
        note: format!("{above} of {all} players are above the threshold."),
    }
}

/// Of one player: the score of the detector that alerted first.
pub(super) fn player<'a>(flagged: &Flagged, title: &str, id: &'a str) -> Figure<'a> {
    let points: Vec<_> = flagged.curve.iter().map(|(at, part)| (minute(*at), drawn(*part, HUNDREDTHS))).collect();
    let ends = [points.first(), points.last()].map(|point| (point.map_or(0, |point| point.0), drawn(1.0, HUNDREDTHS)));
    let over = points.iter().copied().filter(|point| point.1 > ends[0].1).collect();
    let most = flagged.curve.iter().map(|point| point.1).fold(0.0, f64::max);
    Figure {
        plot: Plot {
            id,
            title: format!("{title}: score, as a multiple of the threshold"),
            description: format!("{} events; at most {most:.1} times the threshold.", points.len()),
            axis: Axis::Minutes,
            x_label: "month-day or hour, UTC",
            scale: Scale::Linear,
            hints: Vec::new(),
            label: hundredths,
            series: vec![line("old", points), limit(ends), Series { class: "above", pen: Pen::Dots, points: over }],
        },
        legend: vec![("limit", "threshold".to_owned()), ("above", "above it".to_owned())],
        note: String::new(),
    }
}

const fn line(class: &'static str, points: Vec<(u32, i64)>) -> Series {
    Series { class, pen: Pen::Line, points }
}

fn limit(ends: [(u32, i64); 2]) -> Series {
    line("limit", ends.to_vec())
}

/// What is before 1970 or after 10,000 has no place of its own.
fn minute(at_ms: i64) -> u32 {
    u32::try_from(at_ms.div_euclid(60_000).max(0)).unwrap_or(u32::MAX)
}

#[expect(clippy::cast_possible_truncation, reason = "a score is at most 10^9")]
fn drawn(value: f64, parts: f64) -> i64 {
    (value * parts).round() as i64
}

fn place(score: f64) -> u32 {
    u32::try_from(drawn(score, TENTHS)).unwrap_or(u32::MAX)
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn tenths(value: i64) -> String {
    decimal(value / 10, value.unsigned_abs() % 10, 1)
}

fn hundredths(value: i64) -> String {
    decimal(value / 100, value.unsigned_abs() % 100, 2)
}

fn decimal(whole: i64, rest: u64, digits: usize) -> String {
    if rest == 0 { short(whole) } else { format!("{whole}.{rest:0digits$}").trim_end_matches('0').to_owned() }
}
