"""Taking the region of interest by its corners and edges, in pixels of the frame. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass

from semc_core.types import Crop


@dataclass(frozen=True, slots=True)
class Grip:
    """Which of the edges are moved: -1 the left or upper one, 1 the right or lower one, 0 neither."""

    across: int
    down: int


def grip_at(region: Crop, x: float, y: float, reach: float) -> Grip | None:
    """What of a region lies within `reach` of a place; None where nothing does.

    A corner is two edges. Of both edges of a narrow region the nearer one counts.
    """
    left, top = float(region.left), float(region.top)
    right, bottom = left + region.width, top + region.height
    if not (left - reach <= x <= right + reach and top - reach <= y <= bottom + reach):
        return None
    across, down = _side(x, left, right, reach), _side(y, top, bottom, reach)
    return Grip(across, down) if across or down else None


def _side(value: float, low: float, high: float, reach: float) -> int:
    to_low, to_high = abs(value - low), abs(value - high)
    if min(to_low, to_high) > reach:
        return 0
    return -1 if to_low <= to_high else 1


def pulled(region: Crop, grip: Grip, x: float, y: float, least: int) -> Crop:
    """The region with the edges of `grip` at a place of the frame; no side gets shorter than `least`."""
    left, width = _pulled(region.left, region.width, grip.across, x, least)
    top, height = _pulled(region.top, region.height, grip.down, y, least)
    return Crop(left, top, width, height)


def _pulled(start: int, length: int, side: int, to: float, least: int) -> tuple[int, int]:
    end = start + length
    if side < 0:
        start = min(round(to), max(end - least, 0))
    elif side > 0:
        end = max(round(to), start + least)
    return start, end - start
