//! Numbers that look random and are the same for the same seed.

/// Sebastiano Vigna's `SplitMix64`.
///
/// ```
/// use liveops_bench::Random;
///
/// // The first output of the reference implementation for this seed.
/// assert_eq!(Random::new(1_234_567).next(), 6_457_827_717_110_365_317);
/// assert!(Random::new(7).below(10) < 10);
/// ```
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// A stream of its own for each seed.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// The next number, below a bound; the tiny bias of the remainder does not matter to a bench.
    ///
    /// # Panics
    /// Nothing is below 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// A number that looks random for each number; different ones for different ones.
pub(crate) const fn mix(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
