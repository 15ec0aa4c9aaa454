//! Cheaters of the simulator are found, and honest players are spared, by what was fitted to others.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "curve/markup.rs"]
mod markup;

use std::fmt::Write as _;

use liveops_core::anomaly::{Budget, FamilyDetector};
use liveops_examples::anomaly_report::{Alert, Flagged, Report, page, wire};
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

/// Players of a game as a log, and names that look like markup.
fn log(players: u64) -> String {
    let world = World::new(41);
    let crowd = Crowd::new(&world, 5, 20);
    let mut log = String::from("no event\n");
    for player in 0..players {
        for deed in crowd.deeds(player) {
            log += &wire(&world, player, &deed).replace("player-", "<b>&player-");
            log.push('\n');
        }
    }
    log
}

#[test]
fn a_report_names_those_who_stand_out_and_why() {
    let log = log(400);
    let read = |budget| Report::read(|| Ok(log.as_bytes()), budget);
    let report = read(0.003).unwrap();
    // The line that is no event, and drops, whose odds no log tells, are all that is not judged.
    assert_eq!((report.players, report.lines.0), (400, log.lines().count() as u64));
    assert!(report.is_calibrated && report.lines.1 >= 1);
    let crowd_kind = |name: &str| {
        let world = World::new(41);
        Crowd::new(&world, 5, 20).kind(name.trim_start_matches("<b>&player-").parse().unwrap())
    };
    let honest = report.flagged.iter().filter(|flagged| crowd_kind(&flagged.player) == Kind::Honest).count();
    assert!(report.flagged.len() >= 3 && honest <= 2, "{} flagged, {honest} of them honest", report.flagged.len());
    let html = page::html(&report);
    assert!(html.contains("&lt;b&gt;&amp;player-") && !html.contains("<b>&player"), "names are text");
    assert!(!html.contains("://") && !html.contains("<script"), "nothing is fetched or run");
    for flagged in &report.flagged {
        assert!(html.contains(flagged.alerts[0].sentence.as_str()), "{}", flagged.alerts[0].sentence);
        assert!(flagged.curve.iter().any(|point| point.1 > 1.0), "the evidence crosses the threshold");
    }
    for bad in [0.0, 1.0, f64::NAN] {
        assert!(read(bad).is_err(), "{bad}");
    }
    let few = log.lines().take(50).collect::<Vec<_>>().join("\n");
    assert!(!Report::read(|| Ok(few.as_bytes()), 0.003).unwrap().is_calibrated);
    for empty in ["", "no event\n\n{}\n"] {
        let error = Report::read(|| Ok(empty.as_bytes()), 0.003).unwrap_err().to_string();
        assert!(error.contains("lines is an event that can be judged"), "{error}");
    }
    assert!(!html.contains("for a reason") && html.contains("prefers-color-scheme: dark"));
    assert!(html.find("The players") < html.find("Highest score of any player"), "players first");
    markup::Page::read(&html);
    for axis in ["month-day or hour, UTC", ">score</text>", ">threshold</span>"] {
        assert!(html.contains(axis), "{axis}");
    }
    let is_day = |text: &&str| text.len() == 5 && text.as_bytes()[2] == b'-';
    let ticks = html.split("text-anchor=\"middle\">").skip(1).map(|rest| rest.split('<').next().unwrap());
    assert!(ticks.filter(is_day).count() >= 3 * report.flagged.len(), "days stand below the curves");
}

#[test]
fn a_program_is_told_in_seconds() {
    // Ana acts at any time, as people do, and Bot every 20 seconds.
    let mut log = String::new();
    let (mut ana, mut gap) = (1_793_652_783, 7);
    for n in 0..600 {
        gap = gap * 31 % 197;
        ana += gap + 2;
        for (player, ts) in [("ana", ana), ("bot", 1_793_652_783 + n * 20)] {
            _ = writeln!(log, r#"{{"playerId":"{player}","ts":{ts},"payload":{{"activity":"quest","deltaXp":10}}}}"#);
        }
    }
    let report = Report::read(|| Ok(log.as_bytes()), 0.003).unwrap();
    let names: Vec<_> = report.flagged.iter().map(|flagged| flagged.player.as_str()).collect();
    assert_eq!(names, ["bot"]);
    let alert = &report.flagged[0].alerts[0];
    assert!(alert.detector == FamilyDetector::Regularity && alert.subject.is_empty(), "{alert:?}");
    let told = "an event every 20 s; of the last ";
    assert!(alert.sentence.starts_with(told) && alert.sentence.contains("eight in ten took 20 s"), "{alert:?}");
    assert!(page::html(&report).contains(told));
}

#[test]
fn alike_is_what_the_same_detector_finds_in_the_same() {
    let log = log(20);
    let mut report = Report::read(|| Ok(log.as_bytes()), 0.003).unwrap();
    let alert = |at_ms, subject: &str| Alert {
        at_ms,
        detector: FamilyDetector::TimeFloor,
        subject: subject.to_owned(),
        sentence: format!("{subject} in {at_ms} ms"),
    };
    let alerts = vec![alert(1, "hydra"), alert(2, "kraken"), alert(3, "hydra")];
    report.flagged = vec![Flagged { player: "ana".to_owned(), alerts, ..Flagged::default() }];
    let html = page::html(&report);
    assert!(html.contains("2 times, first: hydra in 1 ms") && html.contains(": kraken in 2 ms"), "{html}");
    assert!(!html.contains("hydra in 3 ms"));
    markup::Page::read(&html);
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
