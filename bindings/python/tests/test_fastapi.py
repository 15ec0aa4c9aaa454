"""The server among the examples, over HTTP: the sample season through it, and what it refuses."""

from __future__ import annotations

import asyncio
import http.client
import importlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

import liveops

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
SECRET = (EXAMPLES / "data" / "secret.txt").read_text().strip()
HOUR_MS = 3_600_000


class Clock:
    """Says what the test says."""

    now_ms = 1_793_340_000_000

    def __call__(self) -> int:
        return self.now_ms


def example() -> Any:
    sys.path.insert(0, str(EXAMPLES / "python"))
    try:
        return importlib.import_module("fastapi_app")
    finally:
        sys.path.remove(str(EXAMPLES / "python"))


class Served:
    """The application behind a socket of its own."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.app = example().create_app(liveops.Rules.from_file(EXAMPLES / "data" / "rules.json"), SECRET, self.clock)
        self.engine: liveops.Engine = self.app.state.engine
        # With its protocol named, asyncio answers without delay: 40 ms a request otherwise.
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.bind(("127.0.0.1", 0))
        self.port: int = listening.getsockname()[1]
        self.server = uvicorn.Server(uvicorn.Config(self.app, log_level="warning"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listening]})
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        self.connect()

    def connect(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port)

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] = {}) -> tuple[int, str, Any]:
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.headers["content-type"], json.loads(answer.read())

    def stop(self) -> None:
        self.connection.close()
        self.server.should_exit = True
        self.thread.join()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    served = Served()
    yield served
    served.stop()


def test_the_season_ends_in_the_committed_digest(served: Served) -> None:
    statuses: Counter[int] = Counter()
    hour = None
    for text in (EXAMPLES / "data" / "season.ndjson").read_bytes().splitlines():
        try:
            line = json.loads(text)
            received_ms, headers, body = line["receivedMs"], line["headers"], line["body"].encode()
            hour_now = received_ms // HOUR_MS
        except (ValueError, KeyError, TypeError):
            continue
        if hour_now != hour:
            hour = hour_now
            served.engine.advance(now_ms=received_ms)
        served.clock.now_ms = received_ms
        try:
            status, kind, answer = served.ask("POST", "/events", body, headers)
        except ValueError:  # Some have header lines that no client sends.
            statuses[0] += 1
            served.connection.close()
            served.connect()
            continue
        statuses[status] += 1
        assert kind == ("application/json" if status == 202 else "application/problem+json"), answer
        assert status == 202 or answer["code"]
    assert served.engine.digest() == (EXAMPLES / "data" / "season.digest").read_text().removeprefix("digest ").strip()
    assert statuses[0] == 3 and statuses[202] > 4_000 and statuses[400] > 0 and statuses[401] > 0

    status, _, answer = served.ask("GET", "/leaderboard?limit=3")
    assert (status, answer["window"], len(answer["entries"])) == (200, "weekly", 3)
    assert answer["season"] and answer["updatedAt"].startswith("2026-")
    assert answer["entries"][0]["rank"] == 1


def test_the_minute_goes_on_after_a_clock_that_was_wrong(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app, engine = example(), liveops.Engine(liveops.Rules.from_file(EXAMPLES / "data" / "rules.json"))
    later_ms = int(time.time() * 1000)
    begun_ms = later_ms - 48 * HOUR_MS
    minutes = [begun_ms, later_ms + 32 * 24 * HOUR_MS, later_ms]

    async def minute(_: float) -> None:
        if not minutes:
            raise asyncio.CancelledError

    monkeypatch.setattr(app, "asyncio", SimpleNamespace(sleep=minute))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(app.advance_every_minute(engine, lambda: minutes.pop(0)))
    assert [record.message[:20] for record in caplog.records] == ["advance: clock_jump:"]
    board = engine.board("xp")
    board.archive(board.period("daily", 1, now_ms=later_ms), now_ms=later_ms)  # Closed: else `period_open`.


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=abc", "limit=", "window=hourly", "window="])
def test_a_query_that_is_none_is_400(served: Served, query: str) -> None:
    status, kind, answer = served.ask("GET", f"/leaderboard?{query}")
    assert (status, kind, answer["status"], answer["code"]) == (400, "application/problem+json", 400, "invalid_query")


def test_what_is_not_there_is_404_and_health_is_200(served: Served) -> None:
    for path, code in (("/leaderboard?board=nowhere", "unknown_board"), ("/nowhere", "not_found")):
        status, kind, answer = served.ask("GET", path)
        assert (status, kind, answer["status"], answer["code"]) == (404, "application/problem+json", 404, code)
    assert served.ask("GET", "/healthz") == (200, "application/json", {"status": "ok", "game": "emberfall"})


@pytest.mark.parametrize("chunked", [False, True])
def test_300_megabytes_are_refused_while_they_come(served: Served, chunked: bool) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    piece, count = b"x" * 1_000_000, 300
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        length = b"transfer-encoding: chunked" if chunked else b"content-length: %d" % (len(piece) * count)
        connection.sendall(b"POST /events HTTP/1.1\r\nhost: x\r\n" + length + b"\r\n\r\n")
        try:
            for _ in range(count):
                connection.sendall(b"f4240\r\n" + piece + b"\r\n" if chunked else piece)
        except ConnectionError:
            pass
        else:
            pytest.fail("all of it was taken")
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        connection.sendall(b"POST /events HTTP/1.1\r\nhost: x\r\ncontent-length: 300000000\r\n\r\n" + b"x" * 70_000)
        answer = connection.makefile("rb").read()
    assert b"413" in answer.splitlines()[0] and b"application/problem+json" in answer and b'"too_large"' in answer
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 50_000, f"{grown_kib} KiB more"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def start(port: int, path: Path) -> subprocess.Popen[str]:
    """The example as its own process, once it serves."""
    environment = {**os.environ, "LIVEOPS_SECRET": SECRET, "LIVEOPS_STORE": str(path), "PORT": str(port)}
    program = [sys.executable, str(EXAMPLES / "python" / "fastapi_app.py")]
    server = subprocess.Popen(program, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_for(port, server)
    return server


def wait_for(port: int, server: subprocess.Popen[str]) -> None:
    while True:
        assert server.poll() is None, server.communicate()
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.01)


def post(port: int, id: str, ts: int) -> tuple[int, str | None]:
    body = json.dumps({"type": "progression", "playerId": "ana", "ts": ts, "payload": {"deltaXp": 100}})
    headers = liveops.Signer(SECRET).sign(id, body.encode())
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/events", body, headers)
    answer = connection.getresponse()
    told = answer.status, answer.headers["Idempotent-Replayed"]
    connection.close()
    return told


def test_what_was_answered_is_there_after_kill_9(tmp_path: Path) -> None:
    path, port, ts = tmp_path / "game.db", free_port(), int(time.time())
    server = start(port, path)
    assert post(port, "e1", ts) == (202, None)
    server.kill()
    server.communicate()
    server = start(port, path)
    try:
        assert post(port, "e1", ts) == (202, "true"), "it was taken in before"
        assert post(port, "e2", ts) == (202, None)
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/leaderboard?window=allTime")
        [entry] = json.loads(connection.getresponse().read())["entries"]
        connection.close()
        assert (entry["playerId"], entry["score"]) == ("ana", 200)
    finally:
        server.terminate()
        server.communicate()
    rules = liveops.Rules.from_file(EXAMPLES / "data" / "rules.json")
    with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
        assert engine.size()["players"] == 1, "a server that ends lets go of its file"


def test_a_second_worker_is_refused(tmp_path: Path) -> None:
    (tmp_path / "served.py").write_text(
        "import os, sys\n"
        f"sys.path.insert(0, {str(EXAMPLES / 'python')!r})\n"
        "import liveops\n"
        "from fastapi_app import create_app\n"
        f"rules = liveops.Rules.from_file({str(EXAMPLES / 'data' / 'rules.json')!r})\n"
        f"app = create_app(rules, {SECRET!r}, store=liveops.SqliteStore({str(tmp_path / 'game.db')!r}))\n"
    )
    port = free_port()
    program = [sys.executable, "-m", "uvicorn", "served:app", "--workers", "2", "--port", str(port)]
    server = subprocess.Popen(
        program, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert server.stderr is not None
        assert any("store_in_use" in line for line in server.stderr), "uvicorn said nothing of it"
        wait_for(port, server)
        # One of them serves. Asked by several connections: the others' sockets are shared.
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        connection.close()
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.communicate()
