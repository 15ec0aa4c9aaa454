"""A small game, its door, and events for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import liveops

NOW_MS = 1_794_052_800_000  # 2026-11-07T12:00:00Z, a Saturday

DOCUMENT: dict[str, Any] = {
    "version": 1,
    "game": "emberfall",
    "progress": {
        "curve": {"kind": "exponential", "base": 250, "growth": "1.2", "maxLevel": 60},
        "xp": [{"on": "progression", "amount": {"field": "deltaXp"}}],
    },
    "rewards": {
        "level-gold": {
            "on": {"everyLevels": 1},
            "grant": [{"kind": "currency", "id": "gold", "amount": 100}],
        },
        "hydra-loot": {"on": {"boss": "hydra", "kill": "any"}, "loot": "chest"},
    },
    "loot": {
        "chest": {
            "entries": {
                "crown": {"weight": 1, "grant": {"kind": "item", "id": "crown", "amount": 1}},
                "scale": {"weight": 99, "grant": {"kind": "item", "id": "scale", "amount": 5}},
            }
        }
    },
    "boards": {
        "xp": {
            "value": "grantedXp",
            "operator": "incr",
            "order": "desc",
            "keepPeriods": {"daily": 2, "allTime": 0},
        }
    },
    "detectors": {"floor": {"kind": "timeFloor", "boss": "hydra", "minimumMs": 45_000, "action": "hold"}},
    "door": {"quotas": [{"per": "player", "limit": 3, "periodSeconds": 60}]},
}

Event = Callable[..., bytes]


@pytest.fixture
def rules() -> liveops.Rules:
    return liveops.Rules.from_json(json.dumps(DOCUMENT))


@pytest.fixture
def engine(rules: liveops.Rules) -> liveops.Engine:
    return liveops.Engine(rules)


@pytest.fixture
def trusted(rules: liveops.Rules) -> liveops.Intake:
    """A door without signatures or quotas."""
    return liveops.Intake(rules, trusted=True, quotas=False)


def event(id: str | None = "e1", player: str = "ana", xp: int = 120, ts: int = NOW_MS // 1000) -> bytes:
    body = {"type": "progression", "playerId": player, "ts": ts, "payload": {"deltaXp": xp}}
    return json.dumps(body if id is None else {"id": id, **body}).encode()


def kill(id: str, player: str = "ana", duration_ms: int = 60_000) -> bytes:
    payload = {"bossId": "hydra", "durationMs": duration_ms}
    return json.dumps(
        {"id": id, "type": "boss_kill", "playerId": player, "ts": NOW_MS // 1000, "payload": payload}
    ).encode()
