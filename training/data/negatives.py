"""Pictures that show no standard plane of the liver: what "none of these" is learned from.

Three families: screens that are no ultrasound, ultrasound of something else, and scan frames whose picture
was destroyed. All are generated; no files are needed. Each maker takes a random generator and gives
uint8 (H, W).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.echoes import (
    GRID,
    Levels,
    Picture,
    Rng,
    coordinates,
    ellipse,
    picture,
    smooth_field,
)

_SIZES: Final = ((480, 640), (576, 720), (600, 800), (480, 480))
_WORDS: Final = (
    *("SCAN", "FREEZE", "GAIN", "DEPTH", "REPORT", "EXAM", "LIVER", "NAME", "DATE", "MENU"),
    *("SAVE", "PRINT", "MI", "TIS", "0123456789", "OK", "EXIT"),
)

Maker = Callable[[Rng], Picture]
Destroyer = Callable[[Rng, Picture], Picture]


def _gray(values: NDArray[Any]) -> Picture:
    """Clipped to 0-255 and rounded down."""
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def _size(rng: Rng) -> tuple[int, int]:
    return _SIZES[int(rng.integers(len(_SIZES)))]


def _black(rng: Rng) -> Picture:
    return rng.integers(0, int(rng.integers(1, 12)), _size(rng), dtype=np.uint8)


def _uniform(rng: Rng) -> Picture:
    return np.full(_size(rng), int(rng.integers(0, 256)), np.uint8)


def _bars(rng: Rng) -> Picture:
    height, width = _size(rng)
    count = int(rng.integers(4, 16))
    levels = rng.integers(0, 256, count).astype(np.uint8)
    screen = np.broadcast_to(levels[np.arange(width) * count // width], (height, width))
    if rng.random() < 0.5:
        lower = rng.integers(0, 256, count).astype(np.uint8)[np.arange(width) * count // width]
        screen = np.where(np.arange(height)[:, None] < height * 0.7, screen, lower)
    return np.ascontiguousarray(screen)


def _gradient(rng: Rng) -> Picture:
    height, width = _size(rng)
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[0:height, 0:width] / max(height, width)
    ramp = np.cos(angle) * columns + np.sin(angle) * rows
    return _gray((ramp * rng.uniform(0.5, 4)) % 1.0 * 255)


def _white_noise(rng: Rng) -> Picture:
    noise = rng.normal(rng.uniform(20, 200), rng.uniform(5, 90), _size(rng))
    return _gray(noise)


def _clouds(rng: Rng) -> Picture:
    height, width = _size(rng)
    total = np.zeros((height, width), np.float32)
    for cells in (4, 8, 16, 32, 64):
        small = rng.standard_normal((height // cells + 2, width // cells + 2)).astype(np.float32)
        grown = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
        total += grown * np.float32(cells ** rng.uniform(0.3, 1.2))
    total = (total - total.min()) / (np.ptp(total) + 1e-6)
    return _gray(total ** rng.uniform(0.5, 2.5) * 255)


def _salt(rng: Rng) -> Picture:
    shape = _size(rng)
    screen = np.where(rng.random(shape) < rng.uniform(0.01, 0.3), 255, int(rng.integers(0, 128)))
    return _gray(screen)


def _text(rng: Rng) -> Picture:
    height, width = _size(rng)
    dark = rng.random() < 0.6
    screen = np.full((height, width), int(rng.integers(0, 50) if dark else rng.integers(180, 256)), np.uint8)
    for _ in range(int(rng.integers(5, 60))):
        words = " ".join(rng.choice(_WORDS, int(rng.integers(1, 6))))
        place = (int(rng.integers(-20, width)), int(rng.integers(10, height)))
        ink = int(rng.integers(150, 256) if dark else rng.integers(0, 100))
        cv2.putText(screen, words, place, cv2.FONT_HERSHEY_SIMPLEX, float(rng.uniform(0.3, 1.6)), ink, 1)
    return screen


def _windows(rng: Rng) -> Picture:
    screen = np.full(_size(rng), int(rng.integers(10, 240)), np.uint8)
    height, width = screen.shape
    for _ in range(int(rng.integers(4, 30))):
        left, top = int(rng.integers(0, width)), int(rng.integers(0, height))
        size = (int(rng.integers(20, width)), int(rng.integers(10, height // 2)))
        filled = -1 if rng.random() < 0.7 else 2
        cv2.rectangle(screen, (left, top), (left + size[0], top + size[1]), int(rng.integers(0, 256)), filled)
        cv2.putText(
            screen, str(rng.choice(_WORDS)), (left + 4, top + 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 128, 1
        )
    return screen


def _checkerboard(rng: Rng) -> Picture:
    height, width = _size(rng)
    cell = int(rng.integers(4, 90))
    rows, columns = np.mgrid[0:height, 0:width]
    low, high = sorted(rng.integers(0, 256, 2))
    return _gray(np.where((rows // cell + columns // cell) % 2, high, low))


def _waves(rng: Rng) -> Picture:
    height, width = _size(rng)
    rows, columns = np.mgrid[0:height, 0:width]
    centre = rng.uniform(0, 1, 2) * (height, width)
    far = np.hypot(rows - centre[0], columns - centre[1])
    angle = rng.uniform(0, np.pi)
    flat = rows * np.cos(angle) + columns * np.sin(angle)
    wave = np.sin((far if rng.random() < 0.5 else flat) / rng.uniform(2, 40))
    return _gray((wave * 0.5 + 0.5) * rng.uniform(60, 255))


def _photograph(rng: Rng) -> Picture:
    height, width = _size(rng)
    screen = _clouds(rng) if rng.random() < 0.5 else _gradient(rng)
    screen = np.asarray(cv2.resize(screen, (width, height)), np.uint8)
    for _ in range(int(rng.integers(3, 25))):
        points = (
            rng.uniform(0, 1, 2) * (width, height) + rng.normal(0, rng.uniform(15, 150), (6, 2))
        ).astype(int)
        shape = cv2.convexHull(points.astype(np.int32)) if rng.random() < 0.6 else points.astype(np.int32)
        cv2.fillPoly(screen, [shape], int(rng.integers(0, 256)), cv2.LINE_AA)
    blurred = cv2.GaussianBlur(screen, (0, 0), sigmaX=float(rng.uniform(0.5, 3)))
    noise = rng.normal(0, rng.uniform(1, 12), blurred.shape)
    return _gray(blurred + noise)


def _no_contact(rng: Rng) -> Levels:
    depth, _ = coordinates()
    rings = 10 * np.cos(depth * rng.uniform(60, 300)) * np.exp(-depth * rng.uniform(5, 20))
    return np.asarray(-30 * depth * rng.uniform(0.5, 2) + rings - rng.uniform(0, 15), np.float32)


def _speckle(rng: Rng) -> Levels:
    return np.full(GRID, rng.uniform(-12, 8), np.float32)


def _fields(rng: Rng) -> Levels:
    cells = float(rng.uniform(3, 40))
    return np.asarray(smooth_field(rng, GRID, cells) * rng.uniform(3, 14), np.float32)


def _ellipses(rng: Rng) -> Levels:
    levels = smooth_field(rng, GRID, 20) * np.float32(rng.uniform(0, 5))
    for _ in range(int(rng.integers(1, 18))):
        levels[ellipse(rng, (0.02, 0.25))] = rng.uniform(-35, 10)
    return levels


def _cyst(rng: Rng) -> Levels:
    levels = smooth_field(rng, GRID, 25) * np.float32(rng.uniform(1, 5))
    levels[ellipse(rng, (0.12, 0.4))] = rng.uniform(-45, -20)
    return levels


def _muscle(rng: Rng) -> Levels:
    depth, side = coordinates()
    bend = smooth_field(rng, GRID, 40) * np.float32(rng.uniform(0.005, 0.06))
    slope = rng.uniform(-0.3, 0.3)
    lines = np.sin((depth + slope * side + bend) * rng.uniform(60, 260))
    broken = smooth_field(rng, GRID, float(rng.uniform(3, 12))) > rng.uniform(-1.2, 0.6)
    levels = -10 + rng.uniform(4, 14) * lines * broken
    for _ in range(int(rng.integers(0, 4))):  # fascia
        levels[np.abs(depth + slope * side + bend - rng.uniform(0.05, 0.9)) < rng.uniform(0.004, 0.02)] = 14
    return np.asarray(levels, np.float32)


def _layers(rng: Rng) -> Levels:
    depth, side = coordinates()
    bend = smooth_field(rng, GRID, 35) * np.float32(rng.uniform(0.005, 0.05))
    slope = rng.uniform(-0.3, 0.3)
    edges = np.sort(rng.uniform(0, 1, int(rng.integers(2, 9))))
    which = np.searchsorted(edges, (depth + slope * side + bend).ravel()).reshape(GRID)
    levels = rng.uniform(-25, 12, len(edges) + 1)[which].astype(np.float32)
    return np.asarray(levels + smooth_field(rng, GRID, 5) * rng.uniform(0, 4), np.float32)


def _lung(rng: Rng) -> Levels:
    """Chest wall, the bright pleural line, and below it A-lines (its repeats), B-lines or haze."""
    depth, side = coordinates()
    pleura = rng.uniform(0.08, 0.35)
    bow = pleura + rng.uniform(-0.03, 0.03) * (side - 0.5) + 0.01 * np.sin(side * rng.uniform(3, 15))
    levels = smooth_field(rng, GRID, 4) * 3 + np.where(depth < bow, -4.0, -rng.uniform(8, 30))
    levels = levels - (depth > bow) * (depth - bow) * rng.uniform(0, 30)
    thick = rng.uniform(0.004, 0.02)
    for repeat in range(1, int(rng.integers(2, 6))):
        levels = np.where(np.abs(depth - bow * repeat) < thick, 16 - rng.uniform(3, 9) * (repeat - 1), levels)
    for _ in range(int(rng.integers(0, 5))):  # B-lines
        beam = np.abs(side - rng.uniform(0, 1)) < rng.uniform(0.01, 0.08)
        levels = np.where(beam & (depth > bow), rng.uniform(-6, 10), levels)
    for _ in range(int(rng.integers(0, 3))):  # ribs
        rib = rng.uniform(0, 1)
        shadow = (np.abs(side - rib) < rng.uniform(0.05, 0.15)) & (depth > bow * rng.uniform(0.6, 0.95))
        levels = np.where(shadow, -30, levels)
    return np.asarray(levels, np.float32)


def _heart(rng: Rng) -> Levels:
    levels = smooth_field(rng, GRID, 8) * 2 + np.float32(rng.uniform(-8, 2))
    middle = (GRID[1] * rng.uniform(0.4, 0.6), GRID[0] * rng.uniform(0.4, 0.6))
    turn = rng.uniform(-30, 30)
    wall = np.zeros(GRID, np.uint8)
    for column in (-1, 1):
        for row in (-1, 1):
            reach = rng.uniform(0.13, 0.2)
            centre = (int(middle[0] + column * GRID[1] * 0.17), int(middle[1] + row * GRID[0] * reach))
            axes = (int(GRID[1] * rng.uniform(0.09, 0.17)), int(GRID[0] * reach * rng.uniform(0.7, 1.0)))
            cv2.ellipse(wall, centre, axes, turn, 0, 360, 1, -1)
    levels[wall > 0] = rng.uniform(-40, -20)
    return levels


def _head(rng: Rng) -> Levels:
    levels = smooth_field(rng, GRID, 8) * 3 + np.float32(rng.uniform(-12, -2))
    centre = (int(GRID[1] * rng.uniform(0.4, 0.6)), int(GRID[0] * rng.uniform(0.4, 0.6)))
    axes = (int(GRID[1] * rng.uniform(0.25, 0.45)), int(GRID[0] * rng.uniform(0.2, 0.42)))
    ring, turn = np.zeros(GRID, np.uint8), float(rng.uniform(0, 180))
    cv2.ellipse(ring, centre, axes, turn, 0, 360, 1, int(rng.integers(3, 10)))
    angle = np.radians(turn)
    reach = np.array([np.cos(angle), np.sin(angle)]) * axes[0] * 0.8
    ends = [tuple(int(value) for value in np.add(centre, sign * reach)) for sign in (-1, 1)]
    cv2.line(ring, ends[0], ends[1], 1, 2)
    levels[ring > 0] = 16
    return levels


def _bone(rng: Rng) -> Levels:
    depth, side = coordinates()
    levels = smooth_field(rng, GRID, 6) * 3
    for _ in range(int(rng.integers(1, 6))):
        middle, reach, top = rng.uniform(0, 1), rng.uniform(0.05, 0.3), rng.uniform(0.1, 0.7)
        surface = top + ((side - middle) / reach) ** 2 * rng.uniform(0, 0.15)
        under = (np.abs(side - middle) < reach) & (depth > surface)
        levels = np.where(under, -35, levels)
        levels = np.where(under & (depth < surface + 0.02), 18, levels)
    return np.asarray(levels, np.float32)


def _vessel(rng: Rng) -> Levels:
    depth, side = coordinates()
    levels = _layers(rng) if rng.random() < 0.5 else smooth_field(rng, GRID, 12) * 3
    for _ in range(int(rng.integers(1, 4))):
        way = rng.uniform(0.15, 0.9) + rng.uniform(-0.6, 0.6) * (side - 0.5)
        way = way + rng.uniform(0, 0.05) * np.sin(side * rng.uniform(2, 12))
        half = rng.uniform(0.015, 0.09)
        levels = np.where(np.abs(depth - way) < half + 0.012, 12, levels)
        levels = np.where(np.abs(depth - way) < half, -35, levels)
    return np.asarray(levels, np.float32)


def _shuffled(rng: Rng, frame: Picture) -> Picture:
    tiles = int(rng.integers(2, 7))
    height, width = frame.shape[0] // tiles, frame.shape[1] // tiles
    cut = frame[: height * tiles, : width * tiles].reshape(tiles, height, tiles, width).swapaxes(1, 2)
    order = rng.permutation(tiles * tiles)
    mixed = cut.reshape(-1, height, width)[order].reshape(tiles, tiles, height, width)
    return np.ascontiguousarray(mixed.swapaxes(1, 2).reshape(height * tiles, width * tiles))


def _upside_down(rng: Rng, frame: Picture) -> Picture:
    return np.ascontiguousarray(frame[::-1] if rng.random() < 0.5 else frame[::-1, ::-1])


def _on_its_side(rng: Rng, frame: Picture) -> Picture:
    return np.ascontiguousarray(np.rot90(frame, 1 if rng.random() < 0.5 else 3))


def _blurred(rng: Rng, frame: Picture) -> Picture:
    sigma = float(rng.uniform(0.04, 0.12)) * frame.shape[0]
    return np.asarray(cv2.GaussianBlur(frame, (0, 0), sigmaX=sigma), np.uint8)


def _faded(rng: Rng, frame: Picture) -> Picture:
    exponent = rng.uniform(0.03, 0.12) if rng.random() < 0.5 else rng.uniform(7, 14)
    return _gray((frame / 255.0) ** exponent * 255)


def _inverted(rng: Rng, frame: Picture) -> Picture:
    return np.where(frame > rng.integers(1, 10), 255 - frame, frame).astype(np.uint8)


def _warped(rng: Rng, frame: Picture) -> Picture:
    height, width = frame.shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    cells, reach = float(rng.uniform(15, 40)), float(rng.uniform(0.06, 0.15)) * height
    x = columns + smooth_field(rng, (height, width), cells) * np.float32(reach)
    y = rows + smooth_field(rng, (height, width), cells) * np.float32(reach)
    return np.asarray(cv2.remap(frame, x, y, cv2.INTER_LINEAR), np.uint8)


def _pixelated(rng: Rng, frame: Picture) -> Picture:
    size = int(rng.integers(5, 14))
    small = cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, frame.shape[::-1], interpolation=cv2.INTER_NEAREST), np.uint8)


SCREENS: Final[dict[str, Maker]] = {
    "black": _black,
    "uniform": _uniform,
    "bars": _bars,
    "gradient": _gradient,
    "white_noise": _white_noise,
    "clouds": _clouds,
    "salt": _salt,
    "text": _text,
    "windows": _windows,
    "checkerboard": _checkerboard,
    "waves": _waves,
    "photograph": _photograph,
}
ECHOES: Final[dict[str, Callable[[Rng], Levels]]] = {
    "no_contact": _no_contact,
    "speckle": _speckle,
    "fields": _fields,
    "ellipses": _ellipses,
    "cyst": _cyst,
    "muscle": _muscle,
    "layers": _layers,
    "lung": _lung,
    "heart": _heart,
    "head": _head,
    "bone": _bone,
    "vessel": _vessel,
}
DESTROYERS: Final[dict[str, Destroyer]] = {
    "shuffled": _shuffled,
    "upside_down": _upside_down,
    "on_its_side": _on_its_side,
    "blurred": _blurred,
    "faded": _faded,
    "inverted": _inverted,
    "warped": _warped,
    "pixelated": _pixelated,
}


def make_negative(rng: Rng, frame: Picture) -> tuple[str, Picture]:
    """One random negative and its kind's name.

    Ultrasound of something else is drawn most often, since it is the hardest to tell.

    Args:
        rng: Decides everything.
        frame: uint8 (H, W), a scan frame that may be destroyed; it is not changed.
    """
    family = rng.random()
    if family < 0.25:
        name = str(rng.choice(list(SCREENS)))
        return name, SCREENS[name](rng)
    if family < 0.75:
        name = str(rng.choice(list(ECHOES)))
        return name, picture(rng, ECHOES[name](rng), _size(rng))
    name = str(rng.choice(list(DESTROYERS)))
    return name, DESTROYERS[name](rng, frame)
