"""What the vectors of kind `arguments` make, in Python's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import liveops

Given = dict[str, Any]

RULES = liveops.Rules.from_json('{"version": 1, "game": "vectors"}')
NOW = {"now_ms": 0}


def run(case: Given) -> None:
    """Each of them raises the code, whatever class of ours it has."""
    for refused in case["refused"]:
        try:
            MAKERS[case["make"]](dict(refused["with"]))
        except liveops.LiveopsError as error:
            assert error.code == refused["code"], refused
        else:
            pytest.fail(f"taken: {case['make']} {refused['with']}")


def keywords(given: Given, **names: str) -> Given:
    """The members that are given, by Python's names for them."""
    return {name: given[member] for member, name in names.items() if member in given}


BOARD = dict(order="order", operator="operator", ties="ties", ranking="ranking", name="name", capacity="capacity")
CURVE = dict(maxLevel="max_level", cumulative="cumulative", rounding="rounding")


def calendar(given: Given) -> object:
    named = keywords(
        given,
        utcOffsetMinutes="utc_offset_minutes",
        utcOffsetChanges="utc_offset_changes",
        resetMinute="reset_minute",
        graceSeconds="grace_seconds",
        weekStart="week_start",
        seasons="seasons",
    )
    for member in ("utc_offset_changes", "seasons"):
        if member in named:
            named[member] = [tuple(row) for row in named[member]]
    return liveops.Calendar(**named)


def polynomial(given: Given) -> object:
    named = keywords(given, times="times", **CURVE)
    return liveops.LevelCurve.polynomial(given["coefficients"], **named).costs()


def piecewise(given: Given) -> object:
    def piece(values: Any, cumulative: bool = False) -> liveops.LevelCurve:
        if isinstance(values, list):
            return liveops.LevelCurve.table(values, cumulative=cumulative)
        line = (values["base"], values["step"])
        return liveops.LevelCurve.linear(*line, max_level=values["maxLevel"], cumulative=cumulative)

    pieces = [(start, piece(*of)) for start, *of in given["pieces"]]
    return liveops.LevelCurve.piecewise(pieces, **keywords(given, **CURVE)).costs()


def progression(given: Given) -> object:
    named = keywords(given, atMaxLevel="at_max_level", boostStacking="boost_stacking", dailyXpCap="daily_xp_cap")
    boosts = [liveops.Boost(*boost) for boost in given.get("boosts", [])]
    return liveops.Progression(liveops.LevelCurve.table([100]), boosts=boosts, **named)


def loot(given: Given) -> object:
    def items(rows: list[Any]) -> tuple[liveops.Item, ...]:
        return tuple(liveops.Item(*row) for row in rows)

    entries = [liveops.LootEntry(name, weight, items(rows)) for name, weight, rows in given["entries"]]
    return liveops.Loot(entries, pity=liveops.Pity(*given["pity"]) if "pity" in given else None)


def quota(given: Given) -> Given:
    return keywords(given, periodSeconds="period_seconds", burst="burst", capacity="capacity", whenFull="when_full")


def window(given: Given) -> Given:
    return keywords(given, windowSeconds="window_seconds", capacity="capacity", whenFull="when_full")


def secret(given: Given) -> object:
    if "whsec" in given:
        return liveops.Secret(given["whsec"])
    return (liveops.Secret.short if given.get("short") else liveops.Secret.from_bytes)(bytes.fromhex(given["hex"]))


def keys(given: Given) -> Given:
    named = keywords(given, scheme="scheme", toleranceSeconds="tolerance_seconds", bodyBytesMax="body_bytes_max")
    if "keys" in given:
        named["keys"] = [liveops.Key(key, liveops.Secret.generate()) for key in given["keys"]]
    return named


def detector(given: Given) -> Given:
    named = keywords(given, threshold="threshold", span="span", prior="prior")
    return named | {"prior": tuple(named["prior"])} if "prior" in named else named


def family(given: Given) -> object:
    named = keywords(given, floors="floors", drops="drops")
    if "thresholds" in given:
        named["thresholds"] = liveops.Thresholds(**given["thresholds"])
    return liveops.Family(**named)


MAKERS: dict[str, Callable[[Given], object]] = {
    "leaderboard": lambda of: liveops.Leaderboard(**keywords(of, **BOARD)),
    "windowed": lambda of: liveops.WindowedLeaderboard(of["windows"], **keywords(of, **BOARD)),
    "calendar": calendar,
    "linear": lambda of: liveops.LevelCurve.linear(of["base"], of["step"], **keywords(of, **CURVE)).costs(),
    "exponential": lambda of: liveops.LevelCurve.exponential(of["base"], of["growth"], **keywords(of, **CURVE)).costs(),
    "polynomial": polynomial,
    "table": lambda of: liveops.LevelCurve.table(of["values"], **keywords(of, **CURVE)).costs(),
    "piecewise": piecewise,
    "progression": progression,
    "loot": loot,
    "tiers": lambda of: liveops.Tiers(of["tiers"]),
    "quota": lambda of: liveops.Quota(of["limit"], **quota(of)),
    "rateLimiter": lambda of: liveops.RateLimiter(of["limit"], **quota(of)),
    "slidingLimiter": lambda of: liveops.SlidingLimiter(of["limit"], **window(of)),
    "slidingLog": lambda of: liveops.SlidingLog(of["limit"], **window(of)),
    "secret": secret,
    "verifier": lambda of: liveops.Verifier(**keys(of)),
    "signer": lambda of: liveops.Signer(**keys(of)),
    "intake": lambda of: liveops.Intake(RULES, **keys(of)),
    "zScore": lambda of: liveops.ZScore(**detector(of)),
    "ewma": lambda of: liveops.Ewma(**detector(of)),
    "robust": lambda of: liveops.Robust(**detector(of)),
    "cusum": lambda of: liveops.Cusum(**detector(of)),
    "timeFloor": lambda of: liveops.TimeFloor(of["minimumMs"]),
    "dropRate": lambda of: liveops.DropRate(of["odds"], **detector(of)),
    "regularity": lambda of: liveops.Regularity(**detector(of)),
    "alertBudget": lambda of: liveops.AlertBudget(of["perDay"]),
    "family": family,
    "adjust": lambda of: liveops.Command.adjust(of["id"], of["player"], of["xp"], of["reason"], **NOW),
    "review": lambda of: liveops.Command.review(of["id"], of["player"], of["suspicion"], of["ruling"], **NOW),
    "policy": lambda of: liveops.MigrationPolicy(of["keep"]),
    "engine": lambda of: liveops.Engine(RULES, feed=of["feed"]),
    "receiptId": lambda of: liveops.receipt_id(
        of["game"], of["player"], of["reward"], liveops.Scope(level=2), of["index"]
    ),
}
