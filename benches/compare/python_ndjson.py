"""python.ndjson: unsigned NDJSON parsed, decided and committed, against pydantic parsing the same bytes.
python.ingest.two: the same by two threads on one engine, against two threads on two engines.

Prints one JSON line; `cargo xtask compare python` starts it. Both sides get one `bytes` of 20,000 lines, one after the
other, in one process. Ours ends with every event committed to an engine and counted by what became of it; the peer's ends with
every event as a Python value.
"""

import json
import sys
from collections.abc import Callable
from statistics import median
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from typing_extensions import NotRequired, TypedDict  # pydantic asks for this one below Python 3.12

import liveops
from python_measure import NOW_MS, Stopwatch, events, print_row

EVENTS = 20_000
PLAYERS = 10_000
ROUNDS = 9
# Of each thread, where there are two: so many that it does not matter when the second gets a processor of its own.
EVENTS_OF_TWO = 100_000

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


def ndjson() -> None:
    data = b"\n".join(events(EVENTS, PLAYERS))
    rules = liveops.Rules.from_json(json.dumps(RULES))
    adapter = TypeAdapter(Event)

    def peer() -> object:
        validate = adapter.validate_json
        return [validate(line) for line in data.split(b"\n")]

    stopwatch = Stopwatch()
    ours, peers = [], []
    for n in range(ROUNDS + 1):
        engine = liveops.Engine(rules)
        # The first is not counted: caches warm up, and both sides show that they did the whole work.
        watch = stopwatch if n else Stopwatch()
        cost, outcomes = watch.time(lambda: counted(engine.submit_ndjson(data, now_ms=NOW_MS)))
        peer_cost, parsed = watch.time(peer)
        if n == 0:
            statuses = {outcome.status for outcome in outcomes}
            if len(outcomes) != EVENTS or statuses != {"applied"}:
                sys.exit(f"python.ndjson: {len(outcomes)} outcomes, {sorted(statuses)}: not all were applied")
            assert len(parsed) == EVENTS
            continue
        ours.append(cost / EVENTS)
        peers.append(peer_cost / EVENTS)

    print_row("python.ndjson", ours, peers, stopwatch)


def ingest_two() -> None:
    """Threads have players of their own. What both engines take more than one thread alone is the machine's."""
    both = [b"\n".join(events(EVENTS_OF_TWO, PLAYERS, first)) for first in (0, PLAYERS)]
    rules = liveops.Rules.from_json(json.dumps(RULES))

    def works(engines: list[liveops.Engine], datas: list[bytes]) -> list[Callable[[], object]]:
        return [
            lambda engine=engine, data=data: counted(engine.submit_ndjson(data, now_ms=NOW_MS), EVENTS_OF_TWO)
            for engine, data in zip(engines, datas, strict=True)
        ]

    stopwatch = Stopwatch()
    ours, peers, alone = [], [], []
    for n in range(ROUNDS + 1):
        watch = stopwatch if n else Stopwatch()
        one = liveops.Engine(rules)
        cost = watch.time_at_once(works([one, one], both))
        peer_cost = watch.time_at_once(works([liveops.Engine(rules), liveops.Engine(rules)], both))
        alone_cost = watch.time_at_once(works([liveops.Engine(rules)], both[:1]))
        if n:
            ours.append(cost / EVENTS_OF_TWO / 2)
            peers.append(peer_cost / EVENTS_OF_TWO / 2)
            alone.append(alone_cost / EVENTS_OF_TWO)

    more = {"one thread alone": median(alone), "times as much by two": median(alone) / median(ours)}
    print_row("python.ingest.two", ours, peers, stopwatch, more)


def counted(outcomes: liveops.Outcomes, wanted: int = EVENTS) -> liveops.Outcomes:
    assert outcomes.counts() == {"applied": wanted}
    return outcomes


if __name__ == "__main__":
    {"python.ndjson": ndjson, "python.ingest.two": ingest_two}[sys.argv[1]]()
