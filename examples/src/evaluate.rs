//! Fits detectors to some players of a simulated game and judges others.

use std::collections::BTreeMap;

use liveops_core::Timestamp;
use liveops_core::anomaly::{
    ActivityIndex, BossIndex, Budget, Calibrator, DropIndex, Family, FamilyDetector, Observation, PlayerProfile,
    Population, PopulationBuilder, Reason, ZScore,
};
use liveops_core::error::Code;

use crate::simulate::{Crowd, DAY_MS, Deed, Kind, START_MS, What, World};

/// A family with the places of a world's names in it.
#[derive(Debug)]
pub struct Judge {
    /// Configured.
    pub family: Family,
    activities: Vec<ActivityIndex>,
    bosses: Vec<BossIndex>,
    drops: Vec<DropIndex>,
}

/// What it is fitted to.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// Players in the history.
    pub players: u64,
    /// Whether the rules know how fast bosses can be killed; else it is taken from history.
    pub floors_known: bool,
    /// False alerts that are affordable.
    pub budget: Budget,
}

impl Judge {
    /// Tables from history, floors and odds from the rules, thresholds of the library.
    pub fn new(world: &World, population: Population, floors_known: bool) -> Result<Self, Code> {
        let mut family = Family::new(population);
        let activities = world.activities.iter().map(|known| family.activity(&known.name)).collect();
        let bosses = world.bosses.iter().map(|boss| family.boss(&boss.name, floors_known.then_some(boss.floor_ms)));
        let bosses = bosses.collect::<Result<_, _>>()?;
        let drops = world.bosses.iter().map(|boss| family.drop_odds(&boss.name, boss.drop_odds));
        let drops = drops.collect::<Result<_, _>>()?;
        Ok(Self { family, activities, bosses, drops })
    }

    /// Fitted to a history whose players are not labelled: tables in one pass, thresholds in another.
    pub fn fit(world: &World, history: &Crowd<'_>, fit: &Fit) -> Result<Self, Code> {
        let mut builder = PopulationBuilder::new();
        for player in 0..fit.players {
            let name = player.to_string();
            history.deeds(player).iter().try_for_each(|deed| learn(&mut builder, world, &name, deed))?;
        }
        let mut judge = Self::new(world, builder.finish(), fit.floors_known)?;
        let mut calibrator = Calibrator::new();
        for player in 0..fit.players {
            let (mut profile, mut most) = (PlayerProfile::default(), calibrator.player());
            let deeds = history.deeds(player);
            for deed in &deeds {
                judge.family.observe(&mut profile, &judge.observation(deed))?;
                most.observe(&profile.scores());
            }
            let mut days: Vec<i64> = deeds.iter().map(|deed| (deed.at_ms - START_MS) / DAY_MS).collect();
            days.dedup();
            calibrator.add(most, u32::try_from(days.len()).unwrap_or(u32::MAX));
        }
        let thresholds = calibrator.thresholds(fit.budget)?;
        judge.family = judge.family.with_thresholds(thresholds);
        Ok(judge)
    }

    /// A deed as the family is told of it.
    pub fn observation(&self, deed: &Deed) -> Observation {
        let observation = Observation::at(Timestamp::from_unix_millis(deed.at_ms));
        match deed.what {
            What::Xp { activity, xp, boost } => observation.gain(self.activities[activity], f64::from(xp), boost),
            What::Kill { boss, duration_ms } => {
                observation.kill(self.bosses[boss], duration_ms).drops(self.drops[boss], 1, 0)
            }
            What::Drop { boss } => observation.drops(self.drops[boss], 0, 1),
        }
    }
}

fn learn(builder: &mut PopulationBuilder, world: &World, player: &str, deed: &Deed) -> Result<(), Code> {
    let at = Timestamp::from_unix_millis(deed.at_ms);
    match deed.what {
        What::Xp { activity, xp, boost } => {
            builder.gain(player, at, &world.activities[activity].name, f64::from(xp), boost)
        }
        What::Kill { boss, duration_ms } => builder.kill(player, at, &world.bosses[boss].name, duration_ms),
        What::Drop { .. } => Ok(()),
    }
}

/// What was found among the players of one kind.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// How many there were: cheaters count from twenty dishonest events on.
    pub players: u64,
    /// How many of them were flagged at least once.
    pub flagged: u64,
    /// All their events.
    pub events: u64,
    /// All their alerts.
    pub alerts: u64,
    /// Dishonest events until the first alert, of each who was flagged.
    pub until: Vec<u64>,
    /// Alerts by detector.
    pub by: BTreeMap<FamilyDetector, u64>,
}

impl Found {
    /// The part of the players who were flagged: recall of cheaters, false accusations of honest players.
    #[expect(clippy::cast_precision_loss, reason = "players")]
    pub fn part(&self) -> f64 {
        self.flagged as f64 / self.players.max(1) as f64
    }

    /// Alerts an event.
    #[expect(clippy::cast_precision_loss, reason = "events")]
    pub fn rate(&self) -> f64 {
        self.alerts as f64 / self.events.max(1) as f64
    }

    /// The middle of [`Self::until`].
    pub fn median_until(&self) -> Option<u64> {
        let mut until = self.until.clone();
        until.sort_unstable();
        until.get(until.len() / 2).copied()
    }

    /// Takes in another's.
    pub fn merge(&mut self, other: &Self) {
        self.players += other.players;
        self.flagged += other.flagged;
        self.events += other.events;
        self.alerts += other.alerts;
        self.until.extend(&other.until);
        for (detector, alerts) in &other.by {
            *self.by.entry(*detector).or_default() += alerts;
        }
    }
}

/// By kind.
pub type Outcome = BTreeMap<Kind, Found>;

/// Dishonest events from which on a cheater counts: fewer are a slip.
const DISHONEST_MIN: usize = 20;

/// Of several kinds together.
pub fn together<'a>(founds: impl Iterator<Item = &'a Found>) -> Found {
    let mut all = Found::default();
    founds.for_each(|found| all.merge(found));
    all
}

/// Games, each with numbers of its own, in which players are fitted to and others judged.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// The first game's seed, and how many games.
    pub games: (u64, u64),
    /// Cheaters among a thousand players of the history; nobody says who.
    pub cheaters_per_mille: u64,
    /// What is fitted.
    pub fit: Fit,
}

impl Trial {
    /// What the family finds among held-out players, of whom a fifth cheat, and what the guide's z-score finds with each
    /// of these thresholds.
    pub fn run(&self, z_thresholds: &[f64]) -> Result<(Outcome, Vec<Outcome>), Code> {
        let mut ours = Outcome::new();
        let mut guide = vec![Outcome::new(); z_thresholds.len()];
        let (first, games) = self.games;
        for game in first..first.saturating_add(games) {
            let world = World::new(game);
            let history = Crowd::new(&world, game.wrapping_mul(2), self.cheaters_per_mille);
            let held_out = Crowd::new(&world, game.wrapping_mul(2) + 1, 200);
            let fitted = Judge::fit(&world, &history, &self.fit)?;
            merge(&mut ours, &judge(&fitted, &held_out, self.fit.players)?);
            for (threshold, into) in z_thresholds.iter().zip(&mut guide) {
                merge(into, &z_score(*threshold, &held_out, self.fit.players)?);
            }
        }
        Ok((ours, guide))
    }
}

fn merge(into: &mut Outcome, from: &Outcome) {
    for (kind, found) in from {
        into.entry(*kind).or_default().merge(found);
    }
}

/// Judges players that nothing was fitted to.
pub fn judge(judge: &Judge, crowd: &Crowd<'_>, players: u64) -> Result<Outcome, Code> {
    assess(crowd, players, |deeds, alert| {
        let mut profile = PlayerProfile::default();
        for (place, (deed, _)) in deeds.iter().enumerate() {
            for finding in judge.family.observe(&mut profile, &judge.observation(deed))? {
                alert(place, Some(finding.detector));
            }
        }
        Ok(())
    })
}

/// The z-score of the guide on the same players: all activities mixed, both ways.
pub fn z_score(threshold: f64, crowd: &Crowd<'_>, players: u64) -> Result<Outcome, Code> {
    assess(crowd, players, |deeds, alert| {
        let mut detector = ZScore::new(threshold);
        for (place, (deed, _)) in deeds.iter().enumerate() {
            if let What::Xp { xp, .. } = deed.what
                // Ours also finds a change after a constant; the guide's is silent then.
                && detector.observe(f64::from(xp)).reason == Reason::FarFromMean
            {
                alert(place, None);
            }
        }
        Ok(())
    })
}

type Alert<'a> = &'a mut dyn FnMut(usize, Option<FamilyDetector>);

fn assess(
    crowd: &Crowd<'_>,
    players: u64,
    watch: impl Fn(&[(Deed, bool)], Alert<'_>) -> Result<(), Code>,
) -> Result<Outcome, Code> {
    let mut outcome = Outcome::new();
    for player in 0..players {
        let (kind, deeds) = (crowd.kind(player), crowd.labelled(player));
        let dishonest = |until: usize| deeds[..until].iter().filter(|(_, fair)| !fair).count();
        if kind.is_visible() && dishonest(deeds.len()) < DISHONEST_MIN {
            continue;
        }
        let found = outcome.entry(kind).or_default();
        found.players += 1;
        found.events += deeds.len() as u64;
        let mut first = None;
        watch(&deeds, &mut |place, detector| {
            first.get_or_insert(place);
            found.alerts += 1;
            if let Some(detector) = detector {
                *found.by.entry(detector).or_default() += 1;
            }
        })?;
        if let Some(first) = first {
            found.flagged += 1;
            found.until.push(dishonest(first + 1) as u64);
        }
    }
    Ok(outcome)
}
