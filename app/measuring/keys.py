"""Which bindings measure on a page: the same tools, under keys that are free there. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class MeasureKeys:
    """Names in `app.commands`.

    Attributes:
        tools: What the names of the tools' bindings begin with.
        enter: What ends a line first, before it does what it does else.
        arrows: By how many pixels each arrow key moves the chosen handle.
        turns: By how many steps each of these turns the probe of a body mark.
    """

    tools: str
    enter: str
    arrows: Mapping[str, tuple[int, int]]
    turns: Mapping[str, int]


_FAR: Final = {"nudge_up_far": (0, -10), "nudge_down_far": (0, 10)}

IN_REVIEW: Final = MeasureKeys(
    "measure_",
    "use_frame",
    MappingProxyType(
        {
            "step_back": (-1, 0),
            "step_on": (1, 0),
            "second_back": (-10, 0),
            "second_on": (10, 0),
            "previous_plane": (0, -1),
            "next_plane": (0, 1),
            **_FAR,
        }
    ),
    MappingProxyType({"slower": -1, "faster": 1}),
)
"""The arrows do something else while no handle is chosen."""

IN_LIVE: Final = MeasureKeys(
    "live_",
    "capture",
    MappingProxyType(
        {
            "nudge_left": (-1, 0),
            "nudge_right": (1, 0),
            "nudge_left_far": (-10, 0),
            "nudge_right_far": (10, 0),
            "nudge_up": (0, -1),
            "nudge_down": (0, 1),
            **_FAR,
        }
    ),
    MappingProxyType({"turn_left": -1, "turn_right": 1}),
)
"""C, L and S capture, look and stop during a scan: there a tool's letter is pressed with Shift."""
