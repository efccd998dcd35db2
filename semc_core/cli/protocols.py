"""`semc protocols`: the scanning protocols there are, whether a file is one, how far a session is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from semc_core.cli.shared.options import FOLDER, MODEL_FILE, PLACE, AsJson, print_json
from semc_core.cli.shared.tree import Commands
from semc_core.errors import UsageError
from semc_core.text import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from semc_core.protocols.checklist import Checklist
    from semc_core.protocols.loader import ProtocolBook
    from semc_core.protocols.protocol import Protocol

STYLES: Final = {
    "found": "green",
    "weak": "yellow",
    "missing": "red",
    "not possible": "cyan",
    "unknown to the model": "magenta",
}


_EXAMPLES = """\b
Examples:
    semc protocols
    semc protocols lp2025-liver --session FOLDER
    semc protocols --check my_own.toml"""

app = Commands()


@app.add(epilog=_EXAMPLES)
def protocols(
    protocol: Annotated[
        str | None, typer.Argument(metavar="ID", help="show the items of this protocol")
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(
            "--check", click_type=PLACE, metavar="FILE", help="only look whether this is a protocol"
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            click_type=MODEL_FILE,
            metavar="FILE",
            help="say which items this model, by its name or file, does not know",
        ),
    ] = None,
    session: Annotated[
        Path | None,
        typer.Option("--session", click_type=FOLDER, metavar="SESSION", help="show how far this session is"),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Print what was asked for. Returns 0; 1 if a file is no protocol.

    Raises:
        SemcError: There is no such protocol, model or session.
    """
    from semc_core.protocols.loader import load_protocols

    if check is not None:
        if protocol or session:
            raise UsageError("--check takes a file and nothing else but --model.")
        return _check(check, model, as_json=as_json)
    if session is not None and not protocol:
        raise UsageError("Say which protocol: semc protocols ID --session SESSION.")
    book = load_protocols()
    if protocol is None:
        _list(book, _planes_of(model), as_json=as_json)
    elif session is not None:
        _session(book.named(protocol), session, as_json=as_json)
    else:
        _items(book.named(protocol), _planes_of(model), as_json=as_json)
    return 0


def _planes_of(model: Path | None) -> tuple[str, ...] | None:
    if model is None:
        return None
    from semc_core.model.file import read_spec

    return read_spec(model).planes


def _check(path: Path, model: Path | None, *, as_json: bool) -> int:
    from rich.console import Console

    from semc_core.protocols.loader import check_protocol
    from semc_core.protocols.pictures import picture_notices

    protocol, problems = check_protocol(path)
    console = Console(stderr=as_json)
    for problem in problems:
        text = readable(f"{path.name or path}: {problem}")
        console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
    if protocol is None:
        return 1
    for notice in picture_notices(protocol, decode=True):
        console.print(readable(notice), style="yellow", markup=False, highlight=False, soft_wrap=True)
    _items(protocol, _planes_of(model), as_json=as_json)
    return 0


def _list(book: ProtocolBook, planes: tuple[str, ...] | None, *, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from semc_core.cli.shared.shown import escape
    from semc_core.protocols.loader import own_folder

    console = Console(stderr=as_json)
    if as_json:
        print_json([_plain(one, planes) for one in book.protocols])
        _tell(book, console)
        return
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
    _tell(book, console)
    console.print(f"Your own go into {own_folder()}", style="dim", markup=False, soft_wrap=True)


def _tell(book: ProtocolBook, console: Console) -> None:
    """What is wrong with the user's own."""
    for sentence in (*(f"Left out: {problem}" for problem in book.problems), *book.notices):
        console.print(readable(sentence), style="yellow", markup=False, soft_wrap=True)


def _plain(protocol: Protocol, planes: tuple[str, ...] | None) -> dict[str, Any]:
    """A protocol as JSON; `known` only where a model was named."""
    unknown = () if planes is None else protocol.unknown_items(planes)
    return {
        "id": protocol.id,
        "title": protocol.title,
        "own": protocol.own,
        "items": [
            {"id": item.id, "title": item.title, "planes": list(item.planes), "optional": item.optional}
            | ({} if planes is None else {"known": item not in unknown})
            for item in protocol.items
        ],
    }


def _items(protocol: Protocol, planes: tuple[str, ...] | None, *, as_json: bool) -> None:
    if as_json:
        print_json(_plain(protocol, planes))
        return
    from rich.console import Console
    from rich.table import Table

    from semc_core.cli.shared.shown import escape
    from semc_core.protocols.protocol import unknown_sentence

    console = Console()
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


def _session(protocol: Protocol, folder: Path, *, as_json: bool) -> None:
    from rich.console import Console

    from semc_core.protocols.checklist import session_checklists
    from semc_core.session.session import Session

    with Session.open(folder, read_only=True) as session:
        letters = session.fetuses().letters
        found = session_checklists(protocol, session.model, session.planes(), session.items(), letters)
    if as_json:
        print_json(_plain_checklists(found))
        return
    for state in found:
        print_checklist(state, Console())


def _plain_checklists(found: Sequence[Checklist]) -> dict[str, Any]:
    """The checklists of all fetuses in one; `fetus` is in a row only where there is more than one."""
    rows = [
        {
            "id": row.item.id,
            "title": row.item.title,
            "optional": row.item.optional,
            "status": row.status,
            "plane": None if row.best is None else row.best.plane,
            "confidence": None if row.best is None else row.best.confidence,
            "reason": row.reason,
            **({"fetus": state.fetus} if state.fetus else {}),
        }
        for state in found
        for row in state.rows
    ]
    return {
        "id": found[0].protocol.id,
        "title": found[0].protocol.title,
        "complete": sum(state.completeness for state in found) / len(found),
        "rows": rows,
    }


def print_checklist(state: Checklist, console: Console) -> None:
    """The rows and how far they are, as a table."""
    from rich.table import Table

    from semc_core.cli.shared.shown import escape
    from semc_core.protocols.checklist import progress_words

    title = escape(state.protocol.title) + (f", fetus {state.fetus}" if state.fetus else "")
    table = Table("Item", "Status", "Plane", "", title=title, title_justify="left")
    for row in state.rows:
        status = f"[{STYLES[row.status]}]{row.status}[/]"
        best = row.best
        shown = "" if best is None else f"{best.plane} {best.confidence:.0%}"
        said = row.reason or ("optional" if row.item.optional else "")
        table.add_row(escape(row.item.title), status, escape(shown), escape(said))
    console.print(table)
    console.print(f"{state.completeness:.0%} complete: {progress_words(state)}.", highlight=False)
