"""Random changes of one picture: what differs between probes, hands, knobs, cables and files.

Pictures of small fetuses matter: most data are of heads that fill the picture, and a scanner of another
department, or an earlier week, shows the same plane at half the size. Mirrored ones too: a probe held the
other way is everyday.
"""

from __future__ import annotations

import string
from functools import cache
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.preprocess import whole
from semc_core.types import Crop

Gray = NDArray[np.uint8]

_FAR: Final = (-0.85, 0.3)
"""Log of the zoom, for two pictures of three; for the third `_NEAR`."""
_NEAR: Final = (-0.15, 0.25)
_LETTERS: Final = string.ascii_uppercase + string.digits + " .:/-"
_GRAINS: Final = 24


def changed(rng: np.random.Generator, gray: Gray, region: Crop, height: int, width: int) -> Gray:
    """A random version of a picture as the network's input shows it, before it is normalised.

    Args:
        rng: Decides everything.
        gray: uint8 (H, W).
        region: Of the ultrasound picture in it.
        height: Rows of the result.
        width: Columns of the result.

    Returns:
        uint8 (height, width).
    """
    moved = _moved(rng, gray, region, height, width)
    toned = _toned(rng, moved)
    marked = _marked(rng, _blurred(rng, toned))
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 80))]
        marked = cast("Gray", cv2.imdecode(cv2.imencode(".jpg", marked, quality)[1], cv2.IMREAD_GRAYSCALE))
    return _hidden(rng, marked)


def _moved(rng: np.random.Generator, gray: Gray, region: Crop, height: int, width: int) -> Gray:
    """Zoomed, turned, shifted, stretched, half of them mirrored; some with what lies beside the region."""
    region = whole(gray) if rng.random() < 0.2 else region
    centre = np.array(
        [
            region.left + region.width * (0.5 + rng.uniform(-0.06, 0.06)),
            region.top + region.height * (0.5 + rng.uniform(-0.06, 0.06)),
        ]
    )
    zoom = np.exp(rng.uniform(*(_FAR if rng.random() < 0.65 else _NEAR)))
    stretch = np.exp(np.clip(rng.normal(0, 0.12), -0.3, 0.3))
    scale = min(width / region.width, height / region.height) * zoom
    angle = np.deg2rad(np.clip(rng.normal(0, 9), -25, 25))
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.diag([mirror * scale * stretch**0.5, scale * stretch**-0.5])
    shift = np.array([width / 2, height / 2]) - matrix @ centre
    if rng.random() < 0.6:
        alone = np.zeros_like(gray)
        region.cut(alone)[:] = region.cut(gray)
        gray = alone
    return cast("Gray", cv2.warpAffine(gray, np.hstack([matrix, shift[:, None]]), (width, height)))


def _toned(rng: np.random.Generator, picture: Gray) -> Gray:
    """Gamma, gain, black level, time gain, speckle, shadow and haze."""
    height, width = picture.shape
    levels = (
        255 * (np.arange(256) / 255) ** np.exp(rng.uniform(-0.45, 0.45)) * np.exp(rng.uniform(-0.35, 0.35))
    )
    if rng.random() < 0.4:
        levels += rng.uniform(-12, 12) * (np.arange(256) > 0)
    toned = np.clip(levels, 0, 255).astype(np.float32)[picture]
    sliders = np.exp(rng.uniform(-0.4, 0.4, 6))
    toned *= np.interp(np.linspace(0, 5, height), np.arange(6), sliders).astype(np.float32)[:, None]
    if rng.random() < 0.5:
        toned *= 1 + _grains(height, width)[rng.integers(_GRAINS)] * np.float32(rng.uniform(0, 0.28))
    rows, columns = np.linspace(0, 1, height, dtype=np.float32), np.linspace(0, 1, width, dtype=np.float32)
    if rng.random() < 0.2:
        below = 1 / (1 + np.exp(-(rows - rng.uniform(0, 0.6)) * 40))
        across = np.exp(-0.5 * ((columns - rng.uniform(0.1, 0.9)) / rng.uniform(0.03, 0.12)) ** 2)
        toned *= 1 - np.float32(rng.uniform(0.3, 0.9)) * below[:, None] * across[None]
    if rng.random() < 0.12:
        band = np.exp(-0.5 * ((rows - rng.uniform(0.05, 0.6)) / rng.uniform(0.05, 0.2)) ** 2)
        toned += np.float32(rng.uniform(10, 70)) * band[:, None] * (picture > 2)
    return cast("Gray", np.clip(toned, 0, 255).astype(np.uint8))


def _blurred(rng: np.random.Generator, picture: Gray) -> Gray:
    """Some softened, some captured smaller and enlarged, some sharpened."""
    height, width = picture.shape
    way = rng.random()
    if way < 0.25:
        return cast("Gray", cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.6)))
    if way < 0.4:
        part = rng.uniform(0.4, 0.8)
        size = (round(width * part), round(height * part))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        return cast("Gray", cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))
    if way < 0.55:
        return cast("Gray", cv2.addWeighted(picture, 1.7, cv2.GaussianBlur(picture, (0, 0), 1.2), -0.7, 0))
    return picture


def _marked(rng: np.random.Generator, picture: Gray) -> Gray:
    """Text, calipers with their dotted line, the frame of a colour box."""
    height, width = picture.shape
    if rng.random() < 0.3:
        for _ in range(rng.integers(1, 7)):
            text = "".join(rng.choice(list(_LETTERS), rng.integers(2, 14)))
            place = int(rng.integers(-20, width - 10)), int(rng.integers(6, height))
            face, size, level = int(rng.integers(4)), rng.uniform(0.25, 0.6), int(rng.integers(90, 256))
            cv2.putText(picture, text, place, face, size, level, 1, cv2.LINE_AA)
    if rng.random() < 0.25:
        _calipers(rng, picture)
    if rng.random() < 0.05:
        left, top = int(rng.integers(0, width - 60)), int(rng.integers(0, height - 60))
        right, bottom = left + int(rng.integers(30, 120)), top + int(rng.integers(30, 120))
        cv2.rectangle(picture, (left, top), (right, bottom), int(rng.integers(100, 220)))
    return picture


def _calipers(rng: np.random.Generator, picture: Gray) -> None:
    height, width = picture.shape
    ends = [(int(rng.integers(10, width - 10)), int(rng.integers(10, height - 10))) for _ in range(2)]
    level, kind = int(rng.integers(120, 256)), int(rng.choice([cv2.MARKER_CROSS, cv2.MARKER_TILTED_CROSS]))
    for end in ends:
        cv2.drawMarker(picture, end, level, kind, int(rng.integers(4, 10)), 1)
    if rng.random() < 0.6:
        (x0, y0), (x1, y1) = ends
        count = max(3, round(float(np.hypot(x1 - x0, y1 - y0)) / rng.uniform(3, 7)))
        for step in np.arange(count) / count:
            picture[int(y0 + (y1 - y0) * step), int(x0 + (x1 - x0) * step)] = level


def _hidden(rng: np.random.Generator, picture: Gray) -> Gray:
    """One in ten loses a rectangle."""
    if rng.random() < 0.1:
        left, top = int(rng.integers(0, picture.shape[1] - 30)), int(rng.integers(0, picture.shape[0] - 30))
        picture[top : top + int(rng.integers(10, 70)), left : left + int(rng.integers(10, 90))] = 0
    return picture


@cache
def _grains(height: int, width: int) -> list[NDArray[np.float32]]:
    """Patterns of speckle, mean 0 and deviation 1, longer across the beams than along."""
    rng = np.random.default_rng(5)
    patterns = []
    for _ in range(_GRAINS):
        size = rng.uniform(1.0, 2.6)
        coarse = rng.standard_normal((max(2, round(height / size)), max(2, round(width / (1.6 * size)))))
        grown = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        patterns.append(cast("NDArray[np.float32]", grown / grown.std()))
    return patterns
