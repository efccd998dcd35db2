"""Cameras and capture cards."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from semc_core.errors import SourceError
from semc_core.picture import Picture
from semc_core.sources.base import Grabbed
from semc_core.sources.devices import measured
from semc_core.sources.devices.base import Capture, CaptureDevice, DeviceSystem, Trouble
from semc_core.sources.devices.find import find_device, sentence, this_system
from semc_core.sources.devices.measured import RateMeter
from semc_core.sources.devices.modes import Wish
from semc_core.sources.devices.negotiate import Negotiated, negotiate, wishes
from semc_core.sources.grabber import GrabbedSource, Grabber
from semc_core.types import CaptureInfo, SourceInfo

_OPEN_TIMEOUT_S: Final = 30.0
"""Some back ends take 4 s for each change of the mode."""
_RETRY_S: Final = 0.05
_LONGEST_WAIT_S: Final = 0.4
"""Between two looks for a device that is away: the first looks come sooner."""


class CameraSource(GrabbedSource):
    """A camera or capture card. Live: of pictures nobody has read yet, only the newest is kept.

    Args:
        which: Its number, or what `find_device` takes.
        wish: The mode that the user asks for; what it leaves open is chosen, the best first.
        patience_s: How long the device may fail to give a picture while it is there (a scanner that switches
            its output, for example) before that is an error. One that is unplugged is waited for without end.
        system: Where it is; None is this machine.

    Raises:
        SourceError: No such device or mode, in use by another program, or (from `read`) no more pictures.
    """

    def __init__(
        self,
        which: int | str = 0,
        wish: Wish | None = None,
        *,
        patience_s: float = 2.0,
        system: DeviceSystem | None = None,
    ) -> None:
        system = system or this_system()
        device = find_device(str(which), system)
        self._camera = _Camera(device, wish or Wish(), patience_s, system)
        grabber = Grabber(self._camera, self._camera.name, capacity=1, newest_wins=True)
        super().__init__(grabber, _OPEN_TIMEOUT_S)

    @property
    def info(self) -> SourceInfo:
        """What is known of it, with what was measured until now. Safe from any thread."""
        return self._camera.info or super().info


class _Camera:
    """The device itself; lives in the grabber's thread.

    Attributes:
        name: For messages.
        info: What is known; None until it is open. Replaced as a whole, so any thread may read it.
    """

    def __init__(self, device: CaptureDevice, wish: Wish, patience_s: float, system: DeviceSystem) -> None:
        self.name = f"Camera {device.index}"
        self.info: SourceInfo | None = None
        self._device, self._wish, self._patience_s, self._system = device, wish, patience_s, system
        # Where nothing lists devices, none can be seen to be away.
        self._seen = bool(system.devices())
        self._capture: Capture | None = None
        self._wishes: list[Wish] = []
        self._away = ""
        self._start_s: float | None = None
        self._meter = RateMeter()
        self._asked = Wish()
        self._told: tuple[int, int, float | None] | None = None

    def open(self) -> SourceInfo:
        # Asked first: once it streams, a driver may refuse to tell.
        modes = self._system.modes(self._device)
        asked = wishes(modes, self._device.bus_mbps, self._wish)
        if not asked:
            offered = ", ".join(dict.fromkeys(mode.text for mode in modes))
            raise SourceError(f"{self.name} has no mode {self._wish.text}; it has {offered}.")
        self._wishes = asked
        given = self._opened()
        # Of what nobody asked for and the device may not have, nothing is missing.
        self._asked = given.asked if modes or self._wish != Wish() else Wish()
        self.info = SourceInfo(
            source_id=f"camera {self._device.index}",
            kind="camera",
            width=given.width,
            height=given.height,
            frame_rate=given.rate,
            frame_count=None,
            live=True,
            notice=measured.notice(self.name, self._asked, given.width, given.height, given.rate),
            capture=CaptureInfo(self._device.identity, given.asked.text, given.sets),
        )
        return self.info

    def grab(self, stopping: threading.Event) -> Grabbed | None:
        give_up_s: float | None = None
        while not stopping.is_set():
            if self._capture is None:
                self._wait_until_back(stopping)
                continue
            given, picture = self._capture.read()
            now_s = time.monotonic()
            if given and picture is not None:
                self._start_s = now_s if self._start_s is None else self._start_s
                pixels = np.asarray(picture, np.uint8)
                rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if pixels.ndim == 3 else pixels.copy()
                self._measure(rgb.shape[1], rgb.shape[0], now_s)
                return Grabbed(Picture(np.asarray(rgb, np.uint8)), now_s - self._start_s, now_s)
            if not self._there():
                self._lose()
                continue
            give_up_s = now_s + self._patience_s if give_up_s is None else give_up_s
            if now_s >= give_up_s:
                raise SourceError(
                    f"{self.name} gives no more pictures; check its cable and the scanner's output."
                )
            stopping.wait(_RETRY_S)
        return None

    def release(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _opened(self) -> Negotiated:
        """Open it by the first way that works, and ask for a mode.

        Raises:
            SourceError: None works, or what has its number now is another device.
        """
        for way in self._device.ways:
            self._capture = capture = self._system.open(self._device, way)
            if capture.isOpened():
                if not self._there():
                    # Numbers changed between the listing and the opening: this is another device.
                    self.release()
                    raise SourceError(sentence(Trouble.MISSING, self.name))
                given = negotiate(capture, way.back_end, self._wishes)
                capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
                return replace(given, sets=given.sets + 1)
            self.release()
        raise SourceError(sentence(self._system.trouble(self._device), self.name))

    def _there(self) -> bool:
        """Whether the device is plugged in and still has the number by which it was opened."""
        mine = (self._device.identity, self._device.ways)
        return not self._seen or any((one.identity, one.ways) == mine for one in self._system.devices())

    def _lose(self) -> None:
        """It was unplugged: let go, so that it can come back."""
        self.release()
        self._meter.pause()
        self._away = (
            f"{self.name} is unplugged; the scan goes on when it is plugged in again at the same place."
        )
        self._tell()

    def _wait_until_back(self, stopping: threading.Event) -> None:
        """Until the same device is there again and opens, whatever its number is now."""
        gone_s, wait_s = time.monotonic(), _RETRY_S
        while not stopping.wait(wait_s):
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            back = [one for one in self._system.devices() if one.identity == self._device.identity]
            if len(back) != 1:
                continue
            self._device = back[0]
            try:
                self._opened()
            except (
                SourceError
            ) as error:  # there, but its driver is not ready yet, or another program was faster
                self._away = str(error)
                self._tell()
                continue
            self._away = f"{self.name} was unplugged for {time.monotonic() - gone_s:.1f} s; the scan went on."
            self._tell()
            return

    def _measure(self, width: int, height: int, now_s: float) -> None:
        """Say what comes, beside what was asked for, when that is new."""
        if self.info is None or self.info.capture is None:
            return
        if not self._meter.arrived(width, height, now_s):
            return
        rate = self._meter.rate
        capture = replace(self.info.capture, width=width, height=height, rate=rate)
        rate = rate or self.info.frame_rate
        if self._told is None or not measured.alike(self._told, (width, height, rate)):
            self._told = width, height, rate
        self.info = replace(self.info, capture=capture)
        self._tell()

    def _tell(self) -> None:
        """Put into the notice what is to be told now."""
        if self.info is None:
            return
        given = "" if self._told is None else measured.notice(self.name, self._asked, *self._told)
        self.info = replace(self.info, notice=" ".join(each for each in (self._away, given) if each))
