"""What a person can do to a session. Each is one step of undo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from semc_core.measure.calibration import Calibration
from semc_core.measure.gestation import GestationalAge
from semc_core.measure.shapes import Place
from semc_core.types import FrameResult


@dataclass(frozen=True, slots=True)
class Relabel:
    """This plane is another one: `plane` is its class name. With the name it has, a person confirms it.

    With a letter in `fetus` it is of that fetus, too (see `MoveToFetus`), in the same step.
    """

    plane_id: int
    plane: str
    fetus: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """This is no standard plane."""

    plane_id: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Restore:
    """The rejection was wrong."""

    plane_id: int


@dataclass(frozen=True, slots=True, eq=False)
class ChooseFrame:
    """Another frame shows this plane better; it is saved, and the first one's picture is kept."""

    plane_id: int
    frame: FrameResult


@dataclass(frozen=True, slots=True, eq=False)
class AddPlane:
    """A plane that the model missed."""

    plane: str
    frame: FrameResult


@dataclass(frozen=True, slots=True)
class MarkRegion:
    """A stretch of time shows `label` (a class name, or a person's own word). Seconds."""

    start_s: float
    end_s: float
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class RemoveRegion:
    """Take a mark away."""

    region_id: int


@dataclass(frozen=True, slots=True)
class LabelRegion:
    """A stretch that is marked shows something else: `label`."""

    region_id: int
    label: str


@dataclass(frozen=True, slots=True)
class SetNote:
    """Words on a plane, or with None on the whole session. "" takes them away."""

    plane_id: int | None
    text: str


@dataclass(frozen=True, slots=True)
class SetItem:
    """A person's word on an item of a protocol: `status` is "not possible", or "" to take it back.

    `title` is the item's, to speak of it; "" speaks of it by its id. `fetus` is the letter of the one that
    it is said of; "" is the first.
    """

    protocol_id: str
    item_id: str
    status: str
    reason: str = ""
    title: str = ""
    fetus: str = ""


@dataclass(frozen=True, slots=True)
class SetFetus:
    """From `time_s` (seconds) on, until the next such change, the fetus of this letter is scanned."""

    time_s: float
    fetus: str


@dataclass(frozen=True, slots=True)
class MoveToFetus:
    """This plane is of the fetus of this letter, whenever it was seen."""

    plane_id: int
    fetus: str


@dataclass(frozen=True, slots=True)
class AddMeasurement:
    """Measure in a frame.

    Attributes:
        kind: One of `measure.shapes.KINDS`.
        points: Places in pixels of the whole frame.
        frame_index: Index of the frame in its source.
        time_s: Its presentation time, seconds.
        width: Of the frame, pixels.
        height: Of the frame, pixels.
        plane_id: Of the plane that shows this frame, or None.
        scale: What the source itself says of its millimetres; None where it says nothing.
        structure: One of `measure.shapes.STRUCTURES`, or "".
        proposed: Whether the program proposed it and a person accepts it.
        error: Of a proposal the share of the circumference within which 90 of 100 lie.
    """

    kind: str
    points: tuple[Place, ...]
    frame_index: int
    time_s: float
    width: int
    height: int
    plane_id: int | None = None
    scale: Calibration | None = None
    structure: str = ""
    proposed: bool = False
    error: float | None = None


@dataclass(frozen=True, slots=True)
class MoveMeasurement:
    """Points of a measurement lie elsewhere; `scale` is what the source says of its millimetres there."""

    measurement_id: int
    points: tuple[Place, ...]
    scale: Calibration | None = None


@dataclass(frozen=True, slots=True)
class NameMeasurement:
    """What a measurement shows: `structure` is one of `measure.shapes.STRUCTURES`, or ""."""

    measurement_id: int
    structure: str


@dataclass(frozen=True, slots=True)
class RemoveMeasurement:
    """Take a measurement away."""

    measurement_id: int


@dataclass(frozen=True, slots=True)
class SetScale:
    """A line over a frame is so long: from now on pictures of its size have millimetres.

    Attributes:
        points: Its two ends, pixels of the whole frame.
        length_mm: What was typed.
        frame_index: Index of the frame in its source.
        width: Of the frame, pixels.
        height: Of the frame, pixels.
        aspect: Height of a pixel to its width, as the source says.
    """

    points: tuple[Place, ...]
    length_mm: float
    frame_index: int
    width: int
    height: int
    aspect: float = 1.0


@dataclass(frozen=True, slots=True)
class SetAge:
    """The pregnancy is so old on the day of the examination, by its dates; None takes the word back."""

    age: GestationalAge | None


MeasureChange = AddMeasurement | MoveMeasurement | NameMeasurement | RemoveMeasurement | SetScale | SetAge

Change = (
    Relabel
    | Reject
    | Restore
    | ChooseFrame
    | AddPlane
    | MarkRegion
    | RemoveRegion
    | LabelRegion
    | SetNote
    | SetItem
    | SetFetus
    | MoveToFetus
    | MeasureChange
)


FRAME_CHOSEN: Final = "choose frame"
PLANE_ADDED: Final = "add plane"
"""Kinds of the log's entries for pictures that a person took from the loop."""

NOT_POSSIBLE: Final = "not possible"
