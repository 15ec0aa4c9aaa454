//! Properties of the source itself: modules import only downwards, and from `plan` down there is no clock, randomness,
//! environment, file, network, thread, lock or order of a hash map; floating point stays where it belongs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;

/// Top first. A module may use only modules strictly below it.
const LAYERS: &[&[&str]] = &[
    &["conformance", "decorate", "testing"],
    &["engine", "intake"],
    &["memory", "shared"],
    &["replica"],
    &["store"],
    &["plan"],
    &["rules"],
    &["record"],
    &["event"],
    &["anomaly", "board", "progress", "quota", "reward", "signing"],
    &["window", "json"],
    &["codec"],
    &["exact", "id"],
    &["hash", "limits", "time"],
    &["error"],
];

/// From this layer down nothing may touch the outside world.
const PURE_FROM: &str = "plan";

/// Words that a pure module may not say, and the modules that may all the same.
const IMPURE: &[(&str, &[&str])] = &[
    ("SystemTime::now", &[]),
    ("Instant", &[]),
    ("std::thread", &[]),
    ("std::env", &[]),
    ("std::fs", &[]),
    ("std::net", &[]),
    ("std::process", &[]),
    ("std::io", &[]),
    ("Mutex", &[]),
    ("RwLock", &[]),
    ("Atomic", &[]),
    ("OnceLock", &[]),
    ("LazyLock", &[]),
    ("thread_local", &[]),
    ("RandomState", &[]),
    ("rand::", &[]),
    // Their order differs from run to run; `hash` makes one that cannot be walked through.
    ("HashMap", &["hash"]),
    ("HashSet", &[]),
    // `json` meets them on the way from text to a decimal, and back.
    ("f32", &["anomaly"]),
    ("f64", &["anomaly", "json"]),
    ("libm::", &["anomaly"]),
];

/// A source file: its module, which is its folder's if it is in one, and its text.
struct Source {
    module: String,
    file: String,
    text: String,
}

impl Source {
    /// Lines that are compiled into the library, without those that are only comment.
    fn code(&self) -> impl Iterator<Item = &str> {
        let mut lines = self.text.lines().peekable();
        std::iter::from_fn(move || {
            loop {
                let line = lines.next()?;
                let comment = line.trim_start().starts_with("//");
                if line.trim_start() == "#[cfg(test)]" {
                    // Tests in a file of their own take one more line; tests in the file are its end.
                    lines.next_if(|next| next.trim_start().starts_with("mod ") && next.ends_with(';'))?;
                } else if !comment {
                    return Some(line);
                }
            }
        })
    }
}

fn layer(module: &str) -> usize {
    LAYERS.iter().position(|layer| layer.contains(&module)).unwrap_or_else(|| panic!("`{module}` has no layer"))
}

fn sources() -> Vec<Source> {
    let mut all = Vec::new();
    collect(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), None, &mut all);
    all.sort_by(|a, b| a.file.cmp(&b.file));
    assert!(all.len() > 40, "the source was found");
    all
}

fn collect(folder: &Path, module: Option<&str>, all: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let module = module.unwrap_or(&name);
        if path.is_dir() {
            // Folders whose files are tests have no layer of their own.
            if name != "tests" {
                collect(&path, Some(module), all);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests" && module != "lib" {
            let text = fs::read_to_string(&path).unwrap();
            all.push(Source { module: module.to_owned(), file: path.display().to_string(), text });
        }
    }
}

#[test]
fn imports_go_down() {
    for source in sources() {
        let Source { module, file, .. } = &source;
        for line in source.code() {
            for part in line.split("crate::").skip(1) {
                let used: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                assert!(
                    used.starts_with(|c: char| c.is_ascii_lowercase()),
                    "{file}: name the module, so that its layer can be seen\n    {line}"
                );
                assert!(
                    used == *module || layer(&used) > layer(module),
                    "{file}: `{module}` may not use `{used}`: it is not below it\n    {line}"
                );
            }
        }
    }
}

#[test]
fn the_core_is_pure() {
    for source in sources().iter().filter(|source| layer(&source.module) >= layer(PURE_FROM)) {
        for line in source.code() {
            for (word, allowed) in IMPURE {
                let says = line.contains(word) && !allowed.contains(&source.module.as_str());
                assert!(!says, "{}: `{}` is pure but says `{word}`\n    {line}", source.file, source.module);
            }
        }
    }
}

#[test]
fn every_layer_has_its_modules_and_every_module_its_layer() {
    let sources = sources();
    for module in LAYERS.iter().copied().flatten() {
        assert!(sources.iter().any(|source| source.module == *module), "there is no module `{module}`");
    }
    for source in sources {
        layer(&source.module);
    }
}

#[test]
fn files_are_about_one_thing() {
    for Source { file, text, .. } in sources() {
        let len = text.lines().count();
        assert!(len <= 700, "{file} has {len} lines: it is about two things");
        assert!(text.starts_with("//!"), "{file} does not say what it is for");
    }
}

#[test]
fn the_layers_stand_where_people_look() {
    let page = include_str!("../src/lib.rs");
    let architecture = include_str!("../../docs/architecture.md");
    for names in LAYERS {
        assert!(page.contains(&format!("//! {}\n", names.join(" · "))), "{names:?} is missing from the crate page");
        let line = names.join(" | ");
        let stands = architecture.lines().any(|found| found == line || found.starts_with(&format!("{line}  ")));
        assert!(stands, "`{line}` is missing from docs/architecture.md");
    }
}
