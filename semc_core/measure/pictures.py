"""Measure the heads in many pictures: read, find, calibrate, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SourceError, UsageError
from semc_core.measure.biometry import HeadMeasures, Interval, head_measures, head_measures_mm, with_interval
from semc_core.measure.calibration import Calibration, at_place, check_picture
from semc_core.measure.dicom_scale import calibrations_of
from semc_core.measure.ellipse import Ellipse
from semc_core.measure.head import HeadFinder, HeadFound
from semc_core.sources.dicom import DicomSource
from semc_core.sources.pictures import read_image

BATCH: Final = 16
NO_SCALE: Final = "No scale is known of it; give the millimetres per pixel."
_ELSEWHERE: Final = "The header's scale is for another part of the picture; give the millimetres per pixel."


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured in one picture.

    Attributes:
        path: As it was given.
        px: Pixels; None where there is no measure.
        hc_mm: Head circumference in millimetres; None without a calibration.
        why: Why there is no measure, or why there are no millimetres; "" where all is there.
    """

    path: Path
    px: HeadMeasures | None = None
    hc_mm: Interval | None = None
    why: str = ""


Given = Callable[[Path], Calibration | None]
"""The calibration that somebody gave for a picture; raises UsageError where what he gave is none."""


def measured_heads(
    paths: Iterable[tuple[Path, bool]],
    finder: HeadFinder,
    given: Given,
    passed_over: Callable[[Path, str], None],
) -> Iterator[Measured]:
    """Measure the head in every picture, in order.

    Args:
        paths: Pictures, and whether each is DICOM.
        finder: Finds the outline.
        given: Asked first; else the header of a DICOM file is asked.
        passed_over: Told of what is no picture, and why.

    Raises:
        RuntimeFault: The model could not be run.
    """
    pending = iter(paths)
    while batch := list(islice(pending, BATCH)):
        read: list[tuple[Path, bool, NDArray[np.uint8]]] = []
        for path, dicom in batch:
            try:
                read.append((path, dicom, _pixels(path, dicom)))
            except SourceError as error:
                passed_over(path, str(error))
        found = finder.find([pixels for _, _, pixels in read])
        for (path, dicom, pixels), each in zip(read, found, strict=True):
            yield _measured(path, dicom, pixels.shape, each, finder.spec.error, given)


def _measured(
    path: Path, dicom: bool, shape: tuple[int, ...], found: HeadFound, error: float, given: Given
) -> Measured:
    if found.outline is None:
        return Measured(path, why=found.why)
    px = head_measures(found.outline)
    try:
        scale = _scale(path, dicom, shape, found.outline, given)
    except (UsageError, SourceError) as problem:
        return Measured(path, px, why=str(problem))
    return Measured(path, px, with_interval(head_measures_mm(found.outline, scale).hc, error))


def _scale(path: Path, dicom: bool, shape: tuple[int, ...], outline: Ellipse, given: Given) -> Calibration:
    """What holds for the outline.

    Raises:
        UsageError: Nothing does, or what is known cannot be.
        SourceError: The header cannot be read.
    """
    scale = given(path)
    if scale is None:
        if not dicom:
            raise UsageError(NO_SCALE)
        scale = at_place(calibrations_of(path), outline.x, outline.y)
        if scale is None:
            raise UsageError(_ELSEWHERE)
    check_picture(scale, shape[1], shape[0])
    return scale


def _pixels(path: Path, dicom: bool) -> NDArray[np.uint8]:
    """Raises SourceError where there is no single picture."""
    if not dicom:
        return read_image(path)
    with closing(DicomSource(path)) as source:
        if (source.info.frame_count or 1) > 1:
            raise SourceError(f"{path.name} is a loop; save the frame to be measured as a picture.")
        packet = source.read()
    if packet is None:
        raise SourceError(f"{path.name} holds no picture; choose an image.")
    return packet.gray
