//! Whom a change of curves is tried on.

use std::collections::BTreeMap;
use std::io::BufRead;

use liveops_core::limits::INTEGER_MAX;
use liveops_core::progress::Levels;
use serde_json::Value;

/// Players by their totals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crowd {
    /// Where they come from, as a sentence: an assumption says that it is one.
    pub told: String,
    /// Whether nobody of them exists.
    pub is_assumed: bool,
    totals: BTreeMap<u64, u64>,
}

impl Crowd {
    /// Four players of each level: at its start, and a quarter, half and three quarters of the way to the next.
    pub fn assumed(levels: &Levels) -> Self {
        let mut totals = BTreeMap::new();
        for level in 1..=levels.max_level() {
            for quarter in 0..4 {
                let into = u128::from(levels.cost(level)) * quarter / 4;
                let into = u64::try_from(into).unwrap_or_default();
                *totals.entry(levels.total(level) + into).or_default() += 1;
            }
        }
        let told = format!(
            "Assumed, not measured: four players at each of {} levels, at its start, and a quarter, half and three \
             quarters of the way to the next.",
            levels.max_level()
        );
        Self { told, is_assumed: true, totals }
    }

    /// One player a line: a total, or an object with `xp`. Empty lines are passed over; the error names the line.
    pub fn read(source: impl BufRead, name: &str) -> Result<Self, String> {
        let mut totals = BTreeMap::new();
        for (line, number) in source.lines().zip(1_u64..) {
            let line = line.map_err(|error| format!("{name}:{number}: {error}"))?;
            if line.trim().is_empty() {
                continue;
            }
            let value: Option<Value> = serde_json::from_str(&line).ok();
            let xp = value.and_then(|value| value.get("xp").unwrap_or(&value).as_u64());
            let xp = xp.filter(|xp| *xp <= INTEGER_MAX.unsigned_abs()).ok_or_else(|| {
                format!(
                    "{name}:{number}: an XP total expected, such as 1500 or {{\"xp\":1500}}, of at most {INTEGER_MAX}"
                )
            })?;
            *totals.entry(xp).or_default() += 1;
        }
        Ok(Self { told: format!("Real totals, from {name}."), is_assumed: false, totals })
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.totals.values().sum()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.totals.is_empty()
    }

    /// Totals and how many players have each, in order.
    pub fn totals(&self) -> impl Iterator<Item = (u64, u64)> {
        self.totals.iter().map(|(xp, players)| (*xp, *players))
    }
}

#[cfg(test)]
mod tests {
    use liveops_core::progress::LevelCurve;

    use super::*;

    #[test]
    fn an_assumed_crowd_stands_evenly_over_the_levels() {
        let levels = LevelCurve::table(vec![100, 2]).compile().unwrap();
        let crowd = Crowd::assumed(&levels);
        let totals: Vec<_> = crowd.totals().collect();
        assert_eq!(totals, [(0, 1), (25, 1), (50, 1), (75, 1), (100, 2), (101, 2), (102, 4)]);
        assert!(crowd.len() == 12 && crowd.told.starts_with("Assumed") && !crowd.is_empty());
    }

    #[test]
    fn real_totals_are_read_in_either_form() {
        let crowd = Crowd::read(&b"5\n\n{\"playerId\":\"ana\",\"xp\":7}\n 5 \n"[..], "players").unwrap();
        assert_eq!(crowd.totals().collect::<Vec<_>>(), [(5, 2), (7, 1)]);
        for wrong in ["-1", "1.5", "x", "{}", "{\"xp\":\"7\"}", "9007199254740992", "[1]"] {
            let error = Crowd::read(format!("1\n{wrong}\n").as_bytes(), "players").unwrap_err();
            assert!(error.starts_with("players:2: an XP total expected"), "{error}");
        }
    }
}
