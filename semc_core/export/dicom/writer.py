"""The folder dicom of a bundle: a still and a clip for each plane, and the structured report."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from semc_core.errors import SourceError
from semc_core.export.dicom import images
from semc_core.export.dicom.lossy import LostOnTheWay, lossy_of_source
from semc_core.export.dicom.pixels import Packing
from semc_core.export.dicom.structured_report import ReportedPlane, structured_report
from semc_core.export.dicom.study import StudyChoices, StudyContext, study_of_dicom, study_of_nothing
from semc_core.export.dicom.uids import UidMaker
from semc_core.export.images import Exported, Pictures
from semc_core.export.options import Checklist, ExportOptions
from semc_core.export.staging import Staging
from semc_core.io.video_encoder import as_rgb
from semc_core.session.files import read_png
from semc_core.session.records import file_sha256
from semc_core.session.session import Session


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was done to the pixels: whether something was blanked, and whether text may be left."""

    blanked: bool
    text_left: bool


def study_of(session: Session, options: ExportOptions, uids: UidMaker, cleaned: Cleaned) -> StudyContext:
    """The study that the session's objects belong to; that of its DICOM source, if this is still there."""
    choices = StudyChoices(
        de_identify=options.deidentify,
        dates=options.dates,
        patient=options.patient,
        pixels_cleaned=cleaned.blanked,
        burned_in=cleaned.text_left,
    )
    source = session.source
    if source.kind == "dicom" and source.path is not None and _is_unchanged(Path(source.path), source.sha256):
        # A source that cannot be read any more: the objects are made from nothing, as for a video.
        with contextlib.suppress(SourceError):
            return study_of_dicom(Path(source.path), uids, choices)
    began = datetime.fromisoformat(session.created_utc).astimezone()
    first = next(session.audit())
    return study_of_nothing(source.kind, first.hash, began, uids, choices, lossy_of_source(source))


def _is_unchanged(path: Path, sha256: str | None) -> bool:
    """Whether a source's file is the one that was analysed: another one may be of another patient."""
    try:
        return sha256 is None or file_sha256(path) == sha256
    except OSError:
        return False


def write_dicom(
    session: Session,
    context: StudyContext,
    planes: Sequence[Exported],
    pictures: Pictures,
    options: ExportOptions,
    checklist: Checklist | None,
    staging: Staging,
    watch: Callable[[int], None],
) -> None:
    """Write the objects of all `planes`; `watch` is told after each how many are done.

    Raises:
        ExportError: An object could not be made, or holds what it must not.
        SemcError: A file could not be read or written.
    """
    reported = []
    lost = LostOnTheWay(session)
    for number, made in enumerate(planes, 1):
        pixels = read_png(staging.folder / made.png, made.png_sha256)
        of_still = replace(context, lossy=lost.by_still(made.plane, context.lossy))
        objects = [images.still(of_still, made.plane, pixels, number, "jpeg" if options.jpeg else "none")]
        _write(staging, f"{made.stem}.dcm", objects[0])
        if made.clip:
            packing: Packing = "jpeg" if options.jpeg else "jpeg-ls"
            # Frames of a saved clip are counted from its own beginning, those of a recording from the scan's.
            of_source = session.source.kind == "dicom" and lost.clip_video(made.plane) is None
            of_clip = replace(context, lossy=lost.by_clip(made.plane, context.lossy))
            objects.append(_clip(of_clip, made, pictures, number, packing, of_source))
            _write(staging, f"{made.stem}_clip.dcm", objects[1])
        reported.append(ReportedPlane(made.plane, tuple(images.without_pixels(each) for each in objects)))
        watch(number)
    if reported:
        report = structured_report(
            context, reported, session.model, datetime.now().astimezone(), checklist,
            free_text=options.free_text,
        )  # fmt: skip
        _write(staging, "report.dcm", report)


def _clip(
    context: StudyContext,
    made: Exported,
    pictures: Pictures,
    number: int,
    packing: Packing,
    of_source: bool,
) -> Dataset:
    """The clip from where its MP4 was made from, since the MP4 is lossy.

    With `of_source` its frames are those of a DICOM source, and it refers to them.
    """
    times_s: list[float] = []
    indices: list[int] = []

    def frames() -> Iterator[NDArray[np.uint8]]:
        size: tuple[int, ...] = ()
        for packet in pictures.clip_frames(made):
            size = size or packet.pixels.shape[:2]
            # A clip has one size, as its MP4.
            if packet.pixels.shape[:2] == size:
                times_s.append(packet.pts_s)
                indices.append(packet.index)
                pixels = as_rgb(packet.pixels) if made.coloured else packet.pixels
                yield pictures.exported_frame(made, pixels)

    # The two lists fill while the frames are read.
    return images.clip(
        context, made.plane, frames(), times_s, number, packing, indices if of_source else None
    )


def _write(staging: Staging, name: str, dataset: Dataset) -> None:
    staging.write(f"dicom/{name}", images.encode_object(dataset))
