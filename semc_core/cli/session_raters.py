"""`semc session compare` and `semc session merge`: two people's sessions of one loop."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from typer import Argument, Option

from semc_core.cli.shared.options import NEW_FILE, PLACE, AsJson, print_json
from semc_core.errors import UsageError
from semc_core.text import counted

if TYPE_CHECKING:
    from semc_core.review.raters.agreement import Agreement
    from semc_core.review.raters.units import Unit
    from semc_core.session.session import Session

COMPARE: Final = (
    "compare two people's sessions of the same loops: what they say differently, and Cohen's kappa by plane"
)
MERGE: Final = "make one session of two people's of one loop; where they differ, as a third person decided"

_First = Annotated[
    Path, Argument(click_type=PLACE, metavar="FIRST", help="one person's session, or a folder of them")
]
_Second = Annotated[Path, Argument(click_type=PLACE, metavar="SECOND", help="the other's")]


def compare(
    first: _First,
    second: _Second,
    out: Annotated[
        Path | None,
        Option("--out", click_type=NEW_FILE, metavar="FILE", help="write the differences as a table (CSV)"),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Print how they agree. Returns 0.

    Raises:
        SemcError: A session cannot be read, or there are no two of one loop.
    """
    from semc_core.io.atomic import write_atomically
    from semc_core.review.raters.agreement import agreements
    from semc_core.review.raters.decisions import differences_csv
    from semc_core.review.raters.units import mark_units, plane_units

    with ExitStack() as opened:
        pairs, alone = _pairs(_opened(first, opened), _opened(second, opened))
        planes = [(loop, unit) for loop, a, b in pairs for unit in plane_units(a, b)]
        marks = [(loop, unit) for loop, a, b in pairs for unit in mark_units(a, b)]
        both_sides = [session for _, *sides in pairs for session in sides]
        uncorrected = [each.folder.name for each in both_sides if not each.corrections]
    kappas = agreements([unit.labels for _, unit in planes], [loop for loop, _ in planes])
    both: list[tuple[str, Unit[Any]]] = [*planes, *marks]
    differing = [(loop, unit) for loop, unit in both if not unit.agreed]
    if out is not None:
        write_atomically(out, differences_csv(differing))
    if as_json:
        print_json(_plain(len(pairs), alone, uncorrected, kappas, differing))
        return 0
    _print(len(pairs), alone, uncorrected, kappas, differing)
    if out is not None:
        print(f"Wrote {out}.")
    return 0


def merge(
    first: Annotated[Path, Argument(click_type=PLACE, metavar="FIRST", help="one person's session")],
    second: Annotated[Path, Argument(click_type=PLACE, metavar="SECOND", help="the other's")],
    out: Annotated[Path, Option("--out", click_type=PLACE, metavar="FOLDER", help="the new session")],
    decisions: Annotated[
        Path | None,
        Option(
            "--decisions",
            click_type=PLACE,
            metavar="FILE",
            help="the table of semc session compare --out, its column decision filled in",
        ),
    ] = None,
) -> int:
    """Make it. Returns 0.

    Raises:
        SemcError: They are not of one loop, or a difference is not decided.
    """
    from semc_core.cli.session_keeping import folder_of
    from semc_core.review.raters.merge import merge as merge_sessions
    from semc_core.session.session import Session

    with (
        Session.open(folder_of(first), read_only=True) as one,
        Session.open(folder_of(second), read_only=True) as other,
    ):
        made = merge_sessions(one, other, out, decisions)
    print(
        f"{made.folder}: {counted(made.planes, 'plane')}; {made.agreed} agreed, "
        f"{made.decided} decided by a third."
    )
    return 0


def _opened(place: Path, opened: ExitStack) -> list[Session]:
    from semc_core.session.listing import is_session, session_folders
    from semc_core.session.session import Session

    folders = [place] if is_session(place) else session_folders(place) if place.is_dir() else []
    if not folders:
        raise UsageError(f"{place} is no session and holds none; give the folder of a session.")
    return [opened.enter_context(Session.open(folder, read_only=True)) for folder in folders]


def _pairs(
    first: Sequence[Session], second: Sequence[Session]
) -> tuple[list[tuple[str, Session, Session]], list[str]]:
    """The sessions of one loop, and the names of those that have no other.

    Raises:
        UsageError: There is no pair, or somebody has two of one loop.
    """
    from semc_core.review.raters.units import loop_key

    sides: list[dict[str, Session]] = []
    for given in (first, second):
        side: dict[str, Session] = {}
        for session in given:
            twin = side.setdefault(loop_key(session), session)
            if twin is not session:
                names = f"{twin.folder.name} and {session.folder.name}"
                raise UsageError(f"{names} are one person's and of the same loop; leave one of them out.")
        sides.append(side)
    ours, theirs = sides
    pairs = [(key, ours[key], theirs[key]) for key in ours if key in theirs]
    if not pairs:
        raise UsageError("No session of the first is of the same loop as one of the second; check both.")
    alone = [
        each.folder.name for side in sides for key, each in side.items() if key in set(ours) ^ set(theirs)
    ]
    return pairs, alone


def _plain(
    loops: int,
    alone: list[str],
    uncorrected: list[str],
    kappas: Sequence[Agreement],
    differing: Sequence[tuple[str, Unit[Any]]],
) -> dict[str, Any]:
    from semc_core.review.raters.decisions import key_of

    differences = []
    for loop, unit in differing:
        name, kind, number = key_of(loop, unit)
        said = {"first": unit.labels[0], "second": unit.labels[1]}
        differences.append({"loop": name, "kind": kind, "number": number, "time_s": unit.time_s, **said})
    return {
        "loops": loops,
        "alone": alone,
        "uncorrected": uncorrected,
        "agreement": [asdict(each) for each in kappas],
        "differences": differences,
    }


def _print(
    loops: int,
    alone: list[str],
    uncorrected: list[str],
    kappas: Sequence[Agreement],
    differing: Sequence[tuple[str, Unit[Any]]],
) -> None:
    from rich.console import Console
    from rich.table import Table

    from semc_core.cli.shared.shown import escape

    console = Console()
    table = Table("Plane", "First", "Second", "Both", "Kappa (95 %)", title=f"{counted(loops, 'loop')}")
    for each in kappas:
        numbers = str(each.first), str(each.second), str(each.both)
        table.add_row(escape(each.plane or "all"), *numbers, str(each.kappa))
    console.print(table)
    if loops == 1:
        console.print("An interval needs two loops at least: pictures of one are alike.", soft_wrap=True)
    for name in alone:
        console.print(f"{name} has no other session of its loop.", markup=False, soft_wrap=True)
    for name in uncorrected:
        told = f"{name} holds no correction: it says what the program found, and not yet what a person says."
        console.print(told, markup=False, soft_wrap=True)
    for _, unit in differing:
        first, second = unit.labels
        text = f"{unit.kind} {unit.number} at {unit.time_s:.2f} s: {first}, {second}"
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    if not differing:
        console.print("They differ in nothing.")
