"""Cameras and capture cards, through OpenCV."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import cv2
import numpy as np

from semc_core.errors import SourceError
from semc_core.picture import Picture
from semc_core.sources.base import Grabbed
from semc_core.sources.grabber import GrabbedSource, Grabber
from semc_core.types import SourceInfo

LINUX_DEVICES: Final = Path("/sys/class/video4linux")

_OPEN_TIMEOUT_S = 15.0
_RETRY_S = 0.05
_MJPEG = cv2.VideoWriter.fourcc(*"MJPG")


class Capture(Protocol):
    """The part of `cv2.VideoCapture` that is used."""

    def isOpened(self) -> bool:  # noqa: N802
        """Whether there is a device."""

    def read(self) -> tuple[bool, Any]:
        """Wait for a frame: whether one came, and it as uint8 (H, W, 3) BGR."""

    def get(self, propId: int, /) -> float:  # noqa: N803
        """The value of `cv2.CAP_PROP_...`; 0 where the device has none."""

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803
        """Ask for a value; whether the driver took it."""

    def release(self) -> None:
        """Close the device."""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A capture device.

    Attributes:
        index: What `CameraSource` opens it by.
        name: As the driver says; "" where the system does not tell.
        offers: What it gave when tried, "1280x720 at 30 frames/s"; "" if it was not tried.
    """

    index: int
    name: str
    offers: str = ""


class CameraSource(GrabbedSource):
    """A camera or capture card. Live: of pictures nobody has read yet, only the newest is kept.

    Args:
        index_or_name: Index, or (Linux) its name or a part of it that no other device has.
        width: Wanted, pixels; None leaves it to the device.
        height: As `width`.
        frame_rate: Wanted, frames per second.
        patience_s: How long the device may fail to give a picture (a scanner that switches its output,
            for example) before that is an error.
        open_capture: Opens the device; `cv2.VideoCapture`, or in tests the same on a file.
        devices: Where Linux lists its devices.

    Raises:
        SourceError: No such device, in use by another program, or (from `read`) unplugged.
    """

    def __init__(
        self,
        index_or_name: int | str = 0,
        width: int | None = None,
        height: int | None = None,
        frame_rate: float | None = None,
        *,
        patience_s: float = 2.0,
        open_capture: Callable[[int], Capture] = cv2.VideoCapture,
        devices: Path = LINUX_DEVICES,
    ) -> None:
        index = index_or_name if isinstance(index_or_name, int) else find_device(index_or_name, devices)
        name = f"camera {index}"
        device = _Camera(index, (width, height, frame_rate), patience_s, open_capture)
        super().__init__(Grabber(device, name, capacity=1, newest_wins=True), _OPEN_TIMEOUT_S)


class _Camera:
    """The device itself; lives in the grabber's thread."""

    def __init__(
        self,
        index: int,
        wanted: tuple[int | None, int | None, float | None],
        patience_s: float,
        open_capture: Callable[[int], Capture],
    ) -> None:
        self._index, self._wanted, self._patience_s = index, wanted, patience_s
        self._open_capture = open_capture
        self._capture: Capture | None = None
        self._start_s: float | None = None

    def open(self) -> SourceInfo:
        self._capture = capture = self._open_capture(self._index)
        if not capture.isOpened():
            raise SourceError(
                f"Camera {self._index} cannot be opened; check that it is plugged in and not used by "
                "another program, and see `semc devices`."
            )
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._ask(capture)
        width, height, rate = _reported(capture)
        if self._falls_short(width, height, rate) and capture.set(cv2.CAP_PROP_FOURCC, _MJPEG):
            # Uncompressed pictures do not fit through USB 2 at high rates; most cards then offer MJPEG.
            self._ask(capture)
            width, height, rate = _reported(capture)
        return SourceInfo(
            source_id=f"camera {self._index}",
            kind="camera",
            width=width,
            height=height,
            frame_rate=rate,
            frame_count=None,
            live=True,
            notice=self._notice(width, height, rate),
        )

    def grab(self, stopping: threading.Event) -> Grabbed | None:
        assert self._capture is not None
        give_up_s: float | None = None
        while not stopping.is_set():
            given, picture = self._capture.read()
            now_s = time.monotonic()
            if given and picture is not None:
                self._start_s = now_s if self._start_s is None else self._start_s
                pixels = np.asarray(picture, np.uint8)
                rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if pixels.ndim == 3 else pixels.copy()
                return Grabbed(Picture(np.asarray(rgb, np.uint8)), now_s - self._start_s, now_s)
            give_up_s = now_s + self._patience_s if give_up_s is None else give_up_s
            if now_s >= give_up_s:
                raise SourceError(
                    f"Camera {self._index} gives no more pictures; check its cable and the scanner's output."
                )
            stopping.wait(_RETRY_S)
        return None

    def release(self) -> None:
        if self._capture is not None:
            self._capture.release()

    def _ask(self, capture: Capture) -> None:
        properties = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)
        for key, value in zip(properties, self._wanted, strict=True):
            if value is not None:
                capture.set(key, float(value))

    def _falls_short(self, width: int, height: int, rate: float | None) -> bool:
        wide, high, fast = self._wanted
        return bool(
            (wide and width < wide) or (high and height < high) or (fast and rate and rate < 0.9 * fast)
        )

    def _notice(self, width: int, height: int, rate: float | None) -> str:
        wide, high, fast = self._wanted
        same_rate = not fast or (rate is not None and abs(rate - fast) < 1)
        if wide in (None, width) and high in (None, height) and same_rate:
            return ""
        asked = f"{wide or 'any'}x{high or 'any'}" + (f" at {fast:g} frames/s" if fast else "")
        return f"The camera was asked for {asked} and gives {_in_words(width, height, rate)}."


def list_devices(devices: Path = LINUX_DEVICES, probe: bool = False) -> list[DeviceInfo]:
    """The capture devices of this machine.

    On Linux as the kernel lists them (the nodes that give pictures, not those for metadata). Elsewhere
    OpenCV knows no names, so the first four indices are tried.

    Args:
        devices: Where Linux lists them.
        probe: Open each to learn what it offers. Fails softly for one that another program uses.
    """
    if not sys.platform.startswith("linux"):
        tried = [DeviceInfo(index, "", _offers(index)) for index in range(4)]
        return [device for device in tried if device.offers]
    if not devices.is_dir():
        return []
    found = []
    for node in devices.iterdir():
        number = node.name.removeprefix("video")
        if number.isdecimal() and _text(node / "index") in ("", "0"):
            offers = _offers(int(number)) if probe else ""
            found.append(DeviceInfo(int(number), _text(node / "name"), offers))
    return sorted(found, key=lambda device: device.index)


def find_device(name: str, devices: Path = LINUX_DEVICES) -> int:
    """The index of the device called `name`, or the only one whose name contains it.

    Raises:
        SourceError: None or several, or this system does not tell names.
    """
    if not sys.platform.startswith("linux"):
        raise SourceError("Cameras can be opened by name on Linux only; use their index, such as camera:0.")
    known = list_devices(devices)
    exact = [device for device in known if device.name.casefold() == name.casefold()]
    matching = exact or [device for device in known if name.casefold() in device.name.casefold()]
    if not matching:
        raise SourceError(f"No camera is called {name!r}; `semc devices` lists those that are there.")
    if len(matching) > 1:
        indices = ", ".join(f"camera:{device.index}" for device in matching)
        raise SourceError(f"Several cameras are called {name!r}; use one of {indices}.")
    return matching[0].index


def _offers(index: int) -> str:
    capture = cv2.VideoCapture(index)
    try:
        return _in_words(*_reported(capture)) if capture.isOpened() else ""
    finally:
        capture.release()


def _reported(capture: Capture) -> tuple[int, int, float | None]:
    rate = capture.get(cv2.CAP_PROP_FPS)
    width, height = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    return int(width), int(height), rate if rate > 0 else None


def _in_words(width: int, height: int, rate: float | None) -> str:
    return f"{width}x{height}" + (f" at {rate:g} frames/s" if rate else "")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # unplugged between listing and reading
        return ""
