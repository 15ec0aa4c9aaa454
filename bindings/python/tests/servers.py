"""Servers of one's own: Redis, a cluster and PostgreSQL, started by the program that `LIVEOPS_TESTBED` names, gone with this process."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest


class Server:
    """On a socket of its own; a cluster on free ports of the loopback."""

    def __init__(self, kind: str, *settings: str) -> None:
        program = os.environ.get("LIVEOPS_TESTBED")
        if program is None:
            pytest.fail("LIVEOPS_TESTBED names no program: `cargo xtask test python` builds liveops-testbed and names it")
        self._testbed = subprocess.Popen(
            [program, kind, *settings], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._testbed.stdout is not None
        said = self._testbed.stdout.readline().strip()
        assert said, f"no {kind} was started: its reason is above"
        # PostgreSQL's own form of an address has blanks in it.
        self.urls = said.split() if kind == "cluster" else [said]

    @property
    def url(self) -> str:
        return self.urls[0]

    def stop(self) -> None:
        """It answers nobody, and no connection is closed."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        self.go_on()
        self._testbed.communicate("")

    def _signal(self, signal_: signal.Signals) -> None:
        for pid in descendants(self._testbed.pid):
            try:
                os.kill(pid, signal_)
            except ProcessLookupError:
                pass


def descendants(pid: int) -> list[int]:
    found = list[int]()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found
