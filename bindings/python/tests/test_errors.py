"""One tree, with the codes of docs/errors.md."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import liveops
from liveops import errors

TREE = [getattr(errors, name) for name in errors.__all__]


def test_the_tree() -> None:
    assert all(issubclass(error, liveops.LiveopsError) for error in TREE)
    assert all(getattr(liveops, name) is getattr(errors, name) for name in errors.__all__)
    assert issubclass(liveops.ArgumentError, ValueError)
    assert issubclass(liveops.NotFoundError, LookupError)
    assert issubclass(liveops.ForkedError, RuntimeError)
    assert not issubclass(liveops.UnknownOutcome, liveops.Refusal), "nothing was refused: it may have taken effect"


@pytest.mark.parametrize("error", TREE)
def test_each_pickles_and_knows_its_status(error: type[liveops.LiveopsError]) -> None:
    raised = error("contended", "busy")
    copy = pickle.loads(pickle.dumps(raised))
    assert (type(copy), copy.code, copy.message, str(copy)) == (error, "contended", "busy", str(raised))
    assert (raised.http_status, raised.is_transient) == (503, True)
    assert error("forked").message.endswith("make it in the process that uses it.")


def test_every_code_is_documented() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "errors.md"
    documented = {line.split("`")[1] for line in page.read_text().splitlines() if line.startswith("| `")}
    assert set(liveops._native.error_codes()) == documented


def test_pointers_become_pydantics_places() -> None:
    issue = liveops.Issue("wrong_type", "/payload/a~1b~0c/0", "a text is meant")
    assert errors.ValidationError("wrong_type", "", [issue]).errors() == [
        {"type": "wrong_type", "loc": ("payload", "a/b~c", 0), "msg": "a text is meant"}
    ]
