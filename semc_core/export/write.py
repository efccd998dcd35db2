"""Step 3 of an export: write the files. All that they are made from is de-identified."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from semc_core.export.annotated import burnt_in, of_plane
from semc_core.export.clips import write_clip
from semc_core.export.deidentified import DeidentifiedClip, DeidentifiedPlane, DeidentifiedScan
from semc_core.export.report.data import report_data
from semc_core.export.report.html import html_report
from semc_core.export.report.pdf import pdf_report
from semc_core.export.staging import Place
from semc_core.export.tables import frames_csv_gz, measurements_csv, plane_json, planes_csv, poses_csv_gz
from semc_core.export.watch import Watch
from semc_core.io.video_encoder import as_rgb
from semc_core.language import N_
from semc_core.session.files import encode_png

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_PICTURES: Final = N_("Pictures and clips")
REPORT_STEP: Final = N_("Report")


def write(scan: DeidentifiedScan, staging: Place, watch: Watch) -> None:
    """Write all files of a bundle but the manifest.

    Raises:
        ExportCancelled: The user has had enough.
        ExportError: A DICOM object could not be made, or holds what it must not.
        SemcError: Something could not be read or written.
    """
    for number, plane in enumerate(scan.planes):
        watch.check()
        watch.progress(_PICTURES, number, len(scan.planes))
        _write_plane(scan, plane, staging)
    watch.progress(_PICTURES, len(scan.planes), len(scan.planes))
    for part, write_part in FORMATS:
        if part is None or part in scan.parts:
            watch.check()
            write_part(scan, staging, watch)


def _write_plane(scan: DeidentifiedScan, plane: DeidentifiedPlane, staging: Place) -> None:
    """Picture, record and clip of one plane."""
    # Encoded anew: what the file said beside its pixels is gone.
    png = encode_png(plane.pixels())
    staging.write(plane.png, png)
    record = plane_json(scan, plane, hashlib.sha256(png).hexdigest())
    staging.write(f"planes/{plane.stem}.json", record)
    if drawn := of_plane(scan.annotations, plane.entry):
        staging.write(plane.annotated_png, encode_png(burnt_in(plane.pixels(), drawn)))
    if plane.clip is not None:
        write_clip(staging.folder / plane.mp4, plane.clip)


def _write_dicom(scan: DeidentifiedScan, staging: Place, watch: Watch) -> None:
    """The folder dicom: a still and a clip for each plane, and the structured reports."""
    # They take a second to load.
    from semc_core.export.dicom.images import encode_object, still, without_pixels
    from semc_core.export.dicom.obgyn_report import obgyn_report
    from semc_core.export.dicom.structured_report import ReportedPlane, structured_report

    reported = []
    for number, plane in enumerate(scan.planes, 1):
        of_still = replace(scan.study, lossy=plane.lossy)
        objects = [still(of_still, plane.entry, plane.pixels(), number, "jpeg" if scan.jpeg else "none")]
        staging.write(f"dicom/{plane.stem}.dcm", encode_object(objects[0]))
        if plane.clip is not None:
            objects.append(_dicom_clip(scan, plane, plane.clip, number))
            staging.write(f"dicom/{plane.stem}_clip.dcm", encode_object(objects[1]))
        measured = tuple(each for each in scan.measurements if each.plane_id == plane.entry.plane_id)
        reported.append(ReportedPlane(plane.entry, tuple(map(without_pixels, objects)), measured))
        watch.progress("DICOM", number, len(scan.planes))
    if reported:
        now = datetime.now().astimezone()
        report = structured_report(scan.study, reported, scan.model, now, scan.checklist, scan.age)
        staging.write("dicom/report.dcm", encode_object(report))
        if scan.obgyn:
            of_fetus = obgyn_report(scan.study, reported, scan.measurements, scan.age, now)
            if of_fetus is not None:
                staging.write("dicom/obgyn.dcm", encode_object(of_fetus))


def _dicom_clip(
    scan: DeidentifiedScan, plane: DeidentifiedPlane, source: DeidentifiedClip, number: int
) -> Dataset:
    """The clip from the frames that its MP4 was made from, since the MP4 is lossy."""
    from semc_core.export.dicom.images import clip

    times_s: list[float] = []
    indices: list[int] = []

    def frames() -> Iterator[NDArray[np.uint8]]:
        for frame in source.frames():
            times_s.append(frame.time_s)
            indices.append(frame.index)
            yield as_rgb(frame.pixels) if source.coloured else frame.pixels

    # The two lists fill while the frames are read.
    return clip(
        replace(scan.study, lossy=source.lossy), plane.entry, frames(), times_s, number,
        "jpeg" if scan.jpeg else "jpeg-ls", indices if source.of_source else None,
    )  # fmt: skip


def _write_fhir(scan: DeidentifiedScan, staging: Place, watch: Watch) -> None:
    # It refers to the DICOM objects, and needs their codes, which take a second to load.
    from semc_core.export.fhir.document import FILE, bundle

    staging.write(FILE, bundle(scan, staging.folder))


def _write_table(scan: DeidentifiedScan, staging: Place, watch: Watch) -> None:
    staging.write("planes.csv", planes_csv(scan.planes, scan.table))
    if scan.measurements:
        staging.write("measurements.csv", measurements_csv(scan))


def _write_frames(scan: DeidentifiedScan, staging: Place, watch: Watch) -> None:
    staging.write("frames.csv.gz", frames_csv_gz(scan.table, scan.model))
    if (poses := poses_csv_gz(scan.poses())) is not None:
        staging.write("poses.csv.gz", poses)


def _write_report(scan: DeidentifiedScan, staging: Place, watch: Watch) -> None:
    watch.progress(REPORT_STEP, 0, 2)
    data = report_data(scan, watch)
    staging.write("report.html", html_report(data))
    watch.progress(REPORT_STEP, 1, 2)
    watch.check()
    staging.write("report.pdf", pdf_report(data))
    watch.progress(REPORT_STEP, 2, 2)


FORMATS: Final[tuple[tuple[str | None, Callable[[DeidentifiedScan, Place, Watch], None]], ...]] = (
    ("dicom", _write_dicom),
    ("fhir", _write_fhir),
    (None, _write_table),
    ("frames", _write_frames),
    ("report", _write_report),
)
"""What is written of the whole scan, in this order, and the choice that asks for it; None: always."""
