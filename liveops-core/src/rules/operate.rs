//! What operators order, and what players claim.

use super::Rules;
use super::decide::Cause;
use super::draft::Draft;
use super::grant::{Gift, Occasion};
use crate::error::Code;
use crate::event::Event;
use crate::limits::INTEGER_MAX;
use crate::record::{BoardKey, Command, Effect, Payment, Receipt, ReceiptName, Ruling, Settled, Suspicion};
use crate::reward::{Item, ReceiptState, Scope};
use crate::time::Timestamp;

impl Rules {
    pub(super) fn review(
        &self,
        number: u64,
        ruling: Ruling,
        stored: Option<Box<Suspicion>>,
        command: &Command,
        now: Timestamp,
        draft: &mut Draft<'_>,
    ) -> Result<Effect, Code> {
        let suspicion = draft.suspicion(number, stored).ok_or(Code::SuspicionUnknown)?;
        if suspicion.settled != Settled::Open {
            return Err(Code::SuspicionSettled);
        }
        let (settled, effect) = match ruling {
            Ruling::Release if suspicion.held => {
                let Event { id: event_id, ts, kind, payload, .. } = &suspicion.event;
                let effect = match self.type_at(kind, 0).map(|at| &self.by_type[at]) {
                    Some(of_type) => {
                        let asked = self.asked_of(of_type, payload)?;
                        let cause = Cause { kind, payload, of_type, event_id, ts: *ts, command, now };
                        let mut effect = Effect::default();
                        self.grant(&cause, asked, draft, &mut effect)?;
                        effect
                    }
                    // The rules no longer know what it is worth.
                    None => self.nothing(draft),
                };
                (Settled::Released, effect)
            }
            Ruling::Release => (Settled::Released, self.nothing(draft)),
            Ruling::Confirm => (Settled::Confirmed, self.nothing(draft)),
        };
        draft.put_suspicion(number, Suspicion { settled, ..suspicion });
        if let Some(triage) = draft.changes.record.rare.as_mut().and_then(|rare| rare.triage.as_mut()) {
            triage.settle(number);
        }
        Ok(effect)
    }

    pub(super) fn adjust(&self, xp: i64, command: &Command, draft: &mut Draft<'_>) -> Result<Effect, Code> {
        let total = self.known_xp_of(&draft.changes.record)?.checked_add_signed(xp).ok_or(Code::OutOfRange)?;
        if total > INTEGER_MAX.unsigned_abs() {
            return Err(Code::ScoreOverflow);
        }
        let mut effect = Effect { adjusted: xp, ..Effect::default() };
        self.bring_to_curve(draft, &mut effect);
        draft.changes.record.xp = total;
        effect.level = self.level_rewards(Occasion { ts: command.ts, command }, draft, &mut effect);
        draft.trim_receipts(self.receipts_max);
        Ok(effect)
    }

    /// Brings the XP total to the curve in force.
    pub(super) fn migrate(&self, command: &Command, draft: &mut Draft<'_>) -> Result<Effect, Code> {
        self.known_xp_of(&draft.changes.record)?;
        let mut effect = Effect::default();
        self.bring_to_curve(draft, &mut effect);
        effect.level = self.level_rewards(Occasion { ts: command.ts, command }, draft, &mut effect);
        draft.trim_receipts(self.receipts_max);
        Ok(effect)
    }

    /// Gives what a place in a finished period is worth, and marks it as given.
    pub(super) fn pay(&self, payment: &Payment, command: &Command, draft: &mut Draft<'_>) -> Result<Effect, Code> {
        let (key, now) = (&payment.board, draft.horizon.now);
        // Only a claw-back takes.
        if payment.items.iter().any(|item| item.amount() < 0) {
            return Err(Code::OutOfRange);
        }
        let rule = self.board(&key.board).ok_or(Code::UnknownBoard)?;
        rule.keep(key.period.window).ok_or(Code::UnknownWindow)?;
        self.closed_at(key.period, draft.horizon)?;
        if command.ts > now {
            return Err(Code::TooFarInFuture);
        }
        // Entries go with their period. Then all that can be told is whether anybody is there.
        let player = &draft.changes.record;
        let entry = || player.standing(key).is_some_and(|standing| standing.sort == rule.sort);
        let stands = if self.keeps(key, now) { entry() } else { !player.is_gone() };
        if !stands {
            return Err(Code::StandingUnknown);
        }
        if player.hidden {
            return Err(Code::PlayerHidden);
        }
        draft.changes.record.rare_mut().paid.insert(key);
        let BoardKey { board, period } = key.clone();
        let scope = Scope::Payout { board, period, tier: payment.tier.clone() };
        let mut effect = self.nothing(draft);
        self.give(Gift::of(&payment.tier, scope, payment.items.clone()), command.ts, command, draft, &mut effect);
        draft.trim_receipts(self.receipts_max);
        Ok(effect)
    }

    /// Gives what waits to be claimed. The receipt is the one of before, in another state: its place in the chain, and all
    /// that the chain vouches for, stay.
    pub(super) fn claim(
        &self,
        name: ReceiptName,
        stored: Option<&Receipt>,
        command: &Command,
        now: Timestamp,
        draft: &mut Draft<'_>,
    ) -> Result<Effect, Code> {
        let receipt = draft.receipt(name, stored).ok_or(Code::ReceiptUnknown)?;
        match receipt.state_at(now) {
            ReceiptState::Claimable => {}
            ReceiptState::Expired => return Err(Code::ClaimExpired),
            _ => return Err(Code::ReceiptSettled),
        }
        let claimed = Receipt { state: ReceiptState::Claimed, settled_at: Some(command.ts), ..receipt };
        draft.settle_receipt(claimed.clone());
        Ok(self.receipt_alone(claimed, draft))
    }

    /// Takes back what was given: a new receipt of negative amounts, and the old one marked. Of what nobody has claimed
    /// there is nothing to take: the new receipt is empty.
    pub(super) fn revoke(
        &self,
        name: ReceiptName,
        stored: Option<&Receipt>,
        command: &Command,
        draft: &mut Draft<'_>,
    ) -> Result<Effect, Code> {
        let receipt = draft.receipt(name, stored).ok_or(Code::ReceiptUnknown)?;
        let items = match (receipt.state, &receipt.scope) {
            (_, Scope::Revoke { .. }) => return Err(Code::ReceiptSettled),
            (ReceiptState::Issued | ReceiptState::Claimed, _) => receipt.items.iter().map(Item::negated).collect(),
            (ReceiptState::Claimable, _) => Vec::new(),
            _ => return Err(Code::ReceiptSettled),
        };
        let scope = Scope::Revoke { number: receipt.number, receipt: receipt.id };
        let reward = receipt.reward.clone();
        let revoked = Receipt { state: ReceiptState::Revoked, settled_at: Some(command.ts), ..receipt };
        draft.settle_receipt(revoked);
        let mut effect = self.nothing(draft);
        self.give(Gift::of(&reward, scope, items), command.ts, command, draft, &mut effect);
        draft.trim_receipts(self.receipts_max);
        Ok(effect)
    }
}
