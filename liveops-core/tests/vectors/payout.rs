//! Who of a finished board gets what.

use liveops_core::board::{
    Archive, Cut, Heading, Leaderboard, Operator, Order, Percent, Ranking, Score, Sort, Tiers, awards,
};
use liveops_core::window::Calendar;
use liveops_core::{BoardId, Error, Id, Timestamp, Window};
use serde_json::{Value, json};

use super::case::{Case, text};

pub(crate) fn run(case: &Case) {
    let (order, ranking) = (super::board::order(case), super::board::ranking(case));
    let mut board = Leaderboard::new(order, Operator::Set).ranking(ranking);
    match (case.get("players"), case.get("owners")) {
        (Some(players), None) => {
            let players = players.as_i64().unwrap();
            for n in 1..=players {
                board.submit(&format!("p{n}"), players - n).unwrap();
            }
        }
        (None, Some(owners)) => owners.as_array().unwrap().iter().for_each(|owner| {
            let number = |at: usize| owner.get(at).map_or(0, |n| n.as_i64().unwrap());
            board.submit(text(&owner[0]), Score { score: number(1), subscore: number(2) }).unwrap();
        }),
        _ => panic!("{}: either players or owners", case.name()),
    }
    let rows = board.page(0, usize::MAX);
    let actual = match tiers(case.need("tiers")) {
        Err(error) => json!({ "error": error.code() }),
        Ok(tiers) => {
            let awards = awards(&rows, &tiers);
            let (archive, names) = Archive::new(heading(order, ranking), &rows).unwrap();
            assert_eq!(archive.read(&names).unwrap().awards(&tiers), awards, "{}: from an archive", case.name());
            let awards: Vec<_> = awards.into_iter().map(|a| json!([a.rank, a.owner, a.tier])).collect();
            json!({ "awards": awards })
        }
    };
    case.compare(case.expect(), &actual);
}

pub(crate) fn tiers(tiers: &Value) -> Result<Tiers, Error> {
    let tiers = tiers.as_array().unwrap().iter().map(|tier| {
        let cut = match (tier.get("ranks"), tier.get("percent")) {
            (Some(ranks), None) => Cut::Ranks { from: ranks[0].as_u64().unwrap(), through: ranks[1].as_u64().unwrap() },
            (None, Some(percent)) => Cut::Percent(Percent::parse(text(percent))?),
            _ => panic!("either ranks or percent: {tier}"),
        };
        Ok((Id::new(text(&tier["tier"]))?, cut))
    });
    Ok(Tiers::new(tiers.collect::<Result<Vec<_>, Error>>()?)?)
}

fn heading(order: Order, ranking: Ranking) -> Heading {
    let (calendar, now) = (Calendar::utc(), Timestamp::default());
    let day = calendar.period(Window::Daily, now.minus_millis(1)).unwrap();
    let sort = Sort { order, ..Sort::default() };
    Heading::new(BoardId::new("board").unwrap(), day, &calendar, sort, ranking, now).unwrap()
}
