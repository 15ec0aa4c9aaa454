//! The family as a whole: what it finds, what it spares, and what it refuses.

use super::*;
use crate::error::Code;
use crate::time::Timestamp;

/// Sebastiano Vigna's `SplitMix64`, as draws.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to below 1.
    fn part(&mut self) -> f64 {
        count(self.next() >> 11) / count(1 << 53)
    }

    /// Nearly standard normal: twelve draws, less six.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.part()).sum::<f64>() - 6.0
    }
}

const START: i64 = 1_794_000_000;

/// A game of one activity with typical XP of 100, kills of a boss in 40 s or more, and one drop in twenty.
fn history(random: &mut Random, players: u32) -> PopulationBuilder {
    let mut builder = PopulationBuilder::new();
    for player in 0..players {
        let (name, skill) = (player.to_string(), 0.4 * random.normal());
        let mut at = START;
        for n in 0..60 {
            at += seconds(30.0 * libm::exp(0.5 * random.normal())) + if n % 20 == 19 { 40_000 } else { 0 };
            let when = Timestamp::from_unix_seconds(at);
            let xp = 100.0 * libm::exp(skill + 0.5 * random.normal());
            builder.gain(&name, when, "dungeon", xp, 1.0).unwrap();
            let ms = 40_000.0 * (1.2 + libm::exp(0.5 * random.normal()));
            builder.kill(&name, when, "hydra", whole_ms(ms)).unwrap();
        }
    }
    builder
}

#[expect(clippy::cast_possible_truncation, reason = "small")]
fn seconds(value: f64) -> i64 {
    value.max(1.0) as i64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
fn whole_ms(value: f64) -> u32 {
    value as u32
}

struct Game {
    family: Family,
    dungeon: ActivityIndex,
    hydra: BossIndex,
    crown: DropIndex,
    random: Random,
}

fn game() -> Game {
    let mut random = Random(7);
    let mut family = Family::new(history(&mut random, 400).finish());
    let dungeon = family.population().activity("dungeon");
    assert_ne!(dungeon, family.population().activity("elsewhere"));
    let (hydra, crown) = (family.boss("hydra", None).unwrap(), family.drop_odds("crown", 0.05).unwrap());
    Game { family, dungeon, hydra, crown, random }
}

impl Game {
    /// What a player of the rules does next, a while after.
    fn honest(&mut self, at: &mut i64) -> Observation {
        *at += seconds(30.0 * libm::exp(0.5 * self.random.normal()));
        let xp = 100.0 * libm::exp(0.5 * self.random.normal());
        let ms = whole_ms(40_000.0 * (1.2 + libm::exp(0.5 * self.random.normal())));
        let hits = u32::from(self.random.part() < 0.05);
        let observation = Observation::at(Timestamp::from_unix_seconds(*at));
        observation.gain(self.dungeon, xp, 1.0).kill(self.hydra, ms).drops(self.crown, 1, hits)
    }

    /// How many events of a changed kind it takes after a hundred honest ones; `None` for more than 300.
    fn found(&mut self, change: impl Fn(u32, Observation) -> Observation) -> Option<(u32, FamilyDetector)> {
        let (mut profile, mut at) = (PlayerProfile::default(), START);
        for _ in 0..100 {
            let honest = self.honest(&mut at);
            assert_eq!(self.family.observe(&mut profile, &honest).unwrap(), []);
        }
        (1..=300).find_map(|n| {
            let event = self.honest(&mut at);
            let findings = self.family.observe(&mut profile, &change(n, event)).unwrap();
            findings.first().map(|finding| (n, finding.detector))
        })
    }
}

#[test]
fn each_cheat_is_found_by_its_detector_and_honest_play_by_none() {
    let mut game = game();
    let times = |event: Observation, factor: f64| {
        let gain = event.gain.map(|gain| Gain { amount: gain.amount * factor, ..gain });
        Observation { gain, ..event }
    };
    assert_eq!(game.found(|_, event| event), None);
    let burst = game.found(|_, event| times(event, 20.0)).unwrap();
    assert!(burst.0 <= 8 && burst.1 == FamilyDetector::Robust, "{burst:?}");
    let ramp = game.found(|n, event| times(event, libm::exp(0.02 * f64::from(n)))).unwrap();
    assert!((20..200).contains(&ramp.0), "{ramp:?}");
    let bot = game.found(|n, event| Observation {
        at: Timestamp::from_unix_seconds(START + 100_000 + i64::from(n) * 30),
        ..event
    });
    assert!(bot.is_some_and(|(n, detector)| n < 60 && detector == FamilyDetector::Regularity), "{bot:?}");
    let (crown, hydra) = (game.crown, game.hydra);
    let lucky = game.found(|n, event| event.drops(crown, 1, n % 4 / 3));
    assert!(lucky.is_some_and(|(n, detector)| n < 150 && detector == FamilyDetector::DropRate), "{lucky:?}");
    let fast = game.found(|_, event| event.kill(hydra, 15_000));
    assert_eq!(fast, Some((1, FamilyDetector::TimeFloor)));
}

#[test]
fn what_helps_nobody_is_not_suspicious() {
    let mut game = game();
    let (dungeon, hydra, crown) = (game.dungeon, game.hydra, game.crown);
    assert_eq!(game.found(|_, event| event.gain(dungeon, 0.0, 1.0)), None, "nothing gained");
    assert_eq!(game.found(|_, event| event.kill(hydra, u32::MAX)), None, "slow");
    assert_eq!(game.found(|_, event| event.drops(crown, 5, 0)), None, "unlucky");
    assert_eq!(
        game.found(|_, event| event.gain(dungeon, event.gain.unwrap().amount * 3.0, 3.0)),
        None,
        "a boost that the rules know"
    );
}

#[test]
fn an_excursion_alerts_once_until_it_has_calmed_down() {
    let mut game = game();
    let hydra = game.family.boss("hydra", Some(45_000)).unwrap();
    let mut profile = PlayerProfile::default();
    let kill = |ms| Observation::at(Timestamp::from_unix_seconds(START)).kill(hydra, ms);
    let mut alerts = Vec::new();
    for ms in [44_999, 20_000, 1].into_iter().chain([60_000; 40]).chain([100]) {
        alerts.push(game.family.observe(&mut profile, &kill(ms)).unwrap().len());
        assert_eq!(profile.is_alerted(FamilyDetector::TimeFloor), profile.scores().of(FamilyDetector::TimeFloor) > 6.0);
    }
    assert_eq!((alerts[0], alerts[43], alerts.iter().sum()), (1, 1, 2));
}

#[test]
fn bad_input_is_refused_and_teaches_nothing() {
    let game = game();
    let mut at = START;
    let mut profile = PlayerProfile::default();
    let mut game = Game { ..game };
    for _ in 0..20 {
        let event = game.honest(&mut at);
        game.family.observe(&mut profile, &event).unwrap();
        let before = profile;
        let event = game.honest(&mut at);
        for (amount, boost) in [
            (f64::NAN, 1.0),
            (f64::INFINITY, 1.0),
            (-1.0, 1.0),
            (1.0, 0.0),
            (1.0, -2.0),
            (1.0, f64::NAN),
            (1.0, f64::INFINITY),
            (f64::MAX, 0.1),
        ] {
            let bad = event.gain(game.dungeon, amount, boost);
            assert_eq!(game.family.observe(&mut profile, &bad), Err(Code::InvalidArgument), "{amount} {boost}");
        }
        let bad = event.kill(game.hydra, 0);
        assert_eq!(game.family.observe(&mut profile, &bad), Err(Code::InvalidArgument));
        assert_eq!(profile, before);
        for extreme in [f64::MAX, f64::MIN_POSITIVE, 0.0] {
            game.family.score(&profile, &event.gain(game.dungeon, extreme, 1.0)).unwrap();
        }
        assert_eq!(profile, before, "scoring does not learn");
    }
    for odds in [0.0, 1.0, -0.5, f64::NAN] {
        assert_eq!(game.family.drop_odds("other", odds), Err(Code::OutOfRange), "{odds}");
    }
    assert_eq!(game.family.drop_odds("crown", 0.06), Err(Code::InvalidArgument), "odds do not change");
    assert_eq!(game.family.drop_odds("crown", 0.05), Ok(game.crown));
    assert_eq!(game.family.boss("no id", None), Err(Code::IdInvalid));
    assert_eq!(Thresholds::DEFAULT.with(FamilyDetector::Drift, f64::NAN), Err(Code::OutOfRange));
    assert_eq!(
        Thresholds::DEFAULT.with(FamilyDetector::Drift, 5.0).unwrap().of(FamilyDetector::Drift).to_bits(),
        5_f64.to_bits()
    );
}

#[test]
fn a_profile_restored_at_any_event_goes_on_alike() {
    let mut game = game();
    let (mut whole, mut cut, mut at) = (PlayerProfile::default(), PlayerProfile::default(), START);
    for n in 0..400_u32 {
        let mut event = game.honest(&mut at);
        if n % 90 > 70 {
            event = event.gain(game.dungeon, 4_000.0, 1.0);
        }
        let bytes = cut.to_bytes();
        assert_eq!(bytes.len(), PlayerProfile::BYTES);
        cut = PlayerProfile::from_bytes(&bytes).unwrap();
        let scored = game.family.score(&whole, &event);
        let observed = game.family.observe(&mut whole, &event);
        assert_eq!((&observed, &scored), (&game.family.observe(&mut cut, &event), &observed));
        assert_eq!(whole, cut);
    }
}

/// Against the sum by its definition: the largest over all starts of the log likelihood ratio since then.
#[test]
fn the_drop_score_is_the_largest_likelihood_ratio_of_any_end() {
    let game = game();
    for seed in 0..20 {
        let mut random = Random(seed);
        let (mut profile, mut draws) = (PlayerProfile::default(), Vec::new());
        for n in 0..200 {
            let hit = u32::from(random.part() < 0.12);
            let event = Observation::at(Timestamp::from_unix_seconds(START)).drops(game.crown, 1, hit);
            game.family.observe(&mut profile, &event).unwrap();
            draws.push(f64::from(hit));
            let naive = [2.0_f64, 6.0].map(|ratio| {
                let step = |hit: f64| hit * ratio.ln() - (1.0 - 0.05 + 0.05 * ratio).ln();
                let since = |start: usize| draws[start..].iter().map(|hit| step(*hit)).sum::<f64>();
                (0..=draws.len()).map(since).fold(0.0, f64::max)
            });
            let score = profile.scores().of(FamilyDetector::DropRate);
            assert!(
                (score - naive[0].max(naive[1]).min(100.0)).abs() < 1e-3,
                "seed {seed}, draw {n}: {score} {naive:?}"
            );
        }
    }
}

#[test]
fn tables_find_what_history_was_made_of_and_cheaters_move_them_little() {
    let clean = history(&mut Random(7), 1_000).finish();
    let mut dirty = history(&mut Random(7), 1_000);
    for cheater in 0..10 {
        for n in 0..500 {
            let at = Timestamp::from_unix_seconds(START + n * 60);
            let (name, xp) = (format!("cheater-{cheater}"), if n % 3 == 0 { 9_000.0 } else { 90.0 });
            dirty.gain(&name, at, "dungeon", xp, 1.0).unwrap();
            dirty.kill(&name, at, "hydra", 3_000).unwrap();
        }
    }
    let dirty = dirty.finish();
    let tables = [&clean, &dirty].map(|population| population.gain_table(population.activity("dungeon")));
    for table in tables {
        assert!((table.mean.get() - 101_f64.ln()).abs() < 0.05, "{table:?}");
        assert!((table.spread.get() - 0.5).abs() < 0.05 && (table.between.get() - 0.4).abs() < 0.05, "{table:?}");
    }
    for spreads in 0..5_u32 {
        let [clean, dirty] = tables.map(|table| table.upper.at(f64::from(spreads)));
        assert!((clean - dirty).abs() < 0.5 + 0.25 * f64::from(spreads), "{spreads}: {clean} {dirty}");
    }
    let [clean, dirty] = [&clean, &dirty].map(|population| population.boss_table("hydra").unwrap());
    assert!((clean.edge.get() - dirty.edge.get()).abs() < 0.05);
    assert!(dirty.surprise(3_000) > 20.0 && clean.surprise(60_000).to_bits() == 0);
    assert_eq!(clean.surprise(clean.slow_ms()).to_bits(), 0);
}

/// Some honest players get better without end. Their sums must not grow without end too: thresholds would be out of reach for
/// everybody.
#[test]
fn who_has_risen_far_is_followed_and_a_burst_stands_out_there_too() {
    let game = game();
    let (mut random, mut profile) = (Random(5), PlayerProfile::default());
    let mut play = |n: u32, times: f64| {
        let xp = 100.0 * times * libm::exp(0.01 * f64::from(n) + 0.5 * random.normal());
        let at = Timestamp::from_unix_seconds(START + i64::from(n) * 90 + seconds(60.0 * random.part()));
        game.family.observe(&mut profile, &Observation::at(at).gain(game.dungeon, xp, 1.0)).unwrap();
        profile.scores().of(FamilyDetector::Robust)
    };
    let most = (0..500).map(|n| play(n, 1.0)).fold(0.0, f64::max);
    assert!(most < 12.0, "a hundred times as much as at first: {most}");
    let burst = (500..506).map(|n| play(n, 20.0)).fold(0.0, f64::max);
    assert!(burst > 18.0, "{burst}");
}

#[test]
fn tables_keep_their_bytes() {
    let population = history(&mut Random(3), 300).finish();
    let bytes = population.to_bytes();
    assert_eq!(Population::from_bytes(&bytes), Ok(population.clone()));
    for at in (0..bytes.len()).step_by(7) {
        let mut broken = bytes.clone();
        broken[at] ^= 4;
        assert!(Population::from_bytes(&broken).is_err(), "{at}");
    }
    assert_eq!(
        Population::default().hash().to_hex(),
        "29cccfde7032c1df4d61eda9b3011069f1b7a94bf46d7a80594c9f2259473444"
    );
    assert_eq!(population.hash().to_hex(), "2acd7df38017aee612764bd09c57feab815eb7de81023f505bd8e73b6e63a119");
}

/// Whatever comes, in whatever order, and whatever bytes a profile was read from: scores stay in 0..=100, the profile stays
/// one that can be kept and read, and scoring first changes nothing.
#[test]
fn nothing_hostile_breaks_a_profile() {
    let game = game();
    for seed in 0..300 {
        let mut random = Random(seed);
        let mut bytes = PlayerProfile::default().to_bytes();
        for _ in 0..random.next() % 8 {
            let at = usize::try_from(random.next() % 62).unwrap() + 1;
            bytes[at] = random.next().to_le_bytes()[0];
        }
        let mut profile = PlayerProfile::from_bytes(&bytes).unwrap_or_default();
        for n in 0..60 {
            let mut pick = |of: &[f64]| of[usize::try_from(random.next()).unwrap_or(n) % of.len()];
            let amount = pick(&[0.0, 1.0, 1e3, 1e15, f64::MAX, -1.0, f64::NAN, f64::MIN_POSITIVE]);
            let boost = pick(&[1.0, 2.0, 1e-300, 1e300, 0.0]);
            let at = [i64::MIN, i64::MAX, 0, 1, -1, START * 1_000][usize::try_from(random.next() % 6).unwrap()];
            let word = u32::try_from(random.next() >> 32).unwrap() >> (random.next() % 32);
            let event = Observation::at(Timestamp::from_unix_millis(at))
                .gain(ActivityIndex(random.next().to_le_bytes()[0]), amount, boost)
                .kill(BossIndex(random.next().to_le_bytes()[0] % 3), word)
                .drops(DropIndex(random.next().to_le_bytes()[0] % 3), word, word / 2);
            let before = profile;
            let first = game.family.score(&profile, &event);
            assert_eq!(profile, before, "seed {seed}, event {n}");
            assert_eq!(game.family.observe(&mut profile, &event), first, "seed {seed}, event {n}");
            assert!(first.is_ok() || profile == before, "seed {seed}, event {n}");
            let scores = FamilyDetector::ALL.map(|detector| profile.scores().of(detector));
            assert!(scores.iter().all(|score| (0.0..=100.0).contains(score)), "seed {seed}, event {n}: {scores:?}");
            assert_eq!(PlayerProfile::from_bytes(&profile.to_bytes()), Some(profile), "seed {seed}, event {n}");
        }
    }
}

#[test]
fn history_refuses_what_observations_refuse() {
    let mut builder = PopulationBuilder::new();
    let at = Timestamp::from_unix_seconds(START);
    for (activity, amount, boost) in
        [("quest", -1.0, 1.0), ("quest", f64::NAN, 1.0), ("quest", 1.0, 0.0), ("no id", 1.0, 1.0)]
    {
        assert_eq!(builder.gain("ana", at, activity, amount, boost), Err(Code::InvalidArgument));
    }
    assert_eq!(builder.kill("ana", at, "hydra", 0), Err(Code::InvalidArgument));
    assert_eq!(builder.finish(), Population::default());
    for n in 0..100 {
        builder.gain("ana", at, &format!("activity-{n}"), 1.0, 1.0).unwrap();
    }
    assert_eq!(builder.left_out(), 0);
}
