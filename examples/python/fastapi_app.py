"""Signed events over HTTP, and a leaderboard to read.

    pip install ./bindings/python fastapi uvicorn
    LIVEOPS_SECRET=$(cat examples/data/secret.txt) python examples/python/fastapi_app.py

It listens on this machine only, at PORT (8000), by the rules in LIVEOPS_RULES (the sample rules). The state is in the file LIVEOPS_STORE
(game.db): whatever was answered is there when it is killed and started again. One process owns a file: run one worker; a second is
refused with `store_in_use`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timezone
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteException

import liveops

SAMPLE_RULES = Path(__file__).resolve().parent.parent / "data" / "rules.json"
#: Beyond what any event has: whoever sends more is answered before the rest is read.
BODY_BYTES_MAX = 64 * 1024
log = logging.getLogger(__name__)


def clock_ms() -> int:
    return time.time_ns() // 1_000_000


async def advance_every_minute(engine: liveops.Engine, now_ms: Callable[[], int]) -> None:
    """Closes periods and frees what is too old to matter."""
    while True:
        try:
            await engine.advance_async(now_ms=now_ms())
        except liveops.LiveopsError as error:
            # A clock that is wrong (`clock_jump`) is asked again a minute later: it may be right by then.
            log.error("advance: %s", error)
        await asyncio.sleep(60)


async def bounded_body(request: Request) -> bytes:
    """The body, never more than BODY_BYTES_MAX of it in memory: nothing is verified yet, so anybody may send anything."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_BYTES_MAX:
            raise HTTPException(413, f"a body has at most {BODY_BYTES_MAX} bytes")
    return bytes(body)


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem document (RFC 9457)."""
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": detail}
    return JSONResponse(document, status, headers, "application/problem+json")


def create_app(
    rules: liveops.Rules, secret: str, now_ms: Callable[[], int] = clock_ms, store: liveops.SqliteStore | None = None
) -> FastAPI:
    engine = liveops.Engine(rules, store=store)  # in memory without one
    intake = liveops.Intake(rules, secret=secret)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        task = asyncio.create_task(advance_every_minute(engine, now_ms))
        try:
            yield
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        finally:
            await engine.close_async()

    app = FastAPI(lifespan=lifespan)
    app.state.engine = engine

    async def post_event(request: Request, response: Response) -> dict[str, Any]:
        address = request.client.host if request.client else None
        event = intake.admit(request.headers, await bounded_body(request), address=address, now_ms=now_ms())
        outcome = await engine.submit_async(event)
        effect = outcome.unwrap()
        response.headers.update(outcome.headers())
        return effect.to_dict()

    async def leaderboard(
        board: str = "xp",
        window: Literal["daily", "weekly", "monthly", "seasonal", "allTime"] = "weekly",
        limit: int = Query(100, ge=1, le=100),
    ) -> dict[str, Any]:
        now = now_ms()
        standings = engine.board(board).at(window, now_ms=now)
        return {
            "window": window,
            "season": standings.period.label,
            "updatedAt": datetime.fromtimestamp(now / 1000, timezone.utc).isoformat(),
            "entries": [row.to_dict() for row in standings.top(limit)],
        }

    async def health() -> dict[str, Any]:
        return {"status": "ok", "game": rules.game}

    async def refused(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, (liveops.Refusal, liveops.UnknownOutcome))
        return JSONResponse(error.problem(), error.http_status, error.headers(), "application/problem+json")

    async def failed(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, liveops.LiveopsError)
        return problem(error.http_status, error.code, error.message)

    async def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        # Where and what, never the value.
        told = (f"{'.'.join(map(str, issue['loc']))}: {issue['msg']}" for issue in error.errors())
        return problem(400, "invalid_query", "; ".join(told))

    async def http_error(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, StarletteException)
        code = {404: "not_found", 413: "too_large"}.get(error.status_code, "http_error")
        # What is left of a body that is too large is not read: the connection goes with it.
        headers = {"connection": "close"} if error.status_code == 413 else None
        return problem(error.status_code, code, str(error.detail), headers)

    app.add_api_route("/events", post_event, methods=["POST"], status_code=202)
    app.add_api_route("/leaderboard", leaderboard)
    app.add_api_route("/healthz", health)
    for kind in (liveops.Refusal, liveops.UnknownOutcome):
        app.add_exception_handler(kind, refused)
    app.add_exception_handler(liveops.LiveopsError, failed)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(StarletteException, http_error)
    return app


def main() -> None:
    path = os.environ.get("LIVEOPS_RULES", str(SAMPLE_RULES))
    rules = liveops.Rules.from_file(path)
    for warning in rules.warnings():
        print(f"{path}: warning: {warning}", file=sys.stderr)
    # A server that takes over waits for the one before to end.
    store = liveops.SqliteStore(os.environ.get("LIVEOPS_STORE", "game.db"), wait_seconds=10)
    try:
        app = create_app(rules, os.environ["LIVEOPS_SECRET"], store=store)
    except liveops.StoreError as error:
        sys.exit(f"{store.path}: {error}")
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))


if __name__ == "__main__":
    main()
