//! Paying every board that closed since a mark, in one call that may be made again after anything.

use serde::Serialize;

use super::advance::horizon;
use super::{AsyncEngine, Engine, ready};
use crate::error::{Code, Error};
use crate::id::PlayerId;
use crate::limits::ROUND_PLAYERS_MAX;
use crate::plan::Outcome;
use crate::record::{BoardKey, Receipt};
use crate::rules::{DroppedPeriods, OpenHold, Payout};
use crate::store::{AsyncBoards, AsyncScan, AsyncStore, Boards, Scan, Store};
use crate::time::Timestamp;

/// What one run of [`Engine::pay_closed`] did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PayRun {
    /// Whatever closed up to here is dealt with: to be kept, and passed to the next run. `None` until the store was advanced.
    pub mark: Option<Timestamp>,
    /// The boards that were paid, now or before, in the order in which they closed. One on which nobody stands is not listed.
    pub periods: Vec<PaidPeriod>,
    /// What closed since the mark and is no longer kept. Nobody was paid for it by this run: [`Engine::payout_archived`] pays
    /// what was archived.
    pub dropped: Vec<DroppedPeriods>,
}

/// A finished board, and what paying it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaidPeriod {
    /// The board and its period.
    #[serde(flatten)]
    pub board: BoardKey,
    /// The period's name for people.
    pub label: String,
    /// When the period closed.
    pub closed_at: Timestamp,
    /// Paid now.
    pub paid: u64,
    /// Paid by an earlier run.
    pub paid_before: u64,
    /// Receipts of both, best rank first: of those paid before, as long as their outcomes are kept.
    pub receipts: Vec<Receipt>,
    /// Who was not paid, and why.
    pub unpaid: Vec<Unpaid>,
    /// Events of the period that are still held; see [`Payout::holds`].
    pub holds: Vec<OpenHold>,
}

/// Who was not paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unpaid {
    /// Who.
    pub player_id: PlayerId,
    /// Why.
    pub code: Code,
}

impl Unpaid {
    /// Whether another run would fare no better: hidden or erased meanwhile, or paid before for another rank.
    const fn is_settled(&self) -> bool {
        matches!(self.code, Code::PlayerHidden | Code::PlayerErased | Code::StandingUnknown | Code::EventIdReused)
    }
}

impl<S: AsyncStore + AsyncBoards + AsyncScan> AsyncEngine<S> {
    /// See [`Engine::pay_closed`].
    pub async fn pay_closed(&self, mark: Option<Timestamp>, now: Timestamp) -> Result<PayRun, Error> {
        let (rules, horizon) = (self.rules(), horizon(&self.store).await?);
        let through = now.min(horizon.now);
        // A mark ahead of the horizon is of a store that was brought back: nothing closed there.
        let mark = mark.map(|mark| mark.min(horizon.now));
        let due = rules.due(mark, through, now.max(horizon.now));
        let held = if due.periods.is_empty() { Vec::new() } else { self.held().await? };
        let mut run = PayRun { mark: mark.max(Some(through)), periods: Vec::new(), dropped: due.dropped };
        for (closed_at, key) in due.periods {
            let mut payout = match self.payout_without_holds(key.board.as_str(), key.period, now, Some(horizon)).await {
                Ok(payout) => payout,
                // Another thread advanced meanwhile.
                Err(error) if error.code() == Code::PeriodDropped => {
                    run.drop_period(key);
                    continue;
                }
                Err(error) => return Err(error),
            };
            payout.holds = rules.holds_of_period(&held, &key);
            if payout.awards.is_empty() && payout.holds.is_empty() {
                continue;
            }
            let paid = self.pay(&payout, rules.calendar().label(key.period)).await;
            if !paid.unpaid.iter().all(Unpaid::is_settled) {
                run.mark = run.mark.min(Some(closed_at.minus_millis(1)));
            }
            run.periods.push(paid);
        }
        run.mark = run.mark.filter(|mark| *mark != Timestamp::MIN);
        Ok(run)
    }

    async fn pay(&self, payout: &Payout, label: String) -> PaidPeriod {
        let mut told = PaidPeriod {
            board: payout.board.clone(),
            label,
            closed_at: payout.closed_at,
            paid: 0,
            paid_before: 0,
            receipts: Vec::new(),
            unpaid: Vec::new(),
            holds: payout.holds.clone(),
        };
        for commands in payout.commands().chunks(ROUND_PLAYERS_MAX) {
            for (command, outcome) in commands.iter().zip(self.submit_batch(commands).await) {
                match outcome {
                    Outcome::Applied(effect) => {
                        told.paid += 1;
                        told.receipts.extend(effect.into_more().receipts);
                    }
                    Outcome::Replayed(effect) => {
                        told.paid_before += 1;
                        told.receipts.extend(effect.into_more().receipts);
                    }
                    Outcome::Refused(error) | Outcome::Unknown(error) => {
                        told.unpaid.push(Unpaid { player_id: command.player.clone(), code: error.code() });
                    }
                }
            }
        }
        told
    }
}

impl<S: Store + Boards + Scan> Engine<S> {
    /// Pays every board that pays and closed since a mark, each as [`Self::payout`] says, and gives the next mark. Without a mark it
    /// begins with the oldest period that is kept. Advance first: only the store's horizon closes a period.
    ///
    /// Each player is paid once, whatever becomes of the mark: a run that died half-way, or whose mark was lost, is made good by
    /// the next. However long nobody ran it, what is still kept is paid, and [`PayRun::dropped`] says what no longer is.
    ///
    /// The mark does not pass a period of which somebody could not be paid for now ([`PaidPeriod::unpaid`] with a code of the
    /// store, say): the next run tries again, as long as the period is kept.
    ///
    /// To leave time for reviews pass a `now` of a day ago, say: what closed since then waits for a later run. Walks through
    /// all suspicions once, a page at a time, for [`PaidPeriod::holds`].
    ///
    /// Errors: `contended`; those of the store, also of one that fails to build boards that new rules gained. Then run it again with the
    /// same mark.
    ///
    /// ```
    /// use liveops_core::testing::EventBuilder;
    /// use liveops_core::{Engine, MemoryStore, Rules, Timestamp};
    ///
    /// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall", "boards": { "xp": {
    ///     "value": "grantedXp", "keepPeriods": { "weekly": 8 }, "payouts": { "weekly": [
    ///         { "tier": "gold", "ranks": [1, 1], "grant": { "kind": "item", "id": "crown", "amount": 1 } } ] } } } }"#)?;
    /// let engine = Engine::new(rules, MemoryStore::new());
    /// let friday = Timestamp::from_rfc3339("2026-11-06T12:00:00Z").unwrap();
    /// engine.submit_ndjson(&EventBuilder::progression("ana", 120, friday).id("e1").body(), friday);
    ///
    /// let monday = Timestamp::from_rfc3339("2026-11-09T00:05:00Z").unwrap();
    /// engine.advance(monday)?;
    /// let run = engine.pay_closed(None, monday)?;
    /// assert_eq!((run.periods[0].paid, run.mark), (1, Some(monday)));
    /// assert_eq!(run.periods[0].receipts[0].items[0].amount(), 1);
    ///
    /// // Died before it kept the mark? Again, then.
    /// let again = engine.pay_closed(None, monday)?;
    /// assert_eq!((again.periods[0].paid, again.periods[0].paid_before), (0, 1));
    /// assert!(engine.pay_closed(run.mark, monday)?.periods.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pay_closed(&self, mark: Option<Timestamp>, now: Timestamp) -> Result<PayRun, Error> {
        ready(self.0.pay_closed(mark, now))
    }
}

impl PayRun {
    fn drop_period(&mut self, BoardKey { board, period }: BoardKey) {
        let window = period.window;
        match self.dropped.iter_mut().find(|known| known.board == board && known.window == window) {
            Some(known) => known.last = known.last.max(period.index),
            None => self.dropped.push(DroppedPeriods { board, window, first: period.index, last: period.index }),
        }
    }
}
