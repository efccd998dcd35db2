"""`semc session`: the sessions in a folder, what one holds, and the proof that nothing in it was changed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from semc_core.cli import session_keeping, session_labels, session_raters
from semc_core.cli.session_keeping import SESSION, folder_of
from semc_core.cli.shared.options import FOLDER, PLACE, AsJson, print_json
from semc_core.cli.shared.tree import Commands
from semc_core.io.regular import is_folder
from semc_core.paths import default_output_folder
from semc_core.text import counted

if TYPE_CHECKING:
    from rich.table import Table

    from semc_core.session.session import Session

_LIST = "list the sessions in a folder"
_SHOW = "show the planes, marks and exports of a session"
_VERIFY = "say whether a session is proven by this machine, consistent but unsigned, or not as it was written"


_USUAL = default_output_folder()

app = Commands()


@app.add("list", help=_LIST)
def list_sessions(
    folder: Annotated[Path, Argument(click_type=FOLDER, help="folder that holds the sessions")] = _USUAL,
    as_json: AsJson = False,
) -> int:
    """Print what there is. Returns 1 where a session cannot be read.

    Raises:
        UsageError: There is no such folder.
    """
    from semc_core.errors import UsageError
    from semc_core.session.listing import listed_sessions

    if not is_folder(folder) and folder != _USUAL:
        raise UsageError(f"There is no folder {folder}; give the one that holds the sessions.")
    listed = listed_sessions(folder)
    found, problems = listed["sessions"], listed["problems"]
    if as_json:
        print_json(listed)
    else:
        _print_list(folder, found, problems)
    return 1 if problems else 0


def _print_list(folder: Path, found: list[dict[str, Any]], problems: list[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    from semc_core.cli.shared.shown import escape

    console = Console()
    table = Table("Session", "Begun (UTC)", "Source", "Frames", "Planes", "State")
    table.columns[0].overflow = "fold"
    for row in found:
        begun = row["created_utc"][:19].replace("T", " ")
        numbers = str(row["frames"]), str(row["planes"])
        table.add_row(escape(row["name"]), begun, escape(row["source"]), *numbers, _state(row))
    if table.row_count:
        console.print(table)
    elif not problems:
        console.print(f"{folder} holds no session.", markup=False, highlight=False, soft_wrap=True)
    for problem in problems:
        console.print(problem, style="red", markup=False, soft_wrap=True)


def _state(row: dict[str, Any]) -> str:
    parts = ["closed" if row["closed"] else "open or interrupted"]
    if row["complete"]:
        parts.append("whole source analysed")
    if row["corrections"]:
        parts.append(counted(row["corrections"], "correction"))
    return ", ".join(parts)


@app.add("show", help=_SHOW)
def show(
    session: Annotated[Path, SESSION],
    as_json: Annotated[bool, Option("--json", help="print JSON instead of tables")] = False,
    with_log: Annotated[bool, Option("--log", help="print the log, an entry per line, as JSON")] = False,
) -> int:
    """Print what a session holds. Returns 0.

    Raises:
        SessionError: It cannot be read.
    """
    from semc_core.session.session import Session

    with Session.open(folder_of(session), read_only=True) as opened:
        if with_log:
            for entry in opened.audit():
                print(json.dumps(asdict(entry), ensure_ascii=False))
        elif as_json:
            print_json(_described(opened))
        else:
            _print(opened)
    return 0


def _described(session: Session) -> dict[str, Any]:
    """Everything but the frames, as plain values."""
    from semc_core.session.records import PASSING

    seq, head = session.head
    return {
        "folder": session.folder.name,
        "created_utc": session.created_utc,
        "source": {name: each for name, each in asdict(session.source).items() if name not in PASSING},
        "source_notice": session.source_notice,
        "model": asdict(session.model),
        "frames": session.frame_count,
        "complete": session.complete,
        "note": session.note,
        "planes": [_with_fetus(asdict(plane)) for plane in session.planes(rejected=True)],
        "regions": [asdict(region) for region in session.regions()],
        "items": [_with_fetus(asdict(item)) for item in session.items()],
        "exports": [asdict(export) for export in session.exports()],
        "measurements": [_with_fetus(asdict(each)) for each in session.measurements()],
        "scales": [asdict(each) for each in session.scales()],
        "age": None if (age := session.age()) is None else asdict(age),
        "entries": seq,
        "head": head,
    }


def _with_fetus(plain: dict[str, Any]) -> dict[str, Any]:
    """`fetus` is there only where there is more than one."""
    return {name: value for name, value in plain.items() if name != "fetus" or value}


def _print(session: Session) -> None:
    from rich.console import Console

    from semc_core.cli.shared.shown import escape

    console = Console()
    seq, head = session.head
    facts = {
        "Session": session.folder.name,
        "Begun": session.created_utc,
        "Source": f"{session.source.source_id} ({session.source.kind})",
        "Model": f"{session.model.preset}, {session.model.sha256[:12]}, {session.model.device}",
        "Frames": f"{session.frame_count}{'' if session.complete else ' (not known to be all)'}",
        "Log": f"{counted(seq, 'entry', 'entries')}, the last {head}",
        "Note": session.note,
    }
    for name, value in facts.items():
        if value:
            console.print(f"[bold]{name}[/bold]  {escape(value)}", highlight=False, soft_wrap=True)
    if session.planes(rejected=True):
        console.print(_plane_table(session))
    for region in session.regions():
        console.print(
            f"{region.start_s:.2f} - {region.end_s:.2f} s: {region.label} {region.note}", markup=False
        )
    for export in session.exports():
        console.print(f"Exported {export.time_utc}: {export.kind}, {export.name}", markup=False)


def _plane_table(session: Session) -> Table:
    from rich.table import Table

    from semc_core.cli.shared.shown import escape

    several = session.fetuses().letters
    table = Table(
        "No.", "Plane", *(["Fetus"] if several else []), "Sure", "Frame", "Time", "Decided by", "", "File"
    )
    table.columns[1].no_wrap = True
    table.columns[-1].overflow = "fold"
    for plane in session.planes(rejected=True):
        named = plane.plane
        if plane.found_as not in (None, plane.plane):
            named = f"{plane.plane} (was {plane.found_as})"
        table.add_row(
            str(plane.plane_id),
            escape(named),
            *([plane.fetus] if several else []),
            f"{plane.confidence:.0%}",
            str(plane.frame_index),
            f"{plane.time_s:.2f} s",
            plane.chosen_by,
            escape(f"rejected {plane.reason}".strip() if plane.rejected else ""),
            escape(plane.png or "missing"),
        )
    return table


@app.add("verify", help=_VERIFY)
def verify(
    sessions: Annotated[
        list[Path], Argument(click_type=PLACE, metavar="SESSION...", help="a session's folder")
    ],
    head: Annotated[
        str | None,
        Option("--head", metavar="HASH", help="a hash printed in an export, which the log must still hold"),
    ] = None,
    as_json: Annotated[bool, Option("--json", help="print JSON instead of sentences")] = False,
) -> int:
    """Print how each stands. Returns 1 where one is not as it was written, or cannot be read; else 0."""
    looked_at = []
    for given in sessions:
        found = _verified(folder_of(given), head)
        looked_at.append(found)
        if not as_json:
            _print_verified(found)
    if as_json:
        print_json(looked_at)
    return 0 if all(found["ok"] for found in looked_at) else 1


def _verified(folder: Path, head: str | None) -> dict[str, Any]:
    """What came of looking at one session; `entries` and `head` are None where it cannot be read."""
    from semc_core.errors import SemcError
    from semc_core.session.session import Session

    try:
        with Session.open(folder, read_only=True) as session:
            found = session.verify(head)
            last = session.head[1]
    except SemcError as error:
        return {
            "name": folder.name, "ok": False, "proof": None, "why": "", "covers": "",
            "entries": None, "head": None, "problems": [str(error)], "notes": [],
        }  # fmt: skip
    return {
        "name": folder.name, "ok": found.ok, "proof": found.proof.value, "why": found.why,
        "covers": found.covers,
        "entries": found.entries, "head": last,
        "problems": list(found.problems), "notes": list(found.notes),
    }  # fmt: skip


def _print_verified(found: dict[str, Any]) -> None:
    name = found["name"]
    if found["entries"] is None:
        print(f"{name}: could not be looked at.")
    elif found["ok"]:
        entries = counted(found["entries"], "entry", "entries")
        why = f": {found['why']}" if found["why"] else ""
        said = ", ".join(filter(None, (found["proof"], found["covers"])))
        print(f"{name}: {said}{why}; {entries}, the last {found['head']}.")
    else:
        print(f"{name}: not as it was written.")
    for sentence in (*found["problems"], *found["notes"]):
        print(f"  {sentence}")


app.add("delete-recording", help=session_keeping.DELETE)(session_keeping.delete_recording)
app.add("retain", help=session_keeping.RETAIN)(session_keeping.retain)
app.add("forget", help=session_keeping.FORGET)(session_keeping.forget)
app.add("label", help=session_labels.LABEL)(session_labels.label)
app.add("compare", help=session_raters.COMPARE)(session_raters.compare)
app.add("merge", help=session_raters.MERGE)(session_raters.merge)
