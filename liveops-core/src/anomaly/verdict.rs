//! What a detector says.

use super::finite::{Finite, Threshold};
use crate::codec::{fields, tags};

/// What a detector says of one value, and why. It can be undone; nobody is banned by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// How far the value lies from the baseline, in standard deviations: 0 to [`Verdict::SCORE_MAX`]. For a floor, the
    /// value itself.
    pub score: Finite,
    /// The score above which a value is an anomaly. For a floor, the floor itself.
    pub threshold: Finite,
    /// On which side of the baseline the value lies.
    pub direction: Direction,
    /// Why.
    pub reason: Reason,
    /// What the value was compared with.
    pub baseline: Baseline,
    /// What to do about it. Detectors say [`Action::Flag`] of anomalies and [`Action::Allow`] of all else.
    pub action: Action,
}

fields!(Verdict { score, threshold, direction, reason, baseline, action });

impl Verdict {
    /// The score of what no deviation can measure, such as a change after none.
    pub const SCORE_MAX: f64 = 1e9;

    /// Whether the value is an anomaly, whatever is done about it.
    pub const fn is_anomaly(&self) -> bool {
        !matches!(self.reason, Reason::Usual | Reason::TooFewSamples)
    }

    /// The same finding with what the rules want done about it.
    #[must_use]
    pub const fn with_action(self, action: Action) -> Self {
        Self { action, ..self }
    }

    pub(super) fn new(
        score: f64,
        threshold: impl Into<Finite>,
        direction: Direction,
        reason: Reason,
        baseline: Baseline,
    ) -> Self {
        let score = Finite::new(score.min(Self::SCORE_MAX)).unwrap_or_default();
        let verdict = Self { score, threshold: threshold.into(), direction, reason, baseline, action: Action::Allow };
        if verdict.is_anomaly() { verdict.with_action(Action::Flag) } else { verdict }
    }

    /// Of a value that is no number: always an anomaly.
    pub(super) fn not_finite(value: f64, threshold: impl Into<Finite>, baseline: Baseline) -> Self {
        let direction = if value < 0.0 { Direction::Low } else { Direction::High };
        Self::new(Self::SCORE_MAX, threshold, direction, Reason::NotFinite, baseline)
    }

    /// Of a value that is no amount, since it is no number or negative: always an anomaly.
    pub(super) fn no_amount(value: f64, threshold: impl Into<Finite>, baseline: Baseline) -> Self {
        if value.is_finite() {
            return Self::new(Self::SCORE_MAX, threshold, Direction::Low, Reason::Negative, baseline);
        }
        Self::not_finite(value, threshold, baseline)
    }

    /// The finding in one sentence: what is wrong, by how much, and compared with what.
    ///
    /// ```
    /// use liveops_core::anomaly::TimeFloor;
    ///
    /// let verdict = TimeFloor { minimum_ms: 45_000 }.score(12_000.0);
    /// assert_eq!(
    ///     verdict.sentence(),
    ///     "The duration is shorter than the rules hold possible: 12 s, where the limit is 45 s."
    /// );
    /// ```
    pub fn sentence(&self) -> String {
        let what = self.reason.describe().trim_end_matches('.');
        let (score, threshold, n) = (self.score.get(), self.threshold.get(), self.baseline.n);
        let mean = self.baseline.mean.get();
        let compared = match (self.reason, self.baseline.source) {
            // A floor alone says the duration itself; a family says how improbable it is.
            (Reason::BelowFloor, Source::Rule) if self.threshold == self.baseline.mean => {
                return format!("{what}: {}, where the limit is {}.", seconds(score), seconds(threshold));
            }
            (Reason::BelowFloor, Source::Rule) => return format!("{what}, which is {}.", seconds(mean)),
            (Reason::BelowFloor, _) => {
                return format!(
                    "The duration is shorter than the fastest players make believable: score {score:.1}, threshold \
                     {threshold:.1}; hardly anybody has been below {}.",
                    seconds(mean)
                );
            }
            (Reason::FarAboveUsual | Reason::RisesSteadily, Source::Population) => {
                format!("usual is about {:.0}, from the population", libm::expm1(mean))
            }
            (Reason::FarAboveUsual | Reason::RisesSteadily, _) => {
                format!("usual is about {:.0}, from {n} values of the player", libm::expm1(mean))
            }
            (Reason::TooManyDrops, _) => format!("the published odds are {mean}"),
            (Reason::FarFromMean | Reason::FarFromRecent, _) => format!("the mean is {mean:.1}, from {n} values"),
            _ => return format!("{what}: score {score:.1}, threshold {threshold:.1}."),
        };
        format!("{what}: score {score:.1}, threshold {threshold:.1}; {compared}.")
    }

    /// Of a value on both sides of a mean.
    pub(super) fn two_sided(value: f64, threshold: Threshold, baseline: Baseline, far: Reason) -> Self {
        if !value.is_finite() {
            return Self::not_finite(value, threshold, baseline);
        }
        let distance = value - baseline.mean.get();
        let direction = if distance < 0.0 { Direction::Low } else { Direction::High };
        let (score, reason) = if baseline.n < Baseline::SAMPLES_MIN {
            (0.0, Reason::TooFewSamples)
        } else if distance == 0.0 {
            (0.0, Reason::Usual)
        } else if baseline.sd == 0.0 {
            (Self::SCORE_MAX, Reason::ChangeAfterConstancy)
        } else {
            let score = distance.abs() / baseline.sd.get();
            (score, if score > threshold.get() { far } else { Reason::Usual })
        };
        Self::new(score, threshold, direction, reason, baseline)
    }
}

/// Milliseconds as seconds, with as many digits as they have: `57.6 s`.
fn seconds(ms: f64) -> String {
    let text = format!("{:.3}", ms / 1_000.0);
    format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
}

/// What a value is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// How many values of the player it has learned from.
    pub n: u64,
    /// Their mean. For [`super::Robust`], of `ln(1 + x)`; for a floor, the floor.
    pub mean: Finite,
    /// Their standard deviation, in the unit of the mean.
    pub sd: Finite,
    /// Where most of it comes from.
    pub source: Source,
}

fields!(Baseline { n, mean, sd, source });

impl Baseline {
    /// Fewer values than this are not judged by.
    pub(super) const SAMPLES_MIN: u64 = 10;

    pub(super) fn new(n: u64, mean: f64, sd: f64, source: Source) -> Self {
        Self { n, mean: Finite::new(mean).unwrap_or_default(), sd: Finite::new(sd).unwrap_or_default(), source }
    }
}

/// On which side of a baseline a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// Above, or at it.
    High,
    /// Below.
    Low,
}

tags!(Direction { High = 0, Low = 1 });

impl Direction {
    /// Both.
    pub const ALL: &'static [Self] = &[Self::High, Self::Low];

    /// The name, as JSON writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
        }
    }

    /// The direction of a name; `None` for anything [`Self::as_str`] does not write.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|direction| direction.as_str() == text)
    }
}

/// Where a baseline comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Source {
    /// From the player's own values.
    Player,
    /// From what is known of all players.
    Population,
    /// From a number in the rules.
    Rule,
}

tags!(Source { Player = 0, Population = 1, Rule = 2 });

impl Source {
    /// Every source.
    pub const ALL: &'static [Self] = &[Self::Player, Self::Population, Self::Rule];

    /// The name, as JSON writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Player => "player",
            Self::Population => "population",
            Self::Rule => "rule",
        }
    }

    /// The source of a name; `None` for anything [`Self::as_str`] does not write.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|source| source.as_str() == text)
    }
}

/// What to do about a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Action {
    /// Let the event take effect.
    Allow,
    /// Let it take effect, and keep the verdict.
    Flag,
    /// Withhold its effect until a review.
    Hold,
}

tags!(Action { Allow = 0, Flag = 1, Hold = 2 });

impl Action {
    /// Every action, mildest first.
    pub const ALL: &'static [Self] = &[Self::Allow, Self::Flag, Self::Hold];

    /// The name, as rules and JSON write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Flag => "flag",
            Self::Hold => "hold",
        }
    }

    /// The action of a name; `None` for anything [`Self::as_str`] does not write.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == text)
    }
}

/// Why a verdict is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Reason {
    /// No anomaly.
    Usual,
    /// No judgement yet.
    TooFewSamples,
    /// [`super::ZScore`] found an anomaly.
    FarFromMean,
    /// [`super::Ewma`] found an anomaly.
    FarFromRecent,
    /// The baseline never varied, and now the value does.
    ChangeAfterConstancy,
    /// [`super::Robust`] found an anomaly.
    FarAboveUsual,
    /// [`super::TimeFloor`] found an anomaly.
    BelowFloor,
    /// NaN or an infinity.
    NotFinite,
    /// [`super::Cusum`] or [`super::FamilyDetector::Drift`] found an anomaly.
    RisesSteadily,
    /// [`super::DropRate`] found an anomaly.
    TooManyDrops,
    /// [`super::Regularity`] found an anomaly.
    TooRegular,
    /// An amount below 0.
    Negative,
}

tags!(Reason {
    Usual = 0,
    TooFewSamples = 1,
    FarFromMean = 2,
    FarFromRecent = 3,
    ChangeAfterConstancy = 4,
    FarAboveUsual = 5,
    BelowFloor = 6,
    NotFinite = 7,
    RisesSteadily = 8,
    TooManyDrops = 9,
    TooRegular = 10,
    Negative = 11,
});

impl Reason {
    /// Whether records of the first versions cannot say it.
    pub(crate) const fn is_later(self) -> bool {
        matches!(self, Self::RisesSteadily | Self::TooManyDrops | Self::TooRegular | Self::Negative)
    }

    /// Every reason.
    pub const ALL: &'static [Self] = &[
        Self::Usual,
        Self::TooFewSamples,
        Self::FarFromMean,
        Self::FarFromRecent,
        Self::ChangeAfterConstancy,
        Self::FarAboveUsual,
        Self::BelowFloor,
        Self::NotFinite,
        Self::RisesSteadily,
        Self::TooManyDrops,
        Self::TooRegular,
        Self::Negative,
    ];

    /// The stable name, as JSON writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::TooFewSamples => "tooFewSamples",
            Self::FarFromMean => "farFromMean",
            Self::FarFromRecent => "farFromRecent",
            Self::ChangeAfterConstancy => "changeAfterConstancy",
            Self::FarAboveUsual => "farAboveUsual",
            Self::BelowFloor => "belowFloor",
            Self::NotFinite => "notFinite",
            Self::RisesSteadily => "risesSteadily",
            Self::TooManyDrops => "tooManyDrops",
            Self::TooRegular => "tooRegular",
            Self::Negative => "negative",
        }
    }

    /// The reason of a name; `None` for anything [`Self::as_str`] does not write.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == text)
    }

    /// One sentence for people.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Usual => "The value is within what is usual.",
            Self::TooFewSamples => "There are too few earlier values to judge by.",
            Self::FarFromMean => {
                "The value is more standard deviations from the player's mean than the threshold allows."
            }
            Self::FarFromRecent => {
                "The value is more standard deviations from the player's recent values than the threshold allows."
            }
            Self::ChangeAfterConstancy => "The value differs from earlier values that were all the same.",
            Self::FarAboveUsual => "The value is more times as large as is usual than the threshold allows.",
            Self::BelowFloor => "The duration is shorter than the rules hold possible.",
            Self::NotFinite => "The value is not a finite number.",
            Self::RisesSteadily => "The values have risen above what is usual for longer than the threshold allows.",
            Self::TooManyDrops => "Drops came more often than the published odds make believable.",
            Self::Negative => "The value is negative, which no amount is.",
            Self::TooRegular => "The time between events is more regular than people are.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Stable;

    #[test]
    fn names_are_the_json_names() {
        for reason in Reason::ALL.iter().copied() {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
            assert_eq!(Reason::from_text(reason.as_str()), Some(reason));
            assert!(reason.describe().ends_with('.'));
            assert_eq!(Reason::take(&mut &reason.to_bytes()[..]), Some(reason));
        }
        for action in Action::ALL.iter().copied() {
            assert_eq!(serde_json::to_value(action).unwrap(), action.as_str());
            assert_eq!(Action::from_text(action.as_str()), Some(action));
        }
        for direction in Direction::ALL.iter().copied() {
            assert_eq!(serde_json::to_value(direction).unwrap(), direction.as_str());
            assert_eq!(Direction::from_text(direction.as_str()), Some(direction));
        }
        for source in Source::ALL.iter().copied() {
            assert_eq!(serde_json::to_value(source).unwrap(), source.as_str());
            assert_eq!(Source::from_text(source.as_str()), Some(source));
        }
        assert_eq!((Action::from_text("ban"), Direction::from_text("up"), Source::from_text("")), (None, None, None));
    }

    #[test]
    fn durations_are_told_in_seconds() {
        assert_eq!(
            [57_600.0, 60_000.0, 45.0, 0.0, 1e9].map(seconds),
            ["57.6 s", "60 s", "0.045 s", "0 s", "1000000 s"]
        );
    }

    #[test]
    fn verdicts_keep_their_bytes_and_json() {
        let baseline = Baseline::new(12, 100.0, 2.0, Source::Player);
        let verdict = Verdict::two_sided(90.0, Threshold::DEFAULT, baseline, Reason::FarFromMean);
        let bytes = verdict.to_bytes();
        let wanted = [
            &[0x40, 0x14, 0, 0, 0, 0, 0, 0][..], // score 5
            &[0x40, 0x08, 0, 0, 0, 0, 0, 0],     // threshold 3
            &[1, 2, 12],                         // low, far from mean, n 12
            &[0x40, 0x59, 0, 0, 0, 0, 0, 0],     // mean 100
            &[0x40, 0x00, 0, 0, 0, 0, 0, 0],     // sd 2
            &[0, 1],                             // player, flag
        ];
        assert_eq!(bytes, wanted.concat());
        assert_eq!(Verdict::take(&mut &bytes[..]), Some(verdict));
        assert_eq!(
            serde_json::to_string(&verdict.with_action(Action::Hold)).unwrap(),
            r#"{"score":5.0,"threshold":3.0,"direction":"low","reason":"farFromMean","baseline":{"n":12,"mean":100.0,"sd":2.0,"source":"player"},"action":"hold"}"#
        );
    }
}
