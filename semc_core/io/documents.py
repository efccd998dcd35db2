"""Documents that the program reads: limits, parsing and checking, in one place.

What a document must hold is said by the annotations of plain dataclasses. `Document` holds bytes against them
with pydantic, strictly: no text for a number, no number that is not finite, and a nesting of at most 200
levels, at which its parser stops before anything is built. What is wrong becomes one `DocumentFault`, half a
sentence that names the field; who reads the document makes its error of that, which names the file and says
what to do.

pydantic is loaded when the first document is read: the command line starts without it.
"""

from __future__ import annotations

import datetime
import functools
import json
import os
import threading
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails, ValidationError

from semc_core.io.regular import open_regular
from semc_core.io.rules import NEWER

T = TypeVar("T")

MOST_BYTES: Final = 64_000_000
"""Of any document, unless it says less."""

STRICT: Final[dict[str, Any]] = {"strict": True, "extra": "forbid", "allow_inf_nan": False}
TOLERANT: Final[dict[str, Any]] = {**STRICT, "extra": "ignore"}
OPEN: Final[dict[str, Any]] = {**STRICT, "extra": "allow"}
"""For `configured` and `Document`: a field too many is refused, left out, or (of a TypedDict) kept."""

_BUILDING: Final = threading.Lock()
"""pydantic builds what two threads build at once only in part, and so it is imported."""

_LONGEST_NAME: Final = 40
_MOST_DOTS: Final = 200
_MARK: Final = b"\xef\xbb\xbf"
_MARKED: Final = "it begins with a byte-order mark, which must go; save it as UTF-8 without one"
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
    def newer(self) -> bool:
        """Whether a newer version of the program wrote the document."""
        return bool(self.problems) and self.problems[0].words == NEWER


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
        with _BUILDING:
            from pydantic import ConfigDict, TypeAdapter

            config = None if self._config is None else ConfigDict(**self._config)  # type: ignore[typeddict-item]
            return TypeAdapter(self.kind, config=config)

    def read(self, path: Path) -> T:
        """The document in a file.

        Raises:
            OSError: It cannot be read.
            DocumentFault: It is not what it must be.
        """
        with open_regular(path) as file:
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
        if content.startswith(_MARK):
            raise DocumentFault(_MARKED)
        # Its parser takes minutes for names with very many dots.
        lines = (line for line in content.splitlines() if not line.lstrip().startswith(b"#"))
        if any(part.count(b".") > _MOST_DOTS for line in lines for part in line.split(b"=")):
            raise DocumentFault(_TOO_DEEP)
        try:
            return tomllib.loads(content.decode())
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise DocumentFault(f"line {line} is not UTF-8 text; save it as UTF-8") from error
        except RecursionError as error:
            raise DocumentFault(_TOO_DEEP) from error
        except tomllib.TOMLDecodeError as error:
            raise DocumentFault(f"it is not TOML ({_lower(str(error))})") from error
        except ValueError as error:  # Python's own, which takes only so many
            raise DocumentFault("it has a number of too many digits") from error

    def from_plain(self, value: object) -> T:
        """The document that plain values say: a table of TOML, or a part of a JSON document that was read.

        Raises:
            DocumentFault: It is not what it must be.
        """
        try:
            text = json.dumps(value, default=_time_as_text)
        except RecursionError as error:  # names with dots nest without an end
            raise DocumentFault(_TOO_DEEP) from error
        except TypeError as error:
            raise DocumentFault("it has a name that is no text") from error
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

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the document, for people and other programs."""
        return self.adapter.json_schema()

    def _check_length(self, content: bytes | str) -> None:
        if len(content) > self.most_bytes:
            raise DocumentFault(f"it is longer than {self.most_bytes / 1e6:g} MB")


def load() -> None:
    """Import what documents need now, and not when the first is read, which may be on any thread."""
    Document(Problem).check(Problem("told", (), ""))


def reason(error: OSError | DocumentFault) -> str:
    """Why a document could not be read, as half a sentence."""
    return _lower(error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)


def _time_as_text(value: object) -> str:
    """The times of TOML, which JSON does not have. Bytes, which a damaged database may give, are no text."""
    if isinstance(value, datetime.date | datetime.time):
        return str(value)
    raise DocumentFault(f"it holds {type(value).__name__} where text or a number must be")


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
        if content.startswith(_MARK):
            return _MARKED
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
    # "EOF" stays as it is.
    first = text[:1] if text[1:2].isupper() else text[:1].lower()
    return first + text[1:].rstrip(".")
