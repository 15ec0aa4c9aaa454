//! Cheaters of the simulator are found, and honest players are spared, by what was fitted to others.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use liveops_core::anomaly::Budget;
use liveops_examples::evaluate::{Fit, Trial, together};
use liveops_examples::simulate::{Crowd, DAY_MS, Kind, START_MS, What, World};

/// What `docs/compare.md` promises of many more players, with room for chance.
#[test]
fn cheaters_are_found_and_honest_players_spared_on_games_never_seen() {
    let fit = Fit { players: 1_500, floors_known: true, budget: Budget::PerEvent(1e-5) };
    let (ours, guide) = Trial { games: (41, 2), cheaters_per_mille: 10, fit }.run(&[3.0]).unwrap();
    let visible = together(ours.iter().filter(|(kind, _)| kind.is_visible()).map(|(_, found)| found));
    assert!(visible.players > 200 && visible.part() > 0.88, "{visible:?}");
    let honest = &ours[&Kind::Honest];
    assert!(honest.players > 2_000 && honest.part() < 0.006 && honest.rate() < 4e-5, "{honest:?}");
    for kind in [Kind::Bot, Kind::JitterBot, Kind::BossTime] {
        assert!(ours[&kind].part() > 0.95, "{kind:?}");
    }
    for kind in [Kind::SharedScript, Kind::Recycling] {
        assert!(ours[&kind].part() < 0.1, "{kind:?} is not to be seen in one player's data");
    }
    assert!(guide[0][&Kind::Honest].part() > 0.5, "three deviations accuse most");
}

#[test]
fn the_same_seeds_play_the_same_season() {
    let (world, again) = (World::new(5), World::new(5));
    for player in 0..200 {
        let deeds = Crowd::new(&world, 9, 300).labelled(player);
        assert_eq!(deeds, Crowd::new(&again, 9, 300).labelled(player));
        let ordered = deeds.windows(2).all(|pair| pair[0].0.at_ms <= pair[1].0.at_ms);
        let within = START_MS..START_MS + world.days * DAY_MS;
        assert!(ordered && deeds.iter().all(|(deed, _)| within.contains(&deed.at_ms) && deed.at_ms % 1_000 == 0));
    }
    assert_ne!(Crowd::new(&world, 9, 300).deeds(1), Crowd::new(&world, 10, 300).deeds(1));
}

#[test]
fn everybody_plays_as_labelled() {
    let world = World::new(5);
    let crowd = Crowd::new(&world, 3, 500);
    let mut seen = std::collections::BTreeSet::new();
    for player in 0..400 {
        let (kind, deeds) = (crowd.kind(player), crowd.labelled(player));
        if kind == Kind::Honest || !kind.is_visible() {
            assert!(deeds.iter().all(|(_, fair)| *fair), "{kind:?}");
        } else if deeds.iter().any(|(_, fair)| !fair) {
            seen.insert(kind);
        }
        for (deed, fair) in &deeds {
            if let What::Kill { boss, duration_ms } = deed.what {
                let possible = duration_ms >= world.bosses[boss].floor_ms;
                assert!(possible || (kind == Kind::BossTime && !fair), "{kind:?}");
            }
        }
    }
    assert_eq!(seen.len(), 6, "{seen:?}");
}
