//! The page `docs/rules.md`, read.

use std::collections::BTreeMap;

use liveops_core::Rules;
use liveops_core::rules::RulesError;
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../../docs/rules.md");
const HEADER: &str = "| member | type | default | range | example | refused |";

/// What the page says of the objects at some paths.
pub(crate) struct Section {
    /// Segments of the paths; `*` is any name or place.
    pub(crate) paths: Vec<Vec<&'static str>>,
    pub(crate) rows: BTreeMap<&'static str, Row>,
}

pub(crate) struct Row {
    pub(crate) of_type: &'static str,
    pub(crate) default: &'static str,
    pub(crate) range: &'static str,
    pub(crate) example: Value,
}

/// An object of an example, by the segments of its path.
pub(crate) type Place = (usize, Vec<String>);

pub(crate) struct Page {
    pub(crate) sections: Vec<Section>,
    /// Whole documents.
    pub(crate) examples: Vec<Value>,
}

impl Page {
    pub(crate) fn read() -> Self {
        let (mut sections, mut examples) = (Vec::<Section>::new(), Vec::new());
        let mut lines = PAGE.lines();
        while let Some(line) = lines.next() {
            if let Some(heading) = line.strip_prefix("## ") {
                let paths = heading.split('`').skip(1).step_by(2).map(|path| path.split('/').skip(1));
                let paths = paths.map(|path| path.filter(|segment| !segment.is_empty()).collect()).collect();
                sections.push(Section { paths, rows: BTreeMap::new() });
            } else if line == HEADER {
                let rows = lines.by_ref().skip(1).take_while(|line| !line.is_empty());
                let section = sections.last_mut().unwrap();
                assert!(!section.paths.is_empty(), "a table of members stands under its path");
                section.rows = rows.map(row).collect();
            } else if line == "```json" {
                let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
                let block = block.join("\n");
                let whole = if block.starts_with('{') { block } else { format!("{{ {block} }}") };
                let mut example: Value = serde_json::from_str(&whole).unwrap_or_else(|e| panic!("{e} in {whole}"));
                let members = example.as_object_mut().unwrap();
                members.entry("version").or_insert(json!(1));
                members.entry("game").or_insert(json!("g"));
                examples.push(example);
            }
        }
        Self { sections, examples }
    }

    pub(crate) fn section(&self, path: &[String]) -> Option<&Section> {
        let fits = |wanted: &Vec<&str>| {
            wanted.len() == path.len()
                && wanted.iter().zip(path).all(|(wanted, found)| *wanted == "*" || wanted == found)
        };
        self.sections.iter().find(|section| section.paths.iter().any(fits))
    }

    /// Every object of every example.
    pub(crate) fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        for (at, example) in self.examples.iter().enumerate() {
            objects(example, &mut Vec::new(), &mut |path| places.push((at, path.to_vec())));
        }
        places
    }

    /// An example with a member of one of its objects changed, or taken away.
    pub(crate) fn with(&self, (at, path): &Place, member: &str, value: Option<Value>) -> Result<Rules, RulesError> {
        let mut document = self.examples[*at].clone();
        let object = document.pointer_mut(&pointer(path)).unwrap().as_object_mut().unwrap();
        match value {
            Some(value) => object.insert(member.to_owned(), value),
            None => object.remove(member),
        };
        Rules::from_json(&document.to_string())
    }

    pub(crate) fn object(&self, (at, path): &Place) -> &serde_json::Map<String, Value> {
        self.examples[*at].pointer(&pointer(path)).unwrap().as_object().unwrap()
    }
}

impl Row {
    /// A number, `word` or "text"; not what only a sentence can say.
    pub(crate) fn default_value(&self) -> Option<Value> {
        let whole = |text: &'static str| text.strip_prefix('`')?.strip_suffix('`').filter(|inner| !inner.contains('`'));
        match whole(self.default) {
            Some(text) if text.starts_with('"') => serde_json::from_str(text).ok(),
            Some(word) => Some(json!(word)),
            None if self.default == "false" => Some(json!(false)),
            None => self.default.replace(',', "").parse::<i64>().ok().map(Value::from),
        }
    }
}

fn row(line: &'static str) -> (&'static str, Row) {
    let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [member, of_type, default, range, example, _] = cells[..] else { panic!("six cells: {line}") };
    let example = serde_json::from_str(example.trim_matches('`')).unwrap_or_else(|e| panic!("{e}: {line}"));
    assert!(!of_type.is_empty(), "{line}");
    (member.trim_matches('`'), Row { of_type, default, range, example })
}

fn objects(value: &Value, path: &mut Vec<String>, found: &mut impl FnMut(&[String])) {
    let below: Vec<_> = match value {
        Value::Object(members) => {
            found(path);
            members.iter().map(|(name, value)| (name.clone(), value)).collect()
        }
        Value::Array(elements) => elements.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (segment, value) in below {
        path.push(segment);
        objects(value, path, found);
        path.pop();
    }
}

pub(crate) fn pointer(path: &[String]) -> String {
    path.iter().flat_map(|segment| ["/", segment]).collect()
}
