"""Options that several commands share, as a dataclass: declared once, passed on whole.

Typer reads one option from each parameter of a command's function. Here a parameter may also be a dataclass
whose fields are declared like parameters; they stand on the command line in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints


def grouped(function: Callable[..., int]) -> Callable[..., int]:
    """`function` as Typer takes it: every field of a dataclass among its parameters is a parameter."""
    hints = get_type_hints(function, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if isinstance(hint, type) and is_dataclass(hint)}

    def parameters() -> Iterator[Parameter]:
        for name, own in signature(function).parameters.items():
            if name in groups:
                yield from _fields_of(groups[name])
            else:
                yield own.replace(annotation=hints[name], kind=Parameter.KEYWORD_ONLY)

    def call(**values: Any) -> int:
        for name, group in groups.items():
            values[name] = group(**{each.name: values.pop(each.name) for each in fields(group)})
        return function(**values)

    listed = list(parameters())
    call.__name__, call.__doc__, call.__module__ = function.__name__, function.__doc__, function.__module__
    call.__signature__ = Signature(listed)  # type: ignore[attr-defined]
    call.__annotations__ = {each.name: each.annotation for each in listed}
    return call


def _fields_of(group: type) -> Iterator[Parameter]:
    hints = get_type_hints(group, include_extras=True)
    for each in fields(group):
        yield Parameter(
            each.name, Parameter.KEYWORD_ONLY, default=_default_of(each), annotation=hints[each.name]
        )


def _default_of(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default
    return Parameter.empty if field.default_factory is MISSING else field.default_factory()
