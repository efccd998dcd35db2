"""What the annotations of a document say beyond types, for `Annotated`: bounds, choices, words for the user.

pydantic has its own of these, and would be loaded for them when the program starts.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema


class Rule:
    """Changes what pydantic makes of a type. Made by the functions below."""

    def __init__(self, build: Callable[[Any, Any], Any]) -> None:
        """`build` takes what makes the schema of a type, and the type; it gives the schema of the rule."""
        self._build = build

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return self._build(handler, source)  # type: ignore[no-any-return]


def within(least: float | None = None, most: float | None = None, above: float | None = None) -> Rule:
    """A number, or of a text or a tuple the length, has bounds; both are inside, `above` is not."""

    def build(handler: Any, source: Any) -> Any:
        schema = handler(source)
        number = schema["type"] in ("int", "float")
        names = ("ge", "le", "gt") if number else ("min_length", "max_length", "")
        bounds = zip(names, (least, most, above), strict=True)
        return schema | {name: value for name, value in bounds if value is not None}

    return Rule(build)


def one_of(*values: str | int) -> Rule:
    """One of these values. Not by pydantic's own `Literal`, which takes true for 1."""

    def check(value: str | int) -> None:
        if value not in values:
            *first, last = map(repr, values)
            raise ValueError(f"must be {', '.join(first)} or {last}" if first else f"must be {last}")

    return checked(check, enum=list(values))


NEWER: Final = "is of a newer version of this program"


def format_number(known: int) -> Rule:
    """The number of a format, from 1 to `known`."""

    def check(number: int) -> None:
        if number < 1:
            raise ValueError("must be 1 or more")
        if number > known:
            raise ValueError(NEWER)

    return checked(check, minimum=1, maximum=known)


def matching(pattern: str) -> Rule:
    """A text that matches a regular expression (of Rust's kind) all through."""
    return Rule(lambda handler, source: handler(source) | {"pattern": f"^(?:{pattern})$"})


def stripped() -> Rule:
    """A text without spaces at its ends: they are taken away, and then it is checked."""
    return Rule(lambda handler, source: handler(source) | {"strip_whitespace": True})


def checked(check: Callable[[Any], object], **told: Any) -> Rule:
    """What `check` takes; it raises ValueError with words that go after the field's name.

    Args:
        check: Called with what fits the type.
        told: What the JSON Schema says of the rule.
    """

    def build(handler: Any, source: Any) -> Any:
        from pydantic_core import core_schema

        def same(value: Any) -> Any:
            check(value)
            return value

        return core_schema.no_info_after_validator_function(
            same, handler(source), metadata={"pydantic_js_updates": told}
        )

    return Rule(build)


def told_as(words: str) -> Rule:
    """Whatever is wrong with the value is said in these words, which go after the field's name."""

    def build(handler: Any, source: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.custom_error_schema(
            handler(source), custom_error_type="told", custom_error_message=words
        )

    return Rule(build)


def check_moment(text: str) -> None:
    """Refuse a text that says no time by ISO 8601 which any time zone can show.

    Raises:
        ValueError: What it must be, to go after the field's name.
    """
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        found = datetime.datetime.min
    if not datetime.MINYEAR < found.year < datetime.MAXYEAR:
        raise ValueError('must be a time such as "2026-01-31T12:00:00+00:00"')


def moment() -> Rule:
    """A text that `check_moment` takes."""
    return checked(check_moment, format="date-time")


def empty_as_none() -> Rule:
    """`{}`, which earlier versions wrote for None, is None."""

    def build(handler: Any, source: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(
            lambda value: None if value == {} else value, handler(source)
        )

    return Rule(build)


def held_as(kind: Any) -> Rule:
    """What the type checker knows loosely is held against this type."""
    return Rule(lambda handler, source: handler.generate_schema(kind))


def by_tag(tag: str, kinds: Callable[[], Mapping[str, Any]]) -> Rule:
    """One of several types: the field `tag` names which. `kinds` is asked when the first document is read."""

    def build(handler: Any, source: Any) -> Any:
        from pydantic_core import core_schema

        choices = {name: handler.generate_schema(kind) for name, kind in kinds().items()}
        return core_schema.tagged_union_schema(choices, discriminator=tag)

    return Rule(build)


def _check_finite(value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be a finite number")
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_finite(each)


Plain = Annotated[Any, checked(_check_finite)]
"""Any JSON value whose numbers are finite."""

PlainObject = dict[str, Plain]

_SEEN: Final = r"[^\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"

Line = Annotated[
    str,
    matching(_SEEN + "{0,2000}"),
    told_as("must be text without control characters and direction marks, at most 2000 characters long"),
]
"""Text for people: it does nothing to a terminal or a page, and is shown as it is stored."""

Name = Annotated[
    str,
    matching(_SEEN + "{0,100}"),
    told_as("must be a name without control characters and direction marks, at most 100 characters long"),
]
"""Like `Line`, and short."""
