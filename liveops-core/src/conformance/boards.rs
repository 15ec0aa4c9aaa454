//! What whoever reads boards may rely on.

use std::collections::{BTreeMap, BTreeSet};

use super::sample::{advance, horizon, operator, player, progression, rules, season};
use crate::board::{Order, Ranking, Row, Standing};
use crate::engine::Engine;
use crate::id::PlayerId;
use crate::record::{Action, BoardKey, Record};
use crate::store::{Boards, Scan, Store};
use crate::time::DAY_MILLIS;
use crate::window::Window;

const ALL: usize = usize::MAX;
const RANKINGS: [Ranking; 3] = [Ranking::Ordinal, Ranking::Competition, Ranking::Dense];

fn play<S: Store + Boards>(store: &S) {
    let engine = Engine::new(rules(), store);
    for chunk in season().chunks(64) {
        assert!(engine.submit_batch(chunk).iter().all(|outcome| outcome.status() == "applied"), "a plain season");
    }
}

/// Every board as its players' records have it: shown entries, best first.
fn fold<S: Scan>(store: &S) -> BTreeMap<BoardKey, Vec<(PlayerId, Standing)>> {
    let mut boards: BTreeMap<BoardKey, Vec<(PlayerId, Standing)>> = BTreeMap::new();
    for (key, record) in store.scan(None, ALL).expect("scan") {
        let (Some(id), Record::Player(record)) = (key.player(), record) else { continue };
        for (key, _) in &record.standings {
            let board = boards.entry(key.clone()).or_default();
            board.extend(record.shown(key).map(|standing| (id.clone(), standing)));
        }
    }
    for board in boards.values_mut() {
        board.sort_by(|(a, x), (b, y)| x.place().cmp(&y.place()).then_with(|| a.cmp(b)));
    }
    boards
}

fn page<S: Boards>(store: &S, key: &BoardKey, offset: usize, limit: usize, ranking: Ranking) -> Vec<Row> {
    store.page(key, offset, limit, ranking).expect("page")
}

fn assert_folded<S: Store + Scan + Boards>(store: &S) {
    let folded = fold(store);
    assert!(folded.len() >= 4, "the season fills several boards");
    for (key, wanted) in folded {
        let rows = page(store, &key, 0, ALL, Ranking::Ordinal);
        let found = rows.iter().map(|row| (&row.owner, row.score, row.subscore, row.reached_at));
        let wanted = wanted.iter().map(|(id, s)| (id, s.score.score, s.score.subscore, s.reached_at));
        assert!(found.eq(wanted), "{key:?} is a fold over the players' records: {rows:?}");
    }
}

pub(super) fn boards_are_a_fold_over_records<S: Store + Scan + Boards>(store: &S) {
    play(store);
    assert_folded(store);
}

pub(super) fn readings_agree_with_the_page<S: Store + Scan + Boards>(store: &S) {
    play(store);
    for key in fold(store).keys() {
        for ranking in RANKINGS {
            let whole = page(store, key, 0, ALL, ranking);
            assert_eq!(store.len(key).expect("len"), whole.len() as u64, "{key:?}: as many as are shown");
            assert_ranks(&whole, ranking);
            for (offset, row) in whole.iter().enumerate() {
                let rank = store.rank(key, &row.owner, ranking).expect("rank");
                assert_eq!(rank, Some(row.rank), "{key:?}: a rank is the page's");
                assert_eq!(page(store, key, offset, 2, ranking), whole[offset..whole.len().min(offset + 2)]);
                let around = store.around(key, &row.owner, 2, ranking).expect("around");
                assert_eq!(around, whole[offset.saturating_sub(2)..whole.len().min(offset + 3)], "{key:?}: around");
            }
            let some: Vec<_> = whole.iter().rev().step_by(3).map(|row| row.owner.clone()).collect();
            let friends = [some.clone(), vec![player("nobody")], some].concat();
            let rows: Vec<_> = whole.iter().filter(|row| friends.contains(&row.owner)).cloned().collect();
            assert_eq!(store.by_owners(key, &friends, ranking).expect("by_owners"), rows, "{key:?}: friends");
            assert_pages_join(store, key, &whole, ranking);
        }
        let whole = page(store, key, 0, ALL, Ranking::Ordinal);
        let order = if whole.is_sorted_by_key(|row| row.score) { Order::Asc } else { Order::Desc };
        for row in &whole {
            let better =
                |other: &&Row| if order == Order::Asc { other.score < row.score } else { other.score > row.score };
            let wanted = whole.iter().filter(better).count() as u64;
            assert_eq!(store.count_above(key, row.score, order).expect("count_above"), wanted, "{key:?}: above");
            let scores = row.score.saturating_sub(50)..=row.score;
            let near: Vec<_> =
                whole.iter().filter(|other| scores.contains(&other.score)).skip(1).take(3).cloned().collect();
            let found = store.by_score_range(key, scores, 1, 3, Ranking::Ordinal).expect("by_score_range");
            assert_eq!(found, near, "{key:?}: a range of scores");
            let worse = |other: &&Row| match order {
                Order::Asc => (other.score, other.subscore) > (row.score, row.subscore),
                Order::Desc => (other.score, other.subscore) < (row.score, row.subscore),
            };
            let ahead = whole.iter().filter(worse).count() as u64;
            let share = (ahead * 10_000).checked_div(whole.len() as u64 - 1).unwrap_or(10_000);
            let found = store.percentile(key, &row.owner).expect("percentile");
            assert_eq!(found.map(u64::from), Some(share), "{key:?}: ahead of so many");
        }
        assert_eq!(store.rank(key, &player("nobody"), Ranking::Ordinal).expect("rank"), None);
        assert_eq!(store.around(key, &player("nobody"), 2, Ranking::Ordinal).expect("around"), []);
    }
}

/// Pages that go on where the last one ended are the whole board.
fn assert_pages_join<S: Boards>(store: &S, key: &BoardKey, whole: &[Row], ranking: Ranking) {
    let (mut rows, mut next) = (Vec::new(), None);
    for _ in 0..=whole.len() {
        let page = store.page_after(key, next.as_ref(), 2, ranking).expect("page_after");
        rows.extend(page.rows);
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(rows, whole, "{key:?}: page by page");
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

pub(super) fn hidden_players_count_nowhere<S: Store + Scan + Boards>(store: &S) {
    play(store);
    let engine = Engine::new(rules(), store);
    let before: Vec<_> =
        fold(store).into_keys().map(|key| (page(store, &key, 0, ALL, Ranking::Ordinal), key)).collect();
    for (n, hidden) in [(0, true), (1, false)] {
        engine.submit(&operator(&format!("v{n}"), "p0", 400 + n, Action::SetVisibility { hidden }));
        assert_folded(store);
        for (rows, key) in &before {
            let wanted: Vec<_> =
                rows.iter().filter(|row| !hidden || row.owner != player("p0")).map(|row| &row.owner).collect();
            let now = page(store, key, 0, ALL, Ranking::Ordinal);
            assert!(now.iter().map(|row| &row.owner).eq(wanted), "{key:?}: gone, then back in the exact place");
            let rank = store.rank(key, &player("p0"), Ranking::Ordinal).expect("rank");
            assert!(!hidden || rank.is_none(), "{key:?}: who is hidden has no rank");
        }
    }
}

pub(super) fn erased_players_leave_the_boards<S: Store + Scan + Boards>(store: &S) {
    play(store);
    let engine = Engine::new(rules(), store);
    let keys: Vec<_> = fold(store).into_keys().collect();
    let erase = operator("gone", "p0", 400, Action::Erase);
    assert_eq!(engine.submit(&erase).code(), "applied");
    for key in &keys {
        assert_eq!(store.rank(key, &player("p0"), Ranking::Ordinal).expect("rank"), None, "{key:?}");
    }
    assert_folded(store);
    // Once even the mark is gone, the player begins again at version 0 and is shown again.
    advance(store, horizon(2 * DAY_MILLIS, DAY_MILLIS));
    let again = progression("again", "p0", 2 * DAY_MILLIS, 1_000);
    assert_eq!(engine.submit(&again).code(), "applied", "a new life");
    assert_folded(store);
}

pub(super) fn retain_frees_what_is_not_kept<S: Store + Scan + Boards>(store: &S) {
    play(store);
    let keys: Vec<_> = fold(store).into_keys().collect();
    let kept = |key: &BoardKey| key.period.window == Window::AllTime;
    store.retain(&kept).expect("retain");
    for key in &keys {
        assert_eq!(store.len(key).expect("len") > 0, kept(key), "{key:?}");
    }
}
