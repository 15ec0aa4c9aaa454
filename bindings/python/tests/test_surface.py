"""The package has what `bindings/surface.toml` lists, and nothing else: Node's is held to the same list."""

from __future__ import annotations

import inspect
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

import liveops

LIST: dict[str, dict[str, str | dict[str, str]]] = tomllib.loads(
    (Path(__file__).resolve().parents[2] / "surface.toml").read_text()
)
NEEDED = object()


def listed(owner: str) -> dict[str, Any]:
    """What the list says of a class: by name, a kind with its parameters."""
    found = dict[str, Any]()
    for name, entry in LIST[owner].items():
        text = entry if isinstance(entry, str) else entry.get("python", "-")
        if text == "-":
            continue
        kinds, _, rest = text.partition("(")
        words = set(kinds.split())
        parameters = None if "get" in words else read_parameters(rest.removesuffix(")"))
        kind = "static" if "static" in words else "method"
        found[name] = (kind, parameters) if parameters is not None else "get"
        if "async" in words:
            found[f"{name}_async"] = (kind, parameters)
    return found


def read_parameters(text: str) -> list[tuple[str, bool, Any]]:
    """Name, whether a keyword alone, and the default."""
    read = list[tuple[str, bool, Any]]()
    keyword = False
    for part in text.split(", ") if text else []:
        name, has_default, default = part.partition("=")
        if name == "*":
            keyword = True
        elif name == "now":
            read += [("now_ms", True, None), ("now", True, None)]
        else:
            read.append((name, keyword, value_of(default) if has_default else NEEDED))
    return read


def value_of(default: str) -> Any:
    if default == "...":
        return ...
    value = json.loads(default)
    return tuple(value) if isinstance(value, list) else value


def offered(owner: str) -> dict[str, Any]:
    """The same of what is there."""
    kind = getattr(liveops, owner)
    found = dict[str, Any]()
    for name in dir(kind):
        if name.startswith("_"):
            continue
        attribute = inspect.getattr_static(kind, name)
        if inspect.isgetsetdescriptor(attribute) or isinstance(attribute, property):
            found[name] = "get"
            continue
        static = isinstance(attribute, (staticmethod, classmethod))
        found[name] = ("static" if static else "method", parameters_of(getattr(kind, name), static))
    if "new" in LIST[owner]:
        found["new"] = ("method", parameters_of(kind, True))
    return found


def parameters_of(call: Any, bound: bool) -> list[tuple[str, bool, Any]]:
    parameters = list(inspect.signature(call).parameters.values())
    return [
        (one.name, one.kind is one.KEYWORD_ONLY, NEEDED if one.default is one.empty else one.default)
        for one in (parameters if bound else parameters[1:])
    ]


@pytest.mark.parametrize("owner", LIST)
def test_a_class_has_what_is_listed(owner: str) -> None:
    wanted, found = listed(owner), offered(owner)
    assert sorted(found.keys() - wanted.keys()) == [], "these are not in the list"
    assert sorted(wanted.keys() - found.keys()) == [], "these are in the list alone"
    for name, said in wanted.items():
        assert found[name] == said, f"{owner}.{name}"


def test_the_test_reads_signatures() -> None:
    assert read_parameters('a, b=1, *, c=null, d="x", now') == [
        ("a", False, NEEDED), ("b", False, 1), ("c", True, None), ("d", True, "x"), ("now_ms", True, None), ("now", True, None)
    ]
    assert offered("Board")["name"] == "get" and offered("Rules")["from_json"] == ("static", [("text", False, NEEDED)])
