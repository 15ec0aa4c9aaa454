//! Names as players choose them.

use std::collections::BTreeSet;

use crate::random::SplitMix64;

const GIVEN: &[&str] = &[
    "mira", "kuro", "ana", "juno", "hana", "leif", "soren", "yuki", "tariq", "nadia", "bram", "ines", "ravi", "odile",
    "goro", "freya", "elio", "petra", "kenji", "zola", "marek", "aiko", "dmitri", "lucia", "owen", "saoirse", "tomas",
    "noor", "haru", "signe", "ivo", "chidi", "emeka", "rosa", "lena", "minho", "jiwoo", "paolo", "greta", "anouk",
];
const SURE: &[&str] = &[
    "silent", "crimson", "lucky", "grim", "velvet", "rusty", "lone", "pale", "feral", "tiny", "molten", "hollow",
    "brave", "lazy", "northern", "salty", "hidden", "iron", "wicked", "gentle",
];
const BEAST: &[&str] = &[
    "fox", "wyvern", "raven", "lynx", "moth", "badger", "otter", "drake", "heron", "wolf", "ember", "comet", "turnip",
    "anvil", "lantern", "goblin", "kestrel", "mango", "toast", "viper",
];

/// A name that nobody in `taken` has; it is added to them.
pub(super) fn fresh(taken: &mut BTreeSet<String>, random: &mut SplitMix64) -> String {
    let (given, sure, beast) = (random.pick(GIVEN), random.pick(SURE), random.pick(BEAST));
    let mut name = match random.below(8) {
        0 => format!("{}{}", capital(given), random.between(2, 99)),
        1 => format!("{sure}{beast}"),
        2 => format!("{sure}_{beast}"),
        3 => format!("{beast}{}", random.between(1985, 2012)),
        4 => format!("{given}.{beast}"),
        5 => format!("xX{}Xx", capital(beast)),
        6 => format!("{}The{}", capital(given), capital(beast)),
        _ => format!("{given}-{}", random.between(1, 999)),
    };
    while !taken.insert(name.clone()) {
        name.push(char::from(b'0' + u8::try_from(random.below(10)).unwrap_or_default()));
    }
    name
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}
