"""Protocols from TOML files: those that come with the program, and the user's own. Checked word for word.

A file looks like this::

    format = 1
    id = "short-liver"
    title = "Liver, short"
    about = "Two planes for a quick look."      # may be left out

    [[source]]                                  # may be left out
    title = "Title of the document"
    year = 2024
    by = "Who published it"

    [[item]]
    id = "left-lobe"
    title = "Left lobe"
    planes = ["LLP"]                            # names that models have for it; any one will do
    optional = true                             # may be left out: false
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from semc_core.errors import ProtocolError
from semc_core.labels import NON_STANDARD
from semc_core.paths import ASSETS, data_folder
from semc_core.protocols.protocol import Citation, Protocol, ProtocolItem

FORMAT: Final = 1
SHIPPED: Final = ASSETS / "protocols"
_LARGEST_BYTES: Final = 1_000_000
_MOST_ITEMS: Final = 200
_LONGEST_TITLE: Final = 80
_LONGEST_TEXT: Final = 400
_ID: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")
_ID_RULE: Final = "must be 1 to 64 lower-case letters and digits, with hyphens only between them"
_FILE_KEYS: Final = ("format", "id", "title", "about", "source", "item")
_SOURCE_KEYS: Final = ("title", "year", "by")
_ITEM_KEYS: Final = ("id", "title", "planes", "optional")


@dataclass(frozen=True, slots=True)
class ProtocolBook:
    """All protocols that could be read.

    Attributes:
        protocols: Those of the program first, then the user's; each by title.
        problems: A sentence for each of the user's files that was left out.
    """

    protocols: tuple[Protocol, ...]
    problems: tuple[str, ...] = ()

    def get(self, protocol_id: str) -> Protocol | None:
        """The protocol with this id, or None."""
        return next((one for one in self.protocols if one.id == protocol_id), None)

    def named(self, protocol_id: str) -> Protocol:
        """The protocol with this id.

        Raises:
            ProtocolError: There is none; the message names those that there are.
        """
        found = self.get(protocol_id)
        if found is None:
            names = ", ".join(one.id for one in self.protocols)
            raise ProtocolError(f"There is no protocol {protocol_id!r}; choose one of: {names}.")
        return found


def own_folder() -> Path:
    """Where the user's own protocols are looked for."""
    return data_folder() / "protocols"


def load_protocols(own: Path | None = None) -> ProtocolBook:
    """Read all protocols.

    Args:
        own: Folder of the user's own files; None for `own_folder()`. It need not be there.

    Raises:
        ProtocolError: A file that came with the program is damaged.
    """
    shipped = [read_protocol(path) for path in sorted(SHIPPED.glob("*.toml"))]
    known = {protocol.id for protocol in shipped}
    added: list[Protocol] = []
    problems: list[str] = []
    for path in _files(own_folder() if own is None else own, problems):
        try:
            protocol = replace(read_protocol(path), own=True)
        except ProtocolError as error:
            problems.append(str(error))
            continue
        if protocol.id in known:
            problems.append(f'{path.name}: there is a protocol with the id "{protocol.id}"; give it another.')
            continue
        known.add(protocol.id)
        added.append(protocol)
    return ProtocolBook((*_by_title(shipped), *_by_title(added)), tuple(problems))


def _files(folder: Path, problems: list[str]) -> list[Path]:
    if not folder.is_dir():
        return []
    try:
        return sorted(path for path in folder.glob("*.toml") if path.is_file())
    except OSError:
        problems.append("Your own protocols could not be read; check the permissions of their folder.")
        return []


def _by_title(protocols: Iterable[Protocol]) -> list[Protocol]:
    return sorted(protocols, key=lambda one: one.title.casefold())


def read_protocol(path: Path) -> Protocol:
    """One protocol.

    Raises:
        ProtocolError: The file is not there or not a protocol; `problems` has a sentence for each mistake.
    """
    protocol, problems = check_protocol(path)
    if protocol is None:
        raise ProtocolError(path.name, problems)
    return protocol


def check_protocol(path: Path) -> tuple[Protocol | None, tuple[str, ...]]:
    """The protocol in a file, or None and what is wrong with it, a sentence for each mistake."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except OSError:
        return None, ("The file is not there or may not be read.",)
    if len(content) > _LARGEST_BYTES:
        return None, ("The file is larger than 1 MB: this is no protocol.",)
    try:
        table = tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return None, (f"Line {line} is not UTF-8 text; save the file as UTF-8.",)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return None, (f"This is not TOML: {_lower(str(error))}.",)
    checker = _Checker()
    protocol = checker.protocol(table)
    return (None if checker.problems else protocol), tuple(checker.problems)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")


class _Checker:
    """Turns a table into a protocol, and collects all that is wrong with it."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def protocol(self, table: dict[str, Any]) -> Protocol:
        """What there is of the protocol; to be used only if there are no problems."""
        self._keys(table, _FILE_KEYS, "")
        version = table.get("format")
        if version != FORMAT or isinstance(version, bool):
            self._wrong("", f"format must be {FORMAT}")
        return Protocol(
            id=self._id(table, ""),
            title=self._text(table, "title", "", _LONGEST_TITLE),
            about=self._text(table, "about", "", _LONGEST_TEXT) if "about" in table else "",
            sources=tuple(
                self._source(one, f"Source {number}")
                for number, one in enumerate(self._tables(table, "source"), 1)
            ),
            items=self._items(table),
        )

    def _items(self, table: dict[str, Any]) -> tuple[ProtocolItem, ...]:
        tables = self._tables(table, "item")
        if not 1 <= len(tables) <= _MOST_ITEMS:
            self._wrong("", f"it must have 1 to {_MOST_ITEMS} items, each beginning with [[item]]")
        items: list[ProtocolItem] = []
        for number, one in enumerate(tables, 1):
            where = f"Item {number}"
            if isinstance(one.get("id"), str):
                where += f' ("{one["id"][:64]}")'
            item = self._item(one, where)
            if item.id and item.id in {other.id for other in items}:
                self._wrong(where, "an item before has the same id; give each its own")
            items.append(item)
        return tuple(items)

    def _item(self, table: dict[str, Any], where: str) -> ProtocolItem:
        self._keys(table, _ITEM_KEYS, where)
        optional = table.get("optional", False)
        if not isinstance(optional, bool):
            self._wrong(where, "optional must be true or false")
        return ProtocolItem(
            id=self._id(table, where),
            title=self._text(table, "title", where, _LONGEST_TITLE),
            planes=self._planes(table, where),
            optional=optional is True,
        )

    def _planes(self, table: dict[str, Any], where: str) -> tuple[str, ...]:
        planes = table.get("planes")
        if not isinstance(planes, list) or not planes or not all(isinstance(one, str) for one in planes):
            self._wrong(where, 'planes must be a list of names of planes, like ["4CH"]')
            return ()
        for name in planes:
            if not name.strip() or name != name.strip() or not name.isprintable():
                self._wrong(where, f"{name!r} is not the name of a plane")
            if name == NON_STANDARD:
                self._wrong(where, f"{NON_STANDARD} means that there is no plane; it cannot be asked for")
        if len(set(planes)) < len(planes):
            self._wrong(where, "planes names one plane twice")
        return tuple(planes)

    def _source(self, table: dict[str, Any], where: str) -> Citation:
        self._keys(table, _SOURCE_KEYS, where)
        year = table.get("year")
        if not isinstance(year, int) or isinstance(year, bool) or not 1900 <= year <= 2200:
            self._wrong(where, "year must be a year, like 2024")
            year = 0
        return Citation(
            self._text(table, "title", where, _LONGEST_TEXT),
            year,
            self._text(table, "by", where, _LONGEST_TEXT),
        )

    def _tables(self, table: dict[str, Any], key: str) -> list[dict[str, Any]]:
        tables = table.get(key, [])
        if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
            self._wrong("", f"each {key} must begin with [[{key}]] on a line of its own")
            return []
        return tables

    def _id(self, table: dict[str, Any], where: str) -> str:
        value = table.get("id")
        if not isinstance(value, str) or _ID.fullmatch(value) is None:
            self._wrong(where, f"id {_ID_RULE}" if "id" in table else "id is missing")
            return ""
        return value

    def _text(self, table: dict[str, Any], key: str, where: str, longest: int) -> str:
        if key not in table:
            self._wrong(where, f"{key} is missing")
            return ""
        value = table[key]
        if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > longest:
            self._wrong(where, f"{key} must be a line of text, at most {longest} characters long")
            return ""
        return value.strip()

    def _keys(self, table: dict[str, Any], known: tuple[str, ...], where: str) -> None:
        for key in table:
            if key not in known:
                close = difflib.get_close_matches(key, known, 1)
                meant = f"; did you mean {close[0]!r}" if close else f"; there is {', '.join(known)}"
                self._wrong(where, f"nothing here is called {key[:40]!r}{meant}")

    def _wrong(self, where: str, what: str) -> None:
        self.problems.append(f"{where}: {what}." if where else f"{what[:1].upper()}{what[1:]}.")
