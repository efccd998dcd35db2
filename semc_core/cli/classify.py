"""`semc classify`: a row a picture, in a CSV: which standard plane it shows, or none, and why."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from semc_core.cli.shared.options import COUNT, NEW_FILE, PictureChoices, RuntimeOptions, print_json
from semc_core.cli.shared.tree import Commands
from semc_core.errors import UsageError
from semc_core.text import counted

if TYPE_CHECKING:
    from rich.console import Console

    from semc_core.pipeline.stills import Answer
    from semc_core.runtime.base import Runtime
    from semc_core.types import Crop

_COLUMNS: Final = (
    "file",
    "frame",
    "plane",
    "probability",
    "answer",
    "why",
    "left",
    "top",
    "width",
    "height",
    "polygon",
    "quality",
    "mirrored",
    "quality_reasons",
)
_NONE: Final = "none"
_DIGITS: Final = 6
_EXAMPLES = """\b
Examples:
    semc classify pictures/ --model fetal --out planes.csv
    semc classify a.png b.dcm loop.mp4 --every 25 --out planes.csv --json"""

app = Commands()


@app.add(epilog=_EXAMPLES)
def classify(
    inputs: Annotated[list[str], typer.Argument(metavar="FILE...", help="picture, loop, folder or pattern")],
    out: Annotated[Path, typer.Option("--out", click_type=NEW_FILE, metavar="CSV", help="table to write")],
    runtime_options: RuntimeOptions,
    picture: PictureChoices,
    every: Annotated[
        int, typer.Option("--every", click_type=COUNT, help="of a video or DICOM loop, every so many frames")
    ] = 1,
    batch: Annotated[
        int, typer.Option("--batch", click_type=COUNT, help="pictures per call of the model")
    ] = 8,
    as_json: Annotated[
        bool, typer.Option("--json", help="print the rows as JSON; what is told goes to stderr")
    ] = False,
) -> int:
    """Classify everything. Returns 0, also where a file was no picture: that is told.

    Raises:
        UsageError: There is no picture at all, or the table would take the place of one.
        SemcError: No model, or nothing can be written.
    """
    from rich.console import Console

    from semc_core.cli.shared.pictures import picture_files, stills
    from semc_core.io.atomic import write_atomically

    files = picture_files(inputs)
    _check_target(out, files)
    if not files:
        raise _no_picture(inputs)
    # Always there: a bar or a notice among what is piped on would spoil it.
    told = Console(stderr=True)
    rows = _Rows(keep=as_json)
    runtime = runtime_options.load()
    try:
        if runtime.spec.notice:
            told.print(runtime.spec.notice, markup=False, soft_wrap=True)
        pictures = partial(stills, files, every, options=picture.options())
        _go_through(pictures, len(files), runtime, batch, told, rows)
    finally:
        runtime.close()
    if not rows.count:
        raise _no_picture(inputs)
    write_atomically(out, rows.content())
    if as_json:
        print_json(rows.kept)
    else:
        planes = counted(rows.planes, "plane")
        print(f"{planes} in {counted(rows.count, 'picture')}; the table is {out}.")
    return 0


def _no_picture(inputs: list[str]) -> UsageError:
    return UsageError(
        f"There is no picture to classify in {', '.join(inputs)}; name pictures (PNG, JPEG, BMP, TIFF, "
        "DICOM), videos, or a folder of them."
    )


def _check_target(out: Path, files: list[Path]) -> None:
    if out.exists() and any(path.exists() and path.samefile(out) for path in files):
        raise UsageError(f"{out} is among what is to be classified; name another file with --out.")


class _Rows:
    """The table as it grows: text, and with `keep` also values."""

    def __init__(self, *, keep: bool) -> None:
        self._keep = keep
        self._text = io.StringIO()
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._writer.writerow(_COLUMNS)
        self.count = 0
        self.planes = 0
        self.kept: list[dict[str, Any]] = []

    def add(self, answer: Answer) -> None:
        row = _row(answer)
        self._writer.writerow("" if value is None else value for value in row.values())
        self.count += 1
        self.planes += answer.named
        if self._keep:
            self.kept.append(row)

    def content(self) -> bytes:
        return self._text.getvalue().encode()


def _row(answer: Answer) -> dict[str, Any]:
    """Values by column; None for what is not known."""
    from semc_core.imaging.score.parts import quality_cells

    probability, quality = answer.probability, quality_cells(answer.quality)
    return {
        "file": answer.source_id,
        "frame": answer.index,
        "plane": answer.plane,
        "probability": None if probability is None else round(probability, _DIGITS),
        "answer": answer.plane if answer.named else _NONE,
        "why": answer.why,
        **_region(answer.crop),
        "quality": quality["quality"],
        "mirrored": None,
        "quality_reasons": quality["quality_reasons"],
    }


def _region(crop: Crop | None) -> dict[str, Any]:
    if crop is None:
        return dict.fromkeys(("left", "top", "width", "height", "polygon"))
    right, bottom = crop.left + crop.width, crop.top + crop.height
    corners = ((crop.left, crop.top), (right, crop.top), (right, bottom), (crop.left, bottom))
    return {
        "left": crop.left,
        "top": crop.top,
        "width": crop.width,
        "height": crop.height,
        "polygon": " ".join(f"{x},{y}" for x, y in corners),
    }


def _go_through(
    read: Callable[..., Iterator[Any]], count: int, runtime: Runtime, batch: int, told: Console, rows: _Rows
) -> None:
    from semc_core.cli.shared.progress import progress_bar
    from semc_core.pipeline.stills import answers

    def pass_over(path: Path, why: str) -> None:
        told.print(
            f"{path}: passed over. {why}", style="yellow", markup=False, highlight=False, soft_wrap=True
        )

    with progress_bar(told, "files") as progress:
        bar = progress.add_task("Classifying", total=count)
        pictures = read(pass_over=pass_over, on_file=lambda done: progress.update(bar, completed=done))
        with closing(answers(pictures, runtime, batch)) as found:
            for answer in found:
                rows.add(answer)
