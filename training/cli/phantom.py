"""`semc phantom`: recordings of simulated patients, and sets of their pictures to train on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from semc_core.cli import phantom
from semc_core.cli.shared.options import COUNT, FOLDER
from semc_core.cli.shared.tree import Commands
from semc_core.text import counted

_DATASET = (
    "Render simulated patients as a data set: pictures with the plane that each shows, split by patient. "
    "What is there already is kept, so a broken-off rendering goes on."
)


_EXAMPLES = """\b
Example:
    semc phantom dataset --patients 200 --out patients
    semc phantom dataset --hard --patients 200 --out hard"""

app = Commands()
app.add("render", help=phantom.RENDER_HELP, epilog=phantom.RENDER_EXAMPLES)(phantom.render)


@app.add("dataset", help=_DATASET, epilog=_EXAMPLES)
def dataset(
    out: Annotated[Path, Option("--out", click_type=FOLDER, metavar="DIR", help="folder of the data set")],
    patients: Annotated[
        str,
        Option(
            "--patients",
            metavar="N|FIRST:END",
            help="so many, 70 % to train, 15 % to validate, 15 % to test on; or FIRST:END",
        ),
    ] = "200",
    frames: Annotated[int, Option("--frames", click_type=COUNT, help="pictures per patient")] = 100,
    size: Annotated[int, Option("--size", click_type=COUNT, help="side of the pictures, pixels")] = 224,
    hard: Annotated[
        bool,
        Option("--hard", help="each plane among its neighbours, 5, 10, 15 mm or degrees off; more scanners"),
    ] = False,
    processes: Annotated[int, Option("--processes", click_type=COUNT, help="patients side by side")] = 2,
) -> int:
    """Render what is missing. Returns 0."""
    from rich.progress import track

    from training.data.frame_set import shard_path
    from training.data.splits import choose_patients
    from training.data.synthetic import RenderOptions, render_patients

    chosen = choose_patients(patients)
    missing = [patient for patient in chosen if not shard_path(out, patient).exists()]
    done = render_patients(out, chosen, RenderOptions(frames, size, hard), processes)
    for _ in track(done, description="Rendering patients", total=len(missing)):
        pass
    there = counted(len(chosen), "patient")
    print(f"{there} in {out}; look at the set with `semc data check {out}`.")
    return 0
