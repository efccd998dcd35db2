"""The capture devices of Linux, as the kernel and udev describe them in files. Listing opens no device.

A device's number (/dev/videoN) depends on which was plugged in first. What stays is what it is (vendor,
product, serial number) and where it is (the controller's address and the port): both make its identity, as
cheap cards of one make often have the same serial number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2

from semc_core.sources.devices.base import Capture, CaptureDevice, Trouble, Way
from semc_core.sources.devices.modes import Mode
from semc_core.sources.devices.v4l2 import modes_of, trouble_of

_PCI: Final = re.compile(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]")
_USB_PORT: Final = re.compile(r"\d+-(\d+(?:\.\d+)*)")
_CAPABILITIES: Final = "E:ID_V4L_CAPABILITIES="


class LinuxDevices:
    """See `DeviceSystem`.

    Args:
        root: Where /sys, /dev and /run are.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._listed = root / "sys/class/video4linux"
        self._nodes = root / "dev"
        self._udev = root / "run/udev/data"

    def devices(self) -> list[CaptureDevice]:
        """See `DeviceSystem.devices`."""
        if not self._listed.is_dir():
            return []
        found = [device for node in self._listed.iterdir() if (device := self._device(node)) is not None]
        return sorted(found, key=lambda device: device.index)

    def modes(self, device: CaptureDevice) -> tuple[Mode, ...]:
        """See `DeviceSystem.modes`. Opens the device to ask its driver."""
        return modes_of(self._nodes / f"video{device.index}")

    def open(self, device: CaptureDevice, way: Way) -> Capture:
        """See `DeviceSystem.open`."""
        return cv2.VideoCapture(way.number, way.back_end)

    def trouble(self, device: CaptureDevice) -> Trouble:
        """See `DeviceSystem.trouble`."""
        return trouble_of(self._nodes / f"video{device.index}")

    def number_of(self, path: Path) -> int | None:
        """The number of the device that `path` is, or (as those in /dev/v4l/by-id) leads to."""
        number = path.resolve().name.removeprefix("video")
        return int(number) if number.isdecimal() else None

    def _device(self, node: Path) -> CaptureDevice | None:
        number = node.name.removeprefix("video")
        if not number.isdecimal():
            return None
        folders = _folders_above(node)
        usb = next((folder for folder in folders if (folder / "idVendor").is_file()), None)
        if not self._gives_pictures(node, on_usb=usb is not None):
            return None
        name = _text(node / "name")
        kind = _plain(name) if usb is None else "usb-" + _usb_id(usb)
        address, words = _place(folders, usb)
        # Two inputs of one card are two nodes of one device.
        inner = _text(node / "index")
        branch = f".{inner}" if inner not in ("", "0") else ""
        return CaptureDevice(
            index=int(number),
            name=name,
            identity=f"{kind}@{address}{branch}",
            place=f"{words}, input {int(inner) + 1}" if branch and inner.isdecimal() else words,
            bus_mbps=None if usb is None else _number(_text(usb / "speed")),
            ways=(Way(cv2.CAP_V4L2, int(number)),),
        )

    def _gives_pictures(self, node: Path, on_usb: bool) -> bool:
        """Whether it is no node for metadata or output. udev asked the driver when it was plugged in."""
        told = _text(self._udev / f"c{_text(node / 'dev')}")
        for line in told.splitlines():
            if line.startswith(_CAPABILITIES):
                return ":capture:" in line
        # A camera on USB has a second node for metadata; a card in the machine has one node for each input.
        return not on_usb or _text(node / "index") in ("", "0")


def _folders_above(node: Path) -> list[Path]:
    """The device that `node` belongs to, and what that is plugged into, up to the root of all devices."""
    real = node.resolve()
    return list(real.parents)[: max(0, len(real.parents) - 1)]


def _usb_id(usb: Path) -> str:
    parts = [f"{_text(usb / 'idVendor')}:{_text(usb / 'idProduct')}", _plain(_text(usb / "serial"))]
    return "-".join(part for part in parts if part)


def _place(folders: list[Path], usb: Path | None) -> tuple[str, str]:
    """Where a device is: as a part of its identity, and in words.

    The number of a USB is given in the order in which buses are found; the controller's address is fixed.
    """
    pci = next((folder.name for folder in folders if _PCI.fullmatch(folder.name)), "")
    if usb is not None:
        port = _USB_PORT.fullmatch(usb.name)
        interface = next((folder.name for folder in _until(folders, usb) if ":" in folder.name), "")
        part = interface.rpartition(":")[2]
        at = port[1] if port else usb.name
        address = "-".join(each for each in (pci, f"usb{_usb_version(usb)}", at, part) if each)
        return address, f"USB port {usb.name}"
    if pci:
        return f"pci-{pci}", f"PCI {pci}"
    virtual = any(folder.name == "virtual" for folder in folders)
    return ("virtual", "made by a program") if virtual or not folders else (_plain(folders[0].name), "")


def _usb_version(usb: Path) -> str:
    """The ports of one controller are counted from 1 for slow and for fast devices alike."""
    return "3" if (_number(_text(usb / "speed")) or 0) >= 5000 else "2"


def _until(folders: list[Path], last: Path) -> Iterator[Path]:
    for folder in folders:
        if folder == last:
            return
        yield folder


def _plain(text: str) -> str:
    """Without what a shell would take apart."""
    return re.sub(r"[^\w.:+-]+", "_", text).strip("_")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # unplugged between listing and reading
        return ""
