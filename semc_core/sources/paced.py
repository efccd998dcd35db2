"""Plays a source that would wait for its reader at its own speed, as if it were live."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from semc_core.errors import SourceInterrupted
from semc_core.sources.base import FrameSource, SourceInfo
from semc_core.types import FramePacket


class PacedSource:
    """Releases each frame of `source` when its time has come, stamped with the moment of release.

    The clock starts with the first frame. A frame that is late is given at once, so a slow reader catches up.
    """

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self._interrupted = threading.Event()
        self._start_s: float | None = None

    @property
    def info(self) -> SourceInfo:
        """The source's, but live."""
        return replace(self._source.info, live=True)

    def read(self) -> FramePacket | None:
        """See `FrameSource.read`."""
        packet = self._source.read()
        if packet is None:
            return None
        now_s = time.monotonic()
        if self._start_s is None:
            self._start_s = now_s - packet.pts_s
        wait_s = self._start_s + packet.pts_s - now_s
        if wait_s > 0 and self._interrupted.wait(wait_s):
            raise SourceInterrupted(f"Reading from {packet.source_id} was stopped.")
        return replace(packet, captured_s=time.monotonic())

    def interrupt(self) -> None:
        """See `FrameSource.interrupt`."""
        self._interrupted.set()
        self._source.interrupt()

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._source.close()
