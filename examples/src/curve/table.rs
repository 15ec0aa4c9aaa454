//! The exact numbers, as rows for page and terminal alike.

use super::{Change, Document, Study};
use crate::drawing::html::Table;
use crate::report::layout::{number, signed};

/// Levels with their costs and totals; with two curves, those of both and what is between them.
pub(super) fn levels(study: &Study) -> Table {
    match &study.change {
        None => one(&study.first),
        Some(change) => two(&study.first, change),
    }
}

fn one(document: &Document) -> Table {
    let levels = document.levels();
    let rows = (1..=levels.max_level()).map(|level| {
        vec![number(level.into()), cost(document, level), total(document, level), rewards(document, level)]
    });
    Table {
        caption: "Every level: XP to the next, XP in all, rewards".to_owned(),
        head: ["level", "to the next", "XP in all", "rewards"].map(str::to_owned).into(),
        is_number: vec![true, true, true, false],
        rows: rows.collect(),
    }
}

fn two(old: &Document, change: &Change) -> Table {
    let new = &change.next;
    let highest = old.levels().max_level().max(new.levels().max_level());
    let rows = (1..=highest).map(|level| {
        let costs = [old, new].map(|document| has_cost(document, level).then(|| document.levels().cost(level)));
        let totals = [old, new].map(|document| has(document, level).then(|| document.levels().total(level)));
        vec![
            number(level.into()),
            cost(old, level),
            cost(new, level),
            difference(costs),
            total(old, level),
            total(new, level),
            difference(totals),
            rewards(new, level),
        ]
    });
    let head =
        ["level", "to the next, old", "new", "difference", "XP in all, old", "new", "difference", "rewards, new"];
    Table {
        caption: "Every level: XP to the next and XP in all, old and new".to_owned(),
        head: head.map(str::to_owned).into(),
        is_number: vec![true, true, true, true, true, true, true, false],
        rows: rows.collect(),
    }
}

fn has(document: &Document, level: u32) -> bool {
    level <= document.levels().max_level()
}

fn has_cost(document: &Document, level: u32) -> bool {
    level < document.levels().max_level()
}

fn cost(document: &Document, level: u32) -> String {
    if has_cost(document, level) { number(document.levels().cost(level)) } else { "-".to_owned() }
}

fn total(document: &Document, level: u32) -> String {
    if has(document, level) { number(document.levels().total(level)) } else { "-".to_owned() }
}

fn rewards(document: &Document, level: u32) -> String {
    document.rewards_of(level).map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// New less old, with its sign; neither passes 2^53, so their difference is an `i64`.
fn difference([old, new]: [Option<u64>; 2]) -> String {
    let (Some(old), Some(new)) = (old, new) else { return "-".to_owned() };
    let plus = if new > old { "+" } else { "" };
    format!("{plus}{}", signed(new.cast_signed() - old.cast_signed()))
}

/// What is given for levels.
pub(super) fn level_rewards(document: &Document) -> Table {
    let rows = document.rewards.iter().map(|reward| {
        let items = reward.each.items.iter().map(|item| format!("{} {} ({})", number(item.amount), item.id, item.kind));
        let rolls = (reward.each.rolls > 0).then(|| "a roll on a loot table".to_owned());
        let gives: Vec<_> = items.chain(rolls).collect();
        vec![reward.name.to_string(), spans(&reward.levels), gives.join(", ")]
    });
    Table {
        caption: format!("Level rewards of {}", document.name),
        head: ["reward", "levels", "gives"].map(str::to_owned).into(),
        is_number: vec![false; 3],
        rows: rows.collect(),
    }
}

/// Levels in few words: `2 to 60`, `every 5 from 5 to 60`, or one by one.
pub(super) fn spans(levels: &[u32]) -> String {
    const LISTED_MAX: usize = 12;
    let steps: Vec<_> = levels.iter().zip(levels.iter().skip(1)).map(|(a, b)| b - a).collect();
    match (levels, steps.first()) {
        ([first, .., last], Some(1)) if steps.iter().all(|step| *step == 1) => format!("{first} to {last}"),
        ([first, _, .., last], Some(step)) if levels.len() > 2 && steps.iter().all(|other| other == step) => {
            format!("every {step} from {first} to {last}")
        }
        _ => {
            let listed: Vec<_> = levels.iter().take(LISTED_MAX).map(ToString::to_string).collect();
            let more = levels.len().saturating_sub(LISTED_MAX);
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{}{rest}", listed.join(", "))
        }
    }
}

/// What a change mints, by reward; of every way that is tried.
pub(super) fn minted(change: &Change) -> Table {
    let several = change.effects.len() > 1;
    let rows = change.effects.iter().flat_map(|effect| {
        effect.rewards.iter().map(move |reward| {
            let items = reward.items.iter().map(|item| format!("{} {} ({})", number(item.amount), item.id, item.kind));
            let rolls = (reward.rolls > 0).then(|| format!("{} rolls on a loot table", number(reward.rolls)));
            let gives: Vec<_> = items.chain(rolls).collect();
            let name =
                if several { format!("{}: {}", effect.title(), reward.reward) } else { reward.reward.to_string() };
            vec![name, number(reward.receipts), gives.join(", ")]
        })
    });
    Table {
        caption: "What the change itself would mint".to_owned(),
        head: ["reward", "receipts", "gives in all"].map(str::to_owned).into(),
        is_number: vec![false, true, false],
        rows: rows.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_told_in_few_words() {
        let told =
            [&[10][..], &[2, 3], &[2, 4], &[5, 10, 15], &[2, 3, 4, 9], &(1..14).map(|n| n * n).collect::<Vec<_>>()];
        let told = told.map(spans);
        assert_eq!(told[..5], ["10", "2 to 3", "2, 4", "every 5 from 5 to 15", "2, 3, 4, 9"]);
        assert_eq!(told[5], "1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144 and 1 more");
    }

    #[test]
    fn differences_have_a_sign() {
        let told = [[Some(5), Some(7)], [Some(7), Some(5)], [Some(5), Some(5)], [None, Some(5)]].map(difference);
        assert_eq!(told, ["+2", "-2", "0", "-"]);
    }
}
