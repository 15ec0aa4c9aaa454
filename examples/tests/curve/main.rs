//! The page of `curve`: well-formed, complete, exact, and closed to whatever names a rules document has.
#![expect(clippy::unwrap_used, reason = "tests: what fails here should say where")]

mod markup;

use std::fs;
use std::path::{Path, PathBuf};

use liveops_core::Rules;
use liveops_examples::curve::{Crowd, Document, Options, Study, run};
use serde_json::json;

use crate::markup::Page;

const RULES: &str = include_str!("../../data/rules.json");
const NEXT: &str = include_str!("../../data/curve-next.json");

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)
}

/// A folder of this test alone.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("liveops-curve-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn document(text: &str) -> Document {
    Document::read("rules.json", text.as_bytes()).unwrap()
}

fn pair(old: &str, new: &str) -> Study {
    let old = document(old);
    let crowd = Crowd::assumed(old.levels());
    Study::new(old, Some((document(new), crowd)))
}

/// With thousands apart.
fn number(value: u64) -> String {
    let digits = value.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

/// Every level with its exact cost and total, in the table of the page and in that of the terminal.
fn check_levels(study: &Study) {
    let (page, text) = (study.page(), study.text());
    let levels = study.first.levels();
    for level in 1..=levels.max_level() {
        let cost = if level < levels.max_level() { number(levels.cost(level)) } else { "-".to_owned() };
        let (name, total) = (number(level.into()), number(levels.total(level)));
        let row = format!("<tr><th scope=\"row\" class=\"number\">{name}</th><td class=\"number\">{cost}</td>");
        let row = page.split(&row).nth(1).unwrap_or_else(|| panic!("level {level} is missing"));
        assert!(row.split("</tr>").next().unwrap().contains(&format!(">{total}<")), "level {level}: {total}");
        let is_row = |line: &str| {
            let cells: Vec<_> = line.split_whitespace().collect();
            cells.starts_with(&[&name, &cost]) && cells.contains(&total.as_str())
        };
        assert!(text.lines().any(is_row), "level {level} on the terminal");
    }
}

/// Well-formed, nothing to fetch and nothing to run, and no coordinate that is no number.
fn check_page(study: &Study) {
    let text = study.page();
    let page = Page::read(&text);
    for tag in ["script", "link", "img", "image", "iframe", "object", "embed", "use", "base", "form", "a"] {
        assert!(!page.tags.iter().any(|known| known == tag), "<{tag}>");
    }
    let refused =
        |name: &str| name.starts_with("on") || ["src", "href", "xlink:href", "style", "srcset"].contains(&name);
    assert!(!page.attributes.iter().any(|(name, _)| refused(name)));
    let style = text.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    assert!(!style.contains("url(") && !style.contains("@import") && !text.contains("://"));
    let drawn = page.attributes.iter().filter(|(name, _)| ["x", "y", "cx", "cy", "width", "height"].contains(&&**name));
    assert!(drawn.clone().count() > 20);
    assert!(drawn.clone().all(|(_, value)| value.parse::<f64>().is_ok_and(f64::is_finite)));
    assert!(page.tags.iter().filter(|tag| *tag == "table").count() == text.matches("<caption>").count());
}

#[test]
fn the_sample_curve_is_drawn_whole() {
    let study = Study::new(document(RULES), None);
    check_page(&study);
    check_levels(&study);
    let text = study.text();
    assert!(text.contains("60 levels, 58,694,048 XP to the top"));
    assert!(text.contains(&study.first.levels().hash().to_hex()));
    assert!(text.lines().any(|line| line.starts_with("emberborn   10 ")));
    assert!(text.contains("level-gold  2 to 60  100 gold (currency)"));
}

#[test]
fn two_curves_come_with_what_the_change_does() {
    let study = pair(RULES, NEXT);
    check_page(&study);
    check_levels(&study);
    let [effect] = &study.change.as_ref().unwrap().effects[..] else { panic!("the new rules declare one way") };
    let plan = &effect.plan;
    assert!(effect.is_declared && plan.rise > 0 && plan.stay > 0 && plan.fall == 0, "{plan:?}");
    let page = study.page();
    assert!(page.contains("Assumed, not measured") && page.contains("this is what they would do"));
    assert!(page.contains(&format!("<dt>rise</dt><dd>{}</dd>", number(plan.rise))));
    assert!(page.contains(&format!("<dt>levels rewarded</dt><dd>{}</dd>", number(effect.levels_minted()))));

    // Back again nothing is declared: every policy is tried.
    let back = pair(NEXT, RULES);
    check_page(&back);
    check_levels(&back);
    assert_eq!(back.change.as_ref().unwrap().effects.len(), 3);
    assert!(back.text().contains("do not declare") && back.text().contains("keepEffort: of 300 players"));

    // A list that does not have the old curve is worse than none.
    let other = NEXT
        .replace(r#""from": { "kind": "exponential", "base": 250"#, r#""from": { "kind": "exponential", "base": 9"#);
    let other = pair(RULES, &other);
    check_page(&other);
    assert_eq!(other.change.as_ref().unwrap().effects.len(), 3);
    assert!(other.text().contains("curve_unknown") && other.page().contains("curve_unknown"));

    let same = pair(RULES, RULES);
    check_page(&same);
    assert!(same.page().contains("nobody is moved"));
}

#[test]
fn the_next_rules_differ_from_the_sample_in_curve_and_rewards_alone() {
    let [old, new] = [RULES, NEXT].map(|text| Rules::from_json(text).unwrap());
    let diff = old.diff(&new).unwrap();
    let paths = diff.added.iter().chain(&diff.removed).chain(&diff.changed);
    let allowed = ["/progress/curve", "/progress/migrations", "/rewards/milestone"];
    assert!(paths.clone().all(|path| allowed.iter().any(|start| path.starts_with(start))), "{diff:?}");
    assert!(diff.level_curve.unwrap().migrates);
}

#[test]
fn curves_of_any_length_are_drawn() {
    let rules = |progress: serde_json::Value| json!({ "version": 1, "game": "long", "progress": progress }).to_string();
    let long = rules(json!({ "curve": { "kind": "linear", "base": 1, "step": 3, "maxLevel": 10_000 } }));
    let short = rules(json!({ "curve": { "kind": "table", "costs": [9_007_199_254_740_991_u64] } }));
    for study in [Study::new(document(&short), None), Study::new(document(&long), None), pair(&short, &long)] {
        check_page(&study);
    }
    check_levels(&Study::new(document(&short), None));
    let page = pair(&long, &short).page();
    assert!(page.contains(">9,007,199,254,740,991<") && page.contains(">10,000<"));
    check_page(&Study::new(document(r#"{ "version": 1, "game": "none" }"#), None));
}

#[test]
fn hostile_names_stay_text() {
    let name = "</text><script>alert('1')</script>&x;\"";
    let item = "<img/src=x/onerror=alert(1)>";
    let rules = json!({ "version": 1, "game": name,
        "progress": { "curve": { "kind": "linear", "base": 5, "step": 1, "maxLevel": 9 } },
        "rewards": { name: { "on": { "level": 4 }, "grant": { "kind": item, "id": item, "amount": 1 } } } });
    let mut next = rules.clone();
    next["progress"]["curve"]["base"] = json!(1);
    let (old, new) = (rules.to_string(), next.to_string());
    let crowd = Crowd::read(&b"10\n20\n"[..], "<b>players</b>").unwrap();
    let read = |text: &str| Document::read("<i>.json", text.as_bytes()).unwrap();
    for study in [Study::new(read(&old), None), Study::new(read(&old), Some((read(&new), crowd)))] {
        check_page(&study);
        let page = study.page();
        assert!(page.contains("&lt;script&gt;") && page.contains("&lt;img/src=x/onerror=alert(1)&gt;"));
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("<i>") && !page.contains("<b>p"));
    }
}

#[test]
fn a_run_writes_the_page_and_prints_its_name() {
    let folder = folder("run");
    let out = folder.join("new").join("curve.html");
    let options = Options { rules: data("rules.json"), next: None, players: None, out: out.clone() };
    let text = run(&options).unwrap();
    assert!(text.ends_with(&format!("\npage written to {}\n", out.display())));
    assert_eq!(fs::read_to_string(&out).unwrap(), Study::read(&options).unwrap().page());

    // Two documents, and real players.
    let players = folder.join("players.ndjson");
    fs::write(&players, "{\"playerId\":\"ana\",\"xp\":1000000}\n250\n").unwrap();
    let options = Options { next: Some(data("curve-next.json")), players: Some(players.clone()), ..options };
    let text = run(&options).unwrap();
    assert!(text.contains("keepTotalXp: of 2 players 1 rise, 1 stay, 0 fall") && text.contains("Real totals, from "));
    assert!(!fs::read_to_string(&out).unwrap().contains("Assumed"));

    // What is wrong is told with its place.
    fs::write(&players, "12\nmany\n").unwrap();
    assert!(run(&options).unwrap_err().contains("players.ndjson:2: an XP total expected"));
    let bad = folder.join("bad.json");
    fs::write(&bad, RULES.replace("\"1.2\"", "1.2")).unwrap();
    let error = run(&Options { rules: bad, ..options.clone() }).unwrap_err();
    assert!(error.contains("bad.json: ") && error.contains("/progress/curve/growth"), "{error}");
    assert!(run(&Options { rules: folder.join("none.json"), ..options }).unwrap_err().contains("none.json"));
    fs::remove_dir_all(&folder).unwrap();
}
