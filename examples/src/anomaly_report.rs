//! A page about who stands out in a log of events, for people who do not know statistics.
//!
//! [`Report::read`] goes through the log three times: for what is usual, for how much honest players vary, and for who
//! stands out. [`page::html`] makes one self-contained page of it.

mod figures;
mod intervals;
mod log;
pub mod page;

use std::collections::BTreeMap;
use std::io::BufRead;

use liveops_core::anomaly::{
    Budget, Calibrator, Family, FamilyDetector, Observation, PlayerMost, PlayerProfile, PopulationBuilder, Thresholds,
};
use liveops_core::error::Code;

use intervals::Intervals;
pub use log::wire;

/// Slices of time that the page shows.
const SLICES: usize = 120;
/// Alerts that are listed; the rest is counted.
const ALERTS_MAX: usize = 200;
/// Events of a flagged player that are kept for the curve beside the name.
const CURVE_MAX: usize = 2_000;

/// What was found in a log.
#[derive(Debug)]
pub struct Report {
    /// Lines read, and of these how many were no events that can be judged.
    pub lines: (u64, u64),
    /// Players.
    pub players: usize,
    /// Milliseconds since 1970 of the first and the last event.
    pub span_ms: (i64, i64),
    /// The part of the players that may be flagged by chance.
    pub budget: f64,
    /// Whether thresholds come from the log; with fewer than 200 players they are the library's.
    pub is_calibrated: bool,
    /// In force.
    pub thresholds: Thresholds,
    /// The highest score of any player in each slice of time, by detector.
    pub highest: [Vec<f64>; 5],
    /// The highest score of each player, by detector.
    pub most: [Vec<f64>; 5],
    /// Everybody who was flagged, those with most alerts first.
    pub flagged: Vec<Flagged>,
}

/// A player who stands out.
#[derive(Clone, Debug, Default)]
pub struct Flagged {
    /// Who.
    pub player: String,
    /// In the order of the log.
    pub alerts: Vec<Alert>,
    /// How often beyond those listed.
    pub more: usize,
    /// Score over threshold after each event, of the detector that alerted first.
    pub curve: Vec<(i64, f64)>,
}

/// What was found in an event.
#[derive(Clone, Debug)]
pub struct Alert {
    /// When: milliseconds since 1970.
    pub at_ms: i64,
    /// By what.
    pub detector: FamilyDetector,
    /// The boss or the activity; empty for a rhythm, which is of the player.
    pub subject: String,
    /// Why, in words.
    pub sentence: String,
}

impl Report {
    /// From lines of events, read anew by every call of `open`: bodies as the wire has them, or a season's lines around
    /// them. Odds of drops and floors of bosses are not in a log; floors are taken from it.
    ///
    /// Errors: of reading, `invalid_argument` for a budget outside 0..1, and a log without any event that can be judged.
    pub fn read<R: BufRead>(
        open: impl Fn() -> std::io::Result<R>,
        budget: f64,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        if !(budget > 0.0 && budget < 1.0) {
            return Err(Code::InvalidArgument.to_string().into());
        }
        let mut builder = PopulationBuilder::new();
        let (mut lines, mut span_ms) = ((0, 0), (i64::MAX, i64::MIN));
        for line in open()?.lines() {
            let (line, mut taken) = (line?, false);
            if let Some(event) = log::read(&line) {
                taken = event.teach(&mut builder).is_ok();
                span_ms = (span_ms.0.min(event.at_ms), span_ms.1.max(event.at_ms));
            }
            lines = (lines.0 + 1, lines.1 + u64::from(!taken));
        }
        if lines.0 == lines.1 {
            return Err(format!("none of {} lines is an event that can be judged", lines.0).into());
        }
        let mut family = Family::new(builder.finish());
        let bosses: Vec<String> = family.population().bosses().map(str::to_owned).collect();
        for boss in &bosses {
            family.boss(boss, None).map_err(|code| code.to_string())?;
        }
        let mut report = Self {
            lines,
            players: 0,
            span_ms,
            budget,
            is_calibrated: false,
            thresholds: Thresholds::DEFAULT,
            highest: Default::default(),
            most: Default::default(),
            flagged: Vec::new(),
        };
        report.calibrate(&family, &open)?;
        let family = family.with_thresholds(report.thresholds);
        report.judge(&family, &open)?;
        Ok(report)
    }

    fn calibrate<R: BufRead>(&mut self, family: &Family, open: impl Fn() -> std::io::Result<R>) -> std::io::Result<()> {
        let mut calibrator = Calibrator::new();
        let mut players: BTreeMap<String, (PlayerProfile, PlayerMost)> = BTreeMap::new();
        each(family, open, |event, observation| {
            let player = event.player.as_str();
            let (profile, most) = players.entry(player.to_owned()).or_default();
            // What cannot be judged was counted in the first pass.
            if family.observe(profile, observation).is_ok() {
                most.observe(&profile.scores());
            }
        })?;
        self.players = players.len();
        for (_, most) in players.into_values() {
            calibrator.add(most, 1);
        }
        if let Ok(thresholds) = calibrator.thresholds(Budget::PerPlayer { part: self.budget, events: None }) {
            (self.thresholds, self.is_calibrated) = (thresholds, true);
        }
        Ok(())
    }

    fn judge<R: BufRead>(&mut self, family: &Family, open: impl Fn() -> std::io::Result<R>) -> std::io::Result<()> {
        let mut players: BTreeMap<String, (PlayerProfile, [f64; 5])> = BTreeMap::new();
        let mut flagged: BTreeMap<String, Flagged> = BTreeMap::new();
        let mut rhythms: BTreeMap<String, Intervals> = BTreeMap::new();
        self.highest = std::array::from_fn(|_| vec![0.0; SLICES]);
        let (from, until) = self.span_ms;
        each(family, &open, |event, observation| {
            let (player, at_ms) = (event.player.as_str(), event.at_ms);
            let (profile, most) = players.entry(player.to_owned()).or_default();
            let Ok(findings) = family.observe(profile, observation) else { return };
            let rhythm = rhythms.entry(player.to_owned()).or_default();
            rhythm.add(at_ms);
            let slice =
                usize::try_from((at_ms - from) * 120 / (until - from).max(1)).unwrap_or_default().min(SLICES - 1);
            for detector in FamilyDetector::ALL {
                let (place, score) = (detector.place(), profile.scores().of(detector));
                most[place] = most[place].max(score);
                self.highest[place][slice] = self.highest[place][slice].max(score);
            }
            for finding in findings {
                let entry = flagged.entry(player.to_owned()).or_default();
                player.clone_into(&mut entry.player);
                if entry.alerts.len() < ALERTS_MAX {
                    let subject = event.subject(finding.detector).to_owned();
                    let sentence = event.sentence(&finding.verdict, rhythm);
                    entry.alerts.push(Alert { at_ms, detector: finding.detector, subject, sentence });
                } else {
                    entry.more += 1;
                }
            }
        })?;
        let mut again: BTreeMap<&str, PlayerProfile> = BTreeMap::new();
        let mut curves: BTreeMap<String, Vec<(i64, f64)>> = BTreeMap::new();
        let known: Vec<String> = flagged.keys().cloned().collect();
        each(family, &open, |event, observation| {
            let (player, at_ms) = (event.player.as_str(), event.at_ms);
            let Ok(place) = known.binary_search_by(|known| known.as_str().cmp(player)) else { return };
            let profile = again.entry(&known[place]).or_default();
            if family.observe(profile, observation).is_err() {
                return;
            }
            let first = flagged.get(player).and_then(|flagged| flagged.alerts.first()).map(|alert| alert.detector);
            let curve = curves.entry(player.to_owned()).or_default();
            if let Some(detector) = first.filter(|_| curve.len() < CURVE_MAX) {
                curve.push((at_ms, profile.scores().of(detector) / family.thresholds().of(detector)));
            }
        })?;
        for (player, curve) in curves {
            if let Some(flagged) = flagged.get_mut(&player) {
                flagged.curve = curve;
            }
        }
        for (_, most) in players.into_values() {
            self.most.iter_mut().zip(most).for_each(|(all, most)| all.push(most));
        }
        self.flagged = flagged.into_values().collect();
        self.flagged.sort_by_key(|flagged| std::cmp::Reverse(flagged.alerts.len() + flagged.more));
        Ok(())
    }
}

/// Every event that can be judged, in the order of the log.
fn each<R: BufRead>(
    family: &Family,
    open: impl Fn() -> std::io::Result<R>,
    mut with: impl FnMut(&log::Event, &Observation),
) -> std::io::Result<()> {
    let places = log::Places::new(family);
    for line in open()?.lines() {
        if let Some(event) = log::read(&line?) {
            with(&event, &event.observation(family, &places));
        }
    }
    Ok(())
}
