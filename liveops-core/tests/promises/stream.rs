//! Random commands of every kind: some depend on what the store holds by then, so they are drawn while a test runs.

use liveops_core::event::FieldValue;
use liveops_core::record::{Reason, ReceiptName};
use liveops_core::{Action, Command, Engine, EventId, FullStore, Key, Record, Rules, Ruling, Timestamp, Window};

use crate::common::{
    DAY, GRACE, PAST, Rng, START, at, event, id, kill, operator, payout, player, progression, received,
};

pub(crate) const BOARDS: [&str; 4] = ["fastest", "latest", "worst", "xp"];

/// Two documents, one after the other: the second has another curve.
pub(crate) fn rules(version: usize) -> Rules {
    const STEEP: &str = r#"{ "kind": "linear", "base": 100, "step": 20, "maxLevel": 12 }"#;
    const FLAT: &str = r#"{ "kind": "linear", "base": 90, "step": 0, "maxLevel": 15 }"#;
    let (curve, migrations) = [
        (STEEP, String::new()),
        (FLAT, format!(r#"{{ "from": {STEEP}, "policy": "keepTotalXp", "levelRewards": "grant" }}"#)),
    ][version]
        .clone();
    let text = format!(
        r#"{{ "version": 1, "game": "emberfall",
        "limits": {{ "maxPastSeconds": 129600, "maxFutureSeconds": 300 }},
        "events": {{ "death": {{ "fields": {{}} }} }},
        "progress": {{ "curve": {curve}, "migrations": [ {migrations} ], "floor": "zero", "dailyXpCap": 2000,
            "atMaxLevel": {{ "convert": {{ "reward": "paragon", "every": 70,
                "grant": {{ "kind": "currency", "id": "dust", "amount": 3 }} }} }},
            "streaks": {{ "daily": {{ "missedDaysMax": 1 }} }},
            "xp": [ {{ "on": "progression", "amount": {{ "field": "deltaXp" }} }},
                {{ "on": "boss_kill", "amount": 25 }}, {{ "on": "death", "amount": -55 }} ],
            "boosts": [ {{ "id": "b", "factor": "2/3", "from": "2026-11-08T00:00:00Z", "until": "2026-11-09T06:00:00Z" }} ] }},
        "rewards": {{
            "level-gold": {{ "on": {{ "everyLevels": 1 }}, "grant": {{ "kind": "currency", "id": "gold", "amount": 10 }} }},
            "crate": {{ "on": {{ "everyLevels": 3 }}, "loot": "chest", "claimWithinSeconds": 21600 }},
            "hydra-first": {{ "on": {{ "boss": "hydra", "kill": "first" }}, "grant": {{ "kind": "item", "id": "crown", "amount": 1 }} }},
            "hydra-again": {{ "on": {{ "boss": "hydra", "kill": "repeat" }}, "loot": "chest", "claimWithinSeconds": 7200 }},
            "second-day": {{ "on": {{ "streak": "daily", "everyDays": 2 }}, "grant": {{ "kind": "currency", "id": "gem", "amount": 1 }} }} }},
        "loot": {{ "chest": {{ "pity": {{ "entry": "horn", "guaranteedAt": 4 }}, "entries": {{
            "horn": {{ "weight": 1, "grant": {{ "kind": "item", "id": "horn", "amount": 1 }} }},
            "scale": {{ "weight": 9, "grant": {{ "kind": "item", "id": "scale", "amount": 2 }} }} }} }} }},
        "calendar": {{ "graceSeconds": 3600 }},
        "boards": {{
            "xp": {{ "value": "grantedXp", "keepPeriods": {{ "daily": 2, "allTime": 0 }}, "payouts": {{ "daily": [
                {{ "tier": "gold", "ranks": [1, 9], "grant": {{ "kind": "item", "id": "crown", "amount": 1 }} }} ] }} }},
            "fastest": {{ "on": "boss_kill", "value": {{ "field": "durationMs" }},
                "operator": "best", "order": "asc", "keepPeriods": {{ "daily": 2 }} }},
            "latest": {{ "on": "boss_kill", "value": {{ "field": "durationMs" }},
                "operator": "set", "keepPeriods": {{ "allTime": 0 }} }},
            "worst": {{ "on": "boss_kill", "value": {{ "field": "durationMs" }},
                "operator": "best", "keepPeriods": {{ "daily": 1, "allTime": 0 }} }} }},
        "detectors": {{
            "xp": {{ "kind": "robust", "value": "requestedXp", "threshold": "6", "action": "flag" }},
            "hydra-floor": {{ "kind": "timeFloor", "boss": "hydra", "minimumMs": 1000, "action": "hold" }},
            "ogre-floor": {{ "kind": "timeFloor", "boss": "ogre", "minimumMs": 1000, "action": "flag" }} }},
        "retention": {{ "receiptsPerPlayer": 12, "suspicionsDays": 1 }} }}"#
    );
    Rules::from_json(&text).unwrap()
}

/// What is asked of an engine next.
pub(crate) enum Step {
    Batch(Vec<Command>),
    Advance(Timestamp),
    /// Other rules, and everybody brought to their curve.
    Rules(usize),
}

/// Draws steps.
pub(crate) struct Stream {
    pub(crate) rng: Rng,
    pub(crate) now: i64,
    pub(crate) sent: Vec<Command>,
    fresh: u32,
    drawn: usize,
}

impl Stream {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { rng: Rng(seed), now: START, sent: Vec::new(), fresh: 0, drawn: 0 }
    }

    /// The next step for engines in the state of this one.
    pub(crate) fn next<S: FullStore>(&mut self, engine: &Engine<S>) -> Step {
        self.drawn += 1;
        if self.drawn == 12 {
            return Step::Rules(1);
        }
        self.now += self.rng.millis(DAY / 6);
        match self.rng.below(8) {
            0 | 1 => return Step::Advance(at(self.now - self.rng.millis(GRACE))),
            2 => return Step::Batch(self.operators(engine)),
            _ => {}
        }
        let players = *self.rng.of(&[1, 4, 30, 600]);
        let len_max = *self.rng.of(&[2, 30, 1_000]);
        let len = 1 + self.rng.below(len_max);
        let batch: Vec<_> = (0..len).map(|_| self.command(players)).collect();
        self.sent.extend(batch.iter().cloned());
        Step::Batch(batch)
    }

    /// About receipts and suspicions that are there, now and then twice, now and then too late.
    fn operators<S: FullStore>(&mut self, engine: &Engine<S>) -> Vec<Command> {
        let mut commands = Vec::new();
        for item in liveops_core::store::records(engine.store(), None, 512) {
            let (key, record) = item.unwrap();
            let chance = self.rng.below(9);
            match (key, record) {
                (Key::Receipt(name, _), Record::Receipt(receipt)) => match chance {
                    0 | 1 => commands.push(Command::claim(name, &*receipt, at(self.now))),
                    2 => {
                        let command = EventId::new(&format!("r{}-{}", self.drawn, receipt.number)).unwrap();
                        commands.push(Command::revoke(command, name, at(self.now), &*receipt, "a test").unwrap());
                    }
                    3 => {
                        let other = ReceiptName { number: receipt.number + 1, ..ReceiptName::from(&*receipt) };
                        commands.push(Command::claim(name, other, at(self.now)));
                    }
                    _ => {}
                },
                (Key::Suspicion(name, number), Record::Suspicion(_)) => {
                    let ruling = *self.rng.of(&[Ruling::Release, Ruling::Confirm]);
                    let command = format!("v{}-{number}-{}", self.drawn, chance % 2);
                    let review = Action::Review { suspicion: number, ruling };
                    if chance < 4 {
                        commands.push(operator(&command, name.as_str(), self.now, review));
                    }
                }
                (Key::Player(name), _) if chance == 0 => {
                    let rank = 1 + self.rng.below(2);
                    let day = START / DAY - 1 + self.rng.millis(5);
                    commands.push(received(payout("xp", Window::Daily, day, name.as_str(), rank), self.now));
                }
                _ => {}
            }
        }
        // Neither in the order of players nor of kinds.
        for at in (1..commands.len()).rev() {
            commands.swap(at, usize::try_from(self.rng.below(at as u64 + 1)).unwrap());
        }
        commands.truncate(1_000);
        self.sent.extend(commands.iter().cloned());
        commands
    }

    fn command(&mut self, players: u64) -> Command {
        self.fresh += 1;
        self.now += self.rng.millis(60);
        let rng = &mut self.rng;
        let came = self.now + rng.millis(2_000) - 1_000;
        let name = format!("p{}", rng.below(players));
        let age_max = if rng.below(4) == 0 { PAST + GRACE } else { 2_000 };
        let ts = came - rng.millis(age_max);
        // Some as long as they may be.
        let name = if rng.below(9) == 0 { format!("{name:+>64}") } else { name };
        let fresh = self.fresh;
        let command = match rng.below(3) {
            0 => format!("c{fresh}"),
            1 => format!("{fresh:032x}"),
            _ => format!("{:08x}-0000-4000-8000-{fresh:012x}", fresh.wrapping_mul(0x9e37_79b9)),
        };
        let order = |action| operator(&command, &name, ts.max(came - 2_000), action);
        let recent = &self.sent[self.sent.len().saturating_sub(400)..];
        let command = match rng.below(60) {
            0 if !recent.is_empty() => rng.of(&self.sent).clone(),
            1..6 if !recent.is_empty() => rng.of(recent).clone(),
            6..8 if !recent.is_empty() => {
                let earlier = rng.of(recent);
                let (command, name) = (earlier.id.id.as_str(), earlier.player.as_str());
                match rng.below(3) {
                    0 => progression(command, name, earlier.ts.as_unix_millis(), 77),
                    1 => operator(command, name, earlier.ts.as_unix_millis(), Action::Erase),
                    _ => Command { player: player(&format!("p{}", rng.below(players))), ..earlier.clone() },
                }
            }
            8 if fresh.is_multiple_of(3) => order(Action::Erase),
            10 => order(Action::SetVisibility { hidden: true }),
            11 => order(Action::SetVisibility { hidden: false }),
            12 => order(Action::Review { suspicion: 1 + rng.below(40), ruling: Ruling::Release }),
            13..15 => order(Action::Adjust { xp: rng.millis(900) - 200, reason: Reason::new("a test").unwrap() }),
            15..23 => kill(&command, &name, ts, "hydra", 800 + rng.millis(2_000)),
            23..27 => kill(&command, &name, ts, "ogre", 800 + rng.millis(2_000)),
            27..30 => event(&command, &name, ts, "death", vec![]),
            30 => event(&command, &name, ts, "boss_kill", vec![("bossId", FieldValue::Id(id("mouse")))]),
            31 => progression(&command, &name, came + DAY, 5),
            32 => progression(&command, &name, ts, 1_000_000),
            _ => progression(&command, &name, ts, rng.millis(90)),
        };
        received(command, came)
    }
}
