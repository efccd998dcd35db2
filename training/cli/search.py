"""`semc search`: choices of a training that the validation patients like best."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from typer import Option

from semc_core.cli.shared.options import COUNT, FOLDER, PLACE, POSITIVE, SEED, Groups, Of, planes_of
from semc_core.cli.shared.tree import Commands
from semc_core.errors import UsageError
from training.cli.common import INTERRUPTED, reading_bar, stopping_on_signals

if TYPE_CHECKING:
    from rich.table import Table

    from training.schedule import Budget
    from training.search import Search

_EXAMPLES = """\b
Example:
    semc search --data FOLDER --space space.toml --epochs 5 --trials 30 --out found
    semc train --data FOLDER --config found/best.toml --out my.safetensors"""
_SHOWN: Final = 5
_TOO_GOOD: Final = (
    "These F1 are of the patients on whom the choice was made, so they are too good: train with --config, "
    "and judge once with semc eval."
)

app = Commands()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchArguments:
    """What `semc search` takes."""

    data: Annotated[
        list[str],
        Option(
            "--data",
            metavar="DIR",
            help='folder of a data set, or "simulated:20" for simulated patients; give it again for more',
        ),
    ]
    groups: Groups = ""
    of: Of = ""
    space: Annotated[
        Path, Option("--space", click_type=PLACE, metavar="FILE", help="TOML file of what may vary")
    ]
    trials: Annotated[int, Option("--trials", click_type=COUNT, help="how many trainings in all")] = 20
    out: Annotated[
        Path, Option("--out", click_type=FOLDER, metavar="DIR", help="folder of the search; goes on there")
    ]
    recipe: Annotated[str, Option("--recipe", metavar="RECIPE", help="what does not vary")] = "live"
    config: Annotated[
        Path | None,
        Option("--config", click_type=PLACE, metavar="FILE", help="what does not vary, in a file"),
    ] = None
    set: Annotated[
        list[str],
        Option("--set", metavar="KEY=VALUE", help="what does not vary, one choice; can be given again"),
    ] = field(default_factory=list)
    encoder: Annotated[
        Path | None,
        Option("--encoder", click_type=PLACE, metavar="FILE", help="start every training from this encoder"),
    ] = None
    steps: Annotated[int | None, Option("--steps", click_type=COUNT, help="of each training")] = None
    epochs: Annotated[
        float | None,
        Option("--epochs", click_type=POSITIVE, help="of each training", show_default="3"),
    ] = None
    seed: Annotated[int, Option("--seed", click_type=SEED, help="decides chance")] = 1
    threads: Annotated[int, Option("--threads", click_type=COUNT, help="CPU threads")] = 2


@app.add(epilog=_EXAMPLES)
def search(args: SearchArguments) -> int:
    """Search. Returns the exit code."""
    from training.config import train_recipe
    from training.config_file import changed, read_settings
    from training.data.loading import load_given
    from training.models import preset_of
    from training.run_folder import writing_alone
    from training.search import BEST_NAME, Search, read_space

    if args.steps is not None and args.epochs is not None:
        raise UsageError("--steps is not allowed with --epochs; choose one of them.")
    space = read_space(args.space)
    base = changed(train_recipe(args.recipe).options, read_settings(args.config, args.set))
    base = replace(base, seed=args.seed, threads=args.threads)
    if fixed := {"preset", "method", "size", "seed", "steps", "minutes"} & set(space):
        raise UsageError(f"{min(fixed)} cannot vary within a search; take it out of {args.space}.")
    with reading_bar("Reading pictures") as tell:
        preprocessing = preset_of(base).preprocessing
        data = load_given(args.data, preprocessing, args.seed, args.groups, tell, planes_of(args.of))
    base = replace(base, budget=_budget(args, len(data.train.rows), base.batch))
    with writing_alone(args.out):
        found = Search(args.out, base, space, data, args.encoder)
        try:
            ended = _run(found, args)
            if found.best is None:
                print("No trial came to its end.")
            else:
                _tell(found)
                print(f"Wrote {args.out / BEST_NAME}. {_TOO_GOOD}")
        finally:
            found.close()
    if not ended:
        print(f"Stopped after {len(found.done)} trials; the same command goes on.")
        return INTERRUPTED
    return 0


def _budget(args: SearchArguments, frames: int, batch: int) -> Budget:
    from training.schedule import Budget

    if args.steps is not None:
        return Budget(steps=args.steps)
    return Budget(steps=max(1, math.ceil((args.epochs or 3.0) * frames / batch)))


def _run(found: Search, args: SearchArguments) -> bool:
    """Whether all trials were done; a signal ends the search after its step."""
    from rich.progress import Progress

    from training.trainer.callbacks import Callback, FitState

    with stopping_on_signals(args.out) as signals, Progress(transient=True) as bar:
        task = bar.add_task("", total=float(args.trials))

        class Told(Callback):
            def __init__(self) -> None:
                self._before = float(len(found.done))
                best = found.best
                value = "" if best is None else f", best F1 {best.value:.3f}"
                bar.update(task, description=f"Trial {len(found.done) + 1} of {args.trials}{value}")

            def on_train_batch_end(self, state: FitState, metrics: dict[str, float]) -> None:
                bar.update(task, completed=self._before + state.progress)

            def should_stop(self) -> bool:
                return bool(signals)

        found.run(args.trials, Told, lambda: bool(signals))
        return not signals


def _tell(found: Search) -> None:
    from rich.console import Console

    Console().print(_table(found))


def _table(found: Search) -> Table:
    from rich.table import Table

    done = sorted(found.done, key=lambda trial: (trial.state.name == "PRUNED", -(trial.value or 0.0)))
    given_up = sum(trial.state.name == "PRUNED" for trial in done)
    keys = list(found.settings_of(done[0]))
    table = Table("trial", "F1", *keys, title=f"The best of {len(done)} trials, {given_up} given up early")
    for trial in done[:_SHOWN]:
        settings = found.settings_of(trial)
        values = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in settings.values()]
        table.add_row(str(trial.number), f"{trial.value:.3f}", *values)
    return table
