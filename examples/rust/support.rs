//! What support does: correct, review, hide, export, erase. Each is a command with an id, so a double click is harmless.
//!
//! ```text
//! cargo run --example support
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use liveops_core::{Command, Engine, EventId, MemoryStore, PlayerId, Rules, Ruling, Timestamp, Window};

const RULES: &str = include_str!("../data/rules.json");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::new(Rules::from_json(RULES)?, MemoryStore::new());
    let now = Timestamp::from_unix_seconds(1_793_800_800);
    let ana = PlayerId::new("ana")?;
    let ticket = |id: &str| EventId::new(id);

    // From a source that we trust: two events, the second of them too fast to be true.
    let events = br#"{"id":"e1","type":"progression","playerId":"ana","ts":1793800800,"payload":{"deltaXp":300}}
{"id":"e2","type":"boss_kill","playerId":"ana","ts":1793800800,"payload":{"bossId":"hydra","durationMs":31000}}"#;
    engine.submit_ndjson(events, now).iter().for_each(|outcome| println!("event    {}", outcome.code()));

    let adjust = Command::adjust(ticket("ticket-1")?, ana.clone(), now, 700, "lost a quest reward in the crash")?;
    println!("adjust   {}, again: {}", engine.submit(&adjust).code(), engine.submit(&adjust).code());

    for (number, suspicion) in engine.suspicions_of(&ana)? {
        for judgement in &suspicion.verdicts {
            println!("held     by {}: {}", judgement.detector, judgement.verdict.reason.describe());
        }
        let review = Command::review(ticket("ticket-2")?, ana.clone(), now, number, Ruling::Release);
        println!("release  {}", engine.submit(&review).code());
    }
    println!("ana      {:?}", engine.player(&ana)?);

    let rank = || engine.board("xp")?.at(Window::Weekly, now)?.rank(&ana);
    print!("rank     {:?}", rank()?);
    engine.submit(&Command::set_visibility(ticket("ticket-3")?, ana.clone(), now, true));
    print!(", hidden {:?}", rank()?);
    engine.submit(&Command::set_visibility(ticket("ticket-4")?, ana.clone(), now, false));
    println!(", shown {:?}", rank()?);

    println!("export   {} receipts", engine.export_player(&ana)?.receipts.len());
    let erase = Command::erase(ticket("ticket-5")?, ana.clone(), now);
    println!("erase    {}: {:?}", engine.submit(&erase).code(), engine.player(&ana)?);
    println!("event    {}", engine.submit_ndjson(events, now)[0].code());
    Ok(())
}
