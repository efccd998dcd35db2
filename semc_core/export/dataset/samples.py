"""What a data set holds, as data: all that the writers of its formats, plug-ins too, ever see."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from semc_core.export.deidentified import DeidentifiedPlane, DeidentifiedScan
from semc_core.measure.shapes import Place, ellipse_of
from semc_core.session.files import encode_png
from semc_core.session.records import MeasurementEntry
from semc_core.types import Crop

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS: Final = (TRAIN, VALIDATION, TEST)
_CORNERS: Final = 64
"""Of the polygon that stands for an ellipse."""
_DIGITS: Final = 2


@dataclass(frozen=True, slots=True)
class Outline:
    """A closed line that somebody drew over the picture.

    Attributes:
        name: What it shows ("head"), or its kind where nobody said.
        polygon: Its corners, pixels of the picture.
    """

    name: str
    polygon: tuple[Place, ...]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width, height, pixels."""
        xs, ys = zip(*self.polygon, strict=True)
        return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)

    @property
    def area(self) -> float:
        """Square pixels."""
        pairs = zip(self.polygon, (*self.polygon[1:], self.polygon[0]), strict=True)
        return abs(sum(x * b - a * y for (x, y), (a, b) in pairs)) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One picture.

    Attributes:
        name: Of its file, without a suffix. It ends with the frame's number, and begins with that of the
            session: `semc session label` finds the frame by them.
        label: Class name.
        group: Of all pictures of one patient, or one loop where the patient is not known.
        split: One of `SPLITS`.
        width: Pixels.
        height: Pixels.
        region: The ultrasound picture in it; the rest is black.
        frame_index: Of the frame in its source.
        time_s: Its time in the source, seconds.
        decided_by: "model" or "person": who decided last on its label.
        outlines: What was drawn over it.
        model_notice: The sentence of the model that found it, or "".
        png: Gives the picture's file, read and blanked anew each time.
    """

    name: str
    label: str
    group: str
    split: str
    width: int
    height: int
    region: Crop
    frame_index: int
    time_s: float
    decided_by: str
    outlines: tuple[Outline, ...]
    model_notice: str
    png: Callable[[], bytes]


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """All of it.

    Attributes:
        classes: Names of the planes, in the models' order, those of "none of these" left out.
        samples: At least one.
        notices: Sentences that whoever uses it should see.
    """

    classes: tuple[str, ...]
    samples: tuple[Sample, ...]
    notices: tuple[str, ...]

    @property
    def structures(self) -> tuple[str, ...]:
        """What the outlines show, by name."""
        return tuple(sorted({each.name for sample in self.samples for each in sample.outlines}))

    def of_split(self, split: str) -> tuple[Sample, ...]:
        """The samples of one split, in order."""
        return tuple(sample for sample in self.samples if sample.split == split)

    @property
    def splits(self) -> tuple[str, ...]:
        """Those that have samples, in the order of `SPLITS`."""
        return tuple(split for split in SPLITS if self.of_split(split))


def samples_of(scan: DeidentifiedScan, tag: str, group: str) -> list[Sample]:
    """The planes of a scan as samples, all to train on.

    Args:
        scan: See there.
        tag: Says which session it is of.
        group: See `Sample`.
    """
    return [_sample(scan, plane, tag, group) for plane in scan.planes]


def _sample(scan: DeidentifiedScan, plane: DeidentifiedPlane, tag: str, group: str) -> Sample:
    entry = plane.entry
    drawn = [each for each in scan.measurements if each.plane_id == entry.plane_id]
    return Sample(
        name=f"{tag}_{plane.stem}",
        label=entry.plane,
        group=group,
        split=TRAIN,
        width=entry.width,
        height=entry.height,
        region=entry.crop,
        frame_index=entry.frame_index,
        time_s=round(entry.time_s, 6),
        decided_by=entry.chosen_by,
        outlines=_outlines(drawn, entry.frame_index),
        model_notice=scan.model.notice,
        png=lambda: encode_png(plane.pixels()),
    )


def _outlines(measured: Sequence[MeasurementEntry], frame_index: int) -> tuple[Outline, ...]:
    """The closed lines among what was measured in the plane's own frame."""
    made = []
    for each in measured:
        if each.frame_index == frame_index and each.kind in ("ellipse", "area"):
            name = each.structure or each.kind
            made.append(Outline(name, _inside(_corners(each), each.width, each.height)))
    return tuple(made)


def _corners(measured: MeasurementEntry) -> list[Place]:
    if measured.kind == "area":
        return list(measured.points)
    ellipse = ellipse_of(measured.points)
    cosine, sine = math.cos(ellipse.angle), math.sin(ellipse.angle)
    corners = []
    for number in range(_CORNERS):
        turn = 2 * math.pi * number / _CORNERS
        along, across = ellipse.major * math.cos(turn), ellipse.minor * math.sin(turn)
        corners.append(
            (ellipse.x + along * cosine - across * sine, ellipse.y + along * sine + across * cosine)
        )
    return corners


def _inside(corners: Sequence[Place], width: int, height: int) -> tuple[Place, ...]:
    """Corners beside the picture go to its edge, where other programs want them."""
    return tuple(
        (round(min(max(x, 0.0), width), _DIGITS), round(min(max(y, 0.0), height), _DIGITS))
        for x, y in corners
    )


def facts(sample: Sample) -> dict[str, Any]:
    """What every format that has room for it says of a picture."""
    return {
        "label": sample.label,
        "group": sample.group,
        "frame_index": sample.frame_index,
        "time_s": sample.time_s,
        "decided_by": sample.decided_by,
        "model_notice": sample.model_notice,
    }
