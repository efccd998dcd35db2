"""Which pixels leave the machine: those inside the region of interest and outside the device's masks."""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.errors import InvalidDicomError

from semc_core.errors import SaveError
from semc_core.io.atomic import write_atomically
from semc_core.io.documents import TOLERANT, Document, DocumentFault, reason
from semc_core.io.private import make_private_folder
from semc_core.io.rules import within
from semc_core.language import _
from semc_core.session.records import SourceEntry
from semc_core.sources.dicom.elements import UNREADABLE
from semc_core.types import Crop, read_only

_BOOK_NAME: Final = "masks.json"
_TOLD_APART: Final = ("camera", "stream")
"""Kinds of which each one has its own masks."""


@dataclass(frozen=True, slots=True)
class Device:
    """What tells one screen layout from another.

    Attributes:
        kind: The source's kind: "dicom", "camera", "video" ...
        width: Of the frame, pixels.
        height: Of the frame, pixels.
        maker: Manufacturer and model as a DICOM file states them, the identity of a capture device, or the
            address of a stream; "" where nothing is known.
    """

    kind: str
    width: int
    height: int
    maker: str = ""

    @property
    def key(self) -> str:
        """Its name in the book of masks."""
        return f"{self.kind} {self.width}x{self.height} {self.maker}".rstrip()


def device_of(source: SourceEntry) -> Device:
    """The device whose masks hold for this source; of a DICOM file with its maker, if it is still there."""
    maker = source.known_by
    if source.kind == "dicom" and source.path is not None:
        # Without the file, the masks of a device of unknown make hold.
        with contextlib.suppress(*UNREADABLE, InvalidDicomError, zlib.error):
            wanted = ("Manufacturer", "ManufacturerModelName")
            header = pydicom.dcmread(source.path, stop_before_pixels=True, specific_tags=list(wanted))
            maker = " ".join(str(header.get(name, "") or "") for name in wanted).strip()
    return Device(source.kind, source.width, source.height, maker)


def blanked(pixels: NDArray[np.uint8], region: Crop | None, masks: Iterable[Crop]) -> NDArray[np.uint8]:
    """A copy, read-only, that is black outside `region` and inside `masks`.

    The size stays, so that what is measured in pixels (crop, calibration) stays true.

    Args:
        pixels: uint8 (H, W) or (H, W, 3).
        region: What is kept; None keeps all.
        masks: What is blanked; the parts outside the frame count for nothing.
    """
    if region is None:
        kept = pixels.copy()
    else:
        kept = np.zeros_like(pixels)
        region.cut(kept)[:] = region.cut(pixels)
    for mask in masks:
        _cut(mask, kept)[:] = 0
    return read_only(kept)


def shared_region(crops: Sequence[Crop]) -> Crop | None:
    """The part that all of `crops` have in common; None if there is none, or no crop."""
    if not crops:
        return None
    left, top = max(crop.left for crop in crops), max(crop.top for crop in crops)
    right = min(crop.left + crop.width for crop in crops)
    bottom = min(crop.top + crop.height for crop in crops)
    return Crop(left, top, right - left, bottom - top) if right > left and bottom > top else None


@dataclass(frozen=True, slots=True)
class Mask:
    """A mask as it is stored; see `Crop`."""

    left: int
    top: int
    width: Annotated[int, within(1)]
    height: Annotated[int, within(1)]


MASKS: Final = Document(dict[str, tuple[Mask, ...]], config=TOLERANT)
"""The masks of each device, by its `key`."""


class MaskBook:
    """Masks that the user drew for a device, kept in a small file among the user's own data."""

    def __init__(self, folder: Path) -> None:
        """Use `masks.json` in `folder`, which need not be there yet."""
        self._path = folder / _BOOK_NAME

    def masks(self, device: Device) -> tuple[Crop, ...]:
        """What was remembered for `device`; empty if nothing was.

        For a capture device or stream of its own nothing was: what an older version of the program, which did
        not tell them apart, remembered for all of them. Too much blanked is better than a name left.

        Raises:
            SaveError: The file is there but cannot be understood. Without it a name could stay in a picture.
        """
        known = self._read()
        if device.kind in _TOLD_APART and device.key not in known:
            return known.get(replace(device, maker="").key, ())
        return known.get(device.key, ())

    def remember(self, device: Device, masks: Iterable[Crop]) -> None:
        """Remember `masks` in place of what was known; none forgets the device.

        Raises:
            SaveError: The file cannot be understood or written.
        """
        known = self._read()
        known[device.key] = tuple(masks)
        # That a capture device has none is kept: else it would get those for all.
        kept = {key: value for key, value in sorted(known.items()) if value or _of_one(key)}
        plain = {key: [asdict(mask) for mask in value] for key, value in kept.items()}
        make_private_folder(self._path.parent)
        write_atomically(self._path, json.dumps(plain, indent=2).encode(), private=True)

    def _read(self) -> dict[str, tuple[Crop, ...]]:
        try:
            known = MASKS.read(self._path)
        except FileNotFoundError:
            return {}
        except (OSError, DocumentFault) as error:
            raise SaveError(
                _(
                    "The remembered masks in {path} cannot be read ({reason}); correct the file, or delete "
                    "it and draw the masks again.",
                    path=self._path,
                    reason=reason(error),
                )
            ) from error
        return {device: tuple(Crop(**asdict(each)) for each in masks) for device, masks in known.items()}


def _of_one(key: str) -> bool:
    """Whether this `Device.key` names a capture device or stream: it has something behind kind and size."""
    return key.partition(" ")[0] in _TOLD_APART and key.count(" ") > 1


def _cut(mask: Crop, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The view inside `mask`; `Crop.cut` keeps the size of a crop that begins outside the frame."""
    rows = slice(max(0, mask.top), max(0, mask.top + mask.height))
    return pixels[rows, max(0, mask.left) : max(0, mask.left + mask.width)]
