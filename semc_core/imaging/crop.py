"""The region of interest over a scan: the ultrasound picture in what a capture card sees, kept steady."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.preprocess import Outline, Preprocessing, whole
from semc_core.imaging.quality import difference, small_gray
from semc_core.imaging.region.find import Region, find_near, find_region, find_regions
from semc_core.picture import Picture, gray_of
from semc_core.types import Crop

_RECHECK_EVERY: Final = 3  # frames, while it is not sure
_SURE_RECHECK_EVERY: Final = 15  # frames: a look then costs about a hundredth of the time
_FINDINGS_TO_BE_SURE: Final = 4
_SAME_AS_CURRENT: Final = 0.85
_SAME_AMONG_THEMSELVES: Final = 0.9
_FINDINGS_TO_SWITCH: Final = 8
_MOVES: Final = 1.0  # gray levels by which a live picture has changed since the last look
_STILL: Final = 0.4  # the same, at most, of a frozen one
_SIDES: Final = (64, 48)  # of the pictures that are compared for it


def find_crop(picture: Picture | NDArray[np.uint8]) -> Crop | None:
    """The bounding box of the ultrasound picture, convex, linear or phased.

    Args:
        picture: As decoded; or its pixels, uint8 (H, W) gray or (H, W, 3) RGB.

    Returns:
        The whole frame where the picture fills it; None where there is no such picture: a black or
        one-coloured screen, a screen of text. Of several the largest.
    """
    region = find_region(gray_of(picture) if isinstance(picture, np.ndarray) else picture.gray)
    return None if region is None else region.box


def crop_and_sector(picture: Picture) -> tuple[Crop, Outline]:
    """Box and sector of a single frame's picture; the whole frame and () if there is none."""
    region = find_region(picture.gray)
    return (whole(picture.gray), ()) if region is None else (region.box, region.outline)


def outline_in(picture: Picture, crop: Crop, spec: Preprocessing) -> Outline:
    """The sector of a single frame's picture that is in `crop`; () if there is none, or `spec` needs none."""
    return sector_in(picture, crop) if spec.mask else ()


def sector_in(picture: Picture, crop: Crop) -> Outline:
    """The sector of a single frame's picture that is in `crop`; () if there is none."""
    region = find_region(picture.gray)
    return () if region is None or overlap(region.box, crop) < _SAME_AS_CURRENT else region.outline


def overlap(first: Crop, second: Crop) -> float:
    """Intersection over union of two boxes, 0-1."""
    width = min(first.left + first.width, second.left + second.width) - max(first.left, second.left)
    height = min(first.top + first.height, second.top + second.height) - max(first.top, second.top)
    shared = max(0, width) * max(0, height)
    return shared / (first.width * first.height + second.width * second.height - shared)


class CropTracker:
    """Keeps the crop steady over a scan. The same frames in the same order give the same crops.

    The first finding sets it; until then it is the whole frame. It is moved only when eight findings in a row
    disagree with it and agree among themselves: the depth was changed, or another screen layout chosen. Once
    set, only every third frame is looked at, and when four findings have agreed, every fifteenth, until one
    disagrees. While the picture moves such a look is a short one, at its place only; the whole frame is
    looked at where it is not as before. A change of the frame's size begins anew.

    Of several pictures the present one is kept, unless it stands still while another moves: that one is live.
    """

    def __init__(self) -> None:
        self._fixed: Crop | None = None
        self._shape: tuple[int, ...] = ()
        self._current: Region | None = None
        self._candidates: list[Region] = []
        self._agreed = 0
        self._since_check = 0
        self._seen: NDArray[np.uint8] | None = None

    @property
    def outline(self) -> Outline:
        """The sector in the crop that was given last; () where only a box is known, as of the user's own."""
        return () if self._fixed is not None or self._current is None else self._current.outline

    def update(self, picture: Picture) -> Crop:
        """The crop for this frame."""
        if self._fixed is not None:
            return self._fixed
        if (picture.height, picture.width) != self._shape:
            self._shape = (picture.height, picture.width)
            self._restart()
        if self._current is None:
            self._current = self._look(picture.gray)
        elif self._since_check + 1 >= self._check_every():
            self._since_check = 0
            if not self._stays(self._current, picture.gray):
                self._recheck(self._current, self._look(picture.gray))
        else:
            self._since_check += 1
        return whole(picture.gray) if self._current is None else self._current.box

    def fix(self, crop: Crop | None) -> None:
        """Use the user's own crop from now on; None finds it automatically again, from the next frame."""
        self._fixed = crop
        self._restart()

    def _restart(self) -> None:
        self._current = None
        self._candidates = []
        self._agreed = 0
        self._since_check = 0
        self._seen = None

    def _check_every(self) -> int:
        return _SURE_RECHECK_EVERY if self._sure else _RECHECK_EVERY

    @property
    def _sure(self) -> bool:
        return self._agreed >= _FINDINGS_TO_BE_SURE

    def _stays(self, current: Region, gray: NDArray[np.uint8]) -> bool:
        """Whether the picture of which it is sure moves, and a short look finds it where it was."""
        before = self._seen
        if not self._sure or before is None or _change(gray, before, current.box) <= _STILL:
            return False  # what stands still may be the frozen one of two
        found = find_near(gray, current.box)
        if found is None or overlap(found, current.box) < _SAME_AS_CURRENT:
            return False
        self._seen = gray
        return True

    def _look(self, gray: NDArray[np.uint8]) -> Region | None:
        """The picture in a frame; of several the live one, as far as the frame looked at before tells it."""
        regions = find_regions(gray)
        before, self._seen = self._seen, gray
        current = self._current
        if len(regions) < 2 or current is None or before is None:
            return regions[0] if regions else None
        changes = [_change(gray, before, region.box) for region in regions]
        kept = [number for number, one in enumerate(regions) if _same(one, current)]
        most = int(np.argmax(changes))
        if changes[most] >= _MOVES and all(changes[number] <= _STILL for number in kept):
            return regions[most]
        return regions[kept[0] if kept else 0]

    def _recheck(self, current: Region, found: Region | None) -> None:
        if found is None:
            return
        if _same(found, current):
            self._candidates.clear()
            self._agreed += 1
            return
        self._agreed = 0
        if self._candidates and overlap(found.box, self._candidates[0].box) <= _SAME_AMONG_THEMSELVES:
            self._candidates.clear()
        self._candidates.append(found)
        if len(self._candidates) >= _FINDINGS_TO_SWITCH:
            self._current = found
            self._candidates.clear()


def _same(first: Region, second: Region) -> bool:
    return overlap(first.box, second.box) >= _SAME_AS_CURRENT


def _change(gray: NDArray[np.uint8], before: NDArray[np.uint8], box: Crop) -> float:
    """By how many gray levels what is in a box has changed."""
    return difference(small_gray(gray, box, *_SIDES), small_gray(before, box, *_SIDES))
