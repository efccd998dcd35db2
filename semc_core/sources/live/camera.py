"""Cameras and capture cards. They may come and go, and their drivers may hang: the scan goes on."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SourceError
from semc_core.io.slept import asleep_s
from semc_core.language import _, english, joined
from semc_core.picture_options import AS_IT_IS, PictureOptions, picture_sentence
from semc_core.sources.base import Grabbed
from semc_core.sources.devices import measured
from semc_core.sources.devices.base import Asked, Capture, CaptureDevice, DeviceSystem, Trouble
from semc_core.sources.devices.buffers import DECODED, asked_for, pixels_of
from semc_core.sources.devices.find import find_device, sentence, this_system
from semc_core.sources.devices.measured import RateMeter
from semc_core.sources.devices.modes import Wish
from semc_core.sources.devices.negotiate import Negotiated, negotiate, wishes
from semc_core.sources.devices.noted import NotedCapture
from semc_core.sources.devices.pictures import CardPictures
from semc_core.sources.devices.stamps import Came, StampCheck, may_stamp
from semc_core.sources.devices.worker import Worker
from semc_core.sources.live.grabber import GrabbedSource, Grabber
from semc_core.sources.live.outage import OutageTeller
from semc_core.sources.raw.records import Coding, Raw
from semc_core.sources.raw.tap import RawTap, camera_origin, coding_of_buffer
from semc_core.types import CaptureInfo, SourceInfo, TimedBy

_OPEN_TIMEOUT_S: Final = 120.0
"""Some back ends take 4 s for each change of the mode, of which there may be ten."""
T = TypeVar("T")
_PATIENCE_S: Final = 1.5
_LEAST_PATIENCE_S: Final = 0.5
_CALL_S: Final = 20.0
"""So long opening, and each question and wish when a mode is asked for, may take."""
_MOST_LEFT: Final = 3
"""So many calls that do not come back may be left to their threads before the driver is asked no more."""
_RETRY_S: Final = 0.05
_LONGEST_WAIT_S: Final = 0.4
"""Between two looks for a device that is away: the first looks come sooner."""


class CameraSource(GrabbedSource):
    """A camera or capture card. Live: of pictures nobody has read yet, only the newest is kept.

    Args:
        which: Its number, or what `find_device` takes.
        wish: The mode that the user asks for; what it leaves open is chosen, the best first.
        options: How its pictures are read.
        patience_s: How long its driver may take for a picture, or give none while the device is there (a
            scanner that switches its output, for example), before it is let go and opened again. That, and
            whether it is plugged in again, is tried until the scan is ended.
        system: Where it is; None is this machine.
        tap: Takes what comes as well. Where it keeps when the card is opened, a card on Video4Linux hands
            over what it sends, and that is decoded here; else it takes what the system decoded.

    Raises:
        SourceError: No such device or mode, or in use by another program.
    """

    def __init__(
        self,
        which: int | str = 0,
        wish: Wish | None = None,
        options: PictureOptions = AS_IT_IS,
        *,
        patience_s: float = _PATIENCE_S,
        system: DeviceSystem | None = None,
        tap: RawTap | None = None,
    ) -> None:
        system = system or this_system()
        device = find_device(str(which), system)
        name = _("Camera {number}", number=device.index)
        teller = OutageTeller(name)
        self._camera = _Camera(device, name, wish or Wish(), patience_s, system, teller, options, tap)
        grabber = Grabber(self._camera, name, capacity=1, newest_wins=True)
        super().__init__(grabber, _OPEN_TIMEOUT_S, teller, options)

    def _known(self) -> SourceInfo:
        return self._camera.info or super()._known()


class _Camera:
    """The device itself; lives in the grabber's thread.

    Attributes:
        name: For messages.
        info: What is known; None until it is open. Replaced as a whole, so any thread may read it.
    """

    def __init__(
        self,
        device: CaptureDevice,
        name: str,
        wish: Wish,
        patience_s: float,
        system: DeviceSystem,
        teller: OutageTeller,
        options: PictureOptions,
        tap: RawTap | None,
    ) -> None:
        self._options, self._pictures = options, CardPictures(options)
        self.name = name
        self.info: SourceInfo | None = None
        self._device, self._wish, self._patience_s, self._system = device, wish, patience_s, system
        self._tap: RawTap | None = tap
        self._coding: Coding | None = None
        self._teller, self._driver = teller, Worker(f"driver of {english(name)}")
        # Where nothing lists devices, none can be seen to be away.
        self._seen = bool(system.devices())
        self._capture: Capture | None = None
        self._wishes: list[Wish] = []
        self._start_s: float | None = None
        self._meter = RateMeter()
        self._asked = Wish()
        self._told: tuple[int, int, float | None] | None = None
        self._stamps: StampCheck | None = None
        self._ready: deque[Grabbed] = deque()

    def open(self) -> SourceInfo:
        # Asked first: once it streams, a driver may refuse to tell.
        modes = self._system.modes(self._device)
        asked = wishes(modes, self._device.bus_mbps, self._wish)
        if not asked:
            has = ", ".join(dict.fromkeys(mode.text for mode in modes))
            raise SourceError(
                _("{name} has no mode {mode}; it has {has}.", name=self.name, mode=self._wish.text, has=has)
            )
        self._wishes = asked
        if self._tap is not None:
            offered = tuple(mode.text for mode in modes)
            self._tap.describe(camera_origin(self._device.identity, offered, self._options))
        given = self._opened()
        # Of what nobody asked for and the device may not have, nothing is missing.
        self._asked = given.asked if modes or self._wish != Wish() else Wish()
        width, height = self._pictures.size(given.width, given.height)
        self.info = SourceInfo(
            source_id=f"camera {self._device.index}",
            kind="camera",
            width=width,
            height=height,
            frame_rate=given.rate,
            frame_count=None,
            live=True,
            notice=self._notice(given.width, given.height, given.rate),
            picture_options=self._options,
            capture=CaptureInfo(self._device.identity, given.asked.text, given.sets),
        )
        return self.info

    def grab(self, stopping: threading.Event) -> Grabbed | None:
        if self._ready:
            return self._ready.popleft()
        give_up_s: float | None = None
        while not stopping.is_set():
            if self._capture is None:
                self._wait_until_back(stopping)
                give_up_s = None
                continue
            buffer, stamp_s = self._read(self._capture)
            now_s = time.monotonic()
            picture = None if buffer is None else self._pixels(buffer, now_s)
            if picture is not None:
                came = Came(now_s) if self._stamps is None else self._stamps.came(stamp_s, now_s)
                self._ready.extend(self._grabbed(picture, came))
                if self._ready:
                    return self._ready.popleft()
                continue
            if not self._there():
                self._lose(
                    _(
                        "{name} is unplugged; the scan goes on when it is plugged in again at the same "
                        "place.",
                        name=self.name,
                    )
                )
                continue
            give_up_s = now_s + self._patience_s if give_up_s is None else give_up_s
            if self._capture is not None and now_s >= give_up_s:
                self._lose(
                    _(
                        "{name} gives no more pictures; check its cable and the scanner's output. It is "
                        "opened again until it does.",
                        name=self.name,
                    )
                )
            stopping.wait(_RETRY_S)
        return None

    def release(self) -> None:
        self._let_go()
        self._driver.close()

    def _read(self, capture: Capture) -> tuple[NDArray[np.generic] | None, float]:
        """The next buffer, or None, and its stamp; a driver that hangs is left to its thread, and the device
        is lost."""
        try:
            given, buffer, stamp_s = self._driver.call(
                partial(_stamped, capture, self._stamps is not None),
                partial(_late, capture),
                max(self._patience_s, _LEAST_PATIENCE_S),
            )
        except TimeoutError:
            self._capture = None  # its thread lets go of it when the driver comes back
            self._lose(
                _(
                    "The driver of {name} does not answer; the device is opened again as soon as it can be. "
                    "If that takes long, unplug it and plug it in again.",
                    name=self.name,
                )
            )
            return None, 0.0
        return (np.asarray(buffer) if given and buffer is not None else None), stamp_s

    def _pixels(self, buffer: NDArray[np.generic], now_s: float) -> NDArray[np.generic] | None:
        """What the driver gave, as `CardPictures` takes it; None where it is no picture."""
        if self._tap is not None and self._coding is not None:
            self._tap.keep(Raw(self._coding, now_s, buffer))
        return pixels_of(buffer, self._pictures.form)

    def _grabbed(self, picture: NDArray[np.generic], came: Came) -> Iterator[Grabbed]:
        """What is to be shown now: nothing where it is held back until the next one is there."""
        now_s = came.arrived_s
        self._start_s = now_s + asleep_s() if self._start_s is None else self._start_s
        self._teller.came(now_s)
        self._measure(picture.shape[1], picture.shape[0], now_s)
        told = self._pictures.told
        shown = self._pictures.of(picture, came)
        if told != self._pictures.told and self.info is not None and self._told is not None:
            self.info = replace(self.info, notice=self._notice(*self._told))
        for each, then in shown:
            self._say_by_what(then)
            # What the machine slept through is time of the scan, too.
            yield Grabbed(each, then.arrived_s + asleep_s() - self._start_s, then.captured_s)

    def _say_by_what(self, came: Came) -> None:
        timed_by: TimedBy = "arrival" if came.taken_s is None else "driver"
        if self.info is not None and self.info.timed_by != timed_by:
            self.info = replace(self.info, timed_by=timed_by)

    def _let_go(self) -> None:
        if self._capture is not None:
            capture, self._capture = self._capture, None
            with suppress(TimeoutError):
                self._driver.call(capture.release, lambda _given: None, _LEAST_PATIENCE_S)

    def _opened(self) -> Negotiated:
        """Open it by the first way that works, and ask for a mode.

        Raises:
            SourceError: None works, or what has its number now is another device.
        """
        for way in self._device.ways:
            capture = self._called(partial(self._system.open, self._device, way), lambda late: late.release())
            if self._tap is not None:
                capture = NotedCapture(capture, self._tap.note)
            self._capture = capture
            if capture.isOpened():
                if not self._there():
                    # Numbers changed between the listing and the opening: this is another device.
                    self._let_go()
                    raise SourceError(sentence(Trouble.MISSING, self.name))
                tapped = self._tap is not None and self._tap.keeping
                asked = _Patient(capture, self._called)
                negotiated = _negotiated(asked, way.back_end, self._wishes, self._pictures, tapped)
                self._stamps = StampCheck() if may_stamp(way.back_end) else None
                if self._tap is not None:
                    self._coding = coding_of_buffer(self._pictures.form, negotiated.rate, self._tap.opening())
                return negotiated
            self._let_go()
        raise SourceError(sentence(self._system.trouble(self._device), self.name))

    def _called(self, what: Callable[[], T], late: Callable[[T], None]) -> T:
        """What a call of the driver gives. Raises SourceError where it does not come back, or fails."""
        try:
            return self._driver.call(what, late, _CALL_S)
        except (cv2.error, MemoryError) as error:
            self._let_go()
            raise SourceError(sentence(Trouble.UNKNOWN, self.name)) from error
        except TimeoutError:
            self._capture = None
            raise SourceError(
                _(
                    "The driver of {name} does not answer; unplug the device and plug it in again.",
                    name=self.name,
                )
            ) from None

    def _there(self) -> bool:
        """Whether the device is plugged in and still has the number by which it was opened."""
        mine = (self._device.identity, self._device.ways)
        return not self._seen or any((one.identity, one.ways) == mine for one in self._system.devices())

    def _lose(self, why: str) -> None:
        """Let go, so that it can come back; `why` is told until it gives pictures again."""
        self._let_go()
        self._meter.pause()
        if self._tap is not None:
            said = english(why).replace(english(self.name), "the card")
            self._tap.note(f"lost: {said.partition(';')[0]}")
        self._teller.began(why)

    def _wait_until_back(self, stopping: threading.Event) -> None:
        """Until the same device is there again and opens, whatever its number is now."""
        wait_s = _RETRY_S
        while not stopping.wait(wait_s):
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            back = [one for one in self._system.devices() if one.identity == self._device.identity]
            if not self._seen:
                back = [self._device]
            if len(back) != 1 or self._driver.left >= _MOST_LEFT:
                continue
            self._device = back[0]
            try:
                self._opened()
            except SourceError as error:
                # It is there, but its driver is not ready yet, or another program was faster.
                self._teller.began(str(error))
                continue
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
        shown_width, shown_height = self._pictures.size(width, height)
        notice = self._notice(*self._told)
        self.info = replace(self.info, width=shown_width, height=shown_height, capture=capture, notice=notice)

    def _notice(self, width: int, height: int, rate: float | None) -> str:
        """Everything that the user should know of how it is read."""
        lost = _(
            "The levels of {name} below 16 and above 235 are lost: its driver takes them for limited. Choose "
            "a mode with mjpg.",
            name=self.name,
        )
        asked = self._asked.rate
        # The teller says so sooner, but not beside what is measured.
        self._teller.rate_is_told = bool(asked and rate and measured.differs(asked, rate))
        told = (
            picture_sentence(self._options),
            measured.notice(self.name, self._asked, width, height, rate),
            lost if self._pictures.lost_levels else "",
            self._pictures.told,
        )
        return joined(told)


class _Patient:
    """A device that is asked for its mode: each call is one of its driver, which is waited for by itself."""

    def __init__(
        self, capture: Capture, call: Callable[[Callable[[], Any], Callable[[Any], None]], Any]
    ) -> None:
        self._capture, self._call = capture, call

    def get(self, propId: int, /) -> float:  # noqa: N803
        """See `Asked.get`."""
        return float(self._call(partial(self._capture.get, propId), partial(_late, self._capture)))

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803
        """See `Asked.set`."""
        return bool(self._call(partial(self._capture.set, propId, value), partial(_late, self._capture)))


def _negotiated(
    capture: Asked, back_end: int, wished: list[Wish], pictures: CardPictures, tapped: bool
) -> Negotiated:
    """The mode that is in force, with as little waiting in the driver as it can do."""
    given = negotiate(capture, back_end, wished)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    form = asked_for(capture, back_end, given.width, given.height, undecoded=tapped)
    pictures.begin(form)
    return replace(given, sets=given.sets + (1 if form.codec == DECODED else 2))


def _stamped(capture: Capture, asked: bool) -> tuple[bool, Any, float]:
    """What `read` gives, and by its driver's stamp the seconds at which it was taken; 0 where not `asked`."""
    try:
        given, buffer = capture.read()
    except (cv2.error, MemoryError):  # OpenCV could make no picture of what the driver gave
        return False, None, 0.0
    return given, buffer, capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 if asked and given else 0.0


def _late(capture: Capture, _given: object) -> None:
    """Let go of a capture whose driver came back after it was given up."""
    capture.release()
