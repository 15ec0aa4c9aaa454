//! Lines over levels, scores or time, as SVG. Floating point is for coordinates only: every number that is read is an integer.

use std::fmt::Write as _;

use liveops_core::Timestamp;

use super::html::escape;

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 280.0;
const LEFT: f64 = 54.0;
const RIGHT: f64 = 22.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 40.0;
/// Bands that say their numbers when pointed at; with more levels than that, each is of several.
const BANDS_MAX: usize = 100;
/// Points of one line: more than that nobody sees.
const POINTS_MAX: usize = 800;

/// A day, in minutes.
const DAY: u32 = 24 * 60;

/// What the places from left to right are.
#[derive(Clone, Copy)]
pub(crate) enum Axis {
    /// Whole numbers, written so.
    Numbers(fn(i64) -> String),
    /// Minutes since 1970, in UTC.
    Minutes,
}

/// How values are spread over the height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    /// By powers of ten; values below 1 are left out.
    Log,
}

/// How a row of points is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pen {
    Line,
    /// From 0.
    Bars,
    Dots,
}

/// Points by level, or what else is on the axis.
pub(crate) struct Series {
    /// Names its colour in the style sheet.
    pub(crate) class: &'static str,
    pub(crate) pen: Pen,
    pub(crate) points: Vec<(u32, i64)>,
}

/// A picture of series over an axis.
pub(crate) struct Plot<'a> {
    /// Unique in the page.
    pub(crate) id: &'a str,
    pub(crate) title: String,
    /// What the places of points are.
    pub(crate) axis: Axis,
    /// What is to be seen, for those who do not see it.
    pub(crate) description: String,
    pub(crate) x_label: &'a str,
    pub(crate) scale: Scale,
    pub(crate) series: Vec<Series>,
    /// What is said of a place that is pointed at, in order and at equal distances.
    pub(crate) hints: Vec<(u32, String)>,
    /// Written at a value of the vertical axis.
    pub(crate) label: fn(i64) -> String,
}

impl Plot<'_> {
    pub(crate) fn write(&self, out: &mut String) {
        let frame = Frame::of(self);
        let (id, title, description) = (self.id, escape(&self.title), escape(&self.description));
        // Writing to a text cannot fail.
        _ = write!(
            out,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}-title {id}-text\">\n\
             <title id=\"{id}-title\">{title}</title>\n<desc id=\"{id}-text\">{description}</desc>\n"
        );
        self.write_axes(out, &frame);
        for series in &self.series {
            write_series(out, &frame, series);
        }
        self.write_hints(out, &frame);
        out.push_str("</svg>\n");
    }

    fn write_axes(&self, out: &mut String, frame: &Frame) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for value in frame.y_ticks() {
            let y = frame.y(value);
            let class = if value == 0 { "axis" } else { "grid" };
            _ = writeln!(
                out,
                "<line class=\"{class}\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\"/>\
                 <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                y + 4.0,
                escape(&(self.label)(value))
            );
        }
        for level in frame.x_ticks() {
            let x = frame.x(level);
            _ = writeln!(
                out,
                "<line class=\"axis\" x1=\"{x:.1}\" y1=\"{bottom}\" x2=\"{x:.1}\" y2=\"{:.1}\"/>\
                 <text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 4.0,
                bottom + 17.0,
                escape(&frame.x_text(level))
            );
        }
        _ = writeln!(
            out,
            "<text class=\"label\" x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            HEIGHT - 6.0,
            escape(self.x_label)
        );
    }

    /// Invisible bands whose titles browsers show to whoever points at them.
    fn write_hints(&self, out: &mut String, frame: &Frame) {
        let per_band = self.hints.len().div_ceil(BANDS_MAX).max(1);
        let distance = self.hints.windows(2).map(|pair| pair[1].0 - pair[0].0).min().unwrap_or(1).max(1);
        let width = (frame.x(frame.x_min + distance) - frame.x(frame.x_min)) * float_of(per_band);
        for band in self.hints.chunks(per_band) {
            let Some((level, hint)) = band.first() else { continue };
            let x = frame.x(*level) - width / 2.0;
            let (from, to) = (x.max(LEFT), (x + width).min(WIDTH - RIGHT));
            _ = writeln!(
                out,
                "<rect class=\"hint\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"><title>{}</title></rect>",
                (to - from).max(0.1),
                HEIGHT - BOTTOM - TOP,
                escape(hint)
            );
        }
    }
}

fn write_series(out: &mut String, frame: &Frame, series: &Series) {
    let class = series.class;
    let drawn = series.points.iter().filter(|(_, value)| frame.scale == Scale::Linear || *value >= 1).copied();
    let points = thinned(&drawn.collect::<Vec<_>>());
    match series.pen {
        Pen::Line => {
            let places = points.iter().map(|(level, value)| format!("{:.1},{:.1}", frame.x(*level), frame.y(*value)));
            let places: Vec<_> = places.collect();
            _ = writeln!(out, "<polyline class=\"line {class}\" points=\"{}\"/>", places.join(" "));
        }
        Pen::Bars => {
            let width = ((frame.x(frame.x_min + 1) - frame.x(frame.x_min)) * 0.7).clamp(0.6, 24.0);
            for (level, value) in points {
                let (zero, y) = (frame.y(0), frame.y(value));
                let sign = if value < 0 { "less" } else { "more" };
                _ = writeln!(
                    out,
                    "<rect class=\"bar {class} {sign}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\"/>",
                    frame.x(level) - width / 2.0,
                    zero.min(y),
                    (zero - y).abs()
                );
            }
        }
        Pen::Dots => {
            for (level, value) in points {
                _ = writeln!(
                    out,
                    "<circle class=\"dot {class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\"/>",
                    frame.x(level),
                    frame.y(value)
                );
            }
        }
    }
}

/// Of many points the lowest and the highest of each stretch, so that no peak is lost; the ends stay.
fn thinned(points: &[(u32, i64)]) -> Vec<(u32, i64)> {
    if points.len() <= POINTS_MAX {
        return points.to_vec();
    }
    let mut kept: Vec<(u32, i64)> = points.first().copied().into_iter().collect();
    for stretch in points.chunks(points.len().div_ceil(POINTS_MAX / 2)) {
        let low = stretch.iter().min_by_key(|(_, value)| *value);
        let high = stretch.iter().max_by_key(|(_, value)| *value);
        kept.extend(low.into_iter().chain(high));
    }
    kept.extend(points.last());
    kept.sort_unstable();
    kept.dedup();
    kept
}

/// Where levels and values are.
struct Frame {
    scale: Scale,
    axis: Axis,
    x_min: u32,
    x_max: u32,
    y_min: i64,
    y_max: i64,
    /// Between two ticks; of a logarithmic scale, powers of ten.
    y_step: i64,
}

impl Frame {
    fn of(plot: &Plot<'_>) -> Self {
        let all = || plot.series.iter().flat_map(|series| &series.points);
        let x_min = all().map(|point| point.0).min().unwrap_or(1);
        let x_max = all().map(|point| point.0).max().unwrap_or(1).max(x_min + 1);
        let (low, high) = (all().map(|p| p.1).min().unwrap_or(0), all().map(|p| p.1).max().unwrap_or(1));
        let (y_min, y_max, y_step) = match plot.scale {
            Scale::Linear => {
                let (low, high) = (low.min(0), high.max(1));
                let step = nice_step(high - low, 5);
                (low.div_euclid(step) * step, (high + step - 1).div_euclid(step) * step, step)
            }
            Scale::Log => {
                let low = all().map(|point| point.1).filter(|value| *value >= 1).min().unwrap_or(1);
                let first = low.max(1).ilog10();
                // A whole decade at least, also for a single value.
                let last = ((high.max(2) - 1).ilog10() + 1).max(first + 1);
                let step = i64::from((last - first).div_ceil(6).max(1));
                (10_i64.pow(first), 10_i64.pow(last), step)
            }
        };
        Self { scale: plot.scale, axis: plot.axis, x_min, x_max, y_min, y_max, y_step }
    }

    fn x(&self, level: u32) -> f64 {
        let share = f64::from(level.saturating_sub(self.x_min)) / f64::from(self.x_max - self.x_min);
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: i64) -> f64 {
        let share = match self.scale {
            Scale::Linear => float(value - self.y_min) / float((self.y_max - self.y_min).max(1)),
            Scale::Log => {
                let [value, low, high] = [value.max(1), self.y_min, self.y_max].map(|value| float(value).log10());
                (value - low) / (high - low)
            }
        };
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    fn y_ticks(&self) -> Vec<i64> {
        let mut ticks = Vec::new();
        let mut value = self.y_min;
        while value <= self.y_max {
            ticks.push(value);
            value = match self.scale {
                Scale::Linear => value + self.y_step,
                Scale::Log => value.saturating_mul(10_i64.saturating_pow(u32::try_from(self.y_step).unwrap_or(1))),
            };
        }
        ticks
    }

    fn x_ticks(&self) -> Vec<u32> {
        let (step, first) = (self.x_step(), self.x_min);
        let rest = (first / step + 1..).map(|n| n * step).take_while(|level| *level <= self.x_max);
        // The first level, unless the next tick would stand on it.
        let rest: Vec<_> = rest.collect();
        let is_free = rest.first().is_none_or(|next| step < 4 || (next - first) * 2 > step);
        let is_told = matches!(self.axis, Axis::Numbers(_)) && is_free || first.is_multiple_of(step);
        is_told.then_some(first).into_iter().chain(rest).collect()
    }

    fn x_step(&self) -> u32 {
        let span = self.x_max - self.x_min;
        let whole = |span: u32, parts| u32::try_from(nice_step(i64::from(span), parts)).unwrap_or(1).max(1);
        match self.axis {
            Axis::Numbers(_) => whole(span, 8),
            Axis::Minutes => [1, 5, 15, 60, 180, 360, 720]
                .into_iter()
                .find(|step| span / step <= 6)
                .unwrap_or_else(|| whole(span.div_ceil(DAY), 6) * DAY),
        }
    }

    fn x_text(&self, place: u32) -> String {
        if let Axis::Numbers(text) = self.axis {
            return text(place.into());
        }
        // The day, or between midnights the minute, of 2026-11-07T12:00:00Z.
        let text = Timestamp::from_unix_millis(i64::from(place) * 60_000).to_string();
        let part = if place.is_multiple_of(DAY) { text.get(5..10) } else { text.get(11..16) };
        part.unwrap_or_default().to_owned()
    }
}

/// The least of 1, 2, 5, 10, 20 and so on that divides a span into no more than so many parts.
fn nice_step(span: i64, parts: i64) -> i64 {
    let wanted = (span + parts - 1).div_euclid(parts).max(1);
    let mut power = 1_i64;
    loop {
        if let Some(step) = [1, 2, 5].map(|n| n * power).into_iter().find(|step| *step >= wanted) {
            return step;
        }
        // A span is below 2^55.
        power *= 10;
    }
}

/// A whole number in few characters: `2.5M` for 2,500,000. What does not fit three digits behind the point is cut off,
/// which ticks never need.
pub(crate) fn short(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let amount = value.unsigned_abs();
    for (unit, name) in [(1_000_000_000_000, "T"), (1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")] {
        if amount >= unit {
            let thousandths = format!("{:03}", amount % unit * 1000 / unit);
            let rest = thousandths.trim_end_matches('0');
            let point = if rest.is_empty() { "" } else { "." };
            return format!("{sign}{}{point}{rest}{name}", amount / unit);
        }
    }
    format!("{sign}{amount}")
}

#[expect(clippy::cast_precision_loss, reason = "a coordinate of a tenth of a pixel")]
fn float(value: i64) -> f64 {
    value as f64
}

fn float_of(count: usize) -> f64 {
    float(i64::try_from(count).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(scale: Scale, points: Vec<(u32, i64)>) -> Plot<'static> {
        let series = vec![Series { class: "old", pen: Pen::Line, points }];
        let (title, description) = ("<t>".to_owned(), "d".to_owned());
        Plot {
            id: "a",
            title,
            description,
            axis: Axis::Numbers(short),
            x_label: "level",
            scale,
            series,
            hints: Vec::new(),
            label: short,
        }
    }

    #[test]
    fn numbers_are_short_and_exact() {
        let texts = [0, 999, 1000, -2_500_000, 1_050_000, 10_i64.pow(15), 9_007_199_254_740_991].map(short);
        assert_eq!(texts, ["0", "999", "1k", "-2.5M", "1.05M", "1000T", "9007.199T"]);
    }

    #[test]
    fn ticks_hold_everything_and_are_few() {
        for high in [1, 2, 9, 10, 11, 99, 12_345, 1 << 53] {
            for low in [0, 1, -1, -77, -(1 << 53)] {
                for scale in [Scale::Linear, Scale::Log] {
                    let frame = Frame::of(&plot(scale, vec![(1, low), (60, high)]));
                    let ticks = frame.y_ticks();
                    assert!((2..=8).contains(&ticks.len()), "{low} to {high}: {ticks:?}");
                    for value in [low, high].into_iter().filter(|v| scale == Scale::Linear || *v >= 1) {
                        assert!((TOP - 0.1..=HEIGHT - BOTTOM + 0.1).contains(&frame.y(value)), "{low} {high} {value}");
                    }
                }
            }
        }
        for last in [2, 7, 60, 100, 10_000] {
            let frame = Frame::of(&plot(Scale::Linear, vec![(1, 0), (last, 5)]));
            let ticks = frame.x_ticks();
            assert!(ticks[0] == 1 && ticks.len() <= 10, "{ticks:?}");
            assert!((frame.x(1) - LEFT).abs() < 0.1 && (frame.x(last) - (WIDTH - RIGHT)).abs() < 0.1);
        }
    }

    #[test]
    fn time_is_told_at_midnights_or_full_minutes() {
        // 2026-11-03T07:33Z, and from then on.
        let from = 29_894_853;
        for (span, wanted) in [
            (1, &["07:33", "07:34"][..]),
            (100, &["07:45", "08:00", "08:15", "08:30", "08:45", "09:00"]),
            (2 * DAY, &["12:00", "11-04", "12:00", "11-05"]),
            (30 * DAY, &["11-08", "11-13", "11-18", "11-23", "11-28", "12-03"]),
        ] {
            let mut timed = plot(Scale::Linear, vec![(from, 0), (from + span, 5)]);
            timed.axis = Axis::Minutes;
            let frame = Frame::of(&timed);
            let texts: Vec<_> = frame.x_ticks().into_iter().map(|minute| frame.x_text(minute)).collect();
            assert_eq!(texts, wanted, "{span}");
        }
    }

    #[test]
    fn ten_thousand_levels_keep_their_peaks_and_ends() {
        let mut points: Vec<_> = (1..=10_000).map(|level| (level, 5)).collect();
        points[4_321].1 = 1_000_000;
        points[8_000].1 = 1;
        let kept = thinned(&points);
        assert!(kept.len() <= POINTS_MAX + 2);
        let all = [(1, 5), (4_322, 1_000_000), (8_001, 1), (10_000, 5)];
        assert!(all.iter().all(|point| kept.contains(point)));
    }

    #[test]
    fn what_is_said_is_escaped() {
        let mut drawn = plot(Scale::Linear, vec![(1, 0), (2, 5)]);
        drawn.hints = vec![(1, "<script>".to_owned())];
        let mut out = String::new();
        drawn.write(&mut out);
        assert!(out.contains("&lt;t&gt;") && out.contains("<title>&lt;script&gt;</title>"));
        assert!(!out.contains("<t>") && !out.contains("NaN"));
    }
}
