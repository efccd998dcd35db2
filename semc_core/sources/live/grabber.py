"""A thread that owns a device which may block, so that the reader in front of it never has to."""

from __future__ import annotations

import itertools
import logging
import threading
from collections import deque
from dataclasses import replace
from typing import Protocol

from semc_core.errors import SourceError
from semc_core.language import _, english
from semc_core.picture_options import AS_IT_IS, PictureOptions
from semc_core.sources.base import BaseSource, Grabbed
from semc_core.sources.live.outage import OutageTeller
from semc_core.types import SourceInfo

_LOG = logging.getLogger(__name__)

_CLOSE_WAIT_S = 2.0


class Device(Protocol):
    """What a `Grabber` runs. All three are called in the grabber's thread, in this order."""

    def open(self) -> SourceInfo:
        """Open the device. Raises `SourceError`."""
        ...

    def grab(self, stopping: threading.Event) -> Grabbed | None:
        """The next picture; None at the end or when `stopping` is set. Raises `SourceError`."""
        ...

    def release(self) -> None:
        """Let go of the device. Called whether or not `open` succeeded."""
        ...


class Grabber:
    """Runs a device in a thread of its own.

    Args:
        device: See there.
        name: Of the device, for messages.
        capacity: Pictures that may wait for the reader.
        newest_wins: When `capacity` pictures wait, True drops the oldest, False lets the device wait.
    """

    def __init__(self, device: Device, name: str, capacity: int, newest_wins: bool) -> None:
        self._device, self._name = device, name
        self._capacity, self._newest_wins = capacity, newest_wins
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._waiting: deque[Grabbed] = deque()
        self._info: SourceInfo | None = None
        self._error: BaseException | None = None
        self._finished = False
        # A daemon: a driver that never returns must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, name=f"grab {english(name)}", daemon=True)

    def start(self, timeout_s: float) -> SourceInfo:
        """Open the device and begin.

        Raises:
            SourceError: It could not be opened, or not within `timeout_s` seconds.
        """
        self._thread.start()
        with self._changed:
            opened = self._changed.wait_for(lambda: self._info or self._finished, timeout_s)
            if self._info is not None:
                return self._info
        self.stop()
        if opened and self._error is not None:
            raise self._error
        raise SourceError(
            _(
                "{name} did not answer within {seconds} s; check that it is on.",
                name=self._name,
                seconds=f"{timeout_s:.0f}",
            )
        )

    def take(self) -> Grabbed | None:
        """Wait for the next picture; None at the end or after `stop`. Raises what the device raised."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._finished or self._stopping.is_set())
            if self._waiting:
                grabbed = self._waiting.popleft()
                self._changed.notify_all()
                return grabbed
            if self._error is not None and not self._stopping.is_set():
                raise self._error
            return None

    def stop(self) -> None:
        """Wake the reader and let the device go as soon as it returns. From any thread, at once."""
        self._stopping.set()
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()

    def join(self) -> None:
        """Wait until the device is released. A device that still blocks is released when it returns."""
        self.stop()
        self._thread.join(_CLOSE_WAIT_S)
        if self._thread.is_alive():
            _LOG.warning(
                "%s has not let go yet; it is released as soon as its driver answers", english(self._name)
            )

    def _run(self) -> None:
        try:
            info = self._device.open()
            with self._changed:
                self._info = info
                self._changed.notify_all()
            for index in itertools.count():
                grabbed = None if self._stopping.is_set() else self._device.grab(self._stopping)
                if grabbed is None:
                    break
                # Numbered as they arrive: one that is dropped before it was read leaves a gap.
                self._put(replace(grabbed, index=index))
        except Exception as error:  # noqa: BLE001  # the thread's boundary: raised again in the reader
            self._error = error
        finally:
            self._device.release()
            with self._changed:
                self._finished = True
                self._changed.notify_all()

    def _put(self, grabbed: Grabbed) -> None:
        with self._changed:
            if self._newest_wins and len(self._waiting) == self._capacity:
                self._waiting.popleft()
            self._changed.wait_for(lambda: len(self._waiting) < self._capacity or self._stopping.is_set())
            if not self._stopping.is_set():
                self._waiting.append(grabbed)
                self._changed.notify_all()


class GrabbedSource(BaseSource):
    """A source whose pictures come from a `Grabber`, and may stop coming for a while."""

    def __init__(
        self,
        grabber: Grabber,
        open_timeout_s: float,
        teller: OutageTeller,
        options: PictureOptions = AS_IT_IS,
    ) -> None:
        self._grabber, self._teller = grabber, teller
        super().__init__(grabber.start(open_timeout_s), options)

    @property
    def info(self) -> SourceInfo:
        """What is known of it, and why no pictures come, where none do. Safe from any thread."""
        over = self._ended or self._closed or self._failure is not None or self._interrupted.is_set()
        return self._known() if over else self._teller.added_to(self._known())

    def _known(self) -> SourceInfo:
        """What is known of it now, without why no pictures come."""
        return super().info

    def interrupt(self) -> None:
        """See `FrameSource.interrupt`."""
        super().interrupt()
        self._grabber.stop()

    def _grab(self) -> Grabbed | None:
        return self._grabber.take()

    def _release(self) -> None:
        self._grabber.join()
