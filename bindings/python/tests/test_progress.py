"""Curves, grants, streaks, overflow and migrations: each alone, and what an engine makes of them."""

from __future__ import annotations

import json
import math
import pickle
from collections import Counter
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest

import liveops
from conftest import NOW_MS, event

STEEP: dict[str, Any] = {"kind": "table", "costs": [100, 200, 300]}
DAY_MS = 86_400_000


def game(progress: dict[str, Any], **more: Any) -> liveops.Rules:
    gold = {"on": {"everyLevels": 1}, "grant": {"kind": "currency", "id": "gold", "amount": 100}}
    document = {"version": 1, "game": "emberfall", "progress": progress, "rewards": {"gold": gold}, **more}
    return liveops.Rules.from_json(json.dumps(document))


CHEAPER = {
    "curve": {"kind": "table", "costs": [50, 50, 50]},
    "migrations": [{"from": STEEP, "policy": "keepTotalXp", "levelRewards": "grant"}],
}


# Curves.


def test_exact_numbers_in_every_form() -> None:
    forms = ("4/3", Fraction(4, 3), "8/6", Fraction(8, 6))
    curves = [liveops.LevelCurve.exponential(27, form, max_level=5) for form in forms]
    assert all(curve.costs() == [27, 36, 48, 64] for curve in curves)
    decimals = ("1.2", Decimal("1.2"), Fraction(6, 5), Decimal("1.200"))
    assert len({liveops.LevelCurve.exponential(250, form, max_level=60).hash for form in decimals}) == 1
    assert liveops.LevelCurve.exponential(1, Decimal("1E+1"), max_level=4).costs() == [1, 10, 100]
    line = liveops.LevelCurve.polynomial([Fraction(-10, 3), 7, Decimal("0.5")], max_level=4, rounding="nearest")
    assert line.costs() == [4, 13, 22]
    assert line == liveops.LevelCurve.polynomial(["-10/3", "7", "1/2"], max_level=4, rounding="nearest")


@pytest.mark.parametrize("wrong", [1.2, float("nan"), True, None, [1], b"1.2"])
def test_a_float_is_no_exact_number(wrong: Any) -> None:
    for call in (
        lambda: liveops.LevelCurve.exponential(250, wrong, max_level=60),
        lambda: liveops.LevelCurve.polynomial([wrong], max_level=60),
        lambda: liveops.LevelCurve.polynomial([1], times=[wrong], max_level=60),
        lambda: liveops.Boost("b", 0, 1, wrong),
    ):
        with pytest.raises(TypeError) as error:
            call()
        assert not isinstance(wrong, float) or f'write "{wrong!r}"' in str(error.value)


def test_the_hint_is_the_number_itself() -> None:
    class Float64(float):
        """As numpy's."""

        def __repr__(self) -> str:
            return "Float64(1.2)"

    with pytest.raises(TypeError, match='write "1.2"'):
        liveops.LevelCurve.exponential(250, Float64(1.2), max_level=60)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["", "1.", "01", "1e3", "1/0", "1.5/2", "1/1000000001", "--1", " 1", "١", "x" * 100_000])
def test_other_texts_are_refused(wrong: str) -> None:
    for call in (
        lambda: liveops.LevelCurve.exponential(250, wrong, max_level=60),
        lambda: liveops.LevelCurve.polynomial([wrong], max_level=60),
        lambda: liveops.Boost("b", 0, 1, wrong),
    ):
        with pytest.raises(liveops.ArgumentError):
            call()
    with pytest.raises(liveops.ArgumentError):
        liveops.LevelCurve.exponential(250, Fraction(-1, 2), max_level=60)
    with pytest.raises(liveops.ArgumentError):
        liveops.Boost("b", 0, 1, Decimal("NaN"))


def test_totals_in_place_of_costs() -> None:
    assert liveops.LevelCurve.table([0, 300, 900, 2_700], cumulative=True).costs() == [300, 600, 1_800]
    assert liveops.LevelCurve.linear(10, 10, max_level=4, cumulative=True).totals() == [0, 20, 30, 40]
    assert liveops.LevelCurve.exponential(1, 2, max_level=4, cumulative=True).totals() == [0, 2, 4, 8]
    cubes = liveops.LevelCurve.polynomial([0, 0, 0, 1], max_level=100, cumulative=True)
    assert (cubes.total(1), cubes.total(2), cubes.total(100)) == (0, 8, 1_000_000)
    whole = liveops.LevelCurve.piecewise(
        [(1, liveops.LevelCurve.table([0, 5, 9], cumulative=True)), (4, cubes)], max_level=6, cumulative=True
    )
    assert whole.totals() == [0, 5, 9, 64, 125, 216]
    with pytest.raises(liveops.ArgumentError, match="starts at 0"):
        liveops.LevelCurve.table([1, 2], cumulative=True).costs()
    with pytest.raises(liveops.ArgumentError, match="level 3"):
        liveops.LevelCurve.table([0, 5, 9, 9], cumulative=True)
    with pytest.raises(liveops.ArgumentError, match="ends at level 3"):
        liveops.LevelCurve.piecewise([(1, liveops.LevelCurve.table([5, 4]))], max_level=6)
    written = liveops.LevelCurve.from_dict({"kind": "table", "totals": [0, 300]})
    assert liveops.LevelCurve.piecewise([(1, written)], cumulative=True).totals() == [0, 300]
    for piece, cumulative in ((liveops.LevelCurve.table([5, 4]), True), (cubes, False), (written, False)):
        with pytest.raises(liveops.ArgumentError, match="cumulative where the whole is") as error:
            liveops.LevelCurve.piecewise([(1, piece)], max_level=6, cumulative=cumulative)
        assert error.value.code == "invalid_format"
    for starts in ((2,), (1, 1), (1, 9), (0,), (1, 0)):
        with pytest.raises(liveops.ArgumentError):
            liveops.LevelCurve.piecewise([(start, cubes) for start in starts], max_level=6, cumulative=True)


def test_pieces_are_compiled_as_parts_of_the_whole() -> None:
    totals: dict[str, Any] = {"max_level": 32, "cumulative": True}
    rest = liveops.LevelCurve.polynomial(["403", "-45.5", "2.5"], **totals)
    assert repr(rest) == "LevelCurve(a piece)"
    for ask in (rest.costs, lambda: rest.cost(2), lambda: rest.hash, lambda: rest.max_level, lambda: pickle.dumps(rest)):
        with pytest.raises(liveops.ArgumentError, match="cost of level 2") as error:
            ask()
        assert error.value.code == "out_of_range"
    line = liveops.LevelCurve.polynomial([-17, 17], cumulative=True)
    whole = liveops.LevelCurve.piecewise([(1, line), (18, rest)], **totals)
    assert whole.totals()[15:20] == [255, 272, 394, 441, 493]
    document = {"kind": "piecewise", "maxLevel": 32, "cumulative": True, "pieces": [
        {"fromLevel": 1, "kind": "polynomial", "coefficients": ["-17", "17"]},
        {"fromLevel": 18, "kind": "polynomial", "coefficients": ["403", "-45.5", "2.5"]},
    ]}  # fmt: skip
    assert whole == liveops.LevelCurve.from_dict(document)
    assert rest == liveops.LevelCurve.polynomial(["403", "-45.5", "2.5"], **totals) != line
    later = liveops.LevelCurve.table([400, 500], cumulative=True)
    assert liveops.LevelCurve.piecewise([(1, line), (5, later)], cumulative=True).totals() == [0, 17, 34, 51, 400, 500]
    with pytest.raises(liveops.ArgumentError, match="highest level is missing") as missing:
        liveops.LevelCurve.linear(1, 1).costs()
    assert missing.value.code == "missing"
    for wrong in (lambda: liveops.LevelCurve.table([]), lambda: liveops.LevelCurve.table([5, 0])):
        with pytest.raises(liveops.ArgumentError):
            wrong()


def test_a_factor_is_rounded_by_itself() -> None:
    of: dict[str, Any] = {"times": ["637", "-10/3"], "cumulative": True, "max_level": 68}
    assert liveops.LevelCurve.polynomial([0, 0, 0, "1/500"], **of).total(68) == 257_834
    up = liveops.LevelCurve.polynomial([0, 0, 0, "1/500"], **of, times_rounding="ceil")
    assert up.total(68) == 257_834 + 68**3 // 500 + 1
    with pytest.raises(liveops.ArgumentError, match="floor, ceil, nearest"):
        liveops.LevelCurve.polynomial([1], max_level=9, times_rounding="down")  # type: ignore[arg-type]


def test_curves_as_lists_and_ranges() -> None:
    curve = liveops.LevelCurve.table([100, 200, 300])
    assert curve.totals() == [0, 100, 300, 600]
    assert (curve.gained(50, 300), list(curve.gained(0, 10**6))) == (range(2, 4), [2, 3, 4])
    assert not curve.gained(300, 50) and not curve.gained(300, 301)
    assert isinstance(curve.gained(0, 1), range)


def test_curves_by_the_grammar_of_rules() -> None:
    whole = {"kind": "piecewise", "maxLevel": 7, "pieces": [
        {"fromLevel": 1, "kind": "linear", "base": 100, "step": 10},
        {"fromLevel": 4, "kind": "exponential", "base": 250, "growth": "1.2"},
    ]}  # fmt: skip
    curve = liveops.LevelCurve.from_dict(whole)
    assert curve.costs() == [100, 110, 120, 250, 300, 360]
    assert pickle.loads(pickle.dumps(curve)) == curve
    refused: list[tuple[dict[str, Any], str, str]] = [
        ({}, "/kind", "missing"),
        ({"kind": "moon"}, "/kind", "invalid_format"),
        ({"kind": "table", "costs": [5, 0]}, "/costs/1", "out_of_range"),
        ({"kind": "table", "costs": [5, 1.5]}, "/costs/1", "not_integer"),
        ({"kind": "table", "costs": [5, True]}, "/costs/1", "wrong_type"),
        ({"kind": "table", "costs": [5], "x": 1}, "/x", "unknown_field"),
        ({"kind": "exponential", "base": 1, "growth": 1.2, "maxLevel": 9}, "/growth", "not_integer"),
        ({"kind": "linear", "base": 1, "step": 2**60, "maxLevel": 9}, "/step", "out_of_range"),
        ({"kind": "linear", "base": 1, "step": 1}, "", "missing"),
    ]
    for wrong, path, issue in refused:
        with pytest.raises(liveops.RulesError) as error:
            liveops.LevelCurve.from_dict(wrong)
        assert (error.value.path, error.value.issue, error.value.code) == (path, issue, "rules_invalid"), wrong
    for hostile in ({"kind": float("nan")}, {"kind": "\ud800"}, {"kind": "table", "costs": [1] * 20_000}):
        with pytest.raises(liveops.RulesError):
            liveops.LevelCurve.from_dict(hostile)
    others: list[Any] = [[], "table", None, {"kind": {1}}, {"kind": b"table"}]
    for other in others:
        with pytest.raises(TypeError):
            liveops.LevelCurve.from_dict(other)
    circle: dict[str, Any] = {}
    circle["kind"] = circle
    with pytest.raises(ValueError, match="Circular"):
        liveops.LevelCurve.from_dict(circle)


# Grants.


def test_a_grant_adds_up() -> None:
    curve = liveops.LevelCurve.table([100, 200])
    start = datetime.fromtimestamp(NOW_MS / 1000, timezone.utc)
    boost = liveops.Boost("double", start, start + timedelta(days=2), 2)
    assert boost == liveops.Boost("double", NOW_MS, NOW_MS + 2 * DAY_MS, "2.0")
    progression = liveops.Progression(curve, at_max_level="discard", daily_xp_cap=150, boosts=[boost])
    grant = progression.grant(290, 100, granted_today=10, now=start)
    assert grant == liveops.Grant(requested=100, boost=100, over_daily_cap=60, over_max_level=130, granted=10)
    assert progression.grant(0, 100, now_ms=NOW_MS - 1) == liveops.Grant(100, 0, 0, 0, 100)
    assert progression.grant(0, 0).granted == 0, "the clock is read"
    with pytest.raises(liveops.ArgumentError) as error:
        liveops.Progression(curve).grant(2**53 - 1, 1, now_ms=0)
    assert error.value.code == "score_overflow"


def test_losses_stop_at_the_floor() -> None:
    curve = liveops.LevelCurve.table([100, 200])
    level, zero = (liveops.Progression(curve, floor=floor) for floor in ("level", "zero"))
    assert level.grant(130, 0, losses=50, now_ms=0) == liveops.Grant(0, 0, 0, 0, 0, taken=30)
    assert level.grant(90, 20, losses=50, now_ms=0) == liveops.Grant(20, 0, 0, 0, 20, taken=10), "gains come first"
    assert zero.grant(130, 0, losses=50, now_ms=0).taken == 50
    assert zero.grant(30, 0, losses=50, now_ms=0).taken == 30
    with pytest.raises(liveops.ArgumentError) as error:
        liveops.Progression(curve).grant(130, 0, losses=50, now_ms=0)
    assert error.value.code == "invalid_argument"
    wrong: Any = "ground"
    with pytest.raises(liveops.ArgumentError):
        liveops.Progression(curve, floor=wrong)


def test_boosts_leave_nothing_over() -> None:
    quarter = liveops.Progression(liveops.LevelCurve.table([9]), boosts=[liveops.Boost("b", 0, 10, "1.25")])
    total = 0
    remainders: tuple[liveops.Remainder, ...] = ()
    for _ in range(100):
        grant, remainders = quarter.settle(total, 3, remainders=remainders, now_ms=0)
        total += grant.granted
    assert (total, remainders) == (375, ())
    half = liveops.Progression(liveops.LevelCurve.table([9]), boosts=[liveops.Boost("b", 0, 10, "0.5")], floor="zero")
    first, owed = half.settle(0, 1, now_ms=0)
    assert (first.granted, owed) == (0, (liveops.Remainder("1/2", 1),))
    assert liveops.Remainder.from_dict(owed[0].to_dict()) == owed[0]
    second, rest = half.settle(0, 1, losses=5, remainders=iter(owed), now_ms=0)
    assert (second.granted, second.taken, rest) == (1, 1, ())
    wrong: list[tuple[Any, str]] = [
        ([liveops.Remainder("1.25", 1)], "invalid_format"),
        ([liveops.Remainder("5/4", 4)], "out_of_range"),
        ([liveops.Remainder("10/8", 1)], "out_of_range"),
        ([liveops.Remainder("5/4", 1)] * 2, "invalid_argument"),
        ((liveops.Remainder("5/4", 1) for _ in iter(int, 1)), "too_long"),
    ]
    for remainders_given, code in wrong:
        with pytest.raises(liveops.ArgumentError) as error:
            half.settle(0, 1, remainders=remainders_given, now_ms=0)
        assert error.value.code == code


def test_boosts_that_are_too_fine_together_are_refused() -> None:
    boosts = [liveops.Boost("a", 0, 10, "1.000000001"), liveops.Boost("b", 5, 15, "1.00000001")]
    with pytest.raises(liveops.ArgumentError, match=r"boosts\[1\]") as error:
        liveops.Progression(liveops.LevelCurve.table([9]), boosts=boosts)
    assert error.value.code == "out_of_range"
    assert liveops.Progression(liveops.LevelCurve.table([9]), boosts=boosts, boost_stacking="highest").boosts == boosts


@pytest.mark.parametrize(("stacking", "granted"), [("multiply", 300), ("add", 250), ("highest", 200)])
def test_boosts_stack(stacking: Any, granted: int) -> None:
    boosts = (liveops.Boost(f"b{n}", 0, 10, factor) for n, factor in enumerate(["2", "3/2"]))
    progression = liveops.Progression(liveops.LevelCurve.table([9]), boosts=boosts, boost_stacking=stacking)
    assert progression.grant(0, 100, now_ms=9).granted == granted
    assert progression.grant(0, 100, now_ms=10).granted == 100


def test_progressions_compare_pickle_and_tell() -> None:
    boost = liveops.Boost("b", 0, DAY_MS, Fraction(8, 6))
    assert (boost.id, boost.start, boost.end, boost.factor) == ("b", 0, DAY_MS, "4/3")
    assert repr(boost) == "Boost('b', 0, 86400000, '4/3')"
    assert pickle.loads(pickle.dumps(boost)) == boost != liveops.Boost("b", 0, DAY_MS, 2)
    curve = liveops.LevelCurve.table([100, 200])
    of: dict[str, Any] = {"at_max_level": "convert", "daily_xp_cap": 5, "boosts": [boost], "boost_stacking": "add", "floor": "zero"}
    progression = liveops.Progression(curve, **of)
    assert {name: getattr(progression, name) for name in of} == of and progression.curve == curve
    assert pickle.loads(pickle.dumps(progression)) == progression != liveops.Progression(curve)
    assert repr(progression) == "Progression(max_level=3, at_max_level='convert', boosts=1)"
    of_rules = game({"curve": {"kind": "table", "costs": [100, 200]}, "dailyXpCap": 5}).progression
    assert of_rules == liveops.Progression(curve, daily_xp_cap=5)


def test_progressions_refuse() -> None:
    curve = liveops.LevelCurve.table([100, 200])
    boost = liveops.Boost("b", 0, 1, 2)
    with pytest.raises(liveops.ArgumentError, match="bank, discard, convert"):
        liveops.Progression(curve, at_max_level="keep")  # type: ignore[arg-type]
    with pytest.raises(liveops.ArgumentError, match="multiply, add, highest"):
        liveops.Progression(curve, boost_stacking="sum")  # type: ignore[arg-type]
    with pytest.raises(liveops.ArgumentError, match="at most 256"):
        liveops.Progression(curve, boosts=[boost] * 257)
    assert len(liveops.Progression(curve, boosts=[boost] * 256).boosts) == 256
    for boosts in ([None], ["b"], boost, 7):
        with pytest.raises(TypeError):
            liveops.Progression(curve, boosts=boosts)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        liveops.Progression([100, 200])  # type: ignore[arg-type]
    for start, end in ((1, 1), (2, 1)):
        with pytest.raises(liveops.ArgumentError, match="ends after it begins"):
            liveops.Boost("b", start, end, 2)
    with pytest.raises(liveops.ArgumentError) as zero:
        liveops.Boost("b", 0, 1, 0)
    assert zero.value.code == "out_of_range"
    with pytest.raises(liveops.ArgumentError, match="naive"):
        liveops.Boost("b", datetime(2026, 1, 1), 1, 2)


# Days in a row, and what is beyond the top.


def test_streaks() -> None:
    streak = liveops.Streak()
    told = []
    for day in (-2, -1, 0, 2, 2, 3, 6, 5, 7):
        streak, counted = streak.step(day, 1)
        told.append(counted)
    assert told == [1, 2, 3, 4, None, 5, 1, None, 2]
    assert streak == liveops.Streak(last_day=7, length=2, longest=5)
    assert [streak.length_on(day, 1) for day in (7, 9, 10)] == [2, 2, 0]
    assert streak.to_dict() == {"lastDay": 7, "length": 2, "longest": 5}
    assert liveops.Streak.from_dict(streak.to_dict()) == pickle.loads(pickle.dumps(streak)) == streak
    assert streak.step(2**63 - 1, 2**32 - 1)[1] == 1, "however long ago"
    for wrong in (liveops.Streak(1.5), liveops.Streak(0, True), liveops.Streak(0, 0, "7")):  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            wrong.step(1)
    with pytest.raises(liveops.ArgumentError):
        liveops.Streak(0, -1, 0).length_on(1)


def test_overflow() -> None:
    first = liveops.Overflow().gather(2_300, 1_000)
    assert (first, first.gather(700, 1_000)) == (liveops.Overflow(2, 300), liveops.Overflow(3, 0))
    assert liveops.Overflow.from_dict(first.to_dict()) == pickle.loads(pickle.dumps(first)) == first
    for overflow, surplus, every, code in [
        (liveops.Overflow(2**53 - 1, 0), 1, 1, "score_overflow"),
        (liveops.Overflow(), 2**63 - 1, 1, "score_overflow"),
        (first, 1, 0, "out_of_range"),
        (first, -1, 1, "out_of_range"),
    ]:
        with pytest.raises(liveops.ArgumentError) as error:
            overflow.gather(surplus, every)
        assert error.value.code == code


def test_streaks_and_overflow_of_players() -> None:
    convert = {"convert": {"reward": "dust", "every": 100, "grant": {"kind": "currency", "id": "dust", "amount": 1}}}
    rules = game({
        "curve": {"kind": "table", "costs": [100]}, "atMaxLevel": convert, "streaks": {"daily": {"on": "progression"}}
    })  # fmt: skip
    engine = liveops.Engine(rules)
    for day in range(2):
        now_ms = NOW_MS + day * DAY_MS
        [outcome] = engine.submit_ndjson(event(f"e{day}", xp=180, ts=now_ms // 1000), now_ms=now_ms)
        assert outcome.status == "applied"
    player = engine.player("ana")
    assert player is not None
    assert (player.overflow, player.streaks["daily"].length) == (liveops.Overflow(2, 60), 2)
    told = player.to_dict()
    assert told["overflow"] == {"units": 2, "rest": 60}
    assert told["streaks"]["daily"] == player.streaks["daily"].to_dict()
    assert liveops.Player.from_dict(told) == pickle.loads(pickle.dumps(player)) == player
    assert hash(pickle.loads(pickle.dumps(player))) == hash(player)
    scopes = [receipt.scope for receipt in engine.receipts("ana")]
    assert [scope.overflow for scope in scopes if scope.overflow] == [liveops.ScopeOverflow(2)]
    engine.submit(liveops.Command.adjust("o", "bo", 5, "why", now_ms=NOW_MS + DAY_MS)).unwrap()
    plain = engine.player("bo")
    assert plain is not None and (plain.overflow, plain.streaks) == (liveops.Overflow(), {})
    assert not {"overflow", "streaks"} & plain.to_dict().keys()


# Migrations.


def test_policies() -> None:
    old, new = liveops.LevelCurve.table([100, 100]), liveops.LevelCurve.table([100, 300, 500])
    policy = liveops.MigrationPolicy("keepLevelAndFraction")
    assert policy.apply(old, new, 150) == liveops.PlayerXp(xp=250, granted_through=2)
    assert liveops.MigrationPolicy("keepEffort").apply(old, new, 150).xp == 675
    assert liveops.MigrationPolicy("keepTotalXp").apply(old, new, 150, granted_through=1).granted_through == 1
    dearer = liveops.LevelCurve.table([200, 200])
    assert liveops.MigrationPolicy("keepTotalXp", never_lose_a_level=True).apply(old, dearer, 150).xp == 200
    skip = liveops.MigrationPolicy("keepEffort", skip_rewards=True)
    assert skip.apply(old, new, 150).granted_through == 3
    assert skip.to_dict() == {"keep": "keepEffort", "neverLoseALevel": False, "skipRewards": True}
    assert (skip.keep, skip.never_lose_a_level, skip.skip_rewards) == ("keepEffort", False, True)
    assert pickle.loads(pickle.dumps(skip)) == skip != policy
    assert len({skip, policy, liveops.MigrationPolicy("keepEffort", skip_rewards=True)}) == 2
    assert repr(skip) == "MigrationPolicy('keepEffort', never_lose_a_level=False, skip_rewards=True)"
    with pytest.raises(liveops.ArgumentError, match="keepTotalXp, keepLevelAndFraction, keepEffort"):
        liveops.MigrationPolicy("keepXp")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        liveops.MigrationPolicy("keepEffort", skip_rewards=1)  # type: ignore[arg-type]


def test_plans_of_whatever_has_players() -> None:
    old, new = liveops.LevelCurve.table([100, 100]), liveops.LevelCurve.table([50, 50, 50])
    policy = liveops.MigrationPolicy("keepTotalXp")
    totals = [0, 0, 120, 120, 120, 200]
    counts = Counter(totals)
    players = [liveops.PlayerXp(xp, old.level_at(xp)) for xp in totals]
    forms: list[Any] = [
        totals, tuple(totals), iter(totals), counts, dict(counts), list(counts.items()), players,
        Counter(players), [(player, 1) for player in players], [*players[:3], (120, 2), 200],
    ]  # fmt: skip
    plans = [liveops.plan_migration(old, new, policy, form) for form in forms]
    assert all(plan == plans[0] for plan in plans)
    plan = plans[0]
    assert (plan.players, plan.rise, plan.fall, plan.stay) == (6, 4, 0, 2)
    assert plan.minted == (liveops.LevelCount(3, 3), liveops.LevelCount(4, 1)) and plan.skipped == ()
    assert plan.shifts[0] == liveops.LevelShift(from_level=1, to_level=1, players=2)
    assert liveops.MigrationPlan.from_dict(plan.to_dict()) == pickle.loads(pickle.dumps(plan)) == plan
    due = liveops.plan_migration(old, new, policy, [(liveops.PlayerXp(200, 0), 3)])
    assert [(minted.level, minted.players) for minted in due.minted] == [(2, 3), (3, 3), (4, 3)]
    assert liveops.plan_migration(old, new, policy, []).players == 0


def test_plans_refuse_what_are_no_players() -> None:
    old, policy = liveops.LevelCurve.table([100]), liveops.MigrationPolicy("keepTotalXp")
    others: list[Any] = [7, None, "12", [1.5], [True], [(1, 2, 3)], [()], [[1, 2]], [(1, 1.0)], [object()], {1: "2"}]
    for wrong in others:
        with pytest.raises(TypeError):
            liveops.plan_migration(old, old, policy, wrong)
    outside: list[Any] = [[-1], [2**64], [(1, -1)], {1: 2**64}, [liveops.PlayerXp(1, -1)]]
    for wrong in outside:
        with pytest.raises(liveops.ArgumentError):
            liveops.plan_migration(old, old, policy, wrong)

    class Column:
        """As a column of a table: its items are rows and values, not values and counts."""

        def __iter__(self) -> Any:
            return iter([50, 150])

        def items(self) -> Any:
            return [(0, 50), (1, 150)]

    assert liveops.plan_migration(old, old, policy, Column()).players == 2


def test_what_was_planned_is_what_happens() -> None:
    engine = liveops.Engine(game({"curve": STEEP}))
    lines = b"\n".join([event("e1", "ana", 250), event("e1", "bo", 50)])
    assert engine.submit_ndjson(lines, now_ms=NOW_MS).counts() == {"applied": 2}
    cheaper = game(CHEAPER)
    forecast = engine.plan_migration(cheaper)
    assert (forecast.players, forecast.rise, forecast.stay) == (2, 2, 0)
    assert forecast.rewards == (
        liveops.RewardForecast("gold", receipts=3, items=(liveops.Item("currency", "gold", 300),), rolls=0),
    )
    assert (forecast.unknown, forecast.to_dict()["unknown"]) == (0, 0)
    assert liveops.MigrationForecast.from_dict(forecast.to_dict()) == pickle.loads(pickle.dumps(forecast)) == forecast
    assert isinstance(forecast, liveops.MigrationPlan)
    assert list(engine.migrations(now_ms=NOW_MS)) == [], "nothing changed"

    diff = engine.rules.diff(cheaper)
    change = {"from": engine.rules.levels.hash, "to": cheaper.levels.hash, "migrates": True}
    assert diff["levelCurve"] == change
    assert engine.replace_rules(cheaper) == diff
    assert "levelCurve" not in cheaper.diff(cheaper)
    player = engine.player("ana")
    assert player is not None and player.level == 4, "read on the new curve at once"

    commands = list(engine.migrations(now_ms=NOW_MS))
    assert [(command.player_id, command.type) for command in commands] == [("ana", "migrate"), ("bo", "migrate")]
    assert commands[0] == liveops.Command.migrate("ana", cheaper.levels.hash, 1, now_ms=NOW_MS)
    assert commands[0].payload == {"curve": cheaper.levels.hash}
    outcomes = engine.submit_batch(commands)
    effects = [outcome.unwrap() for outcome in outcomes]
    assert sum(len(effect.receipts) for effect in effects) == 3
    assert effects[0].migrated == liveops.Migrated(from_xp=250, to_xp=250, from_level=2, to_level=4)
    assert effects[0].to_dict()["migrated"]["fromLevel"] == 2
    assert pickle.loads(pickle.dumps(outcomes)) == outcomes
    assert pickle.loads(pickle.dumps(outcomes[0])).effect == effects[0]
    assert list(engine.migrations(now_ms=NOW_MS)) == []
    assert engine.submit_batch(commands).counts() == {"replayed": 2}
    stale = engine.submit(liveops.Command.migrate("ana", "00" * 32, 2, now_ms=NOW_MS))
    assert (stale.status, stale.code, stale.http_status) == ("refused", "curve_changed", 409)
    with pytest.raises(liveops.Refusal, match="curve_changed"):
        stale.unwrap()
    for wrong in ("", "00", "zz" * 32, "00" * 33):
        with pytest.raises(liveops.ArgumentError, match="64 hex digits"):
            liveops.Command.migrate("ana", wrong, 1, now_ms=NOW_MS)
    with pytest.raises(TypeError):
        engine.plan_migration("rules")  # type: ignore[arg-type]


def test_rules_that_do_not_know_a_players_curve_refuse_until_they_do() -> None:
    engine = liveops.Engine(game({"curve": STEEP}))
    lines = b"\n".join([event("e1", "ana", 250), event("e1", "bo", 50)])
    engine.submit_ndjson(lines, now_ms=NOW_MS)
    engine.replace_rules(game(CHEAPER))
    engine.submit_ndjson(event("e2", "ana", 10), now_ms=NOW_MS)[0].unwrap()
    # Back to rules that have never heard of the cheaper curve, which ana's total is on by now. bo's never left the old one.
    back = game({"curve": STEEP})
    forecast = engine.plan_migration(back)
    assert (forecast.unknown, forecast.players, forecast.fall) == (1, 1, 1)
    assert liveops.MigrationForecast.from_dict(forecast.to_dict()) == pickle.loads(pickle.dumps(forecast)) == forecast
    engine.replace_rules(back)
    before = engine.digest()
    orders = [
        liveops.Command.adjust("a", "ana", 5, "why", now_ms=NOW_MS),
        liveops.Command.migrate("ana", back.levels.hash, 2, now_ms=NOW_MS),
    ]
    line = event("e3", "ana", 10)
    refused = [*engine.submit_ndjson(line, now_ms=NOW_MS), *engine.submit_batch(orders)]
    for outcome in refused:
        assert (outcome.status, outcome.code, outcome.http_status) == ("refused", "curve_unknown", 503)
        assert outcome.error is not None and outcome.error.is_transient and outcome.error.problem()["status"] == 503
        assert pickle.loads(pickle.dumps(outcome)) == outcome
        with pytest.raises(liveops.Refusal, match="curve_unknown: .*list it in their migrations"):
            outcome.unwrap()
    assert (engine.digest(), list(engine.migrations(now_ms=NOW_MS))) == (before, [])
    # Once they list it, the same event is taken.
    leave = {"policy": "keepLevelAndFraction", "levelRewards": "skip"}
    known = [{"from": STEEP, **leave}, {"from": CHEAPER["curve"], **leave}]
    engine.replace_rules(game({"curve": STEEP, "migrations": known}))
    assert engine.submit_ndjson(line, now_ms=NOW_MS)[0].status == "applied"


def test_explain() -> None:
    engine = liveops.Engine(game({"curve": STEEP, "dailyXpCap": 150}))
    engine.submit_ndjson(event("e1", xp=180), now_ms=NOW_MS)[0].unwrap()
    why = engine.explain("ana", now=datetime.fromtimestamp(NOW_MS / 1000, timezone.utc))
    assert why is not None
    assert (why.player_id, why.xp, why.level) == ("ana", 150, 2) and sum(line.xp for line in why.lines) == 150
    assert [line.topic for line in why.lines] == ["level", "xp", "dailyCap", "reward"]
    assert str(why).splitlines() == [line.text for line in why.lines] == [str(line) for line in why.lines]
    assert str(why).startswith("level 2: 150 XP; it starts at 100")
    asked, reward = why.lines[1], why.lines[3]
    assert (asked.xp, asked.ts, asked.cause) == (150, NOW_MS, liveops.Cause("event", "e1"))
    assert (reward.receipt, asked.receipt) == (engine.receipts("ana")[0].id, None)
    assert "receipt" not in asked.to_dict() and reward.to_dict()["receipt"] == reward.receipt
    assert liveops.Explanation.from_dict(why.to_dict()) == pickle.loads(pickle.dumps(why)) == why
    assert engine.explain("nobody", now_ms=NOW_MS) is None
    engine.submit(liveops.Command.erase("o", "ana", now_ms=NOW_MS + 1)).unwrap()
    assert engine.explain("ana", now_ms=NOW_MS + 1) is None
    with pytest.raises(liveops.ArgumentError):
        engine.explain("no spaces")


# All of them.


def test_random_curves_are_those_of_fractions() -> None:
    """Level by level, and the level at each start, one before it and one after."""
    random = Random(20_261_128)
    floats_off = 0
    for _ in range(300):
        base, levels = random.randrange(1, 1_000), random.randrange(2, 60)
        growth = Fraction(random.randrange(100, 150), 100)
        curve = liveops.LevelCurve.exponential(base, growth, max_level=levels)
        costs = [base * growth ** (level - 1) for level in range(1, levels)]
        assert curve.costs() == [math.floor(cost) for cost in costs]
        floats_off += sum(int(base * float(growth) ** n) != cost for n, cost in enumerate(curve.costs()))
        up = liveops.LevelCurve.exponential(base, str(growth), max_level=levels, rounding="ceil")
        assert up.costs() == [math.ceil(cost) for cost in costs]
        a, b, c = (Fraction(random.randrange(1, 99), random.randrange(1, 99)) for _ in range(3))
        polynomial = liveops.LevelCurve.polynomial([a, b, c], max_level=levels, rounding="ceil")
        assert polynomial.costs() == [math.ceil(a + b * n + c * n * n) for n in range(1, levels)]
        for level, start in enumerate(curve.totals()[1:], 2):
            assert [curve.level_at(start + step) for step in (-1, 0)] == [level - 1, level]
            assert curve.level_at(start + 1) == (level + 1 if curve.cost(level) == 1 else level)
    assert floats_off > 0, "which is why"


class Unwilling:
    """Answers nothing."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


CURVE = liveops.LevelCurve.table([100, 200])
JUNK: list[Any] = [
    None, True, 0, 1, -1, 7, 2**31, 2**53, 2**63, -(2**63), 2**64, 2**5000, 1.5, float("nan"), float("inf"), "", "a", "1/3",
    "-1/3", "\ud800", "x" * 70, "ä", b"", b"\xff" * 32, [], [1], [None], [(1, 2)], (), (1,), (1, "00" * 32), {}, {"kind": "table"},
    {1: 1}, {"level": 2}, object(), Unwilling(), Fraction(1, 3), Decimal("NaN"), Decimal("1E+999"), datetime(2026, 1, 1),
    CURVE, liveops.Boost("b", 0, 1, 2), liveops.Item("k", "i", 1), liveops.LootEntry("e", 1), liveops.Pity("e", 1),
    liveops.MigrationPolicy("keepEffort"), liveops.PlayerXp(1, 1), liveops.Scope(level=2), liveops.Roll("e", 0, 0),
    liveops.Key("k", "whsec_" + "A" * 32), "bank", "keepEffort", "floor", "00" * 32, [liveops.Key("k", "whsec_" + "A" * 32)],
]  # fmt: skip


def test_any_arguments_at_all() -> None:
    """Nothing but an answer or an exception that says what is wrong."""
    rules = game({"curve": STEEP})
    engine = liveops.Engine(rules)
    loot = liveops.Loot([liveops.LootEntry("e", 1)])
    of_roll = ("seed", "table", "player_id", "nonce", "misses")
    calls: list[tuple[Any, int, tuple[str, ...]]] = [
        (liveops.LevelCurve.exponential, 2, ("max_level", "rounding", "cumulative")),
        (liveops.LevelCurve.linear, 2, ("max_level", "cumulative")),
        (liveops.LevelCurve.polynomial, 1, ("max_level", "times", "times_rounding")),
        (liveops.LevelCurve.table, 1, ("max_level", "cumulative")),
        (liveops.LevelCurve.piecewise, 1, ("max_level", "cumulative")),
        (liveops.LevelCurve.from_dict, 1, ()),
        (CURVE.gained, 2, ()),
        (liveops.Boost, 4, ()),
        (liveops.Progression, 1, ("at_max_level", "daily_xp_cap", "boosts", "boost_stacking")),
        (liveops.Progression(CURVE).grant, 2, ("granted_today", "now_ms")),
        (liveops.Streak().step, 2, ()),
        (liveops.Streak().length_on, 2, ()),
        (liveops.Overflow().gather, 2, ()),
        (liveops.MigrationPolicy, 1, ("never_lose_a_level", "skip_rewards")),
        (liveops.MigrationPolicy("keepEffort").apply, 3, ("granted_through",)),
        (liveops.plan_migration, 4, ()),
        (liveops.Loot, 1, ("guaranteed", "pity")),
        (liveops.Loot.from_dict, 1, ()),
        (loot.roll, 0, of_roll),
        (loot.verify_roll, 1, ("commitment", *of_roll[:3], "misses")),
        (loot.verify_receipt, 1, ("commitment", *of_roll[:1], "player_id")),
        (loot.items, 1, ()),
        (loot.expected_rolls, 1, ()),
        (liveops.receipt_id, 5, ()),
        (liveops.verify_chain, 2, ()),
        (liveops.sign_receipt, 2, ()),
        (liveops.verify_receipt, 3, ()),
        (liveops.Command.claim, 2, ("now_ms",)),
        (liveops.Command.revoke, 4, ("now_ms",)),
        (liveops.Command.migrate, 2, ("now_ms",)),
        (engine.plan_migration, 1, ()),
        (engine.migrations, 0, ("now_ms", "now")),
        (engine.claimable, 1, ("now_ms", "now")),
        (engine.explain, 1, ("now_ms", "now")),
    ]
    random = Random(7)
    for call, positional, named in calls:
        for _ in range(400):
            arguments = [random.choice(JUNK) for _ in range(positional)]
            keywords = {name: random.choice(JUNK) for name in named if random.random() < 0.7}
            try:
                call(*arguments, **keywords)
            except (TypeError, ValueError, liveops.SignatureError, liveops.RulesError, OverflowError, RuntimeError):
                pass
