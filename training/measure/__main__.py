"""`python -m training.measure FOLDER --out head.safetensors`: fit the network that finds heads, and judge it.

Cross-validation over groups first: each fold is judged by a network that saw neither its patients nor the
sources that are kept out. Then the first of these networks goes on, with everything: that one ships. What is
there already of an interrupted run is taken up again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from typer import Argument, Option

from semc_core.cli.shared.options import COUNT, FOLDER, NEW_FILE, SEED
from semc_core.cli.shared.tree import Commands
from semc_core.errors import UsageError
from training.cli.program import run

if TYPE_CHECKING:
    from semc_core.model.outline import Arrays, OutlineSpec
    from training.measure.data import Case
    from training.measure.fit import FitOptions
    from training.measure.judge import Judged

CHANNELS: Final = (24, 48, 96, 128, 160)
FINISHING_RATE: Final = 6e-4
"""Greatest learning rate when a network that was fitted goes on with everything."""

app = Commands()


@app.add("measure")
def measure(
    data: Annotated[
        Path, Argument(click_type=FOLDER, metavar="FOLDER", help="with hc18, organs, fetal_planes")
    ],
    out: Annotated[Path, Option("--out", click_type=NEW_FILE, metavar="FILE", help="model to write")],
    folds: Annotated[int, Option("--folds", click_type=COUNT, help="into which patients are dealt")] = 5,
    judged: Annotated[
        int | None,
        Option("--judged", click_type=COUNT, help="judge only the first of them", show_default="all"),
    ] = None,
    steps: Annotated[int, Option("--steps", click_type=COUNT, help="batches of each training")] = 1000,
    more: Annotated[
        int, Option("--more", click_type=COUNT, help="batches with everything, at the end")
    ] = 250,
    threads: Annotated[int, Option("--threads", click_type=COUNT, help="CPU threads")] = 1,
    seed: Annotated[int, Option("--seed", click_type=SEED, help="decides chance")] = 1,
) -> int:
    """Fit and judge the network that finds the outline of a head. Returns 0.

    Beside the model are written its card, its figures (.json), and the networks of the folds.
    """
    from semc_core.io.atomic import write_atomically
    from semc_core.model.outline import OutlineSpec, read_outline, write_outline
    from training.measure.card import card
    from training.measure.data import folds as dealt
    from training.measure.data import read_cases
    from training.measure.fit import FitOptions
    from training.measure.judge import figures
    from training.measure.landmarks import landmark_figures

    if out.suffix != ".safetensors" or folds < 2:
        raise UsageError("--out must end in .safetensors, and --folds be at least 2.")
    cases = read_cases(data)
    options = FitOptions(steps=steps, threads=threads, seed=seed)
    spec = OutlineSpec(channels=CHANNELS)
    fold_of = dealt(cases, folds)
    results, of = [], []
    for fold in range(min(folds, judged or folds)):
        path = out.with_name(f"{out.stem}-fold-{fold}.safetensors")
        train = [case for case, own in zip(cases, fold_of, strict=True) if own != fold and not case.unseen]
        _fitted(path, train, spec, options, f"Fold {fold + 1}")
        test = [case for case, own in zip(cases, fold_of, strict=True) if own == fold or case.unseen]
        found = _judged(path, test)
        results += found
        of += [fold] * len(found)
    told = figures(results, of) | {"landmarks": landmark_figures(results, data)}
    path = out.with_name(f"{out.stem}-all.safetensors")
    _, first = read_outline(out.with_name(f"{out.stem}-fold-0.safetensors"))
    _fitted(path, cases, spec, replace(options, steps=more, rate=FINISHING_RATE, seed=seed + 1), "All", first)
    _, arrays = read_outline(path)
    write_outline(out, replace(spec, error=told["error of the interval"]), arrays)
    write_atomically(out.with_suffix(".json"), json.dumps(told, indent=2).encode())
    write_atomically(out.with_suffix(".md"), card(spec, told, options, more, len(set(of)), folds).encode())
    print(json.dumps(told, indent=2))
    return 0


def _fitted(
    path: Path,
    cases: Sequence[Case],
    spec: OutlineSpec,
    options: FitOptions,
    words: str,
    begin: Arrays | None = None,
) -> None:
    """Fit and write, unless it is there."""
    if path.is_file():
        print(f"{words}: {path.name} is there and is used.")
        return
    from rich.progress import Progress

    from semc_core.model.outline import write_outline
    from training.measure.fit import arrays_of, fit_network

    with Progress() as bar:
        task = bar.add_task(words, total=options.steps)

        def tell(step: int, loss: float) -> None:
            bar.update(task, completed=step, description=f"{words}, loss {loss:.3f}")

        network = fit_network(cases, spec, options, tell, begin)
    write_outline(path, spec, arrays_of(network, spec))


def _judged(path: Path, cases: Sequence[Case]) -> list[Judged]:
    from rich.progress import Progress

    from semc_core.measure.head import HeadFinder
    from training.measure.judge import judge

    finder = HeadFinder(path)
    try:
        with Progress(transient=True) as bar:
            task = bar.add_task("Judging", total=len(cases))
            return judge(finder, cases, lambda done: bar.update(task, completed=done))
    finally:
        finder.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it. Returns the exit code: 0 done, 1 could not, 2 wrong usage, 130 interrupted."""
    return run(app, "python -m training.measure", arguments)


if __name__ == "__main__":
    sys.exit(main())
