//! A leaderboard alone: no engine, no rules, no clock.
//!
//! ```text
//! cargo run --example leaderboard
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use liveops_core::Timestamp;
use liveops_core::board::{Leaderboard, Operator, Order, Ranking, Score};

fn main() -> Result<(), liveops_core::Error> {
    let mut arena = Leaderboard::new(Order::Desc, Operator::Incr);
    for (player, points) in [("ana", 120), ("bo", 90), ("cy", 45), ("bo", 40), ("di", 45)] {
        arena.submit(player, points)?;
    }
    println!("Points, summed up:");
    arena.top(3).iter().for_each(|row| println!("{row}"));
    println!("bo is number {:?}; di came to 45 after cy, so is number {:?}", arena.rank("bo"), arena.rank("di"));
    assert_eq!((arena.rank("bo"), arena.rank("di")), (Some(1), Some(4)));

    println!("\nAround cy, and among friends:");
    arena.around_owner("cy", 1).iter().for_each(|row| println!("{row}"));
    arena.by_owners(["di", "ana", "nobody"]).iter().for_each(|row| println!("{row}"));

    arena.hide("bo");
    println!("\nWithout bo, ana is number {:?}; bo comes back to the old place:", arena.rank("ana"));
    arena.unhide("bo");
    assert_eq!(arena.rank("bo"), Some(1));

    // Times, the lowest first; of equal times the one with fewer deaths. When a time was reached is ours to say.
    let mut hydra = Leaderboard::new(Order::Asc, Operator::Best).ranking(Ranking::Competition);
    for (at, (player, millis, deaths)) in (1..).zip([("ana", 61_200, 2), ("bo", 58_900, 0), ("cy", 58_900, 0)]) {
        hydra.submit_at(player, Score { score: millis, subscore: deaths }, Timestamp::from_unix_seconds(at))?;
    }
    println!("\nBest times; equals share a rank:");
    hydra.top(3).iter().for_each(|row| println!("{row}"));
    assert_eq!(hydra.rank("cy"), hydra.rank("bo"));
    Ok(())
}
