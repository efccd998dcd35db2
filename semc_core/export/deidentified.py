"""What may leave the machine, as data: all that the writers of an export ever see.

Made by `deidentify` alone. In it is neither a path nor an open session, and its pixels come blanked. Where
the user chose to keep identity, the names are in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semc_core.export.checklist import Checklist
from semc_core.export.dicom.pixels import Lossy
from semc_core.export.dicom.study import StudyContext
from semc_core.measure.gestation import GestationalAge
from semc_core.pose import FramePoses, Pose
from semc_core.session.annotations import Annotation
from semc_core.session.records import FrameTable, MeasurementEntry, ModelEntry, PlaneEntry, RegionEntry


@dataclass(frozen=True, slots=True, eq=False)
class DeidentifiedFrame:
    """A frame of a clip.

    Attributes:
        index: In its source.
        time_s: Presentation time; of the first frame it may be anything.
        pixels: uint8 (H, W) or (H, W, 3), read-only, blanked.
    """

    index: int
    time_s: float
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class DeidentifiedClip:
    """A clip of the scan round a plane.

    Attributes:
        frames: Gives its frames in order, at least one, all of one size. They are read and blanked anew each
            time, one by one: a clip may be larger than the memory.
        width: Of its frames, pixels.
        height: Of its frames, pixels.
        coloured: Whether a frame has colour; others may be gray all the same.
        of_source: Whether the frames and their indices are those of a DICOM source.
        lossy: What its pixels lost; None where that is not known.
    """

    frames: Callable[[], Iterator[DeidentifiedFrame]]
    width: int
    height: int
    coloured: bool
    of_source: bool
    lossy: Lossy


@dataclass(frozen=True, slots=True, eq=False)
class DeidentifiedPlane:
    """A plane of the export.

    Attributes:
        entry: As it stands in the session, without its files; its note only if free text is wanted.
        stem: What the names of its files begin with.
        pixels: Gives its picture, uint8 (H, W) or (H, W, 3), read-only, read and blanked anew each time.
        lossy: What the picture lost; None where that is not known.
        clip: None if there is none.
        poses: Where its picture was in space; none where no sender said so.
    """

    entry: PlaneEntry
    stem: str
    pixels: Callable[[], NDArray[np.uint8]]
    lossy: Lossy
    clip: DeidentifiedClip | None
    poses: tuple[Pose, ...] = ()

    @property
    def png(self) -> str:
        """Its picture in the bundle."""
        return f"planes/{self.stem}.png"

    @property
    def annotated_png(self) -> str:
        """A copy of its picture with what was drawn on it, in the bundle; where something was."""
        return f"annotated/{self.stem}.png"

    @property
    def mp4(self) -> str:
        """Its clip in the bundle, or ""."""
        return f"clips/{self.stem}.mp4" if self.clip is not None else ""


@dataclass(frozen=True, slots=True, eq=False)
class DeidentifiedScan:
    """All of an export.

    Attributes:
        deidentified: Whether identity was left out.
        looked_for_text: Whether the pictures were read.
        parts: What is wanted beside pictures and tables.
        jpeg: Whether DICOM objects hold their pixels as JPEG.
        obgyn: Whether there is an obstetric report beside them.
        masks: How many rectangles were blanked in every picture.
        source: What the source is called: its name, or the patient's generated number.
        source_kind: "video", "dicom" ...
        source_size: (width, height) of its frames, pixels.
        study: What the DICOM objects have in common; the patient to name.
        model: What classified the frames.
        table: What was concluded from each frame.
        poses: Gives where frames of the table were in space, anew each time.
        planes: In the order of time.
        not_found: Class names that the model knows and the scan does not show, in the model's order. A plane
            that was left out is none of them.
        regions: Stretches of time that a person marked, without a person's own words unless they are wanted.
        measurements: Of the planes, and of frames that no plane shows. They hold no free text.
        annotations: What a person wrote and drew on the planes' frames; texts only if free text is wanted.
        age: Of the pregnancy by its dates, which are kept nowhere; None where nobody said.
        note: On the whole scan, if free text is wanted; or "".
        checklist: Of a protocol, or None.
        notices: Sentences that the user should see.
        entries: How many the session's log had.
        head: Hash of its last entry then.
        warning: What every page says, of a session that is not as it was written; or "".
        rejected: How many planes stayed out because they are rejected.
        not_chosen: How many because they were not chosen.
    """

    deidentified: bool
    looked_for_text: bool
    parts: tuple[str, ...]
    jpeg: bool
    obgyn: bool
    masks: int
    source: str
    source_kind: str
    source_size: tuple[int, int]
    study: StudyContext
    model: ModelEntry
    table: FrameTable
    poses: Callable[[], Iterator[FramePoses]]
    planes: tuple[DeidentifiedPlane, ...]
    not_found: tuple[str, ...]
    regions: tuple[RegionEntry, ...]
    measurements: tuple[MeasurementEntry, ...]
    annotations: tuple[Annotation, ...]
    age: GestationalAge | None
    note: str
    checklist: Checklist | None
    notices: tuple[str, ...]
    entries: int
    head: str
    warning: str = ""
    rejected: int = 0
    not_chosen: int = 0
