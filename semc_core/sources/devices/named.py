"""The capture devices of Windows and macOS, by cv2-enumerate-cameras, which asks the system. Opens none.

Each of OpenCV's back ends counts devices in an order of its own; what a device is called inside the system
(its path on Windows, its unique id on macOS) is the same for all, but for what follows a brace.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Final, Protocol

import cv2

from semc_core.sources.devices.base import Capture, CaptureDevice, Trouble, Way
from semc_core.sources.devices.consent import Consent, Privacy, this_privacy
from semc_core.sources.devices.modes import Mode

BACK_ENDS: Final = {"win32": (cv2.CAP_DSHOW, cv2.CAP_MSMF), "darwin": (cv2.CAP_AVFOUNDATION,)}
"""Per system, the one that is tried first before the others. DirectShow opens at once what Media Foundation
takes seconds for."""


class Listed(Protocol):
    """What cv2-enumerate-cameras says of a device."""

    index: int
    name: str
    path: str | None


class NamedDevices:
    """See `DeviceSystem`.

    Args:
        enumerate_cameras: Lists the devices of one back end; None takes the package, if it is installed.
        back_ends: The best first; none takes this system's.
        privacy: Whether cameras may be used; None asks this system.
    """

    def __init__(
        self,
        enumerate_cameras: Callable[[int], Iterable[Listed]] | None = None,
        back_ends: tuple[int, ...] = (),
        privacy: Privacy | None = None,
    ) -> None:
        self._enumerate = enumerate_cameras or _package()
        self._back_ends = back_ends or BACK_ENDS.get(sys.platform, (cv2.CAP_ANY,))
        self._privacy = privacy or this_privacy()

    def devices(self) -> list[CaptureDevice]:
        """See `DeviceSystem.devices`. None where the package is not installed."""
        names: dict[str, str] = {}
        ways: dict[str, list[Way]] = {}
        for back_end in self._back_ends:
            for one in self._listed(back_end):
                key = _identity(one)
                names.setdefault(key, one.name)
                ways.setdefault(key, []).append(Way(back_end, one.index))
        found = [
            CaptureDevice(numbers[0].number, names[key], key, place=key, ways=tuple(numbers))
            for key, numbers in ways.items()
        ]
        return sorted(found, key=lambda device: device.index)

    def modes(self, device: CaptureDevice) -> tuple[Mode, ...]:
        """See `DeviceSystem.modes`: not told by these systems' back ends."""
        return ()

    def open(self, device: CaptureDevice, way: Way) -> Capture:
        """See `DeviceSystem.open`."""
        return cv2.VideoCapture(way.number, way.back_end)

    def trouble(self, device: CaptureDevice) -> Trouble:
        """See `DeviceSystem.trouble`: whether cameras may be used, and whether it is there."""
        if self._privacy.consent() is Consent.DENIED:
            return Trouble.FORBIDDEN
        if self._enumerate is None:
            return Trouble.UNKNOWN
        there = any(one.identity == device.identity for one in self.devices())
        return Trouble.UNKNOWN if there else Trouble.MISSING

    def by_number(self, index: int) -> CaptureDevice | None:
        """A device that is not listed because nothing lists devices here; None if something does."""
        if self._enumerate is not None:
            return None
        ways = tuple(Way(back_end, index) for back_end in self._back_ends)
        return CaptureDevice(index, "", f"number-{index}", ways=ways)

    def _listed(self, back_end: int) -> list[Listed]:
        if self._enumerate is None:
            return []
        try:
            return list(self._enumerate(back_end))
        except NotImplementedError:  # not a back end of this system
            return []


def _identity(one: Listed) -> str:
    """One name for all back ends: on Windows the path ends with the class that the back end asked for."""
    return (one.path or one.name).partition("#{")[0].casefold()


def _package() -> Callable[[int], Iterable[Listed]] | None:
    try:
        from cv2_enumerate_cameras import enumerate_cameras
    except ImportError:
        return None
    listing: Callable[[int], Iterable[Listed]] = enumerate_cameras
    return listing
