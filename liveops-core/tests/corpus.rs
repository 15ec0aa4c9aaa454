//! The properties that the fuzzer looks for holes in, on every file of its corpus: `fuzz/` says what they are.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "public for the fuzzer")]
mod properties;

const FUZZ: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz");

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// A failure names every file that failed, not just the first.
#[test]
fn every_file_of_the_corpus() {
    let (mut ran, mut failed) = (0, Vec::new());
    for (target, check) in properties::TARGETS {
        for file in files(&Path::new(FUZZ).join("corpus").join(target)) {
            let bytes = fs::read(&file).unwrap();
            ran += 1;
            if catch_unwind(|| check(&bytes)).is_err() {
                failed.push(file);
            }
        }
    }
    assert!(failed.is_empty(), "{} of {ran} files failed: {failed:#?}", failed.len());
}

#[test]
fn every_target_has_a_program_and_a_corpus() {
    let known: BTreeSet<_> = properties::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    for folder in ["corpus", "fuzz_targets"] {
        let found = files(&Path::new(FUZZ).join(folder));
        let found: BTreeSet<_> =
            found.iter().map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        assert_eq!(found, known, "{folder}");
    }
    for (target, _) in properties::TARGETS {
        assert!(!files(&Path::new(FUZZ).join("corpus").join(target)).is_empty(), "{target} has no corpus");
    }
}
