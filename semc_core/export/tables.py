"""The exported tables: planes.csv, frames.csv.gz, poses.csv.gz and the JSON beside each picture."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from semc_core.export.annotated import annotation_record, of_plane
from semc_core.export.deidentified import DeidentifiedPlane, DeidentifiedScan
from semc_core.export.measured import UCUM, measured_values, measurement_record
from semc_core.imaging.score.parts import quality_cells, quality_values
from semc_core.labels import NON_STANDARD, full_name
from semc_core.measure.dating import Dated
from semc_core.pose import FramePoses
from semc_core.session.correcting.sentences import decided
from semc_core.session.files import by_class
from semc_core.session.records import PICTURES, FrameTable, ModelEntry

_DIGITS: Final = 6
_MATRIX: Final = [f"m{row}{column}" for row, column in itertools.product(range(3), range(4))]
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def plane_json(scan: DeidentifiedScan, exported: DeidentifiedPlane, png_sha256: str) -> bytes:
    """The JSON of one plane, with the keys of a saved plane's JSON and who decided.

    Args:
        scan: Whose plane.
        exported: Which.
        png_sha256: Of its picture in the export.
    """
    plane, table, model = exported.entry, scan.table, scan.model
    row = _row_of(table, plane.frame_index)
    known = row is not None and not np.isnan(table.probabilities[row]).any()
    record = {
        "plane": plane.plane,
        **_fetus(plane.fetus),
        "full_name": full_name(plane.plane),
        "confidence": round(plane.confidence, _DIGITS),
        "found_as": plane.found_as,
        "chosen_by": plane.chosen_by,
        "decided": decided(plane),
        "probabilities": by_class(model.classes, table.probabilities[row]) if known else None,
        "smoothed": None if row is None else by_class(model.classes, table.smoothed[row]),
        "novelty": round(float(table.novelty[row]), _DIGITS) if known else None,
        "frame_index": plane.frame_index,
        "time_s": round(plane.time_s, _DIGITS),
        "hold_id": plane.plane_id,
        "hold_start_s": round(plane.start_s, _DIGITS),
        "hold_end_s": round(plane.end_s, _DIGITS),
        **quality_values(table.quality_of(plane.frame_index)),
        "final": plane.final,
        "by_hand": plane.by_hand,
        "source": scan.source,
        "source_kind": scan.source_kind,
        "width": plane.width,
        "height": plane.height,
        "crop": asdict(plane.crop),
        "model_sha256": model.sha256,
        "model_preset": model.preset,
        "model_notice": model.notice,
        "device": model.device,
        "thresholds": asdict(model.thresholds),
        "versions": model.versions,
        "note": plane.note,
        "png": f"{exported.stem}.png",
        "png_sha256": png_sha256,
    }
    if there := [each for each in scan.measurements if each.plane_id == plane.plane_id]:
        record["measurements"] = [measurement_record(each, scan.age) for each in there]
    if exported.poses:
        record["poses"] = [each.plain() for each in exported.poses]
    if drawn := of_plane(scan.annotations, plane):
        record["annotated_png"] = exported.annotated_png.rpartition("/")[2]
        record["annotations"] = [annotation_record(each) for each in drawn]
    return json.dumps(record, indent=2, allow_nan=False).encode()


def planes_csv(planes: Iterable[DeidentifiedPlane], frames: FrameTable) -> bytes:
    """planes.csv: a line for each plane; `frames` know the quality of their pictures.

    Where there is more than one fetus, the last column is the letter of each plane's.
    """
    text, planes = io.StringIO(), tuple(planes)
    several = any(exported.entry.fetus for exported in planes)
    table = csv.writer(text, lineterminator="\n")
    fixed = ["plane_id", "plane", "full_name", "confidence", "frame_index", "time_s", "hold_start_s"]
    judged = ("quality", "quality_reasons")
    table.writerow(
        [*fixed, "hold_end_s", "by_hand", "found_as", "chosen_by", "decided", "png", "clip", "note", *judged]
        + ["fetus"] * several
    )
    for exported in planes:
        plane = exported.entry
        quality = quality_cells(frames.quality_of(plane.frame_index))
        table.writerow(
            [
                plane.plane_id,
                _cell(plane.plane),
                _cell(full_name(plane.plane)),
                round(plane.confidence, _DIGITS),
                plane.frame_index,
                round(plane.time_s, _DIGITS),
                round(plane.start_s, _DIGITS),
                round(plane.end_s, _DIGITS),
                int(plane.by_hand),
                _cell(plane.found_as or ""),
                plane.chosen_by,
                _cell(decided(plane)),
                exported.png,
                exported.mp4,
                _cell(plane.note),
                *quality.values(),
                *([plane.fetus] if several else []),
            ]
        )
    return text.getvalue().encode()


def measurements_csv(scan: DeidentifiedScan) -> bytes:
    """measurements.csv: a line for each number that was measured; units by UCUM; age and centile by it.

    Where there is more than one fetus, the last column is the letter of the one that was measured.
    """
    text = io.StringIO()
    several = any(entry.fetus for entry in scan.measurements)
    table = csv.writer(text, lineterminator="\n")
    dates = ["age", "age_formula", "centile", "centile_formula"]
    fixed = ["measurement_id", "kind", "structure", "plane_id", "plane", "frame_index", "time_s"]
    table.writerow(
        [*fixed, "name", "value", "unit", "low", "high", "mm_x", "mm_y", "scale", "made_by", *dates]
        + ["fetus"] * several
    )
    for each in measured_values(scan.measurements, [plane.entry for plane in scan.planes], scan.age):
        entry, value = each.entry, each.value
        spread = [None if number is None else round(number, 3) for number in (value.low, value.high)]
        table.writerow(
            [
                entry.measurement_id,
                entry.kind,
                entry.structure,
                entry.plane_id,
                _cell(each.plane),
                entry.frame_index,
                round(entry.time_s, _DIGITS),
                value.name,
                round(value.number, 3),
                UCUM[value.unit],
                *spread,
                entry.mm_x,
                entry.mm_y,
                entry.scale,
                entry.made_by,
                *(part for said in (each.age, each.centile) for part in _said(said)),
                *([entry.fetus] if several else []),
            ]
        )
    return text.getvalue().encode()


def _fetus(letter: str) -> dict[str, str]:
    """Of which fetus something is; nothing where there is one only."""
    return {"fetus": letter} if letter else {}


def _said(line: Dated | None) -> tuple[str, str]:
    """Weeks and days, or a centile, and by which formula."""
    return ("", "") if line is None else (line.text, line.source)


def frames_csv_gz(table: FrameTable, model: ModelEntry) -> bytes:
    """frames.csv, packed with gzip: the columns of `semc analyse`, empty where a frame was not classified."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    names = model.classes
    fixed = ["frame_index", "time_s", "picture", "label", "confidence", "novelty"]
    rows.writerow(
        [*fixed, *(f"raw_{name}" for name in names), *(f"smoothed_{name}" for name in names), "quality"]
    )
    columns = [
        table.index.tolist(),
        np.round(table.pts_s, _DIGITS).tolist(),
        [PICTURES[code] for code in table.picture.tolist()],
        [_label(model, code) for code in table.label.tolist()],
        _rounded(table.confidence),
        _rounded(np.where(np.isnan(table.probabilities).any(axis=1), np.nan, table.novelty)),
        *(_rounded(column) for column in table.probabilities.T),
        *(_rounded(column) for column in table.smoothed.T),
        _rounded(table.quality),
    ]
    rows.writerows(zip(*columns, strict=True))
    # No time and no name: the same frames give the same bytes.
    return gzip.compress(text.getvalue().encode(), 6, mtime=0)


def poses_csv_gz(poses: Iterator[FramePoses]) -> bytes | None:
    """poses.csv, packed with gzip: a line for each pose of each frame; None where there is none.

    `m00` to `m23` are the three upper rows of the matrix, row by row, in millimetres.
    """
    first = next(poses, None)
    if first is None:
        return None
    packed = io.BytesIO()
    # No time and no name: the same poses give the same bytes.
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=6, mtime=0, filename="") as stream,
        io.TextIOWrapper(stream, "utf-8", newline="") as text,
    ):
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["frame_index", "of", "name", "coordinates", "age_s", *_MATRIX])
        for index, each in itertools.chain((first,), poses):
            for pose in each:
                table.writerow(
                    [
                        index,
                        pose.of,
                        _cell(pose.name),
                        pose.coordinates,
                        round(pose.age_s, _DIGITS),
                        *pose.matrix,
                    ]
                )
    return packed.getvalue()


def _label(model: ModelEntry, code: int) -> str:
    name = model.classes[code]
    return NON_STANDARD if name == model.none_class else name


def _rounded(values: NDArray[np.floating[Any]]) -> Sequence[float | str]:
    rounded: list[float] = np.round(values.astype(np.float64), _DIGITS).tolist()
    return ["" if value != value else value for value in rounded]


def _row_of(table: FrameTable, index: int) -> int | None:
    """The row of the frame with this index; None if it was not kept."""
    at = int(np.searchsorted(table.index, index))
    return at if at < len(table) and int(table.index[at]) == index else None


def _cell(text: str) -> str:
    """`text`, so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
