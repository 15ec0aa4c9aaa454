//! Boards against real sorted sets: the same random commands to both, then the same scores, ranks, pages and counts.
//!
//! Among equal scores Redis orders members by their bytes: ascending in `ZRANGE`, but descending in `ZREVRANGE`. A board
//! with [`Ties::OwnerId`] puts the smaller id first, whichever end of the scores is first. Where that is the highest, each
//! check therefore lets the server negate all scores into a second set (`ZUNIONSTORE ... WEIGHTS -1`, exact up to 2^53),
//! whose `ZRANGE` and `ZRANK` are then the board's order to the last place. `ZREVRANGE` and `ZREVRANK` of the set itself
//! are compared as well, with each run of equal scores turned round.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that fails names its seed")]

use liveops_bench::Random;
use liveops_compare::redis::{Client, Reply};
use liveops_core::board::{Leaderboard, Operator, Order, Ranking, Row, Ties};
use liveops_testbed::Redis;

const SEEDS: std::ops::Range<u64> = 1..5;
const STEPS: u64 = 9_000;
/// A phase that grows the board is followed by one that empties most of it.
const STEPS_PER_PHASE: u64 = 3_000;
const STEPS_PER_CHECK: u64 = 100;
const OWNERS: u64 = 2_500;
/// The largest score of a board; a double holds every integer up to here.
const EXACT_MAX: i64 = liveops_core::limits::INTEGER_MAX;

#[test]
fn boards_and_sorted_sets_agree() {
    let server = Redis::start(&[]).unwrap();
    for seed in SEEDS {
        for order in [Order::Desc, Order::Asc] {
            for operator in [Operator::Incr, Operator::Decr, Operator::Set, Operator::Best] {
                println!("seed {seed}, {order:?}, {operator:?}");
                let mut pair = Pair::new(Client::connect(&server).unwrap(), order, operator, seed);
                for step in 1..=STEPS {
                    pair.step(step / STEPS_PER_PHASE % 2 == 1);
                    if step % STEPS_PER_CHECK == 0 {
                        pair.check();
                    }
                }
                pair.check_all();
            }
        }
    }
}

#[test]
fn a_panic_ends_the_server() {
    let server = Redis::start(&[]).unwrap();
    let mut client = Client::connect(&server).unwrap();
    assert_eq!(client.call(&["PING"]), Ok(Reply::Text("PONG".into())));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _server = server;
        std::panic::resume_unwind(Box::new("as a failed assertion does"));
    }));
    assert!(panicked.is_err());
    assert!(client.call(&["PING"]).is_err());
}

/// A board and a sorted set that were told the same.
struct Pair {
    board: Leaderboard,
    order: Order,
    operator: Operator,
    ranking: Ranking,
    client: Client,
    /// What the server must answer to each command that waits to be sent, where the board knows.
    answers: Vec<Option<i64>>,
    owners: Vec<String>,
    random: Random,
}

impl Pair {
    fn new(mut client: Client, order: Order, operator: Operator, seed: u64) -> Self {
        client.call(&["FLUSHALL"]).unwrap();
        let mut random = Random::new(seed);
        let ranking = [Ranking::Ordinal, Ranking::Competition][index(seed % 2)];
        let board = Leaderboard::new(order, operator).ties(Ties::OwnerId).ranking(ranking);
        let owners = (0..OWNERS).map(|_| owner(&mut random)).collect();
        Self { board, order, operator, ranking, client, answers: Vec::new(), owners, random }
    }

    /// One random command to both.
    fn step(&mut self, shrinking: bool) {
        let owner = self.owner();
        if self.random.below(20) == 0 {
            // A sorted set knows nothing like it: a member leaves, and comes back with the score of before.
            let was_shown = self.board.rank(&owner).is_some();
            self.board.hide(&owner);
            return self.queue(&["ZREM", "board", &owner], Some(was_shown.into()));
        }
        if self.board.unhide(&owner)
            && let Some(score) = self.board.score(&owner)
        {
            return self.queue(&["ZADD", "board", &score.score.to_string(), &owner], Some(1));
        }
        if self.random.below(10) < if shrinking { 7 } else { 1 } {
            let removed = self.board.remove(&owner);
            return self.queue(&["ZREM", "board", &owner], Some(removed.into()));
        }
        let value = self.value(self.board.score(&owner).map_or(0, |score| score.score));
        let score = self.board.submit(&owner, value).unwrap().score;
        let text = value.to_string();
        let negated = (-value).to_string();
        match (self.operator, self.order) {
            (Operator::Incr, _) => self.queue(&["ZINCRBY", "board", &text, &owner], Some(score)),
            (Operator::Decr, _) => self.queue(&["ZINCRBY", "board", &negated, &owner], Some(score)),
            (Operator::Best, Order::Desc) => self.queue(&["ZADD", "board", "GT", &text, &owner], None),
            (Operator::Best, Order::Asc) => self.queue(&["ZADD", "board", "LT", &text, &owner], None),
            _ => self.queue(&["ZADD", "board", &text, &owner], None),
        }
        self.queue(&["ZSCORE", "board", &owner], Some(score));
    }

    fn queue(&mut self, command: &[&str], answer: Option<i64>) {
        self.client.queue(command);
        self.answers.push(answer);
    }

    /// Mostly small, for the sake of ties; sometimes such that the score comes close to the end of what is exact.
    fn value(&mut self, score: i64) -> i64 {
        let small = self.random.below(61).cast_signed() - 30;
        let end = match self.random.below(40) {
            0 => Some(EXACT_MAX - small.abs()),
            1 => Some(small.abs() - EXACT_MAX),
            _ => None,
        };
        let exact = |number: i64| number.clamp(-EXACT_MAX, EXACT_MAX);
        let difference = exact(exact(end.unwrap_or(score + small)) - score);
        match self.operator {
            Operator::Incr => difference,
            Operator::Decr => -difference,
            _ => end.unwrap_or(small),
        }
    }

    /// Sends what waits and compares the answers; then what both say about random owners, places and scores.
    fn check(&mut self) {
        let replies = self.client.send().unwrap();
        for (answer, reply) in std::mem::take(&mut self.answers).into_iter().zip(&replies) {
            assert!(answer.is_none() || answer == reply.integer(), "{answer:?} {reply:?}");
        }
        let weight = if self.order == Order::Desc { "-1" } else { "1" };
        let len = self.integer(&["ZUNIONSTORE", "ordered", "1", "board", "WEIGHTS", weight]).unwrap();
        assert_eq!(self.board.len(), len.unsigned_abs());

        let offset = index(self.random.below(self.board.len() + 10));
        let limit = index(self.random.below(30));
        let page = self.board.page(offset, limit);
        let last = offset.cast_signed() + limit.cast_signed() - 1;
        assert_eq!(shown(&page), if limit == 0 { Vec::new() } else { self.ordered(offset, last) });
        for (position, row) in (offset..).zip(&page) {
            assert_eq!(row.rank, self.rank(position, row.score));
        }

        for _ in 0..3 {
            let owner = self.owner();
            let score = self.integer(&["ZSCORE", "board", &owner]);
            if self.board.rank(&owner).is_some() {
                assert_eq!(self.board.score(&owner).map(|score| score.score), score);
            }
            let position = self.integer(&["ZRANK", "ordered", &owner]).map(|position| index(position.unsigned_abs()));
            let rank = position.zip(score).map(|(position, score)| self.rank(position, score));
            assert_eq!(self.board.rank(&owner), rank);
            let around = self.board.around_owner(&owner, limit);
            let expected = position.map(|at| self.ordered(at.saturating_sub(limit), (at + limit).cast_signed()));
            assert_eq!(shown(&around), expected.unwrap_or_default());
            if let Some((position, score)) = position.zip(score) {
                self.check_backward_rank(&owner, position, score);
            }
        }

        let score = self.random.below(200).cast_signed() - 100;
        assert_eq!(self.board.count_above(score), self.count_above(score));

        let end = score + self.random.below(20).cast_signed();
        let rows = self.board.by_score_range(score..=end, offset, limit);
        let (from, to) = if self.order == Order::Desc { (-end, -score) } else { (score, end) };
        let (from, to) = (from.to_string(), to.to_string());
        let (offset, limit) = (offset.to_string(), limit.to_string());
        let range = ["ZRANGEBYSCORE", "ordered", &from, &to, "WITHSCORES", "LIMIT", &offset, &limit];
        assert_eq!(shown(&rows), self.rows(&range));
    }

    /// Every row, also as people read it with the highest first.
    fn check_all(&mut self) {
        self.check();
        let all = shown(&self.board.top(usize::MAX));
        assert_eq!(all, self.ordered(0, -1));
        let read = if self.order == Order::Desc { "ZREVRANGE" } else { "ZRANGE" };
        let mut rows = self.client.call(&[read, "board", "0", "-1", "WITHSCORES"]).unwrap().scored().unwrap();
        if self.order == Order::Desc {
            rows.chunk_by_mut(|a, b| a.1 == b.1).for_each(<[_]>::reverse);
        }
        assert_eq!(all, rows);
        assert!(all.len() > 200, "a board that is worth comparing");
    }

    /// `ZREVRANK`, the highest first, counts equal scores backwards.
    fn check_backward_rank(&mut self, owner: &str, position: usize, score: i64) {
        if self.order == Order::Asc {
            return;
        }
        let score_text = score.to_string();
        let equal = self.integer(&["ZCOUNT", "board", &score_text, &score_text]).unwrap();
        let backward = self.integer(&["ZREVRANK", "board", owner]).unwrap();
        let above = self.count_above(score).cast_signed();
        assert_eq!(i64::try_from(position).unwrap() - above, equal - 1 - (backward - above));
    }

    fn count_above(&mut self, score: i64) -> u64 {
        let beyond = format!("({score}");
        let count = match self.order {
            Order::Desc => self.integer(&["ZCOUNT", "board", &beyond, "+inf"]),
            Order::Asc => self.integer(&["ZCOUNT", "board", "-inf", &beyond]),
        };
        count.unwrap().unsigned_abs()
    }

    fn rank(&mut self, position: usize, score: i64) -> u64 {
        let better = if self.ranking == Ranking::Competition { self.count_above(score) } else { position as u64 };
        better + 1
    }

    /// Positions from `first` through `last` in the order of the board.
    fn ordered(&mut self, first: usize, last: isize) -> Vec<(String, i64)> {
        self.rows(&["ZRANGE", "ordered", &first.to_string(), &last.to_string(), "WITHSCORES"])
    }

    /// What is read from the ordered set, with the scores of the board.
    fn rows(&mut self, command: &[&str]) -> Vec<(String, i64)> {
        let mut rows = self.client.call(command).unwrap().scored().unwrap();
        if self.order == Order::Desc {
            for (_, score) in &mut rows {
                *score = -*score;
            }
        }
        rows
    }

    fn integer(&mut self, command: &[&str]) -> Option<i64> {
        self.client.call(command).unwrap().integer()
    }

    fn owner(&mut self) -> String {
        let at = index(self.random.below(OWNERS));
        self.owners[at].clone()
    }
}

/// Long ids and short ones, many of which begin alike.
fn owner(random: &mut Random) -> String {
    let len = [1, 2, 3, 16, 22, 23, 64][index(random.below(7))];
    let letters = ["!", "a", "b", "~"];
    let mut id = String::new();
    while id.len() < len {
        id.push_str(letters[index(random.below(4))]);
    }
    id
}

fn shown(rows: &[Row]) -> Vec<(String, i64)> {
    rows.iter().map(|row| (row.owner.to_string(), row.score)).collect()
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap()
}
