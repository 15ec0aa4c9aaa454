"""python.ndjson: unsigned NDJSON parsed, decided and committed, against pydantic parsing the same bytes.

Prints one JSON line; `cargo xtask compare python` starts it. Both sides get one `bytes` of 20,000 lines, one after the
other, in one process. Ours ends with every event committed to an engine; the peer's ends with every event as a Python value.
"""

import gc
import json
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from typing_extensions import NotRequired, TypedDict  # pydantic asks for this one below Python 3.12

import liveops

NOW_MS = 1_767_614_400_000  # 2026-01-05T12:00:00Z
EVENTS = 20_000
PLAYERS = 10_000
EVENT_BYTES = 206
ROUNDS = 9
WAIT_PERCENT_MAX = 3.0

RULES = {
    "version": 1,
    "game": "bench",
    "progress": {
        "curve": {"kind": "exponential", "base": 250, "growth": "1.2", "rounding": "floor", "maxLevel": 60},
        "atMaxLevel": "bank",
        "xp": [{"on": "progression", "amount": {"field": "deltaXp"}}],
    },
    "calendar": {
        "utcOffsetMinutes": 0,
        "resetMinute": 0,
        "graceSeconds": 3600,
        "seasons": {"every": "month", "label": "YYYY-MM"},
    },
    "boards": {
        "xp": {
            "value": "grantedXp",
            "operator": "incr",
            "order": "desc",
            "keepPeriods": {"daily": 2, "weekly": 8, "seasonal": 4},
        }
    },
}

# The peer as a careful user would write it, in its fastest form: pydantic's own advice for speed is a TypedDict instead of a
# model, one adapter made once, and validate_json on the bytes (https://docs.pydantic.dev/latest/concepts/performance/).
Id = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,64}$")]


class Payload(TypedDict):
    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)
    deltaXp: Annotated[int, Field(ge=0, le=1_000_000)]
    activity: NotRequired[Id]
    zone: NotRequired[Id]


class Event(TypedDict):
    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)
    id: NotRequired[Id]
    type: Literal["progression"]
    playerId: Id
    ts: Annotated[int, Field(ge=0, le=2**53 - 1)]
    payload: Payload


def traffic() -> bytes:
    """20,000 different events of 206 bytes, two for each of 10,000 players."""
    lines = []
    for n in range(EVENTS):
        event = {
            "id": f"{n * 2654435761 % 2**32:08x}-{n % 65536:04x}-4{n % 4096:03x}-a{n * 7 % 4096:03x}-{n:012x}",
            "type": "progression",
            "playerId": f"player-{n * 7919 % PLAYERS:06}",
            "ts": NOW_MS // 1000,
            "payload": {"deltaXp": 50, "activity": "dungeon", "zone": ""},
        }
        missing = EVENT_BYTES - len(json.dumps(event, separators=(",", ":")))
        event["payload"]["zone"] = "emberfall/ashen-reach/lower-vault/antechamber"[:missing]
        lines.append(json.dumps(event, separators=(",", ":")))
    assert all(len(line) == EVENT_BYTES for line in lines)
    return "\n".join(lines).encode()


def waited_ns() -> float:
    """How long this thread has waited for a processor; NaN where the kernel does not tell."""
    try:
        with open("/proc/self/schedstat") as file:
            return float(file.read().split()[1])
    except (OSError, IndexError, ValueError):
        return float("nan")


class Stopwatch:
    wall_ns = 0.0
    wait_ns = 0.0

    def time(self, work: Callable[[], object]) -> tuple[float, object]:
        """Runs it without the collector in between, as timeit does; the cost of one event, and what came of it."""
        gc.collect()
        gc.disable()
        waited, begun = waited_ns(), time.perf_counter_ns()
        result = work()
        wall = time.perf_counter_ns() - begun
        self.wait_ns += waited_ns() - waited
        gc.enable()
        self.wall_ns += wall
        return wall / EVENTS, result


def main() -> None:
    data = traffic()
    rules = liveops.Rules.from_json(json.dumps(RULES))
    adapter = TypeAdapter(Event)

    def peer() -> object:
        validate = adapter.validate_json
        return [validate(line) for line in data.split(b"\n")]

    stopwatch = Stopwatch()
    ours, peers = [], []
    for n in range(ROUNDS + 1):
        engine = liveops.Engine(rules)
        cost, outcomes = stopwatch.time(lambda: engine.submit_ndjson(data, now_ms=NOW_MS))
        peer_cost, parsed = stopwatch.time(peer)
        if n == 0:  # Not counted: caches warm up, and both sides show that they did the whole work.
            statuses = {outcome.status for outcome in outcomes}
            if len(outcomes) != EVENTS or statuses != {"applied"}:
                sys.exit(f"python.ndjson: {len(outcomes)} outcomes, {sorted(statuses)}: not all were applied")
            assert len(parsed) == EVENTS
            continue
        ours.append(cost)
        peers.append(peer_cost)

    wait_percent = 100 * stopwatch.wait_ns / stopwatch.wall_ns
    print(
        json.dumps(
            {
                "name": "python.ndjson",
                "ours": round(median(ours), 1),
                "peer": round(median(peers), 1),
                "ratio": round(median(peers) / median(ours), 2),
                "unit": "ns/event",
                "wait_percent": round(wait_percent, 2) if wait_percent == wait_percent else None,
                "void": not wait_percent <= WAIT_PERCENT_MAX,
            }
        )
    )


if __name__ == "__main__":
    main()
