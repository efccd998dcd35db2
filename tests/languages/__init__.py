"""The catalogues of the languages: `python -m tests.languages` brings them up to date with the source.

New texts come into each `assets/languages/*.po` without a translation, those that are gone leave it, and the
`.mo` files are made. A translator edits the `.po` file with any editor for gettext, then runs it again.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from semc_core.language import CATALOGUES, ENGLISH, LANGUAGES

ROOT: Final = Path(__file__).parent.parent.parent
OTHERS: Final = tuple(code for code in LANGUAGES if code != ENGLISH)
_MARKS: Final = {"_": None, "N_": None, "plural": (1, 2)}
_FOLDERS: Final = ("app", "semc_core")


def in_source() -> Catalog:
    """All texts that the source marks."""
    found = Catalog()
    for folder in _FOLDERS:
        for _, _, message, _, _ in extract_from_dir(ROOT / folder, [("**.py", "python")], keywords=_MARKS):
            if message and message != ("", ""):
                found.add(message)
    return found


def read(code: str) -> Catalog:
    """The catalogue of a language; an empty one where there is none yet."""
    path = CATALOGUES / f"{code}.po"
    if not path.exists():
        return Catalog(locale=code)
    with path.open("rb") as file:
        return read_po(file, locale=code)


def updated(code: str, source: Catalog) -> Catalog:
    """The catalogue of a language with the texts of the source, and those alone."""
    old, new = read(code), Catalog(locale=code, project="SEMC Live", fuzzy=False)
    for message in source:
        if message.id:
            known = old.get(message.id)
            new.add(message.id, known.string if known is not None else "")
    return new


def as_po(catalogue: Catalog) -> bytes:
    """The file that translators edit."""
    file = io.BytesIO()
    write_po(file, catalogue, width=110, no_location=True, omit_header=False, sort_output=True)
    return b"".join(line for line in file.getvalue().splitlines(keepends=True) if not _dated(line))


def _dated(line: bytes) -> bool:
    return line.startswith((b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Generated-By'))


def as_mo(catalogue: Catalog) -> bytes:
    """The file that the program reads."""
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()
