//! The page around pictures and tables.

use std::fmt::Write as _;

use super::{Change, Document, Effect, Study, figures, lanes, table, text};
use crate::drawing::html::escape;
use crate::drawing::{self, grid, section};
use crate::report::layout::number;

pub(super) fn render(study: &Study) -> String {
    let mut out = drawing::begin(&format!("{}: level curve", study.first.rules.game()));
    header(&mut out, study);
    key_figures(&mut out, study);
    section(&mut out, "The curve", &study.change.as_ref().map(compared).unwrap_or_default());
    grid(&mut out, &figures::curves(study));
    out.push_str("</section>\n");
    let last = study.change.as_ref().map_or(&study.first, |change| &change.next);
    if let Some(change) = &study.change {
        section(&mut out, "Difference by level", "Above the line the new curve asks for more, below it for less.");
        grid(&mut out, &figures::differences(&study.first, change));
        out.push_str("</section>\n");
        effects(&mut out, study, change);
    }
    if !last.rewards.is_empty() {
        section(&mut out, "Level rewards", "What reaching a level sets off. A jump over several levels reaches each.");
        out.push_str("<div class=\"grid\"><figure>\n");
        lanes::write(&mut out, last);
        out.push_str("</figure><div>\n");
        table::level_rewards(last).write(&mut out);
        out.push_str("</div></div></section>\n");
    }
    section(&mut out, "Every level", "Exact numbers, as the compiled table has them.");
    table::levels(study).write(&mut out);
    out.push_str("</section>\n");
    out.push_str(drawing::END);
    out
}

fn compared(change: &Change) -> String {
    format!("The old curve and the new one, {}, over each other.", change.next.name)
}

fn header(out: &mut String, study: &Study) {
    let files = match &study.change {
        None => escape(&study.first.name),
        Some(change) => format!(
            "<span class=\"key old\">{}</span> <span class=\"to\">to</span> <span class=\"key new\">{}</span>",
            escape(&study.first.name),
            escape(&change.next.name)
        ),
    };
    let game = escape(study.first.rules.game());
    _ = writeln!(
        out,
        "<header><p class=\"over\">Level curve</p><h1>{game}</h1><p class=\"files\">{files}</p></header>"
    );
}

fn key_figures(out: &mut String, study: &Study) {
    let value = |of: &dyn Fn(&Document) -> String| {
        let mut cell = format!("<dd>{}</dd>", escape(&of(&study.first)));
        if let Some(change) = &study.change {
            cell = format!(
                "<dd class=\"old\">{}</dd><dd class=\"new\">{}</dd>",
                escape(&of(&study.first)),
                escape(&of(&change.next))
            );
        }
        cell
    };
    let max = |document: &Document| number(document.levels().max_level().into());
    let top = |document: &Document| number(document.levels().total(document.levels().max_level()));
    let first = |document: &Document| number(document.levels().cost(1));
    let last = |document: &Document| number(document.levels().cost(document.levels().max_level() - 1));
    let hash = |document: &Document| document.levels().hash().to_hex();
    out.push_str("<dl class=\"keys\">\n");
    for (name, of) in [
        ("highest level", &max as &dyn Fn(&Document) -> String),
        ("XP to the top", &top),
        ("the first level takes", &first),
        ("the last one takes", &last),
    ] {
        _ = writeln!(out, "<div><dt>{name}</dt>{}</div>", value(of));
    }
    _ = write!(out, "<div class=\"hash\"><dt>hash of the table</dt>{}</div>\n</dl>\n", value(&hash));
}

fn effects(out: &mut String, study: &Study, change: &Change) {
    if change.effects.is_empty() {
        section(out, "What the change does", "The curve stays the same: nobody is moved.");
        out.push_str("</section>\n");
        return;
    }
    section(out, "What the change does", text::declaration(change));
    let class = if change.crowd.is_assumed { "crowd assumed" } else { "crowd" };
    _ = write!(
        out,
        "<p class=\"{class}\">{} Each counts as rewarded for the levels they have.</p>\n<div class=\"grid\">\n",
        escape(&change.crowd.told)
    );
    let highest = study.first.levels().max_level();
    for (effect, number) in change.effects.iter().zip(1..) {
        write_effect(out, effect, &format!("effect-{number}"), highest);
    }
    let minted = table::minted(change);
    if !minted.rows.is_empty() {
        out.push_str("<div>\n");
        minted.write(out);
        out.push_str("</div>\n");
    }
    out.push_str("</div></section>\n");
}

fn write_effect(out: &mut String, effect: &Effect, id: &str, highest: u32) {
    let plan = &effect.plan;
    _ = write!(
        out,
        "<article><h3>{}</h3><p class=\"note\">{}</p>\n<dl class=\"counts\">",
        escape(&effect.title()),
        escape(&effect.detail())
    );
    let counts = [("rise", plan.rise), ("stay", plan.stay), ("fall", plan.fall)];
    for (name, count) in counts {
        _ = write!(out, "<div class=\"{name}\"><dt>{name}</dt><dd>{}</dd></div>", number(count));
    }
    _ = write!(out, "<div><dt>levels rewarded</dt><dd>{}</dd></div>", number(effect.levels_minted()));
    if effect.levels_skipped() > 0 {
        _ = write!(out, "<div><dt>passed over</dt><dd>{}</dd></div>", number(effect.levels_skipped()));
    }
    out.push_str(
        "</dl>\n<svg class=\"share\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
    );
    let mut x = 0;
    for (name, count) in counts {
        let width = u128::from(count) * 1000 / u128::from(plan.players.max(1));
        _ = write!(out, "<rect class=\"{name}\" x=\"{x}\" y=\"0\" width=\"{width}\" height=\"10\"/>");
        x += width;
    }
    out.push_str("</svg>\n");
    figures::shift(id, effect, highest).write(out);
    out.push_str("</article>\n");
}
