//! Leaderboards by calendar, used alone.

use liveops_core::board::{Row, WindowedLeaderboard};
use liveops_core::{BoardId, Period, Timestamp};
use serde_json::{Value, json};

use super::case::{Case, text, time};
use super::{board, calendar, payout};

pub(crate) fn run(case: &Case) {
    let mut board = empty(case);
    for step in case.need("steps").as_array().unwrap() {
        take(&mut board, step, case);
    }
    check(&board, case.expect(), case);
}

fn empty(case: &Case) -> WindowedLeaderboard {
    let board = WindowedLeaderboard::new(board::order(case), board::operator(case), calendar::calendar(case));
    let mut board = board.ties(board::ties(case)).ranking(board::ranking(case));
    if let Some(name) = case.get("board") {
        board = board.named(BoardId::new(text(name)).unwrap());
    }
    for (window, keep) in case.need("windows").as_object().unwrap() {
        let keep = u32::try_from(keep.as_u64().unwrap()).unwrap();
        board = board.window(calendar::window(&json!(window)), keep);
    }
    board
}

fn take(board: &mut WindowedLeaderboard, step: &Value, case: &Case) {
    let now = || time(&step["nowMs"]);
    if let Some(submit) = step.get("submit") {
        let (ts, (owner, score)) = (time(&step["tsMs"]), board::value(submit));
        let now = step.get("nowMs").map_or(ts, time);
        let actual = match board.submit(owner, score, ts, now) {
            Ok(late) => {
                let label = |period: Period| board.calendar().label(period);
                json!(late.into_iter().map(|period| json!([period.window, label(period)])).collect::<Vec<_>>())
            }
            Err(error) => json!(error.code()),
        };
        let expected = step.get("error").or(step.get("late")).cloned().unwrap_or_else(|| json!([]));
        assert_eq!(actual, expected, "{} at {step}", case.name());
    } else if let Some(owner) = step.get("hide") {
        assert_eq!(board.hide(text(owner)), step["is"], "{} at {step}", case.name());
    } else if let Some(owner) = step.get("unhide") {
        assert_eq!(board.unhide(text(owner)), step["is"], "{} at {step}", case.name());
    } else if let Some(owner) = step.get("remove") {
        assert_eq!(board.remove(text(owner)), step["is"], "{} at {step}", case.name());
    } else if let Some(now) = step.get("advance") {
        board.advance(time(now));
    } else if let Some(archive) = step.get("archive") {
        let code = board.archive(period(&archive[0], &archive[1]), now()).err().map(|error| error.code().as_str());
        assert_eq!(code, step.get("error").map(text), "{} at {step}", case.name());
    } else if step.get("restore").is_some() {
        *board = empty(case).restored(&board.snapshot()).unwrap();
    } else if let Some(expect) = step.get("expect") {
        check(board, expect, case);
    } else {
        panic!("unknown step {step}");
    }
}

fn check(board: &WindowedLeaderboard, expect: &Value, case: &Case) {
    let asked = |member: &str| expect.get(member).and_then(Value::as_array).into_iter().flatten();
    let known = ["current", "periods", "archived", "states", "payouts"];
    let members = expect.as_object().unwrap();
    assert!(members.keys().all(|member| known.contains(&member.as_str())), "{}: {expect}", case.name());
    let current = asked("current").map(|asked| {
        let label = match board.current(calendar::window(&asked[0]), time(&asked[1])) {
            Ok(found) => json!(board.calendar().label(found)),
            Err(error) => json!({ "error": error.code() }),
        };
        json!([asked[0], asked[1], label])
    });
    let periods = asked("periods").map(|asked| {
        let (found, now) = of(asked);
        told(board, asked, "rows", board.view_of(found, now).map(|view| triples(view.top(1000))))
    });
    let archived = asked("archived").map(|asked| {
        let (found, now) = of(asked);
        told(board, asked, "rows", board.archived(found, now).map(|view| triples(view.page(0, 1000))))
    });
    let states = asked("states").map(|asked| {
        let found = period(&asked[0], &asked[1]);
        let states = asked[2].as_array().unwrap().iter();
        json!([
            asked[0],
            asked[1],
            states.map(|at| json!([at[0], board.state(found, time(&at[0])).ok()])).collect::<Vec<_>>()
        ])
    });
    let payouts = asked("payouts").map(|asked| {
        let ((found, now), tiers) = (of(asked), payout::tiers(&asked["tiers"]).unwrap());
        let awards = board.payout(found, &tiers, now);
        told(board, asked, "awards", awards.map(|all| all.iter().map(|a| json!([a.rank, a.owner, a.tier])).collect()))
    });
    let actual = json!({
        "current": current.collect::<Vec<_>>(),
        "periods": periods.collect::<Vec<_>>(),
        "archived": archived.collect::<Vec<_>>(),
        "states": states.collect::<Vec<_>>(),
        "payouts": payouts.collect::<Vec<_>>(),
    });
    case.compare(expect, &actual);
}

/// What was asked, with what came of it.
fn told(
    board: &WindowedLeaderboard,
    asked: &Value,
    member: &str,
    came: Result<Vec<Value>, liveops_core::Error>,
) -> Value {
    let (found, _) = of(asked);
    let mut told = json!({ "label": board.calendar().label(found) });
    for member in ["window", "index", "nowMs", "tiers"] {
        told[member] = asked[member].clone();
    }
    match came {
        Ok(came) => told[member] = came.into(),
        Err(error) => told["error"] = json!(error.code()),
    }
    told
}

fn of(asked: &Value) -> (Period, Timestamp) {
    (period(&asked["window"], &asked["index"]), time(&asked["nowMs"]))
}

fn period(window: &Value, index: &Value) -> Period {
    Period { window: calendar::window(window), index: index.as_i64().unwrap() }
}

fn triples(rows: Vec<Row>) -> Vec<Value> {
    rows.into_iter().map(|row| json!([row.rank, row.owner, row.score])).collect()
}
