"""Arguments that would kill or hang a process, and what they are refused with."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import liveops

NOW_MS = 1_794_052_800_000
RULES = liveops.Rules.from_json(
    '{"version": 1, "game": "emberfall", "boards": {"xp": {"value": "grantedXp", "keepPeriods": {"daily": 2}}}}'
)
KEYS = [liveops.Key("2026", liveops.Secret.generate())]
CURVE = liveops.LevelCurve.table([100, 200])
QUOTA = liveops.Quota(5)


class Liar(list[Any]):
    """A list that says of itself that it is longer than any memory."""

    def __len__(self) -> int:
        return 2**60


# Each call with a list of one's own making.
LISTS: dict[str, Callable[[Any], object]] = {
    "observe_many": lambda values: liveops.ZScore().observe_many(values),
    "family columns": lambda values: liveops.Family().observe_many(liveops.PlayerProfile(), values),
    "family names": lambda values: liveops.Family().observe_many(
        liveops.PlayerProfile(), [1], activity=values, amount=[1.0]
    ),
    "activities": lambda values: liveops.Family(activities=values),
    "batch owners": lambda values: liveops.Leaderboard().submit_batch(values, [1]),
    "batch scores": lambda values: liveops.Leaderboard().submit_batch(["ana"], values),
    "by_owners": lambda values: liveops.Leaderboard().by_owners(values),
    "by_owners of an engine": lambda values: liveops.Engine(RULES).board("xp").at("daily").by_owners(values),
    "by_owners by calendar": lambda values: liveops.WindowedLeaderboard({"daily": 1}).by_owners(
        "daily", values, now_ms=NOW_MS
    ),
    "submit_batch": lambda values: liveops.Engine(RULES).submit_batch(values),
    "Outcomes": lambda values: liveops.Outcomes(values),
    "Verifier": lambda values: liveops.Verifier(keys=values),
    "Signer": lambda values: liveops.Signer(keys=values),
    "Intake": lambda values: liveops.Intake(RULES, keys=values),
    "verify_batch": lambda values: liveops.Verifier(keys=KEYS).verify_batch(values),
    "admit_batch": lambda values: liveops.Intake(RULES, keys=KEYS).admit_batch(values),
    "headers": lambda values: liveops.Verifier(keys=KEYS).verify(values, b"{}"),
    "table": lambda values: liveops.LevelCurve.table(values),
    "polynomial": lambda values: liveops.LevelCurve.polynomial(values, max_level=9),
    "times": lambda values: liveops.LevelCurve.polynomial([1], times=values, max_level=9),
    "piecewise": lambda values: liveops.LevelCurve.piecewise(values, max_level=9),
    "boosts": lambda values: liveops.Progression(CURVE, boosts=values),
    "seasons": lambda values: liveops.Calendar(seasons=values),
    "offsets": lambda values: liveops.Calendar(utc_offset_minutes=0, utc_offset_changes=values),
    "closed_between": lambda values: liveops.Calendar().closed_between(values, 0, 1),
    "check_all": lambda values: liveops.RateLimiter(QUOTA).check_all(values, now_ms=0),
    "tiers": lambda values: liveops.Tiers(values),
    "ranks": lambda values: liveops.Tiers([{"tier": "gold", "ranks": values}]),
    "loot": lambda values: liveops.Loot(values),
    "items": lambda values: liveops.Loot([liveops.LootEntry("crown", 1, values)]),
    "verify_chain": lambda values: liveops.verify_chain(values, "00" * 32),
}


@pytest.mark.parametrize("call", LISTS.values(), ids=LISTS)
def test_a_list_of_any_length_is_an_error(call: Callable[[Any], object]) -> None:
    for values in (range(10**12), range(2**62), Liar([1]), Liar(["ana"]), Liar()):
        try:
            call(values)
        except (liveops.LiveopsError, TypeError, ValueError):
            pass


@pytest.mark.parametrize("name", ["observe_many", "batch scores", "table", "family columns"])
def test_a_list_too_long_is_refused_at_once(name: str) -> None:
    begun = time.monotonic()
    with pytest.raises(liveops.ArgumentError) as error:
        LISTS[name](range(10**12))
    assert error.value.code == "too_long"
    assert time.monotonic() - begun < 1


def test_what_never_ends_is_cut_off() -> None:
    for name, values in {"observe_many": itertools.repeat(1.0), "table": itertools.repeat(1)}.items():
        with pytest.raises(liveops.ArgumentError) as error:
            LISTS[name](values)
        assert error.value.code == "too_long"


def test_a_capacity_is_bounded() -> None:
    for make in (
        lambda: liveops.Leaderboard(capacity=2**32 - 1),
        lambda: liveops.WindowedLeaderboard({"daily": 1}, capacity=10_000_001),
    ):
        with pytest.raises(liveops.ArgumentError) as error:
            make()
        assert error.value.code == "out_of_range"


def test_closings_are_made_as_they_are_taken() -> None:
    first, last = -62_135_596_800_000, 253_402_300_799_999
    for closings in (RULES.closed_between(first, last), liveops.Engine(RULES).closed_between(first, last)):
        assert isinstance(closings, Iterator)
        assert [period.label for period in itertools.islice(closings, 2)] == ["0001-01-01", "0001-01-02"]


def test_levels_that_no_curve_has() -> None:
    policy = liveops.MigrationPolicy("keepTotalXp")
    player = liveops.PlayerXp(xp=500, granted_through=2**32 - 1)
    plan = liveops.plan_migration(CURVE, liveops.LevelCurve.table([10, 10, 10]), policy, [player])
    assert (plan.players, plan.rise, plan.minted) == (1, 1, ())
