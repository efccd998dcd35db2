"""`python -m training tune`: thresholds chosen on whole scans of simulated patients."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from semc_core.cli.shared.options import COUNT, PLACE, POSITIVE
from semc_core.cli.shared.tree import Commands
from training.cli.program import run
from training.data.splits import parse_patients

app = Commands(help="Chooses what a trained network is used with.")


@app.callback()
def _actions() -> None:
    """Sub-commands, also while there is but one."""


@app.add("tune", help="choose thresholds on whole scans of validation patients")
def tune(
    model: Annotated[Path, Argument(click_type=PLACE, help="model file; gets the chosen thresholds")],
    patients: Annotated[
        str, Option("--patients", metavar="FIRST:END", help="the validation patients")
    ] = "1000:1016",
    seconds: Annotated[float, Option("--seconds", click_type=POSITIVE, help="length of each scan")] = 60.0,
    processes: Annotated[int, Option("--processes", click_type=COUNT, help="patients side by side")] = 2,
) -> int:
    """Choose, write and tell. Returns 0."""
    from training.evaluation.scans import EvaluationOptions
    from training.evaluation.scans import tune as choose

    before, best = choose(model, parse_patients(patients), EvaluationOptions(seconds), processes)
    for name, tried in (("before", before), ("chosen", best)):
        counts, own = tried.counts, tried.thresholds
        print(
            f"{name}: enter {own.enter:g}, leave {own.leave:g}, hold {own.min_hold_s:g} s, smoothing "
            f"{own.smoothing_s:g} s: {counts.right} of {counts.held} held planes found, {counts.saved} saved."
        )
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one action. Returns the exit code: 0 done, 1 could not, 2 wrong usage, 130 interrupted."""
    return run(app, "python -m training", arguments)


if __name__ == "__main__":
    sys.exit(main())
