//! Standings beside a sorted list of all their parts.

use proptest::prelude::*;

use super::entry::SORTS;
use super::*;
use crate::board::{Operator, Score};
use crate::window::Window;

fn key(board: &str, window: Window, index: i64) -> BoardKey {
    BoardKey { board: BoardId::new(board).unwrap(), period: Period { window, index } }
}

fn board() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("xp".to_owned()),
        2 => "[abyz]",
        1 => Just("a-board-whose-name-is-longer-than-an-id-has-room".to_owned()),
    ]
}

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![4 => -3_i64..3, 2 => any::<i32>().prop_map(i64::from), 1 => any::<i64>()]
}

fn keys() -> impl Strategy<Value = BoardKey> {
    let window = prop_oneof![Just(Window::Daily), Just(Window::Weekly), Just(Window::AllTime)];
    (board(), window, number()).prop_map(|(board, window, index)| key(&board, window, index))
}

fn standing() -> impl Strategy<Value = Standing> {
    let time = || number().prop_map(Timestamp::from_unix_millis);
    (number(), number(), time(), time(), 0..SORTS.len()).prop_map(|(score, subscore, reached_at, newest_ts, sort)| {
        Standing { score: Score { score, subscore }, reached_at, newest_ts, sort: SORTS[sort] }
    })
}

#[derive(Clone, Debug)]
enum Step {
    Insert(BoardKey, Standing),
    Replace(usize, Standing),
    Extract(usize, usize),
    ExtractBoard(String),
    CopyOver,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (keys(), standing()).prop_map(|(key, standing)| Step::Insert(key, standing)),
        3 => (any::<usize>(), standing()).prop_map(|(at, standing)| Step::Replace(at, standing)),
        2 => (0_usize..4, 1_usize..4).prop_map(|(at, every)| Step::Extract(at, every)),
        1 => board().prop_map(Step::ExtractBoard),
        1 => Just(Step::CopyOver),
    ]
}

proptest! {
    #[test]
    fn standings_are_a_sorted_list_of_keys(
        steps in prop::collection::vec(step(), 0..60),
        stranger in keys(),
        other in standing(),
    ) {
        let (mut standings, mut list) = (Standings::default(), Vec::<(BoardKey, Standing)>::new());
        // What is copied over has had all kinds of contents.
        let mut spare = Standings::default();
        for step in steps {
            match step {
                Step::Insert(key, standing) => {
                    let place = list.binary_search_by(|(known, _)| known.cmp(&key));
                    let replaced = place.ok().map(|at| std::mem::replace(&mut list[at].1, standing));
                    prop_assert_eq!(standings.position(&key.board, key.period), place);
                    prop_assert_eq!(standings.insert(&key.board, key.period, standing), replaced);
                    if let Err(at) = place {
                        list.insert(at, (key, standing));
                    }
                }
                Step::Replace(at, standing) if !list.is_empty() => {
                    let at = at % list.len();
                    let before = std::mem::replace(&mut list[at].1, standing);
                    prop_assert_eq!(standings.replace_at(at, standing), Some(before));
                }
                Step::Replace(at, standing) => prop_assert_eq!(standings.replace_at(at, standing), None),
                Step::Extract(from, every) => {
                    let counts = |asked: &mut usize| {
                        *asked += 1;
                        *asked > from && asked.is_multiple_of(every)
                    };
                    let (mut a, mut b) = (0, 0);
                    let gone: Vec<_> = list.extract_if(.., |_| counts(&mut a)).collect();
                    prop_assert_eq!(standings.extract_if(|_, _, _| counts(&mut b)), gone);
                    prop_assert_eq!(a, b, "each is asked about once");
                }
                Step::ExtractBoard(name) => {
                    let gone: Vec<_> = list.extract_if(.., |(key, _)| key.board.as_str() == name).collect();
                    prop_assert_eq!(standings.extract_if(|board, _, _| board.as_str() == name), gone);
                }
                Step::CopyOver => {
                    spare.clone_from(&standings);
                    std::mem::swap(&mut spare, &mut standings);
                }
            }
            prop_assert_eq!(standings.to_vec(), &list[..]);
            let mut boards: Vec<_> = list.iter().map(|(key, _)| &key.board).collect();
            boards.dedup();
            prop_assert_eq!(standings.boards.as_slice().iter().collect::<Vec<_>>(), boards);
            let mut from = 0;
            for (at, (key, standing)) in list.iter().enumerate() {
                prop_assert_eq!(standings.get(&key.board, key.period), Some(*standing));
                prop_assert_eq!(standings.position(&key.board, key.period), Ok(at));
                prop_assert_eq!(standings.at(at), Some((&key.board, key.period, *standing)));
                let mut on_board = standings.on_board(from, &key.board);
                let (found_at, entry) = on_board.find(key.period);
                prop_assert_eq!((found_at, entry.map(Entry::standing)), (at, Some(*standing)));
                let mut copy = standings.clone();
                let mut entry = entry.unwrap().with(other);
                copy.exchange_at(at, &mut entry);
                prop_assert_eq!(entry.standing(), *standing);
                prop_assert_eq!(copy.at(at), Some((&key.board, key.period, other)));
                from = on_board.at();
                prop_assert_eq!(from, at + 1);
            }
            let place = list.binary_search_by(|(known, _)| known.cmp(&stranger));
            let (at, found) = standings.on_board(0, &stranger.board).find(stranger.period);
            prop_assert_eq!(place, if found.is_some() { Ok(at) } else { Err(at) });
            let of = standings.of_board(0, &stranger.board);
            let first = list.partition_point(|(known, _)| known.board < stranger.board);
            prop_assert_eq!(of, first..list.partition_point(|(known, _)| known.board <= stranger.board));
        }
        let bytes = standings.to_bytes();
        prop_assert_eq!(&bytes, &list.to_bytes(), "the bytes of the list");
        prop_assert_eq!(Standings::take(&mut &bytes[..]), Some(standings.clone()));
        prop_assert_eq!(list.into_iter().rev().collect::<Standings>(), standings);
    }
}

proptest! {
    /// What is told from small numbers is what any numbers tell, and where all are small it is told.
    #[test]
    fn more_is_what_the_operator_makes_of_it(
        before in standing(),
        key in keys(),
        by in (number(), number()),
        times in (number(), number()),
        (sort, own) in (0..SORTS.len(), any::<bool>()),
    ) {
        let value = Score { score: by.0, subscore: if own { 0 } else { by.1 } };
        let sort = if own { before.sort } else { SORTS[sort] };
        let (ts, received_at) = (Timestamp::from_unix_millis(times.0), Timestamp::from_unix_millis(times.1));
        let entry = Entry::of(key.period, before);
        for operator in [Operator::Incr, Operator::Decr, Operator::Best, Operator::Set] {
            let plus = More::new((operator, sort), value, ts, received_at).and_then(|more| entry.plus(&more));
            let applied = operator.apply(Some(before), sort, value, ts, received_at);
            if let Some(after) = &plus {
                prop_assert!(before.sort == sort && before.score != after.standing().score);
                prop_assert_eq!((after.period(), Ok(after.standing())), (key.period, applied));
            }
            let is_small = |entry: &Entry| matches!(entry, Entry::Small(_));
            let adds = operator == Operator::Incr && before.sort == sort && value.score != 0 && value.subscore == 0;
            if adds && is_small(&entry) && applied.is_ok_and(|after| is_small(&Entry::of(key.period, after))) {
                prop_assert!(plus.is_some());
            }
        }
    }
}

#[test]
fn what_was_never_written_is_not_taken() {
    let entry = |index| (key("b", Window::Daily, index), Standing::default());
    for list in [vec![entry(2), entry(1)], vec![entry(1), entry(1)]] {
        assert_eq!(Standings::take(&mut &list.to_bytes()[..]), None);
    }
    assert_eq!(Standings::take(&mut &u64::MAX.to_bytes()[..]), None, "a length that lies");
}

#[test]
fn four_entries_of_a_board_take_160_bytes_and_no_allocation() {
    assert_eq!((size_of::<Entry>(), size_of::<Boards>(), size_of::<Standings>()), (32, 24, 160));
    let mut standings = Standings::default();
    for index in 0..4 {
        standings.insert(&BoardId::new("xp").unwrap(), Period { window: Window::Daily, index }, Standing::default());
    }
    assert!(matches!(standings.boards, Boards::One(_)) && matches!(standings.entries, Entries::Few { .. }));
}
