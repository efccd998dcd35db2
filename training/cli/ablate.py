"""`semc ablate`: what each part of the network is worth, over several seeds, on a fixed benchmark."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semc_core.cli.arguments import count
from semc_core.errors import UsageError
from semc_core.text import counted

if TYPE_CHECKING:
    from training.ablation import Frames, Run
    from training.benchmark import Benchmark

HELP = "train the network with and without its parts and compare them, on simulated patients"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "--benchmark", default="simulated_small", help="name, or a TOML file (default: simulated_small)"
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of the rendered patients; missing ones are rendered"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the results; goes on there")
    parser.add_argument("--only", metavar="A,B", help="some variants; `--list` names them")
    parser.add_argument("--seeds", metavar="1,2,3", help="others than the benchmark's")
    parser.add_argument("--steps", type=count, help="of each training, other than the benchmark's")
    parser.add_argument("--preset", help="network, other than the benchmark's")
    parser.add_argument("--threads", type=count, default=1, help="CPU threads (default: 1)")
    parser.add_argument("--processes", type=count, default=2, help="for rendering (default: 2)")
    parser.add_argument(
        "--list", action="store_true", help="say what is done and what is missing; train none"
    )


def run(args: argparse.Namespace) -> int:
    """Train what is missing, and write the tables after each training. Returns the exit code."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # see `training.cli.train`

    from training.ablation import VARIANTS, missing, planned
    from training.run_folder import writing_alone

    benchmark = _benchmark(args)
    runs = planned(benchmark, list(VARIANTS) if args.only is None else args.only.split(","))
    if args.list:
        left = missing(runs, benchmark, args.out)
        print(_done(runs, left))
        for each in runs:
            print(f"{'missing' if each in left else 'done':8} {each.variant.name} seed {each.seed}")
        return 0
    with writing_alone(args.out):
        left = missing(runs, benchmark, args.out)
        print(_done(runs, left))
        if left:
            _train(benchmark, runs, left, args)
        print(_write(benchmark, runs, args.out))
    return 0


def _done(runs: list[Run], left: list[Run]) -> str:
    return f"{len(runs) - len(left)} of {counted(len(runs), 'training')} done."


def _train(benchmark: Benchmark, runs: list[Run], left: list[Run], args: argparse.Namespace) -> None:
    """Train those that are left, and write the tables of all `runs` after each."""
    from rich.progress import Progress

    from training.ablation import train_missing

    frames = _frames(benchmark, args.data, args.processes)
    with Progress() as bar:
        task = bar.add_task("Training", total=len(left))
        done = 0

        def tell(each: Run, progress: float) -> None:
            bar.update(task, completed=done + progress, description=f"{each.variant.name} seed {each.seed}")

        for each, result in train_missing(left, benchmark, frames, args.out, args.threads, tell):
            done += 1
            test = result["test"]
            bar.console.print(
                f"{each.variant.name} seed {each.seed}: accuracy {test['accuracy']:.3f}, F1 "
                f"{test['f1']:.3f}, {result['seconds']:.0f} s"
            )
            _write(benchmark, runs, args.out)


def _benchmark(args: argparse.Namespace) -> Benchmark:
    from semc_core.model.architecture import find_preset
    from training.benchmark import read_benchmark

    benchmark = read_benchmark(args.benchmark)
    if args.seeds is not None:
        try:
            benchmark = replace(benchmark, seeds=tuple(int(seed) for seed in args.seeds.split(",")))
        except ValueError:
            raise UsageError(f"--seeds {args.seeds!r} must be whole numbers with commas between.") from None
    if args.preset is not None:
        benchmark = replace(benchmark, preset=find_preset(args.preset).architecture.preset)
    return benchmark if args.steps is None else replace(benchmark, steps=args.steps)


def _frames(benchmark: Benchmark, folder: Path, processes: int) -> Frames:
    """The pictures of all patients; those not yet there are rendered."""
    from rich.progress import track

    from training.ablation import Frames
    from training.benchmark import load_frames_of, missing_patients, render_missing
    from training.data.splits import Split

    absent = missing_patients(benchmark, folder)
    if absent:
        done = render_missing(benchmark, folder, processes)
        for _ in track(done, description="Rendering patients", total=len(absent)):
            pass
    return Frames(*(load_frames_of(benchmark, folder, split) for split in Split))


def _write(benchmark: Benchmark, runs: list[Run], out: Path) -> str:
    """Write `ablation.json` and `ablation.md` of what is done; gives the latter's text."""
    from semc_core.io.atomic import write_atomically
    from training.ablation import markdown, read_result, summary

    results: dict[str, dict[int, Mapping[str, Any]]] = {}
    for each in runs:
        result = read_result(each, benchmark, out)
        if result is not None:
            results.setdefault(each.variant.name, {})[each.seed] = result
    found = summary(benchmark, results, _machine())
    text = markdown(found)
    write_atomically(out / "ablation.json", json.dumps(found, indent=2).encode())
    write_atomically(out / "ablation.md", text.encode())
    return text


def _machine() -> dict[str, str]:
    import torch

    from semc_core.version import VERSION

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return {"SEMC Live": VERSION, "PyTorch": str(torch.__version__), "device": device}
