"""An open device whose answers are noted: what it was asked for, what it said, and how long that took."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import cv2

from semc_core.sources.devices.base import Capture
from semc_core.sources.devices.buffers import fourcc_text

_NAMES: Final = {
    cv2.CAP_PROP_FOURCC: "format",
    cv2.CAP_PROP_FRAME_WIDTH: "width",
    cv2.CAP_PROP_FRAME_HEIGHT: "height",
    cv2.CAP_PROP_FPS: "rate",
    cv2.CAP_PROP_BUFFERSIZE: "buffers",
    cv2.CAP_PROP_CONVERT_RGB: "decoding",
}


class NotedCapture:
    """A `Capture` that hands all on to another."""

    def __init__(self, capture: Capture, note: Callable[[str], None]) -> None:
        """`note` is told a line for each question and wish."""
        self._capture, self._note = capture, note
        note("opened" if capture.isOpened() else "could not be opened")

    def isOpened(self) -> bool:  # noqa: N802
        """See `Capture.isOpened`."""
        return self._capture.isOpened()

    def read(self) -> tuple[bool, Any]:
        """See `Capture.read`."""
        return self._capture.read()

    def get(self, propId: int, /) -> float:  # noqa: N803
        """See `Capture.get`."""
        value = self._capture.get(propId)
        if propId == cv2.CAP_PROP_POS_MSEC:
            return value  # asked of every picture
        self._note(f"{_name(propId)} is {_shown(propId, value)}")
        return value

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803
        """See `Capture.set`."""
        begun_s = time.monotonic()
        taken = self._capture.set(propId, value)
        how = "taken" if taken else "refused"
        took_s = time.monotonic() - begun_s
        self._note(f"asked for {_name(propId)} {_shown(propId, value)}: {how} after {took_s:.3f} s")
        return taken

    def release(self) -> None:
        """See `Capture.release`."""
        self._capture.release()
        self._note("released")


def _name(prop: int) -> str:
    return _NAMES.get(prop, str(prop))


def _shown(prop: int, value: float) -> str:
    return (fourcc_text(value) if prop == cv2.CAP_PROP_FOURCC else "") or f"{value:g}"
