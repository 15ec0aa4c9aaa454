//! What an engine takes: events that the door admitted, and what operators order.

use liveops_core::error::Code;
use liveops_core::id::{EventId, Origin};
use liveops_core::record::{BoardKey, Payment, ReceiptName, Ruling};
use liveops_core::{Action, Command as Core};
use pyo3::prelude::*;
use serde_json::json;

use crate::arguments::{Int, instant, player};
use crate::errors::{Fallible as _, argument};
use crate::results::plain;
use crate::reward::Named;
use crate::rules::digest;

/// An event that came through the door, or an operator's order. Give it to `Engine.submit`.
#[pyclass(module = "liveops", frozen, eq)]
#[derive(Clone, PartialEq)]
pub(crate) struct Command(pub(crate) Core);

#[pymethods]
impl Command {
    /// Support's correction of a player's XP total, with the reason: 1 to 256 bytes.
    #[staticmethod]
    #[pyo3(signature = (id, player_id, xp, reason, *, now_ms=None, now=None))]
    fn adjust(
        py: Python<'_>,
        id: &str,
        player_id: &str,
        xp: Int<i64>,
        reason: &str,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let (id, player) = (EventId::new(id).or_raise(py)?, player(py, player_id)?);
        Core::adjust(id, player, instant(py, now_ms, now)?, xp.0, reason).or_raise(py).map(Self)
    }

    /// Settles a suspicion by its number: `release` (honest: what was held is decided now) or `confirm`.
    #[staticmethod]
    #[pyo3(signature = (id, player_id, suspicion, ruling, *, now_ms=None, now=None))]
    fn review(
        py: Python<'_>,
        id: &str,
        player_id: &str,
        suspicion: Int<u64>,
        ruling: &str,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let ruling = match ruling {
            "release" => Ruling::Release,
            "confirm" => Ruling::Confirm,
            _ => return Err(argument(py, Code::InvalidArgument, "a ruling is release or confirm")),
        };
        let (id, player) = (EventId::new(id).or_raise(py)?, player(py, player_id)?);
        Ok(Self(Core::review(id, player, instant(py, now_ms, now)?, suspicion.0, ruling)))
    }

    /// Takes a player off every board, or shows them again.
    #[staticmethod]
    #[pyo3(signature = (id, player_id, hidden, *, now_ms=None, now=None))]
    fn set_visibility(
        py: Python<'_>,
        id: &str,
        player_id: &str,
        hidden: bool,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let (id, player) = (EventId::new(id).or_raise(py)?, player(py, player_id)?);
        Ok(Self(Core::set_visibility(id, player, instant(py, now_ms, now)?, hidden)))
    }

    /// Forgets a player.
    #[staticmethod]
    #[pyo3(signature = (id, player_id, *, now_ms=None, now=None))]
    fn erase(
        py: Python<'_>,
        id: &str,
        player_id: &str,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let (id, player) = (EventId::new(id).or_raise(py)?, player(py, player_id)?);
        Ok(Self(Core::erase(id, player, instant(py, now_ms, now)?)))
    }

    /// Gives a player what a receipt says can be claimed; `receipt` is the `Receipt`, its dict, or a tuple of its number and id.
    /// The command's id follows from receipt and time: whoever lost track makes it anew, and what was claimed before is
    /// `replayed`.
    ///
    /// Time to claim counts from the decision, and what waits is kept for it, also when others of its age are trimmed. Refused
    /// are `receipt_unknown` for one that is not kept, `claim_expired`, and `receipt_settled` for what was given at once or was
    /// revoked.
    #[staticmethod]
    #[pyo3(signature = (player_id, receipt, *, now_ms=None, now=None))]
    fn claim(
        py: Python<'_>,
        player_id: &str,
        receipt: Named,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        Ok(Self(Core::claim(player(py, player_id)?, receipt.0, instant(py, now_ms, now)?)))
    }

    /// Takes back what a receipt gave, with the reason, 1 to 256 bytes: a new receipt of negative amounts. What was not
    /// claimed can no longer be.
    ///
    /// Refused are `receipt_unknown`, and `receipt_settled` for one that was revoked before or is a claw-back itself.
    #[staticmethod]
    #[pyo3(signature = (id, player_id, receipt, reason, *, now_ms=None, now=None))]
    fn revoke(
        py: Python<'_>,
        id: &str,
        player_id: &str,
        receipt: Named,
        reason: &str,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let (id, player) = (EventId::new(id).or_raise(py)?, player(py, player_id)?);
        Core::revoke(id, player, instant(py, now_ms, now)?, receipt.0, reason).or_raise(py).map(Self)
    }

    /// Brings a player to the level curve of the rules in force, by its hash (`engine.rules.levels.hash`); `Engine.migrations`
    /// makes these for everybody. The id follows from curve, time and the player's version (`Player.version`, 0 of nobody), since a
    /// curve may come into force twice. Refused with `curve_changed` under another curve, and with
    /// `curve_unknown` where the rules do not lead on from the player's: that passes once they list it.
    #[staticmethod]
    #[pyo3(signature = (player_id, curve_hash, version, *, now_ms=None, now=None))]
    fn migrate(
        py: Python<'_>,
        player_id: &str,
        curve_hash: &str,
        version: Int<u64>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let (player, curve) = (player(py, player_id)?, digest(py, curve_hash)?);
        Ok(Self(Core::migrate(player, curve, version.0, instant(py, now_ms, now)?)))
    }

    /// Its name.
    #[getter]
    fn id(&self) -> &str {
        self.0.id.id.as_str()
    }

    /// `event` or `operator`: ids of the two never meet.
    #[getter]
    fn origin(&self) -> &'static str {
        match self.0.id.origin {
            Origin::Event => "event",
            Origin::Operator => "operator",
        }
    }

    /// Whose state it changes.
    #[getter]
    fn player_id(&self) -> &str {
        self.0.player.as_str()
    }

    /// When it happened or was ordered, in Unix milliseconds.
    #[getter]
    fn ts_ms(&self) -> i64 {
        self.0.ts.as_unix_millis()
    }

    /// When this copy came in, in Unix milliseconds.
    #[getter]
    fn received_at_ms(&self) -> i64 {
        self.0.received_at.as_unix_millis()
    }

    /// The event's type; of an order `adjust`, `review`, `setVisibility`, `erase`, `payout`, `claim`, `revoke` or `migrate`.
    #[getter]
    fn r#type(&self) -> &str {
        match &self.0.action {
            Action::Event { kind, .. } => kind.as_str(),
            Action::Adjust { .. } => "adjust",
            Action::Review { .. } => "review",
            Action::SetVisibility { .. } => "setVisibility",
            Action::Erase => "erase",
            Action::Payout(_) => "payout",
            Action::Claim(_) => "claim",
            Action::Revoke { .. } => "revoke",
            Action::Migrate { .. } => "migrate",
            _ => "unknown",
        }
    }

    /// What happened, field by field.
    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain(py, &self.payload_json())
    }

    /// As JSON writes it, with camelCase keys.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let dict = json!({
            "id": self.id(),
            "type": self.r#type(),
            "playerId": self.player_id(),
            "ts": self.0.ts.as_unix_seconds(),
            "payload": self.payload_json(),
        });
        plain(py, &dict)
    }

    fn __repr__(&self) -> String {
        format!("Command(type='{}', id='{}', player_id='{}')", self.r#type(), self.id(), self.player_id())
    }
}

impl Command {
    fn payload_json(&self) -> serde_json::Value {
        match &self.0.action {
            Action::Event { payload, .. } => json!(payload),
            Action::Adjust { xp, reason } => json!({"xp": xp, "reason": reason.as_str()}),
            Action::Review { suspicion, ruling } => json!({"suspicion": suspicion, "ruling": ruling}),
            Action::SetVisibility { hidden } => json!({"hidden": hidden}),
            Action::Payout(payment) => {
                let Payment { board: BoardKey { board, period }, tier, rank, items } = &**payment;
                let (window, index) = (period.window, period.index);
                json!({"board": board, "window": window, "index": index, "tier": tier, "rank": rank, "items": items})
            }
            Action::Claim(receipt) => json!({"receipt": named(*receipt)}),
            Action::Revoke { receipt, reason } => json!({"receipt": named(*receipt), "reason": reason.as_str()}),
            Action::Migrate { curve } => json!({"curve": curve}),
            _ => json!({}),
        }
    }
}

fn named(ReceiptName { number, id }: ReceiptName) -> serde_json::Value {
    json!({"number": number, "id": id})
}
