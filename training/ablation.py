"""The ablation: networks with and without their parts, over several seeds, on one benchmark.

The paper's table 4 (plain, +ACE, +ACE+SAMC, +ACE+L_mc, all) and figure 3 (fixed alpha against the learned
one). Every training has as many steps as any other, sees the same frames as the others of its seed, and is
judged by its averaged weights after the last step: nothing is chosen on the test patients, nor on the
validation patients.

What an ablation found, as tables with mean and spread: JSON for programs, Markdown for people.
"""

from __future__ import annotations

import json
import shutil
import statistics
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import torch
from typing_extensions import TypedDict

from semc_core.errors import UsageError
from semc_core.io.atomic import write_atomically
from semc_core.io.documents import OPEN, Document, DocumentFault, configured, reason
from semc_core.io.rules import within
from training.benchmark import Benchmark
from training.config import TrainOptions
from training.data.frame_set import FrameSet
from training.data.splits import Split
from training.inference import classify
from training.losses.config import LossOptions, loss_recipe
from training.metrics import frame_metrics
from training.run_folder import make_folder
from training.schedule import Budget
from training.trainer.callbacks import Callback, FitState, Metrics
from training.trainer.semc import SemcModule
from training.trainer.trainer import Trainer

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


@configured(OPEN)
class Judged(TypedDict):
    """What is said of a network on the test patients."""

    accuracy: float
    precision: float
    recall: float
    f1: float


@configured(OPEN)
class RunResult(TypedDict):
    """What must be in the file of a run's result; the summary has the rest of it, too."""

    benchmark_digest: str
    alpha_mean: Annotated[list[float], within(1)]
    test: Judged


RUN_RESULT: Final[Document[Any]] = Document(RunResult)


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
        result: dict[str, Any] = RUN_RESULT.read(path)
    except (OSError, DocumentFault) as error:
        raise UsageError(
            f"{path} cannot be read ({reason(error)}); remove it, and its training is done again."
        ) from error
    if result["benchmark_digest"] != benchmark.digest():
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
    module = SemcModule(options_of(run, benchmark, threads), frames.train, frames.validation)
    trainer, told = Trainer(module, folder), _Told(lambda progress: tell(run, progress))
    trainer.fit([told])
    rows, network = told.rows, module.best_network()
    judged = {}
    for name, data in (("validation", frames.validation), ("test", frames.test)):
        clear = data.subset(~data.is_ambiguous())
        logits = classify(network, clear.frames, module.preprocessing).logits
        judged[name] = frame_metrics(torch.softmax(logits, 1), clear.labels, clear.classes)
    shutil.rmtree(folder, ignore_errors=True)
    return {
        "variant": run.variant.name,
        "seed": run.seed,
        "benchmark_digest": benchmark.digest(),
        "steps": trainer.step,
        "seconds": round(time.monotonic() - started_s, 1),
        "train_accuracy": [row["train_accuracy"] for row in rows],
        "alpha_mean": [row["alpha_mean"] for row in rows],
        "alpha_std": [row["alpha_std"] for row in rows],
        **judged,
    }


class _Told(Callback):
    """Passes on the progress, and keeps the rows of the log."""

    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell = tell
        self.rows: list[Metrics] = []

    def on_train_batch_end(self, state: FitState, metrics: Metrics) -> None:
        """Pass on the progress."""
        self._tell(state.progress)

    def on_validation_end(self, state: FitState, row: Metrics) -> None:
        """Keep the row."""
        self.rows.append(row)


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


SHOWN: Final = ("accuracy", "precision", "recall", "f1")
_BASES: Final = {"table": "plain", "figure": "all"}
_LEARNED: Final = VARIANTS["all"]

Results = Mapping[str, Mapping[int, Mapping[str, Any]]]
"""By variant and seed."""


def summary(benchmark: Benchmark, results: Results, machine: Mapping[str, str]) -> dict[str, Any]:
    """Mean and spread of every variant, and its difference to the plain network or the learned alpha.

    A difference is taken seed by seed, since runs of one seed see the same frames in the same order.

    Args:
        benchmark: See there.
        results: As `train_one` gives them; any may be missing.
        machine: Names and versions, for the record.

    Returns:
        Plain JSON values.
    """
    return {
        "benchmark": benchmark.facts() | {"digest": benchmark.digest()},
        "machine": dict(machine),
        "judged_on": "test patients, frames that are clearly standard or clearly not",
        "table": [_row(each, results, _BASES["table"]) for each in TABLE if results.get(each.name)],
        "figure": [_row(each, results, _BASES["figure"]) for each in FIGURE if results.get(each.name)]
        + ([_row(_LEARNED, results, _BASES["figure"])] if results.get("all") else []),
        "runs": [results[name][seed] for name in VARIANTS for seed in sorted(results.get(name, {}))],
    }


def _row(variant: Variant, results: Results, base: str) -> dict[str, Any]:
    own, others = results[variant.name], results.get(base, {})
    shared = sorted(set(own) & set(others))
    return {
        "variant": variant.name,
        "title": variant.title,
        "seeds": sorted(own),
        "alpha": _spread([own[seed]["alpha_mean"][-1] for seed in sorted(own)]),
        **{name: _spread([own[seed]["test"][name] for seed in sorted(own)]) for name in SHOWN},
        "f1_difference": None
        if variant.name == base or not shared
        else _spread([own[seed]["test"]["f1"] - others[seed]["test"]["f1"] for seed in shared])
        | {"to": base},
    }


def _spread(values: Sequence[float]) -> dict[str, Any]:
    """Mean, sample standard deviation (null of one value), least and greatest."""
    return {
        "mean": statistics.fmean(values),
        "std": statistics.stdev(values) if len(values) > 1 else None,
        "least": min(values),
        "greatest": max(values),
        "count": len(values),
    }


def markdown(found: Mapping[str, Any]) -> str:
    """The tables of `summary` for people, in per cent."""
    b = found["benchmark"]
    counts = [len(_patients(b, split)) for split in Split]
    lines = [
        f"# Ablation: {b['name']}",
        "",
        f"Preset {b['preset']}, {b['steps']} steps of {b['batch']} frames, learning rate {b['rate']:g}. "
        f"Trained on {counts[0]} simulated patients ({b['train']}), tested on {counts[2]} others "
        f"({b['test']}), on the frames that are clearly standard or clearly not. "
        "Mean and standard deviation over the seeds, "
        "in per cent; differences in points, seed by seed.",
        "",
        "## ACE, SAMC and L_mc (table 4 of the paper)",
        "",
        *_table(found["table"], "F1 against plain"),
        "",
        "## Alpha, fixed and learned (figure 3 of the paper)",
        "",
        *_table(found["figure"], "F1 against learned", alpha=True),
        "",
        "Machine: " + ", ".join(f"{name} {value}" for name, value in found["machine"].items()) + ".",
    ]
    return "\n".join(lines) + "\n"


def _patients(benchmark: Mapping[str, Any], split: Split) -> range:
    first, last = str(benchmark[split.value]).split(":")
    return range(int(first), int(last))


def _table(rows: Sequence[Mapping[str, Any]], against: str, alpha: bool = False) -> list[str]:
    heads = [
        "",
        "seeds",
        *(["alpha at the end"] if alpha else []),
        "accuracy",
        "precision",
        "recall",
        "F1",
        against,
    ]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows:
        cells = [row["title"], str(len(row["seeds"]))]
        cells += [f"{row['alpha']['mean']:.2f}"] if alpha else []
        cells += [_percent(row[name]) for name in SHOWN]
        cells.append("-" if row["f1_difference"] is None else _percent(row["f1_difference"], sign="+"))
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _percent(spread: Mapping[str, Any], sign: str = "") -> str:
    std = "" if spread["std"] is None else f" ± {100 * spread['std']:.1f}"
    return f"{100 * spread['mean']:{sign}.1f}{std}"
