//! Examples of boards by calendar.

use super::*;
use crate::limits::INTEGER_MAX;

fn at(text: &str) -> Timestamp {
    Timestamp::from_rfc3339(text).unwrap()
}

#[test]
fn late_values_count_where_they_still_can() {
    let calendar = Calendar::utc().grace_seconds(3600).unwrap();
    let mut board = WindowedLeaderboard::new(Order::Desc, Operator::Incr, calendar)
        .window(Window::Daily, 1)
        .window(Window::Weekly, 1);
    let (ts, day) = (at("2026-11-09T23:59:59Z"), at("2026-11-10T00:00:00Z"));
    assert_eq!(board.submit("ana", 1, ts, day.plus_millis(3_599_999)).unwrap(), []);
    let monday = board.calendar.period(Window::Daily, ts).unwrap();
    assert_eq!(board.submit("ana", 1, ts, day.plus_millis(3_600_000)).unwrap(), [monday]);
    assert_eq!(board.page(monday, 0, 9, day).unwrap()[0].score, 1);
    assert_eq!(board.top(Window::Weekly, 9, day).unwrap()[0].score, 2);
    assert_eq!(board.score(monday, "ana"), Some(1.into()));
    assert_eq!(board.score(monday, "bo"), None);
    assert_eq!(board.top(Window::Daily, 9, day).unwrap(), []);
    board.advance(at("2026-11-11T01:00:00Z"));
    assert_eq!(board.page(monday, 0, 9, at("2026-11-11T01:00:00Z")).unwrap_err().code(), Code::PeriodDropped);
    assert_eq!(board.periods.len(), 1, "the week is left");
}

#[test]
fn an_overflow_changes_no_window() {
    let mut board = WindowedLeaderboard::new(Order::Desc, Operator::Incr, Calendar::utc())
        .window(Window::Daily, 1)
        .window(Window::AllTime, 0);
    let (monday, tuesday) = (at("2026-11-09T12:00:00Z"), at("2026-11-10T12:00:00Z"));
    board.submit("ana", INTEGER_MAX, monday, monday).unwrap();
    assert_eq!(board.submit("ana", 1, tuesday, tuesday).unwrap_err().code(), Code::ScoreOverflow);
    assert_eq!(board.top(Window::Daily, 9, tuesday).unwrap(), []);
    assert_eq!(board.rank(Window::Monthly, "ana", tuesday).unwrap_err().code(), Code::UnknownWindow);
}

#[test]
fn a_batch_is_taken_whole_or_not_at_all() {
    let mut board = WindowedLeaderboard::new(Order::Desc, Operator::Incr, Calendar::utc())
        .window(Window::Daily, 1)
        .window(Window::AllTime, 0);
    let (monday, tuesday) = (at("2026-11-09T12:00:00Z"), at("2026-11-10T12:00:00Z"));
    board.submit_batch(&[("ann", 5), ("bob", 3), ("ann", 1)], monday, monday).unwrap();
    let before = board.snapshot();
    for (bad, code) in [(("ann", INTEGER_MAX), Code::ScoreOverflow), (("no id", 0), Code::IdInvalid)] {
        let error = board.submit_batch(&[("ann", 3), ("cat", 2), bad], tuesday, tuesday).unwrap_err();
        assert_eq!((error.index, error.code()), (2, code));
        assert_eq!((board.snapshot(), board.owners()), (before.clone(), 2));
    }
    assert_eq!(board.submit_batch(&[("bob", 9)], monday, tuesday).unwrap().len(), 1, "too late for the day");
    assert_eq!(board.top(Window::AllTime, 9, tuesday).unwrap()[0].score, 12);
}

#[test]
fn owners_of_dropped_periods_are_forgotten() {
    let mut board = WindowedLeaderboard::new(Order::Desc, Operator::Incr, Calendar::utc()).window(Window::Daily, 1);
    let monday = at("2026-11-09T12:00:00Z");
    for n in 0..1_000 {
        board.submit(&format!("p{n}"), n, monday, monday).unwrap();
    }
    board.hide("p7");
    let wednesday = monday.plus_millis(2 * 86_400_000);
    board.submit("p1", 5, wednesday, wednesday).unwrap();
    assert_eq!(board.submit("late", 5, monday, wednesday).unwrap().len(), 1);
    assert_eq!(board.owners(), 1_000);
    board.advance(wednesday);
    assert_eq!(board.owners(), 2, "p1 plays on, and p7 is hidden for good");
    board.submit("p7", 9, wednesday, wednesday).unwrap();
    assert_eq!(board.view(Window::Daily, wednesday).unwrap().len(), 1);
}

#[test]
fn hiding_and_removing_reach_every_period() {
    let mut board = WindowedLeaderboard::new(Order::Desc, Operator::Incr, Calendar::utc())
        .window(Window::Daily, 9)
        .window(Window::AllTime, 0);
    let monday = at("2026-11-09T12:00:00Z");
    let tuesday = monday.plus_millis(86_400_000);
    for (owner, ts) in [("eve", monday), ("ann", monday), ("eve", tuesday), ("ann", tuesday)] {
        board.submit(owner, if owner == "eve" { 10 } else { 9 }, ts, ts).unwrap();
    }
    let ranks = |board: &WindowedLeaderboard, owner: &str| {
        let day = board.calendar.period(Window::Daily, monday).unwrap();
        [
            board.view_of(day, tuesday).unwrap().rank(owner),
            board.rank(Window::Daily, owner, tuesday).unwrap(),
            board.rank(Window::AllTime, owner, tuesday).unwrap(),
        ]
    };
    assert_eq!((ranks(&board, "eve"), ranks(&board, "ann")), ([Some(1); 3], [Some(2); 3]));
    assert!(board.hide("eve") && !board.hide("eve"));
    assert_eq!((ranks(&board, "eve"), ranks(&board, "ann")), ([None; 3], [Some(1); 3]));
    assert!(board.unhide("eve") && !board.unhide("eve"));
    assert_eq!((ranks(&board, "eve"), ranks(&board, "ann")), ([Some(1); 3], [Some(2); 3]));
    assert!(board.remove("eve") && !board.remove("eve"));
    assert_eq!((ranks(&board, "eve"), board.owners()), ([None; 3], 1));
}

#[test]
fn a_period_is_archived_paid_and_dropped() {
    use crate::board::Cut;
    use crate::id::Id;
    let new = || {
        WindowedLeaderboard::new(Order::Desc, Operator::Incr, Calendar::utc())
            .named(BoardId::new("xp").unwrap())
            .window(Window::Daily, 2)
    };
    let (mut board, monday) = (new(), at("2026-11-09T12:00:00Z"));
    for (owner, score) in [("ann", 30), ("bob", 20), ("cat", 10), ("eve", 99)] {
        board.submit(owner, score, monday, monday).unwrap();
    }
    board.hide("eve");
    let day = board.current(Window::Daily, monday).unwrap();
    let tiers = Tiers::new([(Id::new("gold").unwrap(), Cut::Ranks { from: 1, through: 2 })]).unwrap();
    for refused in [board.payout(day, &tiers, monday).err(), board.clone().archive(day, monday).err()] {
        assert_eq!(refused.unwrap().code(), Code::PeriodOpen);
    }
    let tuesday = monday.plus_millis(86_400_000);
    assert_eq!(board.state(day, tuesday).unwrap(), PeriodState::Sealed);
    let paid = board.payout(day, &tiers, tuesday).unwrap();
    assert_eq!(paid.iter().map(|award| award.owner.as_str()).collect::<Vec<_>>(), ["ann", "bob"]);
    let bytes = board.archive(day, tuesday).unwrap().to_bytes();
    assert_eq!((board.state(day, tuesday).unwrap(), board.owners()), (PeriodState::Archived, 1));
    assert_eq!(board.payout(day, &tiers, tuesday).unwrap(), paid);
    assert_eq!(board.view_of(day, tuesday).unwrap_err().code(), Code::UnknownPeriod, "kept as an archive");
    let next = Period { index: day.index + 1, ..day };
    assert_eq!(board.archived(next, tuesday).unwrap_err().code(), Code::UnknownPeriod, "not archived");
    board.hide("ann");
    let names = |board: &WindowedLeaderboard| {
        let view = board.archived(day, tuesday).unwrap();
        view.iter().map(|row| format!("{}{}", row.rank, row.owner)).collect::<Vec<_>>()
    };
    assert_eq!(names(&board), ["2bob", "3cat"]);
    assert!(board.remove("bob") && board.unhide("ann"));
    assert_eq!(names(&board), ["1ann", "3cat"]);
    assert_eq!(board.archive(day, tuesday).unwrap().to_bytes(), bytes, "never changes");
    let copy = new().restored(&board.snapshot()).unwrap();
    assert_eq!((names(&copy), copy.snapshot()), (names(&board), board.snapshot()));
    let thursday = monday.plus_millis(3 * 86_400_000);
    assert_eq!(board.archived(day, thursday).unwrap_err().code(), Code::PeriodDropped);
    board.advance(thursday);
    assert!(board.archives.is_empty());
}

#[test]
fn a_snapshot_holds_every_period() {
    let new = || {
        WindowedLeaderboard::new(Order::Asc, Operator::Set, Calendar::utc())
            .window(Window::Daily, 9)
            .window(Window::AllTime, 0)
    };
    let (mut board, monday) = (new(), at("2026-11-09T12:00:00Z"));
    for n in 0..300 {
        let ts = monday.plus_millis(n * 7_000_000);
        board.submit(&format!("p{}", n % 37), n * 31 % 11, ts, ts).unwrap();
    }
    board.hide("p3");
    let bytes = board.snapshot();
    let copy = new().hash_key([5; 16]).restored(&bytes).unwrap();
    assert_eq!((copy.snapshot(), copy.owners()), (bytes.clone(), board.owners()));
    let fewer = WindowedLeaderboard::new(Order::Asc, Operator::Set, Calendar::utc()).window(Window::Daily, 9);
    assert_eq!(fewer.restored(&bytes).unwrap_err().code(), Code::BoardIncompatible);
    assert_eq!(new().restored(&bytes[1..]).unwrap_err().code(), Code::SnapshotCorrupt);
    assert_eq!(
        new().restored(&super::super::Leaderboard::new(Order::Asc, Operator::Set).snapshot()).unwrap_err().code(),
        Code::SnapshotCorrupt
    );
}
