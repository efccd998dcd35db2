"""Every kind of DICOM object that the program writes, made by it, and which attributes each kind has."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import UID

from semc_core.export.dicom import header_allowlist
from semc_core.export.dicom.images import clip, encode_object, still, without_pixels
from semc_core.export.dicom.key_objects import key_objects
from semc_core.export.dicom.obgyn_report import obgyn_report
from semc_core.export.dicom.pixels import LossyStep, Packing
from semc_core.export.dicom.structured_report import ReportedPlane, structured_report
from semc_core.export.dicom.study import StudyContext
from semc_core.export.options import ExportOptions
from semc_core.pacs.bundle import described
from semc_core.pacs.queue_store import DicomObject
from tests.export.dicom.examples import AGE, BEGAN, FEMUR, MODEL, PLANE, no_dicom, ultrasound

DEIDENTIFIED: Final = (ExportOptions(), ExportOptions(dates="shifted"))
_PACKINGS: Final[tuple[tuple[Packing, Packing], ...]] = (("none", "jpeg-ls"), ("jpeg", "jpeg"))
"""How `export.write` has pixels of stills and of clips stored, as it is and with `--jpeg`."""


@dataclass(frozen=True, slots=True)
class Written:
    """An object.

    Attributes:
        dataset: As it was made.
        content: Its file.
        described: What the sending queue knows of it.
    """

    dataset: Dataset
    content: bytes
    described: DicomObject


def every_kind() -> list[Written]:
    """One object of each kind and way to store its pixels."""
    found: dict[tuple[UID, UID], Dataset] = {}
    for study in (no_dicom(), ultrasound()):
        for packings in _PACKINGS:
            for dataset in _images(study, *packings):
                found.setdefault((dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID), dataset)
    for dataset in (_report(no_dicom()), _selection(no_dicom())):
        found[dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID] = dataset
    contents = [(dataset, encode_object(dataset)) for dataset in found.values()]
    return [Written(dataset, content, described(content)) for dataset, content in contents]


@functools.cache
def of_studies() -> tuple[Dataset, ...]:
    """De-identified objects of all kinds, of sources that say much and of such that say nothing."""
    return tuple(_of_studies())


def _of_studies() -> Iterator[Dataset]:
    removed, shifted = DEIDENTIFIED
    real = ultrasound(removed)
    bare = replace(
        real, carried=header_allowlist.pick(Dataset(), de_identify=True), source_uid="", lossy=None
    )
    nothing = no_dicom(removed)
    # What a source lost may be known, unknown, or nothing.
    known = replace(nothing, lossy=(LossyStep("ISO_14496_10", 30.0),))
    studies = [
        real, bare, nothing, known, replace(nothing, lossy=None), no_dicom(shifted, text_left=False),
        ultrasound(shifted, text_left=False, name="examples_palette.dcm"),
    ]  # fmt: skip
    for study in studies:
        yield from _images(study, "none", "none")
        yield _report(study)
        yield _of_fetus(study)
        yield _selection(study)


def _images(study: StudyContext, of_still: Packing, of_clip: Packing) -> Iterator[Dataset]:
    # Of a plane whose organ is known and of another; at an even rate and at an uneven one.
    other = replace(PLANE, plane="another")
    for plane, times_s in ((PLANE, [0.0, 0.04, 0.08]), (other, [0.0, 0.03, 0.08])):
        for shape in ((3, 21, 33), (3, 21, 33, 3)):
            frames = np.zeros(shape, np.uint8)
            yield still(study, plane, frames[0], 1, of_still)
            yield clip(study, plane, frames, times_s, 1, of_clip, [1, 2, 3])


def _report(study: StudyContext) -> Dataset:
    shown = without_pixels(still(study, PLANE, np.zeros((21, 33), np.uint8), 1))
    return structured_report(study, [ReportedPlane(PLANE, (shown,))], MODEL, BEGAN)


def _of_fetus(study: StudyContext) -> Dataset:
    shown = without_pixels(still(study, PLANE, np.zeros((21, 33), np.uint8), 1))
    report = obgyn_report(study, [ReportedPlane(PLANE, (shown,))], [FEMUR], AGE, BEGAN)
    assert report is not None
    return report


def _selection(study: StudyContext) -> Dataset:
    """As `semc serve` makes it of the stills that it sends back."""
    return key_objects([still(study, PLANE, np.zeros((21, 33), np.uint8), 1)])


def presence() -> dict[UID, dict[str, str]]:
    """For each kind of object its attributes, and whether they have a value, as PS3.2 names that."""
    counted: dict[UID, list[dict[str, bool]]] = {}
    for dataset in of_studies():
        filled = {element.keyword: not element.is_empty for element in dataset}
        counted.setdefault(dataset.SOPClassUID, []).append(filled)
    return {kind: _presence(objects) for kind, objects in counted.items()}


def _presence(objects: list[dict[str, bool]]) -> dict[str, str]:
    names = {name for each in objects for name in each}
    found: dict[str, str] = {}
    for name in names:
        values = [each.get(name) for each in objects]
        if None in values:
            found[name] = "ANAP"
        elif all(values):
            found[name] = "ALWAYS"
        else:
            found[name] = "VNAP" if any(values) else "EMPTY"
    return found
