"""`semc phantom`: recordings of simulated patients, and sets of their pictures to train on."""

from __future__ import annotations

import argparse
from pathlib import Path

from semc_core.cli import phantom
from semc_core.cli.arguments import count
from semc_core.text import counted

HELP = "Make recordings of simulated patients, and sets of pictures to train on."
_DATASET = (
    "Render simulated patients as a data set: pictures with the plane that each shows, split by patient. "
    "What is there already is kept, so a broken-off rendering goes on."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`render` and `dataset` with their options."""
    actions = phantom.add_arguments(parser)
    dataset = actions.add_parser(
        "dataset", help="render simulated patients as a data set", description=_DATASET
    )
    dataset.add_argument(
        "--patients", default="200",
        help="so many, 70 %% to train, 15 %% to validate, 15 %% to test on; or FIRST:END (default: 200)",
    )  # fmt: skip
    dataset.add_argument("--frames", type=count, default=100, help="pictures per patient (default: 100)")
    dataset.add_argument(
        "--size", type=count, default=224, help="side of the pictures, pixels (default: 224)"
    )
    dataset.add_argument("--processes", type=count, default=2, help="patients side by side (default: 2)")
    dataset.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the data set")


def run(args: argparse.Namespace) -> int:
    """Do one action. Returns the exit code."""
    if args.action != "dataset":
        return phantom.run(args)
    from rich.progress import track

    from training.data.frame_set import shard_path
    from training.data.splits import choose_patients
    from training.data.synthetic import RenderOptions, render_patients

    patients = choose_patients(args.patients)
    missing = [patient for patient in patients if not shard_path(args.out, patient).exists()]
    done = render_patients(args.out, missing, RenderOptions(args.frames, args.size), args.processes)
    for _ in track(done, description="Rendering patients", total=len(missing)):
        pass
    there = counted(len(patients), "patient")
    print(f"{there} in {args.out}; look at the set with `semc data check {args.out}`.")
    return 0
