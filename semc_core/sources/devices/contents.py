"""What a simulated device shows: a scan, its frame's number, or the card's own picture without a signal."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.phantom.scan import SimulatedScan

_BITS: Final = 16
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
    if fourcc != "YUYV":
        return pixels
    yuv = cv2.cvtColor(pixels, cv2.COLOR_BGR2YUV)
    packed = np.empty((*pixels.shape[:2], 2), np.uint8)
    packed[..., 0] = yuv[..., 0]
    packed[:, 0::2, 1], packed[:, 1::2, 1] = yuv[:, 0::2, 1], yuv[:, 0::2, 2]
    return packed
