"""Documents written as bytes, with values that Python's own writers do not write; and their parts."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Raw:
    """What stands in the file as it is."""

    text: str


def written(value: object, *, toml: bool = False) -> bytes:
    """As JSON, or as TOML: a line for each field."""
    if toml and isinstance(value, dict):
        return "\n".join(f"{_text(name)} = {_text(each, toml=True)}" for name, each in value.items()).encode()
    return _text(value, toml=toml).encode()


def _text(value: object, *, toml: bool = False) -> str:
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, dict):
        sign = " = " if toml else ": "
        fields = (f"{_text(name)}{sign}{_text(each, toml=toml)}" for name, each in value.items())
        return f"{{{', '.join(fields)}}}"
    if isinstance(value, list):
        return f"[{', '.join(_text(each, toml=toml) for each in value)}]"
    return json.dumps(value)


def places(value: Any, above: Place = ()) -> Iterator[Place]:
    """The way to every value inside."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in pairs:
        yield (*above, step)
        yield from places(each, (*above, step))


def at(value: Any, place: Place) -> Any:
    """The value at a place."""
    for step in place:
        value = value[step]
    return value


def changed(value: Any, place: Place, new: object) -> Any:
    """A copy with another value at a place."""
    if not place:
        return new
    made = copy.deepcopy(value)
    at(made, place[:-1])[place[-1]] = new
    return made


def without(value: Any, place: Place) -> Any:
    """A copy without a value."""
    made = copy.deepcopy(value)
    del at(made, place[:-1])[place[-1]]
    return made


def field_of(place: Place) -> str:
    """The name of the field that a place lies in."""
    return next((step for step in reversed(place) if isinstance(step, str)), "")
