"""No value silently becomes another one: integers, times, bytes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import liveops
from conftest import NOW_MS

CURVE = liveops.LevelCurve.table([5])
POLICY = liveops.MigrationPolicy("keepTotalXp")
CHEST = liveops.Loot([liveops.LootEntry("e", 1)])

CALLS: list[Callable[[Any], object]] = [
    lambda n: liveops.Leaderboard().submit("ana", n),
    lambda n: liveops.Leaderboard().submit("ana", 1, n),
    lambda n: liveops.Leaderboard().count_above(n),
    lambda n: liveops.Leaderboard().top(n),
    lambda n: liveops.LevelCurve.linear(n, 1, max_level=5),
    lambda n: liveops.LevelCurve.table([n, 5]),
    lambda n: liveops.LevelCurve.table([5]).level_at(n),
    lambda n: liveops.RateLimiter(n),
    lambda n: liveops.RateLimiter(5).check("k", n),
    lambda n: liveops.Quota(n),
    lambda n: liveops.Quota(5, period_seconds=n),
    lambda n: liveops.Quota(5, burst=n),
    lambda n: liveops.gcra(n, liveops.Quota(5), now_ms=0),
    lambda n: liveops.gcra(0, liveops.Quota(7), n),
    lambda n: liveops.RateLimiter(5).check_all([(liveops.Quota(5), "k")], n),
    lambda n: liveops.SlidingLimiter(5, window_seconds=n),
    lambda n: liveops.SlidingLog(5).check(n),
    lambda n: liveops.Verifier(liveops.generate_secret(), body_bytes_max=n),
    lambda n: liveops.Command.adjust("o", "ana", n, "why", now_ms=NOW_MS),
    lambda n: liveops.Command.erase("o", "ana", now_ms=n),
    lambda n: liveops.Calendar(reset_minute=n),
    lambda n: liveops.TimeFloor(n),
    lambda n: liveops.Calendar().period("daily", n),
    lambda n: CURVE.gained(n, 9),
    lambda n: CURVE.gained(0, n),
    lambda n: liveops.Boost("b", n, 10**15, 2),
    lambda n: liveops.Boost("b", 0, 10**15, 2).is_active(n),
    lambda n: liveops.Progression(CURVE, daily_xp_cap=n),
    lambda n: liveops.Progression(CURVE).grant(n, 0),
    lambda n: liveops.Progression(CURVE).grant(0, n),
    lambda n: liveops.Progression(CURVE).grant(0, 0, granted_today=n),
    lambda n: liveops.Streak().step(n),
    lambda n: liveops.Streak().step(0, n),
    lambda n: liveops.Streak(n, 1, 1).length_on(0),
    lambda n: liveops.Overflow().gather(n, 1),
    lambda n: liveops.Overflow().gather(0, n),
    lambda n: liveops.Overflow(n).gather(0, 1),
    lambda n: POLICY.apply(CURVE, CURVE, n),
    lambda n: POLICY.apply(CURVE, CURVE, 0, granted_through=n),
    lambda n: liveops.plan_migration(CURVE, CURVE, POLICY, [n]),
    lambda n: liveops.plan_migration(CURVE, CURVE, POLICY, [(0, n)]),
    lambda n: liveops.plan_migration(CURVE, CURVE, POLICY, {0: n}),
    lambda n: liveops.Loot([liveops.LootEntry("e", n)]),
    lambda n: liveops.Loot([liveops.LootEntry("e", 1)], guaranteed=[liveops.Item("k", "i", n)]),
    lambda n: liveops.Loot([liveops.LootEntry("e", 1)], pity=liveops.Pity("e", n)),
    lambda n: CHEST.roll(seed=bytes(32), table="t", player_id="p", nonce=n, misses=0),
    lambda n: CHEST.roll(seed=bytes(32), table="t", player_id="p", nonce=0, misses=n),
    lambda n: liveops.receipt_id("g", "ana", "r", liveops.Scope(level=2), n),
    lambda n: liveops.Command.claim("ana", (n, "00" * 32), now_ms=NOW_MS),
]


class Index:
    """As numpy's integers."""

    def __index__(self) -> int:
        return 7


@pytest.mark.parametrize("call", CALLS)
def test_integers(call: Callable[[Any], object]) -> None:
    call(7)
    call(Index())
    for wrong in (True, False, 7.0, 1.9, float("nan"), "7", [7]):
        with pytest.raises(TypeError):
            call(wrong)
    for wrong in (2**64, -(2**64)):
        with pytest.raises(liveops.ArgumentError) as error:
            call(wrong)
        assert error.value.code == "out_of_range"
        assert isinstance(error.value, ValueError)


def test_negative_where_none_is_meant() -> None:
    for call in (CALLS[3], CALLS[4], CALLS[6], CALLS[7]):
        with pytest.raises(liveops.ArgumentError):
            call(-1)


def test_numbers_of_detectors() -> None:
    with pytest.raises(TypeError, match="not a bool"):
        liveops.ZScore().observe(True)
    with pytest.raises(TypeError):
        liveops.ZScore().observe("7")  # type: ignore[arg-type]


def test_flags_are_bool(rules: liveops.Rules) -> None:
    with pytest.raises(TypeError):
        liveops.Command.set_visibility("o", "ana", 1, now_ms=NOW_MS)  # type: ignore[arg-type]


def test_times(engine: liveops.Engine) -> None:
    utc = datetime.fromtimestamp(NOW_MS / 1000, timezone.utc) + timedelta(milliseconds=7)
    for now in (utc, utc.astimezone(timezone(timedelta(hours=-3)))):
        assert liveops.Command.erase("o", "ana", now=now).ts_ms == NOW_MS + 7
    with pytest.raises(liveops.ArgumentError, match="naive"):
        liveops.Command.erase("o", "ana", now=utc.replace(tzinfo=None))
    with pytest.raises(liveops.ArgumentError, match="naive"):
        engine.closed_between(utc.replace(tzinfo=None), utc)
    with pytest.raises(TypeError, match="not both"):
        engine.advance(now_ms=NOW_MS, now=utc)
    with pytest.raises(TypeError, match="now_ms"):
        engine.advance(now=NOW_MS)  # type: ignore[arg-type]
    before = datetime.now(timezone.utc).timestamp() * 1000
    read = liveops.Command.erase("o", "ana").received_at_ms
    after = datetime.now(timezone.utc).timestamp() * 1000
    assert int(before) <= read <= after, "without a time the clock is read"


def test_objects_of_other_types(engine: liveops.Engine) -> None:
    for call in (
        lambda: engine.submit(b"{}"),  # type: ignore[arg-type]
        lambda: engine.submit_batch([b"{}"]),  # type: ignore[list-item]
        lambda: engine.submit_batch(7),  # type: ignore[arg-type]
        lambda: liveops.Engine("rules"),  # type: ignore[arg-type]
        lambda: liveops.hmac_sha256_hex("text", b""),  # type: ignore[arg-type]
        lambda: engine.board("xp").at("daily").by_owners("ana"),
    ):
        with pytest.raises(TypeError):
            call()


def test_texts_that_are_no_text(engine: liveops.Engine) -> None:
    with pytest.raises(UnicodeEncodeError):
        engine.player("\ud800")
    with pytest.raises(liveops.ArgumentError):
        engine.player("ana\0")
