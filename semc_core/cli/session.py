"""`semc session`: the sessions in a folder, what one holds, and the proof that nothing in it was changed."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semc_core.paths import default_output_folder
from semc_core.text import counted

if TYPE_CHECKING:
    from rich.table import Table

    from semc_core.session.session import Session

HELP = "List, show and verify sessions: what was found, corrected and exported."
_LIST = "list the sessions in a folder"
_SHOW = "show the planes, marks and exports of a session"
_VERIFY = "prove that nothing in a session was changed, added or removed since it was written"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One sub-command for each action."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help=_LIST, description=_LIST)
    listing.add_argument(
        "folder", type=Path, nargs="?", default=default_output_folder(), help="default: %(default)s"
    )
    show = actions.add_parser("show", help=_SHOW, description=_SHOW)
    show.add_argument("session", type=Path, metavar="SESSION", help="a session's folder")
    show.add_argument("--json", action="store_true", help="print JSON instead of tables")
    show.add_argument("--log", action="store_true", help="print the log, an entry per line, as JSON")
    verify = actions.add_parser("verify", help=_VERIFY, description=_VERIFY)
    verify.add_argument("sessions", type=Path, nargs="+", metavar="SESSION", help="a session's folder")
    verify.add_argument(
        "--head", metavar="HASH", help="a hash printed in an export, which the log must still hold"
    )


def run(args: argparse.Namespace) -> int:
    """Do one action. Returns the exit code: 1 where a session is not as it was written, or cannot be read."""
    if args.action == "list":
        return _list(args.folder)
    if args.action == "show":
        return _show(args.session, as_json=args.json, with_log=args.log)
    return _verify(args.sessions, args.head)


def _list(folder: Path) -> int:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from semc_core.errors import SemcError, UsageError
    from semc_core.session.database import DATABASE_NAME
    from semc_core.session.session import Session

    if not folder.is_dir() and folder != default_output_folder():
        raise UsageError(f"There is no folder {folder}; give the one that holds the sessions.")
    console = Console()
    table = Table("Session", "Begun (UTC)", "Source", "Frames", "Planes", "State")
    table.columns[0].overflow = "fold"
    problems = []
    for path in sorted(path.parent for path in folder.glob(f"*/{DATABASE_NAME}")):
        try:
            with Session.open(path, read_only=True) as session:
                table.add_row(
                    escape(path.name),
                    session.created_utc[:19].replace("T", " "),
                    escape(session.source.kind),
                    str(session.frame_count),
                    str(len(session.planes())),
                    _state(session),
                )
        except SemcError as error:
            problems.append(str(error))
    if table.row_count:
        console.print(table)
    elif not problems:
        console.print(f"{folder} holds no session.", markup=False, highlight=False, soft_wrap=True)
    for problem in problems:
        console.print(problem, style="red", markup=False, soft_wrap=True)
    return 1 if problems else 0


def _state(session: Session) -> str:
    parts = ["closed" if session.closed else "open or interrupted"]
    if session.complete:
        parts.append("whole source analysed")
    if session.corrections:
        parts.append(counted(session.corrections, "correction"))
    return ", ".join(parts)


def _show(folder: Path, *, as_json: bool, with_log: bool) -> int:
    from semc_core.session.session import Session

    with Session.open(_folder_of(folder), read_only=True) as session:
        if with_log:
            for entry in session.audit():
                print(json.dumps(asdict(entry), ensure_ascii=False))
        elif as_json:
            print(json.dumps(_described(session), indent=2))
        else:
            _print(session)
    return 0


def _described(session: Session) -> dict[str, Any]:
    """Everything but the frames, as plain values."""
    seq, head = session.head
    return {
        "folder": session.folder.name,
        "created_utc": session.created_utc,
        "source": asdict(session.source),
        "source_notice": session.source_notice,
        "model": asdict(session.model),
        "frames": session.frame_count,
        "complete": session.complete,
        "note": session.note,
        "planes": [asdict(plane) for plane in session.planes(rejected=True)],
        "regions": [asdict(region) for region in session.regions()],
        "items": [asdict(item) for item in session.items()],
        "exports": [asdict(export) for export in session.exports()],
        "entries": seq,
        "head": head,
    }


def _print(session: Session) -> None:
    from rich.console import Console
    from rich.markup import escape

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
    from rich.markup import escape
    from rich.table import Table

    table = Table("No.", "Plane", "Sure", "Frame", "Time", "Decided by", "", "File")
    table.columns[1].no_wrap = True
    table.columns[-1].overflow = "fold"
    for plane in session.planes(rejected=True):
        named = plane.plane
        if plane.found_as not in (None, plane.plane):
            named = f"{plane.plane} (was {plane.found_as})"
        table.add_row(
            str(plane.plane_id),
            escape(named),
            f"{plane.confidence:.0%}",
            str(plane.frame_index),
            f"{plane.time_s:.2f} s",
            plane.chosen_by,
            escape(f"rejected {plane.reason}".strip() if plane.rejected else ""),
            escape(plane.png or "missing"),
        )
    return table


def _verify(folders: list[Path], head: str | None) -> int:
    from semc_core.errors import SemcError
    from semc_core.session.session import Session

    good = True
    for given in folders:
        folder = _folder_of(given)
        try:
            with Session.open(folder, read_only=True) as session:
                found = session.verify(head)
                last = session.head[1]
        except SemcError as error:
            good = False
            print(f"{folder.name}: could not be looked at.\n  {error}")
            continue
        if found.ok:
            entries = counted(found.entries, "entry", "entries")
            print(f"{folder.name}: as it was written, {entries}, the last {last}.")
        else:
            good = False
            print(f"{folder.name}: not as it was written.")
        for sentence in (*found.problems, *found.notes):
            print(f"  {sentence}")
    return 0 if good else 1


def _folder_of(given: Path) -> Path:
    """The folder of a session, also where its database was named."""
    from semc_core.session.database import DATABASE_NAME

    return given.parent if given.name == DATABASE_NAME else given
