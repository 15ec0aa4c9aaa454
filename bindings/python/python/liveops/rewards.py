"""Results about rewards: items, loot and receipts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from . import _native
from .result import Result

__all__ = [
    "Cause",
    "Item",
    "LootEntry",
    "Odds",
    "Pity",
    "Receipt",
    "Roll",
    "RollProof",
    "Scope",
    "ScopeEvent",
    "ScopeOverflow",
    "ScopePayout",
    "ScopeRevoke",
    "ScopeStreak",
]


@dataclass(frozen=True, slots=True)
class Item(Result):
    """An amount of something that the game hands out: 100 gold, one crown.

    In a claw-back the amount is negative: whoever adds amounts to an inventory is always right.
    """

    kind: str
    id: str
    amount: int


@dataclass(frozen=True, slots=True)
class LootEntry(Result):
    """One possible outcome of a roll: `weight` in the sum of all weights. It may give nothing."""

    _nested = {"items": Item}

    name: str
    weight: int
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Pity(Result):
    """However unlucky, a player gets the entry at the latest with the `guaranteed_at`-th roll without it."""

    entry: str
    guaranteed_at: int


@dataclass(frozen=True, slots=True)
class Odds(Result):
    """The odds of one entry of a loot table: `weight` in `total` in a roll that pity does not decide, and `long_run`, a part of
    one with 15 digits, over many rolls, pity's included: what detectors of drops compare with."""

    entry: str
    weight: int
    total: int
    long_run: Decimal

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it, with camelCase keys."""
        return {
            "entry": self.entry,
            "weight": self.weight,
            "total": self.total,
            "longRun": f"{self.long_run:f}",
        }

    @classmethod
    def from_dict(cls, wire: dict[str, Any]) -> Odds:
        """The inverse of `to_dict()`."""
        return cls(wire["entry"], wire["weight"], wire["total"], Decimal(wire["longRun"]))


@dataclass(frozen=True, slots=True)
class Roll(Result):
    """What a roll gave. `misses_after` counts rolls in a row without the entry that pity is for, this one included."""

    entry: str
    nonce: int
    misses_after: int


@dataclass(frozen=True, slots=True)
class ScopeEvent(Result):
    """The event that a reward was given for."""

    id: str
    ts: int


@dataclass(frozen=True, slots=True)
class ScopePayout(Result):
    """The tier of a finished period of a board that a reward was given for."""

    board: str
    window: str
    index: int
    tier: str


@dataclass(frozen=True, slots=True)
class ScopeStreak(Result):
    """The day of a streak that a reward was given for, by its index in the calendar."""

    streak: str
    day: int


@dataclass(frozen=True, slots=True)
class ScopeOverflow(Result):
    """Experience beyond the highest level, turned into `units` ever, with those of this receipt."""

    units: int


@dataclass(frozen=True, slots=True)
class ScopeRevoke(Result):
    """The earlier receipt that is taken back, by its number and id."""

    number: int
    receipt: str


@dataclass(frozen=True, slots=True)
class Scope(Result):
    """What a reward was given for, or what is taken back: one of these; the others are None."""

    _nested = {
        "event": ScopeEvent,
        "payout": ScopePayout,
        "streak": ScopeStreak,
        "overflow": ScopeOverflow,
        "revoke": ScopeRevoke,
    }
    _optional = frozenset({"level", "event", "payout", "streak", "overflow", "revoke"})

    level: int | None = None
    event: ScopeEvent | None = None
    payout: ScopePayout | None = None
    streak: ScopeStreak | None = None
    overflow: ScopeOverflow | None = None
    revoke: ScopeRevoke | None = None


@dataclass(frozen=True, slots=True)
class Cause(Result):
    """A command by its id; `origin` is `event` or `operator`."""

    origin: str
    id: str


@dataclass(frozen=True, slots=True)
class RollProof(Result):
    """How an engine rolled what is in a receipt: all that `Loot.verify_receipt` wants to know but the seed and the player.

    `nonce` is the player's number of this roll on the `table`: the first has the time it came in at, in Unix milliseconds, and
    each further one the next number, so that a gap shows. `misses` counts rolls in a row, before this one, without the entry that
    pity is for.
    """

    table: str
    entry: str
    nonce: int
    misses: int


@dataclass(frozen=True, slots=True)
class Receipt(Result):
    """Proof of one reward; a link of the player's chain. Deliver by `id`: the same reward has the same id for ever.

    `state` is `issued`, given at once; `claimable`, which waits; `claimed`; or `revoked`. It is no part of the chain: it changes,
    and the chain does not. `claim_until` is the first instant at which it can no longer be claimed: time to claim counts from the
    decision, and an event that was hours on its way takes none of it. `roll` is how the items were rolled, and as
    `claim_until` a part of the chain; `settled_at` is when it was claimed or revoked. None where there is no such thing.
    """

    _nested = {"scope": Scope, "items": Item, "cause": Cause, "roll": RollProof}
    _optional = frozenset({"claim_until", "roll", "settled_at"})

    number: int
    id: str
    reward: str
    scope: Scope
    items: tuple[Item, ...]
    cause: Cause
    ts: int
    rules: str
    previous: str
    claim_until: int | None = None
    roll: RollProof | None = None
    state: str = "issued"
    settled_at: int | None = None

    def state_at(self, now: int | datetime) -> str:
        """Where it stands at a time, in milliseconds or as an aware datetime: what was not claimed in time is `expired`."""
        return _native.receipt_state_at(self, now)

    def hash(self) -> str:
        """What the next receipt points back to as `previous`: 64 hex digits."""
        return _native.receipt_hash(self)
