"""What a person can do to a session. Each is one step of undo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from semc_core.types import FrameResult


@dataclass(frozen=True, slots=True)
class Relabel:
    """This plane is another one: `plane` is its class name. With the name it has, a person confirms it."""

    plane_id: int
    plane: str


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

    `title` is the item's, to speak of it; "" speaks of it by its id.
    """

    protocol_id: str
    item_id: str
    status: str
    reason: str = ""
    title: str = ""


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
)


FRAME_CHOSEN: Final = "choose frame"
PLANE_ADDED: Final = "add plane"
"""Kinds of the log's entries for pictures that a person took from the loop."""

NOT_POSSIBLE: Final = "not possible"
