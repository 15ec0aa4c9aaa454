"""Where an engine keeps its state."""

from __future__ import annotations

import asyncio
from os import PathLike

from . import _native
from .results import StoreStatus

__all__ = ["SqliteStore"]


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
