"""The trainings of an ablation.

Every training has as many steps as any other, sees the same frames as the others of its seed, and is judged
by its averaged weights after the last step: nothing is chosen on the test patients. On the validation
patients the thresholds are chosen, and which single expert is the best.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import torch
from typing_extensions import TypedDict

from semc_core.errors import UsageError
from semc_core.groups.bootstrap import Floats
from semc_core.io.atomic import write_atomically
from semc_core.io.documents import OPEN, Document, DocumentFault, configured, reason
from semc_core.io.rules import within
from semc_core.model.network import SemcNetwork
from semc_core.model.presets import MIXTURE
from training.ablation.measures import Judged, best_thresholds, judged, macro_auroc
from training.ablation.variants import VARIANTS, Variant, named
from training.benchmark import Benchmark
from training.config import TrainOptions
from training.data.frame_set import FrameSet
from training.inference import evaluating, normalised
from training.metrics import frame_metrics
from training.run_folder import make_folder
from training.schedule import Budget
from training.trainer.callbacks import Callback, FitState, Metrics
from training.trainer.semc import SemcModule
from training.trainer.trainer import Trainer
from training.transforms.augment import to_side

AVERAGE: Final = 0.99
VALIDATIONS: Final = 3
_BATCH: Final = 64


@dataclass(frozen=True, slots=True)
class Run:
    """One training.

    Attributes:
        variant: What is trained.
        seed: Of its weights, draws and augmentation.
        fold: Which source is left out; see `Benchmark.folds`.
    """

    variant: Variant
    seed: int
    fold: int = 0

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.variant.name} seed {self.seed}" + (f" fold {self.fold}" if self.fold else "")

    def path(self, out: Path) -> Path:
        """Where its result lies, once it is there."""
        fold = f"_fold{self.fold}" if self.fold else ""
        return out / "runs" / f"{self.variant.name}_seed{self.seed}{fold}.json"


@dataclass(frozen=True, slots=True)
class Frames:
    """What a training has."""

    train: FrameSet
    validation: FrameSet
    test: FrameSet


@configured(OPEN)
class RunResult(TypedDict):
    """What must be in the file of a run's result; the summary has most of the rest of it, too."""

    benchmark_digest: str
    alpha_mean: Annotated[list[float], within(1)]
    test: Judged
    predictions: dict[str, Any]


RUN_RESULT: Final[Document[Any]] = Document(RunResult, most_bytes=1 << 28)


def planned(benchmark: Benchmark, names: Sequence[str]) -> list[Run]:
    """All trainings, one seed after the other, so that a first table is there after the first seed.

    Raises:
        UsageError: There is no such variant.
    """
    trained = dict.fromkeys(VARIANTS[name].trained for name in named(",".join(names)))
    return [
        Run(VARIANTS[name], seed, fold)
        for seed in benchmark.seeds
        for name in trained
        for fold in benchmark.folds
    ]


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


Results = Mapping[str, Mapping[int, Sequence[Mapping[str, Any]]]]
"""By variant and seed, of each fold: as `train_one` gives them."""


def read_results(runs: Sequence[Run], benchmark: Benchmark, out: Path) -> Results:
    """What is done of the runs; a seed of which folds are missing is left out.

    Raises:
        UsageError: See `read_result`.
    """
    found: dict[str, dict[int, list[Mapping[str, Any]]]] = {}
    for run in runs:
        result = read_result(run, benchmark, out)
        if result is not None:
            found.setdefault(run.variant.name, {}).setdefault(run.seed, []).append(_compact(result))
    whole = len(benchmark.folds)
    return {
        name: {seed: folds for seed, folds in seeds.items() if len(folds) == whole}
        for name, seeds in found.items()
    }


def _compact(result: dict[str, Any]) -> dict[str, Any]:
    """The same, with the probabilities of hundreds of runs as arrays, which take a tenth of the memory."""
    predictions = result["predictions"]
    for name in ("mixture", "best_expert"):
        if said := predictions[name]:
            predictions[name] = said | {"probabilities": np.array(said["probabilities"], np.float64)}
    return result


def train_missing(
    runs: Sequence[Run],
    benchmark: Benchmark,
    frames: Mapping[int, Frames],
    out: Path,
    threads: int,
    tell: Callable[[Run, float], None] = lambda run, progress: None,
) -> Generator[tuple[Run, dict[str, Any]], None, None]:
    """Do the trainings that have no result yet. Each result is written when it is there, whole or not at all.

    Args:
        runs: All that are wanted.
        benchmark: See there.
        frames: Of its patients, by fold.
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
        result = train_one(run, benchmark, frames[run.fold], out / "work", threads, tell)
        write_atomically(path, json.dumps(result).encode())
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
        `validation` are `measures.judged`, without the frames that are neither clearly standard nor clearly
        not; `predictions` is what the network says of each of those test frames.
    """
    started_s = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    module = SemcModule(options_of(run, benchmark, threads), frames.train, frames.validation)
    trainer, told = Trainer(module, folder), _Told(lambda progress: tell(run, progress))
    trainer.fit([told])
    rows = told.rows
    validation, test = clear(frames.validation), clear(frames.test)
    answers = {name: answered(module, data) for name, data in (("validation", validation), ("test", test))}
    shutil.rmtree(folder, ignore_errors=True)
    return {
        "variant": run.variant.name,
        "seed": run.seed,
        "fold": run.fold,
        "benchmark_digest": benchmark.digest(),
        "steps": trainer.step,
        "seconds": round(time.monotonic() - started_s, 1),
        "train_accuracy": [row["train_accuracy"] for row in rows],
        "alpha_mean": [row["alpha_mean"] for row in rows],
        "alpha_std": [row["alpha_std"] for row in rows],
        **judgements(validation, test, answers["validation"], answers["test"]),
    }


def clear(data: FrameSet) -> FrameSet:
    """Without the frames that are neither clearly standard nor clearly not."""
    return data.subset(~data.is_ambiguous())


@torch.no_grad()
def answered(module: SemcModule, data: FrameSet) -> list[torch.Tensor]:
    """float (N, K) probabilities of the averaged network: the mixture's, then those of each of its experts.

    A network with one expert, or one that chooses an expert, has the mixture's alone.
    """
    network, preprocessing = module.best_network(), module.preprocessing
    first = next(network.parameters())
    parts: list[torch.Tensor] = []
    with evaluating(network):
        for part in torch.split(data.frames, _BATCH):
            inputs = normalised(to_side(part, preprocessing.height), preprocessing)
            found = network.details(inputs.to(first).contiguous(memory_format=torch.channels_last))
            logits = found.logits[:, None]
            if isinstance(network, SemcNetwork) and has_a_mixture(network):
                logits = torch.cat([logits, found.expert_logits], dim=1)
            parts.append(torch.softmax(logits.float(), dim=2).cpu())
    return list(torch.cat(parts).unbind(dim=1))


def has_a_mixture(network: SemcNetwork) -> bool:
    """Whether several experts' answers are mixed."""
    return network.architecture.experts > 1 and network.architecture.routing == MIXTURE


def judgements(
    validation: FrameSet,
    test: FrameSet,
    on_validation: Sequence[torch.Tensor],
    on_test: Sequence[torch.Tensor],
) -> dict[str, Any]:
    """What is said of a network, and what it says: the parts of `train_one` that are not of the training."""
    thresholds = [best_thresholds(each.numpy(), validation.labels.numpy()) for each in on_validation]
    found: dict[str, Any] = {}
    for name, data, answers in (("validation", validation, on_validation[0]), ("test", test, on_test[0])):
        found[name] = frame_metrics(answers, data.labels, data.classes)
        found[name] |= judged(answers.numpy(), data.labels.numpy(), thresholds[0])
    labels = validation.labels.numpy()
    scores = [macro_auroc(each.numpy(), labels) for each in on_validation[1:]]
    best = int(np.nanargmax(scores)) + 1 if np.isfinite(scores).any() else None
    groups = test.groups
    place = {group: number for number, group in enumerate(groups)}
    found["predictions"] = {
        "classes": list(test.classes),
        "truth": test.labels.tolist(),
        "groups": groups,
        "group_of": [place[row.group] for row in test.rows],
        "near": [test.classes.index(row.near) if row.near else -1 for row in test.rows],
        "off": [abs(row.off) for row in test.rows],
        "mixture": _said(on_test[0], thresholds[0]),
        "best_expert": None if best is None else _said(on_test[best], thresholds[best]) | {"expert": best},
    }
    return found


def _said(probabilities: torch.Tensor, thresholds: Floats) -> dict[str, Any]:
    short = [[float(f"{value:.6g}") for value in row] for row in probabilities.tolist()]
    return {"probabilities": short, "thresholds": thresholds.tolist()}


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
        size=None if benchmark.side is None else (benchmark.side, benchmark.side),
        routing=run.variant.routing,
        start=run.variant.start,
        batch=benchmark.batch,
        rate=benchmark.rate,
        average=AVERAGE,
        progressive=False,
        validations=VALIDATIONS,
        seed=run.seed,
        threads=threads,
        losses=run.variant.losses(),
    )
