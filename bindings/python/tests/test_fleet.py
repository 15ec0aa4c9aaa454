"""State over a network: any number of engines share it, event loops go on whatever a server does, and errors tell no secrets."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import liveops
from conftest import DOCUMENT, NOW_MS, event
from servers import Server
from test_fork import in_a_child

DAY = 86_400_000
SECRET = "hunter2"

Store = liveops.RedisStore | liveops.PostgresStore


class Place:
    """A server, and a game in it that nobody played yet."""

    def __init__(self, kind: str, server: Server, game: str) -> None:
        self.kind, self.server = kind, server
        self.rules = liveops.Rules.from_json(json.dumps({**DOCUMENT, "game": game}))

    def store(self, **options: Any) -> Store:
        options = {"clock_ahead_seconds": None, **options}
        if self.kind == "postgres":
            return liveops.PostgresStore(self.server.url, **options)
        urls = self.server.urls if self.kind == "cluster" else self.server.url
        return liveops.RedisStore(urls, partitions=4, **{"allow_no_persistence": self.kind == "cluster", **options})

    def open(self, **options: Any) -> liveops.Engine:
        return liveops.Engine.open(self.rules, store=self.store(**options))


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, Server]]:
    started = dict[str, Server]()
    yield started
    for server in started.values():
        server.close()


def place_of(kind: str, servers: dict[str, Server], name: str) -> Place:
    if kind not in servers:
        servers[kind] = Server(kind, *(["--appendonly", "yes"] if kind == "redis" else []))
    return Place(kind, servers[kind], "".join(letter if letter.isalnum() else "-" for letter in name)[-60:])


@pytest.fixture(params=["redis", "postgres"])
def place(request: pytest.FixtureRequest, servers: dict[str, Server]) -> Place:
    return place_of(request.param, servers, request.node.name)


def adjust(n: int, players: int = 7, xp: int = 1) -> liveops.Command:
    return liveops.Command.adjust(f"a{n}", f"p{n % players}", xp, "r", now_ms=NOW_MS)


def lines(count: int, players: int = 7) -> bytes:
    return b"\n".join(event(f"e{n}", f"p{n % players}", 100) for n in range(count))


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(liveops.LiveopsError) as raised:
        call()
    return raised.value.code


def test_engines_share_it(place: Place) -> None:
    memory = liveops.Engine(place.rules)
    with place.open() as first, place.open() as second:
        for engine in (memory, first):
            assert engine.submit_ndjson(lines(100), now_ms=NOW_MS).counts() == {"applied": 100}
            engine.advance(now_ms=NOW_MS, far=True)
        assert second.submit_ndjson(lines(100), now_ms=NOW_MS).counts() == {"replayed": 100}, "each once, whoever gets it"
        second.catch_up()
        boards = [list(one.board("xp").at("daily", now_ms=NOW_MS)) for one in (memory, first, second)]
        assert boards[0] == boards[1] == boards[2] and len(boards[0]) == 7
        assert memory.digest() == first.digest() == second.digest()
        assert second.horizon() == memory.horizon()
        assert first.size()["players"] == 7
        assert sorted(player.player_id for player in second.players()) == [f"p{n}" for n in range(7)]
        assert second.receipts("p1") == memory.receipts("p1") != []


def test_everything_is_there_again(place: Place) -> None:
    with place.open() as engine:
        engine.submit_ndjson(lines(30), now_ms=NOW_MS)
        digest, rows = engine.digest(), engine.board("xp").top("daily", now_ms=NOW_MS)
    engine.close()
    assert code_of(lambda: engine.submit(adjust(1))) == code_of(engine.lag) == code_of(engine.store.now) == "closed"  # type: ignore[union-attr]
    with place.open() as engine:
        assert engine.digest() == digest and engine.board("xp").top("daily", now_ms=NOW_MS) == rows
        assert engine.submit_ndjson(lines(30), now_ms=NOW_MS).counts() == {"replayed": 30}


def test_rivals_lose_and_double_nothing(place: Place) -> None:
    commands = [adjust(n, players=20) for n in range(400)]
    counts = list[dict[str, int]]()

    def work(batches: int) -> None:
        async def run() -> None:
            async with await liveops.Engine.open_async(place.rules, store=place.store()) as engine:
                outcomes = list[liveops.Outcome]()
                for at in range(0, 400, batches):
                    outcomes += await asyncio.gather(*(engine.submit_async(one) for one in commands[at : at + batches]))
                counts.append(liveops.Outcomes(outcomes).counts())

        asyncio.run(run())

    threads = [threading.Thread(target=work, args=(batches,)) for batches in (400, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(counts) == 2
    assert sum(count.get("applied", 0) for count in counts) == 400, counts
    assert sum(count.get("replayed", 0) for count in counts) == 400, counts
    with place.open() as engine:
        assert sum(player.xp for player in engine.players()) == 400


def test_a_constructor_does_not_wait(place: Place) -> None:
    with pytest.raises(liveops.LiveopsError, match=r"would_block: .*Engine\.open\(.*Engine\.open_async\(") as raised:
        liveops.Engine(place.rules, store=place.store())
    assert raised.value.code == "would_block"


def test_every_asynchronous_verb_is_its_twin(place: Place) -> None:
    async def run() -> None:
        async with await liveops.Engine.open_async(place.rules, store=place.store(feed=100), recording=True) as engine:
            assert (await engine.submit_ndjson_async(lines(30), now_ms=NOW_MS)).counts() == {"applied": 30}
            assert (await engine.submit_batch_async([adjust(n) for n in range(30)])).counts() == {"applied": 30}
            assert (await engine.submit_async(adjust(0))).code == "replayed"
            await engine.catch_up_async()
            assert (await engine.lag_async()).behind == 0
            status = await engine.status_async()
            assert status.rules == status.rules_seen[-1] and status.horizon == engine.horizon()
            assert liveops.EngineStatus.from_dict(status.to_dict()) == status
            assert await engine.digest_async() == engine.digest()
            assert await engine.player_async("p1") == engine.player("p1")
            assert [one async for one in engine.players_async()] == list(engine.players())
            store = engine.store
            assert isinstance(store, (liveops.RedisStore, liveops.PostgresStore))
            assert abs(await store.now_async() - store.now()) < DAY
            fed = [entry for partition in range(engine.partitions) for entry in engine.feed(partition=partition)]
            ids = {one.id for entry in fed if isinstance(entry, liveops.FeedEntry) and entry.run for one in entry.run.commands}
            assert ids == {*(f"e{n}" for n in range(30)), *(f"a{n}" for n in range(30))}
            await engine.ack_async("inventory", await engine.last_async(0))
            [mark] = await engine.consumers_async()
            assert mark.consumer == "inventory" and len(mark.cursors) == engine.partitions

    asyncio.run(run())


def test_many_lines_come_back_in_their_order(place: Place) -> None:
    data = b"\n".join([event(f"e{n}", f"p{n % 97}", 1) if n % 10 else b"{}" for n in range(5_000)])

    async def run() -> None:
        async with await liveops.Engine.open_async(place.rules, store=place.store()) as engine:
            outcomes = await engine.submit_ndjson_async(data, now_ms=NOW_MS)
            assert [outcome.code == "applied" for outcome in outcomes] == [n % 10 != 0 for n in range(5_000)]

    asyncio.run(run())


def test_a_period_that_one_dropped_is_dropped_for_all(place: Place) -> None:
    with place.open() as first, place.open() as second:
        first.submit_ndjson(lines(7), now_ms=NOW_MS)
        second.catch_up()
        board = second.board("xp")
        period = board.period("daily", now_ms=NOW_MS)
        assert len(board.of(period)) == 7
        first.advance(now_ms=NOW_MS + 9 * DAY, far=True)
        second.catch_up()
        codes = [code_of(lambda: one.board("xp").of(period).top()) for one in (first, second)]  # noqa: B023
        assert codes == ["period_dropped"] * 2


def test_snapshots_go_both_ways(place: Place) -> None:
    memory = liveops.Engine(place.rules)
    memory.submit_ndjson(lines(50), now_ms=NOW_MS)
    with liveops.Engine.restore(place.rules, memory.snapshot(), store=place.store()) as engine:
        assert engine.digest() == memory.digest()
        rows = memory.board("xp").top("daily", now_ms=NOW_MS)
        assert engine.board("xp").top("daily", now_ms=NOW_MS) == rows
        assert liveops.Engine.restore(place.rules, engine.snapshot()).digest() == memory.digest()
        again = place.store()
        assert code_of(lambda: liveops.Engine.restore(place.rules, memory.snapshot(), store=again)) == "store_misconfigured"


def test_a_server_that_is_stopped_holds_up_no_event_loop(place: Place) -> None:
    async def run() -> None:
        async with await liveops.Engine.open_async(place.rules, store=place.store(timeout_seconds=0.5)) as engine:
            assert (await engine.submit_async(adjust(0))).code == "applied"
            place.server.stop()
            try:
                waiting = [asyncio.create_task(engine.submit_async(adjust(n))) for n in range(1, 8)]
                reading = asyncio.create_task(engine.player_async("p1"))
                turns = 0
                while not all(task.done() for task in waiting):
                    await asyncio.sleep(0.005)
                    turns += 1
                    assert engine.board("xp").top("daily", now_ms=NOW_MS) == []
                assert turns > 10, "the loop went on"
                codes = {(await task).code for task in waiting}
                assert codes <= {"store_unavailable", "store_outcome_unknown"}, codes
                with pytest.raises(liveops.StoreError):
                    await reading
            finally:
                place.server.go_on()
            for n in range(1, 8):
                while (outcome := await engine.submit_async(adjust(n))).code.startswith("store_"):
                    await asyncio.sleep(0.05)
                assert outcome.code in ("applied", "replayed")
            assert sum([player.xp async for player in engine.players_async()]) == 8

    asyncio.run(run())


def test_closing_waits_for_who_waits(place: Place) -> None:
    async def run() -> list[str]:
        async with await liveops.Engine.open_async(place.rules, store=place.store()) as engine:
            waiting = [asyncio.ensure_future(engine.submit_async(adjust(n))) for n in range(300)]
            await asyncio.sleep(0)
        return [(await one).code for one in waiting]

    assert asyncio.run(run()) == ["applied"] * 300


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_of_a_fork_must_make_its_own(place: Place) -> None:
    with place.open() as engine:
        board, command = engine.board("xp"), adjust(1)
        asyncio.run(engine.submit_async(adjust(0)))
        calls: list[Callable[[], object]] = [
            lambda: engine.submit(command),
            lambda: asyncio.run(engine.submit_async(command)),
            engine.digest,
            engine.lag,
            engine.catch_up,
            engine.status,
            engine.players,
            engine.close,
            lambda: board.top("daily", now_ms=NOW_MS),
            lambda: engine.store.now(),  # type: ignore[union-attr]
        ]
        for call in calls:
            error = in_a_child(call)
            assert isinstance(error, liveops.ForkedError) and error.code == "forked", error
        for _ in range(3):
            assert in_a_child(lambda: place.open().submit(command).code) in ("applied", "replayed"), "with one of its own"
        assert in_a_child(forgotten(engine)) == "gone"
        assert engine.submit(command).code == "replayed", "the parent goes on"
        engine.catch_up()


def forgotten(engine: liveops.Engine) -> Callable[[], str]:
    """A child that lets go of all it has of its parent's engine."""
    held = [engine]

    def forget() -> str:
        import gc

        held.clear()
        for _, value in list(vars(sys.modules[__name__]).items()):
            del value
        gc.collect()
        return "gone"

    return forget


def test_the_interpreter_ends_whatever_is_open(place: Place) -> None:
    program = f"""
import asyncio, json, liveops, sys
kind, urls, document = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
store = liveops.PostgresStore(urls[0], clock_ahead_seconds=None) if kind == "postgres" else liveops.RedisStore(urls[0], partitions=4, clock_ahead_seconds=None)
async def run():
    global engine
    engine = await liveops.Engine.open_async(liveops.Rules.from_json(document), store=store)
    for n in range(50):
        asyncio.ensure_future(engine.submit_async(liveops.Command.adjust(f"a{{n}}", f"p{{n}}", 1, "r", now_ms={NOW_MS})))
    await asyncio.sleep(0)
asyncio.run(run())
print("ended")
"""
    document = json.dumps({**DOCUMENT, "game": place.rules.game})
    arguments = [sys.executable, "-c", program, place.kind, json.dumps(place.server.urls), document]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (0, "ended\n"), ended.stderr
    with place.open() as engine:
        assert engine.size()["players"] == 50, "what was handed over is there"


def test_errors_tell_no_secrets(place: Place, servers: dict[str, Server]) -> None:
    if place.kind == "postgres":
        stores: dict[str, Store] = {
            "store_unavailable": liveops.PostgresStore(f"postgresql://{SECRET}:{SECRET}@127.0.0.1:1/{SECRET}"),
            "store_misconfigured": liveops.PostgresStore(f"{SECRET}: no address at all"),
            "store_misconfigured ": liveops.PostgresStore(f"{place.server.url} dbname={SECRET}"),
        }
    else:
        separator = "&" if "?" in place.server.url else "?"
        stores = {
            "store_unavailable": liveops.RedisStore(f"redis://{SECRET}:{SECRET}@127.0.0.1:1/"),
            "store_misconfigured": liveops.RedisStore(f"{SECRET}: no address at all"),
            "store_misconfigured ": liveops.RedisStore(f"{place.server.url}{separator}user={SECRET}&pass={SECRET}"),
        }
    for code, store in stores.items():
        with pytest.raises(liveops.StoreError) as raised:
            liveops.Engine.open(place.rules, store=store)
        error = raised.value
        said = f"{error!r} {error} {error.__cause__!r} {error.__context__!r} {store!r}"
        assert error.code == code.strip(), said
        assert SECRET not in said and "127.0.0.1" not in said, said


def test_options_are_checked(place: Place) -> None:
    make: type = type(place.store())
    for wrong in ({"timeout_seconds": 0}, {"timeout_seconds": float("nan")}, {"clock_ahead_seconds": -1}, {"feed": -1}, {"outbox_entries": -1}):
        assert code_of(lambda: make(place.server.url, **wrong)) == "out_of_range", wrong  # noqa: B023
    for odd in ({"tls_certificate": "x"}, {"tls_key": b"x"}, {"tls_ca": 5}, {"timeout_seconds": "2"}, {"feed": 1.5}):
        with pytest.raises(TypeError):
            make(place.server.url, **odd)
    no_pem = make(place.server.url, tls_ca=f"{SECRET}, and not PEM")
    with pytest.raises(liveops.StoreError) as raised:
        liveops.Engine.open(place.rules, store=no_pem)
    assert raised.value.code == "store_misconfigured" and SECRET not in f"{raised.value} {raised.value.__cause__}"


def test_the_clock_of_the_server_is_asked_unless_it_is_not_to_be(place: Place) -> None:
    with place.open(clock_ahead_seconds=60) as engine:
        now = engine.store.now()  # type: ignore[union-attr]
        assert engine.advance(now_ms=now).now == now
        assert code_of(lambda: engine.advance(now_ms=now + DAY)) == "store_misconfigured"
    with place.open() as engine:
        assert engine.advance(now_ms=now + DAY).now == now + DAY


def test_a_cluster_is_a_list_of_addresses(servers: dict[str, Server]) -> None:
    place = place_of("cluster", servers, "cluster")
    with place.open() as first, place.open() as second:
        assert first.submit_ndjson(lines(50), now_ms=NOW_MS).counts() == {"applied": 50}
        assert second.submit_ndjson(lines(50), now_ms=NOW_MS).counts() == {"replayed": 50}
        second.catch_up()
        assert len(second.board("xp").top("daily", now_ms=NOW_MS)) == 7
    assert code_of(lambda: liveops.Engine.open(place.rules, store=liveops.RedisStore([]))) == "store_misconfigured"
