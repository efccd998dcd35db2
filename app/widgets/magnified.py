"""A part of a picture seen larger: about which place, and how much. Pure arithmetic. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.widgets.placed import Placed, Point, place

STEP: Final = 1.25
"""So much larger by each step of the wheel."""
_MOST: Final = 16.0
_NEARLY: Final = 1.001


@dataclass(frozen=True, slots=True)
class Magnified:
    """What is seen of a picture.

    Attributes:
        times: How much larger than as a whole, at least 1.
        across: Which place of the picture is in the middle, 0-1 from left to right.
        down: The same from top to bottom.
    """

    times: float = 1.0
    across: float = 0.5
    down: float = 0.5

    @property
    def whole(self) -> bool:
        """Whether all of the picture is seen."""
        return self.times < _NEARLY

    def placed(self, width: int, height: int, room_width: float, room_height: float) -> Placed:
        """Where a picture of this size lies in a room, of which it leaves no more empty than it must."""
        fitted = place(width, height, room_width, room_height)
        scale = fitted.scale * self.times
        left = _edge(room_width, width * scale, self.across)
        top = _edge(room_height, height * scale, self.down)
        return Placed(left, top, scale, width, height)

    def zoomed(self, steps: float, at: Point, before: Placed, room: tuple[float, float]) -> Magnified:
        """So many steps larger, or smaller; what lies under the mouse stays there as far as that can be.

        Args:
            steps: Of the wheel.
            at: Where the mouse is in the room.
            before: Where the picture lies.
            room: Its width and height.
        """
        times = min(max(self.times * STEP**steps, 1.0), _MOST)
        if times < _NEARLY:
            return WHOLE
        scale = before.scale / self.times * times
        x, y = (at[0] - before.left) / before.scale, (at[1] - before.top) / before.scale
        return Magnified(
            times,
            _share(x + (room[0] / 2 - at[0]) / scale, before.width, room[0] / scale),
            _share(y + (room[1] / 2 - at[1]) / scale, before.height, room[1] / scale),
        )

    def moved(self, by: Point, before: Placed, room: tuple[float, float]) -> Magnified:
        """Dragged by so many pixels of the room."""
        if self.whole:
            return self
        x = self.across * before.width - by[0] / before.scale
        y = self.down * before.height - by[1] / before.scale
        return Magnified(
            self.times,
            _share(x, before.width, room[0] / before.scale),
            _share(y, before.height, room[1] / before.scale),
        )


WHOLE: Final = Magnified()
"""All of it."""


def _share(middle: float, length: int, seen: float) -> float:
    """The middle of what is seen, moved so that nothing beside the picture is; 0-1."""
    if seen >= length:
        return 0.5
    return min(max(middle, seen / 2), length - seen / 2) / length


def _edge(room: float, length: float, middle: float) -> float:
    """Where a picture of this length begins, with this place of it in the middle of the room."""
    if length <= room:
        return (room - length) / 2
    return min(0.0, max(room - length, room / 2 - middle * length))
