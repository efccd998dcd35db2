"""A machine with simulated capture devices, which do what a script says. For trying and for tests.

It stands behind the same Protocols as real devices: listed, opened, asked and read by the same code.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.io.slept import pretend
from semc_core.sources.devices import contents
from semc_core.sources.devices.base import Capture, CaptureDevice, Trouble, Way
from semc_core.sources.devices.modes import Mode
from semc_core.sources.devices.script import ONE_CARD, Event, Script, ScriptedDevice, mode_of

_FOREVER_S: Final = 3600.0


class SimulatedDevices:
    """See `DeviceSystem`.

    Attributes:
        cards: The devices, those that are unplugged too, by identity.
    """

    def __init__(self, script: Script | None = None) -> None:
        """Devices as in `script`; None for one card of 1920x1080 at 30 frames/s."""
        self.cards = {device.identity: SimulatedCard(device) for device in (script or ONE_CARD).device}

    def devices(self) -> list[CaptureDevice]:
        """See `DeviceSystem.devices`."""
        listed = [card.listed() for card in self.cards.values() if card.there]
        return sorted(listed, key=lambda device: device.index)

    def modes(self, device: CaptureDevice) -> tuple[Mode, ...]:
        """See `DeviceSystem.modes`."""
        card = self._card_at(device.index)
        return card.modes if card is not None and card.script.tells_modes else ()

    def open(self, device: CaptureDevice, way: Way) -> Capture:
        """See `DeviceSystem.open`: what has the number now, as it is with real devices."""
        card = self._card_at(way.number)
        if card is not None:
            time.sleep(card.script.open_s + card.hangs_s)
        return SimulatedCapture(card if card is not None and not card.script.trouble else None)

    def trouble(self, device: CaptureDevice) -> Trouble:
        """See `DeviceSystem.trouble`."""
        card = self._card_at(device.index)
        return Trouble.MISSING if card is None else Trouble(card.script.trouble or "unknown")

    def _card_at(self, number: int) -> SimulatedCard | None:
        return next((card for card in self.cards.values() if card.there and card.number == number), None)


@dataclass(slots=True)
class _Screen:
    """What a card shows in place of what it is made for; it lasts however often the card is opened.

    Attributes:
        no_signal: The card's own picture, until `no_signal_s`, `time.monotonic()`; None for none.
        frozen_at: The number of the picture that stands still until `frozen_s`.
        changed: The mode that it sends from now on; "" for none.
    """

    no_signal: Event | None = None
    no_signal_s: float = 0.0
    frozen_at: int = 0
    frozen_s: float = 0.0
    changed: str = ""


class SimulatedCard:
    """A device, plugged in or not. For any thread.

    Attributes:
        script: What it does.
        modes: All it has.
        sets: How often `set` was called.
        opened: How often it was opened.
        screen: What it shows.
    """

    def __init__(self, script: ScriptedDevice) -> None:
        self.script = script
        self.modes = tuple(mode_of(text) for text in script.modes)
        self.sets = self.opened = 0
        self.screen = _Screen()
        self._lock = threading.Lock()
        self._number = script.number
        self._given = 0
        self._hangs_until_s = self._fails_until_s = 0.0
        self._back_s = 0.0
        self._waiting = sorted(script.events, key=lambda event: event.at_frame)

    @property
    def there(self) -> bool:
        """Whether it is plugged in now."""
        with self._lock:
            return time.monotonic() >= self._back_s and self.script.trouble != "missing"

    @property
    def number(self) -> int:
        """Its number now."""
        with self._lock:
            return self._number

    @property
    def hangs_s(self) -> float:
        """How much longer its driver answers nothing, seconds."""
        with self._lock:
            return max(0.0, self._hangs_until_s - time.monotonic())

    @property
    def fails(self) -> bool:
        """Whether it gives no picture now, however often it is opened."""
        with self._lock:
            return time.monotonic() < self._fails_until_s

    def fail(self, seconds: float) -> None:
        """Give no picture for so long."""
        with self._lock:
            self._fails_until_s = time.monotonic() + seconds

    def hang(self, seconds: float) -> None:
        """Answer nothing for so long."""
        with self._lock:
            self._hangs_until_s = time.monotonic() + seconds
        time.sleep(seconds)

    def listed(self) -> CaptureDevice:
        """As a system lists it."""
        told, number = self.script, self.number
        ways = (Way(cv2.CAP_ANY, number),)
        return CaptureDevice(number, told.name, told.identity, told.place, told.bus_mbps, ways)

    def unplug(self, seconds: float = _FOREVER_S, number: int | None = None) -> None:
        """Pull it out; it comes back after so long, under this number."""
        with self._lock:
            self._back_s = time.monotonic() + seconds
            self._number = self._number if number is None else number

    def next_frame(self) -> tuple[int, list[Event]]:
        """The number of the frame that is asked for, and what happens before it."""
        with self._lock:
            number, self._given = self._given, self._given + 1
            happens = [event for event in self._waiting if event.at_frame <= number]
            self._waiting = self._waiting[len(happens) :]
        return number, happens


class SimulatedCapture:
    """An open device, as `cv2.VideoCapture` is. Used by one thread.

    What it is asked for is held against its modes as a driver does: a size only of the format in force, a
    rate only of that size. A change comes with the frame after it.
    """

    def __init__(self, card: SimulatedCard | None) -> None:
        self._card = card
        self._due_s = 0.0
        self._width_asked = 0
        self._converts = True
        self._stamp_s = 0.0
        self._begun_s = time.monotonic()
        if card is not None:
            card.opened += 1
            self._mode = card.modes[0]

    def isOpened(self) -> bool:  # noqa: N802
        """Whether it is open; an unplugged device stays so until it is released."""
        return self._card is not None

    def get(self, propId: int, /) -> float:  # noqa: N803
        """The mode in force."""
        values = {
            cv2.CAP_PROP_FRAME_WIDTH: float(self._mode.width),
            cv2.CAP_PROP_FRAME_HEIGHT: float(self._mode.height),
            cv2.CAP_PROP_FPS: self._mode.rate,
            cv2.CAP_PROP_FOURCC: float(cv2.VideoWriter.fourcc(*self._mode.fourcc)),
            cv2.CAP_PROP_POS_MSEC: 1000 * self._stamp_s,
        }
        return values.get(propId, 0.0)

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803
        """Ask for a value; False where it is refused."""
        if self._card is None:
            return False
        self._card.sets += 1
        time.sleep(self._card.script.set_s)
        if propId == cv2.CAP_PROP_FOURCC:
            formats = (mode.fourcc for mode in self._card.modes)
            code = next((each for each in formats if cv2.VideoWriter.fourcc(*each) == int(value)), "")
            return self._take("format", fourcc=code)
        if propId == cv2.CAP_PROP_FRAME_WIDTH:
            self._width_asked = int(value)  # taken with the height, as Video4Linux does
            return "size" not in self._card.script.refuses
        if propId == cv2.CAP_PROP_FRAME_HEIGHT:
            return self._take("size", size=(self._width_asked or self._mode.width, int(value)))
        if propId == cv2.CAP_PROP_FPS:
            return self._take("rate", rate=value)
        if propId == cv2.CAP_PROP_CONVERT_RGB:
            self._converts = value != 0
            return True
        return propId == cv2.CAP_PROP_BUFFERSIZE

    def read(self) -> tuple[bool, Any]:
        """Wait for the next frame: uint8 (H, W, 3) BGR, or as it came where that was asked for."""
        card = self._card
        if card is None or not card.there:
            return False, None
        number, events = card.next_frame()
        time.sleep(card.script.read_s)
        for event in events:
            self._happen(event, card, number)
        if not card.there or card.fails:
            return False, None
        given = card.screen.changed or card.script.gives
        sent = mode_of(given) if given else self._mode
        self._wait(1 / sent.rate)
        taken_s = time.monotonic() - card.script.delay_s
        self._stamp_s = self._stamp(card.script, taken_s)
        came = self._came(self._picture(card, number, sent, taken_s), sent)
        return True, contents.handed_over(came, card.script.buffers)

    def _stamp(self, script: ScriptedDevice, taken_s: float) -> float:
        """What the driver says of when a picture was taken, seconds."""
        if script.stamps == "right":
            return taken_s
        if script.stamps == "other_clock":
            return taken_s - self._begun_s
        return self._stamp_s or taken_s if script.stamps == "still" else 0.0

    def _picture(self, card: SimulatedCard, number: int, sent: Mode, taken_s: float) -> NDArray[np.uint8]:
        """uint8 (H, W, 3) BGR: what the card shows at its frame `number`, taken at `taken_s`."""
        told = card.screen.no_signal
        if told is not None and time.monotonic() < card.screen.no_signal_s:
            return contents.no_signal(told.card, told.text, sent.width, sent.height)
        if time.monotonic() < card.screen.frozen_s:
            number = card.screen.frozen_at
        if card.script.content == "clock":
            return contents.clock(taken_s, sent.width, sent.height)
        picture = _shown(card.script, number, sent, 0.0)
        if card.script.interlaced:
            picture = picture.copy()
            picture[1::2] = _shown(card.script, number, sent, 0.5)[1::2]
        return contents.limited(picture) if card.script.levels == "limited" else picture

    def release(self) -> None:
        """Close it."""
        self._card = None

    def _came(self, picture: NDArray[np.uint8], sent: Mode) -> NDArray[np.uint8]:
        """What a back end makes of it: uncompressed pictures are limited to it, compressed ones full."""
        if not self._converts:
            return contents.undecoded(picture, sent.fourcc)
        if sent.fourcc != "YUYV":
            return picture
        packed = contents.undecoded(picture, sent.fourcc)
        return np.asarray(cv2.cvtColor(packed, cv2.COLOR_YUV2BGR_YUYV), np.uint8)

    def _happen(self, event: Event, card: SimulatedCard, number: int) -> None:
        if event.what == "unplug":
            card.unplug(event.seconds, event.number)
        elif event.what == "hang":
            card.hang(event.seconds)
        elif event.what == "size":
            card.screen.changed = event.mode
        elif event.what == "freeze":
            card.screen.frozen_at, card.screen.frozen_s = number, time.monotonic() + event.seconds
        elif event.what == "fail":
            card.fail(event.seconds)
        elif event.what == "sleep":
            pretend(event.seconds)
        else:
            card.screen.no_signal, card.screen.no_signal_s = event, time.monotonic() + event.seconds

    def _take(
        self, what: str, *, fourcc: str = "", size: tuple[int, int] | None = None, rate: float = 0.0
    ) -> bool:
        """Use the mode that fits best, of those that have what is not asked to change."""
        assert self._card is not None
        if what in self._card.script.refuses or (what == "format" and not fourcc):
            return False
        now = self._mode
        modes = [mode for mode in self._card.modes if mode.fourcc == (fourcc or now.fourcc)]
        width, height = size or (now.width, now.height)
        if what == "rate":
            modes = [mode for mode in modes if (mode.width, mode.height) == (width, height)]
        wanted = rate or now.rate
        self._mode = min(
            modes,
            key=lambda mode: (abs(mode.width * mode.height - width * height), abs(mode.rate - wanted)),
        )
        return True

    def _wait(self, interval_s: float) -> None:
        """Until the frame is due; one that is late is not followed by a rush."""
        now_s = time.monotonic()
        self._due_s = max(self._due_s + interval_s, now_s)
        if self._due_s > now_s:
            time.sleep(self._due_s - now_s)


def _shown(script: ScriptedDevice, number: int, sent: Mode, later: float) -> NDArray[np.uint8]:
    """uint8 (H, W, 3) BGR: the scanner's screen at frame `number`, or that share of a frame `later`."""
    width, height = sent.width, sent.height
    if script.content == "ramp":
        return contents.ramp(width, height)
    if script.content == "circle":
        return contents.circle(width, height, script.screen)
    if script.content_rate:
        number = int(number / sent.rate * script.content_rate)
    if script.content == "count":
        return contents.count(number, width, height)
    time_s = (number + later) / (script.content_rate or sent.rate)
    if script.content == "sweep":
        return contents.sweep(time_s, width, height)
    return contents.scan(script.patient, width, height, time_s)
