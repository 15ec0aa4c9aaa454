//! `event.parse.serde_json`: a body of 206 bytes read with all strictness, against typed `serde_json` with none.

use liveops_bench::traffic::NOW_MS;
use liveops_bench::{Traffic, TypedEvent};
use liveops_compare::measure::{Row, by_turns};
use liveops_core::Timestamp;
use liveops_core::event::{Parser, Schemas, TimeLimits};

const BODIES: usize = 1_000;
const REPEATS: usize = 20;

pub(crate) fn parse_serde_json() -> Result<Row, String> {
    let now = Timestamp::from_unix_millis(NOW_MS);
    let parser = Parser::new(Schemas::builtin(), TimeLimits::default());
    let bodies: Vec<Vec<u8>> = Traffic::new(10_000, 7).take(BODIES).map(String::into_bytes).collect();
    let each = |nanos: f64| nanos / (BODIES * REPEATS) as f64;
    let all = |read: &dyn Fn(&[u8]) -> bool| (0..REPEATS).all(|_| bodies.iter().all(|body| read(body)));

    let ours = |body: &[u8]| std::hint::black_box(parser.parse(body, now)).is_ok();
    let typed = |body: &[u8]| std::hint::black_box(serde_json::from_slice::<TypedEvent>(body)).is_ok();
    // The same through one parser that only checks, and bodies that the quick pass leaves to the plain reader.
    let checked = |body: &[u8]| std::hint::black_box(parser.validate(body, now)).is_ok();
    let escaped: Vec<Vec<u8>> = bodies
        .iter()
        .map(|body| String::from_utf8_lossy(body).replace("deltaXp", "\\u0064eltaXp").into_bytes())
        .collect();

    let mut more = [Vec::new(), Vec::new()];
    let row = by_turns(
        |stopwatch| {
            let mut read = false;
            let nanos = stopwatch.time(|| read = all(&ours));
            more[0].push(each(stopwatch.time(|| read &= all(&checked))));
            more[1].push(each(stopwatch.time(|| read &= (0..REPEATS).all(|_| escaped.iter().all(|body| ours(body))))));
            if read { Ok(each(nanos)) } else { Err("a good event was refused".to_owned()) }
        },
        |stopwatch| {
            let mut read = false;
            let nanos = stopwatch.time(|| read = all(&typed));
            if read { Ok(each(nanos)) } else { Err("serde_json refused a good event".to_owned()) }
        },
    )?;
    let [checked, escaped] = more.map(liveops_compare::measure::median);
    Ok(Row {
        name: "event.parse.serde_json",
        more: vec![("checked_only", checked), ("with_an_escape", escaped)],
        ..row
    })
}
