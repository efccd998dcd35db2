"""`python -m training.fetal prepare | judge | publish`: the fetal model from pictures to its file.

`python -m training.fetal demonstration` makes the loop that the start page opens.

See docs/fetal.md for what is needed and how long each takes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Final

from typer import Argument, Option

from semc_core.cli.shared.tree import Commands
from semc_core.io.atomic import write_atomically
from training.cli.program import run

_SEED: Final = 2027
_FOLDER = Argument(help="folder of the prepared pictures")
app = Commands()


@app.add("prepare")
def prepare(
    data: Annotated[Path, Argument(help="folder with fetal_planes, fetal_planes_db, hc18 and organs")],
    sononet: Annotated[Path, Argument(help="SonoNet-16 as a model file (semc model import)")],
    folder: Annotated[Path, _FOLDER],
    threads: Annotated[int, Option(help="CPU threads")] = 2,
) -> int:
    """Read the pictures, change them, and keep what the published network sees of them."""
    from rich.progress import Progress

    from semc_core.runtime.load import load_runtime
    from training.fetal.pictures import read_pictures
    from training.fetal.versions import write_versions

    pictures = read_pictures(data)
    runtime = load_runtime(sononet, "cpu", threads)
    try:
        with Progress() as bar:
            task = bar.add_task("Looking at versions", total=None)
            write_versions(
                folder, pictures, runtime, _SEED,
                lambda done, total: bar.update(task, completed=done, total=total),
            )  # fmt: skip
    finally:
        runtime.close()
    return 0


@app.add("judge")
def judge(
    sononet: Annotated[Path, Argument(help="SonoNet-16 as a model file")],
    folder: Annotated[Path, _FOLDER],
) -> int:
    """Fit without each country and part, judge on what was left out, and write `judged.json`."""
    from training.fetal.head import published_head
    from training.fetal.publish import left_out, published, tell_of
    from training.fetal.versions import read_versions

    prepared = read_versions(folder)
    found = tell_of(prepared, left_out(prepared, published_head(published(sononet)[1])))
    write_atomically(folder / "judged.json", json.dumps(found, indent=1).encode())
    print(json.dumps(found, indent=1))
    return 0


@app.add("publish")
def publish(
    sononet: Annotated[Path, Argument(help="SonoNet-16 as a model file")],
    folder: Annotated[Path, _FOLDER],
    out: Annotated[Path, Argument(help="model file to write; its card beside it is yours")],
) -> int:
    """Write the model file that learned from everything, calibrated by the runs that left something out."""
    from training.fetal.publish import publish as write
    from training.fetal.versions import read_versions

    write(read_versions(folder), sononet, out)
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
