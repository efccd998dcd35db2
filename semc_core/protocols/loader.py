"""Protocols from TOML files: those that come with the program, and the user's own. Checked word for word.

A file looks like this::

    format = 1
    id = "short-liver"
    title = "Liver, short"
    about = "Two planes for a quick look."      # may be left out
    population = "adult"                        # or "fetus"; may be left out: the names of the planes say it

    [[source]]                                  # may be left out
    title = "Title of the document"
    year = 2024
    by = "Who published it"

    [[item]]
    id = "left-lobe"
    title = "Left lobe"
    planes = ["LLP"]                            # names that models have for it; any one will do
    optional = true                             # may be left out: false
    anatomy = "liver"                           # may be left out
    picture = "left-lobe.png"                   # may be left out: how it should look, a file beside this one
    credit = "J. Doe, CC BY 4.0"                # may be left out: whose that is
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Final

from semc_core.errors import ProtocolError
from semc_core.io.documents import STRICT, Document, DocumentFault, Problem, configured, reason
from semc_core.io.regular import is_folder, open_regular, read_regular
from semc_core.io.rules import checked, one_of, told_as
from semc_core.language import _
from semc_core.paths import ASSETS, data_folder
from semc_core.protocols.pictures import picture_notices
from semc_core.protocols.protocol import (
    Citation,
    Population,
    Protocol,
    ProtocolId,
    ProtocolItem,
    Text,
    Title,
)

FORMAT: Final = 1
SHIPPED: Final = ASSETS / "protocols"
_MOST_ITEMS: Final = 200
_COUNT_RULE: Final = f"it must have 1 to {_MOST_ITEMS} items, each beginning with [[item]]"


def _check_items(items: tuple[ProtocolItem, ...]) -> None:
    if not 1 <= len(items) <= _MOST_ITEMS:
        raise ValueError(_COUNT_RULE)
    for number, item in enumerate(items):
        if item.id in {other.id for other in items[:number]}:
            raise ValueError(
                f'item {number + 1} ("{item.id}"): an item before has the same id; give each its own'
            )


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class ProtocolFile:
    """A file, as it is written."""

    format: Annotated[int, one_of(FORMAT), told_as(f"must be {FORMAT}")]
    id: ProtocolId
    title: Title
    item: Annotated[tuple[ProtocolItem, ...], checked(_check_items)]
    about: Text = ""
    source: tuple[Citation, ...] = ()
    population: Population | None = None


PROTOCOL_FILE: Final = Document(ProtocolFile, most_bytes=1_000_000)


@dataclass(frozen=True, slots=True)
class ProtocolBook:
    """All protocols that could be read.

    Attributes:
        protocols: Those of the program first, then the user's; each by title.
        problems: A sentence for each of the user's files that was left out.
        notices: A sentence for each picture of the user's protocols that is not there or cannot be one; the
            protocol is there without it.
    """

    protocols: tuple[Protocol, ...]
    problems: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

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
            raise ProtocolError(
                _("There is no protocol {id}; choose one of: {names}.", id=repr(protocol_id), names=names)
            )
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
    shipped = [shipped_protocol(path) for path in sorted(SHIPPED.glob("*.toml"))]
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
            problems.append(
                _(
                    '{file}: there is a protocol with the id "{id}"; give it another.',
                    file=path.name,
                    id=protocol.id,
                )
            )
            continue
        known.add(protocol.id)
        added.append(protocol)
    notices = tuple(notice for protocol in added for notice in picture_notices(protocol))
    return ProtocolBook((*_by_title(shipped), *_by_title(added)), tuple(problems), notices)


def _files(folder: Path, problems: list[str]) -> list[Path]:
    if not is_folder(folder):
        return []
    try:
        return sorted(path for path in folder.glob("*.toml") if path.is_file())
    except OSError:
        problems.append(_("Your own protocols could not be read; check the permissions of their folder."))
        return []


def _by_title(protocols: Iterable[Protocol]) -> list[Protocol]:
    return sorted(protocols, key=lambda one: one.title.casefold())


def shipped_protocol(path: Path) -> Protocol:
    """One that came with the program.

    Tests hold these against `PROTOCOL_FILE`. Here they are taken as they are: the window reads them before
    it is painted, and would wait for pydantic to be loaded.

    Raises:
        ProtocolError: The file is damaged.
    """
    try:
        table = PROTOCOL_FILE.toml_table(read_regular(path))
        items = tuple(ProtocolItem(**{**one, "planes": tuple(one["planes"])}) for one in table["item"])
        sources = tuple(Citation(**one) for one in table.get("source", ()))
        about, population = table.get("about", ""), table.get("population")
        said = table["id"], table["title"], items, about, sources
        return Protocol(*said, population=population, folder=path.parent)
    except (OSError, DocumentFault, LookupError, TypeError) as error:
        raise ProtocolError(_("{file} is damaged; install the program again.", file=path.name)) from error


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
    table: dict[str, Any] = {}
    try:
        with open_regular(path) as file:
            table = PROTOCOL_FILE.toml_table(file.read(PROTOCOL_FILE.most_bytes + 1))
        read = PROTOCOL_FILE.from_plain(table)
    except FileNotFoundError:
        return None, (_("The file is not there; check its name."),)
    except OSError as error:
        if is_folder(path):  # Windows says of a folder that it may not be read
            return None, (_("This is no protocol that can be read: it is a folder."),)
        return None, (_("This is no protocol that can be read: {reason}.", reason=reason(error)),)
    except DocumentFault as fault:
        told = tuple(_sentence(each, table) for each in fault.problems)
        return None, told or (_("This is no protocol: {fault}.", fault=fault),)
    said = read.id, read.title, read.item, read.about, read.source
    return Protocol(*said, population=read.population, folder=path.parent), ()


def _sentence(problem: Problem, table: Mapping[str, Any]) -> str:
    """What is wrong, with its place: 'Item 2 ("gall-bladder"): optional must be true or false.'"""
    part, *inside = problem.place or ("",)
    where, known = "", tuple(each.name for each in fields(ProtocolFile))
    if part in ("item", "source"):
        if len(inside) < 2:
            what = problem.words if problem.kind == "told" else _COUNT_RULE
            if problem.kind == "wrong":
                what = f"each {part} must begin with [[{part}]] on a line of its own"
            return f"{what[:1].upper()}{what[1:]}."
        where = _place(str(part), int(inside[0]), table)
        known = tuple(each.name for each in fields(ProtocolItem if part == "item" else Citation))
        part = inside[1]
    what = f"{part} {problem.words}"
    if problem.kind == "unknown":
        close = difflib.get_close_matches(str(part), known, 1)
        meant = f"did you mean {close[0]!r}" if close else f"there is {', '.join(known)}"
        what = f"nothing here is called {str(part)[:40]!r}; {meant}"
    return f"{where}: {what}." if where else f"{what[:1].upper()}{what[1:]}."


def _place(part: str, number: int, table: Mapping[str, Any]) -> str:
    """An item, with its id where it can be shown, or a source."""
    named = table[part][number].get("id")
    shown = isinstance(named, str) and named.isprintable()
    return f"{part.capitalize()} {number + 1}" + (f' ("{named[:64]}")' if shown else "")
