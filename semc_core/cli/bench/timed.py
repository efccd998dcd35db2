"""A source that counts the processor time of its own reads, to tell it apart from the program's."""

from __future__ import annotations

import time

from semc_core.sources.base import FrameSource
from semc_core.types import Crop, FramePacket, SourceInfo


class TimedSource:
    """A `FrameSource` that works on its reader's thread alone, as the simulation does."""

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self.cpu_s = 0.0
        """Processor seconds of all reads so far; for any thread."""

    @property
    def info(self) -> SourceInfo:
        """See `FrameSource.info`."""
        return self._source.info

    @property
    def hinted_crop(self) -> Crop | None:
        """See `FrameSource.hinted_crop`."""
        return self._source.hinted_crop

    def read(self) -> FramePacket | None:
        """See `FrameSource.read`."""
        begun_s = time.thread_time()
        try:
            return self._source.read()
        finally:
            self.cpu_s += time.thread_time() - begun_s

    def interrupt(self) -> None:
        """See `FrameSource.interrupt`."""
        self._source.interrupt()

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._source.close()
