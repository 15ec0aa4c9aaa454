//! What finished boards pay: the grammar of `payouts`, and a board's rows turned into one command for each owner paid.

use serde::Serialize;

use super::document::bounded;
use super::reader::{Node, RulesError};
use super::reward::{Bundles, items};
use super::{BoardRule, Rules};
use crate::board::{Award, Cut, Operator, Percent, Row, Tiers, awards};
use crate::error::{Code, Error};
use crate::event::Event;
use crate::id::PlayerId;
use crate::limits::{INTEGER_MAX, TIERS_MAX};
use crate::progress::Asked;
use crate::record::{BoardKey, Command, Horizon, Payment, Settled, Suspicion};
use crate::reward::Item;
use crate::time::Timestamp;
use crate::window::{Period, Window};

/// What a finished period of one window pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutRule {
    /// Which window.
    pub window: Window,
    /// Who gets something.
    pub tiers: Tiers,
    /// What, in the order of the tiers.
    grants: Vec<Vec<Item>>,
}

impl PayoutRule {
    /// What a tier grants.
    pub fn grant(&self, tier: &str) -> Option<&[Item]> {
        let at = self.tiers.iter().position(|known| known.name.as_str() == tier)?;
        self.grants.get(at).map(Vec::as_slice)
    }
}

/// `payouts` of one board.
pub(super) fn read(
    node: &Node<'_>,
    windows: &[(Window, u32)],
    bundles: &Bundles,
) -> Result<Vec<PayoutRule>, RulesError> {
    let mut rules = Vec::new();
    for (name, node) in node.named(Window::ALL.len())? {
        let known = |window: &Window| windows.iter().find(|(known, _)| known == window);
        let (window, keep) = *Window::from_text(name.as_str())
            .as_ref()
            .and_then(known)
            .ok_or_else(|| node.error(Code::UnknownWindow, "one of the board's windows expected"))?;
        if window == Window::AllTime {
            return Err(node.error(Code::UnknownWindow, "all time never closes, so it pays nothing"));
        }
        if keep == 0 {
            return Err(node.error(Code::OutOfRange, "keep at least one closed period to pay from"));
        }
        rules.push(rule(window, &node, bundles)?);
    }
    rules.sort_by_key(|rule| rule.window);
    Ok(rules)
}

fn rule(window: Window, node: &Node<'_>, bundles: &Bundles) -> Result<PayoutRule, RulesError> {
    let nodes = bounded(node, TIERS_MAX)?;
    if nodes.is_empty() {
        return Err(node.error(Code::TooShort, "at least one tier"));
    }
    let (mut cuts, mut grants) = (Vec::new(), Vec::new());
    for node in &nodes {
        let mut fields = node.fields()?;
        let name = fields.need("tier")?.id()?;
        let cut = match (fields.get("ranks"), fields.get("percent")) {
            (Some(node), None) => ranks(&node)?,
            (None, Some(node)) => {
                let wrong = "0.01 to 100 expected, with at most two digits behind the point";
                Cut::Percent(Percent::parse(node.decimal()?).map_err(|e| node.error(e.code(), wrong))?)
            }
            _ => return Err(node.error(Code::Missing, "either \"ranks\" or \"percent\"")),
        };
        grants.push(items(&fields.need("grant")?, bundles)?);
        fields.end()?;
        cuts.push((name, cut));
    }
    let tiers = Tiers::new(cuts).map_err(|e| nodes.get(e.at).unwrap_or(node).error(e.code(), e.fault))?;
    Ok(PayoutRule { window, tiers, grants })
}

/// `[first, last]`.
fn ranks(node: &Node<'_>) -> Result<Cut, RulesError> {
    let [first, last] = &node.elements()?[..] else {
        return Err(node.error(Code::WrongType, "two ranks, such as [1, 3], expected"));
    };
    let from = first.uint(1)?;
    let through = last.int(i64::try_from(from).unwrap_or(INTEGER_MAX), INTEGER_MAX)?.unsigned_abs();
    Ok(Cut::Ranks { from, through })
}

/// A finished board on its way to being paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Payout {
    /// The board and its period.
    #[serde(flatten)]
    pub board: BoardKey,
    /// When the period closed.
    pub closed_at: Timestamp,
    /// Who gets what, best first.
    pub awards: Vec<Award>,
    /// Events of the period that are still held. Whether they are released or not changes this board no more; but whoever
    /// holds them may want to settle them, and hide who is found dishonest, before the board is paid.
    pub holds: Vec<OpenHold>,
    #[serde(skip)]
    commands: Vec<Command>,
}

impl Payout {
    /// One command for each award, in the same order. To be submitted, in batches of any size, as often as it takes until
    /// each is `Applied` or `Replayed`: each player is paid once.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// The same, to keep.
    pub fn into_commands(self) -> Vec<Command> {
        self.commands
    }
}

/// A held event that waits for a review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenHold {
    /// Whose.
    pub player_id: PlayerId,
    /// Its number, which a review names.
    pub suspicion: u64,
    /// The event's time.
    pub ts: Timestamp,
}

impl Rules {
    /// What a period of a board pays.
    ///
    /// Errors: `unknown_board`; `unknown_window` if the board has no such window; `unknown_payout` if it pays nothing.
    pub fn payout_rule(&self, key: &BoardKey) -> Result<&PayoutRule, Error> {
        let rule = self.board(&key.board).ok_or(Code::UnknownBoard)?;
        rule.keep(key.period.window).ok_or(Code::UnknownWindow)?;
        Ok(rule.payout(key.period.window).ok_or(Code::UnknownPayout)?)
    }

    /// The payout of a finished board whose rows were read elsewhere: all of them, best first, with ranks as the board's
    /// ranking counts them. [`crate::Engine::payout`] reads them itself and adds the holds that are open.
    ///
    /// `horizon` is the store's, which alone says what is closed; `now` is when the commands are made.
    ///
    /// Errors: those of [`Self::payout_rule`]; `period_open`.
    pub fn payout(&self, key: &BoardKey, rows: &[Row], horizon: Horizon, now: Timestamp) -> Result<Payout, Error> {
        let rule = self.payout_rule(key)?;
        let closed_at = self.closed_at(key.period, horizon)?;
        Ok(self.pay_awards(key, rule, closed_at, awards(rows, &rule.tiers), now))
    }

    /// When a period closed. Only the horizon closes it: by the clock alone, an event that came in before may still be on
    /// its way.
    pub(crate) fn closed_at(&self, period: Period, horizon: Horizon) -> Result<Timestamp, Code> {
        let closed_at = self.calendar.closes_at(period);
        // The latest time means never, and never is not reached.
        let closed = closed_at <= horizon.now && closed_at != Timestamp::MAX;
        if closed { Ok(closed_at) } else { Err(Code::PeriodOpen) }
    }

    pub(crate) fn pay_awards(
        &self,
        key: &BoardKey,
        rule: &PayoutRule,
        closed_at: Timestamp,
        awards: Vec<Award>,
        now: Timestamp,
    ) -> Payout {
        let command = |award: &Award| {
            let items = rule.grant(award.tier.as_str()).unwrap_or_default().to_vec();
            let payment = Payment { board: key.clone(), tier: award.tier.clone(), rank: award.rank, items };
            Command::payout(&self.game, award.owner.clone(), closed_at, now, payment)
        };
        let commands = awards.iter().map(command).collect();
        Payout { board: key.clone(), closed_at, awards, holds: Vec::new(), commands }
    }

    /// Those of all suspicions that hold an event back that would have counted on a board in a period.
    pub(crate) fn holds_of_period(&self, all: &[(PlayerId, u64, Suspicion)], key: &BoardKey) -> Vec<OpenHold> {
        self.open_holds(all, key, self.calendar.start(key.period), self.calendar.end(key.period))
    }

    /// The same between two times.
    pub(crate) fn open_holds(
        &self,
        all: &[(PlayerId, u64, Suspicion)],
        key: &BoardKey,
        start: Timestamp,
        end: Timestamp,
    ) -> Vec<OpenHold> {
        let Some(rule) = self.board(&key.board) else { return Vec::new() };
        let held = all.iter().filter(|(_, _, held)| self.holds_back(held, rule, start, end));
        held.map(|(player_id, suspicion, held)| OpenHold {
            player_id: player_id.clone(),
            suspicion: *suspicion,
            ts: held.event.ts,
        })
        .collect()
    }

    /// Whether a suspicion holds an event back that would have counted on a board between two times.
    fn holds_back(&self, suspicion: &Suspicion, rule: &BoardRule, start: Timestamp, end: Timestamp) -> bool {
        let Suspicion { event, held: true, settled: Settled::Open, .. } = suspicion else { return false };
        let Event { ts, kind, payload, .. } = event;
        if *ts < start || *ts >= end || !rule.select.matches(kind, payload) {
            return false;
        }
        // What would be granted is known only when it is: what is asked for must do.
        let beyond = Asked { gains: INTEGER_MAX.unsigned_abs(), losses: 0 };
        let asked = self.asked_xp(kind, payload);
        if asked == Err(Code::UnknownType) {
            return false;
        }
        let Asked { gains, losses } = asked.unwrap_or(beyond);
        let requested = gains.cast_signed();
        let takes = rule.operator == Operator::Incr && gains == 0 && losses > 0;
        rule.value.of(payload, requested, if takes { -1 } else { requested }).is_some()
    }
}
