"""A server that is killed at any moment under load, 50 times: what it answered is there, once, and nothing else."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import liveops
from conftest import DOCUMENT, NOW_MS, event

SERVER = Path(__file__).with_name("crash_server.py")
KILLS = 50
CLIENTS = 16
PLAYERS = 40


class Load:
    """Clients who send events of one XP each, and send again what nobody answered."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.sent = 0
        self.unanswered: list[tuple[str, str]] = []
        self.accepted: dict[str, str] = {}
        self.codes: Counter[str] = Counter()
        self.horizon_ms = NOW_MS - 1_000_000

    def next_event(self) -> tuple[str, str]:
        if self.unanswered:
            return self.unanswered.pop()
        self.sent += 1
        return f"e{self.sent}", f"p{self.random.randrange(PLAYERS)}"

    async def send(self, port: int, answered: asyncio.Event, enough: asyncio.Event) -> None:
        """Until the server is gone, or it is enough."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return
        while not enough.is_set():
            id, player = self.next_event()
            try:
                writer.write(event(id, player, 1) + b"\n")
                answer = await reader.readline()
            except ConnectionError:
                answer = b""
            if not answer.endswith(b"\n"):
                self.unanswered.append((id, player))
                break
            self.codes[answer.decode().strip()] += 1
            self.accepted[id] = player
            answered.set()
        writer.close()

    async def advance(self, port: int, enough: asyncio.Event) -> None:
        """Now and then a little."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            while not enough.is_set():
                self.horizon_ms += 1_000
                writer.write(b"advance %d\n" % self.horizon_ms)
                if not await reader.readline():
                    break
                await asyncio.sleep(0.02)
            writer.close()
        except ConnectionError:
            return

    async def cycle(self, path: Path, kill: bool) -> int:
        """One life of the server: how many were accepted in it."""
        before = len(self.accepted)
        server = subprocess.Popen([sys.executable, str(SERVER), str(path)], stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        try:
            port = int(await asyncio.to_thread(server.stdout.readline))
            answered, enough = asyncio.Event(), asyncio.Event()
            clients = [asyncio.create_task(self.send(port, answered, enough)) for _ in range(CLIENTS)]
            clients.append(asyncio.create_task(self.advance(port, enough)))
            # It has done something, and then it may be doing anything.
            await asyncio.wait_for(answered.wait(), 30)
            await asyncio.sleep(self.random.uniform(0, 0.25))
            if not kill:
                enough.set()
                await asyncio.gather(*clients)
            server.kill()
            await asyncio.gather(*clients)
        finally:
            server.kill()
            server.wait()
            server.stdout.close()
        return len(self.accepted) - before


def test_kill_9_takes_nothing_that_was_answered(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    load, path = Load(seed), tmp_path / "game.db"

    async def run() -> tuple[list[int], int]:
        accepted, in_flight = [], 0
        for _ in range(KILLS):
            accepted.append(await load.cycle(path, kill=True))
            in_flight += len(load.unanswered)
        while load.unanswered or len(accepted) == KILLS:
            accepted.append(await load.cycle(path, kill=False))
        return accepted, in_flight

    accepted, in_flight = asyncio.run(run())
    print(f"{len(load.accepted)} accepted in {len(accepted)} lives, {in_flight} in flight when killed, {load.codes}")
    assert min(accepted) > 0, "each life got somewhere before it ended"
    assert in_flight > KILLS, "they were killed under load"
    assert load.codes.keys() <= {"applied", "replayed"}
    assert len(load.accepted) == load.sent, "whatever was sent was answered in the end"

    rules = liveops.Rules.from_json(json.dumps(DOCUMENT))
    store = liveops.SqliteStore(path)
    with liveops.Engine(rules, store=store) as engine:
        store.verify()
        # Each is there, once.
        xp = {player.player_id: player.xp for player in engine.players()}
        assert xp == Counter(load.accepted.values())
        # Boards agree with the records.
        for window in ("allTime", "daily"):
            assert {row.player_id: row.score for row in engine.board("xp").at(window, now_ms=NOW_MS)} == xp
        # A twin in memory that is told what the file tells ends in the same state.
        twin, told, advances = liveops.Engine(rules), set[str](), 0
        for entry in engine.feed():
            if isinstance(entry, liveops.FeedAdvance):
                twin.advance(now_ms=entry.now, far=True)
                advances += 1
                continue
            assert entry.run is not None and entry.run.rules == rules.identity
            assert entry.run.horizon == twin.horizon()
            told.update(command.id for command in entry.run.commands)
            assert all(outcome.status in ("applied", "replayed") for outcome in twin.submit_batch(entry.run.commands))
        assert told == load.accepted.keys() and advances > 0
        assert twin.digest() == engine.digest()
