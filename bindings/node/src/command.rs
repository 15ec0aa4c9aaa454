//! Commands: events that the door admitted, and what an operator orders.

use liveops_core::record::ReceiptName;
use liveops_core::{Action, EventId, PlayerId, Ruling, Timestamp};
use napi_derive::napi;
use serde_json::json;

use crate::failure::{OrThrow as _, Result};
use crate::receipt::{ReceiptRef, digest};

/// Something one player's state is asked to take in, once.
#[napi]
#[derive(Debug)]
pub struct Command(pub(crate) liveops_core::Command);

/// Who orders, of whom, and when: what all operators' commands have.
#[napi(object)]
#[derive(Debug)]
pub struct Order {
    /// The command's name.
    pub id: String,
    /// Whose state.
    pub player: String,
    /// When it was ordered: the same in every retry.
    pub ts: i64,
    /// When this copy came.
    pub now: i64,
}

impl Order {
    fn into_command(self, action: Action) -> Result<Command> {
        let id = EventId::new(&self.id).or_throw()?;
        let player = PlayerId::new(&self.player).or_throw()?;
        let [ts, now] = [self.ts, self.now].map(Timestamp::from_unix_millis);
        Ok(Command(liveops_core::Command::operator(id, player, ts, now, action)))
    }
}

#[napi]
impl Command {
    /// Support's correction of an XP total.
    #[napi(factory)]
    pub fn adjust(order: Order, xp: i64, reason: String) -> Result<Self> {
        let reason = liveops_core::record::Reason::new(&reason).or_throw()?;
        order.into_command(Action::Adjust { xp, reason })
    }

    /// Settles a suspicion: released, or confirmed.
    #[napi(factory)]
    pub fn review(order: Order, suspicion: i64, release: bool) -> Result<Self> {
        let ruling = if release { Ruling::Release } else { Ruling::Confirm };
        order.into_command(Action::Review { suspicion: suspicion.unsigned_abs(), ruling })
    }

    /// Takes a player off every board, or shows them again.
    #[napi(factory)]
    pub fn set_visibility(order: Order, hidden: bool) -> Result<Self> {
        order.into_command(Action::SetVisibility { hidden })
    }

    /// Forgets a player.
    #[napi(factory)]
    pub fn erase(order: Order) -> Result<Self> {
        order.into_command(Action::Erase)
    }

    /// Gives what waits to be claimed.
    #[napi(factory)]
    pub fn claim(player: String, receipt: ReceiptRef, now: i64) -> Result<Self> {
        let player = PlayerId::new(&player).or_throw()?;
        Ok(Self(liveops_core::Command::claim(player, receipt.read()?, Timestamp::from_unix_millis(now))))
    }

    /// Takes back what a receipt gave.
    #[napi(factory)]
    pub fn revoke(order: Order, receipt: ReceiptRef, reason: String) -> Result<Self> {
        let reason = liveops_core::record::Reason::new(&reason).or_throw()?;
        order.into_command(Action::Revoke { receipt: receipt.read()?, reason })
    }

    /// Brings a player to the curve of this hash.
    #[napi(factory)]
    pub fn migrate(player: String, curve: String, version: i64, now: i64) -> Result<Self> {
        let (player, now) = (PlayerId::new(&player).or_throw()?, Timestamp::from_unix_millis(now));
        Ok(Self(liveops_core::Command::migrate(player, digest(&curve)?, version.unsigned_abs(), now)))
    }

    /// Its content as JSON.
    #[napi]
    pub fn describe(&self) -> String {
        let command = &self.0;
        let mut told = json!({ "id": command.id.id, "origin": command.id.origin, "playerId": command.player,
            "ts": command.ts, "receivedAt": command.received_at });
        let (action, members) = match &command.action {
            Action::Event { kind, payload } => ("event", json!({ "type": kind, "payload": payload })),
            Action::Adjust { xp, reason } => ("adjust", json!({ "xp": xp, "reason": reason.as_str() })),
            Action::Review { suspicion, ruling } => ("review", json!({ "suspicion": suspicion, "ruling": ruling })),
            Action::SetVisibility { hidden } => ("setVisibility", json!({ "hidden": hidden })),
            Action::Erase => ("erase", json!({})),
            Action::Payout(payment) => {
                let mut told = json!(payment.board);
                told["tier"] = json!(payment.tier);
                told["rank"] = payment.rank.into();
                told["items"] = json!(payment.items);
                ("payout", told)
            }
            Action::Claim(receipt) => ("claim", json!({ "receipt": named(receipt) })),
            Action::Revoke { receipt, reason } => {
                ("revoke", json!({ "receipt": named(receipt), "reason": reason.as_str() }))
            }
            Action::Migrate { curve } => ("migrate", json!({ "curve": curve })),
            _ => ("other", json!({})),
        };
        told["action"] = action.into();
        if let (Some(told), serde_json::Value::Object(members)) = (told.as_object_mut(), members) {
            told.extend(members);
        }
        told.to_string()
    }
}

fn named(receipt: &ReceiptName) -> serde_json::Value {
    json!({ "number": receipt.number, "id": receipt.id })
}
