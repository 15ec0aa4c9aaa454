"""Shelf parts shared between threads of Python: a call may be interrupted while its result is made."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator

import pytest

import liveops


@pytest.fixture(autouse=True)
def many_switches() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def at_once(work: Callable[[int], object]) -> None:
    """Runs it in four threads; what one raises is raised here."""
    errors: list[BaseException] = []

    def run(thread: int) -> None:
        try:
            for _ in range(300):
                work(thread)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "they wait for each other"
    if errors:
        raise errors[0]


def test_boards() -> None:
    board = liveops.Leaderboard()
    at_once(lambda thread: (board.submit(f"p{thread}", 1), board.top(10), board.score("p0"), len(board)))
    assert [row.score for row in board.top()] == [300] * 4
    windowed = liveops.WindowedLeaderboard({"daily": 1})
    at_once(lambda thread: (windowed.submit(f"p{thread}", 1, now_ms=0), windowed.top("daily", now_ms=0)))
    assert [row.score for row in windowed.top("daily", now_ms=0)] == [300] * 4


def test_detectors_and_quotas() -> None:
    detector, log = liveops.ZScore(), liveops.SlidingLog(5000, window_seconds=60)
    at_once(lambda thread: (detector.observe(thread), log.check(now_ms=0)))
    assert detector.score(1).baseline.n == 1200
    assert log.check(0, now_ms=0).remaining == 5000 - 1200


def test_one_iterator_gives_each_row_once(engine: liveops.Engine) -> None:
    rows = iter(engine.submit_ndjson(b"\n" * 1201, now_ms=0))
    codes: list[str] = []
    at_once(lambda _: codes.append(next(rows).code))
    assert len(codes) == 1200
