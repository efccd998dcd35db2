"""What a sector's outline can look like: hollow only where the probe lies on."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]


def without_dents(mask: Mask) -> Mask:
    """A connected mask, 0 or 1, filled up to its convex hull, but not on the side of the probe.

    Shadows and depths without echo dent the sides and the end of a sector. Its beginning is really hollow: a
    convex probe's. The probe is above, or below if that asks for less filling.
    """
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate(outlines) if len(outlines) > 1 else outlines[0]
    hull = np.zeros_like(mask)
    cv2.fillPoly(hull, [np.asarray(cv2.convexHull(points), np.int32)], 1)
    below = hull & np.maximum.accumulate(mask, axis=0)
    above = hull & np.maximum.accumulate(mask[::-1], axis=0)[::-1]
    filled = below if int(below.sum()) <= int(above.sum()) else above
    return cast("Mask", np.ascontiguousarray(filled | mask))
