"""What a simulated device shows: a scan, its frame's number, or the card's own picture without a signal."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.imaging import bar_clock
from semc_core.phantom.scan import SimulatedScan

_BITS: Final = 16
_PADDING: Final = 7
"""Pixels behind each row that are none of the picture's."""
_BLUE: Final = (180, 30, 10)  # BGR
_BARS: Final = ((235, 235, 235), (16, 200, 235), (200, 200, 16), (16, 200, 16), (200, 16, 200), (16, 16, 200),
                (200, 16, 16))  # fmt: skip


def scan(patient: int, width: int, height: int, time_s: float) -> NDArray[np.uint8]:
    """uint8 (height, width, 3) BGR: the scanner's screen at a time."""
    gray = _scan_of(patient, width, height).frame(round(time_s * 1000))
    return np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR), np.uint8)


@lru_cache(maxsize=4)
def _scan_of(patient: int, width: int, height: int) -> SimulatedScan:
    """At 1000 frames a second, so that it can be asked for any time."""
    return SimulatedScan(patient, None, width, height, 1000.0, furniture=True)


def count(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """uint8 (height, width, 3): `number` as sixteen bars, the lowest bit on the left, over a fine texture."""
    bits = np.array([(number >> bit) & 1 for bit in range(_BITS)], np.uint8) * 160 + 40
    row = bits[(np.arange(width) * _BITS) // width]
    texture = np.random.default_rng(number).integers(0, 40, (height, width), np.uint8)
    return np.repeat((row[None, :] + texture)[:, :, None], 3, axis=2)


def ramp(width: int, height: int) -> NDArray[np.uint8]:
    """uint8 (height, width, 3): from black on the left to white on the right, every level once."""
    row = np.asarray((np.arange(width) * 256) // width, np.uint8)
    return np.repeat(np.tile(row, (height, 1))[:, :, None], 3, axis=2)


def circle(width: int, height: int, screen: str) -> NDArray[np.uint8]:
    """uint8 (height, width, 3): a ring in the middle, round on a `screen` of "4:3" or "16:9"."""
    wide, _, high = screen.partition(":")
    across = width / (height * int(wide) / int(high)) if screen else 1.0
    picture = np.zeros((height, width, 3), np.uint8)
    axes = (round(0.4 * height * across), round(0.4 * height))
    cv2.ellipse(picture, (width // 2, height // 2), axes, 0, 0, 360, (255, 255, 255), -1)
    return picture


def sweep(time_s: float, width: int, height: int) -> NDArray[np.uint8]:
    """uint8 (height, width, 3): a bar that crosses the picture within two seconds, over soft stripes."""
    picture = np.full((height, width, 3), 60, np.uint8)
    picture[:, np.arange(width) // 16 % 2 == 1] = 90
    at = int(time_s / 2 * width) % width
    picture[:, at : at + width // 8] = 220
    return picture


def clock(moment_s: float, width: int, height: int) -> NDArray[np.uint8]:
    """uint8 (height, width, 3): the clock of bars at a moment, `time.monotonic()`."""
    return np.asarray(cv2.cvtColor(bar_clock.draw(moment_s, width, height), cv2.COLOR_GRAY2BGR), np.uint8)


def limited(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8, the same with black at 16 and white at 235."""
    return np.asarray(cv2.convertScaleAbs(picture, None, 219 / 255, 16), np.uint8)


def as_yuyv(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (H, W, 3) BGR, H and W even -> (H, W, 2): light, and both colours in turn; levels as they are."""
    blue, green, red = (picture[..., channel].astype(np.float32) for channel in range(3))
    light = 0.299 * red + 0.587 * green + 0.114 * blue
    packed = np.empty((*picture.shape[:2], 2), np.uint8)
    packed[..., 0] = np.rint(light)
    packed[:, 0::2, 1] = np.rint(128 + 0.5 * ((blue - light) / 0.886)[:, 0::2]).clip(0, 255)
    packed[:, 1::2, 1] = np.rint(128 + 0.5 * ((red - light) / 0.701)[:, 0::2]).clip(0, 255)
    return packed


def number_in(pixels: NDArray[np.uint8]) -> int:
    """The number that `count` wrote into uint8 (H, W) or (H, W, 3)."""
    gray = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    columns = np.array_split(gray.mean(axis=0), _BITS)
    return sum(1 << bit for bit, column in enumerate(columns) if np.median(column) > 140)


def no_signal(
    card: Literal["blue", "black", "bars"], text: str, width: int, height: int
) -> NDArray[np.uint8]:
    """uint8 (height, width, 3) BGR: what a card sends when nothing comes from the scanner."""
    picture = np.zeros((height, width, 3), np.uint8)
    if card == "blue":
        picture[:] = _BLUE
    if card == "bars":
        picture[:] = np.array(_BARS, np.uint8)[(np.arange(width) * len(_BARS)) // width]
    if text:
        scale = height / 240
        at = (width // 5, height // 2)
        white, thick = (255, 255, 255), max(1, round(2 * scale))
        cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, white, thick, cv2.LINE_AA)
    return picture


def undecoded(pixels: NDArray[np.uint8], fourcc: str) -> NDArray[np.uint8]:
    """uint8 (H, W, 3) BGR as Video4Linux hands over a format: MJPG (N, 1), YUYV (H, W, 2), or BGR."""
    if fourcc in ("MJPG", "JPEG"):
        return np.asarray(cv2.imencode(".jpg", pixels)[1], np.uint8).reshape(-1, 1)
    return as_yuyv(pixels) if fourcc == "YUYV" else pixels


def handed_over(picture: NDArray[np.uint8], buffers: str) -> NDArray[Any]:
    """The picture (H, W, ...) as a driver hands it over; see `ScriptedDevice.buffers`."""
    if buffers == "padded":
        wide = np.full((picture.shape[0], picture.shape[1] + _PADDING, *picture.shape[2:]), 255, np.uint8)
        wide[:, : picture.shape[1]] = picture
        return wide[:, : picture.shape[1]]
    if buffers == "gray16" and picture.ndim == 3 and picture.shape[2] == 3:
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)).astype(np.uint16) * 257
    return picture
