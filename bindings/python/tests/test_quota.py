"""Rate limits: alone, keyed, several at once, with the state kept by the caller, and what clients are told."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import liveops
from conftest import NOW_MS

MINUTE = liveops.Quota(60, period_seconds=60, burst=10)


def test_quotas() -> None:
    assert (MINUTE.limit, MINUTE.burst, MINUTE.period, MINUTE.interval) == (
        60,
        10,
        timedelta(minutes=1),
        timedelta(seconds=1),
    )
    assert MINUTE == liveops.Quota(60, period=timedelta(minutes=1), burst=10) != liveops.Quota(60, period_seconds=60)
    assert {MINUTE: 1}[pickle.loads(pickle.dumps(MINUTE))] == 1
    assert repr(MINUTE) == "Quota(60, period=datetime.timedelta(seconds=60), burst=10)"
    assert liveops.Quota(5) == liveops.Quota(5, period_seconds=1, burst=5)
    thirds = liveops.Quota(3, period=timedelta(microseconds=10))
    assert thirds.interval == timedelta(microseconds=4), "rounded up: never more than said"
    assert pickle.loads(pickle.dumps(thirds)) == thirds
    longest = timedelta(microseconds=2**50)
    for period in (longest, longest + timedelta(microseconds=1), timedelta.max):
        assert liveops.Quota(2, period=period).period == longest
    assert liveops.Quota(1, period=longest / 2, burst=9).burst == 2, "as many as are paid off"
    assert liveops.SlidingLog(1, window=timedelta.max).check().period_millis == -(-(2**50) // 1000)


def test_names() -> None:
    daily = liveops.Quota(1000, period_seconds=86_400, name="daily")
    assert (daily.name, MINUTE.name) == ("daily", None)
    assert pickle.loads(pickle.dumps(daily)) == daily != liveops.Quota(1000, period_seconds=86_400)
    assert repr(daily) == "Quota(1000, period=datetime.timedelta(days=1), burst=1000, name='daily')"
    with pytest.raises(TypeError):
        liveops.Quota(1, name=7)  # type: ignore[arg-type]


@pytest.mark.parametrize(("limit", "more"), [(10, 0), (1001, 1)])
def test_numbers_that_change_forget_nothing(limit: int, more: int) -> None:
    day = timedelta(days=1)
    limiter, sliding = liveops.RateLimiter(1000, period=day), liveops.SlidingLimiter(1000, window=day)
    log, several = liveops.SlidingLog(1000, window=day), liveops.RateLimiter(1000, period=day)

    def ask_several(limit: int, cost: int) -> bool:
        requests = [(liveops.Quota(limit, period=day), "ana"), (liveops.Quota(5000), "ip")]
        return several.check_all(requests, cost, now_ms=NOW_MS).allowed

    assert limiter.check("ana", 1000, now_ms=NOW_MS).allowed and sliding.check("ana", 1000, now_ms=NOW_MS).allowed
    assert log.check(1000, now_ms=NOW_MS).allowed and ask_several(1000, 1000)
    limiter.replace(liveops.Quota(limit, period=day))
    sliding.replace(limit, window=day)
    log.replace(limit, window=day)
    passed = [
        [limiter.check("ana", now_ms=NOW_MS).allowed for _ in range(20)],
        [sliding.check("ana", now_ms=NOW_MS).allowed for _ in range(20)],
        [log.check(now_ms=NOW_MS).allowed for _ in range(20)],
        [ask_several(limit, 1) for _ in range(20)],
    ]
    assert [sum(each) for each in passed] == [more] * 4
    for wrong in (lambda: limiter.replace(0), lambda: sliding.replace(1, window=timedelta()), lambda: log.replace(0)):
        with pytest.raises(liveops.ArgumentError):
            wrong()
    with pytest.raises(TypeError):
        limiter.replace(liveops.Quota(1), burst=1)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: liveops.Quota(0), "out_of_range"),
        (lambda: liveops.Quota(5, period_seconds=0), "out_of_range"),
        (lambda: liveops.Quota(5, period=timedelta()), "out_of_range"),
        (lambda: liveops.Quota(5, period=timedelta(seconds=-1)), "out_of_range"),
        (lambda: liveops.Quota(5, period_seconds=2**32), "out_of_range"),
        (lambda: liveops.Quota(5, burst=0), "out_of_range"),
        (lambda: liveops.RateLimiter(5, capacity=0), "out_of_range"),
        (lambda: liveops.RateLimiter(5, when_full="wait"), "invalid_argument"),  # type: ignore[call-overload]
        (lambda: liveops.SlidingLimiter(0), "out_of_range"),
        (lambda: liveops.SlidingLimiter(5, capacity=0), "out_of_range"),
        (lambda: liveops.SlidingLimiter(5, when_full="wait"), "invalid_argument"),  # type: ignore[arg-type]
        (lambda: liveops.SlidingLimiter(5, window_seconds=0), "out_of_range"),
        (lambda: liveops.SlidingLog(5, window=timedelta(microseconds=-1)), "out_of_range"),
    ],
)
def test_what_is_no_limit(make: Callable[[], object], code: str) -> None:
    with pytest.raises(liveops.ArgumentError) as error:
        make()
    assert error.value.code == code


def test_one_way_to_say_it() -> None:
    wrong: list[Callable[[], object]] = [
        lambda: liveops.Quota(5, period_seconds=1, period=timedelta(seconds=1)),
        lambda: liveops.Quota(5, period=1),  # type: ignore[arg-type]
        lambda: liveops.Quota(5, period_seconds=timedelta(seconds=1)),  # type: ignore[arg-type]
        lambda: liveops.Quota(5, 60),  # type: ignore[call-arg]
        lambda: liveops.RateLimiter(MINUTE, burst=5),  # type: ignore[call-overload]
        lambda: liveops.RateLimiter(MINUTE, period_seconds=5),  # type: ignore[call-overload]
        lambda: liveops.RateLimiter("60"),  # type: ignore[call-overload]
        lambda: liveops.SlidingLog(5, window_seconds=1, window=timedelta(seconds=1)),
        lambda: liveops.SlidingLimiter(MINUTE),  # type: ignore[arg-type]
        lambda: liveops.gcra(0.0, MINUTE),  # type: ignore[arg-type]
        lambda: liveops.gcra(None, 60),  # type: ignore[arg-type]
        lambda: liveops.RateLimiter(5).check(7),  # type: ignore[arg-type]
    ]
    for call in wrong:
        with pytest.raises(TypeError):
            call()


def test_the_state_is_the_callers() -> None:
    """Against a limiter of the library: the same decisions, whatever the clock does."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    for _ in range(20):
        quota = liveops.Quota(
            draw.randrange(1, 20), period=timedelta(microseconds=draw.randrange(1, 10**7)), burst=draw.randrange(1, 9)
        )
        limiter = liveops.RateLimiter(quota)
        states: dict[str, int] = {}
        now = NOW_MS
        for _ in range(300):
            now += draw.choice([0, 1, 200, 2000, -300, -(10**7) if draw.random() < 0.02 else 3])
            key, cost = draw.choice("abc"), draw.randrange(4)
            state, decision = liveops.gcra(states.get(key), quota, cost, now_ms=now)
            assert decision == limiter.check(key, cost, now_ms=now)
            states[key] = int(float(state))
            assert states[key] == state, "exact in doubles"


def test_any_state_and_any_time_decide() -> None:
    states = (None, -(2**63), -1, 0, 2**53, 2**63 - 1)
    for state in states:
        for now in (-(2**63), 0, NOW_MS, 2**63 - 1):
            for cost in (0, 1, 2**32 - 1):
                after, decision = liveops.gcra(state, MINUTE, cost, now_ms=now)
                assert int(float(after)) == after and (cost < 11 or not decision.allowed)
                # A clock that was set back leaves at most the debt of one burst.
                assert decision.reset_after_millis <= 11_000
    assert liveops.gcra(None, MINUTE, 1, now_ms=0) == liveops.gcra(-(2**63), MINUTE, now_ms=0)
    for state in (2**63, -(2**63) - 1):
        with pytest.raises(liveops.ArgumentError):
            liveops.gcra(state, MINUTE)


def test_all_or_none() -> None:
    second = liveops.Quota(2, period_seconds=1)
    limiter = liveops.RateLimiter(MINUTE)
    both = [(second, "player:ana"), (MINUTE, "ip:203.0.113.9")]
    assert limiter.check_all(both, now_ms=NOW_MS).remaining == 1, "the one with less"
    assert limiter.check_all(iter(both), now_ms=NOW_MS).remaining == 0
    refused = limiter.check_all(both, now_ms=NOW_MS)
    assert (refused.allowed, refused.limit, refused.retry_after_millis) == (False, 2, 500)
    asked = [limiter.check_all([request], 0, now_ms=NOW_MS).remaining for request in both]
    assert asked == [0, 8], "the refused call cost nothing anywhere"
    twice = [(MINUTE, "k"), (MINUTE, "k")]
    assert limiter.check_all(twice, 5, now_ms=NOW_MS).remaining == 0, "the same key twice pays twice"
    assert limiter.check("k", now_ms=NOW_MS).code == "rate_limited", "its own quota is the same quota"
    assert limiter.check_all([], now_ms=NOW_MS) == liveops.Decision.unlimited()
    assert len(limiter) == 3
    wrong: list[Any] = [7, [7], ["ab"], [(MINUTE,)], [("k", MINUTE)], [(60, "k")], [(MINUTE, "k", 1)], [(MINUTE, 7)]]
    for requests in wrong:
        with pytest.raises((TypeError, ValueError)):
            limiter.check_all(requests, now_ms=NOW_MS)


def test_a_full_limiter() -> None:
    limiter = liveops.RateLimiter(liveops.Quota(1, period_seconds=60), capacity=1)
    assert limiter.check("a", now_ms=NOW_MS).allowed
    full = limiter.check("b", now_ms=NOW_MS)
    assert (full.code, full.retry_after_seconds) == ("limiter_full", 60)
    assert limiter.check("b", now_ms=NOW_MS + 60_000).allowed, "what has no debt makes room"
    assert limiter.admitted_when_full == 0
    open_ = liveops.RateLimiter(1, period_seconds=60, capacity=1, when_full="admit")
    assert [open_.check(key, now_ms=NOW_MS).allowed for key in "abca"] == [True, True, True, False]
    assert (open_.admitted_when_full, len(open_)) == (2, 1)

    sliding = liveops.SlidingLimiter(1, window_seconds=60, capacity=1)
    assert [sliding.check(key, now_ms=NOW_MS).code for key in "aba"] == [None, "limiter_full", "rate_limited"]
    assert sliding.check("b", now_ms=NOW_MS + 60_000).allowed and len(sliding) == 1
    open_sliding = liveops.SlidingLimiter(1, window_seconds=60, capacity=1, when_full="admit")
    assert [open_sliding.check(key, now_ms=NOW_MS).allowed for key in "abba"] == [True, True, True, False]
    assert (open_sliding.admitted_when_full, sliding.admitted_when_full) == (2, 0)


def test_never_more_in_any_window() -> None:
    """Each key as a log of its own, and both as a list of times says."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    limiter = liveops.SlidingLimiter(5, window=timedelta(milliseconds=100))
    logs = {key: liveops.SlidingLog(5, window=timedelta(milliseconds=100)) for key in "ab"}
    passed: dict[str, list[tuple[int, int]]] = {"a": [], "b": []}
    now = 0
    for _ in range(2000):
        now += draw.choice([0, 1, 7, 40])
        key, cost = draw.choice("ab"), draw.randrange(4)
        inside = sum(paid for time, paid in passed[key] if time > now - 100)
        decision = limiter.check(key, cost, now_ms=now)
        assert decision == logs[key].check(cost, now_ms=now)
        assert decision.allowed == (inside + cost <= 5)
        if decision.allowed:
            passed[key].append((now, cost))
    assert decision.period_millis == 100
    assert liveops.SlidingLog(1, window=timedelta(microseconds=1001)).check().period_millis == 2, "rounded up"


def test_what_a_client_is_told() -> None:
    decision = liveops.RateLimiter(MINUTE).check("player:ana", 11, now_ms=NOW_MS)
    assert (decision.allowed, decision.code, decision.retry_after_seconds) == (False, "rate_limited", None), "never"
    assert "Retry-After" not in decision.headers()
    limiter = liveops.RateLimiter(MINUTE)
    limiter.check("player:ana", 10, now_ms=NOW_MS)
    refused = limiter.check("player:ana", 2, now_ms=NOW_MS + 1)
    assert (refused.retry_after_millis, refused.retry_after_seconds, refused.retry_after) == (1999, 2, 2)
    assert (refused.limit, refused.period_millis, refused.remaining, refused.reset_after_millis) == (60, 60_000, 0, 9999)
    assert refused.headers("player") == {
        "RateLimit-Policy": '"player";q=60;w=60',
        "RateLimit": '"player";r=0;t=10',
        "X-RateLimit-Limit": "60",
        "X-RateLimit-Window": "60",
        "X-RateLimit-Remaining": "0",
        "Retry-After": "2",
    }
    assert refused.headers() == refused.headers("default") != refused.headers("player")
    assert (refused.policy_header(), refused.state_header()) == ('"default";q=60;w=60', '"default";r=0;t=10')
    hostile = 'a"b\\\r\nSet-Cookie: x=1\0é'
    for value in refused.headers(hostile).values():
        assert value.isascii() and value.isprintable()
    assert refused.policy_header(hostile) == '"a\\"b\\\\??Set-Cookie: x=1??";q=60;w=60'
    with pytest.raises(UnicodeEncodeError):
        refused.headers("\ud800")
    with pytest.raises(TypeError):
        refused.headers(None)  # type: ignore[arg-type]


def test_decisions() -> None:
    _, fine = liveops.gcra(None, liveops.Quota(3, period=timedelta(microseconds=1500)), now_ms=0)
    assert fine.to_dict() == {
        "allowed": True,
        "code": None,
        "limit": 3,
        "periodMillis": 2,
        "remaining": 2,
        "retryAfterMillis": None,
        "resetAfterMillis": 1,
    }
    assert (fine.period_millis, fine.reset_after_millis) == (2, 1), "rounded up"
    assert fine.policy_header() == '"default";q=3', "a period that is no whole seconds is left out"
    assert liveops.Decision.unlimited().headers() == {}
    strict = liveops.RateLimiter(1, period_seconds=60)
    strict.check("k", now_ms=NOW_MS)
    refused = strict.check("k", now_ms=NOW_MS)
    for decision in (fine, refused, liveops.Decision.unlimited()):
        copy = pickle.loads(pickle.dumps(decision))
        assert copy == decision and copy.headers("p") == decision.headers("p")
        assert decision & decision == decision & liveops.Decision.unlimited() == decision
    assert fine & refused == refused & fine == refused != fine
    assert repr(refused) == (
        "Decision(allowed=False, code='rate_limited', limit=1, remaining=0, retry_after_millis=60000, "
        "reset_after_millis=60000)"
    )
    with pytest.raises(TypeError):
        fine & True  # type: ignore[operator]
    with pytest.raises(TypeError):
        liveops.Decision()
    with pytest.raises(AttributeError):
        fine.allowed = False  # type: ignore[misc]


def test_keys_of_every_kind() -> None:
    limiter, sliding = liveops.RateLimiter(1, period_seconds=60), liveops.SlidingLimiter(1, window_seconds=60)
    for key in ("", "\0", "é", "x" * 1_000_000, "player:ana", "player:ana "):
        for each in (limiter, sliding):
            assert each.check(key, now_ms=NOW_MS).allowed and not each.check(key, now_ms=NOW_MS).allowed
            with pytest.raises(UnicodeEncodeError):
                each.check("\ud800", now_ms=NOW_MS)
    assert len(limiter) == len(sliding) == 6
