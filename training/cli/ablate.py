"""`semc ablate`: what each part of the network is worth, over several seeds, on a fixed benchmark."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from semc_core.cli.shared.options import COUNT, FOLDER, print_json
from semc_core.cli.shared.tree import Commands
from semc_core.errors import UsageError
from semc_core.text import counted

if TYPE_CHECKING:
    from training.ablation import Frames, Run
    from training.benchmark import Benchmark

app = Commands()


@dataclass(frozen=True, slots=True, kw_only=True)
class AblateArguments:
    """What `semc ablate` takes."""

    benchmark: Annotated[str, Option("--benchmark", metavar="NAME", help="name, or a TOML file")] = (
        "simulated_small"
    )
    data: Annotated[
        Path,
        Option(
            "--data",
            click_type=FOLDER,
            metavar="DIR",
            help="folder of the rendered patients; missing ones are rendered",
        ),
    ]
    out: Annotated[
        Path, Option("--out", click_type=FOLDER, metavar="DIR", help="folder of the results; goes on there")
    ]
    only: Annotated[
        str | None, Option("--only", metavar="A,B", help="some variants; `--list` names them")
    ] = None
    seeds: Annotated[str | None, Option("--seeds", metavar="1,2,3", help="others than the benchmark's")] = (
        None
    )
    steps: Annotated[
        int | None, Option("--steps", click_type=COUNT, help="of each training, other than the benchmark's")
    ] = None
    preset: Annotated[
        str | None, Option("--preset", metavar="NAME", help="network, other than the benchmark's")
    ] = None
    threads: Annotated[int, Option("--threads", click_type=COUNT, help="CPU threads")] = 1
    processes: Annotated[int, Option("--processes", click_type=COUNT, help="for rendering")] = 2
    list: Annotated[bool, Option("--list", help="say what is done and what is missing; train none")] = False
    json: Annotated[
        bool, Option("--json", help="print JSON instead of a table; what is told goes to stderr")
    ] = False


@app.add()
def ablate(args: AblateArguments) -> int:
    """Train what is missing, and write the tables after each training. Returns the exit code."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # see `training.cli.train`

    from training.ablation import VARIANTS, missing, planned
    from training.run_folder import writing_alone

    benchmark = _benchmark(args)
    runs = planned(benchmark, [*VARIANTS] if args.only is None else args.only.split(","))
    if args.list:
        _print_list(runs, missing(runs, benchmark, args.out), as_json=args.json)
        return 0
    with writing_alone(args.out):
        left = missing(runs, benchmark, args.out)
        print(_done(runs, left), file=sys.stderr if args.json else sys.stdout)
        if left:
            _train(benchmark, runs, left, args)
        found, text = _write(benchmark, runs, args.out)
    if args.json:
        print_json(found)
    else:
        print(text)
    return 0


def _print_list(runs: Sequence[Run], left: Sequence[Run], *, as_json: bool) -> None:
    if as_json:
        print_json(
            [{"variant": each.variant.name, "seed": each.seed, "done": each not in left} for each in runs]
        )
        return
    print(_done(runs, left))
    for each in runs:
        print(f"{'missing' if each in left else 'done':8} {each.variant.name} seed {each.seed}")


def _done(runs: Sequence[Run], left: Sequence[Run]) -> str:
    return f"{len(runs) - len(left)} of {counted(len(runs), 'training')} done."


def _train(benchmark: Benchmark, runs: list[Run], left: list[Run], args: AblateArguments) -> None:
    """Train those that are left, and write the tables of all `runs` after each."""
    from rich.console import Console
    from rich.progress import Progress

    from training.ablation import train_missing

    frames = _frames(benchmark, args.data, args.processes)
    with Progress(console=Console(stderr=args.json)) as bar:
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


def _benchmark(args: AblateArguments) -> Benchmark:
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
    from rich.console import Console
    from rich.progress import track

    from training.ablation import Frames
    from training.benchmark import load_frames_of, missing_patients, render_missing
    from training.data.splits import Split

    absent = missing_patients(benchmark, folder)
    if absent:
        done = render_missing(benchmark, folder, processes)
        console = Console(stderr=True)
        for _ in track(done, description="Rendering patients", total=len(absent), console=console):
            pass
    return Frames(*(load_frames_of(benchmark, folder, split) for split in Split))


def _write(benchmark: Benchmark, runs: list[Run], out: Path) -> tuple[dict[str, Any], str]:
    """Write `ablation.json` and `ablation.md` of what is done; gives what they say."""
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
    return found, text


def _machine() -> dict[str, str]:
    import torch

    from semc_core.version import VERSION

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return {"SEMC Live": VERSION, "PyTorch": str(torch.__version__), "device": device}
