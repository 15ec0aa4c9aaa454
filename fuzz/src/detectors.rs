//! Bytes of detectors: those that are read are those that would be written, and whatever was read, a profile and tables
//! too, judges what comes without leaving its bounds.

use liveops_core::Timestamp;
use liveops_core::anomaly::{
    AlertTally, Cusum, DropRate, Ewma, Family, FamilyDetector, Observation, PlayerProfile, Population, Prior, Reason,
    Regularity, Robust, TimeFloor, Verdict, ZScore,
};
use liveops_core::hash::Digest;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_794_052_800);

/// A detector of values that is read from bytes writes the same, and scores any value.
macro_rules! values {
    ($bytes:expr, $($fresh:expr),+) => {$(
        if let Some(mut detector) = $fresh.with_bytes($bytes) {
            assert_eq!(detector.to_bytes(), $bytes);
            for value in [0.0, 120.0, -5.0, 1e300, f64::MIN_POSITIVE, f64::NAN, f64::INFINITY] {
                within(&detector.observe(value));
            }
            let learned = detector.to_bytes();
            assert_eq!($fresh.with_bytes(&learned), Some(detector));
            let other = detector;
            if detector.merge(&other).is_ok() {
                assert!($fresh.with_bytes(&detector.to_bytes()).is_some());
            }
        }
    )+};
}

pub fn check(bytes: &[u8]) {
    let prior = Prior::DEFAULT;
    values!(bytes, ZScore::new(3.0), Ewma::new(3.0, 20), Robust::new(6.0, prior), Cusum::new(12.0, prior));
    values!(bytes, TimeFloor { minimum_ms: 45_000 });
    if let Some(mut drops) = DropRate::new(0.05, 11.5).unwrap().with_bytes(bytes) {
        assert_eq!(drops.to_bytes(), bytes);
        assert!((0.0..=1.0).contains(&drops.tail()));
        drops.observe(1, 1).iter().for_each(within);
    }
    let population = sealed(bytes);
    let mut clock = Regularity::new(16.0, &population);
    if let Some(read) = clock.clone().with_bytes(bytes) {
        assert_eq!(read.to_bytes(), bytes);
        clock = read;
    }
    (0..4).for_each(|n| within(&clock.observe(NOW.plus_millis(n * 30_000))));
    if let Some(tally) = AlertTally::from_bytes(bytes) {
        assert_eq!(tally.to_bytes(), bytes);
    }
    let profile = PlayerProfile::from_bytes(bytes);
    if let Some(profile) = profile {
        assert_eq!(profile.to_bytes(), bytes);
    }
    plays_on(&population, profile.unwrap_or_default());
}

/// The tables of the bytes, with the checksum that they should have; without any, those for want of history.
fn sealed(bytes: &[u8]) -> Population {
    let sealed = [bytes, &Digest::of(&[bytes]).0].concat();
    let read = Population::from_bytes(&sealed);
    if let Ok(population) = &read {
        assert_eq!(population.to_bytes(), sealed);
    }
    read.unwrap_or_default()
}

fn plays_on(population: &Population, mut profile: PlayerProfile) {
    let activities: Vec<_> = population.activities().map(|name| population.activity(name)).collect();
    let activities = [population.activity("elsewhere")].into_iter().chain(activities);
    let mut family = Family::new(population.clone());
    let bosses: Vec<_> = population.bosses().take(8).map(|name| family.boss(name, None).unwrap()).collect();
    let drop = family.drop_odds("crown", 0.05).unwrap();
    let mut at = NOW;
    let mut observe = |event: Observation| {
        let findings = family.observe(&mut profile, &event).unwrap();
        for finding in findings {
            within(&finding.verdict);
        }
        let scores = profile.scores();
        assert!(FamilyDetector::ALL.iter().all(|detector| (0.0..=100.0).contains(&scores.of(*detector))), "{scores:?}");
        assert_eq!(PlayerProfile::from_bytes(&profile.to_bytes()), Some(profile));
    };
    for activity in activities.take(8) {
        for amount in [0.0, 120.0, 9_007_199_254_740_991.0, f64::MAX, 1.0] {
            at = at.plus_millis(7_000);
            observe(Observation::at(at).gain(activity, amount, 1.0));
        }
    }
    for boss in bosses {
        observe(Observation::at(at).kill(boss, 1));
        observe(Observation::at(at).kill(boss, u32::MAX));
    }
    observe(Observation::at(at).drops(drop, u32::MAX, u32::MAX));
    observe(Observation::at(at).drops(drop, 5, 0));
}

fn within(verdict: &Verdict) {
    // Of a floor alone it is the duration, whatever was given.
    let least = if verdict.reason == Reason::BelowFloor { f64::MIN } else { 0.0 };
    assert!((least..=Verdict::SCORE_MAX).contains(&verdict.score.get()), "{verdict:?}");
    assert!(verdict.sentence().ends_with('.'));
}
