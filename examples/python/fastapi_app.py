"""Signed events over HTTP, and a leaderboard to read.

    pip install ./bindings/python fastapi uvicorn
    cd examples/python && LIVEOPS_SECRET=$(cat ../data/secret.txt) uvicorn fastapi_app:app

One process owns a game in memory: run one worker.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse

import liveops

RULES = os.environ.get("LIVEOPS_RULES", str(Path(__file__).resolve().parent.parent / "data" / "rules.json"))

rules = liveops.Rules.from_file(RULES)
for warning in rules.warnings():
    print(f"{RULES}: warning: {warning}", file=sys.stderr)
engine = liveops.Engine(rules)
intake = liveops.Intake(rules, secret=os.environ["LIVEOPS_SECRET"])


async def advance_every_minute() -> None:
    """Closes periods and frees what is too old to matter."""
    while True:
        await asyncio.to_thread(engine.advance)
        await asyncio.sleep(60)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    task = asyncio.create_task(advance_every_minute())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


app = FastAPI(lifespan=lifespan)


@app.post("/events", status_code=202)
async def post_event(request: Request, response: Response) -> dict[str, Any]:
    address = request.client.host if request.client else None
    event = intake.admit(request.headers, await request.body(), address=address)
    outcome = await engine.submit_async(event)
    effect = outcome.unwrap()
    response.headers.update(outcome.headers())
    return effect.to_dict()


@app.get("/leaderboard")
async def leaderboard(
    board: str = "xp",
    window: Literal["daily", "weekly", "monthly", "seasonal", "allTime"] = "weekly",
    limit: int = Query(100, ge=1, le=100),
) -> dict[str, Any]:
    read = engine.board(board)
    return {
        "window": window,
        "period": read.period(window).label,
        "entries": [row.to_dict() for row in read.top(window, limit)],
    }


@app.exception_handler(liveops.Refusal)
@app.exception_handler(liveops.UnknownOutcome)
async def refused(_: Request, error: liveops.Refusal | liveops.UnknownOutcome) -> JSONResponse:
    return JSONResponse(error.problem(), error.http_status, error.headers())


@app.exception_handler(liveops.NotFoundError)
async def not_found(_: Request, error: liveops.NotFoundError) -> JSONResponse:
    return JSONResponse({"code": error.code, "detail": error.message}, error.http_status)
