"""`python -m training.fetal prepare | teach | judge | publish | sentry`: from pictures to the fetal model.

`python -m training.fetal demonstration` makes the loop that the start page opens.

See docs/fetal.md for what is needed and how long each takes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from typer import Argument, Option

from semc_core.cli.shared.tree import Commands
from semc_core.io.atomic import write_atomically
from training.cli.program import run

if TYPE_CHECKING:
    from rich.progress import TaskID

_SEED: Final = 7
_FOLDER = Argument(help="folder of the prepared pictures")
_SONONET = Argument(help="SonoNet-16 as a model file (semc model import)")
app = Commands()


@app.add("prepare")
def prepare(
    data: Annotated[Path, Argument(help="folder with fetal_planes, fetal_planes_db, hc18 and organs")],
    folder: Annotated[Path, _FOLDER],
) -> int:
    """Read the pictures and change them, once for all trainings."""
    from rich.progress import Progress

    from training.fetal.pictures import read_pictures
    from training.fetal.versions import write_versions

    pictures = read_pictures(data)
    with Progress() as bar:
        task = bar.add_task("Changing pictures", total=len(pictures))
        write_versions(
            folder, pictures, _SEED, lambda done, total: bar.update(task, completed=done, total=total)
        )
    return 0


@app.add("teach")
def teach(
    sononet: Annotated[Path, _SONONET],
    folder: Annotated[Path, _FOLDER],
    runs: Annotated[list[str] | None, Argument(help="runs, all that are missing unless named")] = None,
    threads: Annotated[int, Option(help="CPU threads")] = 2,
    pictures: Annotated[int, Option(help="pictures that a run sees in all")] = 16_000,
) -> int:
    """Teach the network without each country and part, and with everything. What was taught stays."""
    import torch
    from rich.progress import Progress

    from training.fetal.publish import published
    from training.fetal.runs import RUNS
    from training.fetal.taught import is_taught, teach_run
    from training.fetal.teach import Teaching
    from training.fetal.versions import read_versions

    torch.set_num_threads(threads)
    prepared, (_, arrays) = read_versions(folder), published(sononet)
    with Progress() as bar:
        for run in runs or [one for one in RUNS if not is_taught(folder, one)]:
            task = bar.add_task(run, total=None)

            def told(done: int, total: int, task: TaskID = task) -> None:
                bar.update(task, completed=done, total=total)

            teach_run(folder, run, prepared, arrays, told, Teaching(pictures=pictures))
    return 0


@app.add("judge")
def judge(folder: Annotated[Path, _FOLDER]) -> int:
    """Judge every run on what it left out, write `judged.json`, and print the table of the card."""
    from training.fetal.publish import left_out, tell_of
    from training.fetal.table import lines_of
    from training.fetal.versions import read_versions

    rows = read_versions(folder).rows
    found = tell_of(rows, left_out(folder, rows))
    write_atomically(folder / "judged.json", json.dumps(found, indent=1).encode())
    print(*lines_of(found), sep="\n")
    return 0


@app.add("publish")
def publish(
    sononet: Annotated[Path, _SONONET],
    folder: Annotated[Path, _FOLDER],
    out: Annotated[Path, Argument(help="model file to write; its card beside it is yours")],
) -> int:
    """Write the model file that learned from everything, calibrated by the runs that left something out."""
    from training.fetal.publish import publish as write
    from training.fetal.versions import read_versions

    write(folder, read_versions(folder).rows, sononet, out)
    return 0


@app.add("sentry")
def sentry(
    folder: Annotated[Path, _FOLDER],
    model: Annotated[Path, Argument(help="the fetal model's file")],
    out: Annotated[Path, Argument(help="model file to write, with the sentry")],
) -> int:
    """Fit what says that a picture is no fetal scan, judge it on what was left out, and print its tables."""
    from rich.progress import Progress

    from training.fetal.sentry import guard, lines_of
    from training.fetal.versions import read_versions

    with Progress() as bar:
        task = bar.add_task("Looking at pictures", total=None)
        figures = guard(
            folder,
            read_versions(folder),
            model,
            out,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    print(*lines_of(figures), sep="\n")
    return 0


@app.add("demonstration")
def demonstration(
    data: Annotated[Path, Argument(help="folder with fetal_planes")],
    out: Annotated[Path, Argument(help="loop to write, .webm")],
) -> int:
    """Write the loop of real planes that the start page opens; its licence beside it is yours."""
    from training.fetal.demonstration import write_demonstration

    print(f"{write_demonstration(data / 'fetal_planes', out)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(run(app, "python -m training.fetal"))
