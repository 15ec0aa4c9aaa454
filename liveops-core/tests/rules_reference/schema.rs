//! The schema `rules.v1.json` against the reader, both ways, and against the page.
//!
//! What the reader takes the schema takes too. Of what the reader refuses the schema finds nearly all: the rest are names that
//! refer to nothing, fields of other types, and numbers that do not go together, which no schema can say.

use std::collections::{BTreeMap, BTreeSet};
use std::{env, fs};

use boon::{Compiler, SchemaIndex, Schemas};
use liveops_core::Rules;
use serde_json::{Map, Value, json};

use crate::page::{Page, pointer};

/// Reproduces a run; `LIVEOPS_SEED` is another.
const SEED: u64 = 17;
/// As many as a test run has time for; `LIVEOPS_MUTATIONS` says another number.
const MUTATIONS: u64 = 10_000;
/// Of what the reader refuses, what the schema has to find: so many in a hundred.
const FOUND_PERCENT_MIN: usize = 98;

struct Validator {
    schemas: Schemas,
    root: SchemaIndex,
}

impl Validator {
    fn new() -> Self {
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.add_resource("rules.json", schema()).unwrap();
        let root = compiler.compile("rules.json", &mut schemas).unwrap_or_else(|error| panic!("{error}"));
        Self { schemas, root }
    }

    /// What is wrong with a document, if anything is.
    fn error(&self, document: &Value) -> Option<String> {
        self.schemas.validate(document, self.root).err().map(|error| format!("{error:#}"))
    }
}

fn schema() -> Value {
    serde_json::from_str(Rules::SCHEMA).unwrap()
}

fn read(document: &Value) -> Result<Rules, liveops_core::rules::RulesError> {
    Rules::from_json(&document.to_string())
}

/// Documents that the reader takes: the page's, the samples, those of the fuzzer's corpus and of the vectors.
fn good_documents() -> Vec<Value> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut documents = Page::read().examples;
    for folder in ["examples/data", "fuzz/corpus/rules", "vectors"] {
        let mut files: Vec<_> =
            fs::read_dir(format!("{root}/{folder}")).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "json")) {
            if let Ok(whole) = serde_json::from_slice(&fs::read(file).unwrap()) {
                collect(&whole, &mut documents);
            }
        }
    }
    let mut known = BTreeSet::new();
    documents.retain(|document| known.insert(document.to_string()) && read(document).is_ok());
    documents
}

/// What looks like a document, at any depth.
fn collect(value: &Value, documents: &mut Vec<Value>) {
    match value {
        Value::Object(members) if members.contains_key("version") && members.contains_key("game") => {
            documents.push(value.clone());
        }
        Value::Object(members) => members.values().for_each(|value| collect(value, documents)),
        Value::Array(elements) => elements.iter().for_each(|value| collect(value, documents)),
        _ => {}
    }
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }

    fn one_of<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// The path of every value of a document, its own first.
fn paths(value: &Value, path: &mut Vec<String>, all: &mut Vec<Vec<String>>) {
    all.push(path.clone());
    let below: Vec<_> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(elements) => elements.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (segment, value) in below {
        path.push(segment);
        paths(value, path, all);
        path.pop();
    }
}

/// What people get wrong: a member left out, one that nobody knows, one in the wrong place, another type, a number out of range.
fn mutate(random: &mut Random, documents: &[(Value, Vec<Vec<String>>)]) -> Value {
    let (document, paths) = random.one_of(documents);
    let mut mutated = document.clone();
    let path = random.one_of(paths);
    let Some((last, parent)) = path.split_last() else { return random.one_of(&others()).clone() };
    let escaped =
        |path: &[String]| pointer(&path.iter().map(|s| s.replace('~', "~0").replace('/', "~1")).collect::<Vec<_>>());
    let value = document.pointer(&escaped(path)).unwrap().clone();
    let parent = mutated.pointer_mut(&escaped(parent)).unwrap();
    match random.below(4) {
        // Left out.
        0 => match parent {
            Value::Object(members) => drop(members.remove(last)),
            _ => drop(parent.as_array_mut().unwrap().remove(last.parse().unwrap())),
        },
        // One too many, which a name of the game's own may be.
        1 => match parent {
            Value::Object(members) => drop(members.insert(format!("{last}s"), value)),
            _ => parent.as_array_mut().unwrap().push(random.one_of(&others()).clone()),
        },
        // Another value.
        2 => *child(parent, last) = random.one_of(&others()).clone(),
        // What stands elsewhere in some document.
        _ => {
            let (other, paths) = random.one_of(documents);
            let elsewhere: &Vec<_> = random.one_of(paths);
            *child(parent, last) = other.pointer(&escaped(elsewhere)).unwrap().clone();
        }
    }
    mutated
}

fn child<'v>(parent: &'v mut Value, segment: &str) -> &'v mut Value {
    match parent {
        Value::Object(members) => members.get_mut(segment).unwrap(),
        _ => &mut parent.as_array_mut().unwrap()[segment.parse::<usize>().unwrap()],
    }
}

fn others() -> Vec<Value> {
    let large = 10_i64.pow(17);
    vec![
        json!(null),
        json!(true),
        json!("no such"),
        json!(-1),
        json!(0),
        json!(large),
        json!(1.5),
        json!([]),
        json!({}),
    ]
}

#[test]
fn what_the_reader_takes_the_schema_takes_and_what_it_refuses_the_schema_finds() {
    let validator = Validator::new();
    let documents = good_documents();
    assert!(documents.len() > 80, "{} documents", documents.len());
    for document in &documents {
        assert_eq!(validator.error(document), None, "{document}");
    }
    let with_paths = |document: Value| {
        let mut all = Vec::new();
        paths(&document, &mut Vec::new(), &mut all);
        (document, all)
    };
    let documents: Vec<_> = documents.into_iter().map(with_paths).collect();
    let number = |name, usual| env::var(name).map_or(usual, |number| number.parse().unwrap());
    let (seed, mutations) = (number("LIVEOPS_SEED", SEED), number("LIVEOPS_MUTATIONS", MUTATIONS));
    let mut random = Random(seed);
    let (mut taken, mut refused, mut missed) = (0_u64, 0, BTreeMap::<String, usize>::new());
    for _ in 0..mutations {
        let mutated = mutate(&mut random, &documents);
        let found = validator.error(&mutated);
        match read(&mutated) {
            Ok(_) => {
                taken += 1;
                assert_eq!(found, None, "a false alarm, seed {seed}: {mutated}");
            }
            Err(error) => {
                refused += 1;
                if found.is_none() {
                    *missed.entry(format!("{}: {}", error.issue, error.message)).or_default() += 1;
                }
            }
        }
    }
    let missed_all: usize = missed.values().sum();
    let found = refused - missed_all;
    let share = format!("{found} of {refused} refusals found, {taken} taken, seed {seed}");
    println!("{share}");
    for (message, count) in &missed {
        println!("{count:6} {message}");
    }
    assert!(taken > mutations / 20, "{share}");
    assert!(found * 100 >= refused * FOUND_PERCENT_MIN, "{share}: {missed:#?}");
}

/// Where the conditions of the schema could go too far.
#[test]
fn what_is_unusual_and_taken_is_no_alarm() {
    let validator = Validator::new();
    for members in [
        // Kept fields may be whatever they are on other types.
        r#""events": { "progression": { "unknownFields": "keep" } },
            "boards": { "b": { "where": { "bossId": 5 }, "value": { "field": "dropId" }, "on": "progression", "keepPeriods": { "daily": 1 } } }"#,
        // A field that is built in as a number, and here is a text.
        r#""events": { "progression": { "fields": { "deltaXp": { "type": "text" } } }, "boss_kill": { "fields": { "deltaXp": { "type": "id" } } },
            "drop_claimed": { "fields": { "deltaXp": { "type": "id" } } } },
            "progress": { "curve": { "kind": "linear", "base": 1, "step": 0, "maxLevel": 2 }, "xp": [] },
            "boards": { "b": { "where": { "deltaXp": "5" }, "value": 1, "keepPeriods": { "daily": 1 } } }"#,
        r#""loot": {}, "bundles": {}, "rewards": { "r": { "on": { "levels": [2, 2] }, "grant": [ { "kind": "k", "id": "bundle", "amount": 1 } ] } }"#,
        r#""events": "guide", "boards": { "b": { "on": "boss_kill", "where": { "activity": "quest" }, "value": -1, "keepPeriods": { "daily": 0 } } }"#,
        r#""progress": { "floor": "zero", "curve": { "kind": "table", "totals": [0, 1], "cumulative": true }, "xp": [ { "amount": -5 } ] }"#,
        r#""progress": { "curve": { "kind": "piecewise", "pieces": [ { "fromLevel": 1, "kind": "linear", "base": 1, "step": 0 },
            { "fromLevel": 3, "kind": "table", "costs": [ 4, 5 ] } ] } }"#,
        r#""detectors": { "d": { "kind": "timeFloor", "boss": "b", "minimumMs": 1 } },
            "events": { "boss_kill": { "fields": { "durationMs": { "min": 0 } } } }"#,
    ] {
        let document = serde_json::from_str(&format!(r#"{{ "version": 1, "game": "g", {members} }}"#)).unwrap();
        assert_eq!(read(&document).err(), None, "{document}");
        assert_eq!(validator.error(&document), None, "{document}");
    }
}

/// Every object schema that can hold at a path.
fn objects_at<'s>(root: &'s Value, path: &[&str]) -> Vec<&'s Map<String, Value>> {
    let mut here = vec![root];
    for segment in path {
        here = here.iter().flat_map(|at| expanded(root, at)).flat_map(|object| below(object, segment)).collect();
    }
    here.iter()
        .flat_map(|at| expanded(root, at))
        .filter(|object| object.get("additionalProperties") == Some(&json!(false)))
        .collect()
}

/// A schema with all that it refers to.
fn expanded<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s Map<String, Value>> {
    let Some(object) = schema.as_object() else { return Vec::new() };
    let mut all = vec![object];
    let branches = ["then", "else"].iter().filter_map(|branch| object.get(*branch));
    let every = object.get("allOf").and_then(Value::as_array).into_iter().flatten();
    for next in branches.chain(every) {
        all.extend(expanded(root, next));
    }
    if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
        all.extend(expanded(root, root.pointer(reference.strip_prefix('#').unwrap()).unwrap()));
    }
    all
}

/// What is one step below; `*` is any name or place.
fn below<'s>(object: &'s Map<String, Value>, segment: &str) -> Vec<&'s Value> {
    let properties = object.get("properties").and_then(Value::as_object);
    if segment == "*" {
        let any = ["additionalProperties", "items"].iter().filter_map(|all| object.get(*all));
        any.chain(properties.into_iter().flat_map(Map::values)).collect()
    } else {
        properties.and_then(|properties| properties.get(segment)).into_iter().collect()
    }
}

/// The very members; those that are required, defaults, and ranges of whole numbers are the same too.
#[test]
fn the_schema_says_what_the_tables_say() {
    let (page, schema) = (Page::read(), schema());
    let (mut places, mut ranges, mut defaults) = (0, 0, 0);
    for section in page.sections.iter().filter(|section| !section.rows.is_empty()) {
        for path in &section.paths {
            let objects = objects_at(&schema, path);
            let members: Vec<_> = objects
                .iter()
                .flat_map(|object| properties_of(object).map(move |(name, member)| (name, member, *object)))
                .collect();
            let named: BTreeSet<_> = members.iter().map(|(name, ..)| name.as_str()).collect();
            let rows: BTreeSet<_> = section.rows.keys().copied().collect();
            // In a bundle there is no bundle.
            let outside: &[&str] = if path.first() == Some(&"bundles") { &["bundle", "times"] } else { &[] };
            assert_eq!(named, &rows - &outside.iter().copied().collect(), "at /{}", path.join("/"));
            places += 1;
            for (name, member, object) in members {
                let (row, here) = (&section.rows[name.as_str()], format!("/{}/{name}", path.join("/")));
                if row.default == "required" {
                    assert!(object["required"].as_array().unwrap().contains(&json!(name)), "{here}");
                }
                if let Some(default) = row.default_value() {
                    assert_eq!(member.get("default"), Some(&default), "{here}");
                    defaults += 1;
                }
                let number = |text: &str| text.replace(',', "").parse::<i64>().ok();
                let ends = row.range.split_once(" to ").and_then(|(from, to)| Some((number(from)?, number(to)?)));
                let is_number = row.of_type.starts_with("whole number") && member.get("const").is_none();
                if let Some((from, to)) = ends.filter(|_| is_number) {
                    let all = expanded(&schema, member);
                    let end = |name| all.iter().find_map(|schema| schema.get(name)).and_then(Value::as_i64);
                    // The page says the least for events as they are built in.
                    let from = if name == "minimumMs" { 1 } else { from };
                    assert_eq!((end("minimum"), end("maximum")), (Some(from), Some(to)), "{here}");
                    ranges += 1;
                }
            }
        }
    }
    assert!(places > 50 && ranges > 60 && defaults > 60, "{places} places, {ranges} ranges, {defaults} defaults");
}

fn properties_of(object: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    object["properties"].as_object().unwrap().iter()
}
