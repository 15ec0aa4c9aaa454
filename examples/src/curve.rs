//! Level curves as one page that needs nothing else, and as a table on the terminal: one curve, or two over each other
//! with what the change does to players.
//!
//! - `document` reads rules, and asks them what each level is rewarded with and how earlier curves are left.
//! - `crowd` is who the change is tried on: real totals, or an assumption that is told as one.
//! - `effect` asks the planner.
//! - `figures` says what is drawn, `page` puts it together, `table` and `text` have the exact numbers.

mod crowd;
mod document;
mod effect;
mod figures;
mod lanes;
mod page;
mod table;
mod text;

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

pub use crowd::Crowd;
pub use document::{Document, LevelReward, Step};
pub use effect::{Effect, effects};

/// What to draw, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The rules document.
    pub rules: PathBuf,
    /// The one that would replace it.
    pub next: Option<PathBuf>,
    /// Totals of real players: a number a line, or objects with `xp`.
    pub players: Option<PathBuf>,
    /// The page.
    pub out: PathBuf,
}

/// What is drawn.
#[derive(Clone, Debug)]
pub struct Study {
    /// The curve, or the one that is left.
    pub first: Document,
    /// What comes after it.
    pub change: Option<Change>,
}

/// The curve that replaces the first, and what that does.
#[derive(Clone, Debug)]
pub struct Change {
    /// The new rules.
    pub next: Document,
    /// Whom it is tried on.
    pub crowd: Crowd,
    /// What happens to them: under the policy that the new rules declare, or under each there is.
    pub effects: Vec<Effect>,
}

impl Study {
    /// Reads what the options name; the error says which file, and what is wrong in it.
    pub fn read(options: &Options) -> Result<Self, String> {
        let first = document(&options.rules)?;
        let Some(next) = &options.next else { return Ok(Self { first, change: None }) };
        let next = document(next)?;
        let crowd = match &options.players {
            None => Crowd::assumed(first.levels()),
            Some(path) => {
                let name = path.display().to_string();
                let file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
                Crowd::read(BufReader::new(file), &name)?
            }
        };
        Ok(Self::new(first, Some((next, crowd))))
    }

    /// Of documents that were read already.
    pub fn new(first: Document, next: Option<(Document, Crowd)>) -> Self {
        let change = next.map(|(next, crowd)| {
            let effects = effects(&first, &next, &crowd);
            Change { next, crowd, effects }
        });
        Self { first, change }
    }

    /// The page: HTML that loads nothing.
    pub fn page(&self) -> String {
        page::render(self)
    }

    /// The same numbers as plain text.
    pub fn text(&self) -> String {
        text::render(self)
    }
}

/// Reads, draws and writes the page; the answer is the table, with the name of the page at its end.
pub fn run(options: &Options) -> Result<String, String> {
    let study = Study::read(options)?;
    let out = &options.out;
    let failed = |error: std::io::Error| format!("{}: {error}", out.display());
    if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(out, study.page()).map_err(failed)?;
    Ok(format!("{}\npage written to {}\n", study.text(), out.display()))
}

fn document(path: &Path) -> Result<Document, String> {
    let name = path.display().to_string();
    let bytes = fs::read(path).map_err(|error| format!("{name}: {error}"))?;
    let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    Document::read(&file, &bytes).map_err(|error| format!("{name}: {error}"))
}
