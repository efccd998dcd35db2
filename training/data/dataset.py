"""The frames of one split of a rendered set, and how often each frame of any set is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from semc_core.errors import UsageError
from training.data.frame_set import AMBIGUOUS, FrameSet
from training.data.shards import read_shard
from training.data.splits import Split, check_disjoint, split_of

__all__ = ["AMBIGUOUS", "FrameSet", "draw_weights", "load_split"]

_FAMILIES: Final = {"near": 0.45, "far": 0.2, "negative": 0.35}
"""How the draws of NSP are shared: beside a plane, elsewhere in the patient, not of a liver scan at all."""

_EXAMPLES: Final = {Split.TRAIN: "0:240", Split.VALIDATION: "1000:1024", Split.TEST: "2000:2020"}


def load_split(folder: Path, split: Split, classes: tuple[str, ...]) -> FrameSet:
    """All frames of the patients of one split in a rendered set.

    Raises:
        UsageError: There are none, a patient lies in another's file, a class is unknown, or sizes differ.
    """
    frames, rows = [], []
    homes: dict[Split, set[str]] = {each: set() for each in Split}
    for path in sorted(folder.glob("p*.csv")):
        patient = _patient_of(path)
        home = split_of(patient)
        pictures, described = read_shard(path)
        homes[home] |= {row.group for row in described}
        if home is split:
            frames.append(pictures)
            rows += described
    check_disjoint(homes)
    if not rows:
        raise UsageError(
            f"{folder} has no {split.value} patients; render some with `semc phantom dataset "
            f"--out {folder} --patients {_EXAMPLES[split]}`."
        )
    if any(split_of(int(row.group)) is not split for row in rows):
        raise UsageError(f"{folder} has a patient in a file of another split; render the set again.")
    if len({pictures.shape[1:] for pictures in frames}) > 1:
        raise UsageError(f"The pictures in {folder} differ in size; render them all with one --size.")
    unknown = {row.plane for row in rows} - set(classes)
    if unknown:
        raise UsageError(
            f"{folder} has frames of {', '.join(sorted(unknown))}, which the model does not know."
        )
    labels = torch.tensor([classes.index(row.plane) for row in rows])
    return FrameSet(torch.from_numpy(np.concatenate(frames)), labels, rows, classes)


def draw_weights(data: FrameSet, non_standard_share: float, ambiguous_weight: float) -> Tensor:
    """How often each frame is drawn: planes equally often, NSP and its families with their shares.

    Args:
        data: See there.
        non_standard_share: Of NSP in all draws, 0-1.
        ambiguous_weight: Factor for frames in the ambiguous band; 0 leaves them out.

    Returns:
        float64 (N,), sums to 1.
    """
    families = data.families()
    own = np.where(data.is_ambiguous(), ambiguous_weight, 1.0)
    totals = {name: own[[family == name for family in families]].sum() for name in set(families)}
    present = {name for name, total in totals.items() if total > 0}
    planes = present - set(_FAMILIES)
    others = sum(_FAMILIES[name] for name in present & set(_FAMILIES))
    weights = np.zeros(len(families))
    for i, family in enumerate(families):
        if family in planes:
            weights[i] = own[i] * (1 - non_standard_share) / len(planes) / totals[family]
        elif family in present:
            weights[i] = own[i] * non_standard_share * _FAMILIES[family] / others / totals[family]
    return torch.from_numpy(weights / weights.sum())


def _patient_of(path: Path) -> int:
    try:
        return int(path.stem[1:])
    except ValueError:
        raise UsageError(f"{path.name} is no file of a rendered set; remove it from the folder.") from None
