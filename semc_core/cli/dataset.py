"""`semc dataset`: planes of sessions as a data set for other programs."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click
from typer import Argument, Option

from semc_core.cli.shared.options import PLACE, Of, planes_of
from semc_core.cli.shared.tree import Commands
from semc_core.errors import UsageError
from semc_core.export.dataset.names import NAMES
from semc_core.text import counted

if TYPE_CHECKING:
    from semc_core.export.dataset.formats import Format

_TEXT = {"ask": "ask", "mask": "mask", "leave-out": "leave out", "keep": "keep"}
_EXAMPLES = """\b
Examples:
    semc dataset SESSION SESSION --format coco --out planes
    semc dataset ~/SEMC --format imagefolder --split 70,15,15 --out planes.zip"""

app = Commands()


@app.add(epilog=_EXAMPLES)
def dataset(
    sessions: Annotated[
        list[Path],
        Argument(click_type=PLACE, metavar="SESSION...", help="a session's folder, or one that holds some"),
    ],
    kind: Annotated[str, Option("--format", metavar="NAME", help=f"one of: {', '.join(NAMES)}")],
    out: Annotated[
        Path, Option("--out", click_type=PLACE, metavar="NAME", help="new folder, or new .zip file")
    ],
    split: Annotated[
        str | None,
        Option(
            "--split",
            metavar="A,B,C",
            help="shares of train, validation and test; a patient's or loop's pictures stay together",
            show_default="all to train on",
        ),
    ] = None,
    seed: Annotated[int, Option("--seed", help="of that choice")] = 0,
    text: Annotated[
        str,
        Option(
            "--text",
            click_type=click.Choice(tuple(_TEXT)),
            help="what to do with pictures that hold text; ask: stop and say so",
        ),
    ] = "ask",
    mask: Annotated[
        list[str] | None, Option("--mask", metavar="LEFT,TOP,WIDTH,HEIGHT", help="blank this, in pixels")
    ] = None,
    of: Of = "",
    anyway: Annotated[
        bool, Option("--anyway", help="also sessions that are not as they were written; the data set says so")
    ] = False,
) -> int:
    """Write it. Returns 0.

    Raises:
        SemcError: It could not be written.
    """
    from semc_core.cli.analyse import parse_crop
    from semc_core.cli.shared.progress import ProgressLines
    from semc_core.export.dataset.bundle import DatasetOptions, export_dataset, of_one_kind
    from semc_core.session.session import Session

    write = _format(kind)
    masks = tuple(crop for crop in map(parse_crop, mask or ()) if crop is not None)
    options = DatasetOptions(_shares(split), seed, _TEXT[text], masks, anyway)  # type: ignore[arg-type]
    with ExitStack() as opened:
        found = [opened.enter_context(Session.open(folder)) for folder in _folders(sessions)]
        given = of_one_kind(found, planes_of(of))
        result = export_dataset(given, out, kind, write, options, progress=ProgressLines().show)
    for notice in result.notices:
        print(notice)
    print(
        f"De-identified: {counted(result.planes, 'picture')} of {counted(len(given), 'session')}, "
        f"{result.size / 1e6:.1f} MB in {result.target}"
    )
    return 0


def _format(name: str) -> Format:
    from semc_core.export.dataset.formats import FORMATS
    from semc_core.export.dataset.plugged import plugged_format

    found = FORMATS.get(name) or plugged_format(name)
    if found is None:
        raise UsageError(f"There is no format {name!r}; choose one of {', '.join(NAMES)}.")
    return found


def _folders(given: list[Path]) -> list[Path]:
    """The sessions that are meant.

    Raises:
        UsageError: A folder is none, and holds none.
    """
    from semc_core.session.listing import is_session, session_folders

    found: dict[Path, None] = {}
    for place in given:
        folders = [place] if is_session(place) else session_folders(place) if place.is_dir() else []
        if not folders:
            raise UsageError(f"{place} is no session and holds none; give the folder of a session.")
        found |= dict.fromkeys(folder.resolve() for folder in folders)
    return list(found)


def _shares(text: str | None) -> tuple[float, float, float] | None:
    if text is None:
        return None
    try:
        train, validation, test = (float(part) for part in text.split(","))
    except ValueError:
        train = validation = test = -1.0
    if not (0 < train < 1e6 and 0 <= validation < 1e6 and 0 <= test < 1e6):
        raise UsageError(
            f"{text[:40]!r} are no shares of train, validation and test; write three numbers, as 70,15,15."
        )
    return train, validation, test
