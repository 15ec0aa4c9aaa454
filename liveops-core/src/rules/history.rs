//! History: events of any age, read to build a population from and to calibrate a family of detectors on.

use std::collections::BTreeMap;

use super::{Door, Rules};
use crate::anomaly::{Budget, Calibrator, PlayerMost, PlayerProfile, PopulationBuilder, Thresholds};
use crate::error::{Code, Error};
use crate::event::{Event, Parser, TimeLimits, lines};
use crate::hash;
use crate::id::EventId;
use crate::limits::HISTORY_PLAYERS_MAX;
use crate::time::{DAY_MILLIS, Timestamp};

/// What became of the lines of a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryCount {
    /// Events that were taken in.
    pub events: u64,
    /// Lines that are no events by the rules.
    pub refused: u64,
}

impl Door {
    /// A parser of events of any age.
    fn parser_of_history(&self) -> Parser {
        let limits = TimeLimits { past_millis_max: i64::MAX, future_millis_max: i64::MAX };
        Parser::new(std::sync::Arc::clone(&self.schemas), limits)
    }

    /// Each event of NDJSON, whatever its age; whether it has an id makes no difference.
    fn each_event(&self, ndjson: &[u8], mut each: impl FnMut(Event) -> Result<(), Error>) -> HistoryCount {
        let parser = self.parser_of_history();
        let mut count = HistoryCount::default();
        let now = Timestamp::from_unix_millis(0);
        for line in lines(ndjson) {
            let event = parser.parse(line, now).map_err(|e| Error::new(e.code())).and_then(|mut parsed| {
                let nameless = || EventId::new("history").map_err(|error| error.code());
                let id = parsed.id.take().map_or_else(nameless, Ok)?;
                Ok(parsed.into_event(id))
            });
            let taken = event.and_then(&mut each);
            *(if taken.is_ok() { &mut count.events } else { &mut count.refused }) += 1;
        }
        count
    }
}

impl Rules {
    /// Teaches a population lines of history, one event each, as families are told of events. Lines that are no events by
    /// these rules teach nothing and are counted.
    ///
    /// ```
    /// use liveops_core::Rules;
    /// use liveops_core::anomaly::{Budget, PopulationBuilder};
    ///
    /// let document = r#"{ "version": 1, "game": "emberfall", "detectors": { "cheats": { "kind": "family" } } }"#;
    /// let rules = Rules::from_json(document)?;
    /// let mut history = String::new();
    /// for n in 0..20_000_i64 {
    ///     let (player, ts, xp) = (n % 400, 1_700_000_000 + n * 7 + n % 5, 50 + n * 31 % 90);
    ///     history += &format!(r#"{{"type":"progression","playerId":"p{player}","ts":{ts},"payload":{{"deltaXp":{xp}}}}}"#);
    ///     history += "\n";
    /// }
    /// let mut builder = PopulationBuilder::new();
    /// let count = rules.teach_ndjson(&mut builder, history.as_bytes());
    /// assert_eq!((count.events, count.refused), (20_000, 0));
    ///
    /// let rules = rules.with_population(builder.finish())?;
    /// let mut calibration = rules.calibrate("cheats").unwrap();
    /// calibration.add_ndjson(history.as_bytes());
    /// let thresholds = calibration.thresholds(Budget::PerPlayer { part: 0.003, events: None })?;
    /// let rules = rules.with_thresholds("cheats", thresholds)?;
    /// assert_eq!(rules.family("cheats").unwrap().thresholds(), &thresholds);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn teach_ndjson(&self, population: &mut PopulationBuilder, ndjson: &[u8]) -> HistoryCount {
        self.door.each_event(ndjson, |event| self.teach(population, &event))
    }

    /// Begins a calibration of a family of detectors, by the name of its rule; `None` if there is none.
    pub fn calibrate(&self, family: &str) -> Option<Calibration<'_>> {
        self.family(family)?;
        Some(Calibration { rules: self, family: family.to_owned(), players: BTreeMap::new(), left_out: 0 })
    }
}

/// A family of detectors on its way through history, to find the thresholds that spend a budget of false alerts.
///
/// Events of a player come in their order, players in any. It keeps some 200 bytes a player.
#[derive(Clone, Debug)]
pub struct Calibration<'r> {
    rules: &'r Rules,
    family: String,
    players: BTreeMap<u64, Watched>,
    left_out: u64,
}

#[derive(Clone, Debug, Default)]
struct Watched {
    profile: PlayerProfile,
    most: PlayerMost,
    days: u32,
    last_day: Option<i64>,
}

impl Calibration<'_> {
    /// Takes one event in, if it concerns the family.
    ///
    /// Errors: `score_overflow` for an event that no engine would take.
    pub fn add(&mut self, event: &Event) -> Result<(), Error> {
        let Some(seen) = self.rules.observation(&self.family, event)? else { return Ok(()) };
        let family = self.rules.family(&self.family).ok_or(Code::InvalidArgument)?;
        let key = hash::short(event.player.as_bytes());
        if self.players.len() >= HISTORY_PLAYERS_MAX && !self.players.contains_key(&key) {
            self.left_out += 1;
            return Ok(());
        }
        let player = self.players.entry(key).or_default();
        family.observe(&mut player.profile, &seen)?;
        player.most.observe(&player.profile.scores());
        let day = event.ts.as_unix_millis().div_euclid(DAY_MILLIS);
        if player.last_day.is_none_or(|last| last < day) {
            (player.days, player.last_day) = (player.days.saturating_add(1), Some(day));
        }
        Ok(())
    }

    /// Takes lines of history in, one event each.
    pub fn add_ndjson(&mut self, ndjson: &[u8]) -> HistoryCount {
        let door = self.rules.door();
        door.each_event(ndjson, |event| self.add(&event))
    }

    /// Events of players who came when there were four million already, and who were left out.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Thresholds that spend a budget; see [`Calibrator::thresholds`].
    ///
    /// Errors: `invalid_argument` for a budget that is not above 0, and with fewer than 200 players.
    pub fn thresholds(&self, budget: Budget) -> Result<Thresholds, Error> {
        let mut calibrator = Calibrator::new();
        for player in self.players.values() {
            calibrator.add(player.most, player.days);
        }
        Ok(calibrator.thresholds(budget)?)
    }
}
