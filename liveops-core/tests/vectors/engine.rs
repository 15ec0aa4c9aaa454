//! Whole engines in memory.

use liveops_core::engine::Engine;
use liveops_core::hash::{Digest, unhex};
use liveops_core::record::ReceiptName;
use liveops_core::{Command, EventId, MemoryStore, Outcome, Period, PlayerId, Rules, Ruling, Timestamp, Window};
use serde_json::{Map, Value, json};

use super::case::{Case, text, time};

type Memory = Engine<MemoryStore>;

pub(crate) fn run(case: &Case) {
    for in_batches in [false, true] {
        let mut engine = Engine::new(case.rules(), MemoryStore::new());
        let steps = case.need("steps").as_array().unwrap();
        let same_batch = |a: &Value, b: &Value| in_batches && is_line(a) && is_line(b) && a["nowMs"] == b["nowMs"];
        for steps in steps.chunk_by(same_batch) {
            if is_line(&steps[0]) {
                let lines: Vec<String> = steps.iter().map(line).collect();
                let outcomes = engine.submit_ndjson(lines.join("\n").as_bytes(), time(&steps[0]["nowMs"]));
                assert_eq!(outcomes.len(), steps.len(), "one outcome for each line");
                steps.iter().zip(&outcomes).for_each(|(step, outcome)| check_outcome(case, step, outcome));
            } else if let Some(now) = steps[0].get("advance") {
                let far = steps[0].get("far").is_some();
                let moved = if far { engine.advance_far(time(now)) } else { engine.advance(time(now)) };
                assert_eq!(moved.err().map(|error| error.code().as_str()), steps[0].get("error").map(text), "{now}");
            } else if let Some(now) = steps[0].get("restoreAt") {
                let rules = (*engine.rules()).clone();
                let store = MemoryStore::restore_at(&engine.store().snapshot(), &rules, time(now)).unwrap();
                engine = Engine::new(rules, store);
            } else if steps[0].get("payout").is_some() {
                case.compare(&steps[0]["expect"], &pay(&engine, &steps[0]));
            } else if let Some(mark) = steps[0].get("payClosed") {
                let mark = (!mark.is_null()).then(|| time(mark));
                case.compare(&steps[0]["expect"], &json!(engine.pay_closed(mark, time(&steps[0]["nowMs"])).unwrap()));
            } else if let Some(new) = steps[0].get("planMigration") {
                let new = Rules::from_json(&new.to_string()).unwrap();
                case.compare(&steps[0]["expect"], &json!(engine.plan_migration(&new).unwrap()));
            } else if let Some(new) = steps[0].get("replaceRules") {
                let new = Rules::from_json(&new.to_string()).unwrap();
                case.compare(&steps[0]["expect"], &json!(engine.replace_rules(new).unwrap()));
            } else if let Some(now) = steps[0].get("migrations") {
                case.compare(&steps[0]["expect"], &migrate(&engine, time(now)));
            } else {
                check_outcome(case, &steps[0], &engine.submit(&command(&engine, &steps[0])));
            }
        }
        check(case, &engine);
    }
}

fn is_line(step: &Value) -> bool {
    step.get("submit").or(step.get("line")).is_some()
}

fn line(step: &Value) -> String {
    step.get("line").map_or_else(|| step["submit"].to_string(), |line| text(line).to_owned())
}

/// An operator's command.
fn command(engine: &Memory, step: &Value) -> Command {
    let named = |(name, _): &(&String, &Value)| !["nowMs", "expect"].contains(&name.as_str());
    let (name, of) = step.as_object().unwrap().iter().find(named).unwrap();
    let now = time(&step["nowMs"]);
    let player = PlayerId::new(text(&of["playerId"])).unwrap();
    match name.as_str() {
        "claim" => return Command::claim(player.clone(), receipt(engine, &player, of), now),
        "migrate" => {
            let curve = of.get("curve").map(|hex| Digest(unhex(text(hex)).unwrap().try_into().unwrap()));
            let curve = curve.unwrap_or_else(|| engine.rules().progression().levels.hash());
            let version = engine.player(&player).unwrap().map_or(0, |view| view.version);
            return Command::migrate(player, curve, version, now);
        }
        _ => {}
    }
    let id = EventId::new(text(&of["id"])).unwrap();
    match name.as_str() {
        "revoke" => {
            let receipt = receipt(engine, &player, of);
            Command::revoke(id, player, now, receipt, text(&of["reason"])).unwrap()
        }
        "adjust" => Command::adjust(id, player, now, of["xp"].as_i64().unwrap(), text(&of["reason"])).unwrap(),
        "review" => {
            let ruling = match text(&of["ruling"]) {
                "release" => Ruling::Release,
                "confirm" => Ruling::Confirm,
                other => panic!("unknown ruling {other}"),
            };
            Command::review(id, player, now, of["suspicion"].as_u64().unwrap(), ruling)
        }
        "setVisibility" => Command::set_visibility(id, player, now, of["hidden"].as_bool().unwrap()),
        "erase" => Command::erase(id, player, now),
        other => panic!("unknown step {other}"),
    }
}

/// The receipt of a number, as far as it is kept; else one that is not there.
fn receipt(engine: &Memory, player: &PlayerId, of: &Value) -> ReceiptName {
    let number = of["number"].as_u64().unwrap();
    let kept = engine.receipts(player).unwrap();
    let name = kept.iter().find(|receipt| receipt.number == number).map(ReceiptName::from);
    name.unwrap_or(ReceiptName { number, id: Digest::default() })
}

/// Brings everybody to the curve in force, in one batch, and what came of it.
fn migrate(engine: &Memory, now: Timestamp) -> Value {
    let commands = engine.migrations(now).unwrap();
    let outcomes = engine.submit_batch(&commands);
    let outcomes = commands.iter().zip(outcomes).map(|(command, outcome)| {
        let code = outcome.code();
        json!({ "playerId": command.player, "code": code, "effect": outcome.into_effect().ok() })
    });
    outcomes.collect()
}

/// Pays a board, and what came of it.
fn pay(engine: &Memory, step: &Value) -> Value {
    let (of, now) = (&step["payout"], time(&step["nowMs"]));
    let window = Window::from_text(text(&of["window"])).unwrap();
    let period = Period { window, index: of["index"].as_i64().unwrap() };
    let payout = match engine.payout(text(&of["board"]), period, now) {
        Ok(payout) => payout,
        Err(error) => return json!({ "code": error.code() }),
    };
    let outcomes = engine.submit_batch(payout.commands());
    let outcomes = payout.commands().iter().zip(&outcomes).map(|(command, outcome)| {
        let effect = outcome.clone().into_effect().ok();
        let (status, code) = (outcome.status(), outcome.code());
        json!({ "playerId": command.player, "status": status, "code": code, "effect": effect })
    });
    let outcomes: Vec<_> = outcomes.collect();
    let mut told = json!(payout);
    told["outcomes"] = outcomes.into();
    told
}

fn check_outcome(case: &Case, step: &Value, outcome: &Outcome) {
    let effect = outcome.clone().into_effect().ok();
    let actual = json!({ "step": step, "status": outcome.status(), "code": outcome.code(), "effect": effect });
    case.compare(&step["expect"], &actual);
}

fn check(case: &Case, engine: &Memory) {
    let id = |text: &str| PlayerId::new(text).unwrap();
    for expected in list(case, "players") {
        let view = engine.player(&id(text(&expected["playerId"]))).unwrap();
        match view {
            None => assert_eq!(expected["absent"], true, "{}: {expected}", case.name()),
            Some(view) => case.compare(expected, &json!(view)),
        }
    }
    let empty = Map::new();
    let by_player = |member: &str| case.get(member).map_or(&empty, |all| all.as_object().unwrap());
    for (player, expected) in by_player("receipts") {
        case.compare(expected, &json!(engine.receipts(&id(player)).unwrap()));
    }
    for (player, expected) in by_player("explain") {
        let found = engine.explain(&id(player), time(&expected["nowMs"])).unwrap();
        let found = found.map(|found| {
            let sum: i64 = found.lines.iter().map(|line| line.xp).sum();
            assert_eq!(u64::try_from(sum), Ok(found.xp), "{}: the lines add up", case.name());
            let lines: Vec<_> = found.lines.iter().map(|line| json!([line.topic, line.xp, line.text])).collect();
            json!({ "nowMs": expected["nowMs"], "xp": found.xp, "level": found.level, "lines": lines })
        });
        case.compare(expected, &json!(found));
    }
    for (player, expected) in by_player("suspicions") {
        let all = engine.suspicions_of(&id(player)).unwrap().into_iter().map(|(number, suspicion)| {
            let mut value = json!(suspicion);
            value["number"] = number.into();
            value
        });
        case.compare(expected, &all.collect());
    }
    for expected in list(case, "boards") {
        let window = Window::from_text(text(&expected["window"])).unwrap();
        let rows = engine.board(text(&expected["board"])).unwrap().top(window, 100, time(&expected["nowMs"])).unwrap();
        let rows: Vec<_> = rows.into_iter().map(|row| json!([row.rank, row.owner, row.score])).collect();
        case.compare(
            expected,
            &json!({ "board": expected["board"], "window": window, "nowMs": expected["nowMs"], "rows": rows }),
        );
    }
    assert_eq!(engine.store().digest(), case.text("digest"), "{}", case.name());
}

fn list<'v>(case: &Case<'v>, member: &str) -> impl Iterator<Item = &'v Value> {
    case.get(member).and_then(Value::as_array).into_iter().flatten()
}
