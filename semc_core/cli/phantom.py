"""`semc phantom render`: a simulated scan as a video, with the truth of every frame beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from semc_core.cli.shared.options import PLACE
from semc_core.errors import UsageError

RENDER_HELP = "Write a simulated scan as a video, and beside it the plane that each frame shows, as CSV."
RENDER_EXAMPLES = """\b
Example:
    semc phantom render --seed 7 --seconds 60 --out scan.mp4"""
_LARGEST = 4096


def render(
    out: Annotated[
        Path,
        typer.Option(
            "--out", click_type=PLACE, metavar="FILE", help="video to write: .mp4, .mov, .mkv or .avi"
        ),
    ],
    seed: Annotated[int, typer.Option("--seed", help="patient, sonographer and scanner")] = 7,
    seconds: Annotated[float, typer.Option("--seconds", help="length")] = 60.0,
    width: Annotated[int, typer.Option("--width", help="pixels, even")] = 640,
    height: Annotated[int, typer.Option("--height", help="pixels, even")] = 480,
    rate: Annotated[float, typer.Option("--rate", help="frames per second")] = 30.0,
    no_furniture: Annotated[
        bool, typer.Option("--no-furniture", help="leave out the text, ruler and marks of a scanner's screen")
    ] = False,
) -> int:
    """Write the files. Raises UsageError for what cannot be made, SaveError for what cannot be written."""
    _check(seed, seconds, rate, width, height)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from semc_core.cli.shared.shown import escape
    from semc_core.phantom.render import render as write
    from semc_core.phantom.scan import SimulatedScan

    scan = SimulatedScan(seed, seconds, width, height, rate, furniture=not no_furniture)
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        work = progress.add_task(escape(out.name), total=scan.frame_count)
        truth = write(scan, out, lambda done: progress.update(work, completed=done))
    console.print(f"Wrote {out} (frames: {scan.frame_count}) and {truth}.", markup=False, soft_wrap=True)
    return 0


def _check(seed: int, seconds: float, rate: float, width: int, height: int) -> None:
    """Raises UsageError for numbers that no scan can have."""
    if seed < 0:
        raise UsageError("The seed must be 0 or more.")
    if not 0 < seconds < 86_400:
        raise UsageError("The length must be more than 0 seconds and less than a day.")
    if not 1 <= rate <= 240:
        raise UsageError("The frame rate must be between 1 and 240 frames per second.")
    for name, size in (("width", width), ("height", height)):
        if not 120 <= size <= _LARGEST or size % 2:
            raise UsageError(f"The {name} must be an even number of pixels between 120 and {_LARGEST}.")
