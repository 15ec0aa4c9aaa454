//! Events as a log has them.

use std::collections::BTreeMap;

use liveops_core::Timestamp;
use liveops_core::anomaly::{BossIndex, Family, FamilyDetector, Observation, PopulationBuilder, Reason, Verdict};
use liveops_core::error::Code;
use serde::Deserialize;

use super::intervals::Intervals;
use crate::simulate::{Deed, What, World};

/// What detectors look at.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) player: String,
    pub(super) at_ms: i64,
    activity: String,
    xp: Option<f64>,
    kill: Option<(String, u32)>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Season { body: String },
    Body(Body),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    player_id: String,
    ts: i64,
    #[serde(default)]
    payload: Payload,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Payload {
    activity: Option<String>,
    delta_xp: Option<f64>,
    boss_id: Option<String>,
    duration_ms: Option<u32>,
}

/// `None` for what is no event.
pub(super) fn read(line: &str) -> Option<Event> {
    let Body { player_id, ts, payload } = match serde_json::from_str(line).ok()? {
        Line::Body(body) => body,
        Line::Season { body } => serde_json::from_str(&body).ok()?,
    };
    let kill = payload.boss_id.zip(payload.duration_ms);
    let activity = payload.activity.unwrap_or_else(|| "other".to_owned());
    Some(Event { player: player_id, at_ms: ts.checked_mul(1_000)?, activity, xp: payload.delta_xp, kill })
}

impl Event {
    pub(super) fn teach(&self, builder: &mut PopulationBuilder) -> Result<(), Code> {
        let at = Timestamp::from_unix_millis(self.at_ms);
        if let Some(xp) = self.xp {
            builder.gain(&self.player, at, &self.activity, xp, 1.0)?;
        }
        if let Some((boss, ms)) = &self.kill {
            builder.kill(&self.player, at, boss, *ms)?;
        }
        Ok(())
    }

    /// Of what a detector judges it: what is found in another is another thing.
    pub(super) fn subject(&self, detector: FamilyDetector) -> &str {
        match (detector, &self.kill) {
            (FamilyDetector::Robust | FamilyDetector::Drift, _) => &self.activity,
            (FamilyDetector::TimeFloor, Some((boss, _))) => boss,
            _ => "",
        }
    }

    /// What was found in it, in the units of the game.
    pub(super) fn sentence(&self, verdict: &Verdict, rhythm: &Intervals) -> String {
        let Verdict { score, threshold, reason, baseline, .. } = verdict;
        let by = format!("(score {:.1}, threshold {:.1})", score.get(), threshold.get());
        match (reason, self.xp, &self.kill) {
            (Reason::FarAboveUsual | Reason::RisesSteadily, Some(xp), _) => {
                let usual = libm::expm1(baseline.mean.get());
                format!("{xp:.0} XP from {}, where about {usual:.0} XP is usual {by}", self.activity)
            }
            (Reason::BelowFloor, _, Some((boss, ms))) => {
                let [took, limit] = [f64::from(*ms), baseline.mean.get()].map(|ms| ms.round() / 1_000.0);
                format!("{boss} in {took} s, where the limit is {limit} s {by}")
            }
            (Reason::TooRegular, ..) => rhythm.told().map_or_else(|| verdict.sentence(), |told| format!("{told} {by}")),
            _ => verdict.sentence(),
        }
    }

    pub(super) fn observation(&self, family: &Family, places: &Places) -> Observation {
        let mut observation = Observation::at(Timestamp::from_unix_millis(self.at_ms));
        if let Some(xp) = self.xp {
            observation = observation.gain(family.activity(&self.activity), xp, 1.0);
        }
        if let Some((boss, ms)) = &self.kill
            && let Some(place) = places.0.get(boss)
        {
            observation = observation.kill(*place, *ms);
        }
        observation
    }
}

/// Where bosses stand in a family.
pub(super) struct Places(BTreeMap<String, BossIndex>);

impl Places {
    pub(super) fn new(family: &Family) -> Self {
        let mut family = family.clone();
        let names: Vec<String> = family.population().bosses().map(str::to_owned).collect();
        Self(names.into_iter().filter_map(|name| family.boss(&name, None).ok().map(|place| (name, place))).collect())
    }
}

/// A simulated deed as the wire has it.
pub fn wire(world: &World, player: u64, deed: &Deed) -> String {
    let (kind, payload) = match deed.what {
        What::Xp { activity, xp, .. } => {
            ("progression", serde_json::json!({ "deltaXp": xp, "activity": world.activities[activity].name }))
        }
        What::Kill { boss, duration_ms } => {
            ("boss_kill", serde_json::json!({ "bossId": world.bosses[boss].name, "durationMs": duration_ms }))
        }
        What::Drop { boss } => (
            "drop_claimed",
            serde_json::json!({ "dropId": "d", "itemId": "trophy", "quantity": 1, "sourceBossId": world.bosses[boss].name }),
        ),
    };
    let ts = deed.at_ms / 1_000;
    serde_json::json!({ "type": kind, "playerId": format!("player-{player}"), "ts": ts, "payload": payload })
        .to_string()
}

#[cfg(test)]
mod tests {
    use liveops_core::anomaly::TimeFloor;

    use super::*;

    #[test]
    fn a_kill_too_fast_is_told_in_seconds() {
        let line = r#"{"type":"boss_kill","playerId":"ana","ts":1,"payload":{"bossId":"hydra","durationMs":57600}}"#;
        let sentence =
            read(line).unwrap().sentence(&TimeFloor { minimum_ms: 60_000 }.score(57_600.0), &Intervals::default());
        assert!(sentence.starts_with("hydra in 57.6 s, where the limit is 60 s"), "{sentence}");
    }
}
