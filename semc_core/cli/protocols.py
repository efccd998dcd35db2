"""`semc protocols`: the scanning protocols there are, whether a file is one, how far a session is."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from semc_core.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from semc_core.protocols.checklist import Checklist
    from semc_core.protocols.loader import ProtocolBook
    from semc_core.protocols.protocol import Protocol

HELP: Final = "List scanning protocols, check a protocol file, or show a session's checklist."
STYLES: Final = {
    "found": "green",
    "weak": "yellow",
    "missing": "red",
    "not possible": "cyan",
    "unknown to the model": "magenta",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to show."""
    parser.add_argument("protocol", nargs="?", metavar="ID", help="show the items of this protocol")
    parser.add_argument("--check", type=Path, metavar="FILE", help="only look whether this is a protocol")
    parser.add_argument("--model", type=Path, metavar="FILE", help="say which items this model does not know")
    parser.add_argument("--session", type=Path, metavar="SESSION", help="show how far this session is")


def run(args: argparse.Namespace) -> int:
    """Print what was asked for. Returns 0; 1 if a file is no protocol.

    Raises:
        SemcError: There is no such protocol, model or session.
    """
    from rich.console import Console

    from semc_core.protocols.loader import load_protocols

    console = Console()
    if args.check is not None:
        if args.protocol or args.session:
            raise UsageError("--check takes a file and nothing else but --model.")
        return _check(args.check, args.model, console)
    if args.session is not None and not args.protocol:
        raise UsageError("Say which protocol: semc protocols ID --session SESSION.")
    book = load_protocols()
    if args.protocol is None:
        _list(book, _planes_of(args.model), console)
    else:
        protocol = book.named(args.protocol)
        if args.session is not None:
            _session(protocol, args.session, console)
        else:
            _items(protocol, _planes_of(args.model), console)
    return 0


def _planes_of(model: Path | None) -> tuple[str, ...] | None:
    if model is None:
        return None
    from semc_core.model.file import read_spec

    return read_spec(model).planes


def _check(path: Path, model: Path | None, console: Console) -> int:
    from semc_core.protocols.loader import check_protocol

    protocol, problems = check_protocol(path)
    for problem in problems:
        console.print(problem, style="red", markup=False, highlight=False, soft_wrap=True)
    if protocol is None:
        return 1
    _items(protocol, _planes_of(model), console)
    return 0


def _list(book: ProtocolBook, planes: tuple[str, ...] | None, console: Console) -> None:
    from rich.markup import escape
    from rich.table import Table

    from semc_core.protocols.loader import own_folder

    table = Table("ID", "Protocol", "Items", "")
    table.columns[0].no_wrap = True  # it is what one types
    if planes is not None:
        table.add_column("Known to the model")
    for one in book.protocols:
        optional = sum(item.optional for item in one.items)
        items = f"{len(one.items) - optional}" + (f" + {optional} optional" if optional else "")
        cells = [one.id, escape(one.title), items, "your own" if one.own else ""]
        if planes is not None:
            cells.append(f"{len(one.items) - len(one.unknown_items(planes))} of {len(one.items)}")
        table.add_row(*cells)
    console.print(table)
    for problem in book.problems:
        console.print(f"Left out: {problem}", style="yellow", markup=False, soft_wrap=True)
    console.print(f"Your own go into {own_folder()}", style="dim", markup=False, soft_wrap=True)


def _items(protocol: Protocol, planes: tuple[str, ...] | None, console: Console) -> None:
    from rich.markup import escape
    from rich.table import Table

    from semc_core.protocols.protocol import unknown_sentence

    table = Table("ID", "Item", "Planes", "", title=escape(protocol.title), title_justify="left")
    table.columns[0].no_wrap = True
    unknown = () if planes is None else protocol.unknown_items(planes)
    for item in protocol.items:
        said = ["optional"] if item.optional else []
        said += ["unknown to the model"] if item in unknown else []
        table.add_row(item.id, escape(item.title), escape(", ".join(item.planes)), ", ".join(said))
    console.print(table)
    for source in protocol.sources:
        console.print(
            f"Follows: {source.title} ({source.by}, {source.year})", style="dim", markup=False, soft_wrap=True
        )
    if planes is not None and (sentence := unknown_sentence(protocol, planes)):
        console.print(sentence, style="yellow", markup=False, soft_wrap=True)


def _session(protocol: Protocol, folder: Path, console: Console) -> None:
    from semc_core.protocols.checklist import session_checklist
    from semc_core.session.session import Session

    with Session.open(folder, read_only=True) as session:
        state = session_checklist(protocol, session.model, session.planes(), session.items())
    print_checklist(state, console)


def print_checklist(state: Checklist, console: Console) -> None:
    """The rows and how far they are, as a table."""
    from rich.markup import escape
    from rich.table import Table

    from semc_core.protocols.checklist import progress_words

    table = Table("Item", "Status", "Plane", "", title=escape(state.protocol.title), title_justify="left")
    for row in state.rows:
        status = f"[{STYLES[row.status]}]{row.status}[/]"
        best = row.best
        shown = "" if best is None else f"{best.plane} {best.confidence:.0%}"
        said = row.reason or ("optional" if row.item.optional else "")
        table.add_row(escape(row.item.title), status, escape(shown), escape(said))
    console.print(table)
    console.print(f"{state.completeness:.0%} complete: {progress_words(state)}.", highlight=False)
