"""What presenters and widgets of several features share: plain data, no Qt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from semc_core.measure.gestation import GestationalAge
    from semc_core.session.fetuses import Fetuses
    from semc_core.session.records import (
        FrameTable,
        ItemEntry,
        MeasurementEntry,
        PlaneEntry,
        RegionEntry,
        ScaleEntry,
    )


@dataclass(frozen=True, slots=True, eq=False)
class ReviewSnapshot:
    """What a session holds at one moment. Read on a thread of its own, shown in the window.

    Attributes:
        planes: In order of time, the rejected ones too.
        regions: Marked by a person, in order of time.
        note: On the whole session.
        items: A person's words on items of protocols.
        table: What the model said of each frame so far; None before the first.
        measurements: Oldest first.
        scales: Millimetres per pixel that a person gave.
        age: Of the pregnancy by its dates; None where nobody said.
        fetuses: Of how many it is, and which was scanned when; None is one.
    """

    planes: tuple[PlaneEntry, ...] = ()
    regions: tuple[RegionEntry, ...] = ()
    note: str = ""
    items: tuple[ItemEntry, ...] = ()
    table: FrameTable | None = None
    measurements: tuple[MeasurementEntry, ...] = ()
    scales: tuple[ScaleEntry, ...] = ()
    age: GestationalAge | None = None
    fetuses: Fetuses | None = None

    def plane(self, plane_id: int | None) -> PlaneEntry | None:
        """The plane with this number, if there is one."""
        return next((plane for plane in self.planes if plane.plane_id == plane_id), None)


@dataclass(frozen=True, slots=True, eq=False)
class StripItem:
    """A card in the strip below the picture.

    Attributes:
        key: The plane's number, or the candidate's frame.
        pixels: uint8 (h, w) or (h, w, 3), small; None where there is none.
        lines: Left and right text of each line.
        plane: Class name, for the colour.
        mark: "model" or "person": who decided last; "" for a candidate.
        chosen: Whether it is the one that keys act on.
        rejected: Whether a person rejected it.
        saved: Of the best frames of a hold, whether it is the saved one.
        tip: A sentence.
    """

    key: int
    pixels: NDArray[np.uint8] | None
    lines: tuple[tuple[str, str], ...]
    plane: str
    mark: str = ""
    chosen: bool = False
    rejected: bool = False
    saved: bool = False
    tip: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class StripMarks:
    """How the cards of a scan are marked.

    Attributes:
        chosen: The plane that keys act on.
        rejected: By a person.
        named: By a person.
        fetuses: Letter of the fetus of each plane; empty where there is one only.
    """

    chosen: int | None = None
    rejected: frozenset[int] = frozenset()
    named: frozenset[int] = frozenset()
    fetuses: Mapping[int, str] = field(default_factory=dict)


NO_MARKS: Final = StripMarks()
"""As the scan saved them."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """How a plane should look, as its protocol shows it.

    Attributes:
        title: Of the protocol's item; "" where there is none.
        credit: Whose the picture is, or "".
        pixels: uint8 (H, W) or (H, W, 3); None where there is no picture.
        sentence: Why there is none, or "".
    """

    title: str = ""
    credit: str = ""
    pixels: NDArray[np.uint8] | None = None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class DraggedPlane:
    """A saved plane whose card is dragged: its number, and the class name that it has."""

    plane_id: int
    plane: str


@dataclass(frozen=True, slots=True)
class Asking:
    """Words that the user is to type.

    Attributes:
        title: What is asked.
        text: What stands there at first.
        region: Start and end in seconds of the region that is to be marked; None for a note.
        plane_id: The plane that it is about; None for the session.
        region_id: The marked region that gets another name.
        reject: Whether it is the reason why the plane is rejected.
        then: Told the answer, whatever else is asked.
    """

    title: str
    text: str
    region: tuple[float, float] | None = None
    plane_id: int | None = None
    region_id: int | None = None
    reject: bool = False
    then: Callable[[str], None] | None = field(default=None, compare=False)


CLASS_KEYS: Final = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "0")
"""The first ten planes of the model; the others are chosen with the mouse."""

LIVE_NAME_KEYS: Final = (*"123456789", *"BDGJMQTUZ")
"""During a scan: of the planes of the protocol. The letters do nothing else then, so all other keys go on."""
