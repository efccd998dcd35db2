"""The ablation: networks with and without their parts, over several seeds, on one benchmark.

The paper's table 4 (plain, +ACE, +ACE+SAMC, +ACE+L_mc, all) and figure 3 (fixed alpha against the learned
one). Every training has as many steps as any other, sees the same frames as the others of its seed, and is
judged by its averaged weights after the last step: nothing is chosen on the test patients, nor on the
validation patients.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch

from semc_core.errors import UsageError
from semc_core.io.atomic import write_atomically
from training.benchmark import Benchmark
from training.config import TrainOptions
from training.data.frame_set import FrameSet
from training.inference import classify
from training.losses.config import LossOptions, loss_recipe
from training.metrics import frame_metrics
from training.run_folder import make_folder
from training.schedule import Budget
from training.trainer.loop import Training

_ALPHAS: Final = (0.01, 0.05, 0.1, 0.2, 0.5)
_AVERAGE: Final = 0.99
_VALIDATIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Variant:
    """One row of a table.

    Attributes:
        name: Of files and on the command line.
        title: For people.
        method: The network; one of `training.models.NETWORKS`.
        contrast: Whether L_mc is learned too, or cross-entropy alone.
        alpha: A fixed share of the cross-entropy, or None: learned.
    """

    name: str
    title: str
    method: str
    contrast: bool
    alpha: float | None = None

    def losses(self) -> LossOptions:
        """The paper's, with what the variant has of them."""
        paper = loss_recipe("paper")
        return replace(paper, alpha=self.alpha) if self.contrast else replace(paper, contrast="none")


TABLE: Final = (
    Variant("plain", "plain", "semc-plain", contrast=False),
    Variant("ace", "+ ACE", "semc-ace", contrast=False),
    Variant("ace-samc", "+ ACE + SAMC", "semc", contrast=False),
    Variant("ace-mc", "+ ACE + L_mc", "semc-ace", contrast=True),
    Variant("all", "all (alpha learned)", "semc", contrast=True),
)
"""The paper's table 4, in its order."""

FIGURE: Final = tuple(
    Variant(f"alpha-{alpha:g}", f"all, alpha {alpha:g}", "semc", contrast=True, alpha=alpha)
    for alpha in _ALPHAS
)
"""The paper's figure 3; "all" is its learned alpha."""

VARIANTS: Final = {variant.name: variant for variant in (*TABLE, *FIGURE)}


@dataclass(frozen=True, slots=True)
class Run:
    """One training."""

    variant: Variant
    seed: int

    def path(self, out: Path) -> Path:
        """Where its result lies, once it is there."""
        return out / "runs" / f"{self.variant.name}_seed{self.seed}.json"


@dataclass(frozen=True, slots=True)
class Frames:
    """What every training has."""

    train: FrameSet
    validation: FrameSet
    test: FrameSet


def planned(benchmark: Benchmark, names: Sequence[str]) -> list[Run]:
    """All trainings, one seed after the other, so that a first table is there after the first seed.

    Raises:
        UsageError: There is no such variant.
    """
    unknown = set(names) - set(VARIANTS)
    if unknown:
        raise UsageError(f"There is no variant {min(unknown)!r}; choose from {', '.join(VARIANTS)}.")
    return [Run(VARIANTS[name], seed) for seed in benchmark.seeds for name in names]


def missing(runs: Sequence[Run], benchmark: Benchmark, out: Path) -> list[Run]:
    """Those without a result.

    Raises:
        UsageError: There are results of another benchmark in `out`.
    """
    return [run for run in runs if read_result(run, benchmark, out) is None]


def read_result(run: Run, benchmark: Benchmark, out: Path) -> dict[str, Any] | None:
    """A run's result, or None if it was not yet done.

    Raises:
        UsageError: It is of another benchmark, or damaged.
    """
    path = run.path(out)
    if not path.exists():
        return None
    try:
        result: dict[str, Any] = json.loads(path.read_bytes())
        digest = result["benchmark_digest"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} cannot be read; remove it, and its training is done again.") from error
    if digest != benchmark.digest():
        raise UsageError(f"{path} is the result of another benchmark; choose another --out.")
    return result


def train_missing(
    runs: Sequence[Run],
    benchmark: Benchmark,
    frames: Frames,
    out: Path,
    threads: int,
    tell: Callable[[Run, float], None] = lambda run, progress: None,
) -> Generator[tuple[Run, dict[str, Any]], None, None]:
    """Do the trainings that have no result yet. Each result is written when it is there, whole or not at all.

    Args:
        runs: All that are wanted.
        benchmark: See there.
        frames: Of its patients.
        out: Folder of the results; made if missing.
        threads: CPU threads.
        tell: Called after each step with the run and its progress, 0-1.

    Raises:
        SaveError: A result cannot be written.
        UsageError: There are results of another benchmark in `out`.
    """
    for run in missing(runs, benchmark, out):
        path = run.path(out)
        make_folder(path.parent)
        result = train_one(run, benchmark, frames, out / "work", threads, tell)
        write_atomically(path, json.dumps(result, indent=2).encode())
        yield run, result


def train_one(
    run: Run,
    benchmark: Benchmark,
    frames: Frames,
    folder: Path,
    threads: int = 1,
    tell: Callable[[Run, float], None] = lambda run, progress: None,
) -> dict[str, Any]:
    """Train and judge one network.

    Args:
        run: What to train.
        benchmark: See there.
        frames: Of its patients.
        folder: For what the training writes; made, and removed at the end.
        threads: CPU threads.
        tell: See `train_missing`.

    Returns:
        Plain JSON values; `train_accuracy` and alpha are means over each third of the training; `test` and
        `validation` are those of `metrics.frame_metrics`, without the frames that are neither clearly
        standard nor clearly not.
    """
    started_s = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    training = Training(options_of(run, benchmark, threads), frames.train, frames.validation, folder)
    rows: list[dict[str, float]] = []
    training.run(lambda progress, loss: tell(run, progress), rows.append)
    network = training.average.network
    judged = {}
    for name, data in (("validation", frames.validation), ("test", frames.test)):
        clear = data.subset(~data.is_ambiguous())
        logits = classify(network, clear.frames, training.preprocessing).logits
        judged[name] = frame_metrics(torch.softmax(logits, 1), clear.labels, clear.classes)
    shutil.rmtree(folder, ignore_errors=True)
    return {
        "variant": run.variant.name,
        "seed": run.seed,
        "benchmark_digest": benchmark.digest(),
        "steps": training.step,
        "seconds": round(time.monotonic() - started_s, 1),
        "train_accuracy": [row["train_accuracy"] for row in rows],
        "alpha_mean": [row["alpha_mean"] for row in rows],
        "alpha_std": [row["alpha_std"] for row in rows],
        **judged,
    }


def options_of(run: Run, benchmark: Benchmark, threads: int) -> TrainOptions:
    """How a run is trained: all at full size."""
    return TrainOptions(
        budget=Budget(steps=benchmark.steps),
        preset=benchmark.preset,
        method=run.variant.method,
        batch=benchmark.batch,
        rate=benchmark.rate,
        average=_AVERAGE,
        progressive=False,
        validations=_VALIDATIONS,
        seed=run.seed,
        threads=threads,
        losses=run.variant.losses(),
    )
