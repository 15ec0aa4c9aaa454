"""Drives a season of signed events through door and engine, and says what an operator wants to know.

    python examples/python/replay.py                    the bundled season
    python examples/python/replay.py [events] [rules]
    python examples/python/replay.py -                  events from standard input
    python examples/python/replay.py --store game.db    in one file; kill it, run it again, and it goes on

The secret stands in `secret.txt` beside the rules. The same program as `examples/rust/replay.rs` and
`examples/node/replay.mjs`: one summary, but for the speed, and one digest.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import liveops
from report import render

DATA = Path(__file__).resolve().parent.parent / "data"
BATCH_LEN = 256
HOUR_MS = 3_600_000
#: Where the horizon of a store is before its first advance.
MIN_MS = -(2**63)


@dataclass
class Line:
    """A request and when it came."""

    received_ms: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def parse(cls, text: bytes) -> Line:
        """Reads one line. ValueError says why it is no request."""
        parsed: object = json.loads(text)
        if not isinstance(parsed, dict):
            raise ValueError("no object")
        wire = cast(dict[str, Any], parsed)
        for name, kind in (("receivedMs", int), ("headers", dict), ("body", str)):
            if type(wire.get(name)) is not kind:
                raise ValueError(f"`{name}` is missing or of another type than {kind.__name__}")
        if not all(type(value) is str for value in wire["headers"].values()):
            raise ValueError("a header is no text")
        return cls(wire["receivedMs"], wire["headers"], wire["body"].encode())


@dataclass
class Prize:
    """How often a reward was granted, and what came of it."""

    times: int = 0
    items: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])


@dataclass
class Closing:
    """A period that closed, with who was first on each board."""

    period: liveops.Period
    winners: list[tuple[str, liveops.Row]]


@dataclass
class Tally:
    """Counts of one run."""

    lines: int = 0
    broken: int = 0
    resumed: int = 0
    outcomes: Counter[str] = field(default_factory=Counter[str])
    rewards: defaultdict[str, Prize] = field(default_factory=lambda: defaultdict(Prize))
    xp_granted: int = 0
    xp_boosted: int = 0
    xp_over_cap: int = 0
    late: int = 0
    closings: list[Closing] = field(default_factory=list[Closing])
    first_ms: int | None = None
    last_ms: int | None = None

    def saw(self, now_ms: int) -> None:
        self.first_ms = now_ms if self.first_ms is None else self.first_ms
        self.last_ms = now_ms if self.last_ms is None else max(self.last_ms, now_ms)

    def count(self, outcomes: liveops.Outcomes) -> None:
        self.outcomes.update(outcomes.counts())
        for outcome in outcomes:
            if outcome.status == "applied" and outcome.effect is not None:
                self.apply(outcome.effect)

    def apply(self, effect: liveops.Effect) -> None:
        self.xp_granted += effect.xp.granted
        self.xp_boosted += effect.xp.boost
        self.xp_over_cap += effect.xp.over_daily_cap
        self.late += bool(effect.late)
        for receipt in effect.receipts:
            prize = self.rewards[receipt.reward]
            prize.times += 1
            for item in receipt.items:
                prize.items[item.kind, item.id] += item.amount


class Replay:
    """A run under way. The order of things is part of the result:

    1. A line that is no request is counted and left out.
    2. Before the first line of each UTC hour of `receivedMs` that is not the hour of the line before, what was admitted so far
       is decided and the engine is advanced to that line's `receivedMs`.
    3. The door admits each line at its `receivedMs`; what it admits is decided in the order of the lines, in batches.

    What an earlier run was through with, by the store's horizon, goes through the door alone, which counts quotas.
    """

    def __init__(self, intake: liveops.Intake, engine: liveops.Engine) -> None:
        self.intake = intake
        self.engine = engine
        self.tally = Tally()
        self.batch: list[liveops.Command] = []
        self.hour: int | None = None
        moved_to_ms = engine.horizon().now
        self.moved_to_ms = moved_to_ms if moved_to_ms > MIN_MS else None

    def take(self, line: Line) -> None:
        self.tally.lines += 1
        hour = line.received_ms // HOUR_MS
        if hour != self.hour:
            self.hour = hour
            if self.moved_to_ms is not None and line.received_ms >= self.moved_to_ms:
                self.moved_to_ms = None
                self.tally.resumed = self.tally.lines - 1
            if self.moved_to_ms is None:
                self.decide()
                self.advance(line.received_ms)
        self.tally.saw(line.received_ms)
        try:
            command = self.intake.admit(line.headers, line.body, now_ms=line.received_ms)
            if self.moved_to_ms is None:
                self.batch.append(command)
        except liveops.Refusal as refusal:
            self.tally.outcomes[refusal.code] += 1
        if len(self.batch) >= BATCH_LEN:
            self.decide()

    def broken(self) -> None:
        self.tally.lines += 1
        self.tally.broken += 1

    def decide(self) -> None:
        if self.batch:
            self.tally.count(self.engine.submit_batch(self.batch))
            self.batch = []

    def advance(self, now_ms: int) -> None:
        self.engine.advance(now_ms=now_ms, far=True)  # a log may be silent for months
        if self.tally.last_ms is not None:
            for period in self.engine.closed_between(self.tally.last_ms, now_ms):
                self.tally.closings.append(Closing(period, list(self.winners(period))))

    def winners(self, period: liveops.Period) -> Iterator[tuple[str, liveops.Row]]:
        for name in self.engine.rules.boards:
            board = self.engine.board(name)
            if period.window in board.windows:
                try:
                    yield from ((name, row) for row in board.of(period).top(1))
                except liveops.LiveopsError as error:
                    # A log read once more, or after a long silence: the period is kept no longer.
                    if error.code != "period_dropped":
                        raise


def drive(run: Replay, source: BinaryIO, name: str) -> Tally:
    """All lines; broken ones are told and left out."""
    for number, text in enumerate(source, 1):
        try:
            line = Line.parse(text)
        except ValueError as error:
            print(f"{name}:{number}: broken line: {error}", file=sys.stderr)
            run.broken()
        else:
            run.take(line)
    run.decide()
    if run.moved_to_ms is not None:
        run.tally.resumed = run.tally.lines
    return run.tally


def main(words: list[str], store: str | None) -> str:
    events = words[0] if words else str(DATA / "season.ndjson")
    rules_path = Path(words[1]) if len(words) > 1 else DATA / "rules.json"
    try:
        rules = liveops.Rules.from_file(rules_path)
        for warning in rules.warnings():
            print(f"{rules_path}: warning: {warning}", file=sys.stderr)
        secret = rules_path.with_name("secret.txt").read_text().strip()
        # A run that was killed may still be on its way out of the disk: wait for it.
        engine = liveops.Engine(rules, store=liveops.SqliteStore(store, wait_seconds=5) if store else None)
        run = Replay(liveops.Intake(rules, secret=secret), engine)
        begun = time.perf_counter()
        if events == "-":
            name = "standard input"
            tally = drive(run, sys.stdin.buffer, name)
        else:
            name = events
            with open(events, "rb") as source:
                tally = drive(run, source, name)
    except liveops.RulesError as error:
        sys.exit(f"replay: {rules_path}: {error}")
    except liveops.SignatureError as error:
        sys.exit(f"replay: {rules_path.with_name('secret.txt')}: {error}")
    except liveops.StoreError as error:
        sys.exit(f"replay: {store}: {error}")
    except OSError as error:
        sys.exit(f"replay: {error.filename}: {error.strerror}")
    document = json.loads(rules_path.read_text())
    with engine:
        return render(engine, document, tally, name, time.perf_counter() - begun)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    path = arguments[1] if arguments[:1] == ["--store"] and len(arguments) > 1 else None
    names = arguments if path is None else arguments[2:]
    if len(names) > 2 or any(word.startswith("--") for word in names):
        sys.exit(__doc__)
    print(main(names, path))
