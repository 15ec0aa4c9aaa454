//! Charts as SVG, without a script.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 120.0;

/// Values as bars from left to right, and a line at a limit, with what they mean on hover.
pub(super) fn bars(values: &[f64], limit: f64, hint: impl Fn(usize, f64) -> String) -> String {
    let top = values.iter().copied().fold(limit * 1.2, f64::max).max(1e-9);
    let width = WIDTH / count(values.len().max(1));
    let mut svg = open(WIDTH, HEIGHT);
    for (place, value) in values.iter().enumerate() {
        let height = HEIGHT * value / top;
        let class = if *value > limit { "over" } else { "under" };
        _ = write!(
            svg,
            r#"<rect class="{class}" x="{:.1}" y="{:.1}" width="{:.1}" height="{height:.1}"><title>{}</title></rect>"#,
            width * count(place),
            HEIGHT - height,
            (width - 1.0).max(1.0),
            hint(place, *value),
        );
    }
    let y = HEIGHT - HEIGHT * limit / top;
    _ = write!(
        svg,
        r#"<line class="limit" x1="0" x2="{WIDTH}" y1="{y:.1}" y2="{y:.1}"/><text x="4" y="{:.1}">{limit:.1}</text><text x="4" y="12">{top:.1}</text></svg>"#,
        y - 3.0
    );
    svg
}

/// How many values lie in each of so many equal parts, on a logarithmic scale, and a line at a limit.
pub(super) fn distribution(values: &[f64], limit: f64) -> String {
    const PARTS: usize = 60;
    let top = values.iter().copied().fold(limit * 1.3, f64::max).max(1e-9);
    let mut counts = [0_u32; PARTS];
    for value in values {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part")]
        let part = (value / top * count(PARTS)) as usize;
        counts[part.min(PARTS - 1)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    let width = WIDTH / count(PARTS);
    let mut svg = open(WIDTH, HEIGHT);
    for (part, n) in counts.iter().enumerate().filter(|(_, n)| **n > 0) {
        let height = HEIGHT * libm::log1p(f64::from(*n)) / libm::log1p(f64::from(most));
        let from = top * count(part) / count(PARTS);
        let class = if from >= limit { "over" } else { "under" };
        _ = write!(
            svg,
            r#"<rect class="{class}" x="{:.1}" y="{:.1}" width="{:.1}" height="{height:.1}"><title>{n} players from {from:.1} on</title></rect>"#,
            width * count(part),
            HEIGHT - height,
            width - 1.0,
        );
    }
    let x = WIDTH * limit / top;
    _ = write!(
        svg,
        r#"<line class="limit" x1="{x:.1}" x2="{x:.1}" y1="0" y2="{HEIGHT}"/><text x="{:.1}" y="12">{limit:.1}</text><text x="716" y="12" text-anchor="end">highest bar: {most} players</text></svg>"#,
        x + 3.0
    );
    svg
}

/// A small curve of score over threshold; the line is the threshold.
pub(super) fn curve(points: &[(i64, f64)]) -> String {
    let (width, height) = (240.0, 40.0);
    let top = points.iter().map(|point| point.1).fold(1.5, f64::max);
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return String::new() };
    let span = milliseconds(last.0 - first.0).max(1.0);
    let mut path = String::new();
    for (at, value) in points {
        let (x, y) = (width * milliseconds(at - first.0) / span, height - height * value / top);
        _ = write!(path, "{x:.1},{y:.1} ");
    }
    let y = height - height / top;
    let line = format!(r#"<line class="limit" x1="0" x2="{width}" y1="{y:.1}" y2="{y:.1}"/>"#);
    format!(r#"{}<polyline points="{}"/>{line}</svg>"#, open(width, height), path.trim_end())
}

fn open(width: f64, height: f64) -> String {
    format!(r#"<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">"#)
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
fn count(n: usize) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn milliseconds(n: i64) -> f64 {
    n as f64
}
