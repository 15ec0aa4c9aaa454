"""What all results share: dicts with the camelCase keys of Rust's and Node's JSON, and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from functools import partial
from typing import Any, ClassVar, NamedTuple, TypeVar

from ._native import Verdict

__all__ = ["Result"]

R = TypeVar("R", bound="Result")


class Result:
    """What all results share."""

    __slots__ = ()

    #: Classes of the fields that are results themselves, or tuples of results.
    _nested: ClassVar[dict[str, type[Result] | type[Verdict]]] = {}
    #: Of these, fields that are dicts of results by name.
    _by_name: ClassVar[frozenset[str]] = frozenset()
    #: Fields that JSON leaves out when they have their default: None, or empty.
    _optional: ClassVar[frozenset[str]] = frozenset()

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it, with camelCase keys."""
        wire = {}
        for name, key, _, _, is_optional, default in _layout(type(self)):
            value = getattr(self, name)
            if is_optional and value == (default() if default else None):
                continue
            wire[key] = value if isinstance(value, _PLAIN) else _to_wire(value)
        return wire

    @classmethod
    def from_dict(cls: type[R], wire: dict[str, Any]) -> R:
        """The inverse of `to_dict()`."""
        values = []
        for _, key, nested, is_dict, _, default in _layout(cls):
            value = wire.get(key)
            if value is None:
                value = default() if default else None
            elif isinstance(value, list):
                value = tuple(value if nested is None else (nested.from_dict(element) for element in value))
            elif nested is not None:
                value = {k: nested.from_dict(v) for k, v in value.items()} if is_dict else nested.from_dict(value)
            values.append(value)
        return cls(*values)

    @classmethod
    def from_json(cls: type[R], text: str) -> R:
        """One, from JSON."""
        return cls.from_dict(json.loads(text))

    @classmethod
    def list_from_json(cls: type[R], text: str) -> list[R]:
        """Several, from JSON."""
        return [cls.from_dict(wire) for wire in json.loads(text)]


class _Field(NamedTuple):
    """A field, its key in JSON, the class of what it holds, and what makes its default, if that is not None."""

    name: str
    key: str
    nested: type[Result] | type[Verdict] | None
    is_dict: bool
    is_optional: bool
    default: Callable[[], Any] | None


#: What needs nothing done, which is most.
_PLAIN = (str, int, type(None))

_layouts: dict[type[Result], tuple[_Field, ...]] = {}


def _layout(cls: type[Result]) -> tuple[_Field, ...]:
    layout = _layouts.get(cls)
    if layout is None:
        layout = _layouts[cls] = tuple(
            _Field(
                field.name,
                _camel(field.name),
                cls._nested.get(field.name),
                field.name in cls._by_name,
                field.name in cls._optional,
                _default(field),
            )
            for field in fields(cls)  # type: ignore[arg-type]
        )
    return layout


def _default(field: Field[Any]) -> Callable[[], Any] | None:
    if field.default_factory is not MISSING:
        return field.default_factory
    if field.default is MISSING or field.default is None:
        return None
    return partial(getattr, field, "default")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _to_wire(value: Any) -> Any:
    if isinstance(value, (Result, Verdict)):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_to_wire(element) for element in value]
    if isinstance(value, dict):
        return {key: _to_wire(element) for key, element in value.items()}
    return value
