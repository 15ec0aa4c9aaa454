"""Results: frozen classes that compare by value, pickle, and say themselves as JSON by `to_dict()`.

Attributes are snake_case, keys of `to_dict()` camelCase, as Rust and Node write them. Times are Unix milliseconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from ._native import Command
from .errors import SignatureError, as_pydantic
from .progression import (
    Explanation,
    ExplanationLine,
    Grant,
    LevelCount,
    LevelProgress,
    LevelShift,
    Migrated,
    MigrationForecast,
    MigrationPlan,
    Overflow,
    PlayerXp,
    Remainder,
    RewardForecast,
    Streak,
)
from .result import Result
from .rewards import (
    Cause,
    Item,
    LootEntry,
    Odds,
    Pity,
    Receipt,
    Roll,
    RollProof,
    Scope,
    ScopeEvent,
    ScopeOverflow,
    ScopePayout,
    ScopeRevoke,
    ScopeStreak,
)
from .verdicts import (
    Baseline,
    Calibration,
    DetectorBatch,
    FamilyBatch,
    FamilyDetector,
    FamilyFinding,
    FamilyScores,
    HistoryCount,
    IndexedVerdict,
    Judgement,
    Thresholds,
    Verdict,
    VerdictAction,
    VerdictReason,
)

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "ArchivedRow",
    "Award",
    "Baseline",
    "BoardPeriod",
    "Calibration",
    "Cause",
    "ConsumerMark",
    "DetectorBatch",
    "DroppedPeriods",
    "Effect",
    "EngineStatus",
    "Explanation",
    "ExplanationLine",
    "FamilyBatch",
    "FamilyDetector",
    "FamilyFinding",
    "FamilyScores",
    "FeedAdvance",
    "FeedEntry",
    "FeedOutcome",
    "FeedPage",
    "Grant",
    "Heading",
    "HistoryCount",
    "Horizon",
    "IndexedVerdict",
    "Issue",
    "Item",
    "Judgement",
    "Lag",
    "LevelCount",
    "LevelProgress",
    "LevelShift",
    "LineError",
    "Listing",
    "LootEntry",
    "Migrated",
    "MigrationForecast",
    "MigrationPlan",
    "Odds",
    "OpenHold",
    "Overflow",
    "Page",
    "PaidPeriod",
    "PayRun",
    "Period",
    "Pity",
    "Player",
    "PlayerXp",
    "Receipt",
    "Remainder",
    "Result",
    "RewardForecast",
    "Roll",
    "RollProof",
    "Row",
    "RulesWarning",
    "Run",
    "Scope",
    "ScopeEvent",
    "ScopeOverflow",
    "ScopePayout",
    "ScopeRevoke",
    "ScopeStreak",
    "Score",
    "StoreStatus",
    "Streak",
    "Suspicion",
    "Thresholds",
    "Unpaid",
    "Verdict",
    "VerdictAction",
    "VerdictReason",
    "Verified",
]

T = TypeVar("T")


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
class RulesWarning(Result):
    """Something in a rules document that may be meant, or not. The rules are in force all the same.

    `path` is a JSON Pointer, `code` what kind of thing, `message` what follows from it.
    """

    path: str
    code: Literal["no_effect", "never_reached", "covered", "foreseeable", "unfed", "unused"]
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


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
class BoardPeriod(Result):
    """One period of one board."""

    board: str
    window: str
    index: int


@dataclass(frozen=True, slots=True)
class Effect(Result):
    """What a command did. `held` and `flagged` are numbers of suspicions; beside 256 held events that wait a flag has none.

    `receipts` are what is given. Of more than 256 rewards that wait the oldest is among them, `claimed` as if the player had asked.
    `claimable` are rewards that wait, see `Engine.claimable`: nothing is given yet. `migrated` says what a change of the level
    curve made of the player, where this command was the first to meet it.
    """

    _nested = {
        "xp": Grant,
        "receipts": Receipt,
        "late": BoardPeriod,
        "verdicts": Judgement,
        "claimable": Receipt,
        "migrated": Migrated,
    }
    _optional = frozenset({"claimable", "migrated"})

    held: int | None
    flagged: int | None
    xp: Grant
    adjusted: int
    level: int
    receipts: tuple[Receipt, ...]
    late: tuple[BoardPeriod, ...]
    verdicts: tuple[Judgement, ...]
    claimable: tuple[Receipt, ...] = ()
    migrated: Migrated | None = None


@dataclass(frozen=True, slots=True)
class Player(Result):
    """One player. `to_next` is None at the last level; `version` counts applied commands; `streaks` are by name."""

    _nested = {"overflow": Overflow, "streaks": Streak}
    _by_name = frozenset({"streaks"})
    _optional = frozenset({"overflow", "streaks"})

    player_id: str
    xp: int
    level: int
    into_level: int
    to_next: int | None
    hidden: bool
    receipts: int
    version: int
    overflow: Overflow = Overflow()
    streaks: dict[str, Streak] = field(default_factory=dict, hash=False)


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
class Unpaid(Result):
    """Who was not paid, and the code of why."""

    player_id: str
    code: str


@dataclass(frozen=True, slots=True)
class DroppedPeriods(Result):
    """Periods of a window of a board that closed and are no longer kept, from index `first` to `last`: only archives pay them."""

    board: str
    window: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class PaidPeriod(Result):
    """A finished board, and what paying it came to: how many were paid now and by earlier runs, with their receipts, best rank
    first (of those paid before, as long as their outcomes are kept). It goes wherever a period is meant.
    """

    _nested = {"receipts": Receipt, "unpaid": Unpaid, "holds": OpenHold}

    board: str
    window: str
    index: int
    label: str
    closed_at: int
    paid: int
    paid_before: int
    receipts: tuple[Receipt, ...]
    unpaid: tuple[Unpaid, ...]
    holds: tuple[OpenHold, ...]


@dataclass(frozen=True, slots=True)
class PayRun(Result):
    """What one run of `Engine.pay_closed` did. Keep `mark` and pass it to the next run: whatever closed up to it is dealt with.
    It is None until the engine was advanced.
    """

    _nested = {"periods": PaidPeriod, "dropped": DroppedPeriods}

    mark: int | None
    periods: tuple[PaidPeriod, ...]
    dropped: tuple[DroppedPeriods, ...]


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
class Lag(Result):
    """How far the boards of an engine are behind its store. `behind` are entries that are known and not followed yet; `age_millis` is how
    long ago the last look was that succeeded, None before the first; `oldest_transaction_millis` is how old the oldest transaction is
    that holds the boards up, None where none does. A store in the process is never behind.
    """

    behind: int
    age_millis: int | None = None
    oldest_transaction_millis: int | None = None


@dataclass(frozen=True, slots=True)
class EngineStatus(Result):
    """How an engine is. `rules` names the rules in force here, and `rules_seen` those that any process put in force over the store, the
    last of them last, at most eight: after a roll-out every process has the last of them.
    """

    _nested = {"horizon": Horizon, "lag": Lag}

    rules: str
    rules_seen: tuple[str, ...]
    horizon: Horizon
    lag: Lag


@dataclass(frozen=True, slots=True)
class FeedOutcome(Result):
    """The first outcome of one command in a change set."""

    _nested = {"id": Cause, "effect": Effect}

    id: Cause
    ts: int
    effect: Effect


@dataclass(frozen=True, slots=True)
class Run:
    """What led to a change set: one player's commands as they were given, the `Rules.identity` and the horizon that they were decided
    under.
    """

    rules: str
    horizon: Horizon
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class FeedEntry(Result):
    """One committed change set: a run of commands of one player. `forget` says that the player was erased first; `run` is there if the
    engine records.
    """

    _nested = {"outcomes": FeedOutcome, "receipts": Receipt, "suspicions": Suspicion}

    kind: ClassVar[Literal["committed"]] = "committed"

    cursor: str
    player_id: str
    version: int
    forget: bool
    xp: int
    outcomes: tuple[FeedOutcome, ...]
    receipts: tuple[Receipt, ...]
    suspicions: tuple[Suspicion, ...]
    run: Run | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it, with camelCase keys; commands are those of `Command.to_dict()`."""
        wire = {"kind": self.kind, **Result.to_dict(self)}
        run = wire.pop("run")
        if run is not None:
            commands = [command.to_dict() for command in run.commands]
            wire["run"] = {"rules": run.rules, "horizon": run.horizon.to_dict(), "commands": commands}
        return wire

    @classmethod
    def from_dict(cls, wire: dict[str, Any]) -> Self:
        """The inverse of `to_dict()`, but for the run, whose commands only a feed makes."""
        return super(FeedEntry, cls).from_dict({key: value for key, value in wire.items() if key != "run"})

    @staticmethod
    def _page(text: str, runs: list[tuple[str, tuple[int, int], tuple[Command, ...]] | None], next: str) -> FeedPage:
        """From JSON, and what JSON does not hold."""
        items = list[FeedEntry | FeedAdvance]()
        for wire, run in zip(json.loads(text), runs, strict=True):
            if wire["kind"] == "advanced":
                items.append(FeedAdvance.from_dict(wire))
            elif run is None:
                items.append(FeedEntry.from_dict(wire))
            else:
                rules, horizon, commands = run
                items.append(replace(FeedEntry.from_dict(wire), run=Run(rules, Horizon(*horizon), commands)))
        return FeedPage(tuple(items), next)


@dataclass(frozen=True, slots=True)
class FeedAdvance(Result):
    """The horizon rose: what was committed before it in the feed was decided before."""

    kind: ClassVar[Literal["advanced"]] = "advanced"

    cursor: str
    now: int
    forgotten_before: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it, with camelCase keys."""
        return {"kind": self.kind, **Result.to_dict(self)}


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Some entries, and the cursor behind the last of them. There is always one: more may happen."""

    items: tuple[FeedEntry | FeedAdvance, ...]
    next: str


@dataclass(frozen=True, slots=True)
class ConsumerMark(Result):
    """How far a consumer of the feed is: by partition, the cursor through which it acknowledged."""

    consumer: str
    cursors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoreStatus(Result):
    """How a file is. `log_bytes` is the log beside it, of which `log_pages` are not written back yet; `rounds` are transactions that
    wrote `change_sets`, fewer than those where callers shared; `checkpoints` is how often the log was written back, how often that
    failed, and how many microseconds writers waited for it at most. `feed_len_max` is None without a feed.
    """

    sync: str
    file_bytes: int
    log_bytes: int
    log_pages: int
    rounds: int
    change_sets: int
    checkpoints: int
    checkpoints_failed: int
    checkpoint_micros_max: int
    feed: int
    feed_len_max: int | None
    sweep_pending: bool


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """Some of what there is, and the cursor at which the next page begins; None at the end.

    A page may have fewer items than its limit, none even, before the end. A cursor is a text that may be handed out; it is no secret
    and not signed.
    """

    items: tuple[T, ...]
    next: str | None


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
