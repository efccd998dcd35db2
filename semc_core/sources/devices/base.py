"""What every system that has capture devices promises: Linux, Windows, macOS, and the simulated one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from semc_core.sources.devices.modes import Mode


class Asked(Protocol):
    """A device that is asked for its mode."""

    def get(self, propId: int, /) -> float:  # noqa: N803
        """The value of `cv2.CAP_PROP_...`; 0 where the device has none."""
        ...

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803
        """Ask for a value; whether the driver took it."""
        ...


class Capture(Asked, Protocol):
    """The part of `cv2.VideoCapture` that is used."""

    def isOpened(self) -> bool:  # noqa: N802
        """Whether there is a device."""
        ...

    def read(self) -> tuple[bool, Any]:
        """Wait for a frame: whether one came, and it as uint8 (H, W, 3) BGR."""
        ...

    def release(self) -> None:
        """Close the device."""
        ...


@dataclass(frozen=True, slots=True)
class Way:
    """One way to open a device.

    Attributes:
        back_end: OpenCV's, as `cv2.CAP_...`.
        number: The device's number there: two back ends may count differently.
    """

    back_end: int
    number: int


@dataclass(frozen=True, slots=True)
class CaptureDevice:
    """A camera or capture card, as it is listed without being opened.

    Attributes:
        index: Its number now, as the user types it; it may be another after the next start.
        name: As the driver says; "" where the system does not tell.
        identity: The same whenever it is plugged in at the same place, whatever its number; another device's
            is another. Two that cannot be told apart share it.
        place: Where it is plugged in, for people: "USB port 1-2.3"; "" where the system does not tell.
        bus_mbps: Speed of its bus, Mbit/s; None where that is not known.
        ways: How to open it, the best first.
    """

    index: int
    name: str
    identity: str
    place: str = ""
    bus_mbps: float | None = None
    ways: tuple[Way, ...] = ()


class Trouble(Enum):
    """Why a device cannot be opened."""

    MISSING = "missing"
    BUSY = "busy"
    FORBIDDEN = "forbidden"
    UNKNOWN = "unknown"


class DeviceSystem(Protocol):
    """Lists devices and opens them. For any thread."""

    def devices(self) -> list[CaptureDevice]:
        """All that are there, by number. Opens none of them."""
        ...

    def modes(self, device: CaptureDevice) -> tuple[Mode, ...]:
        """What the device can be asked for; () where the system does not tell. Starts no stream."""
        ...

    def open(self, device: CaptureDevice, way: Way) -> Capture:
        """Open it; the capture says by `isOpened` whether that went well."""
        ...

    def trouble(self, device: CaptureDevice) -> Trouble:
        """Why `open` failed a moment ago."""
        ...
