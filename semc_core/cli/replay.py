"""`semc replay`: the planes of a session found again, from its log and from its recording."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semc_core.cli.shared.options import COUNT, FOLDER, RuntimeOptions
from semc_core.cli.shared.tree import Commands
from semc_core.text import counted

if TYPE_CHECKING:
    from rich.console import Console

    from semc_core.session.replay import Reclassified, Replay
    from semc_core.session.session import Session
    from semc_core.sources.base import FrameSource

_EXAMPLES = """\b
Examples:
    semc replay FOLDER
    semc replay FOLDER --log-only"""

app = Commands()


@app.add(epilog=_EXAMPLES)
def replay(
    session: Annotated[Path, typer.Argument(click_type=FOLDER, metavar="SESSION", help="a session's folder")],
    runtime_options: RuntimeOptions,
    log_only: Annotated[bool, typer.Option("--log-only", help="do not classify the pictures again")] = False,
    batch: Annotated[int, typer.Option("--batch", click_type=COUNT, help="frames per call of the model")] = 1,
) -> int:
    """Replay. Returns 0 if the planes are identical, from the log and from the pictures; else 1.

    Raises:
        SemcError: The session, its recording or the model cannot be read.
    """
    from rich.console import Console

    from semc_core.session.replay import replay_log
    from semc_core.session.session import Session

    console = Console()
    with Session.open(session, read_only=True) as opened:
        from_log = replay_log(opened)
        console.print(
            f"{counted(opened.frame_count, 'frame')} in the log, "
            f"{counted(len(from_log.logged), 'plane')} found by the model."
        )
        _tell(console, "From the log", from_log)
        identical = from_log.identical
        if not log_only:
            source = _pictures(opened, console)
            if source is not None:
                with closing(source):
                    again = _reclassify(opened, source, runtime_options, batch, console)
                    # Complete only now that all was read.
                    if source.info.notice:
                        console.print(source.info.notice, style="yellow", markup=False, soft_wrap=True)
                _tell_pictures(console, again)
                identical = identical and again.replay.identical
    return 0 if identical else 1


def _pictures(session: Session, console: Console) -> FrameSource | None:
    """The session's recording, or the file that was reviewed; None if there is neither."""
    from semc_core.review.loop import loop_place

    place = loop_place(session)
    if place.path is None:
        console.print(f"{place.missing} Only the log was replayed.", markup=False, soft_wrap=True)
        return None
    return place.in_order()


def _reclassify(
    session: Session, source: FrameSource, options: RuntimeOptions, batch: int, console: Console
) -> Reclassified:
    from semc_core.cli.shared.progress import passing_bar
    from semc_core.session.replay import replay_pictures

    runtime = options.load()
    try:
        if runtime.device_name != session.model.device:
            console.print(
                f"Classified on {session.model.device} in the scan, on {runtime.device_name} now.",
                markup=False,
            )
        with passing_bar(console) as progress:
            bar = progress.add_task("Classifying again", total=session.frame_count)
            return replay_pictures(
                session,
                source,
                runtime,
                batch=batch,
                on_progress=lambda done: progress.update(bar, completed=done),
            )
    finally:
        runtime.close()


def _tell(console: Console, what: str, replay: Replay) -> None:
    if replay.identical:
        console.print(f"{what}: the identical list of {counted(len(replay.again), 'plane')}.")
        return
    console.print(
        f"{what}: not identical; {replay.same} of {counted(len(replay.logged), 'hold')} found again, "
        f"{len(replay.again)} found in all.",
        style="yellow",
    )
    for difference in replay.differences:
        console.print(f"  {difference}", markup=False)


def _tell_pictures(console: Console, again: Reclassified) -> None:
    console.print(
        f"{counted(again.classified, 'frame')} classified again: largest difference of a probability "
        f"{again.largest_difference:.2g}, same most probable class in {again.agreement:.2%}."
    )
    if again.missing:
        console.print(
            f"Logged values were used for {counted(again.missing, 'classified frame')} not in the recording.",
            style="yellow",
        )
    _tell(console, "From the pictures", again.replay)
