"""A source that counts the processor time of its own reads, to tell it apart from the program's."""

from __future__ import annotations

import time

from semc_core.sources.base import FrameSource, WrappedSource
from semc_core.types import FramePacket


class TimedSource(WrappedSource):
    """A `FrameSource` that works on its reader's thread alone, as the simulation does."""

    def __init__(self, source: FrameSource) -> None:
        super().__init__(source)
        self.cpu_s = 0.0
        """Processor seconds of all reads so far; for any thread."""

    def read(self) -> FramePacket | None:
        """See `FrameSource.read`."""
        begun_s = time.thread_time()
        try:
            return self._source.read()
        finally:
            self.cpu_s += time.thread_time() - begun_s
