//! `board`: one board alone, with 10,000 and with 1,000,000 owners.

mod quick;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use liveops_bench::Random;
use liveops_core::board::{Leaderboard, Operator, Order};

fn board(c: &mut Criterion) {
    let mut group = c.benchmark_group("board");
    for players in [10_000_u32, 1_000_000] {
        let name = |player: u64| format!("player-{player:07}");
        let mut random = Random::new(7);
        let mut board = Leaderboard::new(Order::Desc, Operator::Incr);
        let mut submit = |owner: &str, points: u32| board.submit(owner, i64::from(points)).expect("far from overflow");
        for player in 0..players {
            submit(&name(player.into()), player.wrapping_mul(2_654_435_761) % 1_000_000);
        }
        // Drawn before the clock starts, and many, so that the next owner is not in a cache already.
        let owners: Vec<String> = (0..1 << 16).map(|_| name(random.below(players.into()))).collect();
        let mut owners = owners.iter().cycle();
        let mut owner = || owners.next().expect("a cycle");

        group.bench_function(BenchmarkId::new("submit", players), |b| b.iter(|| submit(owner(), 50)));
        group.bench_function(BenchmarkId::new("rank", players), |b| b.iter(|| board.rank(owner())));
        group.bench_function(BenchmarkId::new("around 5", players), |b| b.iter(|| board.around_owner(owner(), 5)));
        group.bench_function(BenchmarkId::new("top 100", players), |b| b.iter(|| board.top(black_box(100))));
    }
    group.finish();
}

criterion_group! { name = benches; config = quick::quick(); targets = board }
criterion_main!(benches);
