//! What a server in front of intake and engine answers.

use liveops_core::engine::Engine;
use liveops_core::intake::{Intake, Refusal};
use liveops_core::signing::{Headers, Secret};
use liveops_core::{MemoryStore, Outcome};
use serde_json::{Value, json};

use super::case::{Case, body, text, time};

struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    problem: Value,
}

pub(crate) fn run(case: &Case) {
    let rules = case.rules();
    let builder = Intake::builder(rules.door());
    let intake = match case.get("secret") {
        Some(secret) => builder.secret(&Secret::parse(text(secret)).unwrap()).unwrap(),
        None => builder.trusted(),
    };
    let (intake, engine) = (intake.build().unwrap(), Engine::new(rules, MemoryStore::new()));
    let responses = case.need("requests").as_array().unwrap().iter().map(|request| respond(&intake, &engine, request));
    let Response { status, headers, problem } = responses.last().unwrap();
    let headers: serde_json::Map<_, _> = headers.into_iter().map(|(n, value)| (n.to_owned(), json!(value))).collect();
    case.compare(case.expect(), &json!({ "status": status, "headers": headers, "problem": problem }));
}

fn respond(intake: &Intake, engine: &Engine<MemoryStore>, request: &Value) -> Response {
    let refused = |refusal: Refusal| Response {
        status: refusal.http_status(),
        headers: refusal.headers(),
        problem: refusal.problem(),
    };
    let headers = request.get("headers").and_then(Value::as_object).into_iter().flatten();
    let headers = Headers::from_pairs(headers.map(|(name, value)| (name.as_str(), text(value))));
    match intake.admit(&headers, &body(request), time(&request["nowMs"])) {
        Err(refusal) => refused(refusal),
        Ok(event) => match engine.submit(&event) {
            Outcome::Refused(error) | Outcome::Unknown(error) => refused(Refusal::from(&error)),
            outcome => Response { status: outcome.http_status(), headers: outcome.headers(), problem: Value::Null },
        },
    }
}
