"""Trees of files as Linux describes its capture devices in, and devices that are files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2

from semc_core.sources.devices.base import Capture, CaptureDevice, Trouble, Way
from semc_core.sources.devices.modes import Mode

CONTROLLER = "sys/devices/pci0000:00/0000:00:14.0"


@dataclass(frozen=True)
class Card:
    """A card on USB: `port` as the kernel says it after the bus, such as "2.3"."""

    name: str
    port: str
    vendor: str = "534d"
    product: str = "2109"
    serial: str = ""
    speed: str = "480"
    metadata: bool = True


def plug_in(root: Path, card: Card, number: int, bus: int = 1) -> None:
    """Write what the kernel shows of `card` as video`number`, and of its node for metadata after it."""
    usb = root / CONTROLLER / f"usb{bus}" / f"{bus}-{card.port}"
    interface = usb / f"{bus}-{card.port}:1.0"
    interface.mkdir(parents=True, exist_ok=True)
    (usb / "idVendor").write_text(card.vendor + "\n", encoding="utf-8")
    (usb / "idProduct").write_text(card.product + "\n", encoding="utf-8")
    (usb / "speed").write_text(card.speed + "\n", encoding="utf-8")
    if card.serial:
        (usb / "serial").write_text(card.serial + "\n", encoding="utf-8")
    for index in range(1 + card.metadata):
        _node(root, interface / "video4linux" / f"video{number + index}", card.name, index)


def plug_in_pci(root: Path, name: str, address: str, numbers: list[int]) -> None:
    """A card in the machine with one input for each of `numbers`."""
    for index, number in enumerate(numbers):
        folder = root / "sys/devices/pci0000:00" / address / "video4linux" / f"video{number}"
        _node(root, folder, name, index)


def plug_in_virtual(root: Path, name: str, number: int) -> None:
    """What a program makes, as v4l2loopback does."""
    _node(root, root / "sys/devices/virtual/video4linux" / f"video{number}", name, 0)


def told_by_udev(root: Path, number: int, capabilities: str) -> None:
    """What udev noted of video`number` when it was plugged in."""
    data = root / "run/udev/data"
    data.mkdir(parents=True, exist_ok=True)
    (data / f"c81:{number}").write_text(
        f"E:ID_V4L_VERSION=2\nE:ID_V4L_CAPABILITIES={capabilities}\n", encoding="utf-8"
    )


def _node(root: Path, folder: Path, name: str, index: int) -> None:
    folder.mkdir(parents=True)
    number = folder.name.removeprefix("video")
    (folder / "name").write_text(f"{name}\n", encoding="utf-8")
    (folder / "index").write_text(f"{index}\n", encoding="utf-8")
    (folder / "dev").write_text(f"81:{number}\n", encoding="utf-8")
    listed = root / "sys/class/video4linux"
    listed.mkdir(parents=True, exist_ok=True)
    (listed / folder.name).symlink_to(folder)
    (root / "dev").mkdir(exist_ok=True)
    (root / "dev" / folder.name).write_bytes(b"")


class Files:
    """A system with one device, whose pictures are those of a real OpenCV capture of a file."""

    def __init__(self, open_it: Callable[[], Capture], modes: tuple[Mode, ...] = ()) -> None:
        self._open, self._modes = open_it, modes

    def devices(self) -> list[CaptureDevice]:
        return [CaptureDevice(0, "File", "file@test", ways=(Way(cv2.CAP_ANY, 0),))]

    def modes(self, device: CaptureDevice) -> tuple[Mode, ...]:
        return self._modes

    def open(self, device: CaptureDevice, way: Way) -> Capture:
        return self._open()

    def trouble(self, device: CaptureDevice) -> Trouble:
        return Trouble.UNKNOWN
