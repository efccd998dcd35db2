"""What anatomy each frame shows, as far as it is known, and pairs of frames that show the same.

Fine anatomies are the class names. Coarse ones come from a table that puts classes together: all brain planes
as "brain", for example. Frames of the class for "none of these" and unlabelled frames have no anatomy, unless
the table gives them one.

Shapes: N frames, B frames of a step.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from semc_core.errors import UsageError
from semc_core.labels import NON_STANDARD
from training.data.enough import is_unlabelled
from training.data.loading import FrameSet
from training.losses.nt_xent import UNKNOWN


def read_coarse(path: Path) -> dict[str, str]:
    """The table of coarse anatomies: a CSV file with the columns `label` and `anatomy`.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        with path.open(newline="", encoding="utf-8") as table:
            found = {row["label"]: row["anatomy"] for row in csv.DictReader(table)}
        if not found or None in found.values():
            raise ValueError("no rows, or half of one")
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise UsageError(
            f"{path.name} cannot be read; it must be a CSV file with the columns label and anatomy."
        ) from error
    return found


def anatomies(data: FrameSet, coarse: Mapping[str, str] | None = None) -> Tensor:
    """int64 (N,): the anatomy of each frame, from 0, or `UNKNOWN`.

    Args:
        data: See there.
        coarse: For each class name its anatomy; a class that is not named keeps its own.
    """
    named = [_anatomy(name, coarse or {}) for name in data.classes]
    numbers = {name: number for number, name in enumerate(sorted({name for name in named if name}))}
    by_class = torch.tensor([numbers.get(name, UNKNOWN) for name in named])
    return by_class[data.labels]


def _anatomy(name: str, coarse: Mapping[str, str]) -> str:
    """The anatomy of a class, "" if it has none."""
    if name in coarse:
        return coarse[name]
    return "" if name == NON_STANDARD or is_unlabelled(name) else name


class Partners:
    """Finds for each frame another of the same anatomy, A(i) of algorithm 1.

    Args:
        known: int64 (N,), as from `anatomies`.
    """

    def __init__(self, known: Tensor) -> None:
        self._places = {
            int(anatomy): torch.nonzero(known == anatomy).flatten()
            for anatomy in torch.unique(known)
            if anatomy != UNKNOWN
        }

    def of(self, chosen: Tensor, used: Tensor, generator: torch.Generator) -> Tensor:
        """int64 (B,): for each frame a partner; itself where its anatomy is unknown, or no other has it.

        Args:
            chosen: int64 (B,), places of frames.
            used: int64 (B,), their anatomies in this draw.
            generator: Decides.
        """
        partners = [
            self._one(place, anatomy, generator)
            for place, anatomy in zip(chosen.tolist(), used.tolist(), strict=True)
        ]
        return torch.tensor(partners, dtype=torch.long)

    def _one(self, place: int, anatomy: int, generator: torch.Generator) -> int:
        if anatomy == UNKNOWN or len(self._places[anatomy]) < 2:
            return place
        others = self._places[anatomy]
        # One fewer to choose from, and the frame's own place is skipped.
        drawn = int(torch.randint(len(others) - 1, (), generator=generator))
        own = int(torch.searchsorted(others, place))
        return int(others[drawn + (drawn >= own)])


def kept(known: Tensor, ratio: float, generator: torch.Generator) -> Tensor:
    """int64 (B,): anatomies, each used with the chance `ratio`, else `UNKNOWN` (section 6.4)."""
    used = torch.rand(len(known), generator=generator) < ratio
    return known.where(used, torch.full_like(known, UNKNOWN))
