"""The engine, with what is asynchronous, and walks through what is too much for one answer."""

from __future__ import annotations

import asyncio
import atexit
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from . import _native
from .progression import Explanation, MigrationForecast
from .results import (
    ConsumerMark,
    EngineStatus,
    FeedAdvance,
    FeedEntry,
    FeedPage,
    Horizon,
    Lag,
    Listing,
    PayRun,
    Period,
    PaidPeriod,
    Player,
    Suspicion,
)
from .rewards import Receipt
from .store import PostgresStore, RedisStore, SqliteStore

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Engine"]

T = TypeVar("T")

_engines: weakref.WeakSet[Engine] = weakref.WeakSet()


@atexit.register
def _finish() -> None:
    """What waits is submitted while there is still an interpreter for who is told. Engines of before a fork have nobody here."""
    for engine in list(_engines):
        engine._finish()


class Engine(_native.Engine):
    """Rules and a store: a `MemoryStore` unless `store` says otherwise. Share one between threads; a forked process makes its own.

    `feed`, `snapshot` and `at` are those of the `MemoryStore`; a `snapshot` may also be what a new file begins with. With `recording`
    entries of the feed say which commands led to them.

    Opening a file waits for the disk, and so does every call: other threads run meanwhile, and share commits. A store over a network is
    not opened here, but by `open`, which waits for the connection. In an event loop there
    are `open_async`, and the same verbs with `_async` behind their names. Close it, best by `with`: one that is only dropped lets go of
    its file when Python and whoever still reads a board of it get round to it.

    >>> import liveops
    >>> rules = liveops.Rules.from_json('{"version": 1, "game": "g", "boards": {"xp": {"value": "grantedXp", '
    ...                                 '"keepPeriods": {"daily": 2}}}}')
    >>> engine = liveops.Engine(rules)
    >>> line = b'{"id":"e1","type":"progression","playerId":"ana","ts":1794052800,"payload":{"deltaXp":120}}'
    >>> engine.submit_ndjson(line, now_ms=1794052800000).counts()
    {'applied': 1}
    >>> engine.board("xp").top("daily", 10, now_ms=1794052800000)[0].score
    120

    Many lines at once, on as many threads as are given, each player's in their order:

    >>> lines = b"".join(line.replace(b"e1", b"e%d" % n).replace(b"ana", b"p%d" % (n % 7)) + b"\\n" for n in range(1000))
    >>> outcomes = engine.submit_ndjson(lines, now_ms=1794052800000, threads=2)
    >>> outcomes.counts(), outcomes[3].code         # counts are there at once, rows are made when they are looked at
    ({'applied': 1000}, 'applied')

    In a file it survives whatever happens to the process:

    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "game.db")
    >>> with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
    ...     engine.submit_ndjson(line, now_ms=1794052800000).counts()
    {'applied': 1}
    >>> with liveops.Engine(rules, store=liveops.SqliteStore(path)) as engine:
    ...     engine.submit_ndjson(line, now_ms=1794052800000).counts()
    {'replayed': 1}
    """

    def __init__(
        self,
        rules: _native.Rules,
        *,
        store: _native.MemoryStore | SqliteStore | RedisStore | PostgresStore | None = None,
        feed: int = 0,
        snapshot: bytes | None = None,
        at: int | datetime | None = None,
        recording: bool = False,
    ) -> None:
        # Made by `__new__`, of the same arguments.
        _engines.add(self)

    @classmethod
    def open(
        cls,
        rules: _native.Rules,
        *,
        store: _native.MemoryStore | SqliteStore | RedisStore | PostgresStore | None = None,
        feed: int = 0,
        snapshot: bytes | None = None,
        at: int | datetime | None = None,
        recording: bool = False,
    ) -> Self:
        """An engine over any store: over a network it waits for the connection, while other threads run. StoreError with `store_unavailable`
        where nobody answers, with `store_misconfigured` for a server that will not do."""
        engine = cls.__new__(
            cls, rules, store=store, feed=feed, snapshot=snapshot, at=at, recording=recording, _waits=True
        )
        # As a call of the class does.
        cls.__init__(engine, rules, store=store, feed=feed, snapshot=snapshot, at=at, recording=recording)
        return engine

    @classmethod
    def restore(
        cls,
        rules: _native.Rules,
        snapshot: bytes,
        *,
        store: _native.MemoryStore | SqliteStore | RedisStore | PostgresStore | None = None,
        feed: int = 0,
        at: int | datetime | None = None,
        recording: bool = False,
    ) -> Self:
        """An engine in the state of a snapshot. StoreError for bytes that are none, and for a store that is not empty.

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
        return cls.open(rules, store=store, feed=feed, snapshot=snapshot, at=at, recording=recording)

    @classmethod
    async def open_async(
        cls,
        rules: _native.Rules,
        *,
        store: _native.MemoryStore | SqliteStore | RedisStore | PostgresStore | None = None,
        feed: int = 0,
        snapshot: bytes | None = None,
        at: int | datetime | None = None,
        recording: bool = False,
    ) -> Self:
        """`open`, in a thread: the event loop goes on meanwhile."""
        return await asyncio.to_thread(
            cls.open, rules, store=store, feed=feed, snapshot=snapshot, at=at, recording=recording
        )

    @classmethod
    async def restore_async(
        cls,
        rules: _native.Rules,
        snapshot: bytes,
        *,
        store: _native.MemoryStore | SqliteStore | RedisStore | PostgresStore | None = None,
        feed: int = 0,
        at: int | datetime | None = None,
        recording: bool = False,
    ) -> Self:
        """`restore`, in a thread."""
        return await cls.open_async(rules, store=store, feed=feed, snapshot=snapshot, at=at, recording=recording)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close_async()

    async def close_async(self) -> None:
        """`close`, in a thread."""
        await asyncio.to_thread(self.close)

    # Submitting: what waits is collected and written together, by threads of the engine's own.

    async def submit_async(self, command: _native.Command) -> _native.Outcome:
        """`submit`, for asyncio. In memory it is decided here and now, unless something that was handed over before is under way; for a
        file or over a network it is written together with whatever else waits, so that many at once share each commit. What was handed
        over in the same loop is decided in that order, over a network in that of each player, but for `submit_ndjson_async`, which lets others in between. If too much waits it is refused as
        `store_unavailable`. A task that is cancelled while it waits may have been submitted."""
        if self._decides_now:
            return self.submit(command)
        future = asyncio.get_running_loop().create_future()
        self._submit_soon(future, command)
        outcome: _native.Outcome = await future
        return outcome

    async def submit_batch_async(self, commands: Iterable[_native.Command]) -> _native.Outcomes:
        """`submit_batch`: the event loop goes on meanwhile."""
        future = asyncio.get_running_loop().create_future()
        self._submit_batch_soon(future, commands)
        outcomes: _native.Outcomes = await future
        return outcomes

    async def submit_ndjson_async(
        self, trusted: bytes, *, now_ms: int | None = None, now: datetime | None = None, threads: int = 1
    ) -> _native.Outcomes:
        """`submit_ndjson`: the event loop goes on meanwhile, and what others submit comes in between."""
        future = asyncio.get_running_loop().create_future()
        self._submit_ndjson_soon(future, trusted, now_ms=now_ms, now=now, threads=threads)
        outcomes: _native.Outcomes = await future
        return outcomes

    # Walks: a page at a time, so that nobody holds all of it and writers go on.

    def players(self) -> Iterator[Player]:
        """Every player, in the store's order, read by the page as they are taken."""
        return _walk(self.players_page)

    def suspicions(self, player_id: str | None = None) -> Iterator[Suspicion]:
        """A player's kept suspicions, oldest first; of all players, in the store's order, if none is named. Up to 256 of a player are
        kept: settled ones make room first, then flags. Events that are held wait for their review however long it takes; with 256 of them
        a further one is refused as `holds_full`.
        """
        return _walk(self.suspicions_page) if player_id is None else iter(self._suspicions_of(player_id))

    def migrations(self, *, now_ms: int | None = None, now: datetime | None = None) -> Iterator[_native.Command]:
        """One command for each player who is still on another level curve than the one in force. Submit them in batches of any size,
        and make them again after any trouble: each player is migrated once.
        """
        if now_ms is None and now is None:
            now_ms = time.time_ns() // 1_000_000  # One time for all of them.
        return _walk(lambda cursor: self.migrations_page(cursor, now_ms=now_ms, now=now))

    def feed(self, after: str | None = None, *, partition: int = 0) -> Iterator[FeedEntry | FeedAdvance]:
        """Everything that happened in a partition behind a cursor, up to the newest entry; see `feed_page`."""
        page = self.feed_page(after, partition=partition)
        return _follow(page, self.feed_page)

    async def players_async(self) -> AsyncIterator[Player]:
        """`players`, each page in a thread."""
        async for player in _walk_async(self.players_page_async):
            yield player

    async def suspicions_async(self, player_id: str | None = None) -> AsyncIterator[Suspicion]:
        """`suspicions`, each page in a thread."""
        if player_id is None:
            async for suspicion in _walk_async(self.suspicions_page_async):
                yield suspicion
        else:
            for suspicion in await asyncio.to_thread(self._suspicions_of, player_id):
                yield suspicion

    async def migrations_async(
        self, *, now_ms: int | None = None, now: datetime | None = None
    ) -> AsyncIterator[_native.Command]:
        """`migrations`, each page in a thread."""
        if now_ms is None and now is None:
            now_ms = time.time_ns() // 1_000_000
        async for command in _walk_async(lambda cursor: self.migrations_page_async(cursor, now_ms=now_ms, now=now)):
            yield command

    async def feed_async(
        self, after: str | None = None, *, partition: int = 0
    ) -> AsyncIterator[FeedEntry | FeedAdvance]:
        """`feed`, each page in a thread."""
        page = await self.feed_page_async(after, partition=partition)
        while page.items:
            for entry in page.items:
                yield entry
            page = await self.feed_page_async(page.next)

    # The rest, each in a thread of the event loop's own.

    async def player_async(self, player_id: str) -> Player | None:
        """`player`, in a thread."""
        return await asyncio.to_thread(self.player, player_id)

    async def players_page_async(self, cursor: str | None = None, limit: int = 1000) -> Listing[Player]:
        """`players_page`, in a thread."""
        return await asyncio.to_thread(self.players_page, cursor, limit)

    async def receipts_async(self, player_id: str) -> list[Receipt]:
        """`receipts`, in a thread."""
        return await asyncio.to_thread(self.receipts, player_id)

    async def receipts_page_async(
        self, player_id: str, cursor: str | None = None, limit: int = 1000
    ) -> Listing[Receipt]:
        """`receipts_page`, in a thread."""
        return await asyncio.to_thread(self.receipts_page, player_id, cursor, limit)

    async def claimable_async(
        self, player_id: str, *, now_ms: int | None = None, now: datetime | None = None
    ) -> list[Receipt]:
        """`claimable`, in a thread."""
        return await asyncio.to_thread(self.claimable, player_id, now_ms=now_ms, now=now)

    async def suspicions_page_async(self, cursor: str | None = None, limit: int = 1000) -> Listing[Suspicion]:
        """`suspicions_page`, in a thread."""
        return await asyncio.to_thread(self.suspicions_page, cursor, limit)

    async def suspicions_ndjson_async(self) -> str:
        """`suspicions_ndjson`, in a thread."""
        return await asyncio.to_thread(self.suspicions_ndjson)

    async def suspicions_ndjson_page_async(self, cursor: str | None = None, limit: int = 1000) -> Listing[str]:
        """`suspicions_ndjson_page`, in a thread."""
        return await asyncio.to_thread(self.suspicions_ndjson_page, cursor, limit)

    async def chain_head_async(self, player_id: str) -> str:
        """`chain_head`, in a thread."""
        return await asyncio.to_thread(self.chain_head, player_id)

    async def explain_async(
        self, player_id: str, *, now_ms: int | None = None, now: datetime | None = None
    ) -> Explanation | None:
        """`explain`, in a thread."""
        return await asyncio.to_thread(self.explain, player_id, now_ms=now_ms, now=now)

    async def export_player_async(self, player_id: str) -> dict[str, Any]:
        """`export_player`, in a thread."""
        return await asyncio.to_thread(self.export_player, player_id)

    async def export_player_page_async(
        self, player_id: str, cursor: str | None = None, limit: int = 1000
    ) -> dict[str, Any]:
        """`export_player_page`, in a thread."""
        return await asyncio.to_thread(self.export_player_page, player_id, cursor, limit)

    async def advance_async(
        self, *, now_ms: int | None = None, now: datetime | None = None, far: bool = False
    ) -> Horizon:
        """`advance`, in a thread."""
        return await asyncio.to_thread(self.advance, now_ms=now_ms, now=now, far=far)

    async def horizon_async(self) -> Horizon:
        """`horizon`, in a thread."""
        return await asyncio.to_thread(self.horizon)

    async def lag_async(self) -> Lag:
        """`lag`, in a thread."""
        return await asyncio.to_thread(self.lag)

    async def catch_up_async(self) -> None:
        """`catch_up`, in a thread."""
        await asyncio.to_thread(self.catch_up)

    async def status_async(self) -> EngineStatus:
        """`status`, in a thread."""
        return await asyncio.to_thread(self.status)

    async def digest_async(self) -> str:
        """`digest`, in a thread."""
        return await asyncio.to_thread(self.digest)

    async def snapshot_async(self) -> bytes:
        """`snapshot`, in a thread."""
        return await asyncio.to_thread(self.snapshot)

    async def size_async(self) -> dict[str, int]:
        """`size`, in a thread."""
        return await asyncio.to_thread(self.size)

    async def feed_page_async(
        self, cursor: str | None = None, limit: int = 100, *, partition: int = 0
    ) -> FeedPage:
        """`feed_page`, in a thread."""
        return await asyncio.to_thread(self.feed_page, cursor, limit, partition=partition)

    async def last_async(self, partition: int = 0) -> str:
        """`last`, in a thread."""
        return await asyncio.to_thread(self.last, partition)

    async def ack_async(self, consumer: str, cursor: str | None = None) -> None:
        """`ack`, in a thread."""
        await asyncio.to_thread(self.ack, consumer, cursor)

    async def drop_consumer_async(self, consumer: str) -> None:
        """`drop_consumer`, in a thread."""
        await asyncio.to_thread(self.drop_consumer, consumer)

    async def consumers_async(self) -> list[ConsumerMark]:
        """`consumers`, in a thread."""
        return await asyncio.to_thread(self.consumers)

    async def replace_rules_async(
        self, rules: _native.Rules, *, now_ms: int | None = None, now: datetime | None = None
    ) -> _native._RulesDiff:
        """`replace_rules`, in a thread."""
        return await asyncio.to_thread(self.replace_rules, rules, now_ms=now_ms, now=now)

    async def plan_migration_async(self, new_rules: _native.Rules) -> MigrationForecast:
        """`plan_migration`, in a thread."""
        return await asyncio.to_thread(self.plan_migration, new_rules)

    async def migrations_page_async(
        self,
        cursor: str | None = None,
        limit: int = 1000,
        *,
        now_ms: int | None = None,
        now: datetime | None = None,
    ) -> Listing[_native.Command]:
        """`migrations_page`, in a thread."""
        return await asyncio.to_thread(self.migrations_page, cursor, limit, now_ms=now_ms, now=now)

    async def payout_async(
        self, board: str, period: Period | PaidPeriod, *, now_ms: int | None = None, now: datetime | None = None
    ) -> _native.Payout:
        """`payout`, in a thread."""
        return await asyncio.to_thread(self.payout, board, period, now_ms=now_ms, now=now)

    async def payout_archived_async(
        self,
        archive: _native.Archive,
        names: _native.Names,
        *,
        now_ms: int | None = None,
        now: datetime | None = None,
    ) -> _native.Payout:
        """`payout_archived`, in a thread."""
        return await asyncio.to_thread(self.payout_archived, archive, names, now_ms=now_ms, now=now)

    async def pay_closed_async(
        self, mark: int | datetime | None = None, *, now_ms: int | None = None, now: datetime | None = None
    ) -> PayRun:
        """`pay_closed`, in a thread."""
        return await asyncio.to_thread(self.pay_closed, mark, now_ms=now_ms, now=now)


def _walk(page: Callable[[str | None], Listing[T]]) -> Iterator[T]:
    """The first page is read now: whatever is wrong with the call is said by the call."""
    return _rest(page(None), page)


def _rest(listing: Listing[T], page: Callable[[str | None], Listing[T]]) -> Iterator[T]:
    while True:
        yield from listing.items
        if listing.next is None:
            return
        listing = page(listing.next)


async def _walk_async(page: Callable[[str | None], Awaitable[Listing[T]]]) -> AsyncIterator[T]:
    cursor = None
    while True:
        listing = await page(cursor)
        for item in listing.items:
            yield item
        cursor = listing.next
        if cursor is None:
            return


def _follow(page: FeedPage, behind: Callable[[str], FeedPage]) -> Iterator[FeedEntry | FeedAdvance]:
    while page.items:
        yield from page.items
        page = behind(page.next)


def _settle(answers: list[tuple[asyncio.Future[Any], Any]]) -> None:
    """In the event loop: whoever still waits gets what came of it."""
    for future, answer in answers:
        if not future.done():
            future.set_result(answer)
