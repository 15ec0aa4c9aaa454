"""A worker of `examples/rust/fleet.rs` in Python: one of many processes over one store.

    FLEET_URL=redis://127.0.0.1 python examples/python/fleet_worker.py redis rules.json

It reads a request a line and answers each in a line; `examples/src/fleet.rs` lists them.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

import liveops

ROWS_MAX = 10


async def main(kind: str, rules_file: str) -> None:
    rules = liveops.Rules.from_file(rules_file)
    # Whoever drives has let the events in, and counted the quotas.
    intake = liveops.Intake(rules, trusted=True, quotas=False)
    engine = await liveops.Engine.open_async(rules, store=store_of(kind, os.environ["FLEET_URL"]))
    say({"ready": True})
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        try:
            say(await answer(engine, intake, json.loads(line)))
        except liveops.LiveopsError as error:
            say({"error": error.code})
    await engine.close_async()


def store_of(kind: str, url: str) -> liveops.RedisStore | liveops.PostgresStore:
    # A season's times are not of today, so the store's clock has no say.
    if kind == "redis":
        return liveops.RedisStore(url, clock_ahead_seconds=None, allow_no_persistence=True)
    return liveops.PostgresStore(url, clock_ahead_seconds=None)


async def answer(engine: liveops.Engine, intake: liveops.Intake, request: dict[str, Any]) -> dict[str, Any]:
    if "submit" in request:
        events = [
            intake.admit(event["headers"], event["body"].encode(), now_ms=event["receivedMs"])
            for event in request["submit"]
        ]
        outcomes = await engine.submit_batch_async(events)
        return {"outcomes": [[outcome.status, outcome.code] for outcome in outcomes]}
    if "advance" in request:
        horizon = await engine.advance_async(now_ms=request["advance"], far=True)  # a season may be silent for months
        return {"now": horizon.now}
    if "boards" in request:
        return {"boards": await boards(engine, request["boards"])}
    return {"digest": await engine.digest_async()}


async def boards(engine: liveops.Engine, now_ms: int) -> dict[str, Any]:
    """Every board in every window, now and one period ago, when all that was committed anywhere is on them."""
    await engine.catch_up_async()
    rows: dict[str, Any] = {}
    for name in engine.rules.boards:
        board = engine.board(name)
        for window in board.windows:
            for ago in (0,) if window == "allTime" else (0, 1):
                top = board.at(window, ago, now_ms=now_ms).top(ROWS_MAX)
                rows[f"{name} {window} {ago}"] = [[row.rank, row.player_id, row.score] for row in top]
    return rows


def say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
