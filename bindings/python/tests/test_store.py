"""State in a file: it survives, is shared by threads and tasks, has one opener, and says what is wrong."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import liveops
from conftest import DOCUMENT, NOW_MS, event
from test_fork import in_a_child

DAY = 86_400_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "game.db"


@pytest.fixture
def stored(rules: liveops.Rules, path: Path) -> Iterator[liveops.Engine]:
    with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
        yield engine


def lines(count: int, players: int = 7) -> bytes:
    return b"\n".join(event(f"e{n}", f"p{n % players}", 100) for n in range(count))


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(liveops.LiveopsError) as raised:
        call()
    return raised.value.code


def changed(**members: Any) -> liveops.Rules:
    return liveops.Rules.from_json(json.dumps({**DOCUMENT, **members}))


def test_everything_is_there_again(rules: liveops.Rules, path: Path) -> None:
    memory = liveops.Engine(rules)
    memory.submit_ndjson(lines(100), now_ms=NOW_MS)
    memory.advance(now_ms=NOW_MS + DAY)
    with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
        engine.submit_ndjson(lines(100), now_ms=NOW_MS)
        engine.advance(now_ms=NOW_MS + DAY)
        assert engine.digest() == memory.digest() and engine.size() == memory.size()
    for _ in range(2):
        with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
            assert (engine.digest(), engine.horizon()) == (memory.digest(), memory.horizon())
            assert list(engine.players()) == sorted(memory.players(), key=lambda player: player.player_id)
            boards = [one.board("xp").at("daily", 1, now_ms=NOW_MS + DAY) for one in (engine, memory)]
            assert list(boards[0]) == list(boards[1]) and len(boards[0]) == 7
            assert engine.submit_ndjson(event("e99", "p1", 100), now_ms=NOW_MS)[0].code == "replayed"
    snapshot = memory.snapshot()
    assert liveops.Engine.restore(rules, snapshot).digest() == memory.digest()


def test_snapshots_go_both_ways(rules: liveops.Rules, path: Path, tmp_path: Path) -> None:
    memory = liveops.Engine(rules)
    memory.submit_ndjson(lines(50), now_ms=NOW_MS)
    for snapshot in (memory.snapshot(), b""):
        if not snapshot:
            memory.advance(now_ms=NOW_MS + DAY)
            snapshot, path = memory.snapshot(), tmp_path / "other.db"
        with liveops.Engine.restore(rules, snapshot, store=liveops.SqliteStore(path)) as engine:
            assert engine.digest() == memory.digest()
            assert liveops.Engine.restore(rules, engine.snapshot()).digest() == memory.digest()
        occupied = liveops.SqliteStore(path)
        assert code_of(lambda: liveops.Engine.restore(rules, snapshot, store=occupied)) == "store_misconfigured"
        with liveops.Engine(rules, store=occupied) as engine:
            assert engine.digest() == memory.digest(), "nothing is lost"
    garbage = liveops.SqliteStore(tmp_path / "garbage.db")
    assert code_of(lambda: liveops.Engine.restore(rules, b"garbage", store=garbage)) in ("store_corrupt", "snapshot_corrupt")


def test_the_way_back_from_an_advance_too_far(rules: liveops.Rules, stored: liveops.Engine, tmp_path: Path) -> None:
    stored.submit_ndjson(event("e1"), now_ms=NOW_MS)
    stored.advance(now_ms=NOW_MS * 2, far=True)
    assert stored.submit_ndjson(event("e2"), now_ms=NOW_MS)[0].code == "too_old"
    back = liveops.SqliteStore(tmp_path / "back.db")
    later = NOW_MS + 60_000
    with liveops.Engine.restore(rules, stored.snapshot(), store=back, at=later) as engine:
        assert engine.submit_ndjson(event("e2", ts=later // 1000), now_ms=later)[0].code == "applied"


def test_a_month_asleep_is_no_fault(rules: liveops.Rules, path: Path) -> None:
    clock_ms = liveops.Engine(rules).advance().now
    with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
        engine.advance(now_ms=clock_ms - 90 * DAY)
    with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
        assert engine.advance().now >= clock_ms
        assert code_of(lambda: engine.advance(now_ms=clock_ms + 40 * DAY)) == "clock_jump"
        assert code_of(lambda: engine.advance(now_ms=clock_ms * 1000)) == "clock_unit"
        assert engine.horizon().now < clock_ms + DAY


def test_three_weeks_asleep(path: Path) -> None:
    gold = {"tier": "gold", "ranks": [1, 1], "grant": {"kind": "item", "id": "crown", "amount": 1}}
    xp = {"value": "grantedXp", "keepPeriods": {"daily": 2, "weekly": 8}, "payouts": {"daily": [gold], "weekly": [gold]}}
    rules, later = changed(boards={"xp": xp}), NOW_MS + 21 * DAY
    with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
        engine.submit_ndjson(lines(7), now_ms=NOW_MS)
        engine.advance(now_ms=NOW_MS)
        mark = engine.pay_closed(now_ms=NOW_MS).mark
    for paid in ((1, 0), (0, 1)):
        with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
            engine.advance(now_ms=later)
            assert [period.window for period in engine.closed_between(mark or 0, later)].count("weekly") == 3
            run = engine.pay_closed(mark, now_ms=later)
            assert [(period.label, period.paid, period.paid_before) for period in run.periods] == [("2026-W45", *paid)]
            [dropped] = run.dropped
            assert (dropped.window, dropped.last - dropped.first) == ("daily", 18), "beyond what is kept: named"
            assert engine.pay_closed(run.mark, now_ms=later).periods == ()


def test_close_waits_and_lets_go(rules: liveops.Rules, path: Path) -> None:
    store = liveops.SqliteStore(path)
    assert code_of(store.status) == code_of(store.verify) == "closed"
    engine = liveops.Engine(rules, store=store)
    board, players = engine.board("xp"), None
    engine.submit_ndjson(lines(20), now_ms=NOW_MS)
    standings = board.at("daily", now_ms=NOW_MS)
    players = engine.players()
    engine.close()
    engine.close()
    calls: list[Callable[[], object]] = [
        lambda: engine.submit(liveops.Command.adjust("a", "ana", 1, "r")),
        lambda: engine.submit_batch([]),
        engine.digest,
        engine.stats,
        engine.players,
        lambda: engine.board("xp"),
        lambda: board.windows,
        lambda: len(standings),
        store.status,
        lambda: store.backup(path.with_name("b.db")),
        lambda: asyncio.run(engine.submit_async(liveops.Command.adjust("a", "ana", 1, "r"))),
    ]
    assert [code_of(call) for call in calls] == ["closed"] * len(calls)
    assert len(list(players)) == 7, "the page that was read is there"
    with liveops.Engine(rules, store=store) as engine:
        assert engine.size()["players"] == 7


def test_close_does_what_waits(rules: liveops.Rules, path: Path) -> None:
    async def run() -> list[str]:
        async with await liveops.Engine.open_async(rules, store=liveops.SqliteStore(path)) as engine:
            adjust = [liveops.Command.adjust(f"a{n}", f"p{n}", 1, "r", now_ms=NOW_MS) for n in range(100)]
            waiting = [asyncio.ensure_future(engine.submit_async(command)) for command in adjust]
            await asyncio.sleep(0)
        return [(await one).code for one in waiting]

    assert asyncio.run(run()) == ["applied"] * 100


def test_one_opener(rules: liveops.Rules, stored: liveops.Engine, path: Path) -> None:
    assert code_of(lambda: liveops.Engine(rules, store=liveops.SqliteStore(path))) == "store_in_use"
    link = path.with_name("link.db")
    link.symlink_to(path)
    assert code_of(lambda: liveops.Engine(rules, store=liveops.SqliteStore(link))) == "store_in_use"
    program = "import liveops, sys; liveops.Engine(liveops.Rules.from_json(sys.argv[2]), store=liveops.SqliteStore(sys.argv[1]))"
    second = subprocess.run(
        [sys.executable, "-c", program, str(path), json.dumps(DOCUMENT)], capture_output=True, text=True, timeout=60
    )
    assert "StoreError: store_in_use" in second.stderr
    other = path.with_name("other.db")
    with liveops.Engine(rules, store=liveops.SqliteStore(other)) as engine:
        assert engine.submit_ndjson(event(), now_ms=NOW_MS)[0].code == "applied", "another file in one process"
    assert stored.size()["players"] == 0


def test_a_restart_waits_for_the_one_before(rules: liveops.Rules, path: Path) -> None:
    first = liveops.Engine(rules, store=liveops.SqliteStore(path))
    timer = threading.Timer(0.2, first.close)
    timer.start()
    with liveops.Engine(rules, store=liveops.SqliteStore(path, wait_seconds=60)) as engine:
        assert engine.size()["players"] == 0
    timer.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_of_a_fork_must_not_use_it(stored: liveops.Engine, rules: liveops.Rules, path: Path) -> None:
    command = liveops.Command.adjust("a1", "ana", 1, "r", now_ms=NOW_MS)
    board = stored.board("xp")
    asyncio.run(stored.submit_async(command))
    calls: list[Callable[[], object]] = [
        lambda: stored.submit(command),
        lambda: asyncio.run(stored.submit_async(command)),
        lambda: asyncio.run(stored.submit_batch_async([command])),
        stored.digest,
        lambda: stored.advance(),
        stored.players,
        stored.last,
        stored.close,
        lambda: board.top("daily", now_ms=NOW_MS),
        lambda: stored.store.verify(),  # type: ignore[union-attr]
    ]
    for call in calls:
        error = in_a_child(call)
        assert isinstance(error, liveops.ForkedError) and error.code == "forked", error
    refused = in_a_child(lambda: liveops.Engine(rules, store=liveops.SqliteStore(path)))
    assert isinstance(refused, liveops.StoreError) and refused.code == "store_in_use"
    assert stored.submit(command).code == "replayed", "the parent goes on"
    stored.store.verify()  # type: ignore[union-attr]


def commits(engine: liveops.Engine) -> int:
    assert isinstance(engine.store, liveops.SqliteStore)
    return engine.store.status().rounds


def test_tasks_share_commits(stored: liveops.Engine) -> None:
    adjust = [liveops.Command.adjust(f"a{n}", f"p{n % 64}", 1, "r", now_ms=NOW_MS) for n in range(640)]
    before = commits(stored)

    async def run() -> None:
        for of in range(0, 640, 64):
            outcomes = await asyncio.gather(*(stored.submit_async(command) for command in adjust[of : of + 64]))
            assert {outcome.code for outcome in outcomes} == {"applied"}
        [first, *_] = await stored.submit_batch_async(adjust)
        assert first.code == "replayed"
        assert (await stored.submit_ndjson_async(lines(10), now_ms=NOW_MS)).counts() == {"applied": 10}

    asyncio.run(run())
    assert commits(stored) - before <= 640 // 4, "64 at once share a few commits"
    assert sum(player.xp for player in stored.players()) == 640 + 1_000


def test_threads_share_commits(stored: liveops.Engine, path: Path) -> None:
    before = commits(stored)

    def work(of: int) -> None:
        adjust = liveops.Command.adjust("a1", f"p{of}", 1, "r", now_ms=NOW_MS)
        # On a busy machine the lock may be held for longer than is waited for.
        while stored.submit(adjust).code == "store_unavailable":
            pass

    threads = [threading.Thread(target=work, args=(of,)) for of in range(16)]
    with held(path):
        for thread in threads:
            thread.start()
        time.sleep(0.5)  # One waits for the lock, the others for the one: and this thread runs.
    for thread in threads:
        thread.join()
    assert sum(player.xp for player in stored.players()) == 16
    assert commits(stored) - before < 16, "whoever waits is written with others"


def test_who_no_longer_waits_holds_up_nobody(stored: liveops.Engine, path: Path) -> None:
    def adjust(n: int) -> liveops.Command:
        return liveops.Command.adjust("a1", f"p{n}", 1, "r", now_ms=NOW_MS)

    async def submitted(command: liveops.Command) -> liveops.Outcome:
        while (outcome := await stored.submit_async(command)).code == "store_unavailable":
            pass  # the lock was held for longer than is waited for
        return outcome

    async def cancelled() -> list[str]:
        with held(path):
            tasks = [asyncio.create_task(submitted(adjust(n))) for n in range(3)]
            await asyncio.sleep(0.01)
            tasks[1].cancel()
            await asyncio.sleep(0.01)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        return [one.code if isinstance(one, liveops.Outcome) else type(one).__name__ for one in outcomes]

    async def gone() -> None:
        # The loop ends before the answer is there.
        asyncio.ensure_future(stored.submit_async(adjust(3)))
        await asyncio.sleep(0)

    assert asyncio.run(cancelled()) == ["applied", "CancelledError", "applied"]
    asyncio.run(gone())
    assert asyncio.run(stored.submit_async(adjust(4))).code == "applied"
    assert {player.player_id for player in stored.players()} == {"p0", "p1", "p2", "p3", "p4"}, "all were handed over"


def test_every_asynchronous_verb_is_its_twin(stored: liveops.Engine) -> None:
    stored.submit_ndjson(lines(30), now_ms=NOW_MS)
    same: dict[str, tuple[Any, ...]] = {
        "player": ("p1",),
        "receipts": ("p1",),
        "players_page": (),
        "receipts_page": ("p1",),
        "suspicions_page": (),
        "suspicions_ndjson": (),
        "suspicions_ndjson_page": (),
        "chain_head": ("p1",),
        "export_player": ("p1",),
        "export_player_page": ("p1", None, 3),
        "horizon": (),
        "digest": (),
        "snapshot": (),
        "size": (),
        "feed_page": (),
        "last": (),
        "consumers": (),
        "plan_migration": (stored.rules,),
        "replace_rules": (stored.rules,),
    }
    timed: dict[str, tuple[Any, ...]] = {
        "claimable": ("p1",), "explain": ("p1",), "migrations_page": (), "advance": (), "pay_closed": (),
    }

    async def run() -> None:
        for name, arguments in same.items():
            assert await getattr(stored, f"{name}_async")(*arguments) == getattr(stored, name)(*arguments), name
        for name, arguments in timed.items():
            twin = await getattr(stored, f"{name}_async")(*arguments, now_ms=NOW_MS)
            assert twin == getattr(stored, name)(*arguments, now_ms=NOW_MS), name
        for name, arguments in {"players": (), "suspicions": (), "feed": ()}.items():
            found = [item async for item in getattr(stored, f"{name}_async")(*arguments)]
            assert found == list(getattr(stored, name)(*arguments)), name
        board = stored.board("xp")
        daily = board.period("daily", now_ms=NOW_MS)
        stored.advance(now_ms=NOW_MS + 86_400_000)
        archive, names = await board.archive_async(daily, now_ms=NOW_MS)
        assert (archive.to_bytes(), names.to_bytes()) == tuple(
            one.to_bytes() for one in board.archive(daily, now_ms=NOW_MS)
        )
        assert isinstance(stored.store, liveops.SqliteStore)
        await stored.store.verify_async()
        assert await stored.store.status_async() == stored.store.status()

    asyncio.run(run())


def test_the_feed_is_the_files(rules: liveops.Rules, path: Path) -> None:
    with liveops.Engine(rules, store=liveops.SqliteStore(path, feed=100), recording=True) as engine:
        engine.ack("inventory")
        engine.submit_ndjson(lines(10), now_ms=NOW_MS)
        told, last = list(engine.feed()), engine.last()
        assert len(told) == 7 and last == told[-1].cursor
    with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
        assert (list(engine.feed()), engine.last()) == (told, last), "a setting of the file"
        engine.ack("inventory", told[3].cursor)
    with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
        [mark] = engine.consumers()
        assert mark == liveops.ConsumerMark("inventory", (told[3].cursor,))
        assert list(engine.feed(told[3].cursor)) == told[4:]
        assert code_of(engine.feed) == "feed_gap"
    with liveops.Engine(rules, store=liveops.SqliteStore(path, feed=0)) as engine:
        engine.submit_ndjson(event("later"), now_ms=NOW_MS)
        assert (engine.size()["feed"], engine.consumers()) == (0, [])


def test_a_full_feed_refuses_commits_never_an_advance(rules: liveops.Rules, path: Path) -> None:
    with liveops.Engine(rules, store=liveops.SqliteStore(path, feed=2)) as engine:
        engine.ack("slow")
        counts = engine.submit_ndjson(lines(3), now_ms=NOW_MS).counts()
        assert counts == {"applied": 2, "feed_full": 1}
        assert engine.advance(now_ms=NOW_MS).now == NOW_MS
        engine.ack("slow", engine.last())
        assert engine.submit_ndjson(lines(3), now_ms=NOW_MS).counts() == {"applied": 1, "replayed": 2}


def test_rules_that_do_not_fit_are_refused(rules: liveops.Rules, path: Path) -> None:
    xp = DOCUMENT["boards"]["xp"]
    with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
        engine.submit_ndjson(lines(9), now_ms=NOW_MS)
    best = changed(boards={"xp": {**xp, "operator": "best"}})
    store = liveops.SqliteStore(path)
    assert code_of(lambda: liveops.Engine(best, store=store)) == "board_incompatible"
    assert code_of(lambda: liveops.Engine(changed(game="other"), store=store)) == "store_misconfigured"
    # Without the board it stays known, until it is retired by name.
    with liveops.Engine(changed(boards={}), store=store) as engine:
        assert code_of(lambda: engine.replace_rules(best)) == "board_incompatible"
        engine.replace_rules(rules)
        assert len(engine.board("xp").at("daily", now_ms=NOW_MS)) == 7, "built before the call returned"
    with liveops.Engine(changed(boards={}, retiredBoards=["xp"]), store=store) as engine:
        assert code_of(lambda: engine.replace_rules(best)) == "board_incompatible", "its entries sort alike"
        engine.replace_rules(changed(boards={"xp": {**xp, "operator": "best", "order": "asc"}}))
        assert len(engine.board("xp").at("daily", now_ms=NOW_MS)) == 0, "another board"


def test_bad_places_are_refused_and_nothing_is_lost(rules: liveops.Rules, path: Path, tmp_path: Path) -> None:
    def opened(place: Path, **options: Any) -> str:
        return code_of(lambda: liveops.Engine(rules, store=liveops.SqliteStore(place, **options)))

    with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
        engine.submit_ndjson(lines(9), now_ms=NOW_MS)
        digest = engine.digest()
    assert opened(tmp_path / "missing" / "game.db") == "store_misconfigured"
    assert opened(tmp_path) == "store_misconfigured"
    text = tmp_path / "text.db"
    text.write_text("no database at all, but a text of some length\n" * 100)
    assert opened(text) == "store_corrupt" and text.read_text().startswith("no database")
    other = tmp_path / "other.db"
    database = sqlite3.connect(other)
    database.execute("create table t(x)")
    database.commit()
    database.close()
    assert opened(other) == "store_misconfigured"
    if os.geteuid() != 0:  # who may write anywhere is not kept out
        only_read = tmp_path / "read.db"
        only_read.write_bytes(path.read_bytes())
        only_read.chmod(0o444)
        assert opened(only_read) == "store_misconfigured"
    if Path("/proc/self").exists():
        assert opened(Path("/proc/game.db")) == "store_misconfigured"
    newer = tmp_path / "newer.db"
    newer.write_bytes(path.read_bytes())
    database = sqlite3.connect(newer)
    database.execute("pragma user_version = 99")
    database.commit()
    database.close()
    assert opened(newer) == "record_too_new"
    damaged = tmp_path / "damaged.db"
    database = sqlite3.connect(path)
    database.execute("vacuum into ?", (str(damaged),))
    database.close()
    database = sqlite3.connect(damaged)
    database.execute("update outcome set body = zeroblob(length(body)) where id = 'e1'")
    database.commit()
    database.close()
    store = liveops.SqliteStore(damaged)
    with liveops.Engine(rules, store=store) as engine:
        with pytest.raises(liveops.StoreError) as corrupt:
            store.verify()
        assert corrupt.value.code == "store_corrupt" and "outcome" in str(corrupt.value.__cause__), "what the store says of it"
        answers = engine.submit_ndjson(lines(9), now_ms=NOW_MS).counts()
        assert answers == {"replayed": 7, "store_corrupt": 2}, "a damaged record fails its own player alone"
    database = sqlite3.connect(damaged)
    database.execute("update player set body = zeroblob(length(body)) where id = 'p1'")
    database.commit()
    database.close()
    assert opened(damaged) == "store_corrupt"
    with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
        assert engine.digest() == digest
    assert store.path == damaged


@contextmanager
def held(path: Path) -> Iterator[None]:
    """A shell of another process has the lock to write."""
    program = (
        "import sqlite3, sys; d = sqlite3.connect(sys.argv[1], isolation_level=None); d.execute('begin immediate'); "
        "print('held', flush=True); sys.stdin.read()"
    )
    shell = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with shell:
        assert shell.stdout is not None and shell.stdout.readline() == "held\n"
        yield
        shell.communicate("")


def test_a_shell_that_holds_the_lock(stored: liveops.Engine, path: Path) -> None:
    with held(path):
        outcome = stored.submit_ndjson(event(), now_ms=NOW_MS)[0]
        assert (outcome.status, outcome.code) == ("refused", "store_unavailable")
        assert stored.player("ana") is None, "reading goes on"
    assert stored.submit_ndjson(event(), now_ms=NOW_MS)[0].code == "applied"


def test_backup_and_verify(stored: liveops.Engine, rules: liveops.Rules, tmp_path: Path) -> None:
    stored.submit_ndjson(lines(50), now_ms=NOW_MS)
    assert isinstance(stored.store, liveops.SqliteStore)
    copy = tmp_path / "backup.db"
    stored.store.backup(copy)
    stored.store.verify()
    with pytest.raises(liveops.StoreError):
        stored.store.backup(copy)  # something is there
    with liveops.Engine(rules, store=liveops.SqliteStore(copy)) as engine:
        assert engine.digest() == stored.digest()


def test_arguments(rules: liveops.Rules, path: Path) -> None:
    assert repr(liveops.SqliteStore("game.db")) == "SqliteStore('game.db')"
    assert liveops.SqliteStore(path).path == path
    assert code_of(lambda: liveops.SqliteStore(path, sync="never")) == "invalid_argument"  # type: ignore[arg-type]
    wrong: list[Callable[[], object]] = [
        lambda: liveops.SqliteStore(1),  # type: ignore[arg-type]
        lambda: liveops.SqliteStore(path, feed=1.5),  # type: ignore[arg-type]
        lambda: liveops.Engine(rules, store=path),  # type: ignore[arg-type]
        lambda: liveops.Engine(rules, store=liveops.MemoryStore(), feed=3),
        lambda: liveops.Engine(rules, store=liveops.MemoryStore(snapshot=b""), snapshot=b""),
        lambda: liveops.MemoryStore(at=NOW_MS),
    ]
    for call in wrong:
        with pytest.raises(TypeError):
            call()
    assert code_of(lambda: liveops.SqliteStore(path, feed=-1)) == "out_of_range"
    assert not path.exists()
    engine = liveops.Engine(rules)
    assert isinstance(engine.store, liveops.MemoryStore)
    seeded = liveops.MemoryStore(feed=5, snapshot=engine.snapshot())
    assert liveops.Engine(rules, store=seeded).digest() == engine.digest()


def test_a_second_close_waits_for_the_first(rules: liveops.Rules, path: Path) -> None:
    async def run() -> None:
        engine = liveops.Engine(rules, store=liveops.SqliteStore(path))
        tasks = [
            asyncio.create_task(engine.submit_async(liveops.Command.adjust("a1", f"p{n}", 1, "r", now_ms=NOW_MS)))
            for n in range(200)
        ]
        await asyncio.sleep(0)
        await asyncio.gather(engine.close_async(), engine.close_async(), engine.close_async())
        assert {outcome.code for outcome in await asyncio.gather(*tasks)} == {"applied"}

    for _ in range(10):
        asyncio.run(run())
        with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
            assert len(list(engine.players())) == 200
        path.unlink()


def test_a_dropped_engine_lets_go_of_its_file(rules: liveops.Rules, path: Path) -> None:
    for n in range(20):
        engine = liveops.Engine(rules, store=liveops.SqliteStore(path))
        asyncio.run(engine.submit_async(liveops.Command.adjust(f"a{n}", "ana", 1, "r", now_ms=NOW_MS))).unwrap()
        del engine
    with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
        assert next(engine.players()).xp == 20


def test_a_file_is_filled_from_an_event_loop(rules: liveops.Rules, path: Path) -> None:
    memory = liveops.Engine(rules)
    memory.submit_ndjson(lines(30), now_ms=NOW_MS)

    async def run() -> None:
        store = liveops.SqliteStore(path)
        async with await liveops.Engine.restore_async(rules, memory.snapshot(), store=store) as engine:
            assert await engine.digest_async() == memory.digest()
        async with await liveops.Engine.open_async(rules, feed=5, snapshot=memory.snapshot(), at=NOW_MS) as engine:
            assert await engine.player_async("p1") == memory.player("p1")

    asyncio.run(run())


def test_a_partition_that_is_not_there(stored: liveops.Engine) -> None:
    for engine in (stored, liveops.Engine(stored.rules, feed=5)):
        calls: list[Callable[[], object]] = [
            lambda: engine.feed_page("7.0"),
            lambda: engine.feed_page(partition=7),
            lambda: engine.last(7),
            lambda: engine.ack("inventory", "7.0"),
        ]
        assert [code_of(call) for call in calls] == ["cursor_invalid"] * 4


def test_an_interpreter_that_ends_with_submits_under_way(tmp_path: Path) -> None:
    program = """
import asyncio, sys, liveops
rules = liveops.Rules.from_json('{"version": 1, "game": "g"}')
async def run():
    engine = liveops.Engine(rules, store=liveops.SqliteStore(sys.argv[1]))
    if sys.argv[2] == "kept":
        globals()["kept"] = engine
    for n in range(2_000):
        asyncio.ensure_future(engine.submit_async(liveops.Command.adjust("a1", f"p{n}", 1, "r", now_ms=1794052800000)))
    await asyncio.sleep(0.001 * int(sys.argv[3]))
asyncio.run(run())
"""
    for n in range(12):
        path = tmp_path / f"{n}.db"
        arguments = [sys.executable, "-c", program, str(path), ("kept", "dropped")[n % 2], str(n % 6)]
        ended = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
        assert (ended.returncode, ended.stderr) == (0, "")
        rules = liveops.Rules.from_json('{"version": 1, "game": "g"}')
        with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
            assert engine.size()["players"] == 2_000, "what was handed over is written"
