"""How training pictures are changed, by name.

"live" is this program's own (`augment.py`); "paper" and "released" are those of the SEMC paper and of its
released code, "simclr" is for contrastive pretraining, all three by torchvision's transforms. To each,
changes of an ultrasound scanner can be added (`ultrasound.py`). One generator decides everything, so the
same state gives the same batch.

The released code's CLAHE is no random change: it belongs to the preprocessing, which live pictures go
through too (`Preprocessing.clahe`).

Shapes: B batch, h x w stored pixels, s output rows, c output columns, as many as keep the stored shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor
from torchvision.transforms import v2

from semc_core.errors import UsageError
from training.transforms.augment import Augmenter, to_side
from training.transforms.config import AugmentOptions
from training.transforms.ultrasound import OPTIONS

Recipe = Callable[[Tensor, int], Tensor]
"""Frames uint8 (B, h, w) and rows s -> changed pictures, float (B, 1, s, c), 0-1, not yet normalised."""

Size = tuple[int, int]
"""Rows and columns."""

_BILINEAR: Final = v2.InterpolationMode.BILINEAR


def _paper(size: Size) -> list[v2.Transform]:
    """Rotation, both flips, brightness. The paper gives no ranges; these are those of the released code."""
    return [
        v2.RandomRotation(10, interpolation=_BILINEAR),
        v2.RandomHorizontalFlip(),
        v2.RandomVerticalFlip(),
        v2.ColorJitter(brightness=0.2),
    ]


def _released(size: Size) -> list[v2.Transform]:
    return [
        v2.RandomHorizontalFlip(),
        v2.RandomRotation(10, interpolation=_BILINEAR),
        v2.RandomResizedCrop(size, scale=(0.8, 1.0), antialias=True),
        v2.ColorJitter(brightness=0.2, contrast=0.2),
        v2.RandomApply([v2.GaussianBlur(3)], p=0.3),
        v2.RandomErasing(p=0.4, scale=(0.02, 0.08)),
    ]


def _simclr(size: Size) -> list[v2.Transform]:
    """What SimCLR does (Chen et al. 2020), without what needs colour; the gray level's shift is kept."""
    return [
        v2.RandomResizedCrop(size, scale=(0.25, 1.0), antialias=True),
        v2.RandomHorizontalFlip(),
        v2.RandomApply([v2.ColorJitter(brightness=0.4, contrast=0.4)], p=0.8),
        v2.RandomApply([v2.GaussianBlur(5, sigma=(0.1, 2.0))], p=0.5),
    ]


_BY_TORCHVISION: Final[dict[str, Callable[[Size], list[v2.Transform]]]] = {
    "paper": _paper,
    "released": _released,
    "simclr": _simclr,
    "none": lambda size: [],
}
RECIPES: Final = ("live", *_BY_TORCHVISION)


def make_recipe(
    name: str,
    generator: torch.Generator,
    options: AugmentOptions | None = None,
    ultrasound: Sequence[str] = (),
) -> Recipe:
    """The recipe of that name.

    Args:
        name: One of `RECIPES`.
        generator: Of the CPU. Decides everything; its state moves on with each batch.
        options: How far "live" changes frames; the others have their own ranges.
        ultrasound: Names from `training.transforms.ultrasound.OPTIONS`, done after the recipe in this order.

    Raises:
        UsageError: There is no such recipe or change.
    """
    if name not in RECIPES:
        raise UsageError(f"There is no recipe {name!r}; choose one of {', '.join(RECIPES)}.")
    unknown = [each for each in ultrasound if each not in OPTIONS]
    if unknown:
        raise UsageError(f"There is no change {unknown[0]!r}; choose from {', '.join(OPTIONS)}.")
    added = [OPTIONS[each]() for each in ultrasound]
    if name == "live":
        augmenter = Augmenter(generator, options)
        return augmenter if not added else _Then(augmenter, _PerFrame(generator, lambda size: added))
    make = _BY_TORCHVISION[name]
    return _Then(to_side, _PerFrame(generator, lambda size: [*make(size), *added]))


class _PerFrame:
    """Transforms of torchvision, drawn anew for every frame: given a batch they would change all alike."""

    def __init__(self, generator: torch.Generator, make: Callable[[Size], list[v2.Transform]]) -> None:
        self._generator = generator
        self._make = make
        self._size: Size = (0, 0)
        self._steps: Callable[[Tensor], Any] = _as_it_is

    def __call__(self, batch: Tensor) -> Tensor:
        """float (B, 1, s, c), 0-1 -> the same."""
        size = batch.shape[-2], batch.shape[-1]
        if size != self._size:
            steps = self._make(size)
            self._steps, self._size = (v2.Compose(steps) if steps else _as_it_is), size
        with _drawing_from(self._generator):
            return torch.stack([self._steps(picture) for picture in batch]).clamp_(0, 1)


class _Then:
    """A batch made by `first`, changed by `second`."""

    def __init__(self, first: Recipe, second: _PerFrame) -> None:
        self._first, self._second = first, second

    def __call__(self, frames: Tensor, side: int) -> Tensor:
        """See `Recipe`."""
        return self._second(self._first(frames, side))


def _as_it_is(picture: Tensor) -> Tensor:
    return picture


@contextmanager
def _drawing_from(generator: torch.Generator) -> Iterator[None]:
    """In here PyTorch's own generator, which torchvision draws from, goes on where `generator` stands."""
    before = torch.get_rng_state()
    torch.set_rng_state(generator.get_state())
    try:
        yield
    finally:
        generator.set_state(torch.get_rng_state())
        torch.set_rng_state(before)
