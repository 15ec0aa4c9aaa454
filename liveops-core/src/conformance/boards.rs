//! What whoever reads boards may rely on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use super::sample::{advance, all, day, horizon, load, operator, player, progression, rules, season};
use crate::board::{Order, Page, Ranking, Row, Sort, Standing};
use crate::engine::Engine;
use crate::error::StoreErrorKind;
use crate::id::PlayerId;
use crate::record::{Action, BoardKey, Horizon, Key, Kind, Record};
use crate::replica::Replica;
use crate::store::{BoardAnswer, BoardRead, Boards, Reading, Scan, Store};
use crate::time::DAY_MILLIS;
use crate::window::Window;

/// More than anybody here has entries.
const EVERYBODY: usize = 1_000;
const RANKINGS: [Ranking; 3] = [Ranking::Ordinal, Ranking::Competition, Ranking::Dense];

pub(super) fn play<S: Store>(store: &S) {
    let engine = Engine::new(rules(), store);
    for chunk in season().chunks(64) {
        assert!(engine.submit_batch(chunk).iter().all(|outcome| outcome.status() == "applied"), "a plain season");
    }
}

/// A board in one period: everybody who is shown, best first.
#[derive(Debug)]
pub(super) struct Fold {
    key: BoardKey,
    sort: Sort,
    shown: Vec<(PlayerId, Standing)>,
}

/// Every board as its players' records have it.
pub(super) fn fold<S: Scan>(store: &S) -> Vec<Fold> {
    let mut boards: BTreeMap<BoardKey, Fold> = BTreeMap::new();
    for (key, record) in all(store, Some(Kind::Player)) {
        let (Some(id), Record::Player(record)) = (key.player(), record) else { continue };
        for (key, standing) in record.standings.to_vec() {
            let empty = || Fold { key: key.clone(), sort: standing.sort, shown: Vec::new() };
            let board = boards.entry(key.clone()).or_insert_with(empty);
            board.shown.extend(record.shown(&key).map(|standing| (id.clone(), standing)));
        }
    }
    for board in boards.values_mut() {
        board.shown.sort_by(|(a, x), (b, y)| x.place().cmp(&y.place()).then_with(|| a.cmp(b)));
    }
    boards.into_values().collect()
}

/// What the boards show of some players.
pub(super) fn fold_of<S: Store>(
    store: &S,
    players: impl Iterator<Item = PlayerId>,
) -> BTreeMap<(BoardKey, PlayerId), Standing> {
    let keys: Vec<_> = players.map(Key::Player).collect();
    let mut shown = BTreeMap::new();
    for (key, record) in keys.iter().zip(load(store, &keys)) {
        let (Some(id), Some(Record::Player(record))) = (key.player(), record) else { continue };
        let entries = record.shown_anywhere();
        shown.extend(entries.into_iter().map(|(board, standing)| ((board, id.clone()), standing)));
    }
    shown
}

impl Fold {
    fn read(&self, ranking: Ranking, what: Reading) -> BoardRead {
        BoardRead { key: self.key.clone(), sort: self.sort, ranking, what }
    }

    /// The answer of a store that was [brought up to date](caught_up).
    fn ask<S: Boards>(&self, store: &S, ranking: Ranking, what: Reading) -> BoardAnswer {
        answers(store, &[self.read(ranking, what)]).remove(0).expect("a board that is there can be read")
    }

    fn rows<S: Boards>(&self, store: &S, ranking: Ranking, what: Reading) -> Vec<Row> {
        match self.ask(store, ranking, what) {
            BoardAnswer::Rows(rows) => rows,
            other => panic!("rows are asked for: {other:?}"),
        }
    }

    fn page<S: Boards>(&self, store: &S, offset: usize, limit: usize, ranking: Ranking) -> Vec<Row> {
        self.rows(store, ranking, Reading::Page { offset, limit })
    }

    fn rank<S: Boards>(&self, store: &S, player: &PlayerId, ranking: Ranking) -> Option<u64> {
        match self.ask(store, ranking, Reading::Rank(player.clone())) {
            BoardAnswer::Rank(rank) => rank,
            other => panic!("a rank is asked for: {other:?}"),
        }
    }

    fn count<S: Boards>(&self, store: &S, what: Reading) -> u64 {
        match self.ask(store, Ranking::Ordinal, what) {
            BoardAnswer::Count(count) => count,
            other => panic!("a count is asked for: {other:?}"),
        }
    }

    /// The store shows what the records say.
    fn assert_shown<S: Boards>(&self, store: &S) {
        self.assert_rows(&self.page(store, 0, EVERYBODY, Ranking::Ordinal), "now");
    }

    /// So does a replica.
    pub(super) fn assert_replica(&self, replica: &Replica, when: &str) {
        let read = self.read(Ranking::Ordinal, Reading::Page { offset: 0, limit: EVERYBODY });
        match replica.read(&[read]).remove(0) {
            Ok(BoardAnswer::Rows(rows)) => self.assert_rows(&rows, when),
            other => panic!("a replica that has caught up answers: {other:?}"),
        }
    }

    fn assert_rows(&self, rows: &[Row], when: &str) {
        let found = rows.iter().map(|row| (&row.owner, row.score, row.subscore, row.reached_at));
        let wanted = self.shown.iter().map(|(id, s)| (id, s.score.score, s.score.subscore, s.reached_at));
        assert!(found.eq(wanted), "{when}, {:?} is a fold over the players' records: {rows:?}", self.key);
    }
}

/// Boards may lag: everything so far is on them.
fn caught_up<S: Boards>(store: &S) {
    store.catch_up().expect("catch_up");
}

fn answers<S: Boards>(store: &S, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, crate::error::StoreError>> {
    let answers = store.read(reads);
    assert_eq!(answers.len(), reads.len(), "every question is answered");
    answers
}

pub(super) fn assert_folded<S: Scan + Boards>(store: &S) {
    caught_up(store);
    let folded = fold(store);
    assert!(folded.len() >= 4, "the season fills several boards");
    for board in &folded {
        board.assert_shown(store);
    }
}

pub(super) fn boards_are_a_fold_over_records<S: Store + Scan + Boards>(store: &S) {
    play(store);
    assert_folded(store);
}

pub(super) fn readings_agree_with_the_page<S: Store + Scan + Boards>(store: &S) {
    play(store);
    caught_up(store);
    for board in fold(store) {
        let key = &board.key;
        for ranking in RANKINGS {
            let whole = board.page(store, 0, EVERYBODY, ranking);
            assert_eq!(board.count(store, Reading::Len), whole.len() as u64, "{key:?}: as many as are shown");
            assert_ranks(&whole, ranking);
            for (offset, row) in whole.iter().enumerate() {
                let rank = board.rank(store, &row.owner, ranking);
                assert_eq!(rank, Some(row.rank), "{key:?}: a rank is the page's");
                assert_eq!(board.page(store, offset, 2, ranking), whole[offset..whole.len().min(offset + 2)]);
                let around = Reading::Around { player: row.owner.clone(), each_side: 2 };
                let found = board.rows(store, ranking, around);
                assert_eq!(found, whole[offset.saturating_sub(2)..whole.len().min(offset + 3)], "{key:?}: around");
            }
            let some: Vec<_> = whole.iter().rev().step_by(3).map(|row| row.owner.clone()).collect();
            let friends = [some.clone(), vec![player("nobody")], some].concat();
            let rows: Vec<_> = whole.iter().filter(|row| friends.contains(&row.owner)).cloned().collect();
            assert_eq!(board.rows(store, ranking, Reading::ByOwners(friends)), rows, "{key:?}: friends");
            assert_pages_join(store, &board, &whole, ranking);
        }
        let whole = board.page(store, 0, EVERYBODY, Ranking::Ordinal);
        for row in &whole {
            assert_scores(store, &board, &whole, row);
        }
        assert_eq!(board.rank(store, &player("nobody"), Ranking::Ordinal), None);
        let around = Reading::Around { player: player("nobody"), each_side: 2 };
        assert_eq!(board.rows(store, Ranking::Ordinal, around), []);
    }
}

/// What is asked of a board by score: how many are above, who is near, how many are behind.
fn assert_scores<S: Boards>(store: &S, board: &Fold, whole: &[Row], row: &Row) {
    let key = &board.key;
    let better = |other: &&Row| match board.sort.order {
        Order::Asc => other.score < row.score,
        Order::Desc => other.score > row.score,
    };
    let wanted = whole.iter().filter(better).count() as u64;
    assert_eq!(board.count(store, Reading::CountAbove { score: row.score }), wanted, "{key:?}: above");
    let scores = row.score.saturating_sub(50)..=row.score;
    let near: Vec<_> = whole.iter().filter(|other| scores.contains(&other.score)).skip(1).take(3).cloned().collect();
    let found = board.rows(store, Ranking::Ordinal, Reading::ByScoreRange { scores, offset: 1, limit: 3 });
    assert_eq!(found, near, "{key:?}: a range of scores");
    let worse = |other: &&Row| match board.sort.order {
        Order::Asc => (other.score, other.subscore) > (row.score, row.subscore),
        Order::Desc => (other.score, other.subscore) < (row.score, row.subscore),
    };
    let ahead = whole.iter().filter(worse).count() as u64;
    let share = (ahead * 10_000).checked_div(whole.len() as u64 - 1).unwrap_or(10_000);
    let found = board.ask(store, Ranking::Ordinal, Reading::Percentile(row.owner.clone()));
    let share = u32::try_from(share).ok();
    assert_eq!(found, BoardAnswer::Percentile(share), "{key:?}: ahead of so many");
}

/// Pages that go on where the last one ended are the whole board.
fn assert_pages_join<S: Boards>(store: &S, board: &Fold, whole: &[Row], ranking: Ranking) {
    let (mut rows, mut cursor) = (Vec::new(), None);
    for _ in 0..=whole.len() {
        let BoardAnswer::Page(page) = board.ask(store, ranking, Reading::PageAfter { cursor, limit: 2 }) else {
            panic!("a page with its end is asked for")
        };
        rows.extend(page.rows);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(rows, whole, "{:?}: page by page", board.key);
}

/// Ranks are those of the pairs of score and subscore in the page's order.
fn assert_ranks(rows: &[Row], ranking: Ranking) {
    let mut pairs = BTreeSet::new();
    let mut first_of_pair = 1;
    for (position, row) in (1..).zip(rows) {
        if pairs.insert((row.score, row.subscore)) {
            first_of_pair = position;
        }
        let wanted = match ranking {
            Ranking::Ordinal => position,
            Ranking::Competition => first_of_pair,
            Ranking::Dense => pairs.len() as u64,
        };
        assert_eq!(row.rank, wanted, "{ranking:?}");
    }
}

/// Questions to many boards, to one that nobody stands on, and one that makes no sense: each has its own answer.
pub(super) fn many_reads_are_answered_in_order<S: Store + Scan + Boards>(store: &S) {
    play(store);
    caught_up(store);
    let boards = fold(store);
    let whats = [
        Reading::Page { offset: 1, limit: 3 },
        Reading::Rank(player("p5")),
        Reading::Len,
        Reading::PageAfter { cursor: None, limit: 2 },
        Reading::Percentile(player("p5")),
    ];
    let mut reads: Vec<_> =
        whats.iter().flat_map(|what| boards.iter().map(|board| board.read(Ranking::Dense, what.clone()))).collect();
    let foreign = match boards[0].ask(store, Ranking::Ordinal, Reading::PageAfter { cursor: None, limit: 1 }) {
        BoardAnswer::Page(Page { next, .. }) => next.expect("more than one stand on a board of the season"),
        other => panic!("a page with its end is asked for: {other:?}"),
    };
    let nonsense = boards[1].read(Ranking::Ordinal, Reading::PageAfter { cursor: Some(foreign), limit: 1 });
    reads.insert(2, nonsense);
    let mut nowhere = BoardKey { board: super::sample::id("nowhere").into(), ..boards[0].key.clone() };
    let empty =
        |key: &BoardKey, what| BoardRead { key: key.clone(), sort: Sort::default(), ranking: Ranking::Ordinal, what };
    reads.push(empty(&nowhere, Reading::Page { offset: 0, limit: 9 }));
    nowhere.board = super::sample::id("xp").into();
    nowhere.period.index += 100;
    reads.extend([Reading::Len, Reading::Rank(player("p5"))].map(|what| empty(&nowhere, what)));

    let mut together = answers(store, &reads);
    for (read, answer) in reads.iter().zip(&together) {
        let alone = answers(store, std::slice::from_ref(read)).remove(0);
        assert_eq!(answer.as_ref().ok(), alone.as_ref().ok(), "{read:?} is answered in its place");
    }
    let error = together.remove(2).expect_err("a cursor of another board is an error, for its question alone");
    assert_eq!(error.kind, StoreErrorKind::Misconfigured);
    assert!(together.iter().all(Result::is_ok), "no other question fails with it");
    let last: Vec<_> = together.into_iter().rev().take(3).flatten().collect();
    let wanted = [BoardAnswer::Rank(None), BoardAnswer::Count(0), BoardAnswer::Rows(Vec::new())];
    assert_eq!(last, wanted, "a board that nobody stands on is empty");
    assert_eq!(answers(store, &[]).len(), 0);
}

pub(super) fn hidden_players_count_nowhere<S: Store + Scan + Boards>(store: &S) {
    play(store);
    caught_up(store);
    let engine = Engine::new(rules(), store);
    let before: Vec<_> =
        fold(store).into_iter().map(|board| (board.page(store, 0, EVERYBODY, Ranking::Ordinal), board)).collect();
    for (n, hidden) in [(0, true), (1, false)] {
        engine.submit(&operator(&format!("v{n}"), "p0", 400 + n, Action::SetVisibility { hidden }));
        assert_folded(store);
        for (rows, board) in &before {
            let key = &board.key;
            let wanted: Vec<_> =
                rows.iter().filter(|row| !hidden || row.owner != player("p0")).map(|row| &row.owner).collect();
            let now = board.page(store, 0, EVERYBODY, Ranking::Ordinal);
            assert!(now.iter().map(|row| &row.owner).eq(wanted), "{key:?}: gone, then back in the exact place");
            let rank = board.rank(store, &player("p0"), Ranking::Ordinal);
            assert!(!hidden || rank.is_none(), "{key:?}: who is hidden has no rank");
        }
    }
}

pub(super) fn erased_players_leave_the_boards<S: Store + Scan + Boards>(store: &S) {
    play(store);
    let engine = Engine::new(rules(), store);
    let boards = fold(store);
    let erase = operator("gone", "p0", 400, Action::Erase);
    assert_eq!(engine.submit(&erase).code(), "applied");
    caught_up(store);
    for board in &boards {
        assert_eq!(board.rank(store, &player("p0"), Ranking::Ordinal), None, "{:?}", board.key);
    }
    assert_folded(store);
}

/// Once even the mark is gone, the player begins again at version 1, which boards must not take for an old one.
pub(super) fn who_begins_again_is_shown<S: Store + Scan + Boards>(store: &S) {
    play(store);
    let engine = Engine::new(rules(), store);
    assert_eq!(engine.submit(&operator("gone", "p0", 400, Action::Erase)).code(), "applied");
    advance(store, horizon(2 * DAY_MILLIS, DAY_MILLIS));
    assert_folded(store);
    let again = progression("again", "p0", 2 * DAY_MILLIS, 1_000);
    assert_eq!(engine.submit(&again).code(), "applied", "a new life");
    assert_folded(store);
    let shown = fold(store).into_iter().any(|board| board.rank(store, &player("p0"), Ranking::Ordinal).is_some());
    assert!(shown, "who begins again is shown again");
}

fn is_daily(key: &BoardKey) -> bool {
    key.period.window == Window::Daily
}

pub(super) fn retain_frees_what_is_not_kept<S: Store + Scan + Boards>(store: &S) {
    play(store);
    let boards = fold(store);
    caught_up(store);
    store.retain(&is_daily).expect("retain");
    for board in &boards {
        assert_eq!(board.count(store, Reading::Len) > 0, is_daily(&board.key), "{:?}", board.key);
    }
}

pub(super) fn what_was_freed_is_rebuilt<S: Store + Scan + Boards>(store: &S) {
    play(store);
    let boards = fold(store);
    caught_up(store);
    store.retain(&|_| false).expect("retain");
    assert!(boards.iter().all(|board| board.count(store, Reading::Len) == 0), "nothing is kept");
    store.rebuild(&is_daily).expect("rebuild");
    for board in &boards {
        if is_daily(&board.key) {
            board.assert_shown(store);
        } else {
            assert_eq!(board.count(store, Reading::Len), 0, "{:?} is not kept", board.key);
        }
    }
    // Others score while it is built, players of before and new ones.
    let (done, begun) = (AtomicBool::new(false), AtomicBool::new(false));
    let engine = Engine::new(rules(), store);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0.. {
                if done.load(Ordering::Relaxed) || n == 2_000 {
                    return;
                }
                let name = if n % 2 == 0 { format!("p{}", n % 12) } else { format!("n{}", n % 50) };
                engine.submit(&progression(&format!("r{n}"), &name, 350, 1));
                begun.store(true, Ordering::Relaxed);
            }
        });
        while !begun.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        store.rebuild(&|_| true).expect("rebuild");
        done.store(true, Ordering::Relaxed);
    });
    assert_folded(store);
}

/// Whoever waits for `catch_up` sees what was committed before, by any thread.
pub(super) fn what_was_committed_is_caught_up<S: Store + Scan + Boards>(store: &S) {
    let engine = Engine::new(rules(), store);
    let board = Fold { key: day(), sort: Sort::default(), shown: Vec::new() };
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (engine, board) = (&engine, &board);
            scope.spawn(move || {
                for n in 0..25 {
                    let name = format!("w{writer}-{n}");
                    assert_eq!(engine.submit(&progression("e", &name, 0, 10)).code(), "applied");
                    caught_up(store);
                    let rank = board.rank(store, &player(&name), Ranking::Ordinal);
                    assert!(rank.is_some(), "{name} was committed before catch_up, and is not on the board after it");
                }
            });
        }
    });
    assert_eq!(board.count(store, Reading::Len), 100, "everybody is on the board");
}

/// Whoever moved the store: an engine frees by this what is over.
pub(super) fn boards_know_how_far_the_store_is<S: Store + Scan + Boards>(store: &S) {
    assert_eq!(store.horizon(), Horizon::default(), "nobody moved it");
    play(store);
    for to in [horizon(10, -10), horizon(DAY_MILLIS, 0)] {
        advance(store, to);
        caught_up(store);
        assert_eq!(store.horizon(), to, "the boards were told");
    }
    advance(store, horizon(5, -5));
    caught_up(store);
    assert_eq!(store.horizon(), horizon(DAY_MILLIS, 0), "it never falls");
}

pub(super) fn nothing_is_behind_once_caught_up<S: Store + Scan + Boards>(store: &S) {
    caught_up(store);
    assert_eq!(store.lag().expect("lag").behind, 0, "of an empty store");
    for commands in season().chunks(64) {
        Engine::new(rules(), store).submit_batch(commands);
        caught_up(store);
        assert_eq!(store.lag().expect("lag").behind, 0, "everything that was committed is on the boards");
    }
}

/// They are kept for people, once, if there is a place for them. Whatever reads boards or records sees nothing of it.
pub(super) fn final_rows_change_nothing<S: Store + Scan + Boards>(store: &S) {
    play(store);
    advance(store, horizon(DAY_MILLIS, -DAY_MILLIS));
    caught_up(store);
    let (boards, before) = (fold(store), all(store, None));
    for board in boards.iter().filter(|board| is_daily(&board.key)) {
        let rows = board.page(store, 0, EVERYBODY, Ranking::Ordinal);
        store.note_final(&board.key, &rows).expect("note_final");
        // Another run, after somebody was hidden.
        store.note_final(&board.key, &rows[1..]).expect("note_final, with rows that are kept already");
        store.note_final(&board.key, &[]).expect("note_final, of nobody");
    }
    assert!(all(store, None) == before, "no record is another");
    assert_folded(store);
}
