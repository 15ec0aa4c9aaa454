"""What the programs in Python share: events, a stopwatch that knows when it cannot be trusted, and the line they print."""

import gc
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

NOW_MS = 1_767_614_400_000  # 2026-01-05T12:00:00Z
EVENT_BYTES = 206
WAIT_PERCENT_MAX = 3.0


def events(count: int, players: int, first: int = 0) -> list[bytes]:
    """Different events of 206 bytes, by turns of all players from the first on, as `benches/src/traffic.rs` writes them."""
    lines = []
    for n in range(count):
        event: dict[str, Any] = {
            "id": f"{n * 2654435761 % 2**32:08x}-{n % 65536:04x}-4{n % 4096:03x}-a{n * 7 % 4096:03x}-{n:012x}",
            "type": "progression",
            "playerId": f"player-{first + n * 7919 % players:06}",
            "ts": NOW_MS // 1000,
            "payload": {"deltaXp": 50, "activity": "dungeon", "zone": ""},
        }
        missing = EVENT_BYTES - len(json.dumps(event, separators=(",", ":")))
        event["payload"]["zone"] = "emberfall/ashen-reach/lower-vault/antechamber"[:missing]
        lines.append(json.dumps(event, separators=(",", ":")).encode())
    assert all(len(line) == EVENT_BYTES for line in lines)
    return lines


def waited_ns() -> float:
    """How long this thread has waited for a processor; NaN where the kernel does not tell."""
    try:
        with open("/proc/thread-self/schedstat") as file:
            return float(file.read().split()[1])
    except (OSError, IndexError, ValueError):
        return float("nan")


class Stopwatch:
    """Times the rounds of one row, and how long the process waited meanwhile."""

    wall_ns = 0.0
    wait_ns = 0.0

    def time(self, work: Callable[[], Any]) -> tuple[float, Any]:
        """Runs it without the collector in between, as timeit does; what it took in nanoseconds, and what came of it."""
        gc.collect()
        gc.disable()
        waited, begun = waited_ns(), time.perf_counter_ns()
        result = work()
        wall = time.perf_counter_ns() - begun
        self.wait_ns += waited_ns() - waited
        gc.enable()
        self.wall_ns += wall
        return float(wall), result

    def time_at_once(self, works: list[Callable[[], Any]]) -> float:
        """The same of a thread for each, which begin together: until the last is through."""
        gc.collect()
        gc.disable()
        start = threading.Barrier(len(works))

        def timed(work: Callable[[], Any]) -> tuple[int, float, Any]:
            start.wait()
            waited, begun = waited_ns(), time.perf_counter_ns()
            result = work()  # Kept until all are through.
            return time.perf_counter_ns() - begun, waited_ns() - waited, result

        with ThreadPoolExecutor(len(works)) as pool:
            each = [task.result() for task in [pool.submit(timed, work) for work in works]]
        gc.enable()
        wall = float(max(wall for wall, _, _ in each))
        self.wait_ns += max(waited for _, waited, _ in each)
        self.wall_ns += wall
        return wall

    @property
    def wait_percent(self) -> float:
        """Share of the timed rounds that the process waited; NaN if the kernel does not tell."""
        return 100 * self.wait_ns / self.wall_ns


def print_row(
    name: str, ours: list[float], peer: list[float], stopwatch: Stopwatch, more: dict[str, float] | None = None
) -> None:
    """The JSON line, from the cost of one event in each round, in nanoseconds."""
    wait_percent = stopwatch.wait_percent
    row = {
        "name": name,
        "ours": round(median(ours), 1),
        "peer": round(median(peer), 1),
        "ratio": round(median(peer) / median(ours), 2),
        "unit": "ns/event",
        "wait_percent": round(wait_percent, 2) if wait_percent == wait_percent else None,
        # Also when the kernel did not tell: an unknown wait is not a quiet machine.
        "void": not wait_percent <= WAIT_PERCENT_MAX,
        "for_the_record": False,
        "more": {key: round(value, 2) for key, value in (more or {}).items()},
    }
    print(json.dumps(row))
