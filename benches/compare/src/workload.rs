//! What the rows about boards do, to ours and to every peer alike.
//!
//! Players have ids of 16 bytes that look random. They begin with scores uniform in `0..1,000,000`, and an event brings a
//! player who is on the board already 1 to 100 points. All of it comes from a seed.

use liveops_bench::Random;
use liveops_bench::traffic::NOW_MS;
use liveops_core::Timestamp;
use liveops_core::board::{Leaderboard, Operator, Order, Ties, WindowedLeaderboard};
use liveops_core::window::{Calendar, Window};

/// Players of a row, where its name does not say another number.
pub const MILLION: u64 = 1_000_000;

/// The windows of the rows about four of them, shortest first.
pub const WINDOWS: [Window; 4] = [Window::Daily, Window::Weekly, Window::Monthly, Window::AllTime];

/// When their events happen.
pub const NOW: Timestamp = Timestamp::from_unix_millis(NOW_MS);

/// First scores are below this.
const FIRST_SCORE_END: u64 = 1_000_000;
const POINTS_MAX: u64 = 100;
const ID_BYTES: usize = 16;
const SEED: u64 = 7;

/// Each player's id and first score.
pub fn players(players: u64) -> impl Iterator<Item = (String, i64)> {
    let mut random = Random::new(SEED);
    (0..players).map(move |player| (id(player), random.below(FIRST_SCORE_END).cast_signed()))
}

/// Our board with all of them.
///
/// # Errors
/// None that is expected.
pub fn board(len: u64, ties: Ties) -> Result<Leaderboard, String> {
    let mut board = Leaderboard::new(Order::Desc, Operator::Incr).ties(ties);
    for (id, score) in players(len) {
        board.submit(&id, score).map_err(|error| error.to_string())?;
    }
    Ok(board)
}

/// Our board of four windows, all of which have all players.
///
/// # Errors
/// None that is expected.
pub fn windowed(len: u64, ties: Ties) -> Result<WindowedLeaderboard, String> {
    let board = WindowedLeaderboard::new(Order::Desc, Operator::Incr, Calendar::utc()).ties(ties);
    let mut board = WINDOWS.into_iter().fold(board, |board, window| board.window(window, 2));
    for (id, score) in players(len) {
        board.submit(&id, score, NOW, NOW).map_err(|error| error.to_string())?;
    }
    Ok(board)
}

/// The id of a player: the first output of a generator is another for each seed.
fn id(player: u64) -> String {
    format!("{:016x}", Random::new(player).next())
}

/// An endless stream of events, the same for the same number of players. Each side has one of its own.
#[derive(Clone, Debug)]
pub struct Events {
    players: u64,
    points_max: u64,
    popularity: Option<Popularity>,
    random: Random,
}

impl Events {
    /// Of players drawn uniformly.
    pub const fn new(players: u64) -> Self {
        Self { players, points_max: POINTS_MAX, popularity: None, random: Random::new(SEED) }
    }

    /// That bring up to so many points.
    #[must_use]
    pub fn points_max(self, points_max: u64) -> Self {
        Self { points_max, ..self }
    }

    /// Of players of whom some are far more active than others: the n-th most active in proportion to 1 / n^0.99, the
    /// usual skew of key-value benchmarks (YCSB).
    #[must_use]
    pub fn zipf(self) -> Self {
        Self { popularity: Some(Popularity::new(self.players)), ..self }
    }

    /// The next ones, drawn before anybody looks at the clock.
    pub fn draw(&mut self, len: usize) -> Drawn {
        let mut drawn = Drawn { ids: String::with_capacity(len * ID_BYTES), points: Vec::with_capacity(len) };
        for _ in 0..len {
            let player = match &self.popularity {
                None => self.random.below(self.players),
                Some(popularity) => popularity.draw(&mut self.random),
            };
            drawn.ids.push_str(&id(player));
            drawn.points.push(1 + self.random.below(self.points_max).cast_signed());
        }
        drawn
    }
}

/// Events in one run of memory: reading them costs next to nothing, as if they had just come in.
#[derive(Clone, Debug)]
pub struct Drawn {
    ids: String,
    points: Vec<i64>,
}

impl Drawn {
    /// Whose, and how many points.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, i64)> {
        self.points.iter().enumerate().map(|(at, points)| (&self.ids[at * ID_BYTES..(at + 1) * ID_BYTES], *points))
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.points.is_empty()
    }
}

/// Zipf's law over players in a random order: the active ones do not lie beside each other in anybody's memory.
#[derive(Clone, Debug)]
struct Popularity {
    /// Sums of the weights up to each place.
    sums: Vec<f64>,
    players: Vec<u64>,
}

impl Popularity {
    const EXPONENT: f64 = 0.99;

    fn new(players: u64) -> Self {
        let mut random = Random::new(SEED);
        let mut order: Vec<u64> = (0..players).collect();
        order.sort_by_cached_key(|_| random.next());
        let mut sum = 0.0;
        let weight = |place: u64| (place as f64).powf(-Self::EXPONENT);
        let sums = (1..=players).map(|place| {
            sum += weight(place);
            sum
        });
        Self { sums: sums.collect(), players: order }
    }

    fn draw(&self, random: &mut Random) -> u64 {
        let share = (random.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let sum = share * self.sums.last().copied().unwrap_or_default();
        self.players[self.sums.partition_point(|before| *before <= sum).min(self.players.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn events_are_of_players_and_the_same_for_everybody() {
        let ids: std::collections::BTreeSet<String> = players(1_000).map(|(id, _)| id).collect();
        assert_eq!(ids.len(), 1_000);
        let mut events = Events::new(1_000);
        let drawn = events.clone().draw(5_000);
        assert!(drawn.iter().all(|(id, points)| ids.contains(id) && (1..=100).contains(&points)));
        assert!(drawn.iter().eq(events.draw(5_000).iter()));
    }

    #[test]
    fn the_most_active_of_a_thousand_players_makes_an_eighth_of_the_events() {
        let drawn = Events::new(1_000).zipf().draw(100_000);
        let mut counts = BTreeMap::new();
        drawn.iter().for_each(|(id, _)| *counts.entry(id).or_insert(0) += 1);
        // The sum of n^-0.99 over 1..=1000 is 7.73.
        let share = f64::from(*counts.values().max().unwrap()) / 100_000.0;
        assert!((0.125..0.134).contains(&share), "{share}");
    }
}
