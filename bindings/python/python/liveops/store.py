"""Where an engine keeps its state."""

from __future__ import annotations

import asyncio
from os import PathLike

from . import _native
from .results import StoreStatus

__all__ = ["PostgresStore", "RedisStore", "SqliteStore"]


class SqliteStore(_native.SqliteStore):
    """State in one file: `kill -9` and, unless `sync` is "normal", a loss of power leave everything that was acknowledged.

    This says which file and how; an `Engine` opens it, makes it if it is not there, and is the only one that has it open: for any
    other, in this process or another, it is `store_in_use`. `wait_seconds` is how long to wait for the other to close it, as a server
    does that takes over from the one before. `feed` is how many entries of the feed are kept at most, 0 for none; it is a setting of
    the file and stays what it was unless it is given. `sync="normal"` survives `kill -9`; a loss of power may take the last commits, never
    a part of one. A file on NFS, SMB, 9p or FUSE is refused unless `allow_network_file_system` says that it is meant.

    Never open the file with Python's `sqlite3` in the process whose engine has it open: closing it there would drop the engine's locks. Any
    other process may read it, and a backup is for everybody.

    >>> import liveops, os, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> store = liveops.SqliteStore(os.path.join(folder, "game.db"))
    >>> with liveops.Engine(liveops.Rules.from_json('{"version": 1, "game": "g"}'), store=store) as engine:
    ...     store.backup(os.path.join(folder, "backup.db"))
    ...     store.verify()
    >>> sorted(os.listdir(folder))[:2]
    ['backup.db', 'game.db']
    """

    async def status_async(self) -> StoreStatus:
        """`status`, in a thread."""
        return await asyncio.to_thread(self.status)

    async def verify_async(self) -> None:
        """`verify`, in a thread."""
        await asyncio.to_thread(self.verify)

    async def backup_async(self, path: str | PathLike[str]) -> None:
        """`backup`, in a thread."""
        await asyncio.to_thread(self.backup, path)


class RedisStore(_native.RedisStore):
    """State in Redis 7 or later, or in a cluster of it, shared by any number of processes: each event counts once whichever of them gets it.

    This says where and how; `Engine.open` or `Engine.open_async` waits for the connection and brings the boards here, where they are read
    from memory. `url` is `redis://user:password@host:6379/0`, with two s for TLS, or `redis+unix:///path`; of a cluster, a list of some of
    its addresses. The game is that of the rules; several live side by side in one Redis.

    `partitions` is how many parts players are spread over, which a game keeps for ever. A server that takes longer than `timeout_seconds` has
    not answered: a commit is `store_outcome_unknown` then, and a retry settles it; the rest is `store_unavailable`. `replicas` is how many
    replicas must have a commit before it counts. `outbox_entries` are kept in each partition for boards that are behind; `feed` is how many
    change sets of each may wait for consumers, 0 for none: as the game there says, unless it is given. A server without an append-only file is refused unless
    `allow_no_persistence` says that it is meant. `clock_ahead_seconds` is how far `advance` may go ahead of the server's clock, None for a
    simulation's any time.

    `tls_ca` are the authorities to trust instead of the system's, `tls_certificate` and `tls_key` who this is: PEM, as `str` or `bytes`.

    >>> import liveops
    >>> store = liveops.RedisStore("redis://localhost", partitions=64)
    >>> liveops.Engine(liveops.Rules.from_json('{"version": 1, "game": "g"}'), store=store)
    Traceback (most recent call last):
        ...
    liveops.errors.ArgumentError: would_block: a store over a network is waited for: Engine.open(rules, store=...) does, and `await Engine.open_async(rules, store=...)`
    """

    async def now_async(self) -> int:
        """`now`, in a thread."""
        return await asyncio.to_thread(self.now)


class PostgresStore(_native.PostgresStore):
    """State in a PostgreSQL database, shared by any number of processes: each event counts once whichever of them gets it.

    This says where and how; `Engine.open` or `Engine.open_async` waits for the connection, makes the schema `liveops` if it is not there, and
    brings the boards here, where they are read from memory. `url` is `postgresql://user:password@host/database`; its `sslmode` says whether
    by TLS. The game is that of the rules; several live side by side in one database.

    `connections` is how many this process has at most. A server that takes longer than `timeout_seconds` has not answered: a commit is
    `store_outcome_unknown` then, and a retry settles it; the rest is `store_unavailable`. `outbox_entries` are kept for boards that are behind; `feed`
    is how many change sets may wait for consumers, 0 for none: as the game there says, unless it is given. `horizon_copies` counts when the game is
    made: writers spread over so many rows. With `events`, and an engine that is `recording`, each event is written into a table for people
    too. `clock_ahead_seconds` is how far `advance` may go ahead of the server's clock, None for a simulation's any time.

    `tls_ca` are the authorities to trust instead of the system's, `tls_certificate` and `tls_key` who this is: PEM, as `str` or `bytes`. With any of
    them a connection without TLS is refused.
    """

    async def now_async(self) -> int:
        """`now`, in a thread."""
        return await asyncio.to_thread(self.now)
