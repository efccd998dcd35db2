"""Where a frame lies in a widget, and back: pure arithmetic. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semc_core.types import Crop

LEAST_REGION_PX = 32
"""A region of interest smaller than this, in frame pixels, was not meant."""

Point = tuple[float, float]
"""A place, x and y."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A frame of `width` x `height` pixels, drawn with its top left corner at (left, top), `scale` times."""

    left: float
    top: float
    scale: float
    width: int
    height: int

    def to_frame(self, x: float, y: float) -> tuple[float, float]:
        """A place in the widget as a place in the frame, moved into the frame if it is beside it."""
        across = min(max((x - self.left) / self.scale, 0.0), float(self.width))
        down = min(max((y - self.top) / self.scale, 0.0), float(self.height))
        return across, down

    def to_widget_point(self, x: float, y: float) -> tuple[float, float]:
        """A place in the frame as a place in the widget."""
        return self.left + x * self.scale, self.top + y * self.scale

    def to_widget(self, crop: Crop) -> tuple[float, float, float, float]:
        """Left, top, width, height of a crop in the widget."""
        return (
            self.left + crop.left * self.scale,
            self.top + crop.top * self.scale,
            crop.width * self.scale,
            crop.height * self.scale,
        )

    def region(self, first: Point, last: Point, least_px: int = LEAST_REGION_PX) -> Crop | None:
        """The crop between two places in the widget; None if a side is below `least_px`: it was not meant."""
        x0, y0 = self.to_frame(*first)
        x1, y1 = self.to_frame(*last)
        left, right = sorted((round(x0), round(x1)))
        top, bottom = sorted((round(y0), round(y1)))
        if right - left < least_px or bottom - top < least_px:
            return None
        return Crop(left, top, right - left, bottom - top)


def place(width: int, height: int, room_width: float, room_height: float) -> Placed:
    """Centre a frame in a room, as large as it fits with its shape kept."""
    scale = max(1e-6, min(room_width / width, room_height / height))
    left, top = (room_width - width * scale) / 2, (room_height - height * scale) / 2
    return Placed(left, top, scale, width, height)


def badge_places(
    widths: Sequence[float], high: float, placed: Placed | None, right: float, em: float
) -> list[tuple[float, float]]:
    """Left and top of the texts that stand at the picture's upper left.

    Below each other in the black beside the picture where that is wide enough: what the scanner writes
    stands in the picture's corners. Else side by side over it, in as many lines as they need.

    Args:
        widths: Of each, pixels.
        high: Of all.
        placed: The picture; None without one.
        right: Where something else begins.
        em: See `theme.em`.
    """
    edge = 0.6 * em
    if placed is not None and widths and placed.left >= max(widths) + 2 * edge:
        return [(edge, edge + i * (high + 0.4 * em)) for i in range(len(widths))]
    places, x, y = [], edge, edge
    for width in widths:
        if x + width > right and x > edge:
            x, y = edge, y + high + 0.4 * em
        places.append((x, y))
        x += width + 0.5 * em
    return places
