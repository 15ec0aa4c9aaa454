//! A function as data: values at even steps, straight between them.

use crate::codec::Stable;

use super::{Float, narrow};

/// Most values of one curve.
const KNOTS_MAX: u64 = 512;

/// Values at even steps from `start` on, straight lines between, the first value before, a slope behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Curve {
    pub(super) start: Float,
    pub(super) step: Float,
    /// Behind the last knot, per unit of x.
    pub(super) slope: Float,
    pub(super) knots: Vec<Float>,
}

impl Curve {
    /// From values at `start + i * step`.
    pub(super) fn new(start: f64, step: f64, slope: f64, knots: impl IntoIterator<Item = f64>) -> Self {
        let knots = knots.into_iter().map(narrow).collect();
        Self { start: narrow(start), step: narrow(step), slope: narrow(slope), knots }
    }

    pub(super) fn at(&self, x: f64) -> f64 {
        let place = (x - f64::from(self.start.0)) / f64::from(self.step.0);
        let knot = |at: usize| self.knots.get(at).map_or(0.0, |knot| f64::from(knot.0));
        // NaN is not above 0 either.
        if place > 0.0 {
            let last = self.knots.len().saturating_sub(1);
            let left = floor(place);
            if left >= last {
                let behind = x - (f64::from(self.start.0) + steps(last) * f64::from(self.step.0));
                return knot(last) + behind * f64::from(self.slope.0);
            }
            return knot(left) + (knot(left + 1) - knot(left)) * (place - steps(left));
        }
        knot(0)
    }
}

impl Stable for Curve {
    fn put(&self, out: &mut Vec<u8>) {
        for float in [self.start, self.step, self.slope] {
            float.put(out);
        }
        (self.knots.len() as u64).put(out);
        self.knots.iter().for_each(|knot| knot.put(out));
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let [start, step, slope] = [Float::take(from)?, Float::take(from)?, Float::take(from)?];
        let len = u64::take(from).filter(|len| (1..=KNOTS_MAX).contains(len))?;
        let knots = (0..len).map(|_| Float::take(from)).collect::<Option<Vec<_>>>()?;
        Some(Self { start, step, slope, knots }).filter(|curve| curve.step.0 > 0.0)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and only positive values come")]
fn floor(value: f64) -> usize {
    value as usize
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred at most")]
pub(super) fn steps(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn straight_between_the_knots_and_sloped_behind() {
        let curve = Curve::new(-1.0, 0.5, 10.0, [0.0, 1.0, 4.0]);
        for (x, wanted) in [
            (-9.0, 0.0),
            (-1.0, 0.0),
            (-0.75, 0.5),
            (-0.5, 1.0),
            (-0.25, 2.5),
            (0.0, 4.0),
            (1.0, 14.0),
            (f64::NAN, 0.0),
        ] {
            assert!((curve.at(x) - wanted).abs() < 1e-12, "{x}: {}", curve.at(x));
        }
        assert!(curve.at(f64::INFINITY).is_infinite());
        let bytes = curve.to_bytes();
        assert_eq!(Curve::take(&mut &bytes[..]), Some(curve));
        (0..bytes.len()).for_each(|cut| assert_eq!(Curve::take(&mut &bytes[..cut]), None));
        assert_eq!(Curve::take(&mut &Curve::new(0.0, 0.0, 1.0, [1.0]).to_bytes()[..]), None);
        assert_eq!(Curve::take(&mut &Curve::new(0.0, 1.0, 1.0, []).to_bytes()[..]), None);
    }
}
