"""Exceptions: one tree under `LiveopsError`, each with the stable `code` that Rust, Node and HTTP use too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import _native

if TYPE_CHECKING:
    from .results import Issue

__all__ = [
    "ArgumentError",
    "BatchError",
    "ForkedError",
    "LiveopsError",
    "NotFoundError",
    "Refusal",
    "RulesError",
    "SignatureError",
    "StoreError",
    "UnknownOutcome",
    "ValidationError",
]

_CODES = _native.error_codes()


class LiveopsError(Exception):
    """What went wrong. Act on `code`, which never changes; `message` is for people and holds no value that was sent."""

    code: str
    message: str

    def __init__(self, code: str, message: str = "", *more: object) -> None:
        # All arguments go to Exception, which is what pickle rebuilds an exception from.
        super().__init__(code, message, *more)
        self.code = code
        self.message = message or _CODES.get(code, (500, ""))[1]

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    @property
    def http_status(self) -> int:
        """The HTTP status that a server in front should answer with."""
        return _CODES.get(self.code, (500, ""))[0]

    @property
    def is_transient(self) -> bool:
        """Whether the same call may fare better later."""
        return self.http_status in (429, 503)


class ArgumentError(LiveopsError, ValueError):
    """An argument is outside what the call allows."""


class BatchError(ArgumentError):
    """A value of a batch was refused: the one at `index`, counted from 0."""

    index: int

    def __init__(self, code: str, message: str = "", index: int = 0) -> None:
        super().__init__(code, message, index)
        self.index = index

    def __str__(self) -> str:
        return f"{self.code} at {self.index}: {self.message}"


class NotFoundError(LiveopsError, LookupError):
    """The rules know no such board (`unknown_board`), it has no such window (`unknown_window`) or period (`unknown_period`), or
    keeps the period no longer (`period_dropped`), they pay nothing for it (`unknown_payout`), or a player has no such receipt
    (`receipt_unknown`).
    """


class ForkedError(LiveopsError, RuntimeError):
    """The object was made before a fork: make it in the process that uses it."""


class StoreError(LiveopsError):
    """The store failed, or bytes that were kept make no sense."""


class RulesError(LiveopsError, ValueError):
    """A rules document is wrong at `path` (a JSON Pointer); `issue` is the code of what kind of fault it is."""

    path: str
    issue: str

    def __init__(self, code: str, message: str = "", path: str = "", issue: str = "") -> None:
        super().__init__(code, message, path, issue)
        self.path = path
        self.issue = issue or code

    def __str__(self) -> str:
        return f"{self.code} at {self.path or 'the document'}: {self.message}"


class SignatureError(LiveopsError):
    """A message was not signed, or is not believed."""


class _WithIssues(LiveopsError):
    issues: tuple[Issue, ...]

    def errors(self) -> list[dict[str, Any]]:
        """The issues in pydantic's shape, `[{"type", "loc", "msg", "ctx"?}]`. There is no `input`: values are never echoed."""
        return [as_pydantic(issue) for issue in self.issues]


class ValidationError(_WithIssues, ValueError):
    """A body is no event, or JSON no receipts: `issues` says where and why, at most 32 times."""

    issues: tuple[Issue, ...]

    def __init__(self, code: str, message: str = "", issues: Sequence[Issue] = ()) -> None:
        super().__init__(code, message, tuple(issues))
        self.issues = tuple(issues)


class _Answered(_WithIssues):
    """With all that an HTTP answer needs."""

    issues: tuple[Issue, ...]
    retry_after: int | None

    def __init__(
        self,
        code: str,
        message: str = "",
        issues: Sequence[Issue] = (),
        problem: str = "{}",
        headers: Sequence[tuple[str, str]] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(code, message, tuple(issues), problem, tuple(headers), retry_after)
        self.issues = tuple(issues)
        self.retry_after = retry_after
        self._problem = problem
        self._headers = tuple(headers)

    def problem(self) -> dict[str, Any]:
        """A problem document (RFC 9457), for `application/problem+json`."""
        document: dict[str, Any] = json.loads(self._problem)
        return document

    def headers(self) -> dict[str, str]:
        """Headers that belong to the answer; of a quota's refusal `Retry-After` too."""
        return dict(self._headers)


class Refusal(_Answered):
    """Nothing took effect. `retry_after` is in seconds, where waiting helps."""


class UnknownOutcome(_Answered):
    """It may or may not have taken effect: send the command again with the same id."""


def as_pydantic(issue: Issue) -> dict[str, Any]:
    """The limit that was passed and the byte at which reading stopped are its `ctx`."""
    error: dict[str, Any] = {"type": issue.code, "loc": _loc(issue.path), "msg": issue.message}
    context = {name: value for name, value in (("limit", issue.limit), ("offset", issue.offset)) if value is not None}
    if context:
        error["ctx"] = context
    return error


def _loc(pointer: str) -> tuple[str | int, ...]:
    """The segments of a JSON Pointer, those that are array indices as integers."""
    segments = (segment.replace("~1", "/").replace("~0", "~") for segment in pointer.split("/")[1:])
    return tuple(int(segment) if segment.isascii() and segment.isdigit() else segment for segment in segments)
