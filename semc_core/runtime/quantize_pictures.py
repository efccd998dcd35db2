"""The pictures that a model is quantised with: some to take ranges from, others to measure on.

No patient is in both, where it is known whose a picture is. Each is prepared as in a live scan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.imaging.crop import find_crop
from semc_core.imaging.preprocess import prepare, whole
from semc_core.model.spec import ModelSpec
from semc_core.sources.images import ImageFolderSource

CALIBRATION_PATIENTS: Final = range(0, 24)
"""Simulated patients of the training split, which ends at 1000."""
MEASURED_PATIENTS: Final = range(1000, 1024)
"""Of the validation split, 1000-1999. The test split, from 2000, is not touched."""

_FRAMES_EACH: Final = {"calibration": 12, "measured": 60}
_SECONDS: Final = 60.0
_FRAME_RATE: Final = 25.0
_HELD_OUT: Final = 0.5
_MOST_CALIBRATION: Final = 300


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture, prepared: float32 (C, H, W), and the index of its class."""

    inputs: NDArray[np.float32]
    label: int


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """What to quantise with.

    Attributes:
        calibration: To take the ranges from.
        measured: Others, to compare int8 with float32 on.
        description: What they are, for the model file.
    """

    calibration: Sequence[Picture]
    measured: Sequence[Picture]
    description: str


def simulated_pictures(
    spec: ModelSpec, calibration: range = CALIBRATION_PATIENTS, measured: range = MEASURED_PATIENTS
) -> Pictures:
    """Frames of simulated patients, with the screen of a scanner around them.

    Raises:
        UsageError: The model's classes are not the simulated scan's.
    """
    from semc_core.labels import LIVER_PLANES

    unknown = set(spec.planes) ^ set(LIVER_PLANES)
    if unknown:
        raise UsageError(
            f"The simulated scan has other classes than this model ({', '.join(sorted(unknown))}); give a "
            "folder of labelled pictures with --data."
        )
    return Pictures(
        [p for patient in calibration for p in _scan(spec, patient, _FRAMES_EACH["calibration"])],
        [p for patient in measured for p in _scan(spec, patient, _FRAMES_EACH["measured"])],
        f"simulated patients {calibration.start}-{calibration.stop - 1} to calibrate, "
        f"{measured.start}-{measured.stop - 1} to measure",
    )


def folder_pictures(spec: ModelSpec, folder: Path, seed: int = 0) -> Pictures:
    """The pictures of a folder with a sub-folder per class, half of the patients for each purpose.

    Pictures that lie loose in a class's folder are divided one by one: nothing says whose they are.

    Raises:
        SourceError: A picture cannot be read.
        UsageError: The folder does not fit the model, or holds too few pictures to divide.
    """
    from semc_core.model.gate_fit import divided, labelled_pictures

    found = labelled_pictures(folder, spec.classes)
    apart = divided(found, _HELD_OUT, seed)
    to_calibrate = [p for p, held_out in zip(found, apart, strict=True) if not held_out]
    step = max(1, len(to_calibrate) // _MOST_CALIBRATION)
    return Pictures(
        [_read(spec, p.path, p.label) for p in to_calibrate[::step]],
        [_read(spec, p.path, p.label) for p, held_out in zip(found, apart, strict=True) if held_out],
        "a folder of labelled pictures, half of its patients (of loose pictures, half of those) to calibrate "
        "and half to measure",
    )


def _scan(spec: ModelSpec, patient: int, count: int) -> Iterator[Picture]:
    """`count` frames of a scan at equal distances."""
    from semc_core.phantom.scan import SimulatedScan

    scan = SimulatedScan(patient, _SECONDS, frame_rate=_FRAME_RATE)
    assert scan.frame_count is not None
    for index in range(0, scan.frame_count, scan.frame_count // count):
        label = spec.classes.index(spec.none_class)
        plane = scan.truth(index).plane
        if plane in spec.planes:
            label = spec.classes.index(plane)
        yield _prepared(spec, scan.frame(index), label)


def _read(spec: ModelSpec, path: Path, label: int) -> Picture:
    source = ImageFolderSource(path)
    try:
        packet = source.read()
    finally:
        source.close()
    assert packet is not None
    return _prepared(spec, packet.pixels, label)


def _prepared(spec: ModelSpec, pixels: NDArray[np.uint8], label: int) -> Picture:
    crop = find_crop(pixels) or whole(pixels)
    return Picture(prepare(pixels, crop, spec.preprocessing), label)
