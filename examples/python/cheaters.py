"""Who stands out in a log of events, and why: tables and thresholds from the log itself, then everybody judged by them.

    python examples/python/cheaters.py events.ndjson [part]

`part` is how many of the players may be flagged by chance, 0.003 if it is not given. A log to try it on, with two cheaters of
a hundred, comes from `cargo run --release --example anomaly_report -- --simulate 7 400`. The same program as
`examples/node/cheaters.mjs`.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import liveops

ACTIVITIES_MAX = 64


def events(path: Path) -> Iterator[dict[str, Any]]:
    """Those that the rules take; other lines teach nothing and are left out here too."""
    parser = liveops.EventParser()
    with path.open("rb") as lines:
        for line in lines:
            try:
                # Of any age: each is judged at its own time.
                now_ms = json.loads(line)["ts"] * 1000
                yield parser.parse(line, now_ms=now_ms)
            except (ValueError, TypeError, KeyError):
                continue


def rules_for(path: Path) -> liveops.Rules:
    """Rules that keep apart the activities of this log."""
    names = {event["payload"].get("activity") for event in events(path)} - {None}
    detectors = {"cheats": {"kind": "family"}}
    document = {"version": 1, "game": "log", "activities": sorted(names)[:ACTIVITIES_MAX], "detectors": detectors}
    return liveops.Rules.from_json(json.dumps(document))


def fitted(path: Path, part: float) -> tuple[liveops.Family, liveops.Population]:
    """A family of detectors, and the tables of what is usual in this log. Only its players are in memory."""
    rules, builder = rules_for(path), liveops.PopulationBuilder()
    with path.open("rb") as lines:
        count = builder.teach_ndjson(rules, lines)
    population = builder.finish()
    print(f"{count.events} events, {count.refused} lines that are none; population {population.hash[:12]}")
    with path.open("rb") as lines:
        found = rules.with_population(population).calibrate("cheats", lines, per_player=part)
    return liveops.Family(population, thresholds=found.thresholds), population


def main(path: Path, part: float) -> None:
    family, population = fitted(path, part)
    known = set(population.bosses)
    profiles: defaultdict[str, liveops.PlayerProfile] = defaultdict(liveops.PlayerProfile)
    flagged: set[str] = set()
    for event in events(path):
        payload = event["payload"]
        seen: dict[str, Any] = {}
        if "deltaXp" in payload:
            seen.update(activity=payload.get("activity", "other"), amount=payload["deltaXp"])
        if payload.get("bossId") in known:
            seen.update(boss=payload["bossId"], duration_ms=payload["durationMs"])
        for finding in family.observe(profiles[event["playerId"]], event["ts"] * 1000, **seen):
            when = f"{datetime.fromtimestamp(event['ts'], timezone.utc):%Y-%m-%dT%H:%MZ}"
            print(f"{event['playerId']} {when} {finding.detector}: {finding.verdict.sentence()}")
            flagged.add(event["playerId"])
    print(f"{len(flagged)} of {len(profiles)} players stand out")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("cheaters.py events.ndjson [part]")
    try:
        main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) == 3 else 0.003)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
