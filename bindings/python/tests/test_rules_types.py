"""Types of a rules document: what is written by them is read."""

from __future__ import annotations

import json
from importlib.resources import files

import liveops
from liveops import rules_types as types


def test_what_is_written_by_the_types_is_read() -> None:
    curve: types.RulesCurve = {"kind": "exponential", "base": 250, "growth": "1.2", "maxLevel": 60}
    board: types.RulesBoard = {"on": "boss_kill", "value": 1, "keepPeriods": {"weekly": 8}}
    weekend: types.RulesBoost = {
        "id": "weekend",
        "from": "2026-11-07T00:00:00Z",
        "until": "2026-11-09T00:00:00Z",
        "factor": "2",
    }
    document: liveops.RulesDocument = {
        "$schema": "./rules.v1.json",
        "version": 1,
        "game": "emberfall",
        "progress": {"curve": curve, "boosts": [weekend]},
        "boards": {"kills": board},
    }
    assert liveops.Rules.from_json(json.dumps(document)).game == "emberfall"


def test_members_are_required_or_not() -> None:
    assert types.RulesDocument.__required_keys__ == {"version", "game"}
    assert types.RulesBoost.__required_keys__ == {"id", "from", "until", "factor"}
    assert types.RulesRetention.__optional_keys__ == {"receiptsPerPlayer", "suspicionsDays"}
    assert set(types.__all__) == {name for name in dir(types) if name.startswith("Rules")}


def test_the_package_brings_the_schema() -> None:
    schema = json.loads(files("liveops").joinpath("rules.v1.json").read_text(encoding="utf-8"))
    assert set(schema["$defs"]["Document"]["properties"]) == set(types.RulesDocument.__annotations__)
