"""`semc eval`: hold a model against simulated test patients."""

from __future__ import annotations

import argparse
from pathlib import Path

from semc_core.commands.arguments import count, new_file, positive

HELP = "measure a model on simulated patients: planes held and found, and single frames"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("model", type=Path, help="model file")
    parser.add_argument(
        "--patients",
        default="2000:2020",
        help="FIRST:END, or one; from 2000 on test patients (default: 2000:2020)",
    )
    parser.add_argument("--seconds", type=positive, default=60.0, help="length of each scan (default: 60)")
    parser.add_argument("--frame-rate", type=positive, default=25.0, help="frames per second (default: 25)")
    parser.add_argument("--size", default="640x480", help="of the frames, WIDTHxHEIGHT")
    parser.add_argument("--processes", type=count, default=2, help="patients side by side (default: 2)")
    parser.add_argument("--out", type=new_file, help="JSON file to write")
    parser.add_argument(
        "--record", action="store_true", help="write the holds into the model file and its card, too"
    )


def run(args: argparse.Namespace) -> int:
    """Evaluate. Returns the exit code."""
    import json

    from rich.console import Console

    from semc_core.errors import UsageError
    from training.data.splits import parse_patients
    from training.evaluate import EvaluationOptions, evaluate, tables

    try:
        width, height = (int(part) for part in args.size.split("x"))
    except ValueError:
        raise UsageError(f"{args.size!r} is no size; write WIDTHxHEIGHT, for example 640x480.") from None
    options = EvaluationOptions(args.seconds, width, height, args.frame_rate)
    result = evaluate(args.model, parse_patients(args.patients), options, args.processes)
    console = Console()
    if not result["all_test_patients"]:
        console.print("Not all of these are test patients (2000 and up): the model may know them.")
    for table in tables(result):
        console.print(table)
    if args.out is not None:
        args.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        console.print(f"Wrote {args.out}.")
    if args.record:
        from training.restate import restate

        facts = {name: result[name] for name in ("patients", "seconds", "frame_rate", "holds")}
        restate(args.model, {"test_holds": facts})
        console.print(f"Recorded in {args.model} and its card.")
    return 0
