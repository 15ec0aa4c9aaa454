"""From an event loop."""

from __future__ import annotations

import asyncio
import inspect
import time

import liveops
from conftest import NOW_MS, event


def test_submit_async(engine: liveops.Engine, trusted: liveops.Intake) -> None:
    command = trusted.admit({}, event(), now_ms=NOW_MS)

    async def twice() -> list[liveops.Outcome]:
        assert inspect.iscoroutine(pending := engine.submit_async(command))
        return [await pending, *await asyncio.gather(engine.submit_async(command))]

    assert [outcome.status for outcome in asyncio.run(twice())] == ["applied", "replayed"]


def test_batches_do_not_block_the_loop(engine: liveops.Engine, trusted: liveops.Intake) -> None:
    data = b"\n".join(event(f"e{n}", f"p{n % 997}") for n in range(20_000))
    commands = [trusted.admit({}, event(f"c{n}", f"q{n}"), now_ms=NOW_MS) for n in range(5)]

    async def run() -> tuple[int, liveops.Outcomes, liveops.Outcomes]:
        batch = asyncio.create_task(engine.submit_ndjson_async(data, now_ms=NOW_MS))
        turns = 0
        while not batch.done():
            await asyncio.sleep(0.001)
            turns += 1
        return turns, await batch, await engine.submit_batch_async(commands)

    turns, lines, batch = asyncio.run(run())
    assert turns > 2
    assert (lines.counts(), batch.counts()) == ({"applied": 20_000}, {"applied": 5})


def test_a_batch_whose_task_is_cancelled_is_decided_whole(engine: liveops.Engine) -> None:
    data = b"\n".join(event(f"e{n}", f"p{n % 997}") for n in range(20_000))

    async def run() -> None:
        batch = asyncio.create_task(engine.submit_ndjson_async(data, now_ms=NOW_MS))
        while engine.size()["outcomes"] == 0:
            await asyncio.sleep(0)
        batch.cancel()
        await asyncio.gather(batch, return_exceptions=True)
        assert batch.cancelled()

    asyncio.run(run())
    # It goes on without anybody who waits, in pieces; `close` would wait for it.
    while engine.size()["outcomes"] < 20_000:
        time.sleep(0.001)
    assert engine.submit_ndjson(data, now_ms=NOW_MS).counts() == {"replayed": 20_000}


def test_a_submit_waits_behind_what_was_called_before(engine: liveops.Engine, trusted: liveops.Intake) -> None:
    async def run(n: int) -> list[str]:
        command = trusted.admit({}, event(f"e{n}"), now_ms=NOW_MS)
        batch, one = await asyncio.gather(engine.submit_batch_async([command]), engine.submit_async(command))
        return [batch[0].status, one.status]

    for n in range(50):
        assert asyncio.run(run(n)) == ["applied", "replayed"]


def test_too_much_is_refused_and_not_raised(engine: liveops.Engine) -> None:
    lines = b"x" * 999 + b"\n"

    async def run() -> None:
        first = asyncio.create_task(engine.submit_ndjson_async(lines * 66_000, now_ms=NOW_MS))
        await asyncio.sleep(0)
        refused = await engine.submit_ndjson_async(lines * 2_000, now_ms=NOW_MS)
        assert not first.done() and refused.counts() == {"store_unavailable": 2_000}
        assert (await engine.submit_async(liveops.Command.adjust("a1", "ana", 1, "r", now_ms=NOW_MS))).code == "applied"
        assert len(await first) == 66_000

    asyncio.run(run())
