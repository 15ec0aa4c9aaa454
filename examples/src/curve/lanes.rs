//! Which levels each reward is for: a lane for each.

use std::fmt::Write as _;

use super::Document;
use crate::drawing::html::escape;

const WIDTH: u32 = 440;
const LANE: u32 = 34;
/// More lanes than that are no picture; the table has them all.
const LANES_MAX: usize = 12;
/// Of a name, as many letters as fit.
const LETTERS_MAX: usize = 48;

pub(super) fn write(out: &mut String, document: &Document) {
    let max_level = document.levels().max_level();
    let rewards = document.rewards.iter().take(LANES_MAX);
    let height = LANE * u32::try_from(rewards.len()).unwrap_or_default() + 20;
    let text = format!("{} rewards for levels 1 to {max_level}; the table beside has each.", document.rewards.len());
    // Writing to a text cannot fail.
    _ = write!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"lanes-title lanes-text\">\n\
         <title id=\"lanes-title\">Levels that are rewarded</title>\n<desc id=\"lanes-text\">{}</desc>\n",
        escape(&text)
    );
    // Each level has a slot of its own, at least as wide as can be seen.
    let slot = f64::from(WIDTH) / f64::from(max_level);
    for (reward, lane) in rewards.zip(0_u32..) {
        let top = lane * LANE;
        let name: String = reward.name.as_str().chars().take(LETTERS_MAX).collect();
        _ = writeln!(
            out,
            "<text class=\"tick\" x=\"0\" y=\"{}\">{}</text><rect class=\"lane\" x=\"0\" y=\"{}\" width=\"{WIDTH}\" height=\"10\"/>",
            top + 13,
            escape(&name),
            top + 19
        );
        for (first, last) in runs(&reward.levels) {
            let (x, width) = (f64::from(first - 1) * slot, f64::from(last - first + 1) * slot);
            _ = writeln!(
                out,
                "<rect class=\"reward\" x=\"{x:.1}\" y=\"{}\" width=\"{:.1}\" height=\"10\"><title>{first} to {last}</title></rect>",
                top + 19,
                (width - slot.min(1.0) * 0.5).max(1.5)
            );
        }
    }
    _ = write!(
        out,
        "<text class=\"tick\" x=\"0\" y=\"{0}\">level 1</text>\
         <text class=\"tick\" x=\"{WIDTH}\" y=\"{0}\" text-anchor=\"end\">{max_level}</text>\n</svg>\n",
        height - 4
    );
}

/// Levels without gaps, as first and last.
fn runs(levels: &[u32]) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for level in levels {
        match runs.last_mut().filter(|(_, last)| last + 1 == *level) {
            Some((_, last)) => *last = *level,
            None => runs.push((*level, *level)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_without_gaps_are_one_run() {
        assert_eq!(runs(&[2, 3, 4, 9, 11, 12]), [(2, 4), (9, 9), (11, 12)]);
        assert_eq!(runs(&[]), []);
    }
}
