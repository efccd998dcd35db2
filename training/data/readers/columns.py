"""How a table of pictures is written: its separator, its encoding, and what its columns are called.

Tables come from spreadsheets of every language: with commas, semicolons or tabs, with a byte order mark, and
with columns of other names. What can be understood is; what cannot is refused by name.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from semc_core.errors import UsageError
from semc_core.text import readable

COLUMNS: Final = ("file", "label", "source", "group", "split", "frame")
_OTHER_NAMES: Final = {
    "file": "filename filepath image imagename imagefile imagepath picture path img datei dateiname bild",
    "label": "class classname category plane labelname klasse ebene",
    "source": "scanner device machine hospital site collection",
    "group": "patient patientid patientnum patientnumber subject subjectid case caseid series video",
    "split": "subset partition",
    "frame": "frameindex",
}
"""Other words for a column, without capitals, blanks and underscores."""
_MEANT: Final = {word: column for column, words in _OTHER_NAMES.items() for word in words.split()}
_SEPARATORS: Final = (",", ";", "\t", "|")
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class PictureTable:
    """A table as it was read.

    Attributes:
        rows: Of each line its number in the file, from 1, and the values of the columns that are there, by
            the names in `COLUMNS`, without blanks around them.
        notes: Sentences: which columns are used under another name.
    """

    rows: tuple[tuple[int, dict[str, str]], ...]
    notes: tuple[str, ...]

    def has(self, column: str) -> bool:
        """Whether there is such a column."""
        return any(column in values for _, values in self.rows[:1])


def read_columns(path: Path) -> PictureTable:
    """Read a table, whatever separates its columns.

    Raises:
        UsageError: Its columns name no file or no label, or two may be meant by one name.
        ValueError: It is no text.
        OSError: It cannot be read.
        csv.Error: A line is none of a table.
    """
    text = _text(path)
    skipped, separator = 0, ""
    if said := re.match(r"sep=(.)\r?\n", text):  # So Excel says what separates the columns.
        skipped, separator, text = 1, said[1], text[said.end() :]
    head = text.partition("\n")[0]
    separator = separator or max(_SEPARATORS, key=lambda each: _fitting(head, each))
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    names = next(lines, None)
    if names is None:
        return PictureTable((), ())
    places = _places(path.name, names)
    rows = []
    for line in lines:
        if any(value.strip() for value in line):
            number = lines.line_num + skipped
            rows.append((number, {name: _value(line, place) for name, place in places.items()}))
    notes = [
        f"The column {readable(names[place].strip())} of {path.name} is used as {name}."
        for name, place in places.items()
        if names[place].strip() != name
    ]
    return PictureTable(tuple(rows), tuple(notes))


def _text(path: Path) -> str:
    data = path.read_bytes()
    utf_16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))  # "Unicode text", as spreadsheets save it.
    return data.decode("utf-16" if utf_16 else "utf-8-sig")


def _value(line: Sequence[str], place: int) -> str:
    return line[place].strip() if place < len(line) else ""


def _fitting(head: str, separator: str) -> tuple[int, int]:
    """How many columns are understood if this separates them, and how many there are."""
    names = next(csv.reader([head], delimiter=separator), [])
    return len({_meant(name) for name in names} - {""}), len(names)


def _meant(name: str) -> str:
    """Which of `COLUMNS` a column is, "" for none."""
    plain = re.sub(r"[\W_]", "", name.casefold())
    return plain if plain in COLUMNS else _MEANT.get(plain, "")


def _places(table: str, names: Sequence[str]) -> dict[str, int]:
    """Where each column that is there stands; its own name goes before other words for it."""
    places: dict[str, int] = {}
    for column in COLUMNS:
        own = [place for place, name in enumerate(names) if name.strip() == column]
        found = own or [place for place, name in enumerate(names) if _meant(name) == column]
        if len(found) > 1:
            raise UsageError(
                f"{table} has the columns {_listed(names[place] for place in found)}, and each may be the "
                f"{column}; name the right one {column} and give the others another name."
            )
        if found:
            places[column] = found[0]
    lacking = [name for name in ("file", "label") if name not in places]
    if lacking:
        raise UsageError(
            f"{table} must have the columns file and label; it has {_listed(names)}, and none of them is "
            f"the {' or the '.join(lacking)}. Rename them, or the table if it is none of pictures."
        )
    return places


def _listed(names: Iterable[str]) -> str:
    said = [readable(name.strip())[:40] or "(without a name)" for name in names]
    return ", ".join(said[:_SHOWN]) + (", ..." if len(said) > _SHOWN else "")
