"""Results about experience and levels, and what two of them can do alone."""

from __future__ import annotations

from dataclasses import dataclass

from . import _native
from .result import Result
from .rewards import Cause, Item

__all__ = [
    "Explanation",
    "ExplanationLine",
    "Grant",
    "LevelCount",
    "LevelProgress",
    "LevelShift",
    "Migrated",
    "MigrationForecast",
    "MigrationPlan",
    "Overflow",
    "PlayerXp",
    "Remainder",
    "RewardForecast",
    "Streak",
]


@dataclass(frozen=True, slots=True)
class LevelProgress(Result):
    """Where an XP total stands. `to_next` is None at the highest level."""

    level: int
    into_level: int
    to_next: int | None


@dataclass(frozen=True, slots=True)
class Grant(Result):
    """What became of the XP asked for: `requested + boost - over_daily_cap - over_max_level == granted`.

    The total changes by `granted - taken`.
    """

    requested: int
    boost: int
    over_daily_cap: int
    over_max_level: int
    granted: int
    taken: int = 0


@dataclass(frozen=True, slots=True)
class Remainder(Result):
    """What boosts of one factor have left over of a player's XP: `rest` parts of what stands below its slash.

    `Progression.settle` takes and gives them. Keep them where you like; a player of the engine has them in the record.
    """

    factor: str
    rest: int


@dataclass(frozen=True, slots=True)
class Streak(Result):
    """Days in a row, by the index of the day in a calendar: a day of 23 or 25 hours is one day.

    `length` counts the days up to `last_day`, and `longest` is the most there ever were. Keep it where you like.

    >>> streak, day = Streak().step(100)
    >>> streak, day = streak.step(101)
    >>> day, streak.step(101)[1], streak.step(103)[1], streak.step(103, 1)[1]
    (2, None, 1, 3)
    >>> streak.length_on(102), streak.length_on(103)
    (2, 0)
    """

    last_day: int = 0
    length: int = 0
    longest: int = 0

    def step(self, day: int, missed_days_max: int = 0) -> tuple[Streak, int | None]:
        """The streak with a day taken in, and which day of it that is; None for a day that counted already, or came late.

        Up to `missed_days_max` days may be missing between two, and the streak still goes on; they do not count themselves.
        """
        *after, counted = _native.streak_step((self.last_day, self.length, self.longest), day, missed_days_max)
        return Streak(*after), counted

    def length_on(self, day: int, missed_days_max: int = 0) -> int:
        """Days in a row as they stand on a day: 0 once the streak cannot go on any more."""
        return _native.streak_length_on((self.last_day, self.length, self.longest), day, missed_days_max)


@dataclass(frozen=True, slots=True)
class Overflow(Result):
    """Experience gathered beyond the highest level: `units` made of it ever, and the `rest` that does not make one yet.

    >>> first = Overflow().gather(2_300, 1_000)
    >>> first, first.gather(700, 1_000).units - first.units
    (Overflow(units=2, rest=300), 1)
    """

    units: int = 0
    rest: int = 0

    def gather(self, surplus: int, every: int) -> Overflow:
        """With more experience, and the units that it gives, each for `every`. What was turned is never turned again.

        `ArgumentError` with `score_overflow` when a count would pass 2**53 - 1.
        """
        return Overflow(*_native.overflow_gather((self.units, self.rest), surplus, every))


@dataclass(frozen=True, slots=True)
class PlayerXp(Result):
    """What a migration changes of a player: the XP total, and the level through which rewards were granted."""

    xp: int
    granted_through: int


@dataclass(frozen=True, slots=True)
class LevelShift(Result):
    """How many players go from one level to another."""

    from_level: int
    to_level: int
    players: int


@dataclass(frozen=True, slots=True)
class LevelCount(Result):
    """Players by level."""

    level: int
    players: int


@dataclass(frozen=True, slots=True)
class MigrationPlan(Result):
    """What a change of level curves would do. `minted` counts by level the players who would be rewarded for it, `skipped` those
    who go without because the policy skips it. All lists are sorted.
    """

    _nested = {"shifts": LevelShift, "minted": LevelCount, "skipped": LevelCount}

    players: int
    rise: int
    fall: int
    stay: int
    shifts: tuple[LevelShift, ...]
    minted: tuple[LevelCount, ...]
    skipped: tuple[LevelCount, ...]


@dataclass(frozen=True, slots=True)
class RewardForecast(Result):
    """What one reward would mint: receipts, the items in all, and of a loot table how many rolls."""

    _nested = {"items": Item}

    reward: str
    receipts: int
    items: tuple[Item, ...]
    rolls: int


@dataclass(frozen=True)
class MigrationForecast(MigrationPlan):
    """What new rules would make of all players: the plan, and what is minted by reward.

    `unknown` counts players on curves that the new rules do not lead on from, who are in no other number: what they send would be
    refused as `curve_unknown`, which is transient, until the rules list these curves under `migrations`.
    """

    # Named, since `slots=True` would name those of the plan again for type checkers.
    __slots__ = ("rewards", "unknown")

    _nested = {**MigrationPlan._nested, "rewards": RewardForecast}

    rewards: tuple[RewardForecast, ...]
    unknown: int


@dataclass(frozen=True, slots=True)
class Migrated(Result):
    """A player brought from one level curve to another: XP and level before, under the old one, and after, under the new."""

    from_xp: int
    to_xp: int
    from_level: int
    to_level: int


@dataclass(frozen=True, slots=True)
class ExplanationLine(Result):
    """One line of an `Explanation`. `topic` is `level`, `xp`, `held`, `dailyCap`, `streak`, `overflow` or `reward`.

    `xp` is what it added to the total or took away, 0 where it is about something else. `ts` says when what it is about happened,
    `cause` which command did it, `receipt` is a receipt's id; None where there is no such thing.
    """

    _nested = {"cause": Cause}
    _optional = frozenset({"ts", "cause", "receipt"})

    topic: str
    text: str
    xp: int
    ts: int | None = None
    cause: Cause | None = None
    receipt: str | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Explanation(Result):
    """Why a player has this XP, this level and these rewards. The `xp` of all lines is the player's; `str()` prints them."""

    _nested = {"lines": ExplanationLine}

    player_id: str
    xp: int
    level: int
    lines: tuple[ExplanationLine, ...]

    def __str__(self) -> str:
        return "\n".join(line.text for line in self.lines)
