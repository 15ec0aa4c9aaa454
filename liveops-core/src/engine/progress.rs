//! Level curves that change, and why players have what they have.

use super::pages::PAGE_RECORDS;
use super::{AsyncEngine, Engine, ready};
use crate::error::Error;
use crate::id::PlayerId;
use crate::record::{Kind, Record};
use crate::rules::{Explanation, MigrationForecast, MigrationPlanner, Rules};
use crate::store::{AsyncScan, AsyncStore, Scan, Store};
use crate::time::Timestamp;

impl<S: AsyncStore + AsyncScan> AsyncEngine<S> {
    /// See [`Engine::plan_migration`].
    pub async fn plan_migration(&self, new: &Rules) -> Result<MigrationForecast, Error> {
        let rules = self.rules();
        let (mut planner, mut after) = (MigrationPlanner::new(&rules, new), None);
        loop {
            let page = self.page(Kind::Player, after.as_ref(), PAGE_RECORDS).await?;
            for (_, record) in &page.items {
                if let Record::Player(player) = record {
                    planner.add(player);
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(planner.finish());
            }
        }
    }

    /// See [`Engine::explain`].
    pub async fn explain(&self, player: &PlayerId, now: Timestamp) -> Result<Option<Explanation>, Error> {
        let export = self.export_player(player).await?;
        let Some(record) = export.record.filter(|record| !record.is_gone()) else { return Ok(None) };
        let outcomes = export.outcomes.iter().map(|named| (&named.id, &named.outcome));
        Ok(Some(self.rules().explain(player, &record, outcomes, &export.receipts, now)))
    }
}

/// Changing the level curve. Rules with another curve list the earlier ones under `migrations`, with what players keep; from
/// the moment they are in force everybody is read on the new curve, and written to it with the next command, or with those
/// of [`Engine::migrations`].
impl<S: Store + Scan> Engine<S> {
    /// What new rules would make of the players of now, before they are in force: how many levels rise, fall and stay, and
    /// which rewards would be minted. Walks through all players, a page at a time.
    ///
    /// ```
    /// use liveops_core::testing::EventBuilder;
    /// use liveops_core::{Engine, MemoryStore, PlayerId, Rules, Timestamp};
    ///
    /// let rules = |progress: &str| Rules::from_json(&format!(r#"{{ "version": 1, "game": "emberfall",
    ///     "progress": {{ {progress} }},
    ///     "rewards": {{ "gold": {{ "on": {{ "everyLevels": 1 }},
    ///         "grant": {{ "kind": "currency", "id": "gold", "amount": 100 }} }} }} }}"#));
    /// let steep = r#"{ "kind": "table", "costs": [100, 200, 300] }"#;
    /// let engine = Engine::new(rules(&format!(r#""curve": {steep}"#))?, MemoryStore::new());
    /// let now = Timestamp::from_unix_seconds(1_794_052_800);
    /// for (player, xp) in [("ana", 250), ("bo", 50)] {
    ///     engine.submit_ndjson(&EventBuilder::progression(player, xp, now).id("e1").body(), now);
    /// }
    ///
    /// let cheaper = rules(&format!(r#""curve": {{ "kind": "table", "costs": [50, 50, 50] }},
    ///     "migrations": [ {{ "from": {steep}, "policy": "keepTotalXp", "levelRewards": "grant" }} ]"#))?;
    /// let plan = engine.plan_migration(&cheaper)?;
    /// assert_eq!((plan.levels.rise, plan.levels.stay, plan.rewards[0].receipts), (2, 0, 3));
    ///
    /// engine.replace_rules(cheaper)?;
    /// let outcomes = engine.submit_batch(&engine.migrations(now)?);
    /// let minted: usize = outcomes.into_iter().map(|o| o.into_effect().unwrap().receipts().len()).sum();
    /// assert_eq!(minted, 3, "what was planned");
    /// assert!(engine.migrations(now)?.is_empty(), "done");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plan_migration(&self, new: &Rules) -> Result<MigrationForecast, Error> {
        ready(self.0.plan_migration(new))
    }

    /// Why a player has this XP, this level and these rewards, line by line; `None` for one who never did anything or was
    /// erased. See [`Explanation`].
    ///
    /// ```
    /// use liveops_core::testing::EventBuilder;
    /// use liveops_core::{Engine, MemoryStore, PlayerId, Rules, Timestamp};
    ///
    /// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall", "progress": {
    ///     "curve": { "kind": "linear", "base": 100, "step": 0, "maxLevel": 9 }, "dailyXpCap": 150 } }"#)?;
    /// let engine = Engine::new(rules, MemoryStore::new());
    /// let now = Timestamp::from_unix_seconds(1_794_052_800);
    /// engine.submit_ndjson(&EventBuilder::progression("ana", 180, now).id("e1").body(), now);
    ///
    /// let why = engine.explain(&PlayerId::new("ana")?, now)?.unwrap();
    /// let lines: Vec<_> = why.lines.iter().map(|line| line.text.as_str()).collect();
    /// assert_eq!(lines, [
    ///     "level 2: 150 XP; it starts at 100, level 3 at 200, 50 XP from here",
    ///     "event e1: 180 asked for, -30 over the daily cap: +150 XP",
    ///     "150 XP of at most 150 today",
    /// ]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn explain(&self, player: &PlayerId, now: Timestamp) -> Result<Option<Explanation>, Error> {
        ready(self.0.explain(player, now))
    }
}
