//! Leaderboards used alone.

use liveops_core::Timestamp;
use liveops_core::board::{Leaderboard, Operator, Order, Ranking, Row, Score, Ties};
use serde_json::{Map, Value, json};

use super::case::{Case, text, time};

pub(crate) fn order(case: &Case) -> Order {
    match case.get("order").map_or("desc", text) {
        "desc" => Order::Desc,
        "asc" => Order::Asc,
        other => panic!("unknown order {other}"),
    }
}

pub(crate) fn ranking(case: &Case) -> Ranking {
    match case.get("ranking").map_or("ordinal", text) {
        "ordinal" => Ranking::Ordinal,
        "competition" => Ranking::Competition,
        "dense" => Ranking::Dense,
        other => panic!("unknown ranking {other}"),
    }
}

pub(crate) fn operator(case: &Case) -> Operator {
    match case.text("operator") {
        "incr" => Operator::Incr,
        "best" => Operator::Best,
        "set" => Operator::Set,
        "decr" => Operator::Decr,
        other => panic!("unknown operator {other}"),
    }
}

pub(crate) fn ties(case: &Case) -> Ties {
    match case.get("ties").map_or("firstToReach", text) {
        "firstToReach" => Ties::FirstToReach,
        "lastToReach" => Ties::LastToReach,
        "ownerId" => Ties::OwnerId,
        other => panic!("unknown ties {other}"),
    }
}

/// `[owner, score]` or `[owner, score, subscore]`.
pub(crate) fn value(submit: &Value) -> (&str, Score) {
    let number = |at: usize| submit.get(at).map_or(0, |n| n.as_i64().unwrap());
    (text(&submit[0]), Score { score: number(1), subscore: number(2) })
}

pub(crate) fn run(case: &Case) {
    let mut board = Leaderboard::new(order(case), operator(case)).ties(ties(case)).ranking(ranking(case));
    for step in case.need("steps").as_array().unwrap() {
        take(&mut board, step, case);
    }
    check(&board, case);
}

fn take(board: &mut Leaderboard, step: &Value, case: &Case) {
    if let Some(submit) = step.get("submit") {
        let (owner, score) = value(submit);
        let at: Option<Timestamp> = step.get("atMs").map(time);
        let taken = match at {
            Some(at) => board.submit_at(owner, score, at),
            None => board.submit(owner, score),
        };
        let code = taken.err().map(|error| error.code().as_str());
        assert_eq!(code, step.get("error").map(text), "{} at {step}", case.name());
    } else if let Some(batch) = step.get("submitBatch") {
        let values: Vec<_> = batch.as_array().unwrap().iter().map(value).collect();
        let refused = board.submit_batch(&values).err().map(|error| json!([error.code(), error.index]));
        let expected = step.get("error").map(|code| json!([code, step["index"]]));
        assert_eq!(refused, expected, "{} at {step}", case.name());
    } else if let Some(owner) = step.get("hide") {
        board.hide(text(owner));
    } else if let Some(owner) = step.get("unhide") {
        board.unhide(text(owner));
    } else if let Some(owner) = step.get("remove") {
        board.remove(text(owner));
    } else {
        panic!("unknown step {step}");
    }
}

fn check(board: &Leaderboard, case: &Case) {
    let expect = case.expect();
    let asked = |member: &str| expect.get(member).and_then(Value::as_array).into_iter().flatten();
    let owners = |rows: Vec<Row>| rows.into_iter().map(|row| row.owner.to_string()).collect::<Vec<_>>();
    let top: Vec<_> = board.top(1000).into_iter().map(|row| json!([row.rank, row.owner, row.score])).collect();
    let by_owner = |member: &str, read: &dyn Fn(&str) -> Value| -> Map<_, _> {
        let owners = expect.get(member).and_then(Value::as_object).into_iter().flatten();
        owners.map(|(owner, _)| (owner.clone(), read(owner))).collect()
    };
    let around = asked("around").map(|asked| {
        let each_side = usize::try_from(asked[1].as_u64().unwrap()).unwrap();
        json!([asked[0], each_side, owners(board.around_owner(text(&asked[0]), each_side))])
    });
    let by_owners = asked("byOwners").map(|asked| {
        let rows = board.by_owners(asked[0].as_array().unwrap().iter().map(text));
        json!([asked[0], rows.into_iter().map(|row| json!([row.rank, row.owner])).collect::<Vec<_>>()])
    });
    let above = asked("countAbove").map(|asked| json!([asked[0], board.count_above(asked[0].as_i64().unwrap())]));
    let ranges = asked("byScoreRange").map(|asked| {
        let score = |at: usize| asked[at].as_i64().unwrap();
        let count = |at: usize| usize::try_from(asked[at].as_u64().unwrap()).unwrap();
        let rows = board.by_score_range(score(0)..=score(1), count(2), count(3));
        json!([asked[0], asked[1], asked[2], asked[3], owners(rows)])
    });
    let pages = asked("pages").map(|asked| {
        let limit = usize::try_from(asked[0].as_u64().unwrap()).unwrap();
        let (mut pages, mut cursor) = (Vec::new(), None);
        loop {
            let page = board.page_after(cursor.as_ref(), limit).unwrap();
            pages.push(owners(page.rows));
            cursor = page.next;
            if cursor.is_none() {
                break json!([limit, pages]);
            }
        }
    });
    let actual = json!({
        "top": top,
        "rank": by_owner("rank", &|owner| json!(board.rank(owner))),
        "percentile": by_owner("percentile", &|owner| json!(board.percentile(owner))),
        "byScoreRange": ranges.collect::<Vec<_>>(),
        "pages": pages.collect::<Vec<_>>(),
        "around": around.collect::<Vec<_>>(),
        "byOwners": by_owners.collect::<Vec<_>>(),
        "countAbove": above.collect::<Vec<_>>(),
    });
    case.compare(expect, &actual);
    assert_eq!(board.len(), top.len() as u64, "{}", case.name());
}
