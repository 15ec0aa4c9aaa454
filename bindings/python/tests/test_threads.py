"""Shelf parts shared between threads of Python: a call may be interrupted while its result is made."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator

import pytest

import liveops
from conftest import NOW_MS, event

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


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
    quota = liveops.Quota(5000, period_seconds=60)
    limiter, sliding = liveops.RateLimiter(quota), liveops.SlidingLimiter(5000, window_seconds=60)
    at_once(lambda thread: (limiter.check_all([(quota, "a"), (quota, f"{thread}")], now_ms=0), sliding.check("a", now_ms=0)))
    assert limiter.check("a", 0, now_ms=0).remaining == sliding.check("a", 0, now_ms=0).remaining == 5000 - 1200
    assert [limiter.check(f"{thread}", 0, now_ms=0).remaining for thread in range(4)] == [4700] * 4


def test_one_iterator_gives_each_row_once(engine: liveops.Engine) -> None:
    rows = iter(engine.submit_ndjson(b"\n" * 1201, now_ms=0))
    codes: list[str] = []
    at_once(lambda _: codes.append(next(rows).code))
    assert len(codes) == 1200


def test_two_threads_on_one_engine(engine: liveops.Engine) -> None:
    """Each sends a half of the players, in pieces, while both read; the state is that of one thread."""
    pieces = [
        [
            b"\n".join(event(f"e{piece}-{n}", f"{half}{n % 20}", n % 90) for n in range(200))
            for piece in range(10)
        ]
        for half in ("ana", "bo")
    ]
    counts: list[dict[str, int]] = []

    def send(half: int) -> None:
        for n, data in enumerate(pieces[half]):
            outcomes = engine.submit_ndjson(data, now_ms=NOW_MS, threads=1 + n % 2)
            assert [row.code for row in outcomes][:3] == ["applied"] * 3
            counts.append(outcomes.counts())

    threads = [threading.Thread(target=send, args=(half,)) for half in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert counts == [{"applied": 200}] * 20
    alone = liveops.Engine(engine.rules)
    for piece in (*pieces[0], *pieces[1]):
        alone.submit_ndjson(piece, now_ms=NOW_MS)
    assert engine.digest() == alone.digest()


def test_batches_let_other_threads_run(trusted: liveops.Intake) -> None:
    headers = liveops.Signer(SECRET).sign("e", b" " * 60_000, now_ms=NOW_MS)
    lines = (event() + b"\n") * 20_000
    verifier, parser = liveops.Verifier(SECRET), liveops.EventParser()
    assert runs_beside(lambda: parser.validate_batch(lines, now_ms=NOW_MS))
    assert runs_beside(lambda: verifier.verify_batch([(headers, b" " * 60_000)] * 300, now_ms=NOW_MS))
    assert runs_beside(lambda: trusted.admit_batch([({}, event())] * 20_000, now_ms=NOW_MS))
    assert not runs_beside(lambda: sum(range(300_000))), "as what holds the lock shows"


def runs_beside(work: Callable[[], object]) -> bool:
    """Whether this thread gets on while another one works, although nobody takes the lock from whoever has it."""
    sys.setswitchinterval(1000)
    for _ in range(5):
        begun, done = threading.Event(), False

        def run() -> None:
            nonlocal done
            begun.set()
            work()
            done = True

        thread = threading.Thread(target=run)
        thread.start()
        begun.wait()
        got_on = not done
        thread.join()
        if got_on:
            return True
    return False
