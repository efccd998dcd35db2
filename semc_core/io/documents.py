"""Documents that the program reads: limits, parsing and checking, in one place.

What a document must hold is said by the annotations of plain dataclasses. `Document` holds bytes against them
with pydantic, strictly: no text for a number, no number that is not finite, and a nesting of at most 200
levels, at which its parser stops before anything is built. What is wrong becomes one `DocumentFault`, half a
sentence that names the field; who reads the document makes its error of that, which names the file and says
what to do.

pydantic is loaded when the first document is read: the command line and the window start without it. That is
also why bounds are said by the small classes here and not by its own.
"""

from __future__ import annotations

import functools
import json
import math
import os
import threading
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, TypeAdapter
    from pydantic_core import CoreSchema, ErrorDetails, ValidationError

T = TypeVar("T")

MOST_BYTES: Final = 64_000_000
"""Of any document, unless it says less."""

STRICT: Final[dict[str, Any]] = {"strict": True, "extra": "forbid", "allow_inf_nan": False}
TOLERANT: Final[dict[str, Any]] = {**STRICT, "extra": "ignore"}
OPEN: Final[dict[str, Any]] = {**STRICT, "extra": "allow"}
"""For `configured` and `Document`: a field too many is refused, left out, or (of a TypedDict) kept."""

_BUILDING: Final = threading.Lock()
"""pydantic builds what two threads build at once only in part."""

_LONGEST_NAME: Final = 40
_TOO_DEEP: Final = "it is nested too deeply"
_VERSIONS: Final = (("format",), ("schema",), ("version",), ("format_version",))
_UNKNOWN: Final = ("unexpected_keyword_argument", "extra_forbidden")


def configured(config: Mapping[str, Any]) -> Callable[[type[T]], type[T]]:
    """Decorates a dataclass or TypedDict: it follows `config`, and so do those inside it that say nothing."""

    def set_config(kind: type[T]) -> type[T]:
        kind.__pydantic_config__ = config  # type: ignore[attr-defined]
        return kind

    return set_config


class DocumentFault(ValueError):
    """What is wrong with a document, as half a sentence: "its field 'port' is missing".

    Attributes:
        problems: The same, and whatever else is wrong, each with its place in the document.
    """

    def __init__(self, reason: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(reason)
        self.problems = problems

    @property
    def place(self) -> tuple[str | int, ...]:
        """The way to the field that the sentence is about; () for the whole document."""
        return self.problems[0].place if self.problems else ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        kind: "missing", "unknown", "told" (`words` are a rule's own) or "wrong".
        place: Names and numbers (from 0) that lead to the field.
        words: What goes after the field's name: "must be a valid number".
    """

    kind: str
    place: tuple[str | int, ...]
    words: str


class Document(Generic[T]):
    """A kind of document."""

    def __init__(
        self, kind: type[T], *, most_bytes: int = MOST_BYTES, config: Mapping[str, Any] | None = None
    ) -> None:
        """Nothing is loaded yet.

        Args:
            kind: Dataclass, or another type with annotations all through.
            most_bytes: A longer one is not parsed.
            config: `STRICT` or `TOLERANT`, of a kind that is no class and so cannot be `configured`.
        """
        self.kind = kind
        self.most_bytes = most_bytes
        self._config = config

    @functools.cached_property
    def adapter(self) -> TypeAdapter[T]:
        """What holds values against the kind."""
        # Else it asks every installed package for plugins, which could change what is checked.
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        from pydantic import ConfigDict, TypeAdapter

        config = None if self._config is None else ConfigDict(**self._config)  # type: ignore[typeddict-item]
        with _BUILDING:
            return TypeAdapter(self.kind, config=config)

    def read(self, path: Path) -> T:
        """The document in a file.

        Raises:
            OSError: It cannot be read.
            DocumentFault: It is not what it must be.
        """
        with path.open("rb") as file:
            return self.parse(file.read(self.most_bytes + 1))

    def parse(self, content: bytes | str) -> T:
        """The document that JSON says.

        Raises:
            DocumentFault: It is not what it must be.
        """
        self._check_length(content)
        adapter = self.adapter
        from pydantic_core import ValidationError

        try:
            return adapter.validate_json(content, strict=True)
        except ValidationError as error:
            raise _fault(error, content) from error

    def parse_toml(self, content: bytes) -> T:
        """The document that TOML says.

        Raises:
            DocumentFault: It is not what it must be.
        """
        return self.from_plain(self.toml_table(content))

    def toml_table(self, content: bytes) -> dict[str, Any]:
        """TOML as it is written, before it is held against the kind.

        Raises:
            DocumentFault: It is no TOML, or too long.
        """
        self._check_length(content)
        try:
            return tomllib.loads(content.decode())
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise DocumentFault(f"line {line} is not UTF-8 text; save it as UTF-8") from error
        except RecursionError as error:
            raise DocumentFault(_TOO_DEEP) from error
        except ValueError as error:  # TOML's own, and of a number with too many digits
            raise DocumentFault(f"it is not TOML ({_lower(str(error))})") from error

    def from_plain(self, value: object) -> T:
        """The document that plain values say: a table of TOML, or a part of a JSON document that was read.

        Raises:
            DocumentFault: It is not what it must be.
        """
        try:
            # Times of TOML have no JSON: they become text.
            text = json.dumps(value, default=str)
        except RecursionError as error:  # names with dots nest without an end
            raise DocumentFault(_TOO_DEEP) from error
        return self.parse(text)

    def check(self, value: object) -> T:
        """A dictionary with Python's values, such as a row of a database. Strict: a dataclass takes none.

        Raises:
            DocumentFault: They are not what they must be.
        """
        adapter = self.adapter
        from pydantic_core import ValidationError

        try:
            return adapter.validate_python(value, strict=True)
        except ValidationError as error:
            raise _fault(error, "") from error

    def _check_length(self, content: bytes | str) -> None:
        if len(content) > self.most_bytes:
            raise DocumentFault(f"it is longer than {self.most_bytes / 1e6:g} MB")


def reason(error: OSError | DocumentFault) -> str:
    """Why a document could not be read, as half a sentence."""
    return _lower(error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)


def plain_values(instance: Any) -> dict[str, Any]:
    """A dataclass as JSON gives it back: lists for tuples."""
    values: dict[str, Any] = json.loads(json.dumps(asdict(instance)))
    return values


def _fault(error: ValidationError, content: bytes | str) -> DocumentFault:
    details = error.errors(include_url=False, include_input=False)
    if details[0]["type"] == "json_invalid":
        return DocumentFault(_no_json(content, str(details[0].get("ctx", {}).get("error", ""))))
    # What another version of the program wrote is told before what this one misses in it.
    problems = tuple(sorted(map(_problem, details), key=lambda each: each.place not in _VERSIONS))
    return DocumentFault(_in_words(problems[0]), problems)


def _no_json(content: bytes | str, words: str) -> str:
    """Why a parser did not take it; `words` are its own."""
    if words.startswith("recursion limit"):
        return _TOO_DEEP
    if isinstance(content, bytes):
        if content.startswith(b"\xef\xbb\xbf"):
            return "it begins with a byte-order mark, which must go"
        try:
            content.decode()
        except UnicodeDecodeError as error:
            return f"it is not UTF-8 text (byte {error.start + 1})"
    if not content.strip():
        return "it is empty"
    return f"it is not valid JSON ({_lower(words)})"


def _problem(detail: ErrorDetails) -> Problem:
    kind, words = detail["type"], detail["msg"]
    if kind == "missing":
        return Problem("missing", detail["loc"], "is missing")
    if kind in _UNKNOWN:
        return Problem("unknown", detail["loc"], "is unknown")
    if kind in ("value_error", "told"):
        return Problem("told", detail["loc"], words.removeprefix("Value error, "))
    words = words.removeprefix("Input should ").removesuffix(" after validation")
    return Problem("wrong", detail["loc"], f"must {words}" if not words[:1].isupper() else _lower(words))


def _in_words(problem: Problem) -> str:
    place = field_name(problem.place)
    if problem.kind == "unknown":
        return f"it has the unknown field {place}"
    if not place:
        return problem.words if problem.kind == "told" else f"it {problem.words}"
    return f"its field {place} {problem.words}"


def field_name(place: tuple[str | int, ...]) -> str:
    """The way to a field, in quotation marks: 'versions[2].sha256'; "" for the whole document.

    A name may be a stranger's: it is cut short, and nothing in it breaks the line.
    """
    text = ""
    for step in place:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            short = step if len(step) <= _LONGEST_NAME else f"{step[:_LONGEST_NAME]}..."
            text += ("." if text else "") + (short if short.isprintable() else ascii(short)[1:-1])
    return f"'{text}'" if text else ""


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")


# What annotations say beyond types. Each is for `Annotated`.


@dataclass(frozen=True, slots=True)
class Within:
    """A number, or of a text or a tuple the length, that has bounds; both are inside, `above` is not."""

    least: float | None = None
    most: float | None = None
    above: float | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: Any = handler(source)
        number = schema["type"] in ("int", "float")
        names = ("ge", "le", "gt") if number else ("min_length", "max_length", "")
        bounds = zip(names, (self.least, self.most, self.above), strict=True)
        schema.update({name: value for name, value in bounds if value is not None})
        return schema  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, init=False)
class OneOf:
    """One of these values."""

    values: tuple[str | int, ...]

    def __init__(self, *values: str | int) -> None:
        object.__setattr__(self, "values", values)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        # Not pydantic's own, which takes true for 1.
        return core_schema.no_info_after_validator_function(
            self._check, handler(source), metadata={"pydantic_js_updates": {"enum": list(self.values)}}
        )

    def _check(self, value: str | int) -> str | int:
        if value not in self.values:
            *first, last = map(repr, self.values)
            raise ValueError(f"must be {', '.join(first)} or {last}" if first else f"must be {last}")
        return value


@dataclass(frozen=True, slots=True)
class As:
    """What the type checker knows loosely is held against this type."""

    kind: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(self.kind)


@dataclass(frozen=True, slots=True)
class ByTag:
    """One of several types: the field `tag` names which."""

    tag: str
    kinds: Mapping[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        choices = {name: handler.generate_schema(kind) for name, kind in self.kinds.items()}
        return core_schema.tagged_union_schema(choices, discriminator=self.tag)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text that matches a regular expression (of Rust's kind) all through."""

    pattern: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: Any = handler(source)
        schema["pattern"] = f"^(?:{self.pattern})$"
        return schema  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Stripped:
    """A text without spaces at its ends: they are taken away, and then it is checked."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: Any = handler(source)
        schema["strip_whitespace"] = True
        return schema  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Rule:
    """What `check` takes; it raises ValueError with words that go after the field's name."""

    check: Callable[[Any], object]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        def checked(value: Any) -> Any:
            self.check(value)
            return value

        return core_schema.no_info_after_validator_function(checked, handler(source))


@dataclass(frozen=True, slots=True)
class Told:
    """Whatever is wrong with the value is said in these words, which go after the field's name."""

    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.custom_error_schema(
            handler(source), custom_error_type="told", custom_error_message=self.words
        )


def _check_finite(value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be a finite number")
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_finite(each)


Plain = Annotated[Any, Rule(_check_finite)]
"""Any JSON value whose numbers are finite."""

PlainObject = dict[str, Plain]

Line = Annotated[str, Pattern(r"[^\x00-\x1f\x7f-\x9f]*"), Told("must be text without control characters")]
"""Text for people or for a name: it has no control characters."""
