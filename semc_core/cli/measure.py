"""`semc measure`: the fetal head in pictures, its circumference and diameters, as a table."""

from __future__ import annotations

import csv
import glob
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import click
import typer

from semc_core.cli.shared.options import NEW_FILE, PLACE, Threads
from semc_core.cli.shared.tree import Commands
from semc_core.errors import UsageError
from semc_core.io.regular import is_folder, is_there
from semc_core.text import counted

if TYPE_CHECKING:
    from rich.console import Console

    from semc_core.measure.biometry import HeadMeasures, Interval
    from semc_core.measure.pictures import Given, Measured

KINDS: Final = ("head",)
COLUMNS: Final = ("file", "hc_px", "bpd_px", "ofd_px", "hc_mm", "hc_low_mm", "hc_high_mm", "why")
_NOTICE: Final = "Research software, not a medical device: check every outline before you use a number."
_EXAMPLES: Final = """\b
Examples:
    semc measure planes/ --kind head --out heads.csv --mm-per-pixel 0.12
    semc measure planes/*.png --out heads.csv --calibration scales.csv
    semc measure study/*.dcm --out heads.csv"""

app = Commands()


@app.add(epilog=_EXAMPLES)
def measure(
    inputs: Annotated[list[str], typer.Argument(metavar="FILE...", help="picture, folder or pattern")],
    out: Annotated[Path, typer.Option("--out", click_type=NEW_FILE, metavar="CSV", help="table to write")],
    kind: Annotated[
        str, typer.Option("--kind", click_type=click.Choice(KINDS), help="what is measured")
    ] = "head",
    mm_per_pixel: Annotated[
        str | None,
        typer.Option(
            "--mm-per-pixel",
            metavar="X",
            help="size of a pixel, for all pictures",
            show_default=False,
        ),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            "--calibration",
            click_type=PLACE,
            metavar="CSV",
            help="table with the columns file and mm_per_pixel",
            show_default=False,
        ),
    ] = None,
    threads: Threads = None,
) -> int:
    """Measure every picture: head circumference, biparietal and occipito-frontal diameter, outer to outer.

    Pixels are always told; millimetres where the scale of the picture is known: from --mm-per-pixel or
    --calibration, else from the header of a DICOM file. It is never guessed. Where there is no measure, the
    column "why" says why. What is no picture is passed over. Returns 0.

    Raises:
        SemcError: A file is missing, a scale cannot be, the model cannot be run, or the table not be written.
    """
    from rich.console import Console

    from semc_core.io.atomic import write_atomically
    from semc_core.measure.head import HeadFinder
    from semc_core.measure.pictures import measured_heads

    console = Console()
    given = _given(mm_per_pixel, calibration)
    pictures, others = _pictures(inputs)
    _check_target(out, [*(path for path, _ in pictures), *([calibration] if calibration else [])])
    finder = HeadFinder(threads=threads)
    table = _Table()
    try:
        console.print(_NOTICE, markup=False, soft_wrap=True)
        with _Bar(console, len(pictures)) as bar:
            for each in measured_heads(pictures, finder, given, bar.passed_over):
                table.add(each)
                bar.step()
    finally:
        finder.close()
    write_atomically(out, table.content())
    if others:
        console.print(f"Passed over: {counted(others, 'file')} of other kinds.", style="yellow", markup=False)
    console.print(table.summary(out), style="bold", markup=False, highlight=False, soft_wrap=True)
    return 0


def _given(text: str | None, table: Path | None) -> Given:
    """What the user gave as the scale.

    Raises:
        UsageError: It is none, or he gave two.
    """
    from semc_core.measure.calibration import CalibrationTable, typed

    if text is not None and table is not None:
        raise UsageError("--mm-per-pixel is not allowed with --calibration; give one of them.")
    if table is not None:
        return CalibrationTable(table).of
    same = None if text is None else typed(text)
    return lambda _: same


def _pictures(texts: Iterable[str]) -> tuple[list[tuple[Path, bool]], int]:
    """What may be a picture, with whether it is DICOM, each once; and how many other files folders held.

    Raises:
        UsageError: Something that was named is not there.
    """
    from semc_core.cli.shared.inputs import is_dicom
    from semc_core.sources.pictures import SUFFIXES

    found: dict[Path, bool] = {}
    others = 0
    for text in texts:
        for path, named in _resolved(text):
            dicom = path.suffix.lower() not in SUFFIXES and is_dicom(path)
            if named or dicom or path.suffix.lower() in SUFFIXES:
                found.setdefault(path, dicom)
            else:
                others += 1
    return list(found.items()), others


def _resolved(text: str) -> Iterator[tuple[Path, bool]]:
    """Files, and whether each was named by the user and not only found in a folder."""
    path = Path(text).expanduser()
    if is_folder(path):
        yield from ((each, False) for each in _below(path))
    elif is_there(path):
        yield path, True
    elif glob.has_magic(text):
        matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - absolute patterns too
        if not matches:
            raise UsageError(f"Nothing matches {text}; check the pattern.")
        for match in matches:
            yield from _resolved(match)
    else:
        raise UsageError(f"{text} was not found; check the name.")


def _below(folder: Path) -> Iterator[Path]:
    from semc_core.sources.images import natural_key

    for place, folders, names in os.walk(folder):
        folders[:] = sorted((each for each in folders if not each.startswith(".")), key=natural_key)
        for name in sorted(names, key=natural_key):
            if not name.startswith("."):
                yield Path(place, name)


def _check_target(out: Path, read: Iterable[Path]) -> None:
    """Raises UsageError where the table would take the place of something that is read."""
    target = out.resolve()
    if any(each.resolve() == target for each in read):
        raise UsageError(f"{out} is read from; choose another name with --out.")


class _Table:
    """The rows, as text."""

    def __init__(self) -> None:
        self._text = io.StringIO()
        self._rows = csv.writer(self._text, lineterminator="\n")
        self._rows.writerow(COLUMNS)
        self._pictures = self._measured = self._scaled = 0

    def add(self, each: Measured) -> None:
        """One row."""
        self._pictures += 1
        self._measured += each.px is not None
        self._scaled += each.hc_mm is not None
        self._rows.writerow([str(each.path), *_pixels(each.px), *_millimetres(each.hc_mm), each.why])

    def content(self) -> bytes:
        """The file."""
        return self._text.getvalue().encode()

    def summary(self, out: Path) -> str:
        """The last line for the user."""
        heads, pictures = counted(self._measured, "head"), counted(self._pictures, "picture")
        return f"{heads} measured in {pictures}, {self._scaled} of them in millimetres; table in {out}."


def _pixels(measures: HeadMeasures | None) -> list[str]:
    if measures is None:
        return ["", "", ""]
    return [f"{value:.2f}" for value in (measures.hc, measures.bpd, measures.ofd)]


def _millimetres(interval: Interval | None) -> list[str]:
    if interval is None:
        return ["", "", ""]
    return [f"{value:.2f}" for value in (interval.value, interval.low, interval.high)]


class _Bar:
    """A bar with the pictures done; tells what is passed over."""

    def __init__(self, console: Console, total: int) -> None:
        from semc_core.cli.shared.progress import passing_bar

        self._progress = passing_bar(console)
        self._task = self._progress.add_task("Measuring", total=total)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def step(self) -> None:
        """One more is done."""
        self._progress.advance(self._task)

    def passed_over(self, path: Path, why: str) -> None:
        """Tell why, in a line."""
        self._progress.console.print(
            f"Passed over: {path}: {why}", style="yellow", markup=False, soft_wrap=True
        )
        self.step()
