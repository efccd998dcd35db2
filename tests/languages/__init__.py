"""The catalogues of the languages: `python -m tests.languages` brings them up to date with the source.

New texts come into each `assets/languages/*.po` without a translation, those that are gone leave it, and the
`.mo` files are made. A translator edits the `.po` file with any editor for gettext, then runs it again.
"""

from __future__ import annotations

import io
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from semc_core.language import CATALOGUES, ENGLISH, LANGUAGES
from semc_core.paths import ASSETS

ROOT: Final = Path(__file__).parent.parent.parent
OTHERS: Final = tuple(code for code in LANGUAGES if code != ENGLISH)
_MARKS: Final = {"_": None, "N_": None, "plural": (1, 2)}
_UNDATED: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The files say what is in them, not when they were made."""
_LEFT_OUT: Final = tuple(
    f'"{name}'.encode()
    for name in (
        "POT-Creation",
        "PO-Revision",
        "Generated-By",
        "Report-Msgid",
        "Last-Translator",
        "Language-Team",
    )
)
_FOLDERS: Final = ("app", "semc_core")


@cache
def in_source() -> Catalog:
    """All texts that the source marks, and what the protocols that come along say on screen."""
    found = Catalog()
    with redirect_stderr(io.StringIO()):  # told of each f-string that is a value, which is none of the texts
        for folder in _FOLDERS:
            for _, _, message, _, _ in extract_from_dir(
                ROOT / folder, [("**.py", "python")], keywords=_MARKS
            ):
                if message and message != ("", ""):
                    found.add(message)
    for path in sorted((ASSETS / "protocols").glob("*.toml")):
        protocol = tomllib.loads(path.read_text(encoding="utf-8"))
        for titled in (protocol, *protocol["item"]):
            found.add(titled["title"])
        for credit in sorted({item["credit"] for item in protocol["item"] if "credit" in item}):
            found.add(credit)
    return found


def read(code: str) -> Catalog:
    """The catalogue of a language; an empty one where there is none yet."""
    path = CATALOGUES / f"{code}.po"
    if not path.exists():
        return _new(code)
    with path.open("rb") as file:
        found = read_po(file, locale=code)
    found.creation_date = found.revision_date = _UNDATED
    return found


def _new(code: str) -> Catalog:
    return Catalog(
        locale=code,
        project="SEMC Live",
        version=" ",
        header_comment=f"# SEMC Live: the texts of the window in {LANGUAGES[code]}.",
        msgid_bugs_address="",
        last_translator="",
        language_team="",
        creation_date=_UNDATED,
        revision_date=_UNDATED,
        fuzzy=False,
    )


def forms(catalogue: Catalog) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Of each text the source's forms and the language's, "" where one is not translated."""
    for message in catalogue:
        if message.id:
            yield _each(message.id), _each(message.string)


def _each(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text or "",) if text is None or isinstance(text, str) else tuple(text)


def updated(code: str, source: Catalog) -> Catalog:
    """The catalogue of a language with the texts of the source, and those alone."""
    old, new = read(code), _new(code)
    for message in source:
        if message.id:
            known = old.get(message.id)
            new.add(message.id, known.string if known is not None else "")
    return new


def as_po(catalogue: Catalog) -> bytes:
    """The file that translators edit."""
    file = io.BytesIO()
    write_po(file, catalogue, width=110, no_location=True, omit_header=False, sort_output=True)
    return b"".join(
        line for line in file.getvalue().splitlines(keepends=True) if not line.startswith(_LEFT_OUT)
    )


def as_mo(catalogue: Catalog) -> bytes:
    """The file that the program reads."""
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()
