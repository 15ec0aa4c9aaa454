//! What amounts are compared with: a prior, or the player's own first values.

use super::finite::Prior;
use super::log_stats::logarithm;
use super::stats::{DecayingStats, count};
use super::verdict::{Baseline, Source};

/// So many values of a player say what is usual where nothing else does; they are not judged.
pub(super) const OWN_FROM: u64 = Baseline::SAMPLES_MIN;

/// Where amounts lie, as logarithms: with a [`Prior`], which speaks of a unit, of `1 + x`; without, of `x`, so that nothing
/// depends on what it is counted in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amounts {
    pub(super) prior: Option<Prior>,
    /// The smallest deviation.
    pub(super) sd_min: f64,
    /// The part of the way that a value moves the mean, at least.
    pub(super) rate: f64,
}

/// What a value is, beside what is usual.
pub(super) enum Place {
    /// No amount: no number, or negative.
    None,
    /// There is too little to compare it with yet.
    Early,
    /// Nothing at all, where only factors count.
    Nothing,
    /// A logarithm that can be compared with the baseline's.
    At(f64),
}

/// Mean and deviation of those logarithms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usual {
    pub(super) mean: f64,
    pub(super) sd: f64,
    source: Source,
}

impl Amounts {
    pub(super) fn place(&self, stats: &DecayingStats, value: f64) -> Place {
        let Some(anchored) = logarithm(value) else { return Place::None };
        match self.prior {
            Some(_) => Place::At(anchored),
            None if value == 0.0 => Place::Nothing,
            None if stats.n() < OWN_FROM => Place::Early,
            None => Place::At(libm::log(value)),
        }
    }

    /// Prior and player pooled. Without a prior, a usual spread with the weight of some values, about the player's own mean.
    pub(super) fn usual(&self, stats: &DecayingStats) -> Usual {
        let prior = self.prior.unwrap_or(Prior::DEFAULT);
        let weight = prior.weight();
        let own = count(stats.n()).min(1.0 / self.rate);
        let both = weight + own;
        let mean = match self.prior {
            Some(_) => (weight * prior.mean() + own * stats.mean()) / both,
            None => stats.mean(),
        };
        // How far the two means lie apart is left out: it would widen the deviation for whoever starts with spikes.
        // Honest players stay inside without it, as their distance from the mean shrinks faster than the deviation.
        let variance = (weight * prior.sd() * prior.sd() + own * stats.variance()) / both;
        let source = if self.prior.is_some() && own < weight { Source::Population } else { Source::Player };
        Usual { mean, sd: variance.sqrt().max(self.sd_min), source }
    }

    /// As verdicts tell it: of `ln(1 + x)`, always.
    pub(super) fn baseline(&self, stats: &DecayingStats) -> Baseline {
        let Usual { mean, sd, source } = self.usual(stats);
        let mean = if self.prior.is_some() || stats.n() == 0 { mean } else { anchored(mean) };
        Baseline::new(stats.n(), mean, sd, source)
    }

    /// Learns a value: at most `reach` deviations from what is usual.
    pub(super) fn learn(&self, stats: &mut DecayingStats, value: f64, reach: f64) {
        // Logarithms are small: nothing to refuse.
        match self.place(stats, value) {
            Place::None | Place::Nothing => {}
            Place::Early => self.learn_early(stats, libm::log(value), reach),
            Place::At(at) => {
                let Usual { mean, sd, .. } = self.usual(stats);
                _ = stats.push(between(at, mean, reach * sd), self.rate);
            }
        }
    }

    /// Learns one of the first values, which are all that there is to go by: none of them may say what is usual alone. The mean
    /// of three is their median, later ones lift it by no more than usual ones can, and the spread that they leave is at most the
    /// usual one: a single spike would widen it beyond all that follow.
    fn learn_early(&self, stats: &mut DecayingStats, logarithm: f64, reach: f64) {
        let (n, mean, sd, usual) = (stats.n(), stats.mean(), stats.sd(), Prior::DEFAULT.sd());
        let learned = if n < 3 { logarithm } else { logarithm.min(mean + reach * usual) };
        _ = stats.push(learned, self.rate);
        if n == 2 {
            // Two values lie a deviation to either side of their mean.
            *stats = stats.with_mean(between(logarithm, mean, sd));
        }
        if n >= 2 {
            *stats = stats.with_variance_at_most(usual * usual);
        }
    }
}

/// The nearest to the value that is at most `reach` from the centre. (`clamp` panics where this does not.)
pub(super) fn between(value: f64, centre: f64, reach: f64) -> f64 {
    value.max(centre - reach).min(centre + reach)
}

/// What was learned with a prior or without, for who goes on otherwise: the same amounts, by the other logarithm.
pub(super) fn converted(stats: &DecayingStats, learned_with_prior: bool, has_prior: bool) -> DecayingStats {
    if learned_with_prior == has_prior || stats.n() == 0 {
        return *stats;
    }
    if has_prior {
        return stats.with_mean(anchored(stats.mean()));
    }
    let typical = libm::expm1(stats.mean());
    if typical > 0.0 { stats.with_mean(libm::log(typical)) } else { DecayingStats::default() }
}

/// `ln(1 + x)` by `ln x`.
pub(super) fn anchored(logarithm: f64) -> f64 {
    libm::log1p(libm::exp(logarithm))
}
