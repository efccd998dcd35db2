"""Fixed benchmarks: which patients are trained on, validated on and tested on, and how long.

A definition is a TOML file in `training/benchmarks`. It names simulated patients, whose pictures are rendered
from their numbers, or the sources of a user's own folder, each of which is left out in turn.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import torch

from semc_core.errors import UsageError
from semc_core.io.documents import STRICT, Document, DocumentFault, configured, plain_values
from semc_core.io.rules import within
from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import find_preset
from semc_core.text import counted
from training.data.frame_set import FrameSet, is_hard, read_shard, shard_path
from training.data.splits import Split, parse_patients, split_of
from training.data.synthetic import RenderOptions, render_patients
from training.transforms.augment import to_side

_FORMAT: Final = 2
"""Of the results; those of an earlier one do not say what is judged now."""

FOLDER: Final = Path(__file__).resolve().parent / "benchmarks"


@dataclass(frozen=True, slots=True)
class Patients:
    """The section of that name: FIRST:END each."""

    train: str
    validation: str
    test: str


@dataclass(frozen=True, slots=True)
class Pictures:
    """The section of that name; see `Benchmark`."""

    frames: Annotated[int, within(1)]
    size: Annotated[int, within(1)]
    hard: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The section of that name: pictures of a folder, of which each source in turn is tested on alone.

    Attributes:
        sources: As the folder's table names them, countries for example; each is left out once.
        classes: Labels that every source has; pictures of others are not used.
        validation: Share of the other sources' groups that thresholds are chosen on, 0-1.
    """

    sources: Annotated[tuple[str, ...], within(2)]
    classes: Annotated[tuple[str, ...], within(2)]
    validation: Annotated[float, within(above=0, most=0.5)] = 0.2


@dataclass(frozen=True, slots=True)
class TrainingPart:
    """The section `training`; see `Benchmark`."""

    preset: str
    steps: Annotated[int, within(1)]
    batch: Annotated[int, within(1)]
    rate: Annotated[float, within(above=0)]
    seeds: Annotated[tuple[int, ...], within(1)]
    side: Annotated[int, within(32)] | None = None


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class BenchmarkFile:
    """A definition, as it is written."""

    name: str
    training: TrainingPart
    patients: Patients | None = None
    pictures: Pictures | None = None
    left_out: LeftOut | None = None


BENCHMARK: Final = Document(BenchmarkFile, most_bytes=1_000_000)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What is compared on what.

    Attributes:
        name: For people.
        train: FIRST:END of the patients, and so the next two.
        validation: See `train`.
        test: See `train`.
        frames: Pictures rendered of each patient.
        size: Side of the stored pictures, pixels.
        preset: Architecture and input; pictures are shrunk to its side.
        steps: Of each training.
        batch: Frames per step.
        rate: Greatest learning rate.
        seeds: One training for each.
        hard: Rendered each plane among its neighbours; see `training.data.hard`.
        side: Of the network's input, pixels; None is the preset's.
        left_out: Real pictures in place of simulated patients; then `train` to `size` say nothing.
    """

    name: str
    train: str
    validation: str
    test: str
    frames: int
    size: int
    preset: str
    steps: int
    batch: int
    rate: float
    seeds: tuple[int, ...]
    hard: bool = False
    side: int | None = None
    left_out: LeftOut | None = None

    def __post_init__(self) -> None:
        for split in () if self.left_out else Split:
            patients = self.patients(split)
            if {split_of(patients[0]), split_of(patients[-1])} != {split}:
                raise UsageError(
                    f"The benchmark's {split.value} patients {patients[0]}:{patients[-1] + 1} belong to "
                    "another split; below 1000 is train, below 2000 validation, the rest test."
                )
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise UsageError("A benchmark needs one seed or more, each once.")
        pictures = () if self.left_out else (self.frames, self.size)
        if min(*pictures, self.steps, self.batch, self.rate) <= 0:
            raise UsageError("The numbers of a benchmark must be above 0.")

    @property
    def folds(self) -> tuple[int, ...]:
        """Numbers of the trainings of one network and seed, by what each is tested on; 0 is the only one."""
        return (0,) if self.left_out is None else tuple(range(1, len(self.left_out.sources) + 1))

    @property
    def input_side(self) -> int:
        """Rows and columns of the network's input."""
        return self.side or find_preset(self.preset).preprocessing.height

    def patients(self, split: Split) -> range:
        """The numbers of a split's patients."""
        return parse_patients({Split.TRAIN: self.train, Split.TEST: self.test}.get(split, self.validation))

    def facts(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        return plain_values(self)

    def digest(self) -> str:
        """Another one as soon as anything that decides a training is another; the seeds do not count."""
        facts = {name: value for name, value in self.facts().items() if name not in ("name", "seeds")}
        facts["format"] = _FORMAT
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def benchmark_names() -> list[str]:
    """The benchmarks that come with the program."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_benchmark(name: str) -> Benchmark:
    """The benchmark of that name, or of a TOML file.

    Raises:
        UsageError: There is none, or its file is not as it must be.
    """
    path = FOLDER / f"{name}.toml" if name in benchmark_names() else Path(name)
    try:
        read = BENCHMARK.parse_toml(path.read_bytes())
    except OSError as error:
        known = ", ".join(benchmark_names())
        raise UsageError(f"There is no benchmark {name!r}; choose {known}, or a TOML file.") from error
    except DocumentFault as fault:
        raise UsageError(f"{path.name} is no benchmark ({fault}); correct it.") from fault
    try:
        return _benchmark(read)
    except UsageError as error:
        raise UsageError(f"{path.name}: {error}") from error


def _benchmark(read: BenchmarkFile) -> Benchmark:
    """Raises UsageError where its values do not fit together."""
    training = asdict(read.training) | {"preset": find_preset(read.training.preset).architecture.preset}
    if read.left_out is not None:
        if read.patients is not None or read.pictures is not None:
            raise UsageError("Give either [left_out], or [patients] and [pictures].")
        none: dict[str, Any] = {"train": "", "validation": "", "test": "", "frames": 0, "size": 0}
        return Benchmark(read.name, **none | training, left_out=read.left_out)
    if read.patients is None or read.pictures is None:
        raise UsageError("Give [patients] and [pictures], or [left_out].")
    return Benchmark(read.name, **asdict(read.patients) | asdict(read.pictures) | training)


def missing_patients(benchmark: Benchmark, folder: Path) -> list[int]:
    """Those whose pictures are not yet in `folder`."""
    numbers = (patient for split in Split for patient in benchmark.patients(split))
    return [patient for patient in numbers if not shard_path(folder, patient).exists()]


def render_missing(benchmark: Benchmark, folder: Path, processes: int) -> Iterator[int]:
    """Render the patients whose pictures are not yet in `folder`; gives each one's number when it is done."""
    options = RenderOptions(benchmark.frames, benchmark.size, benchmark.hard)
    return render_patients(folder, missing_patients(benchmark, folder), options, processes)


def load_frames_of(benchmark: Benchmark, folder: Path, split: Split) -> FrameSet:
    """The frames of a split's patients, uint8, shrunk to the side of the network's input.

    Raises:
        UsageError: A patient is missing, damaged, or rendered otherwise than the benchmark says.
    """
    frames, rows = [], []
    for patient in benchmark.patients(split):
        path = shard_path(folder, patient)
        pictures, described = read_shard(path)
        rendered = (benchmark.frames, benchmark.size, benchmark.size)
        if pictures.shape != rendered:
            raise UsageError(
                f"{folder} holds {counted(len(pictures), 'picture')} of {pictures.shape[1]} pixels of "
                f"patient {patient}, not {benchmark.frames} of {benchmark.size} as the benchmark says; "
                "choose another --data."
            )
        if is_hard(path) != benchmark.hard:
            raise UsageError(
                f"{folder} holds patients that were rendered {'without' if benchmark.hard else 'with'} "
                "neighbours of the planes, and the benchmark wants the other; choose another --data."
            )
        if any(int(row.group) != patient for row in described):
            raise UsageError(f"The file of patient {patient} has frames of another; render it again.")
        shrunk = to_side(torch.from_numpy(np.array(pictures)), benchmark.input_side)[:, 0]
        frames.append((shrunk * 255).round().to(torch.uint8))
        rows += described
    labels = torch.tensor([LIVER_CLASSES.index(row.plane) for row in rows])
    return FrameSet(torch.cat(frames), labels, rows, LIVER_CLASSES)
