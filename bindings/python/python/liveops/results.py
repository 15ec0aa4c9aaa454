"""Results: frozen classes that compare by value, pickle, and say themselves as JSON by `to_dict()`.

Attributes are snake_case, keys of `to_dict()` camelCase, as Rust and Node write them. Times are Unix milliseconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar

from . import _native
from .errors import SignatureError, as_pydantic

__all__ = [
    "ArchivedRow",
    "Award",
    "Baseline",
    "BoardPeriod",
    "Cause",
    "Effect",
    "FeedEntry",
    "FeedOutcome",
    "Grant",
    "Heading",
    "Horizon",
    "Issue",
    "Item",
    "Judgement",
    "LevelProgress",
    "LineError",
    "Odds",
    "OpenHold",
    "Page",
    "Period",
    "Player",
    "Receipt",
    "Result",
    "Row",
    "Scope",
    "ScopeEvent",
    "ScopePayout",
    "Score",
    "Suspicion",
    "Verdict",
    "Verified",
]

R = TypeVar("R", bound="Result")

_REASONS = _native.verdict_reasons()


class Result:
    """What all results share."""

    __slots__ = ()

    #: Classes of the fields that are results themselves, or tuples of results.
    _nested: ClassVar[dict[str, type[Result]]] = {}
    #: Fields that JSON leaves out when they are None.
    _optional: ClassVar[frozenset[str]] = frozenset()

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it, with camelCase keys."""
        wire = {}
        for name, key, _ in _layout(type(self)):
            value = getattr(self, name)
            if value is None and name in self._optional:
                continue
            wire[key] = _to_wire(value)
        return wire

    @classmethod
    def from_dict(cls: type[R], wire: dict[str, Any]) -> R:
        """The inverse of `to_dict()`."""
        values = {}
        for name, key, nested in _layout(cls):
            value = wire.get(key)
            if isinstance(value, list):
                value = tuple(value if nested is None else (nested.from_dict(element) for element in value))
            elif nested is not None and value is not None:
                value = nested.from_dict(value)
            values[name] = value
        return cls(**values)

    @classmethod
    def from_json(cls: type[R], text: str) -> R:
        """One, from JSON."""
        return cls.from_dict(json.loads(text))

    @classmethod
    def list_from_json(cls: type[R], text: str) -> list[R]:
        """Several, from JSON."""
        return [cls.from_dict(wire) for wire in json.loads(text)]


#: Each field's name, its key in JSON and the class of what it holds.
_Layout = tuple[tuple[str, str, "type[Result] | None"], ...]
_layouts: dict[type[Result], _Layout] = {}


def _layout(cls: type[Result]) -> _Layout:
    layout = _layouts.get(cls)
    if layout is None:
        names = (field.name for field in fields(cls))  # type: ignore[arg-type]
        layout = _layouts[cls] = tuple((name, _camel(name), cls._nested.get(name)) for name in names)
    return layout


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _to_wire(value: Any) -> Any:
    if isinstance(value, Result):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_to_wire(element) for element in value]
    return value


@dataclass(frozen=True, slots=True)
class Issue(Result):
    """One thing that is wrong with a body. Never contains a value of it.

    `path` is a JSON Pointer, `limit` the bound that was passed, `offset` the byte at which reading stopped if the body is no
    JSON; the latter two are None where there is no such thing.
    """

    _optional = frozenset({"limit", "offset"})

    code: str
    path: str
    message: str
    limit: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class LineError(Result):
    """Why a line of a batch is no event. Lines count from 1."""

    _nested = {"issues": Issue}

    line: int
    issues: tuple[Issue, ...]

    @property
    def code(self) -> str:
        """The first issue's."""
        return self.issues[0].code

    def errors(self) -> list[dict[str, Any]]:
        """The issues in pydantic's shape, as a `ValidationError` has them."""
        return [as_pydantic(issue) for issue in self.issues]

    def __str__(self) -> str:
        first, *more = self.issues
        place = f" at {first.path}" if first.path else ""
        return f"line {self.line}: {first.code}{place}: {first.message}" + (f" (and {len(more)} more)" if more else "")


@dataclass(frozen=True, slots=True)
class Item(Result):
    """An amount of something that the game hands out: 100 gold, one crown."""

    kind: str
    id: str
    amount: int


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
class Scope(Result):
    """What a reward was given for: a level, an event or a place on a board; the others are None."""

    _nested = {"event": ScopeEvent, "payout": ScopePayout}
    _optional = frozenset({"level", "event", "payout"})

    level: int | None = None
    event: ScopeEvent | None = None
    payout: ScopePayout | None = None


@dataclass(frozen=True, slots=True)
class Cause(Result):
    """A command by its id; `origin` is `event` or `operator`."""

    origin: str
    id: str


@dataclass(frozen=True, slots=True)
class Receipt(Result):
    """Proof of one reward; a link of the player's chain. Deliver by `id`: the same reward has the same id for ever."""

    _nested = {"scope": Scope, "items": Item, "cause": Cause}

    number: int
    id: str
    reward: str
    scope: Scope
    items: tuple[Item, ...]
    cause: Cause
    ts: int
    rules: str
    previous: str


@dataclass(frozen=True, slots=True)
class Grant(Result):
    """What became of the XP asked for: `requested + boost - over_daily_cap - over_max_level == granted`."""

    requested: int
    boost: int
    over_daily_cap: int
    over_max_level: int
    granted: int


@dataclass(frozen=True, slots=True)
class BoardPeriod(Result):
    """One period of one board."""

    board: str
    window: str
    index: int


@dataclass(frozen=True, slots=True)
class Baseline(Result):
    """What a value was compared with."""

    n: int
    mean: float
    sd: float
    source: str


@dataclass(frozen=True, slots=True)
class Verdict(Result):
    """What a detector says of one value, and why. `action` is `allow`, `flag` or `hold`."""

    _nested = {"baseline": Baseline}

    score: float
    threshold: float
    direction: str
    reason: str
    baseline: Baseline
    action: str

    @property
    def is_anomaly(self) -> bool:
        """Whether the value is an anomaly, whatever is done about it."""
        return self.reason not in ("usual", "tooFewSamples")

    def describe(self) -> str:
        """The reason as a sentence for people."""
        return _REASONS[self.reason]


@dataclass(frozen=True, slots=True)
class Judgement(Result):
    """What one detector of the rules said."""

    _nested = {"baseline": Baseline}

    detector: str
    score: float
    threshold: float
    direction: str
    reason: str
    baseline: Baseline
    action: str

    def describe(self) -> str:
        """The reason as a sentence for people."""
        return _REASONS[self.reason]


@dataclass(frozen=True, slots=True)
class Effect(Result):
    """What a command did. `held` and `flagged` are numbers of suspicions."""

    _nested = {"xp": Grant, "receipts": Receipt, "late": BoardPeriod, "verdicts": Judgement}

    held: int | None
    flagged: int | None
    xp: Grant
    adjusted: int
    level: int
    receipts: tuple[Receipt, ...]
    late: tuple[BoardPeriod, ...]
    verdicts: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class Player(Result):
    """One player. `to_next` is None at the last level; `version` counts applied commands."""

    player_id: str
    xp: int
    level: int
    into_level: int
    to_next: int | None
    hidden: bool
    receipts: int
    version: int


@dataclass(frozen=True, slots=True)
class Suspicion(Result):
    """A suspicious event, in its wire form. `settled` is `open`, `released` or `confirmed`."""

    _nested = {"verdicts": Judgement}

    player_id: str
    number: int
    event: dict[str, Any]
    received_at: int
    held: bool
    verdicts: tuple[Judgement, ...]
    settled: str


@dataclass(frozen=True, slots=True)
class Row(Result):
    """One line of a page of a board."""

    rank: int
    player_id: str
    score: int
    subscore: int
    reached_at: int

    def __str__(self) -> str:
        subscore = f" ({self.subscore})" if self.subscore else ""
        return f"{self.rank:>4}. {self.player_id:<24} {self.score:>12}{subscore}"


@dataclass(frozen=True, slots=True)
class Page(Result):
    """Some rows, best first, and the cursor behind the last of them; None at the end of the board.

    A cursor is a text that may be handed out; the next page begins with whoever stands behind it by then. It is no secret
    and not signed: it names the owner and the score of the page's last row.
    """

    _nested = {"rows": Row}

    rows: tuple[Row, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Score(Result):
    """A score and what decides between equal scores."""

    score: int
    subscore: int


@dataclass(frozen=True, slots=True)
class Period(Result):
    """One stretch of a window, from `start` until just before `end`, in Unix milliseconds.

    Between `end` and `closes_at` lies the grace, in which it still takes events of its own time. What has no beginning or
    no end has None: all time, and seasons that a table does not have. `index` counts from the period that holds 1970-01-01
    local time, or in a table of seasons from its first line.
    """

    window: str
    index: int
    label: str
    start: int | None
    end: int | None
    closes_at: int | None


@dataclass(frozen=True, slots=True)
class Award(Result):
    """What one owner of a finished board gets: the tier that the rank is in."""

    player_id: str
    rank: int
    tier: str
    score: int
    subscore: int


@dataclass(frozen=True, slots=True)
class OpenHold(Result):
    """A held event that waits for a review. `suspicion` is its number, which a review names; `ts` is the event's time."""

    player_id: str
    suspicion: int
    ts: int


@dataclass(frozen=True, slots=True)
class Heading(Result):
    """What an archive is of."""

    _nested = {"period": Period}

    board: str
    period: Period
    order: str
    ties: str
    ranking: str


@dataclass(frozen=True, slots=True)
class ArchivedRow(Result):
    """One line of an archive. Whose it is, only its names know."""

    rank: int
    score: int
    subscore: int
    reached_at: int


@dataclass(frozen=True, slots=True)
class Horizon(Result):
    """How far a store has been moved in time."""

    now: int
    forgotten_before: int


@dataclass(frozen=True, slots=True)
class FeedOutcome(Result):
    """The first outcome of one command in a change set."""

    _nested = {"id": Cause, "effect": Effect}

    id: Cause
    ts: int
    effect: Effect


@dataclass(frozen=True, slots=True)
class FeedEntry(Result):
    """One committed change set: a run of commands of one player. `forget` says that the player was erased first."""

    _nested = {"outcomes": FeedOutcome, "receipts": Receipt, "suspicions": Suspicion}

    cursor: int
    player_id: str
    version: int
    forget: bool
    xp: int
    outcomes: tuple[FeedOutcome, ...]
    receipts: tuple[Receipt, ...]
    suspicions: tuple[Suspicion, ...]


@dataclass(frozen=True, slots=True)
class LevelProgress(Result):
    """Where an XP total stands. `to_next` is None at the highest level."""

    level: int
    into_level: int
    to_next: int | None


@dataclass(frozen=True, slots=True)
class Odds(Result):
    """The odds of one entry of a loot table: `weight` in `total`."""

    entry: str
    weight: int
    total: int


@dataclass(frozen=True, slots=True)
class Verified(Result):
    """Proof that a message was verified. `message_id` is None of a legacy signature, which does not cover headers.

    `player` is the only one the key speaks for, None if it speaks for all: whoever reads the body compares.
    """

    message_id: str | None
    key_id: str | None
    player: str | None

    def check_player(self, player_id: str) -> None:
        """Raises `SignatureError` with `key_player_mismatch` if the key is bound to another player."""
        if self.player not in (None, player_id):
            raise SignatureError("key_player_mismatch")
