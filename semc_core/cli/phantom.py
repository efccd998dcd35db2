"""`semc phantom render`: a simulated scan as a video, with the truth of every frame beside it."""

from __future__ import annotations

import argparse
from pathlib import Path

from semc_core.errors import UsageError

HELP = "Make recordings of simulated patients."
_RENDER_HELP = "Write a simulated scan as a video, and beside it the plane that each frame shows, as CSV."
_LARGEST = 4096


def add_arguments(
    parser: argparse.ArgumentParser,
) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    """`render` with its options. Returns the actions, so that more can be added."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    render = actions.add_parser("render", help=_RENDER_HELP, description=_RENDER_HELP)
    render.add_argument("--seed", type=int, default=7, help="patient, sonographer and scanner (default: 7)")
    render.add_argument("--seconds", type=float, default=60.0, help="length (default: 60)")
    render.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="video to write: .mp4, .mov, .mkv or .avi"
    )
    render.add_argument("--width", type=int, default=640, help="pixels, even (default: 640)")
    render.add_argument("--height", type=int, default=480, help="pixels, even (default: 480)")
    render.add_argument("--rate", type=float, default=30.0, help="frames per second (default: 30)")
    render.add_argument(
        "--no-furniture",
        action="store_true",
        help="leave out the text, ruler and marks of a scanner's screen",
    )
    return actions


def run(args: argparse.Namespace) -> int:
    """Write the files. Raises UsageError for what cannot be made, SaveError for what cannot be written."""
    _check(args)
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from semc_core.phantom.render import render
    from semc_core.phantom.scan import SimulatedScan

    scan = SimulatedScan(
        args.seed, args.seconds, args.width, args.height, args.rate, furniture=not args.no_furniture
    )
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        work = progress.add_task(escape(args.out.name), total=scan.frame_count)
        truth = render(scan, args.out, lambda done: progress.update(work, completed=done))
    console.print(f"Wrote {args.out} (frames: {scan.frame_count}) and {truth}.", markup=False, soft_wrap=True)
    return 0


def _check(args: argparse.Namespace) -> None:
    """Raises UsageError for numbers that no scan can have."""
    if args.seed < 0:
        raise UsageError("The seed must be 0 or more.")
    if not 0 < args.seconds < 86_400:
        raise UsageError("The length must be more than 0 seconds and less than a day.")
    if not 1 <= args.rate <= 240:
        raise UsageError("The frame rate must be between 1 and 240 frames per second.")
    for name, size in (("width", args.width), ("height", args.height)):
        if not 120 <= size <= _LARGEST or size % 2:
            raise UsageError(f"The {name} must be an even number of pixels between 120 and {_LARGEST}.")
