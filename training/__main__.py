"""`python -m training tune`: thresholds chosen on whole scans of simulated patients."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from semc_core.cli.arguments import count, positive
from semc_core.errors import SemcError
from training.data.splits import parse_patients


def build_parser() -> argparse.ArgumentParser:
    """The command line; each action is one function of the namespace."""
    parser = argparse.ArgumentParser(
        prog="python -m training", description="Chooses what a trained network is used with."
    )
    actions = parser.add_subparsers(dest="action", required=True)
    tune = actions.add_parser("tune", help="choose thresholds on whole scans of validation patients")
    tune.add_argument("model", type=Path, help="model file; gets the chosen thresholds")
    tune.add_argument("--patients", default="1000:1016", help="FIRST:END of the validation patients")
    tune.add_argument("--seconds", type=positive, default=60.0, help="length of each scan")
    tune.add_argument("--processes", type=count, default=2)
    tune.set_defaults(run=_tune)
    return parser


def _tune(args: argparse.Namespace) -> None:
    from training.evaluation.scans import EvaluationOptions, tune

    patients = parse_patients(args.patients)
    before, best = tune(args.model, patients, EvaluationOptions(args.seconds), args.processes)
    for name, tried in (("before", before), ("chosen", best)):
        counts, own = tried.counts, tried.thresholds
        print(
            f"{name}: enter {own.enter:g}, leave {own.leave:g}, hold {own.min_hold_s:g} s, smoothing "
            f"{own.smoothing_s:g} s: {counts.right} of {counts.held} held planes found, {counts.saved} saved."
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one action. Returns the exit code: 0 done, 1 could not, 2 wrong usage, 130 interrupted."""
    args = build_parser().parse_args(arguments)
    try:
        args.run(args)
    except SemcError as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
