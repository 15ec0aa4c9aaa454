"""A small server whose state is a file: what `test_crash.py` starts and kills.

A line of a connection is an event, or `advance` and a time; the answer is a line too, once what it says is on the disk.
"""

from __future__ import annotations

import asyncio
import json
import sys

import liveops
from conftest import DOCUMENT, NOW_MS

RULES = liveops.Rules.from_json(json.dumps(DOCUMENT))


async def main(path: str) -> None:
    store = liveops.SqliteStore(path, feed=1_000_000, wait_seconds=5)
    engine = await liveops.Engine.open_async(RULES, store=store, recording=True)
    engine.ack("twin")  # from its start on nothing goes
    intake = liveops.Intake(RULES, trusted=True, quotas=False)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            if line.startswith(b"advance "):
                await engine.advance_async(now_ms=int(line.split()[1]), far=True)
                answer = "advanced"
            else:
                answer = (await engine.submit_async(intake.admit({}, line, now_ms=NOW_MS))).code
            writer.write(answer.encode() + b"\n")
            await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
