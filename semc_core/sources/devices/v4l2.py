"""The modes of a Video4Linux device, by the kernel's own questions. No stream is started.

The structures are those of linux/videodev2.h. What they hold is asked for one by one, by number, until the
driver says that there is no more of it.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from semc_core.sources.devices.base import Trouble
from semc_core.sources.devices.modes import Mode

Ioctl = Callable[[int, int, bytearray], int]
"""`fcntl.ioctl` on an open device: it changes the buffer in place, or raises OSError."""

_CAPTURE: Final = 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE
_DISCRETE: Final = 1  # V4L2_FRMSIZE_TYPE_DISCRETE, V4L2_FRMIVAL_TYPE_DISCRETE
_FORMAT: Final = struct.Struct("=3I32s5I")
_SIZE: Final = struct.Struct("=3I6I2I")
_INTERVAL: Final = struct.Struct("=5I6I2I")
_CURRENT_BYTES: Final = 208  # struct v4l2_format; its union begins at a multiple of 8

_MOST: Final = 200
"""Of formats, sizes or intervals: a driver that never says that there is no more is left."""

_COMMON_SIZES: Final = (
    (3840, 2160),
    (1920, 1200),
    (1920, 1080),
    (1280, 1024),
    (1280, 720),
    (1024, 768),
    (640, 480),
)


def _request(number: int, size: int, read_only: bool = False) -> int:
    """_IOWR('V', number, size) of linux/ioctl.h, or _IOR."""
    return ((2 if read_only else 3) << 30) | (size << 16) | (ord("V") << 8) | number


ENUM_FORMATS: Final = _request(2, _FORMAT.size)
ENUM_SIZES: Final = _request(74, _SIZE.size)
ENUM_INTERVALS: Final = _request(75, _INTERVAL.size)
GET_FORMAT: Final = _request(4, _CURRENT_BYTES)
SET_FORMAT: Final = _request(5, _CURRENT_BYTES)


def modes_of(node: Path, ioctl: Ioctl | None = None) -> tuple[Mode, ...]:
    """Every mode of the device at `node`; () if it cannot be asked."""
    try:
        descriptor = os.open(node, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return ()
    try:
        return tuple(_modes(descriptor, ioctl or _kernel()))
    finally:
        os.close(descriptor)


def trouble_of(node: Path, ioctl: Ioctl | None = None) -> Trouble:
    """Why the device at `node` could not be opened.

    Any number of programs may open a device; that another one holds its stream shows only when the format
    that is set anyway is set again.
    """
    try:
        descriptor = os.open(node, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        return _trouble(error)
    try:
        ask = ioctl or _kernel()
        current = bytearray(struct.pack("=I", _CAPTURE).ljust(_CURRENT_BYTES, b"\0"))
        ask(descriptor, GET_FORMAT, current)
        ask(descriptor, SET_FORMAT, current)
    except OSError as error:
        return _trouble(error)
    finally:
        os.close(descriptor)
    return Trouble.UNKNOWN


def _trouble(error: OSError) -> Trouble:
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return Trouble.MISSING
    if error.errno in (errno.EACCES, errno.EPERM):
        return Trouble.FORBIDDEN
    return Trouble.BUSY if error.errno == errno.EBUSY else Trouble.UNKNOWN


def _kernel() -> Ioctl:
    if sys.platform == "win32":
        raise OSError(errno.ENOSYS, "no ioctl on this system")
    from fcntl import ioctl

    return ioctl


def _modes(descriptor: int, ioctl: Ioctl) -> Iterator[Mode]:
    for pixel_format in _formats(descriptor, ioctl):
        fourcc = pixel_format.to_bytes(4, "little").decode("latin-1")
        for width, height in _sizes(descriptor, ioctl, pixel_format):
            for rate in _rates(descriptor, ioctl, pixel_format, width, height):
                yield Mode(width, height, rate, fourcc)


def _formats(descriptor: int, ioctl: Ioctl) -> Iterator[int]:
    for index in range(_MOST):
        asked = bytearray(_FORMAT.pack(index, _CAPTURE, 0, b"", 0, 0, 0, 0, 0))
        if not _told(descriptor, ioctl, ENUM_FORMATS, asked):
            return
        yield _FORMAT.unpack(asked)[4]


def _sizes(descriptor: int, ioctl: Ioctl, pixel_format: int) -> Iterator[tuple[int, int]]:
    for index in range(_MOST):
        asked = bytearray(_SIZE.pack(index, pixel_format, *[0] * 9))
        if not _told(descriptor, ioctl, ENUM_SIZES, asked):
            return
        _, _, kind, *values = _SIZE.unpack(asked)
        if kind != _DISCRETE:
            yield from _stepwise(values)
            return
        if values[0] and values[1]:
            yield values[0], values[1]


def _stepwise(values: list[int]) -> list[tuple[int, int]]:
    """Of a range (least, most, step; of width, then height): its largest, and what is common inside it."""
    (low, wide, across), (flat, high, down) = values[:3], values[3:6]
    common = [
        (w, h)
        for w, h in _COMMON_SIZES
        if low <= w <= wide and flat <= h <= high
        and (w - low) % max(1, across) == 0 and (h - flat) % max(1, down) == 0
    ]  # fmt: skip
    return list(dict.fromkeys([(wide, high), *common])) if wide and high else common


def _rates(descriptor: int, ioctl: Ioctl, pixel_format: int, width: int, height: int) -> list[float]:
    """Frames per second, the highest first; 0.0 alone where the driver does not say."""
    rates = []
    for index in range(_MOST):
        asked = bytearray(_INTERVAL.pack(index, pixel_format, width, height, *[0] * 9))
        if not _told(descriptor, ioctl, ENUM_INTERVALS, asked):
            break
        _, _, _, _, kind, numerator, denominator, *_ = _INTERVAL.unpack(asked)
        # Of a range the first is the shortest interval.
        if numerator and denominator:
            rates.append(denominator / numerator)
        if kind != _DISCRETE:
            break
    return sorted(set(rates), reverse=True) or [0.0]


def _told(descriptor: int, ioctl: Ioctl, request: int, asked: bytearray) -> bool:
    try:
        ioctl(descriptor, request, asked)
    except OSError:
        return False
    return True
