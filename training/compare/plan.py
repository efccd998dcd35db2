"""What a comparison trains, where its results lie, and what must be the same for them to belong together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from typing_extensions import TypedDict

from semc_core.errors import UsageError
from semc_core.io.atomic import write_atomically
from semc_core.io.documents import OPEN, STRICT, Document, DocumentFault, configured, reason
from semc_core.io.rules import PlainObject, within
from training.config import TrainOptions
from training.config_file import ENDS, values_of
from training.data.index import DataIndex, listing
from training.models import NETWORKS

ALL: Final = "all"
ALWAYS: Final = "semc"
"""Gets more seeds together with the best."""

PLAN_NAME: Final = "plan.json"
_OF_A_RUN: Final = ("method", "seed", "threads", *ENDS)
"""Choices that differ between the runs of one comparison, or change nothing, or are told as its length."""
PLAN: Final[Document[dict[str, Any]]] = Document(PlainObject, config=STRICT)


@dataclass(frozen=True, slots=True)
class Run:
    """One training.

    Attributes:
        method: One of `training.models.NETWORKS`.
        seed: Of its weights, draws and augmentation.
    """

    method: str
    seed: int

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.method}, seed {self.seed}"

    def path(self, out: Path) -> Path:
        """Where its result lies, once it is there."""
        return out / "runs" / f"{self.method}_seed{self.seed}.json"

    def model(self, out: Path) -> Path:
        """Its model file while it is worked on."""
        return out / "work" / f"{self.method}_seed{self.seed}.safetensors"


def kept_model(out: Path, method: str) -> Path:
    """Where the model file of a method's best seed lies, if it is kept."""
    return out / "models" / f"{method}.safetensors"


@configured(OPEN)
class RunResult(TypedDict):
    """What a run's file holds.

    Attributes:
        plan: Digest of the plan that it belongs to.
        method: See `Run`.
        seed: See `Run`.
        steps: That it was trained.
        seconds: The same.
        validation_f1: Macro F1 of the surest class on the validation patients.
        thresholds: Of each class, chosen on the validation patients.
        parameters: Of the network.
        milliseconds: A frame takes, median.
        ran_on: What ran it.
        model_sha256: Of its model file, as it was judged.
        truth: Class of each test frame.
        group_of: Number of its patient.
        probabilities: Of each test frame the classes' probabilities, calibrated, as the program shows them.
    """

    plan: str
    method: str
    seed: int
    steps: int
    seconds: float
    validation_f1: float
    thresholds: Annotated[list[float], within(2)]
    parameters: int
    milliseconds: float
    ran_on: str
    model_sha256: str
    truth: Annotated[list[int], within(1)]
    group_of: Annotated[list[int], within(1)]
    probabilities: Annotated[list[list[float]], within(1)]


RUN_RESULT: Final[Document[Any]] = Document(RunResult, most_bytes=1 << 28)

Results = Mapping[str, Mapping[int, RunResult]]
"""By method and seed."""


def methods_of(text: str) -> tuple[str, ...]:
    """Names of networks, with commas between, or "all".

    Raises:
        UsageError: There is no such network.
    """
    names = tuple(NETWORKS) if text == ALL else tuple(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in NETWORKS:
            raise UsageError(f"There is no method {name!r}; choose from {', '.join(NETWORKS)}, or {ALL}.")
    return names


def seeds_of(text: str) -> tuple[int, ...]:
    """How many seeds, from 1 on; or the seeds themselves, with commas between.

    Raises:
        UsageError: It is neither.
    """
    try:
        numbers = [int(part) for part in text.split(",") if part]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < (0 if "," in text else 1):
        raise UsageError(f"--seeds {text!r} must be how many, as 3, or the seeds themselves, as 1,2,5.")
    return tuple(dict.fromkeys(numbers)) if "," in text else tuple(range(1, numbers[0] + 1))


def planned(methods: Sequence[str], seeds: Iterable[int]) -> list[Run]:
    """All trainings, one seed after the other, so that a first table is there after the first seed."""
    return [Run(method, seed) for seed in seeds for method in methods]


def further_runs(results: Results, seeds: Sequence[int], total: int, best: int) -> list[Run]:
    """The trainings that give the best methods, and SEMC, `total` seeds.

    Args:
        results: Of all methods that came through with `seeds`.
        seeds: That every method has.
        total: Seeds of the best.
        best: How many methods are that, by their mean F1 on the validation patients.
    """
    whole = {name: of for name, of in results.items() if set(seeds) <= set(of)}
    ranked = sorted(whole, key=lambda name: -mean_validation(whole[name], seeds))
    chosen = [name for name in whole if name in ranked[:best] or name == ALWAYS]
    more = [seed for seed in range(1, total + max(seeds) + 1) if seed not in seeds][: total - len(seeds)]
    return planned(chosen, more)


def mean_validation(of: Mapping[int, RunResult], seeds: Iterable[int] | None = None) -> float:
    """A method's mean F1 on the validation patients, by which it is chosen; of all its seeds, or of some."""
    values = [of[seed]["validation_f1"] for seed in (of if seeds is None else seeds)]
    return sum(values) / len(values)


def plan_of(options: TrainOptions, length: str, encoder: Path | None, index: DataIndex) -> dict[str, Any]:
    """What is the same for all runs of a comparison, by name; plain JSON values.

    Args:
        options: How all are trained.
        length: Of each training, in words.
        encoder: That all start from.
        index: The data set with its splits.

    Raises:
        UsageError: The encoder cannot be read.
    """
    choices = {key: value for key, value in values_of(options).items() if key not in _OF_A_RUN}
    groups = "\0".join(sample.group for sample in index.samples).encode(errors="surrogateescape")
    pictures = hashlib.sha256(listing(index.samples) + groups).hexdigest()
    return choices | {"length": length, "encoder": _hash_of(encoder), "pictures or their splits": pictures}


def _hash_of(encoder: Path | None) -> str:
    if encoder is None:
        return ""
    try:
        with encoder.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{encoder} cannot be read ({error.strerror}); name another --encoder.") from error


def begin(out: Path, plan: Mapping[str, Any]) -> str:
    """Write the plan into the folder, or see that it is the one that is there. Returns its digest.

    Raises:
        UsageError: The folder holds results of another comparison, or its plan is damaged.
        SaveError: It cannot be written.
    """
    path, text = out / PLAN_NAME, json.dumps(dict(plan), indent=2, sort_keys=True)
    try:
        there = PLAN.read(path) if path.exists() else None
    except (OSError, DocumentFault) as error:
        raise UsageError(f"{path} cannot be read ({reason(error)}); choose another --out.") from error
    if there is None:
        write_atomically(path, text.encode())
    elif other := _differing(there, PLAN.parse(text)):
        raise UsageError(
            f"{out} holds results with other {', '.join(other)}, which cannot stand in one table; give the "
            "same, or choose another --out."
        )
    return hashlib.sha256(text.encode()).hexdigest()


def _differing(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    names = [*wanted, *(name for name in there if name not in wanted)]
    return [name for name in names if name not in there or there[name] != wanted.get(name)]


def read_result(run: Run, digest: str, out: Path) -> RunResult | None:
    """A run's result, or None if it was not yet done.

    Raises:
        UsageError: It is of another plan, or damaged.
    """
    path = run.path(out)
    if not path.exists():
        return None
    try:
        result: RunResult = RUN_RESULT.read(path)
    except (OSError, DocumentFault) as error:
        raise UsageError(
            f"{path} cannot be read ({reason(error)}); remove it, and its training is done again."
        ) from error
    if result["plan"] != digest:
        raise UsageError(f"{path} is the result of another comparison; choose another --out.")
    return result
