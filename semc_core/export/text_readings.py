"""What was read in pictures, so that none is read twice: reading one takes a second or more."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from semc_core.export.masks import blanked
from semc_core.export.ocr import FoundText, TextFinder
from semc_core.types import Crop


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was found in a picture while `masks` lay over it."""

    masks: frozenset[Crop]
    found: tuple[FoundText, ...]


@dataclass(slots=True)
class TextReadings:
    """Readings by the digest of the pixels. Kept in memory only: it holds what pictures say.

    A reading holds for the same pixels under the same masks, or under more: then what they cover is gone.
    Other pixels, or a mask less, are read anew. Not for several threads at once.
    """

    _known: dict[bytes, list[_Reading]] = field(default_factory=dict)

    def read(
        self, finder: TextFinder, pixels: NDArray[np.uint8], masks: Iterable[Crop]
    ) -> tuple[FoundText, ...]:
        """The texts in a picture that are not under masks.

        Args:
            finder: Reads what is not known.
            pixels: uint8 (H, W) or (H, W, 3), without the masks.
            masks: What is blanked in it.
        """
        laid = frozenset(masks)
        readings = self._known.setdefault(_digest(pixels), [])
        for known in readings:
            if known.masks <= laid:
                return tuple(text for text in known.found if not covered(text.box, laid))
        found = finder.find(blanked(pixels, None, laid))
        readings.append(_Reading(laid, found))
        return found


def left_under(finder: TextFinder, pixels: NDArray[np.uint8], masks: Iterable[Crop]) -> tuple[FoundText, ...]:
    """What can still be read in a picture that held text, with masks over what was found.

    The box of a word may miss its ends. A glance finds most of what they leave; what passes it is read once
    more in every view before it counts as clean.
    """
    masked = blanked(pixels, None, masks)
    return finder.glance(masked) or finder.find(masked)


def covered(box: Crop, masks: Iterable[Crop]) -> bool:
    """Whether masks lie over all of `box`."""
    free = np.ones((box.height, box.width), np.bool_)
    for mask in masks:
        top, left = max(0, mask.top - box.top), max(0, mask.left - box.left)
        bottom, right = mask.top + mask.height - box.top, mask.left + mask.width - box.left
        if bottom > 0 and right > 0:
            free[top:bottom, left:right] = False
    return not bool(free.any())


def _digest(pixels: NDArray[np.uint8]) -> bytes:
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.digest()
