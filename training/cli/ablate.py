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
    from training.ablation.runs import Frames, Run
    from training.benchmark import Benchmark

_EXAMPLES = """\b
Example:
    semc ablate --benchmark hard_small --table parts --data hard --out ablation
    semc ablate --benchmark fetal_country --data fetal_planes --out countries
    semc ablate --benchmark hard_small --table parts,cost --data hard --out ablation --list"""

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
            help="folder of the rendered patients, missing ones are rendered; or of the real pictures",
        ),
    ]
    out: Annotated[
        Path, Option("--out", click_type=FOLDER, metavar="DIR", help="folder of the results; goes on there")
    ]
    table: Annotated[
        str,
        Option(
            "--table",
            metavar="A,B",
            help="what is compared: parts, alpha, experts, gates, starts, cost",
        ),
    ] = "parts,alpha"
    only: Annotated[
        str | None, Option("--only", metavar="A,B", help="some variants alone; `--list` names them")
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
    list: Annotated[
        bool, Option("--list", help="say what is done, what is missing, and how long it takes; train none")
    ] = False
    json: Annotated[
        bool, Option("--json", help="print JSON instead of a table; what is told goes to stderr")
    ] = False


@app.add(epilog=_EXAMPLES)
def ablate(args: AblateArguments) -> int:
    """Train what is missing, and write the tables after each training. Returns the exit code."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # see `training.cli.train`

    from training.ablation.runs import missing, planned
    from training.ablation.variants import named, of_tables
    from training.run_folder import writing_alone

    benchmark = _benchmark(args)
    names = of_tables(args.table.split(",")) if args.only is None else named(args.only)
    runs = planned(benchmark, names)
    if args.list:
        _print_list(runs, missing(runs, benchmark, args.out), benchmark, args)
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


def _print_list(
    runs: Sequence[Run], left: Sequence[Run], benchmark: Benchmark, args: AblateArguments
) -> None:
    from training.ablation.cost import estimated_s

    takes_s = estimated_s(left, benchmark, args.threads) if left else {}
    if args.json:
        print_json(
            [
                {
                    "variant": each.variant.name,
                    "seed": each.seed,
                    "done": each not in left,
                    "fold": each.fold,
                    "estimated_s": round(takes_s[each.variant.name], 1) if each in left else None,
                }
                for each in runs
            ]
        )
        return
    print(_done(runs, left))
    for each in runs:
        print(f"{'missing' if each in left else 'done':8} {each.title}")
    hours = sum(takes_s[each.variant.name] for each in left) / 3600
    print(
        f"{counted(len(left), 'training')} to come, about {hours:.1f} hours on this machine as busy as it is "
        "now, by a timed part of a step of each network; rendering and reading not counted."
        if left
        else "Nothing is to come."
    )


def _done(runs: Sequence[Run], left: Sequence[Run]) -> str:
    return f"{len(runs) - len(left)} of {counted(len(runs), 'training')} done."


def _train(benchmark: Benchmark, runs: list[Run], left: list[Run], args: AblateArguments) -> None:
    """Train those that are left, and write the tables of all `runs` after each."""
    from rich.console import Console
    from rich.progress import Progress

    from training.ablation.runs import train_missing

    frames = _frames(benchmark, args.data, args.processes)
    with Progress(console=Console(stderr=args.json)) as bar:
        task = bar.add_task("Training", total=len(left))
        done = 0

        def tell(each: Run, progress: float) -> None:
            bar.update(task, completed=done + progress, description=each.title)

        for each, result in train_missing(left, benchmark, frames, args.out, args.threads, tell):
            done += 1
            test = result["test"]
            bar.console.print(
                f"{each.title}: AUROC {test['auroc']:.3f}, F1 {test['f1_at_thresholds']:.3f}, "
                f"{result['seconds']:.0f} s"
            )
            _write(benchmark, runs, args.out, draws=0)


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


def _frames(benchmark: Benchmark, folder: Path, processes: int) -> Mapping[int, Frames]:
    """The pictures of all patients, by fold; those not yet there are rendered."""
    from rich.console import Console
    from rich.progress import track

    from training.ablation.runs import Frames
    from training.benchmark import load_frames_of, missing_patients, render_missing
    from training.data.splits import Split

    if benchmark.left_out is not None:
        from training.ablation.countries import load_left_out

        return load_left_out(benchmark, folder)
    absent = missing_patients(benchmark, folder)
    if absent:
        done = render_missing(benchmark, folder, processes)
        console = Console(stderr=True)
        for _ in track(done, description="Rendering patients", total=len(absent), console=console):
            pass
    return {0: Frames(*(load_frames_of(benchmark, folder, split) for split in Split))}


def _write(
    benchmark: Benchmark, runs: list[Run], out: Path, draws: int | None = None
) -> tuple[dict[str, Any], str]:
    """Write `ablation.json` and `ablation.md` of what is done; gives what they say.

    With `draws` 0 without intervals, which take a while.
    """
    from semc_core.groups.bootstrap import DRAWS
    from semc_core.io.atomic import write_atomically
    from training.ablation.runs import read_results
    from training.ablation.tables import markdown, summary

    results = read_results(runs, benchmark, out)
    found = summary(benchmark, results, _machine(), DRAWS if draws is None else draws)
    text = markdown(found)
    write_atomically(out / "ablation.json", json.dumps(found, indent=2, allow_nan=False).encode())
    write_atomically(out / "ablation.md", text.encode())
    return found, text


def _machine() -> dict[str, str]:
    import torch

    from semc_core.version import VERSION

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return {"SEMC Live": VERSION, "PyTorch": str(torch.__version__), "device": device}
