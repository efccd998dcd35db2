"""Keeps the newest of what came, undecoded, within bounds of time and memory."""

from __future__ import annotations

import platform
import re
import threading
import time
from collections import deque
from typing import Final

from semc_core.errors import SourceError
from semc_core.language import _
from semc_core.picture_options import AS_IT_IS, PictureOptions
from semc_core.sources.devices.buffers import BufferForm
from semc_core.sources.raw.records import Coding, Note, Origin, Raw, Tapped
from semc_core.version import VERSION

SECONDS: Final = 10.0
MOST_BYTES: Final = 256 * 2**20
_MOST_NOTES: Final = 1000
_ON_USB: Final = re.compile(r"usb-[0-9a-f]{4}:[0-9a-f]{4}", re.ASCII)


class RawTap:
    """A ring of undecoded data. Filled by the source's thread, read by any; nothing waits.

    Data are kept in groups that begin with what can be decoded alone. The oldest group goes when what comes
    after it is long enough, or all is too large; so a file that is made of it always begins with a picture.
    """

    def __init__(
        self, seconds: float = SECONDS, most_bytes: int = MOST_BYTES, *, keeping: bool = True
    ) -> None:
        """A ring of so many seconds and at most so many bytes; it is empty until `keeping` is set.

        What was noted is kept from the first on, whether data are or not.
        """
        self._seconds, self._most_bytes = seconds, most_bytes
        self._lock = threading.Lock()
        self._groups: deque[deque[Raw]] = deque()
        self._bytes = 0
        self._notes: deque[Note] = deque(maxlen=_MOST_NOTES)
        self._origin: Origin | None = None
        self._openings = 0
        self._keeping = keeping

    @property
    def keeping(self) -> bool:
        """Whether data are kept."""
        with self._lock:
            return self._keeping

    @property
    def nbytes(self) -> int:
        """Of the data that are held now."""
        with self._lock:
            return self._bytes

    def begin(self) -> None:
        """Keep what comes from now on."""
        with self._lock:
            self._keeping = True

    def opening(self) -> int:
        """The source was opened; how often it was before."""
        with self._lock:
            self._openings += 1
            return self._openings - 1

    def describe(self, origin: Origin) -> None:
        """Where the data come from; the first word holds."""
        with self._lock:
            self._origin = self._origin or origin

    def note(self, words: str) -> None:
        """Something happened. `words` hold no name, address or serial number."""
        with self._lock:
            self._notes.append(Note(time.monotonic(), words[:500]))

    def keep(self, raw: Raw) -> None:
        """Take what came."""
        with self._lock:
            if not self._keeping or not (raw.key or self._groups):
                return
            if raw.key:
                self._groups.append(deque())
            self._groups[-1].append(raw)
            self._bytes += raw.data.nbytes
            while len(self._groups) > 1 and self._can_spare(raw.time_s):
                self._forget(self._groups.popleft())
            if self._bytes > self._most_bytes:
                # One group alone is too large: the next picture that can be decoded alone begins anew.
                self._forget(self._groups.popleft())

    def taken(self) -> Tapped:
        """What is held now; the ring goes on.

        Raises:
            SourceError: Nothing is held.
        """
        with self._lock:
            data = tuple(raw for group in self._groups for raw in group)
            if self._origin is None or not data:
                raise SourceError(
                    _(
                        "Nothing has come from the source yet that could be saved; try again when it "
                        "gives pictures."
                    )
                )
            return Tapped(self._origin, tuple(self._notes), data)

    def _can_spare(self, now_s: float) -> bool:
        """Whether the oldest group is not needed, or there is no room for it. With the lock held."""
        return self._bytes > self._most_bytes or self._groups[1][0].time_s <= now_s - self._seconds

    def _forget(self, group: deque[Raw]) -> None:
        self._bytes -= sum(raw.data.nbytes for raw in group)


def camera_origin(identity: str, modes: tuple[str, ...], options: PictureOptions = AS_IT_IS) -> Origin:
    """Of a capture device: what it is, without its serial number, its place and its name."""
    found = _ON_USB.match(identity)
    hardware = "" if found is None else found[0]
    return Origin("camera", platform.system(), hardware, modes[:1000], options, VERSION)


def stream_origin(scheme: str, options: PictureOptions = AS_IT_IS) -> Origin:
    """Of a stream: by which protocol it comes, without its address."""
    return Origin("stream", platform.system(), scheme[:10], (), options, VERSION)


def coding_of_buffer(form: BufferForm, rate: float | None, opening: int) -> Coding:
    """How what a card's driver hands over is coded."""
    return Coding(
        kind="buffer",
        codec=form.codec,
        width=form.width,
        height=form.height,
        rate=None if not rate else (round(rate * 1000), 1000),
        levels=form.levels,
        opening=opening,
    )
