"""Real pictures of several sources, each left out in turn: learned from the others, tested on the one."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch

from semc_core.errors import UsageError
from semc_core.imaging.preprocess import Preprocessing
from semc_core.model.architecture import find_preset
from training.ablation.runs import Frames
from training.benchmark import Benchmark, LeftOut
from training.data.frame_set import FrameSet
from training.data.index import DataIndex
from training.data.loading import load_frames
from training.data.readers import open_data

_SEED: Final = 1
"""Of dealing validation patients: the same for all seeds, so that only what is learned differs."""


def load_left_out(benchmark: Benchmark, folder: Path) -> dict[int, Frames]:
    """The frames of every fold; see `Benchmark.folds`.

    Args:
        benchmark: One with `left_out`.
        folder: With `index.csv` of the columns file, label, source, group.

    Raises:
        UsageError: The folder holds no such table, a picture cannot be read, or a source or class is missing.
    """
    wanted = benchmark.left_out
    assert wanted is not None
    index = _chosen(open_data(folder), wanted)
    preprocessing = replace(
        find_preset(benchmark.preset).preprocessing, height=benchmark.input_side, width=benchmark.input_side
    )
    data = _read(index, preprocessing)
    return {
        fold: _fold(data, source, wanted.validation) for fold, source in enumerate(wanted.sources, start=1)
    }


def _chosen(index: DataIndex, wanted: LeftOut) -> DataIndex:
    samples = tuple(
        replace(sample, split="")
        for sample in index.samples
        if sample.source in wanted.sources and sample.label in wanted.classes
    )
    for what, there, named in (
        ("source", {sample.source for sample in samples}, wanted.sources),
        ("class", {sample.label for sample in samples}, wanted.classes),
    ):
        absent = [name for name in named if name not in there]
        if absent:
            raise UsageError(
                f"{index.name} has no pictures of the {what} {absent[0]} that the benchmark names; choose "
                "another --data (docs/benchmarks.md says which data set it is)."
            )
    return replace(index, samples=samples, classes=wanted.classes, none_class=None)


def _read(index: DataIndex, preprocessing: Preprocessing) -> FrameSet:
    """All frames; patients who share a picture to the last gray level are one group."""
    data = load_frames(index, "", preprocessing)
    frames = data.frames.numpy()
    keys = [hashlib.sha256(np.ascontiguousarray(frame).tobytes()).hexdigest() for frame in frames]
    heads: dict[str, str] = {}

    def head(name: str) -> str:
        while name in heads:
            name = heads[name]
        return name

    first: dict[tuple[str, str], str] = {}
    for key, row in zip(keys, data.rows, strict=True):
        one, other = head(first.setdefault((row.source, key), row.group)), head(row.group)
        if one != other:
            heads[max(one, other)] = min(one, other)
    rows = [replace(row, group=head(row.group)) for row in data.rows]
    return FrameSet(torch.from_numpy(np.array(frames)), data.labels, rows, data.classes)


def _fold(data: FrameSet, source: str, share: float) -> Frames:
    """Tested on one source; of the others' groups some of each source are kept to choose thresholds on."""
    kept: set[str] = set()
    rng = np.random.default_rng(_SEED)
    for other in sorted({row.source for row in data.rows} - {source}):
        groups = sorted({row.group for row in data.rows if row.source == other})
        count = max(1, round(share * len(groups)))
        kept |= {groups[int(place)] for place in rng.permutation(len(groups))[:count]}
    own = np.array([row.source == source for row in data.rows])
    validation = np.array([row.group in kept for row in data.rows])
    return Frames(data.subset(~own & ~validation), data.subset(validation), data.subset(own))
