"""The engine, with what is asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from . import _native

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Engine"]


class Engine(_native.Engine):
    """Rules and a store in memory. Share one between threads; a forked process makes its own.

    `feed` is how many committed change sets may wait to be acknowledged; 0 keeps none. `snapshot` is a state to begin in, `at` the
    time to bring it back to (see `restore`).

    >>> import liveops
    >>> rules = liveops.Rules.from_json('{"version": 1, "game": "g", "boards": {"xp": {"value": "grantedXp", '
    ...                                 '"keepPeriods": {"daily": 2}}}}')
    >>> engine = liveops.Engine(rules)
    >>> line = b'{"id":"e1","type":"progression","playerId":"ana","ts":1794052800,"payload":{"deltaXp":120}}'
    >>> engine.submit_ndjson(line, now_ms=1794052800000).counts()
    {'applied': 1}
    >>> engine.board("xp").top("daily", 10, now_ms=1794052800000)[0].score
    120
    """

    @classmethod
    def restore(cls, rules: _native.Rules, snapshot: bytes, *, feed: int = 0, at: int | datetime | None = None) -> Self:
        """An engine in the state of a snapshot. StoreError for bytes that are none.

        With `at`, the present, it is the way back from an `advance` too far: the horizon is brought back. What was ever taken in is
        not taken in again, though its outcome was forgotten: commands not newer than the newest of any player are `too_old`.
        A period that anybody was paid for stays closed, so the horizon stays past its closing.

        >>> import liveops
        >>> rules = liveops.Rules.from_json('{"version": 1, "game": "g"}')
        >>> def event(id, ts):
        ...     return f'{{"id":"{id}","type":"progression","playerId":"ana","ts":{ts},"payload":{{"deltaXp":5}}}}'.encode()
        >>> engine = liveops.Engine(rules)
        >>> engine.submit_ndjson(event("e1", 1794052800), now_ms=1794052800000)[0].code
        'applied'
        >>> horizon = engine.advance(now_ms=2900000000000, far=True)                       # one clock was wrong
        >>> engine.submit_ndjson(event("e2", 1794052860), now_ms=1794052860000)[0].code
        'too_old'
        >>> engine = liveops.Engine.restore(rules, engine.snapshot(), at=1794052860000)
        >>> engine.submit_ndjson(event("e2", 1794052860), now_ms=1794052860000)[0].code
        'applied'
        >>> engine.submit_ndjson(event("e1", 1794052800), now_ms=1794052860000)[0].code    # applied before
        'too_old'
        """
        return cls(rules, feed=feed, snapshot=snapshot, at=at)

    async def submit_async(self, command: _native.Command) -> _native.Outcome:
        """`submit`, for asyncio. In memory one command takes microseconds, so it is decided here and now."""
        return self.submit(command)

    async def submit_batch_async(self, commands: Iterable[_native.Command]) -> _native.Outcomes:
        """`submit_batch` in a thread: the event loop goes on meanwhile."""
        return await asyncio.to_thread(self.submit_batch, commands)

    async def submit_ndjson_async(
        self, trusted: bytes, *, now_ms: int | None = None, now: datetime | None = None
    ) -> _native.Outcomes:
        """`submit_ndjson` in a thread: the event loop goes on meanwhile."""
        return await asyncio.to_thread(self.submit_ndjson, trusted, now_ms=now_ms, now=now)
