//! A naive model of the rules in `common`: the same meaning, written apart from the library, one command at a time, with
//! no batches, keys, change sets or stores.

use std::collections::{BTreeMap, BTreeSet};

use liveops_core::record::Payment;
use liveops_core::{Action, Command, CommandId, Period, PlayerId, Ruling, Window};

use super::{DAY, FIGHT_MIN, FUTURE, GRACE, INTEGER_MAX, KEEP, LEVEL_MAX, LEVEL_XP, PAST, START, player};

/// Score, when reached, newest event.
type Entry = (i64, i64, i64);

/// What one event says, as far as the rules look at it.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    died: bool,
    delta_xp: Option<i64>,
    boss: Option<String>,
    duration: Option<i64>,
}

#[derive(Clone, Debug, PartialEq)]
struct Suspicion {
    said: Said,
    ts: i64,
    held: bool,
    waits: bool,
}

/// Content and first answer.
#[derive(Clone, PartialEq)]
struct Known {
    action: Action,
    ts: i64,
    answer: String,
    /// What age is counted from: the time of the command, but when it was made of a payment.
    from: i64,
}

#[derive(Clone, Default, PartialEq)]
pub struct Hero {
    pub version: u64,
    newest: i64,
    erased: Option<i64>,
    pub hidden: bool,
    pub xp: i64,
    /// What was asked for and what was made of it, by the factor of the boosts.
    boosted: BTreeMap<(i128, i128), (i128, i128)>,
    rewarded: i64,
    pub receipts: u64,
    killed_hydra: bool,
    known: BTreeMap<CommandId, Known>,
    suspicions: BTreeMap<u64, Suspicion>,
    /// By board and day; -1 is all time.
    entries: BTreeMap<(&'static str, i64), Entry>,
    /// Days of the board of XP.
    pub paid: BTreeSet<i64>,
}

#[derive(Clone, Default)]
pub struct Model {
    pub now: i64,
    pub forgotten_before: i64,
    pub heroes: BTreeMap<String, Hero>,
    /// Who was ever there, for what must not come back.
    pub erased: BTreeSet<String>,
}

impl Model {
    pub fn advance(&mut self, now: i64) {
        self.now = self.now.max(now);
        self.forgotten_before = self.forgotten_before.max(now - PAST);
        for hero in self.heroes.values_mut() {
            hero.known.retain(|_, known| known.from >= self.forgotten_before);
        }
        let forgotten_before = self.forgotten_before;
        self.heroes.retain(|_, hero| {
            let mark = Hero { version: hero.version, newest: hero.newest, erased: hero.erased, ..Hero::default() };
            !(hero.erased.is_some_and(|through| through < forgotten_before) && *hero == mark)
        });
    }

    pub fn suspicions(&self, name: &str) -> Vec<u64> {
        self.heroes.get(name).map(|hero| hero.suspicions.keys().copied().collect()).unwrap_or_default()
    }

    /// What the engine must tell of it.
    pub fn take(&mut self, command: &Command) -> String {
        let (ts, received) = (command.ts.as_unix_millis(), command.received_at.as_unix_millis());
        let now = received.max(self.now);
        let mut hero = self.heroes.get(command.player.as_str()).cloned().unwrap_or_default();
        if let Some(known) = hero.known.get(&command.id) {
            let same = (&known.action, known.ts) == (&command.action, ts);
            return if same { format!("replayed {}", known.answer) } else { "refused event_id_reused".into() };
        }
        let mut from = ts;
        if let Action::Payout(payment) = &command.action {
            let Period { window, index } = payment.board.period;
            if window == Window::Daily && payment.board.board.as_str() == "xp" && hero.paid.contains(&index) {
                return format!("replayed {}", plain(hero.level()));
            }
            from = self.now;
        } else if ts < self.forgotten_before || ts < now - PAST {
            return "refused too_old".into();
        } else if ts > now + FUTURE {
            return "refused too_far_in_future".into();
        }
        if hero.erased.is_some_and(|through| ts <= through && through >= self.forgotten_before) {
            return "refused player_erased".into();
        }
        let answer = match &command.action {
            Action::Payout(payment) => hero.pay(payment, self.now),
            action => hero.act(action, ts, received, now),
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(code) => return format!("refused {code}"),
        };
        if command.action == Action::Erase {
            self.erased.insert(command.player.as_str().to_owned());
        }
        hero.version += 1;
        hero.newest = hero.newest.max(ts);
        hero.erased = hero.erased.filter(|through| *through >= self.forgotten_before);
        let known = Known { action: command.action.clone(), ts, answer: answer.clone(), from };
        hero.known.insert(command.id.clone(), known);
        self.heroes.insert(command.player.as_str().to_owned(), hero);
        format!("applied {answer}")
    }

    /// A board as it must be shown: best first.
    pub fn board(&self, board: &'static str, day: i64) -> Vec<(PlayerId, i64)> {
        let shown = self.heroes.iter().filter(|(_, hero)| !hero.hidden);
        let mut all: Vec<_> =
            shown.filter_map(|(name, hero)| hero.entries.get(&(board, day)).map(|entry| (*entry, name))).collect();
        let sign = if board == "fastest" { 1 } else { -1 };
        all.sort_by_key(|((score, reached, _), name)| (sign * score, *reached, *name));
        all.into_iter().map(|((score, _, _), name)| (player(name), score)).collect()
    }
}

/// What boosts multiply by at a time.
fn factor(ts: i64) -> (i128, i128) {
    match (ts - START).div_euclid(DAY / 4) {
        2..4 => (5, 4),
        4..6 => (5, 6),
        6..9 => (2, 3),
        _ => (1, 1),
    }
}

pub fn closes_at(day: i64) -> i64 {
    (day + 1) * DAY + GRACE
}

fn plain(level: i64) -> String {
    answer(0, 0, level, "held None flagged None", 0, 0)
}

fn answer(xp: i64, adjusted: i64, level: i64, suspicion: &str, rewards: u64, late: usize) -> String {
    format!("xp {xp} adjusted {adjusted} level {level} {suspicion} rewards {rewards} late {late}")
}

impl Hero {
    fn level(&self) -> i64 {
        (self.xp / i64::try_from(LEVEL_XP).unwrap() + 1).min(i64::try_from(LEVEL_MAX).unwrap())
    }

    fn pay(&mut self, payment: &Payment, advanced_to: i64) -> Result<String, &'static str> {
        if payment.board.board.as_str() != "xp" {
            return Err("unknown_board");
        }
        let Period { window, index: day } = payment.board.period;
        match window {
            Window::Daily if closes_at(day) <= advanced_to => {}
            Window::Daily | Window::AllTime => return Err("period_open"),
            _ => return Err("unknown_window"),
        }
        let kept = closes_at(day + KEEP) > advanced_to;
        let gone = self.version == 0 || self.erased.is_some_and(|through| self.newest <= through);
        if gone || kept && !self.entries.contains_key(&("xp", day)) {
            return Err("standing_unknown");
        }
        if self.hidden {
            return Err("player_hidden");
        }
        self.paid.insert(day);
        self.receipts += 1;
        Ok(answer(0, 0, self.level(), "held None flagged None", 1, 0))
    }

    fn act(&mut self, action: &Action, ts: i64, received: i64, now: i64) -> Result<String, &'static str> {
        match action {
            Action::Event { kind, payload } => {
                let said = Said {
                    died: kind.as_str() == "death",
                    delta_xp: payload.int("deltaXp"),
                    boss: payload.id("bossId").map(ToString::to_string),
                    duration: payload.int("durationMs"),
                };
                let fast = said.duration.is_some_and(|duration| duration < FIGHT_MIN);
                let (held, flagged) =
                    (fast && said.boss.as_deref() == Some("hydra"), fast && said.boss.as_deref() == Some("ogre"));
                let number = self.version + 1;
                let suspicion = Suspicion { said: said.clone(), ts, held, waits: true };
                if held {
                    self.suspicions.insert(number, suspicion);
                    return Ok(answer(0, 0, self.level(), &format!("held {:?} flagged None", Some(number)), 0, 0));
                }
                let flag = if flagged { Some(number) } else { None };
                let told = self.grant(&said, ts, received, now, &format!("held None flagged {flag:?}"))?;
                if flagged {
                    self.suspicions.insert(number, suspicion);
                }
                Ok(told)
            }
            Action::Adjust { xp, .. } => {
                let total = self.xp + xp;
                if total < 0 {
                    return Err("out_of_range");
                }
                if total > INTEGER_MAX {
                    return Err("score_overflow");
                }
                self.xp = total;
                let rewards = self.reward_levels();
                Ok(answer(0, *xp, self.level(), "held None flagged None", rewards, 0))
            }
            Action::Review { suspicion, ruling } => {
                let Some(found) = self.suspicions.get(suspicion).cloned() else { return Err("suspicion_unknown") };
                if !found.waits {
                    return Err("suspicion_settled");
                }
                let told = if found.held && *ruling == Ruling::Release {
                    self.grant(&found.said, found.ts, received, now, "held None flagged None")?
                } else {
                    plain(self.level())
                };
                self.suspicions.insert(*suspicion, Suspicion { waits: false, ..found });
                Ok(told)
            }
            Action::SetVisibility { hidden } => {
                self.hidden = *hidden;
                Ok(plain(self.level()))
            }
            Action::Erase => {
                *self = Self { version: self.version, erased: Some(ts.max(self.newest)), ..Self::default() };
                Ok(plain(self.level()))
            }
            other => panic!("the model does not know {other:?}"),
        }
    }

    fn reward_levels(&mut self) -> u64 {
        let rewards = self.level() - self.rewarded.max(1);
        if rewards <= 0 {
            return 0;
        }
        self.rewarded = self.level();
        self.receipts += rewards.unsigned_abs();
        rewards.unsigned_abs()
    }

    fn grant(&mut self, said: &Said, ts: i64, received: i64, now: i64, about: &str) -> Result<String, &'static str> {
        let (gain, loss) = match &said.boss {
            Some(boss) => (25 * i64::from(boss == "hydra"), 0),
            None if said.died => (20, 55),
            None => (said.delta_xp.unwrap_or(0).max(0), said.delta_xp.unwrap_or(0).min(0).abs()),
        };
        // The whole part of all that was asked for under this factor, less what was given of it before.
        let factor = factor(ts);
        let (asked, given) = self.boosted.get(&factor).copied().unwrap_or_default();
        let asked = asked + i128::from(gain);
        let whole = asked * factor.0 / factor.1;
        let gain = i64::try_from(whole - given).unwrap();
        let reached = self.xp.checked_add(gain).filter(|reached| *reached <= INTEGER_MAX).ok_or("score_overflow")?;
        let xp = gain - loss.min(reached);
        let day = ts.div_euclid(DAY);
        let open = (day + 1) * DAY + GRACE > now;
        let mut late = 0;
        let mut entries = self.entries.clone();
        let mut enter = |key: (&'static str, i64), score: &dyn Fn(Option<Entry>) -> i64| {
            if key.1 >= 0 && !open {
                late += 1;
                return Ok(());
            }
            let old = entries.get(&key).copied();
            let score = score(old);
            if score.abs() > INTEGER_MAX {
                return Err("score_overflow");
            }
            let reached = old.filter(|old| old.0 == score).map_or(received, |old| old.1);
            entries.insert(key, (score, reached, old.map_or(ts, |old| old.2.max(ts))));
            Ok(())
        };
        if xp != 0 {
            for when in [-1, day] {
                enter(("xp", when), &|old| old.map_or(0, |old| old.0) + xp)?;
            }
        }
        if let Some(duration) = said.duration {
            enter(("latest", -1), &|old| old.filter(|old| old.2 > ts).map_or(duration, |old| old.0))?;
            enter(("fastest", day), &|old| old.map_or(duration, |old| old.0.min(duration)))?;
        }
        self.entries = entries;
        self.boosted.insert(factor, (asked, whole));
        self.xp = reached;
        let mut rewards = self.reward_levels();
        self.xp += xp - gain;
        if said.boss.as_deref() == Some("hydra") && !self.killed_hydra {
            self.killed_hydra = true;
            self.receipts += 1;
            rewards += 1;
        }
        Ok(answer(xp, 0, self.level(), about, rewards, late))
    }
}
