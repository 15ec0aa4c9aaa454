//! The reference of the rules document, `docs/rules.md`, against the reader itself: each table has the very members that the
//! reader asks for at its place, each example is taken, and ranges end where the tables say. The schema against both.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod page;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use liveops_core::Rules;
use serde_json::{Value, json};

use page::{Page, Place, Section, pointer};

#[test]
fn every_example_is_taken_and_warns_of_nothing_but_what_it_leaves_out() {
    for example in &Page::read().examples {
        let rules = Rules::from_json(&example.to_string()).unwrap_or_else(|e| panic!("{e} in {example}"));
        let meant = |code: &str| matches!(code, "foreseeable" | "unused" | "no_effect");
        let warnings = rules.warnings();
        assert!(warnings.iter().all(|warning| meant(warning.code.as_str())), "{warnings:?} in {example}");
    }
}

/// The reader says what it knows at a place when it meets a member that it does not.
#[test]
fn the_tables_have_what_the_reader_asks_for_and_nothing_else() {
    let page = Page::read();
    let mut asked: BTreeMap<*const Section, BTreeSet<String>> = BTreeMap::new();
    for place in page.places() {
        let error = page.with(&place, "no such member", Some(Value::Null)).unwrap_err();
        // An object whose keys are names has no table.
        let Some(known) = error.message.strip_prefix("known here: ") else { continue };
        let path = pointer(&place.1);
        let section = page.section(&place.1).unwrap_or_else(|| panic!("no section is about {path}"));
        for member in known.split(", ") {
            assert!(section.rows.contains_key(member), "the table of {path} has no row for `{member}`");
        }
        asked.entry(std::ptr::from_ref(section)).or_default().extend(known.split(", ").map(str::to_owned));
    }
    for section in page.sections.iter().filter(|section| !section.rows.is_empty()) {
        let asked = asked.remove(&std::ptr::from_ref(section)).unwrap_or_default();
        let stale: Vec<_> = section.rows.keys().filter(|member| !asked.contains(**member)).collect();
        assert!(stale.is_empty(), "the reader asks for no {stale:?} at {:?}", section.paths);
    }
}

/// A member that is asked for where no example of the page leads to.
#[test]
fn the_page_names_every_member_that_the_source_names() {
    let page = Page::read();
    let rows: BTreeSet<_> = page.sections.iter().flat_map(|section| section.rows.keys().copied()).collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/rules");
    let mut asked = 0;
    for file in fs::read_dir(folder).unwrap() {
        let source = fs::read_to_string(file.unwrap().path()).unwrap();
        for call in [".get(\"", ".need(\""] {
            let members = source.split(call).skip(1).map(|rest| rest.split('"').next().unwrap());
            for member in members.filter(|member| !member.contains('/')) {
                asked += 1;
                assert!(rows.contains(member), "docs/rules.md has no row for `{member}`");
            }
        }
    }
    assert!(asked > 100, "the source was found");
}

#[test]
fn what_is_required_is_refused_where_it_is_missing() {
    let page = Page::read();
    for place in page.places() {
        let Some(section) = page.section(&place.1) else { continue };
        let required = section.rows.iter().filter(|(_, row)| row.default == "required");
        for (member, _) in required.filter(|(member, _)| page.object(&place).contains_key(**member)) {
            let error = page.with(&place, member, None).expect_err(member);
            assert_eq!(error.issue.as_str(), "missing", "`{member}` at {}: {error}", pointer(&place.1));
        }
    }
}

/// What is left out is as if the default stood there: the rules are the same but for the document that they remember.
#[test]
fn defaults_are_those_of_the_tables() {
    let page = Page::read();
    let read = |rules: Rules| {
        let all = format!("{rules:?}");
        all[..all.rfind(", hash: ").unwrap()].to_owned()
    };
    let mut tried = 0;
    for section in &page.sections {
        for (member, row) in &section.rows {
            let Some(default) = row.default_value() else { continue };
            let here = page
                .places()
                .into_iter()
                .filter(|place| page.section(&place.1).is_some_and(|found| std::ptr::eq(found, section)));
            let both = |place| {
                Some((page.with(&place, member, None).ok()?, page.with(&place, member, Some(default.clone())).ok()?))
            };
            let pairs: Vec<_> = here.filter_map(both).collect();
            assert!(!pairs.is_empty(), "no example can have {default} for `{member}` at {:?}", section.paths);
            for (without, with) in pairs {
                assert_eq!(read(without), read(with), "{default} of `{member}` at {:?}", section.paths);
            }
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried} defaults");
}

#[test]
fn whole_numbers_end_where_the_tables_say() {
    let page = Page::read();
    let number = |text: &str| text.replace(',', "").parse::<i64>().ok();
    let mut tried = 0;
    for place in page.places() {
        let Some(section) = page.section(&place.1) else { continue };
        for (member, row) in section.rows.iter().filter(|(_, row)| row.of_type.starts_with("whole number")) {
            let ends = row.range.split_once(" to ").and_then(|(from, to)| Some((number(from)?, number(to)?)));
            let Some((from, to)) = ends.filter(|_| page.object(&place).contains_key(*member)) else { continue };
            let path = format!("{}/{member}", pointer(&place.1));
            for beyond in [from - 1, to + 1] {
                let error = page.with(&place, member, Some(json!(beyond))).expect_err(&path);
                let says = error.issue.as_str() == "out_of_range" && path.starts_with(&error.path);
                assert!(says, "{beyond} at {path}: {error}");
            }
            for within in [from, to] {
                if let Err(error) = page.with(&place, member, Some(json!(within))) {
                    assert!(error.path != path || error.issue.as_str() != "out_of_range", "{within}: {error}");
                }
            }
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried} ranges");
}

#[test]
fn decimals_end_where_the_tables_say() {
    let page = Page::read();
    let mut tried = 0;
    for place in page.places() {
        let Some(section) = page.section(&place.1) else { continue };
        for (member, row) in section.rows.iter().filter(|(_, row)| row.of_type.starts_with("decimal")) {
            let Some((from, to)) = row.range.split_once(" to ") else { continue };
            if !page.object(&place).contains_key(*member) {
                continue;
            }
            let to: u32 = to.replace(',', "").parse().unwrap();
            let taken = |text: String| page.with(&place, member, Some(json!(text))).is_ok();
            assert!(taken(from.to_owned()) && taken(to.to_string()), "{} of `{member}`", row.range);
            // A tenth of the least; there is nothing below 0 that could be written.
            let below = from.replacen("0.", "0.0", 1);
            assert!(from == "0" || !taken(below), "less than {from} of `{member}`");
            assert!(!taken((to + 1).to_string()), "more than {to} of `{member}`");
            tried += 1;
        }
    }
    assert!(tried > 3, "{tried} ranges");
}

#[test]
fn the_examples_of_the_rows_are_taken() {
    let page = Page::read();
    let places = page.places();
    for section in &page.sections {
        for (member, row) in &section.rows {
            let here = |place: &&Place| page.section(&place.1).is_some_and(|found| std::ptr::eq(found, section));
            let mut having =
                places.iter().filter(here).filter(|place| page.object(place).contains_key(*member)).peekable();
            assert!(having.peek().is_some(), "no example has `{member}` at {:?}", section.paths);
            let refused: Vec<_> =
                having.map(|place| page.with(place, member, Some(row.example.clone())).err()).collect();
            assert!(refused.contains(&None), "{} of `{member}` at {:?}: {refused:?}", row.example, section.paths);
        }
    }
}
