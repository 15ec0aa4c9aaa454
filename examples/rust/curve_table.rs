//! A level curve alone, as a table: `cost(l)` is the XP from level `l` to the next.
//!
//! ```text
//! cargo run --example curve_table -- [base] [growth] [max level]
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use liveops_core::progress::LevelCurve;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize, default: &str| words.get(at).cloned().unwrap_or_else(|| default.to_owned());
    let (base, growth, max_level) = (word(0, "250").parse()?, word(1, "1.2"), word(2, "20").parse()?);

    // The factor is a text, so that 1.2 is 6/5 and cost(4) of 250 is 432, never 431.
    let levels = LevelCurve::exponential(base, &growth)?.max_level(max_level).compile()?;
    println!("{base} XP for the first level, each next one times {growth}\n");
    println!("{:>6} {:>14} {:>16}", "level", "to the next", "XP in all");
    for level in 1..=levels.max_level() {
        let cost = if level < levels.max_level() { levels.cost(level).to_string() } else { "-".to_owned() };
        println!("{level:>6} {cost:>14} {:>16}", levels.total(level));
    }
    let somewhere = levels.total(levels.max_level()) / 2;
    let progress = levels.progress(somewhere);
    println!("\n{somewhere} XP is level {}, {} XP into it", progress.level, progress.into_level);
    Ok(())
}
