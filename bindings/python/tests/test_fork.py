"""A forked process makes its own engine."""

from __future__ import annotations

import os
import pickle
import warnings
from collections.abc import Callable

import pytest

import liveops
from conftest import NOW_MS, event

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def in_a_child(work: Callable[[], object]) -> object:
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns where there are threads
        child = os.fork()
    if child == 0:
        try:
            answer = work()
        except BaseException as error:
            answer = error
        os.write(write, pickle.dumps(answer))
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        answer = pickle.loads(pipe.read())
    os.waitpid(child, 0)
    return answer


def test_a_fork_must_make_its_own(rules: liveops.Rules, engine: liveops.Engine, trusted: liveops.Intake) -> None:
    command = trusted.admit({}, event(), now_ms=NOW_MS)
    board = engine.board("xp")
    limiter, sliding, log = liveops.RateLimiter(5), liveops.SlidingLimiter(5), liveops.SlidingLog(5)
    calls: list[Callable[[], object]] = [
        lambda: engine.submit(command),
        lambda: engine.submit_batch([command]),
        lambda: engine.submit_ndjson(event(), now_ms=NOW_MS),
        lambda: engine.player("ana"),
        lambda: engine.players(),
        lambda: engine.digest(),
        lambda: engine.snapshot(),
        lambda: engine.stats(),
        lambda: engine.advance(now_ms=NOW_MS),
        lambda: board.top("daily", now_ms=NOW_MS),
        lambda: trusted.admit({}, event(), now_ms=NOW_MS),
        lambda: trusted.admit_batch([({}, event())], now_ms=NOW_MS),
        lambda: trusted.replace(rules),
        lambda: liveops.Intake(rules, trusted=True, quotas=limiter),
        lambda: limiter.check("key"),
        lambda: limiter.check_all([(liveops.Quota(5), "key")]),
        lambda: limiter.admitted_when_full,
        lambda: len(limiter),
        lambda: sliding.check("key"),
        lambda: sliding.admitted_when_full,
        lambda: len(sliding),
        lambda: log.check(),
    ]
    for call in calls:
        error = in_a_child(call)
        assert isinstance(error, liveops.ForkedError), error
        assert error.code == "forked"
        assert not isinstance(in_a_child(lambda: os.getpid()), BaseException)
    fresh = in_a_child(lambda: liveops.Engine(rules).submit(command))
    assert isinstance(fresh, liveops.Outcome) and fresh.status == "applied"
    assert engine.submit(command).status == "applied", "the parent goes on"
