//! Which pictures there are, and what they say.

use super::{Change, Document, Effect, Study};
use crate::drawing::Figure;
use crate::drawing::plot::{Axis, Pen, Plot, Scale, Series, short};
use crate::report::layout::number;

/// Every level is written as it is.
const LEVELS: Axis = Axis::Numbers(|level| level.to_string());
/// A value this many times the lowest one leaves the low ones on the ground of a linear scale.
const LOG_FROM_RATIO: i64 = 100;
/// Rewards for more levels than one in so many are no landmarks.
const LANDMARK_EVERY: usize = 5;
/// Largest share that is drawn, in thousandths of the old cost.
const SHARE_MAX: i64 = 1_000_000_000_000;

/// Totals and costs, each on a linear scale, and on a logarithmic one where the range asks for it.
pub(super) fn curves(study: &Study) -> Vec<Figure<'static>> {
    let mut figures = Vec::new();
    let costs: Vec<Series> = each(study).map(|(class, document)| series(class, costs(document))).collect();
    let totals: Vec<Series> = each(study).map(|(class, document)| series(class, totals(document))).collect();
    let wide = |all: &[Series]| {
        let values =
            || all.iter().flat_map(|series| series.points.iter().map(|point| point.1)).filter(|value| *value > 0);
        values().max().unwrap_or(1) / values().min().unwrap_or(1) >= LOG_FROM_RATIO
    };
    let (totals_wide, costs_wide) = (wide(&totals), wide(&costs));
    let again = |all: &[Series]| all.iter().map(|s| series(s.class, s.points.clone())).collect::<Vec<_>>();
    let log_totals = totals_wide.then(|| again(&totals));
    let log_costs = costs_wide.then(|| again(&costs));
    figures.push(curve(study, "total", "XP in all by level", Scale::Linear, totals));
    figures.extend(log_totals.map(|all| curve(study, "total-log", "XP in all by level, log scale", Scale::Log, all)));
    figures.push(curve(study, "cost", "XP to the next level", Scale::Linear, costs));
    figures.extend(log_costs.map(|all| curve(study, "cost-log", "XP to the next level, log scale", Scale::Log, all)));
    figures
}

fn each(study: &Study) -> impl Iterator<Item = (&'static str, &Document)> {
    [("old", &study.first)].into_iter().chain(study.change.iter().map(|change| ("new", &change.next)))
}

const fn series(class: &'static str, points: Vec<(u32, i64)>) -> Series {
    Series { class, pen: Pen::Line, points }
}

/// Totals and costs are below 2^53.
fn points(values: impl Iterator<Item = u64>) -> Vec<(u32, i64)> {
    (1..).zip(values.map(u64::cast_signed)).collect()
}

fn totals(document: &Document) -> Vec<(u32, i64)> {
    points(document.levels().totals())
}

fn costs(document: &Document) -> Vec<(u32, i64)> {
    points(document.levels().costs())
}

fn curve(study: &Study, id: &'static str, title: &str, scale: Scale, mut series: Vec<Series>) -> Figure<'static> {
    let mut legend: Vec<_> = match &study.change {
        None => Vec::new(),
        Some(change) => vec![("old", study.first.name.clone()), ("new", format!("{} (new)", change.next.name))],
    };
    let last = study.change.as_ref().map_or(&study.first, |change| &change.next);
    let is_total = id.starts_with("total");
    let marks = if is_total { landmarks(last) } else { Vec::new() };
    if !marks.is_empty() {
        legend.push(("reward", "rarer level rewards".to_owned()));
        series.push(Series { class: "reward", pen: Pen::Dots, points: marks });
    }
    let description = each(study).map(|(_, document)| described(document)).collect::<Vec<_>>().join(" ");
    let note =
        if is_total && scale == Scale::Log { "Level 1 starts at 0, which has no place on this scale." } else { "" };
    Figure {
        plot: Plot {
            id,
            title: title.to_owned(),
            description,
            axis: LEVELS,
            x_label: "level",
            scale,
            series,
            hints: hints(study),
            label: short,
        },
        legend,
        note: note.to_owned(),
    }
}

/// Where levels start that few rewards are for.
fn landmarks(document: &Document) -> Vec<(u32, i64)> {
    let levels = document.levels();
    let rare = |len: usize| len * LANDMARK_EVERY <= usize::try_from(levels.max_level()).unwrap_or(usize::MAX);
    let rare = document.rewards.iter().filter(|reward| rare(reward.levels.len()));
    let mut marked: Vec<u32> = rare.flat_map(|reward| reward.levels.iter().copied()).collect();
    marked.sort_unstable();
    marked.dedup();
    marked.into_iter().map(|level| (level, levels.total(level).cast_signed())).collect()
}

fn described(document: &Document) -> String {
    let levels = document.levels();
    let max = levels.max_level();
    format!(
        "{}: {} levels; the first takes {} XP, the last {}, all together {}.",
        document.name,
        number(max.into()),
        number(levels.cost(1)),
        number(levels.cost(max - 1)),
        number(levels.total(max))
    )
}

fn hints(study: &Study) -> Vec<(u32, String)> {
    let highest = each(study).map(|(_, document)| document.levels().max_level()).max().unwrap_or(1);
    let hint = |level: u32| {
        let mut lines = vec![format!("level {level}")];
        for (class, document) in each(study) {
            let levels = document.levels();
            if level <= levels.max_level() {
                let which = if study.change.is_some() { format!("{class}: ") } else { String::new() };
                let next = if level < levels.max_level() {
                    format!("{} XP to the next", number(levels.cost(level)))
                } else {
                    "the highest".to_owned()
                };
                lines.push(format!("{which}{} XP in all, {next}", number(levels.total(level))));
            }
        }
        (level, lines.join("; "))
    };
    (1..=highest).map(hint).collect()
}

/// The difference in cost of the levels that both curves have, in XP and as a share.
pub(super) fn differences(old: &Document, change: &Change) -> Vec<Figure<'static>> {
    let pairs: Vec<_> = costs(old).into_iter().zip(costs(&change.next)).map(|((l, a), (_, b))| (l, a, b)).collect();
    let both = pairs.len();
    let more = old.levels().max_level().abs_diff(change.next.levels().max_level());
    let beyond = if more == 0 { String::new() } else { format!(" {more} more levels are only in one of the curves.") };
    let hint = |(level, old, new): &(u32, i64, i64)| {
        (
            *level,
            format!("level {level}: {} XP before, {} after", number(old.unsigned_abs()), number(new.unsigned_abs())),
        )
    };
    let hints: Vec<_> = pairs.iter().map(hint).collect();
    let figure = |id, title: &str, points, label| Figure {
        plot: Plot {
            id,
            title: title.to_owned(),
            description: format!("New cost less old cost of {both} levels: above 0 the new curve asks for more."),
            axis: LEVELS,
            x_label: "level",
            scale: Scale::Linear,
            series: vec![Series { class: "change", pen: Pen::Bars, points }],
            hints: hints.clone(),
            label,
        },
        legend: vec![("more", "takes more".to_owned()), ("less", "takes less".to_owned())],
        note: format!("Of the {both} levels that both have.{beyond}"),
    };
    let in_xp = pairs.iter().map(|(level, old, new)| (*level, new - old)).collect();
    // In thousandths; a cost is at least 1, and beyond a certain share the picture says nothing more.
    let share = |old: i64, new: i64| i128::from(new - old) * 1000 / i128::from(old);
    let drawn = |share: i128| i64::try_from(share).unwrap_or(SHARE_MAX).min(SHARE_MAX);
    let as_share: Vec<_> = pairs.iter().map(|(level, old, new)| (*level, drawn(share(*old, *new)))).collect();
    vec![
        figure("difference", "Difference in cost, in XP", in_xp, short),
        figure("difference-share", "Difference in cost, as a share of the old", as_share, percent),
    ]
}

/// Thousandths as a percentage.
fn percent(thousandths: i64) -> String {
    let sign = if thousandths < 0 { "-" } else { "" };
    let (whole, tenth) = (thousandths.unsigned_abs() / 10, thousandths.unsigned_abs() % 10);
    let whole = short(whole.cast_signed());
    if tenth == 0 { format!("{sign}{whole} %") } else { format!("{sign}{whole}.{tenth} %") }
}

/// Old level against new level, of one effect.
pub(super) fn shift<'a>(id: &'a str, effect: &Effect, highest: u32) -> Figure<'a> {
    let arrivals = effect.plan.shifts.iter().map(|shift| (shift.from_level, i64::from(shift.to_level))).collect();
    let stays = (1..=highest).map(|level| (level, i64::from(level))).collect();
    let mut hints: Vec<(u32, String)> = Vec::new();
    for shift in &effect.plan.shifts {
        let told = format!("{} to level {}", number(shift.players), shift.to_level);
        match hints.last_mut().filter(|(level, _)| *level == shift.from_level) {
            Some((_, hint)) => *hint = format!("{hint}, {told}"),
            None => hints.push((shift.from_level, format!("from level {}: players {told}", shift.from_level))),
        }
    }
    let plan = &effect.plan;
    Figure {
        plot: Plot {
            id,
            title: format!("Old level and new level, {}", effect.title()),
            description: format!(
                "Of {} players {} rise, {} stay and {} fall.",
                number(plan.players),
                number(plan.rise),
                number(plan.stay),
                number(plan.fall)
            ),
            axis: LEVELS,
            x_label: "old level",
            scale: Scale::Linear,
            series: vec![series("stay", stays), Series { class: "new", pen: Pen::Dots, points: arrivals }],
            hints,
            label: short,
        },
        legend: vec![("new", "new level".to_owned()), ("stay", "where the level would stay".to_owned())],
        note: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_told_as_percent() {
        assert_eq!([0, 5, -125, 1000, 1_000_000].map(percent), ["0 %", "0.5 %", "-12.5 %", "100 %", "100k %"]);
    }
}
