//! Level curves that change, and why players have what they have.

use super::Engine;
use crate::error::Error;
use crate::id::PlayerId;
use crate::record::{Command, Key, Player, Record};
use crate::reward::{Receipt, ReceiptState};
use crate::rules::{Explanation, MigrationForecast, MigrationPlanner, Rules};
use crate::store::{Scan, Store};
use crate::time::Timestamp;

/// Changing the level curve. Rules with another curve list the earlier ones under `migrations`, with what players keep; from
/// the moment they are in force everybody is read on the new curve, and written to it with the next command, or with those
/// of [`Engine::migrations`].
impl<S: Store + Scan> Engine<S> {
    /// What new rules would make of the players of now, before they are in force: how many levels rise, fall and stay, and
    /// which rewards would be minted. Walks the whole store.
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
    /// let minted: usize = outcomes.into_iter().map(|o| o.into_effect().unwrap().receipts.len()).sum();
    /// assert_eq!(minted, 3, "what was planned");
    /// assert!(engine.migrations(now)?.is_empty(), "done");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plan_migration(&self, new: &Rules) -> Result<MigrationForecast, Error> {
        let rules = self.rules();
        let mut planner = MigrationPlanner::new(&rules, new);
        self.each_player(|_, player| planner.add(&player))?;
        Ok(planner.finish())
    }

    /// One command for each player who is still on another curve than the one in force. Submit them in batches of any
    /// size, and make them again after any trouble: each player is migrated once. Walks the whole store.
    pub fn migrations(&self, now: Timestamp) -> Result<Vec<Command>, Error> {
        let rules = self.rules();
        let curve = rules.progression().levels.hash();
        let mut commands = Vec::new();
        self.each_player(|id, player| {
            if rules.is_to_migrate(&player) {
                commands.push(Command::migrate(id, curve, player.version, now));
            }
        })?;
        Ok(commands)
    }

    /// A player's receipts that can be claimed at a time, oldest first: also those that are kept for that alone, when others of
    /// their age are no longer.
    pub fn claimable(&self, player: &PlayerId, now: Timestamp) -> Result<Vec<Receipt>, Error> {
        let Some(record) = self.record(player)? else { return Ok(Vec::new()) };
        let keys: Vec<_> = record.claimable.iter().map(|(number, _)| Key::Receipt(player.clone(), *number)).collect();
        let receipts = self.store.load(&keys)?.into_iter().filter_map(|answer| match answer {
            Some(Record::Receipt(receipt)) => Some(*receipt),
            _ => None,
        });
        Ok(receipts.filter(|receipt| receipt.state_at(now) == ReceiptState::Claimable).collect())
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
        let export = self.export_player(player)?;
        let Some(record) = export.record.filter(|record| !record.is_gone()) else { return Ok(None) };
        let outcomes = export.outcomes.iter().map(|named| (&named.id, &named.outcome));
        Ok(Some(self.rules().explain(player, &record, outcomes, &export.receipts, now)))
    }

    /// Every player, by id; a page of the store at a time.
    fn each_player(&self, mut each: impl FnMut(PlayerId, Player)) -> Result<(), Error> {
        let mut after = None;
        loop {
            let page = self.store.scan(after.as_ref(), PAGE_RECORDS)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            for (key, record) in page {
                if let (Key::Player(id), Record::Player(player)) = (key, record) {
                    each(id, *player);
                }
            }
        }
    }
}

/// Records that are looked at together.
const PAGE_RECORDS: usize = 4096;
