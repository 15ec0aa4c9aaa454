//! One bit of the file, flipped.

use std::collections::BTreeMap;

use liveops_bench::Random;
use liveops_core::Engine;
use rusqlite::Connection;

use crate::{Home, game, open, play};

const STEPS: usize = 60;
const FLIPS: usize = 300;

/// Records are found out by their check bytes. What these cannot see is a key that a look-up no longer finds; `verify` finds it.
#[test]
fn a_flipped_bit_is_an_error_or_changes_nothing_or_is_found_by_verify() {
    let home = Home::new("flips");
    let path = home.0.join("game.db");
    let engine = play(open(&path, true).unwrap());
    game::steps()[..STEPS].iter().for_each(|step| game::take(&engine, step).unwrap());
    let digest = engine.digest().unwrap();
    drop(engine);
    Connection::open(&path).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let whole = std::fs::read(&path).unwrap();
    let seed = u64::from(std::process::id());
    let mut random = Random::new(seed);
    let mut counts = BTreeMap::<String, usize>::new();
    for flip in 0..FLIPS {
        let (at, bit) = (random.below(whole.len() as u64) as usize, random.below(8));
        let folder = home.0.join("flipped");
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("game.db");
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << bit;
        std::fs::write(&path, bytes).unwrap();
        let found = open(&path, true).map_err(|error| error.kind.code().to_string()).and_then(|store| {
            let verified = store.verify().is_ok();
            let engine = Engine::open(game::rules(), store).map_err(|error| error.code().to_string())?;
            Ok((verified, engine.digest().map_err(|error| error.code().to_string())?))
        });
        let what = match found {
            Err(code) => code,
            Ok((_, same)) if same == digest => "nothing changed".to_owned(),
            Ok((false, _)) => "found by verify alone".to_owned(),
            Ok((true, _)) => {
                panic!("seed {seed}, flip {flip}: bit {bit} of byte {at} gives another digest, and nobody sees it")
            }
        };
        *counts.entry(what).or_default() += 1;
    }
    println!("seed {seed}, {FLIPS} flips of {} bytes: {counts:?}", whole.len());
    let unseen = counts.get("found by verify alone").copied().unwrap_or_default();
    assert!(unseen < FLIPS / 20, "check bytes find next to all: {counts:?}");
}
